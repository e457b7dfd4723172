"""Hear what other hosts change: this host's one direct connection LISTENs, and nudges the local bot a notice names.

The database sends the notice with the commit (triggers `…_wake` in shared/migrations). LISTEN is state of a session, so
it cannot go through a transaction-mode pooler: the ear proves itself with a notice of its own before it is believed, and
a host without a direct address just polls.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shared import nudges
from shared.config import Settings
from shared.db import NOTICES_A_DEAD_LINE
from shared.logs import log

if TYPE_CHECKING:
    import psycopg

CHANNEL = "letstrade"
POOLER_PORT = ":6543/"  # Supabase's transaction pooler
PROOF_S = 5.0
AGAIN_S, DEAF_AGAIN_S = 3.0, 600.0
LOOK_UP_S = 1.0  # between two looks at whether to stop


def address(settings: Settings) -> str | None:
    """Where to listen; None: nowhere, bots meet changes by their polls."""
    url = settings.direct_url or settings.database_url
    if not url.startswith("postgresql") or (settings.direct_url is None and POOLER_PORT in url):
        return None
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


class Ear:
    """A thread that listens until `close`. `hears` says whether notices arrive now."""

    def __init__(self, url: str, run_dir: Path, nudge: Callable[[Path, int | None], None] = nudges.send) -> None:
        self._url, self._run_dir, self._nudge = url, run_dir, nudge
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ear", daemon=True)
        self.hears = False

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(PROOF_S + LOOK_UP_S)

    def _run(self) -> None:
        import psycopg  # only where the store is a PostgreSQL

        while not self._stop.is_set():
            rest = AGAIN_S
            try:
                with self._connect() as connection:
                    if self._proves(connection):
                        log("fleet", "hears changes at once")
                        self._nudge(self._run_dir, None)  # what was said while nobody listened
                        self._listen(connection)
                    else:
                        rest = DEAF_AGAIN_S
                        log("fleet", "hears nothing by this address: set SUPABASE_DIRECT_URL", level="warning")
            except (psycopg.Error, OSError) as error:
                if self.hears:
                    log("fleet", "listening ended", level="warning", why=type(error).__name__)
            self.hears = False
            self._stop.wait(rest)

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        import psycopg

        return psycopg.connect(
            self._url, autocommit=True, prepare_threshold=None, connect_timeout=5, application_name="letstrade-ear",
            **NOTICES_A_DEAD_LINE,
        )  # fmt: skip

    def _proves(self, connection: psycopg.Connection[tuple[object, ...]]) -> bool:
        """A notice sent on another connection arrives here: behind a pooler it would not."""
        proof = f"proof:{secrets.token_hex(4)}"
        connection.execute(f"LISTEN {CHANNEL}")
        with self._connect() as other:
            other.execute("SELECT pg_notify(%s, %s)", [CHANNEL, proof])
            for notice in connection.notifies(timeout=PROOF_S):
                if notice.payload == proof:
                    return True
        return False

    def _listen(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self.hears = True
        while not self._stop.is_set():
            for notice in connection.notifies(timeout=LOOK_UP_S):
                self._nudge_named(notice.payload)
                if self._stop.is_set():
                    return

    def _nudge_named(self, payload: str) -> None:
        if payload == "*":
            self._nudge(self._run_dir, None)
        elif payload.isdigit():
            self._nudge(self._run_dir, int(payload))
