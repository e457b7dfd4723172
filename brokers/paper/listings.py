"""Listings: the symbols that trade here, with what the brokers' masters say about them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shared.domain.account import Market
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.money import Currency


@dataclass(frozen=True, slots=True)
class Listing:
    symbol: str
    market: Market
    venue: Venue
    type: InstrumentType
    board: str  # KOSPI | KOSDAQ; "" for US
    name_ko: str
    name_en: str
    anchor: Decimal  # the synthetic tape stays within a few percent of it
    daily_volume: int  # shares the synthetic tape trades on a usual day

    @property
    def currency(self) -> Currency:
        return self.market.currency

    @property
    def on_nxt(self) -> bool:
        """Say whether NXT trades it: shares only (markets.md §3)."""
        return self.market is Market.KRX and self.type is InstrumentType.STOCK


_STOCK, _ETF = InstrumentType.STOCK, InstrumentType.ETF


def _us(symbol: str, venue: Venue, type_: InstrumentType, ko: str, en: str, anchor: str, volume: int) -> Listing:
    return Listing(symbol, Market.US, venue, type_, "", ko, en, Decimal(anchor), volume)


def _krx(
    symbol: str, type_: InstrumentType, ko: str, en: str, anchor: str, volume: int, board: str = "KOSPI"
) -> Listing:
    return Listing(symbol, Market.KRX, Venue.KRX, type_, board, ko, en, Decimal(anchor), volume)


LISTINGS: dict[str, Listing] = {
    one.symbol: one
    for one in (
        _us("AAPL", Venue.NASDAQ, _STOCK, "애플", "APPLE INC", "211.50", 48_000_000),
        _us("MSFT", Venue.NASDAQ, _STOCK, "마이크로소프트", "MICROSOFT CORP", "428.70", 21_000_000),
        _us("NVDA", Venue.NASDAQ, _STOCK, "엔비디아", "NVIDIA CORP", "131.20", 180_000_000),
        _us("TSLA", Venue.NASDAQ, _STOCK, "테슬라", "TESLA INC", "318.40", 90_000_000),
        _us("SPY", Venue.AMEX, _ETF, "SPDR S&P 500 ETF", "SPDR S&P 500 ETF TRUST", "587.30", 60_000_000),
        _us("IWM", Venue.AMEX, _ETF, "아이셰어즈 러셀 2000 ETF", "ISHARES RUSSELL 2000 ETF", "221.40", 28_000_000),
        _us("BRK/B", Venue.NYSE, _STOCK, "버크셔 해서웨이 B", "BERKSHIRE HATHAWAY INC CLASS B", "472.30", 4_000_000),
        _krx("005930", _STOCK, "삼성전자", "Samsung Electronics", "71200", 14_000_000),
        _krx("000660", _STOCK, "SK하이닉스", "SK hynix", "184300", 4_000_000),
        _krx("035420", _STOCK, "NAVER", "NAVER", "187400", 1_200_000),
        _krx("035720", _STOCK, "카카오", "Kakao", "42150", 1_900_000),
        _krx("069500", _ETF, "KODEX 200", "KODEX 200", "36000", 6_000_000),
        _krx("247540", _STOCK, "에코프로비엠", "EcoPro BM", "168500", 900_000, "KOSDAQ"),
        _krx("263750", _STOCK, "펄어비스", "Pearl Abyss", "38650", 600_000, "KOSDAQ"),
    )
}


def infer_listing(symbol: str, price: Decimal) -> Listing:
    """List a symbol that only a replayed file knows: digits first is a Korean share, else a US one."""
    if symbol[:1].isdigit() and len(symbol) == 6:
        return _krx(symbol, _STOCK, symbol, symbol, str(price), 1)
    return _us(symbol, Venue.NASDAQ, _STOCK, symbol, symbol, str(price), 1)
