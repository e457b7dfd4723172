"""Wake a bot after its command or configuration was committed: an empty datagram to its unix socket."""

from __future__ import annotations

import contextlib
import socket

from shared.config import Settings


def nudge(settings: Settings, account_id: int | None) -> None:
    """Send one nudge to the account's bot, or to every bot here; a lost one costs one poll, so nothing is raised."""
    pattern = "bot-*.sock" if account_id is None else f"bot-{account_id}.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.setblocking(False)
        for path in settings.run_dir.glob(pattern):
            with contextlib.suppress(OSError):  # nobody listens: the bot is down and will read the store at start
                door.sendto(b"", str(path))
