"""KIS's names for the US exchanges: each has one for orders, for quotes, for the day market and for products (§3.1)."""

from __future__ import annotations

from dataclasses import dataclass

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.exchange import Exchange
from brokers.paper.listings import Listing
from shared.domain.account import Market
from shared.domain.instrument import InstrumentType, Venue


@dataclass(frozen=True, slots=True)
class UsExchange:
    venue: Venue
    trading: str  # OVRS_EXCG_CD
    quote: str  # EXCD
    day_quote: str  # EXCD in the day market
    product: str  # PRDT_TYPE_CD
    market_code: str  # TR_MKET_CD
    notice: str  # ODER_COND
    name: str


US_EXCHANGES = {
    row.venue: row
    for row in (
        UsExchange(Venue.NASDAQ, "NASD", "NAS", "BAQ", "512", "01", "6", "나스닥"),
        UsExchange(Venue.NYSE, "NYSE", "NYS", "BAY", "513", "02", "7", "뉴욕거래소"),
        UsExchange(Venue.AMEX, "AMEX", "AMS", "BAA", "529", "05", "8", "아멕스"),
    )
}
BY_TRADING = {row.trading: row for row in US_EXCHANGES.values()}
BY_QUOTE = {code: row for row in US_EXCHANGES.values() for code in (row.quote, row.day_quote)}
BY_PRODUCT = {row.product: row for row in US_EXCHANGES.values()}
BY_MARKET_CODE = {row.market_code: row for row in US_EXCHANGES.values()}


def named(exchange: Exchange, symbol: str) -> Listing | None:
    """The US listing of a symbol. KIS writes class shares with a slash, `BRK/B`; compat also takes a dot (§3.1)."""
    listing = exchange.listing(symbol)
    if listing is None and exchange.profile is Profile.COMPAT:
        listing = exchange.listing(symbol.replace(".", "/"))
    return listing if listing is not None and listing.market is Market.US else None


def us_listing(exchange: Exchange, symbol: str, home: UsExchange | None) -> Listing | None:
    """Return the US listing of `symbol` at `home`; None when it is listed elsewhere or nowhere."""
    listing = named(exchange, symbol)
    if listing is None or home is None or listing.venue is not home.venue:
        return None
    return listing


def krx_listing(exchange: Exchange, symbol: str) -> Listing | None:
    """Return the KRX listing of a code, `Q` of ETN codes taken off."""
    listing = exchange.listing(symbol.removeprefix("Q") if len(symbol) == 7 else symbol)
    return listing if listing is not None and listing.market is Market.KRX else None


def venues_asked(code: str, env: ExEnv) -> frozenset[Venue]:
    """The venues an account query asks for by OVRS_EXCG_CD.

    Blank and `%` mean all; `NASD` is the whole US live-like but Nasdaq alone 모의-like, `NAS` Nasdaq alone (§3.1, §3.6).
    A code of another country is an empty set.
    """
    if code in ("", "%") or (code == "NASD" and env is ExEnv.LIVE):
        return frozenset(US_EXCHANGES)
    row = BY_TRADING.get(code) or BY_QUOTE.get(code)
    return frozenset() if row is None else frozenset({row.venue})


def is_fund(listing: Listing) -> bool:
    return listing.type is not InstrumentType.STOCK
