"""One account's bot: one asyncio loop, and nothing here may block it.

SQL goes through the journal and the store link, which own threads. Start is recovery and recovery is start: whatever
state the last process left, `run` brings the account to READY by the same steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from bots import outgoing
from bots.back_office import BackOffice
from bots.journal import Changes, Outgoing
from bots.loss_halt import LossHalt
from bots.nudges import listen
from bots.orders import DeskOrder
from bots.parts import Parts
from bots.portfolio import BEHIND
from bots.pulse import feel
from bots.sync import StoreAway
from brokers.contract import MarketPhase, NoticeUnreadable, StreamDown, StreamUp
from shared.domain.account import Environment
from shared.domain.bot_state import BotEventKind, BotState, KillLevel, next_state
from shared.domain.errors import AuthRefused, BrokerError, DoorClosed, Refused
from shared.domain.market import OrderBook, Tick
from shared.domain.order import OrderNotice

FULL_EVERY_S = 60.0
BOOKED_AT_START = timedelta(seconds=5)  # stops wait for the first picture: no longer than this for a fill to be booked
FULL_GAP_S = 2.0  # between two full looks that fills ask for
LIGHT_GAP_S = 0.3
QUICK_S = 0.1
BARS_CLOSE_S = 5.0  # of each minute: by then a bar without a later price is closed
LOOK_COSTS = 6.0  # calls of the budget that a look may take, so that orders come first
RETRY_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
DRAIN_S = 20.0
KEPT_DAYS = 7


class Bot:
    def __init__(self, parts: Parts) -> None:
        self.p = parts
        self._box = parts.state
        self._stop = asyncio.Event()
        self._full_at = -FULL_GAP_S
        self._kill_level = KillLevel.RUN
        self._wants_stale = asyncio.Event()
        self._hurry = asyncio.Event()
        parts.trader.hurry = self._hurry.set
        self._office = BackOffice(parts, self._tell, self._wants_stale.set)
        self._loss = LossHalt(
            parts.daybook, parts.hours, parts.journal, parts.clock, parts.feed.price, parts.key.market.currency
        )
        parts.orders.on_change = self._order_changed
        parts.desk.on_auth_refused = self._key_refused
        parts.sync.heard_kill = self._office.heard_kill
        parts.fitness.on_stall, parts.fitness.on_skew = self._stalled, self._skewed
        if parts.key.environment is Environment.LIVE:
            parts.kill_switch.armed = False  # until the configuration says so

    async def run(self) -> None:
        """Run until SIGTERM, then drain. Returns when everything is recorded.

        Raises:
            ConfigError, AuthRefused: a person must act. Anything else: supervision starts us again.
        """
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        self._office.put_in_force(self.p.config)
        tasks = [asyncio.create_task(work, name=name) for name, work in self._loops()]
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        failed = asyncio.create_task(self._box.failed.wait(), name="failed")
        try:
            await asyncio.wait([*tasks, stop, failed], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done() and task.exception() is not None:
                    raise task.exception() or AssertionError
            if self._box.failure is not None:
                raise self._box.failure
            await self._drain()
        finally:
            for one in (*tasks, stop, failed):
                one.cancel()
            await asyncio.gather(*tasks, stop, failed, return_exceptions=True)

    def _loops(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        loops: list[tuple[str, Coroutine[Any, Any, None]]] = [
            ("sync", self._office.follow()),
            ("life", self._life()),
            ("events", self._events()),
            ("prices", self._prices()),
            ("quick", self._quick()),
            ("slow", self._slow()),
            ("minute", self._minute()),
            ("schedule", self.p.schedule.follow(lambda: self._box.recovered)),
            ("nudge", listen(self.p.nudge_path, self.p.sync.soon)),
            ("fitness", self.p.fitness.watch(asyncio.sleep)),
        ]
        if self.p.market_clock is not None:
            loops.append(("clock", self.p.market_clock.follow()))
        return loops

    # --- life: recover, then reconcile for ever -----------------------------------------------------------------

    async def _life(self) -> None:
        self._move(BotEventKind.RECOVER, "복구 중")
        await self.p.reconciler.recover()
        await self._start_broker()
        while True:
            await self._reconcile()
            await self._wait_for_question()

    async def _start_broker(self) -> None:
        """Token, environment proof, stream; waits out a broker that is away. A refused key is a person's matter."""
        for attempt in range(1_000_000):
            try:
                await self.p.broker.start()
                return
            except (AuthRefused, DoorClosed):
                raise
            except BrokerError as e:
                self._say_state(f"증권사 연결 대기: {e}")
                await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])

    async def _reconcile(self) -> None:
        """One look at the broker: full when wanted or in doubt, light otherwise."""
        rested = self.p.clock.monotonic() - self._full_at >= FULL_GAP_S
        full = (self._box.full_wanted and rested) or self._box.state is not BotState.READY
        try:
            if full:
                await self._full()
            else:
                await self.p.reconciler.light()
            await self.p.reconciler.resolve_due()
        except AuthRefused as e:
            self._key_refused(e)
        except BrokerError as e:
            self._box.full_wanted = True
            self._doubt(f"증권사 조회 실패: {e}")
            await asyncio.sleep(RETRY_S[1])

    async def _full(self) -> None:
        p = self.p
        asked_at, asked = p.clock.wall_now(), p.clock.monotonic()
        picture = await p.reconciler.full()
        if not picture.steady:
            self._box.ask.set()  # something of ours moved while we looked: look again, conclude nothing
            return
        today = p.hours.trade_date(p.clock.market_now())
        self._full_at = p.clock.monotonic()
        since = p.clock.market_now() - (BEHIND if self._box.recovered else BOOKED_AT_START)
        if p.portfolio.lacks(picture.positions, lambda symbol: p.daybook.expected(today, symbol), since):
            self._box.full_wanted = (
                True  # the broker has told a fill and not booked it: holdings of before are no drift
            )
            return
        self._box.full_wanted = False
        p.portfolio.take(picture.positions, picture.cash, asked_at, picture.foreign)
        p.elsewhere.take(picture.foreign)
        if not p.daybook.marked(today):
            marks = p.daybook.first_marks(today, picture.positions, p.feed.price)
            p.daybook.keep(marks)
            await p.journal.write(Changes(marks=marks))
            p.orders.forget_before(today.fromordinal(today.toordinal() - KEPT_DAYS))
        await self._look_for_drift(asked)
        if not self._box.recovered:
            self._box.recovered = True
            p.trader.deferred.recall(p.facts)
            await p.trader.approvals.recall(p.facts, {one.request.signal_key for one in p.orders.all()})
            p.vitals.ready_at = p.clock.wall_now()
        if self._box.state is not BotState.BLOCKED:
            self._move(BotEventKind.RECONCILED, "")

    async def _look_for_drift(self, asked: float) -> None:
        """Compare holdings with what the day's mark and our fills make of them; tell, and stop entries."""
        p = self.p
        today = p.hours.trade_date(p.clock.market_now())
        found = p.portfolio.differences(lambda symbol: p.daybook.expected(today, symbol))
        if p.portfolio.ahead:
            self._box.look()  # their fills are still to come, or they are differences after all
        if p.orders.unproven():
            return  # an unknown order may be the difference
        for symbol, (ours, theirs) in found.items():
            if p.portfolio.drift.get(symbol) != (ours, theirs):
                alert = outgoing.alert(
                    "DRIFT", "critical", f"drift:{symbol}", p.clock.wall_now(), symbol=symbol, ours=ours, theirs=theirs
                )
                await p.orders.shrink_lots(symbol, theirs, alert)
        p.portfolio.drift = found
        p.trader.splits.compared(found, asked, p.feed.price)

    async def _wait_for_question(self) -> None:
        """Until somebody asks, an unknown order is due, or a minute has passed."""
        due = self.p.reconciler.next_due_in()
        pause_s = FULL_GAP_S if self._box.full_wanted else FULL_EVERY_S
        try:
            async with asyncio.timeout(pause_s if due is None else max(min(due, pause_s), 0.05)):
                await self._box.ask.wait()
        except TimeoutError:
            self._box.full_wanted = self._box.full_wanted or due is None
        self._box.ask.clear()
        limit = self.p.broker.rate_budget().limit_per_s
        await asyncio.sleep(max(LIGHT_GAP_S, LOOK_COSTS / limit if limit else 0.0))

    def _order_changed(self, order: DeskOrder) -> None:
        """The store hears at once; after a fill, cash and holdings are asked anew."""
        self.p.sync.soon()
        self.p.trader.on_order(order)
        if order.filled_quantity:
            self._box.look()

    # --- events -------------------------------------------------------------------------------------------------

    async def _events(self) -> None:
        p = self.p
        async for event in p.broker.events():
            match event:
                case Tick():
                    p.fitness.heard(event.at)
                    p.market_data.on_tick(event)
                case OrderBook():
                    p.feed.on_book(event)
                case OrderNotice():
                    if await p.executions.apply_notice(event):
                        self._box.ask.set()
                case NoticeUnreadable():
                    self._box.look()
                case StreamUp():
                    p.feed.stream_up = True
                    p.chart.doubt()
                    self._wants_stale.set()
                    self._box.look()
                case StreamDown():
                    p.feed.stream_up = False
                    if event.taken:
                        now = p.clock.wall_now()
                        self._tell((outgoing.alert("STREAM_TAKEN", "warning", "stream", now, reason=event.reason),))
                    self._tell((outgoing.log("WARNING", f"실시간 끊김: {event.reason}", p.clock.wall_now()),))
                case MarketPhase():
                    level = "WARNING" if event.brake else "INFO"
                    self._tell((outgoing.log(level, f"장운영: {event.text}", p.clock.wall_now()),))

    # --- periodic work ------------------------------------------------------------------------------------------

    async def _prices(self) -> None:
        """What is subscribed, and quotes for what is silent; own loop, so a slow quote delays nothing else."""
        while True:
            await asyncio.sleep(0.5)
            if not self._box.recovered:
                continue
            if self._wants_stale.is_set():
                self._wants_stale.clear()
                await self.p.market_data.follow_wants()
            await self.p.market_data.poll_silent()

    async def _quick(self) -> None:
        """Close bars and judge what came too fast: ten times a second while either may wait, else hardly ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._until_a_bar_ends()):
                    await self._hurry.wait()
                    self._hurry.clear()
                    await asyncio.sleep(QUICK_S)
            if self._box.recovered:
                self.p.market_data.close_bars()
                self.p.trader.judge_late()

    def _until_a_bar_ends(self) -> float:
        """Seconds that may pass before the next look: bars end on whole minutes and close a little later."""
        at, speed = self.p.clock.market_now(), self.p.clock.speed
        second = at.second + at.microsecond / 1e6
        if speed != 1.0 or second < BARS_CLOSE_S or self.p.trader.is_behind:
            return QUICK_S
        return min(60.0 - second + 0.001, 1.0)

    async def _slow(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._office.check_arms()
            self._feel()
            if not self._box.recovered:
                continue
            self.p.screen.show()
            await self._loss.watch(self.p.clearance.limits.max_daily_loss)
            await self.p.trader.deferred.act()
            held = {(lot.rule_id, lot.symbol) for lot in self.p.trader.lots.all()}
            self.p.trader.held_exits.look(held, self.p.orders.open())
            await self.p.trader.approvals.drop_late()
            await self.p.housekeeping.tend()
            await self.p.commands.tend_flatten()

    async def _minute(self) -> None:
        while True:
            await asyncio.sleep(5.0 if not self._box.recovered else 60.0)
            if self._box.recovered:
                await self.p.journal.write(self.p.screen.minute())
                self._wants_stale.set()

    def _stalled(self, stalled_s: float) -> None:
        """The loop is back after standing still: ask the broker anew before anything else."""
        now = self.p.clock.wall_now()
        self._tell((outgoing.alert("LOOP_STALLED", "critical", "stall", now, stalled_s=round(stalled_s)),))
        self._box.look()

    def _skewed(self, skew_s: float, source: str) -> None:
        now = self.p.clock.wall_now()
        self._tell((outgoing.alert("CLOCK_SKEW", "critical", "skew", now, skew_s=skew_s, source=source),))

    def _feel(self) -> None:
        """Refresh the vitals and react to the kill switch."""
        level = self.p.kill_switch.level()
        if level > self._kill_level:
            now = self.p.clock.wall_now()
            self._tell((outgoing.alert("KILL_RAISED", "critical", "kill", now, level=level.name, by="-"),))
        self._kill_level = level
        feel(self.p, level, self.p.fitness.read_lag_ms())

    # --- state --------------------------------------------------------------------------------------------------

    def _move(self, event: BotEventKind, reason: str) -> None:
        before, self._box.state = self._box.state, next_state(self._box.state, event)
        self._box.reason = reason
        if self._box.state is not before:
            message = f"상태 {before} → {self._box.state}" + (f": {reason}" if reason else "")
            self._tell((outgoing.log("INFO", message, self.p.clock.wall_now()),))
        self._feel()
        self.p.sync.soon()

    def block(self, reason: str) -> None:
        """A person must act; nothing is sent until then."""
        if self._box.state is not BotState.BLOCKED:
            self._move(BotEventKind.BLOCK, reason)

    def _doubt(self, reason: str) -> None:
        if self._box.state in (BotState.READY, BotState.EXITS_ONLY, BotState.RECOVERING):
            self._move(BotEventKind.DOUBT, reason)

    def _say_state(self, reason: str) -> None:
        self._box.reason = reason
        self._feel()

    def _key_refused(self, error: Refused) -> None:
        if self._box.state is BotState.BLOCKED:
            return
        self._tell((outgoing.alert("KEY_REFUSED", "critical", "key", self.p.clock.wall_now(), reason=str(error)),))
        self.block(f"증권사가 키를 거부: {error}")

    def _tell(self, rows: tuple[Outgoing, ...]) -> None:
        self._box.spawn(self._write(rows))

    async def _write(self, rows: tuple[Outgoing, ...]) -> None:
        await self.p.journal.write(Changes(outbox=rows))

    # --- the end ------------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Nothing new; wait for what is on the wire; when the account was switched off, take its orders back."""
        p = self.p
        self._move(BotEventKind.DRAIN, "정리 중")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await p.desk.drained()
        with contextlib.suppress(BrokerError, TimeoutError, StoreAway):
            async with asyncio.timeout(DRAIN_S):
                await self._cancel_when_disabled()
        if self._box.tasks:
            await asyncio.wait(set(self._box.tasks), timeout=DRAIN_S)
        self._move(BotEventKind.STOP, "정지")
        await asyncio.wait(set(self._box.tasks), timeout=2.0) if self._box.tasks else None

    async def _cancel_when_disabled(self) -> None:
        polled = await self.p.sync.once(claim=False)
        if polled.wishes.enabled:
            return
        asked = await self.p.commands.cancel_all("계좌 정지")
        for _ in range(10):
            if not asked or all(order.id not in asked for order in self.p.orders.open()):
                return
            await asyncio.sleep(0.5)
            await self.p.reconciler.light()
