"""What symbols are called: names of those that somebody here watches or holds."""

from __future__ import annotations

from console.services.changes import briefly
from console.wiring import Wiring
from shared.db import reading
from shared.domain.account import Market
from shared.store import panels

HELD_S = 60.0  # a name hardly ever changes
_MARKETS = {market.currency.value: market.value for market in Market}


def name(wiring: Wiring, symbol: str, currency: str, lang: str, known: str = "") -> str:
    """What the symbol of the market of that currency is called, in the reader's language where that is known.

    `known`: what a broker called it, taken where no bot told more; "" where nobody did.
    """
    names = briefly(wiring, "symbols", lambda: _names(wiring), at_most_s=HELD_S)
    korean, english = names.get((_MARKETS.get(currency, ""), symbol), ("", ""))
    return (english if lang == "en" else known) or known or korean


def _names(wiring: Wiring) -> dict[tuple[str, str], tuple[str, str]]:
    with reading(wiring.engine) as session:
        return panels.watched_names(session)
