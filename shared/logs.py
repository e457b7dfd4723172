"""Structured logs: one JSON object per line on stderr; supervisord keeps the files. Secrets are masked by field name."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

MASKED = frozenset(
    {"app_key", "app_secret", "appkey", "appsecret", "secretkey", "authorization", "token", "access_token", "password"}
    | {"account_no", "approval_key", "hts_id", "cano", "secret", "cookie", "master_key"}
)
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class JsonLines(logging.Formatter):
    """A record as one JSON line: at, level, program, event, fields."""

    def __init__(self, program: str) -> None:
        super().__init__()
        self._program = program

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "program": self._program,
            "event": record.getMessage(),
            **{name: "***" if name.lower() in MASKED else value for name, value in fields.items()},
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)[-4000:]
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(program: str, level: str = "info") -> None:
    """Send every log of this process to stderr as JSON lines; libraries that print addresses are silenced."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(program))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for noisy in ("httpx", "httpcore", "websockets", "asyncio", "alembic", "telegram", "apscheduler"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log(program: str, event: str, *, level: str = "info", **fields: object) -> None:
    """Write one structured line."""
    logging.getLogger(f"letstrade.{program}").log(_LEVELS[level], event, extra={"fields": fields})
