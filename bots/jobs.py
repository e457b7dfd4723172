"""What the account's schedule does: look back, compare calendars, refresh what changes once a day.

One table of jobs (`Jobs.all`); each returns a line for its row and leaves the doing to who owns the matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bots import outgoing
from bots.cache import Cache
from bots.clearance import Clearance
from bots.elsewhere import Elsewhere
from bots.journal import Outgoing
from bots.reconcile import LOOK_BACK_DAYS, Reconciler
from bots.schedule import Job, Missed
from bots.sync import Snapshots
from bots.trader import Trader
from bots.trading_hours import TradingHours
from brokers.contract import Broker, PeriodProfit, ProfitRow
from shared.clock import Clock
from shared.domain.account import Market
from shared.domain.errors import BrokerError, NotFound, NotSupported
from shared.domain.market import Timeframe
from shared.domain.turns import at_clock, from_close, from_open

PROFIT_DAYS = 7
DAY_BARS = 300
SPREAD, SPREAD_S = 200, 1.0  # rows a second that one refresh may put into the store
ADJUSTED_PCT = Decimal("0.5")  # the past's closes moved by at least so much, all alike: a split, a rights issue


@dataclass(slots=True)
class Jobs:
    market: Market
    broker: Broker
    reconciler: Reconciler
    elsewhere: Elsewhere
    clearance: Clearance
    trader: Trader
    hours: TradingHours
    cache: Cache
    clock: Clock
    snapshots: Callable[[], Snapshots]
    tell: Callable[[tuple[Outgoing, ...]], None]
    want_full_look: Callable[[], None]

    def all(self) -> tuple[Job, ...]:
        """Every job with its time (market's own zone) and what becomes of a missed turn."""
        m = self.market
        return (
            Job(
                "open_day", at_clock(m, time(6), trading_days=False), Missed.RUN, self.compare_calendars, at_start=True
            ),
            Job("instruments", from_open(m, -90), Missed.RUN, self.refresh_instruments),
            Job("corporate_actions", from_open(m, -60), Missed.RUN, self.look_for_adjustments),
            Job("balances_open", from_open(m, -10), Missed.SKIP, self.look_at_balances),
            Job("session_open", from_open(m, 0), Missed.SKIP, self.open_session),
            Job("session_close", from_close(m, 1), Missed.RUN, self.close_session),
            Job("balances_close", from_close(m, 10), Missed.SKIP, self.look_at_balances),
            Job("day_bars", from_close(m, 20), Missed.RUN, self.refresh_day_bars),
            Job("back_fill", from_close(m, 30), Missed.RUN, self.back_fill, at_start=True),
            Job("period_profit", from_close(m, 60), Missed.RUN, self.take_profits),
        )

    async def compare_calendars(self) -> str:
        """The broker's own calendar against ours: where they differ nothing is entered until they agree."""
        today = self.clock.market_now().astimezone(self.hours.zone).date()
        ours = self.hours.trades_on(today)
        if ours is None:
            return "상시 개장: 비교하지 않음"
        theirs = await self.cache.is_open_day(today)
        if theirs is None or theirs == ours:
            self.clearance.no_entries = None
            return f"{today} {_word(ours)}, 증권사 {'알려주지 않음' if theirs is None else _word(theirs)}"
        why = f"{today}: 우리 달력 {_word(ours)}, 증권사 {_word(theirs)}"
        self.clearance.no_entries = why
        self.tell(
            (
                outgoing.alert(
                    "CALENDAR_DISAGREES", "critical", f"calendar:{today}", self.clock.wall_now(), day=today,
                    ours=_word(ours), theirs=_word(theirs),
                ),
            )
        )  # fmt: skip
        return why

    async def back_fill(self) -> str:
        """Orders and fills of the last days: ours are counted where an outage hid them, others are shown as such."""
        since = self.hours.trade_date(self.clock.market_now()) - timedelta(days=LOOK_BACK_DAYS)
        rows = await self.reconciler.light(since=since)
        return f"{LOOK_BACK_DAYS}일: 다른 곳에서 낸 주문 {self.elsewhere.take(rows)}건"

    async def look_at_balances(self) -> str:
        self.want_full_look()
        return "예수금과 잔고 조회"

    async def open_session(self) -> str:
        """The session begins: what is held and open is asked anew, and the log says with what the day begins."""
        return self._session_told("장 시작")

    async def close_session(self) -> str:
        """The session is over: orders that died with it are found, and the log says with what the day ends."""
        return self._session_told("장 마감")

    def _session_told(self, what: str) -> str:
        self.want_full_look()
        still, held = len(self.trader.orders.open()), len(self.trader.portfolio.symbols())
        note = f"{what}: 보유 {held}종목, 미체결 {still}건"
        self.tell((outgoing.log("INFO", note, self.clock.wall_now()),))
        return note

    async def look_for_adjustments(self) -> str:
        """Past closes that moved alike since they were kept: a corporate action. It is told, and the charts start anew."""
        found = []
        for symbol in self._followed():
            before = {bar.start: bar.close for bar in self.cache.kept_day_bars(symbol, DAY_BARS) if bar.closed}
            bars = await self.cache.bars(symbol, Timeframe.D1, DAY_BARS, fresh=True)
            ratio = adjusted_by({bar.start: bar.close for bar in bars if bar.closed}, before)
            if ratio is not None:
                found.append(symbol)
                key, now = f"corporate:{symbol}:{ratio}", self.clock.wall_now()
                self.tell((outgoing.alert("CORPORATE_ACTION", "warning", key, now, symbol=symbol, ratio=ratio),))
        if found:
            self.trader.chart.doubt()
            self.want_full_look()
        return f"{len(self._followed())}종목, 과거 가격이 바뀐 종목 {len(found)}: {', '.join(found)}".rstrip(": ")

    def _followed(self) -> list[str]:
        return sorted({symbol for symbol, _ in self.trader.wanted()} | self.trader.portfolio.symbols())

    async def refresh_day_bars(self) -> str:
        """The day's bar, final now, of every symbol that a rule or a position needs."""
        symbols = self._followed()
        failed: BrokerError | NotFound | None = None
        for symbol in symbols:
            try:
                bars = await self.cache.bars(symbol, Timeframe.D1, DAY_BARS, fresh=True)
            except (BrokerError, NotFound) as e:
                failed = e  # the others first
                continue
            closed = [bar for bar in bars if bar.closed][-5:]
            self.tell(tuple(outgoing.bar(bar) for bar in closed))
        if failed is not None:
            raise failed
        return f"일봉 {len(symbols)}종목"

    async def refresh_instruments(self) -> str:
        """Every instrument of the market, where the broker lists them."""
        found = await self.cache.instruments()
        for start in range(0, len(found), SPREAD):
            if start:
                await asyncio.sleep(SPREAD_S)  # the store's transactions stay short
            for one in found[start : start + SPREAD]:
                self.snapshots().put("instruments", one.symbol, outgoing.instrument(one, self.clock.wall_now()))
        return f"종목 {len(found)}개"

    async def take_profits(self) -> str:
        """The last days' realised profit by the broker's arithmetic: it may correct a day after it."""
        today = self.hours.trade_date(self.clock.market_now())
        rows: list[Outgoing] = []
        for ago in range(PROFIT_DAYS):
            day = today - timedelta(days=ago)
            if self.hours.trades_on(day) is False:
                continue
            try:
                rows += self._profit_rows(day, await self.broker.get_period_profit(day, day))
            except NotSupported:
                if not rows:
                    raise
                break  # today alone is told here
        self.tell(tuple(rows))
        return f"기간손익 {PROFIT_DAYS}일, {len(rows)}행"

    def _profit_rows(self, day: date, found: PeriodProfit) -> list[Outgoing]:
        now = self.clock.wall_now()
        whole: dict[str, Any] = {
            "trade_date": day, "symbol": "", "currency": found.currency, "qty": sum(row.quantity for row in found.rows),
            "sold": sum(row.sold for row in found.rows), "realized_pnl": found.realized, "fees": found.fees,
            "taxes": found.taxes, "updated_at": now,
            "of_sales": found.of_sales,
        }  # fmt: skip
        rows: list[dict[str, Any]] = [
            {
                "trade_date": row.trade_date, "symbol": row.symbol, "currency": found.currency, "qty": row.quantity,
                "bought": row.bought, "sold": row.sold, "realized_pnl": row.realized, "updated_at": now,
            }
            for row in by_symbol(found.rows)
        ]  # fmt: skip
        return [
            Outgoing(outgoing.PROFITS, f"{row['trade_date']}:{row['symbol']}", outgoing.encode(row))
            for row in (whole, *rows)
        ]


def by_symbol(rows: Iterable[ProfitRow]) -> list[ProfitRow]:
    """One row per day and symbol; a sum with a part that was not told is not told."""
    found: dict[tuple[date, str], ProfitRow] = {}
    for row in rows:
        before = found.get((row.trade_date, row.symbol))
        found[row.trade_date, row.symbol] = row if before is None else ProfitRow(
            row.trade_date, row.symbol, before.quantity + row.quantity, _sum(before.bought, row.bought),
            before.sold + row.sold, _sum(before.realized, row.realized),
        )  # fmt: skip
    return list(found.values())


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def adjusted_by(now: Mapping[datetime, Decimal], before: Mapping[datetime, Decimal]) -> Decimal | None:
    """The one factor by which at least five past closes moved (0.02 after a split of fifty); None when they did not."""
    ratios = [now[start] / before[start] for start in sorted(now.keys() & before.keys())[:-1] if before[start]]
    moved = [ratio for ratio in ratios if abs(ratio - 1) * 100 >= ADJUSTED_PCT]
    if len(moved) < 5 or abs(moved[0] - moved[-1]) * 200 > moved[0]:  # half a percent: adjusted closes are rounded
        return None
    return round(moved[0], 4)


def _word(open_day: bool) -> str:
    return "개장일" if open_day else "휴장일"
