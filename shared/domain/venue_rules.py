"""Venue rules: tick sizes, daily price limits and order units, each by trade date (markets.md §6).

NXT follows KRX in all of them. Prices are Decimal in the market's currency. Nothing here means "today": every function
takes the trade date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum

from shared.domain.account import Market
from shared.domain.instrument import InstrumentType
from shared.domain.order import Side


class Rounding(StrEnum):
    DOWN = "DOWN"
    UP = "UP"
    NEAREST = "NEAREST"


# A passive order never improves on the price asked for: buys go down, sells go up.
_ROUNDING = {
    Side.BUY: ROUND_FLOOR,
    Side.SELL: ROUND_CEILING,
    Rounding.DOWN: ROUND_FLOOR,
    Rounding.UP: ROUND_CEILING,
    Rounding.NEAREST: ROUND_HALF_UP,
}


def _steps(*rows: tuple[str, str]) -> tuple[tuple[Decimal, Decimal], ...]:
    """(price from, tick), highest price first."""
    return tuple((Decimal(floor), Decimal(tick)) for floor, tick in reversed(rows))


TickTable = tuple[tuple[Decimal, Decimal], ...]

_KOSPI_OLD = _steps(
    ("0", "1"), ("1000", "5"), ("5000", "10"), ("10000", "50"), ("50000", "100"), ("100000", "500"), ("500000", "1000")
)
_KOSDAQ_OLD = _steps(("0", "1"), ("1000", "5"), ("5000", "10"), ("10000", "50"), ("50000", "100"))
_UNIFIED = _steps(
    ("0", "1"), ("2000", "5"), ("5000", "10"), ("20000", "50"), ("50000", "100"), ("200000", "500"), ("500000", "1000")
)
_FIVE_WON = _steps(("0", "5"))
_ETF_SPLIT = _steps(("0", "1"), ("2000", "5"))
_US = _steps(("0", "0.0001"), ("1", "0.01"))  # Rule 612; the half-penny tick is deferred to 2027-11


@dataclass(frozen=True, slots=True)
class _Dated:
    """What holds from a trade date on; rows stand newest first, the last one reaches back for ever."""

    start: date
    ticks: TickTable


_EVER = date.min
_UNIFIED_ON = date(2023, 1, 25)  # KRX: one tick table for both boards
_ETF_SPLIT_ON = date(2023, 12, 18)  # ETF/ETN below 2,000 won trade in 1 won; announced for 12-18
_WIDE_LIMIT_ON = date(2015, 6, 15)  # ±15 % → ±30 %
_SINGLE_SHARE_ON = date(2014, 6, 2)  # KOSPI lot 10 → 1
_ROUND_LOT_ON = date(2025, 11, 3)  # US round lots by price

_TICKS: dict[str, tuple[_Dated, ...]] = {
    "KOSPI": (_Dated(_UNIFIED_ON, _UNIFIED), _Dated(_EVER, _KOSPI_OLD)),
    "KOSDAQ": (_Dated(_UNIFIED_ON, _UNIFIED), _Dated(_EVER, _KOSDAQ_OLD)),
    "KONEX": (_Dated(_UNIFIED_ON, _UNIFIED), _Dated(_EVER, _KOSDAQ_OLD)),
    "etf": (_Dated(_ETF_SPLIT_ON, _ETF_SPLIT), _Dated(_EVER, _FIVE_WON)),
    "etn": (_Dated(_ETF_SPLIT_ON, _ETF_SPLIT), _Dated(_EVER, _FIVE_WON)),
    "elw": (_Dated(_EVER, _FIVE_WON),),
    "US": (_Dated(_EVER, _US),),
}

BOARDS = frozenset({"KOSPI", "KOSDAQ", "KONEX"})


def tick_table(
    market: Market, on: date, *, instrument_type: InstrumentType = InstrumentType.STOCK, board: str = "KOSPI"
) -> TickTable:
    """Return the (price from, tick) rows in force on `on`, highest price first."""
    if market is Market.US:
        key = "US"
    elif instrument_type is InstrumentType.STOCK:
        key = _check_board(board)
    else:
        key = instrument_type.value
    return next(row.ticks for row in _TICKS[key] if on >= row.start)


def tick_size(
    market: Market,
    price: Decimal,
    on: date,
    *,
    instrument_type: InstrumentType = InstrumentType.STOCK,
    board: str = "KOSPI",
) -> Decimal:
    """Return the price step at `price`; a boundary price belongs to the upper bucket.

    Raises:
        ValueError: a price that is not positive, or an unknown board.
    """
    if price <= 0:
        raise ValueError(f"a price must be positive, got {price}")
    table = tick_table(market, on, instrument_type=instrument_type, board=board)
    return next(tick for floor, tick in table if price >= floor)


def round_to_tick(price: Decimal, tick: Decimal, toward: Side | Rounding) -> Decimal:
    """Return `price` on the grid of `tick`: BUY rounds down, SELL up, or as `Rounding` says.

    `tick` is the one of `price` itself; every bucket boundary lies on both grids, so the result is always valid.
    """
    return (price / tick).to_integral_value(rounding=_ROUNDING[toward]) * tick


def on_tick(
    market: Market,
    price: Decimal,
    on: date,
    *,
    instrument_type: InstrumentType = InstrumentType.STOCK,
    board: str = "KOSPI",
) -> bool:
    """Say whether an order at `price` stands on the grid."""
    return price % tick_size(market, price, on, instrument_type=instrument_type, board=board) == 0


def step_price(
    market: Market,
    price: Decimal,
    ticks: int,
    on: date,
    *,
    instrument_type: InstrumentType = InstrumentType.STOCK,
    board: str = "KOSPI",
) -> Decimal:
    """Return the price `ticks` steps above (negative: below) `price`, changing step where a bucket ends.

    A price off the grid is first taken down to it. The lowest price returned is one tick.
    """
    table = tick_table(market, on, instrument_type=instrument_type, board=board)
    if price <= 0:
        raise ValueError(f"a price must be positive, got {price}")
    price = round_to_tick(price, next(tick for floor, tick in table if price >= floor), Rounding.DOWN)
    for _ in range(abs(ticks)):
        if ticks > 0:
            price += next(tick for floor, tick in table if price >= floor)
        else:  # just below a boundary the lower bucket's step counts
            step = next((tick for floor, tick in table if price > floor), Decimal(0))
            price -= step if price > step else Decimal(0)
    return price


def limit_pct(
    on: date, *, instrument_type: InstrumentType = InstrumentType.STOCK, board: str = "KOSPI"
) -> Decimal | None:
    """Return the daily limit of a Korean instrument in percent either way; None where there is none (ELW)."""
    if instrument_type is InstrumentType.ELW:
        return None
    if _check_board(board) == "KONEX" or on < _WIDE_LIMIT_ON:
        return Decimal(15)
    return Decimal(30)


def price_limits(
    base: Decimal,
    on: date,
    *,
    instrument_type: InstrumentType = InstrumentType.STOCK,
    board: str = "KOSPI",
    leverage: int = 1,
) -> tuple[Decimal, Decimal]:
    """Return (lower, upper) for the base price of a Korean instrument on one day.

    The width is cut to the won and to the tick of the base price; a limit off its own grid moves inwards.
    `leverage` multiplies the width (2 for a 2X or -2X ETF). `base` is the exchange's, never derived from bars.

    Raises:
        ValueError: an instrument without limits, or a base that is not positive.
    """
    pct = limit_pct(on, instrument_type=instrument_type, board=board)
    if pct is None:
        raise ValueError(f"{instrument_type} has no daily price limit")

    def grid(price: Decimal) -> Decimal:
        return tick_size(Market.KRX, price, on, instrument_type=instrument_type, board=board)

    width = (base * pct * abs(leverage) / 100).to_integral_value(rounding=ROUND_FLOOR)
    width = round_to_tick(width, grid(base), Rounding.DOWN)
    upper = round_to_tick(base + width, grid(base + width), Rounding.DOWN)
    floor = max(base - width, grid(Decimal(1)))  # a leveraged band may reach below zero
    return round_to_tick(floor, grid(floor), Rounding.UP), upper


def order_unit(
    market: Market,
    price: Decimal,
    on: date,
    *,
    instrument_type: InstrumentType = InstrumentType.STOCK,
    board: str = "KOSPI",
) -> int:
    """Return the number of shares an order must be a multiple of."""
    if market is Market.US:
        return 1
    if instrument_type is InstrumentType.ELW:
        return 10
    cheap_kospi = instrument_type is InstrumentType.STOCK and _check_board(board) == "KOSPI" and price < 50_000
    return 10 if cheap_kospi and on < _SINGLE_SHARE_ON else 1


def round_lot(price: Decimal, on: date) -> int:
    """Return the US round lot: what protected quotes are made of; orders may be any whole share."""
    if on < _ROUND_LOT_ON or price <= 250:
        return 100
    return 40 if price <= 1_000 else 10 if price <= 10_000 else 1


def _check_board(board: str) -> str:
    if board not in BOARDS:
        raise ValueError(f"{board!r} is not one of {', '.join(sorted(BOARDS))}")
    return board
