"""How KIS writes numbers, dates and signs: everything is text (kis.md §1.5). Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from shared.domain.account import Market
from shared.domain.order import Side

KST = ZoneInfo("Asia/Seoul")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = {Market.US: NEW_YORK, Market.KRX: KST}

SIDE_TO_KIS = {Side.SELL: "01", Side.BUY: "02"}
SIDE_NAMES = {Side.SELL: "매도", Side.BUY: "매수"}

# The exchange keeps won and dollars apart; this rate only fills the won columns of dollar answers (kis.md §3.7).
USD_KRW = Decimal("1382.70")


def fixed(value: Decimal | int, places: int = 0) -> str:
    """Write an amount with exactly `places` decimals."""
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"


def ymd(at: datetime, zone: ZoneInfo = KST) -> str:
    return at.astimezone(zone).strftime("%Y%m%d")


def hms(at: datetime, zone: ZoneInfo = KST) -> str:
    return at.astimezone(zone).strftime("%H%M%S")


def sign(change: Decimal) -> str:
    """Direction code: 2 up, 3 flat, 5 down."""
    return "2" if change > 0 else "5" if change < 0 else "3"


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """`part` as a percentage of `whole`; 0 when there is no whole to compare with."""
    return part / whole * 100 if whole else Decimal(0)


def us_rate(change: Decimal, base: Decimal) -> str:
    """The signed rate of overseas quotes: `+0.68`, `-4.17`, ` 0.00` (kis.md §1.5)."""
    rate = percent(change, base).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return f"+{rate}" if rate > 0 else f"{rate}" if rate < 0 else " 0.00"


LONGEST = 31  # of any number field (kis.md §3.2)


def parse_decimal(text: str) -> Decimal | None:
    """Read a number the client sent; None when it is not one, too long, or too large or small to be an amount."""
    try:
        value = Decimal(text.strip() if len(text) <= LONGEST else "")
    except InvalidOperation:
        return None
    return value if value.is_finite() and -12 <= value.adjusted() <= 18 else None


def parse_quantity(text: str) -> int | None:
    """Read a share quantity: whole, not negative; `10.0` counts as 10; None otherwise."""
    value = parse_decimal(text)
    if value is None or value < 0 or value != value.to_integral_value():
        return None
    return int(value)
