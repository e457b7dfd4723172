"""Send a nudge: an empty datagram to a bot's unix socket means "look into the store now"."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path


def send(run_dir: Path, account_id: int | None) -> None:
    """Nudge the account's bot, or every bot of this host; a lost one costs one poll, so nothing is raised."""
    pattern = "bot-*.sock" if account_id is None else f"bot-{account_id}.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.setblocking(False)
        for path in run_dir.glob(pattern):
            with contextlib.suppress(OSError):  # nobody listens: the bot is down and will read the store at start
                door.sendto(b"", str(path))
