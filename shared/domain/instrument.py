"""Instrument: what is traded. Symbols are text, never numbers (000270, 45226K)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.account import Market
from shared.domain.money import Currency


class Venue(StrEnum):
    """Where an order goes. KRX, NXT and SOR for Korean shares; the listing exchange for US shares."""

    KRX = "KRX"
    NXT = "NXT"
    SOR = "SOR"
    NASDAQ = "NASDAQ"
    NYSE = "NYSE"
    AMEX = "AMEX"


class InstrumentType(StrEnum):
    STOCK = "stock"
    ETF = "etf"
    ETN = "etn"
    ELW = "elw"


_KRX_SYMBOL = re.compile(r"[0-9A-Z]{6}")
_US_SYMBOL = re.compile(r"[A-Z][A-Z0-9./-]{0,15}")


def check_symbol(symbol: str, market: Market) -> str:
    """Return `symbol` as it is written here (a US class share with a dot, BRK.B) when it can be one of `market`.

    Raises:
        ValueError: it cannot.
    """
    pattern = _KRX_SYMBOL if market is Market.KRX else _US_SYMBOL
    if not pattern.fullmatch(symbol):
        raise ValueError(f"{symbol!r} is not a {market} symbol")
    return symbol if market is Market.KRX else symbol.replace("/", ".")


@dataclass(frozen=True, slots=True)
class Instrument:
    symbol: str
    market: Market
    venue: Venue
    currency: Currency
    type: InstrumentType = InstrumentType.STOCK
    board: str = ""  # KOSPI | KOSDAQ for Korean shares
    name: str = ""  # in Korean, where the broker has one
    name_en: str = ""  # "" where the broker does not tell it
