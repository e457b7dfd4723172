"""The bot's sign of life: one row every two seconds, with what an operator needs to judge it."""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.config import ROOT
from shared.domain.bot_state import KillLevel

EVERY_S = 2.0
_ROOMS = ("bots", "brokers", "shared")


def code_hash() -> str:
    """A short hash of the code this process runs: two bots that differ show it (Knight Capital's eighth server)."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        files = [f"{where}/{name}" for where, _, names in os.walk(ROOT / room) for name in names]
        for path in sorted(path for path in files if path.endswith(".py")):
            digest.update(path.removeprefix(f"{ROOT}/").encode())
            digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:12]


def rss_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(slots=True)
class Vitals:
    """What changes from beat to beat; kept by the loop, read by the sync."""

    account_id: int
    started_at: datetime
    state: str = "STARTING"
    reason: str = ""
    ready_at: datetime | None = None
    config_version: int = 0
    change_number: int = 0
    kill_level: KillLevel = KillLevel.RUN
    market_at: datetime | None = None
    feed_at: datetime | None = None
    feed_source: str = ""
    token_expires_at: datetime | None = None
    loop_lag_ms: float = 0.0
    rate_used: int = 0
    rate_limit: float = 0.0
    rate_waiting: int = 0
    rate_limited: int = 0
    outbox_depth: int = 0
    detail: dict[str, Any] = field(default_factory=dict)
    code: str = field(default_factory=code_hash)

    def row(self, now: datetime) -> dict[str, Any]:
        """The whole row of this beat."""
        return {
            "account_id": self.account_id, "at": now, "state": self.state, "reason": self.reason, "host": socket.gethostname(),
            "pid": os.getpid(), "started_at": self.started_at, "ready_at": self.ready_at, "code_hash": self.code,
            "config_version": self.config_version, "change_number": self.change_number, "kill_level": int(self.kill_level),
            "market_at": self.market_at, "feed_at": self.feed_at, "feed_source": self.feed_source,
            "token_expires_at": self.token_expires_at, "loop_lag_ms": self.loop_lag_ms, "rate_used": self.rate_used,
            "rate_limit": self.rate_limit, "rate_waiting": self.rate_waiting, "rate_limited": self.rate_limited,
            "outbox_depth": self.outbox_depth, "rss_mb": rss_mb(), "detail": dict(self.detail),
        }  # fmt: skip
