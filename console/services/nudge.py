"""Wake a bot after its command or configuration was committed.

On this host by its unix socket; bots of other hosts are woken by the database itself (`wake_bot` in shared/migrations).
"""

from __future__ import annotations

from shared import nudges
from shared.config import Settings


def nudge(settings: Settings, account_id: int | None) -> None:
    """Send one nudge to the account's bot, or to every bot here."""
    nudges.send(settings.run_dir, account_id)
