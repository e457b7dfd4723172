"""What symbols are called: names of those that somebody here watches."""

from __future__ import annotations

from console.services.changes import briefly
from console.wiring import Wiring
from shared.db import reading
from shared.domain.account import Market
from shared.store import panels

HELD_S = 60.0  # a name hardly ever changes
_MARKETS = {market.currency.value: market.value for market in Market}


def name(wiring: Wiring, symbol: str, currency: str) -> str:
    """What the symbol is called in the market of that currency; "" where nobody told."""
    return briefly(wiring, "symbols", lambda: _names(wiring), at_most_s=HELD_S).get(
        (_MARKETS.get(currency, ""), symbol), ""
    )


def _names(wiring: Wiring) -> dict[tuple[str, str], str]:
    with reading(wiring.engine) as session:
        return panels.watched_names(session)
