"""Structured logs: one JSON object per line on stderr; supervisord keeps the files. Secrets are masked by field name and by shape."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from shared.redact import masked

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
            **_without_secrets(fields),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)[-4000:]
        return masked(json.dumps(line, ensure_ascii=False, default=str))


def readable(line: str) -> list[str]:
    """One line of a log as a person reads it, with its trace below; a line that is not ours as it stands."""
    try:
        said = json.loads(line)
        head = f"{said.pop('at')} {str(said.pop('level')).upper()} {said.pop('program')} {said.pop('event')}"
    except (ValueError, TypeError, KeyError, AttributeError):
        return [line]
    trace = str(said.pop("trace", "")).splitlines()
    return [" ".join([head, *(f"{name}={value}" for name, value in said.items())]), *trace]


def _without_secrets(fields: Mapping[str, object]) -> dict[str, object]:
    """Fields with the value of every secret name hidden, at any depth."""
    return {
        name: "***" if str(name).lower() in MASKED else _without_secrets(value) if isinstance(value, Mapping) else value
        for name, value in fields.items()
    }


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
