"""How often a bot speaks with its store: a store on this machine hears everything each second, a hosted one what matters.

Orders, fills, alerts and signals never wait. On a hosted store logs, decisions, bars and equity go as one batch a minute
and prices are shown once a minute: a project's traffic is bounded, and paid for (docs/supabase-proof.md has the figures).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bots import outgoing
from bots.journal import Queued
from shared.config import Settings
from shared.domain.errors import ConfigError

MAY_WAIT = frozenset({outgoing.LOGS, outgoing.DECISIONS, outgoing.BARS, outgoing.EQUITY, outgoing.PROFITS})


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between things."""

    poll_s: float  # looks for settings, commands and the kill switch; a nudge looks at once
    idle_s: float  # the same while no price, order or log has come for a minute
    beat_s: float  # heartbeats
    batch_s: float  # what may wait, waits so long for company; anything urgent takes it along
    shown_s: float  # prices, holdings and cash, unless a fill changed them
    decision_s: float  # a rule whose answer flickers is told this often at most


LOCAL = Pace(poll_s=1.0, idle_s=1.0, beat_s=2.0, batch_s=0.0, shown_s=0.0, decision_s=1.0)
# Four seconds: what the owner's other accounts hold must be known to five (bots/risk/guards.py), or entries wait.
HOSTED = Pace(poll_s=4.0, idle_s=10.0, beat_s=4.0, batch_s=60.0, shown_s=60.0, decision_s=10.0)
IDLE_AFTER_S = 60.0
_NAMES = {"local": LOCAL, "hosted": HOSTED}
_HERE = ("localhost", "127.", "::1", "/")


def pace_of(settings: Settings) -> Pace:
    """The pace that LETSTRADE_STORE_PACE names; else by where the store is."""
    named = settings.env.get("LETSTRADE_STORE_PACE", "auto")
    if named in _NAMES:
        return _NAMES[named]
    if named != "auto":
        raise ConfigError("LETSTRADE_STORE_PACE cannot be used", f"{named!r}", "use auto, local or hosted")
    address = settings.database_url
    if address.startswith("sqlite:"):
        return LOCAL
    host = address.rsplit("@", 1)[-1].removeprefix("postgresql+psycopg://").strip("[")
    return LOCAL if not host or host.startswith(_HERE) else HOSTED


def due(queued: Sequence[Queued], waited_s: float, pace: Pace, most: int) -> bool:
    """Tell whether the outbox goes now: something urgent is in it, it is full, or it has waited long enough."""
    urgent = any(row.stream not in MAY_WAIT for row in queued)
    return urgent or len(queued) >= most or waited_s >= pace.batch_s
