"""The kill switch: the effective level is the highest of host file, account file and store.

The files work with console and database down: `echo HALT > $LETSTRADE_HOME/kill` stops every bot of the host.
"""

from __future__ import annotations

from pathlib import Path

from shared.domain.bot_state import KillLevel
from shared.kill_files import level_in, raise_file


class KillSwitch:
    """Knows the three sources; the files are read at every question, the store's level is told by the sync."""

    def __init__(self, host_file: Path, account_file: Path) -> None:
        self._host_file, self._account_file = host_file, account_file
        self.store_level = KillLevel.RUN
        self.armed = True  # LIVE without a running approval may not enter

    def level(self) -> KillLevel:
        """The level in force at this instant."""
        unarmed = KillLevel.RUN if self.armed else KillLevel.NO_NEW
        return max(level_in(self._host_file), level_in(self._account_file), self.store_level, unarmed)

    def raise_account(self, level: KillLevel, why: str) -> None:
        """Write the account's own file; it survives a restart and only a person lowers it."""
        raise_file(self._account_file, level, why)
