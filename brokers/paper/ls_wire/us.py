"""How LS names US shares: 81 NYSE and AMEX, 82 NASDAQ, `exchcd` before the ticker (ls.md §4)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from brokers.paper.exchange import Exchange
from brokers.paper.listings import Listing
from brokers.paper.ls_wire.call import Call, no_data
from shared.domain.account import Market
from shared.domain.instrument import Venue

NEW_YORK = ZoneInfo("America/New_York")
ASKED = "조회완료"
NASDAQ, NYSE_AMEX = "82", "81"
KEY_LENGTH = 18
# The ISINs of public prospectuses; a share that is not here has a blank one.
ISINS = {
    "AAPL": "US0378331005",
    "MSFT": "US5949181045",
    "NVDA": "US67066G1040",
    "TSLA": "US88160R1014",
    "SPY": "US78462F1030",
    "IWM": "US4642876555",
    "BRK/B": "US0846707026",
}


def exchange_of(listing: Listing) -> str:
    return NASDAQ if listing.venue is Venue.NASDAQ else NYSE_AMEX


def find(exchange: Exchange, exchcd: str, ticker: str) -> Listing | None:
    """The US share of this ticker, if it is listed there. A class share may be written BRK.B or BRK/B."""
    listing = exchange.listing(ticker) or exchange.listing(ticker.replace(".", "/"))
    if listing is None or listing.market is not Market.US or exchange_of(listing) != exchcd:
        return None
    return listing


def asked_listing(call: Call) -> Listing:
    """The share that `keysymbol` names, else `exchcd` and `symbol`. Raises Refusal 00009 when there is none."""
    key, exchcd = call.asked.text("keysymbol"), call.asked.text("exchcd")
    listing = find(call.exchange, exchcd, key[2:] if key.startswith(exchcd) else call.asked.text("symbol"))
    if listing is None or not exchcd:
        raise no_data()
    return listing


def echoed(call: Call, *names: str) -> dict[str, str]:
    """The text that a request gave under these names."""
    return {name: call.asked.text(name) for name in names}
