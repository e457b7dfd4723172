"""The small formats that LS messages share: codes, clocks, signs, amounts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers.paper.listings import Listing
from shared.domain.instrument import InstrumentType

KST = ZoneInfo("Asia/Seoul")
ACCOUNT_NAME = "홍길동"


def exchange_code(code: str, exchgubun: str) -> str:
    """거래소별단축코드: N005930 on NXT, U005930 unified, else the plain code."""
    return exchgubun + code if exchgubun in {"N", "U"} else code


def short_code(isu_no: str) -> str:
    """Return 005930 for 005930, A005930, Q… (ETN), J… (ELW) or the ISIN KR7005930003."""
    if len(isu_no) == 12:
        return isu_no[3:9]
    return isu_no[1:] if len(isu_no) == 7 else isu_no


def prefixed(code: str, listing: Listing | None) -> str:
    """Return the code as C-series and notices write it: A for shares and ETFs, Q for ETNs."""
    return ("Q" if listing is not None and listing.type is InstrumentType.ETN else "A") + code


def isin(code: str) -> str:
    """Return the 12-character ISIN of a Korean share: KR7 + code + 00 + check digit (ISO 6166)."""
    body = f"KR7{code}00"
    digits = "".join(str(int(c, 36)) for c in body)
    total = sum(sum(divmod(int(c) * 2, 10)) if i % 2 == 0 else int(c) for i, c in enumerate(reversed(digits)))
    return body + str(-total % 10)


def market_code(listing: Listing) -> str:
    return "20" if listing.board == "KOSDAQ" else "10"


def sign_of(price: Decimal, prev_close: Decimal, limits: tuple[Decimal, Decimal] | None) -> str:
    """1 upper limit, 2 up, 3 flat, 4 lower limit, 5 down."""
    if limits is not None and price in limits:
        return "4" if price == limits[0] else "1"
    return "3" if price == prev_close else "2" if price > prev_close else "5"


def percent(change: Decimal, base: Decimal) -> Decimal:
    return change / base * 100 if base else Decimal(0)


def clock9(at: datetime) -> str:
    """HHMMSSmmm in KST."""
    local = at.astimezone(KST)
    return f"{local:%H%M%S}{local.microsecond // 1000:03d}"


def clock8(at: datetime) -> str:
    """HHMMSScc in KST."""
    return clock9(at)[:8]


def clock6(at: datetime) -> str:
    return clock9(at)[:6]


def millions(amount: Decimal) -> int:
    """Amounts of market data are in million KRW."""
    return int(amount) // 1_000_000
