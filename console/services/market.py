"""Quotes, candles with our own trades, and the day's sessions of both markets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from console.services.changes import by_number
from console.services.orders import CANCELABLE, OPEN_ORDER_HORIZON
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.calendars import load
from shared.db import reading
from shared.domain.account import Market
from shared.domain.market import Timeframe
from shared.domain.sessions import Phase, Timetable, local_day, phases
from shared.domain.trading_days import ZONES
from shared.store import panels, trades
from shared.store.trades import BarRow

TABLES = (Timetable.KRX, Timetable.NXT, Timetable.US, Timetable.KIS_US)
MOST_BARS = 50_000  # one-minute rows read for one chart


@dataclass(frozen=True, slots=True)
class QuoteLine:
    environment: str
    market: str
    symbol: str
    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    change_pct: Decimal | None
    source: str
    currency: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Candle:
    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class Mark:
    """One of our executions, or the stop that watches a holding (side "")."""

    at: datetime | None
    price: Decimal
    side: str
    qty: int
    account: str


@dataclass(frozen=True, slots=True)
class Chart:
    candles: tuple[Candle, ...]  # oldest first
    trades: tuple[Mark, ...]
    stops: tuple[Mark, ...]
    currency: str
    resting: tuple[Mark, ...] = ()  # our limit orders that wait in the market


@by_number()
def quotes(wiring: Wiring, actor: Actor) -> list[QuoteLine]:
    """The newest price of every symbol that a bot of mine watches."""
    with reading(wiring.engine) as session:
        mine = visible_accounts(session, actor)
        seen = {(row.environment, row.market) for row in mine}
        rows = trades.quotes(session, {one for one, _ in seen}, {one for _, one in seen})
    return [
        QuoteLine(
            row.environment,
            row.market,
            row.symbol,
            row.last,
            row.bid,
            row.ask,
            (row.last / row.prev_close - 1) * 100 if row.prev_close else None,
            row.source,
            Market(row.market).currency.value,
            row.received_at,
        )
        for row in rows
        if (row.environment, row.market) in seen
    ]


@by_number()
def chart(
    wiring: Wiring, actor: Actor, environment: str, market: str, symbol: str, timeframe: Timeframe, *, limit: int = 400
) -> Chart:
    """Candles of the stored one-minute bars with the executions and stops of the accounts this person may see."""
    with reading(wiring.engine) as session:
        mine = {
            row.id: row.nickname
            for row in visible_accounts(session, actor)
            if row.id is not None and (row.environment, row.market) == (environment, market)
        }
        if not mine:
            return Chart((), (), (), Market(market).currency.value)
        asked = min(limit * max(timeframe.seconds // 60, 1), MOST_BARS)
        rows = trades.bars(session, environment, market, symbol, Timeframe.M1.value, limit=asked)
        candles = gathered(rows, timeframe, Market(market))[-limit:]
        since = candles[0].start if candles else wiring.clock.wall_now()
        done = trades.of_symbol(session, mine.keys(), symbol, since)
        held = [row for row in panels.positions(session, mine.keys()) if row.symbol == symbol]
        horizon = wiring.clock.wall_now() - OPEN_ORDER_HORIZON
        waits = panels.OrderFilter(statuses=frozenset(CANCELABLE), symbol=symbol, since=horizon)
        orders = panels.orders(session, mine.keys(), waits, limit=20)
    return Chart(
        tuple(candles),
        tuple(Mark(row.filled_at, row.price, row.side, row.qty, mine[row.account_id]) for row in done),
        tuple(Mark(None, row.stop_price, "", row.qty, mine[row.account_id]) for row in held if row.stop_price),
        Market(market).currency.value,
        tuple(
            Mark(row.placed_at, row.price, row.side, row.qty - row.filled_qty, mine[row.account_id])
            for row in orders
            if row.price is not None
        ),
    )


def gathered(rows: Sequence[BarRow], timeframe: Timeframe, market: Market) -> list[Candle]:
    """One-minute bars in longer candles; a day is the exchange's own."""
    candles: list[Candle] = []
    for row in rows:
        start = _start(row.start, timeframe, market)
        if candles and candles[-1].start == start:
            last = candles[-1]
            candles[-1] = Candle(
                start, last.open, max(last.high, row.high), min(last.low, row.low), row.close, last.volume + row.volume
            )
        else:
            candles.append(Candle(start, row.open, row.high, row.low, row.close, row.volume))
    return candles


def _start(at: datetime, timeframe: Timeframe, market: Market) -> datetime:
    local = at.astimezone(ZONES[market])
    if timeframe is Timeframe.M1:
        return local.replace(second=0, microsecond=0)
    if timeframe is Timeframe.D1:
        return local.replace(hour=0, minute=0, second=0, microsecond=0)
    step = timeframe.seconds // 60
    minute = (local.hour * 60 + local.minute) // step * step
    return local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)


def day_phases(at: datetime) -> dict[Timetable, tuple[Phase, ...]]:
    """Today's stretches of each timetable; () on a closed day."""
    calendars = load()
    return {table: phases(table, local_day(table, at), calendars) for table in TABLES}
