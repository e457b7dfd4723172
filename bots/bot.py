"""One account's bot: one asyncio loop, and nothing here may block it.

SQL goes through the journal and the store link, which own threads. Start is recovery and recovery is start: whatever
state the last process left, `run` brings the account to READY by the same steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

from bots import outgoing
from bots.config import BotConfig, load
from bots.journal import Changes, Outgoing
from bots.nudges import listen
from bots.orders import DeskOrder
from bots.parts import Parts
from bots.pulse import feel
from bots.sync import Polled, StoreAway
from brokers.contract import MarketPhase, NoticeUnreadable, StreamDown, StreamUp
from shared.domain.account import Environment
from shared.domain.bot_state import BotEventKind, BotState, KillLevel, next_state
from shared.domain.errors import AuthRefused, BrokerError, ConfigError, DoorClosed, Refused
from shared.domain.market import OrderBook, Tick
from shared.domain.order import OrderNotice

FULL_EVERY_S = 60.0
FULL_GAP_S = 2.0  # between two full looks that fills ask for
LIGHT_GAP_S = 0.3
LOOK_COSTS = 6.0  # calls of the budget that a look may take, so that orders come first
RETRY_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
DRAIN_S = 20.0
KEPT_DAYS = 7


class Restart(Exception):
    """End this process so that supervision starts a new one: what it stands on has changed."""


class Bot:
    def __init__(self, parts: Parts) -> None:
        self.p = parts
        self._box = parts.state
        self._stop = asyncio.Event()
        self._full_at = -FULL_GAP_S
        self._recovered = False
        self._away: float | None = None  # monotonic, since when the store has not answered
        self._kill_level = KillLevel.RUN
        self._copied: tuple[int, KillLevel, int] | None = None  # what the copy on disk says
        self._wants_stale = asyncio.Event()
        parts.orders.on_change = self._order_changed
        parts.desk.on_auth_refused = self._key_refused
        parts.sync.heard_kill = self._heard_kill
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
        self._apply(self.p.config)
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
            ("sync", self._sync()),
            ("life", self._life()),
            ("events", self._events()),
            ("prices", self._prices()),
            ("quick", self._quick()),
            ("slow", self._slow()),
            ("minute", self._minute()),
            ("schedule", self.p.schedule.follow(lambda: self._recovered)),
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
        asked_at = p.clock.wall_now()
        picture = await p.reconciler.full()
        if not picture.steady:
            self._box.ask.set()  # something of ours moved while we looked: look again, conclude nothing
            return
        self._box.full_wanted, self._full_at = False, p.clock.monotonic()
        p.portfolio.take(picture.positions, picture.cash, asked_at, picture.foreign)
        p.elsewhere.take(picture.foreign)
        today = p.hours.trade_date(p.clock.market_now())
        if not p.daybook.marked(today):
            marks = p.daybook.first_marks(today, picture.positions, p.feed.price)
            p.daybook.keep(marks)
            await p.journal.write(Changes(marks=marks))
            p.orders.forget_before(today.fromordinal(today.toordinal() - KEPT_DAYS))
        await self._look_for_drift()
        if not self._recovered:
            self._recovered = True
            p.trader.recall(p.facts)
            await p.trader.approvals.recall(p.facts, {one.request.signal_key for one in p.orders.all()})
            p.vitals.ready_at = p.clock.wall_now()
        if self._box.state is not BotState.BLOCKED:
            self._move(BotEventKind.RECONCILED, "")

    async def _look_for_drift(self) -> None:
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
        if order.filled_quantity:
            self.p.trader.on_fill(order)
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
            if not self._recovered:
                continue
            if self._wants_stale.is_set():
                self._wants_stale.clear()
                await self.p.market_data.follow_wants()
            await self.p.market_data.poll_silent()

    async def _quick(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            if self._recovered:
                self.p.market_data.close_bars()
                self.p.trader.judge_late()

    async def _slow(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._feel()
            if not self._recovered:
                continue
            self.p.screen.show()
            await self.p.trader.act_on_deferred()
            await self.p.trader.approvals.drop_late()
            await self.p.housekeeping.tend()
            await self.p.commands.tend_flatten()

    async def _minute(self) -> None:
        while True:
            await asyncio.sleep(5.0 if not self._recovered else 60.0)
            if self._recovered:
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

    def _heard_kill(self, level: KillLevel) -> None:
        self.p.kill_switch.store_level = level

    def _feel(self) -> None:
        """Refresh the vitals and react to the kill switch."""
        level = self.p.kill_switch.level()
        if level > self._kill_level:
            now = self.p.clock.wall_now()
            self._tell((outgoing.alert("KILL_RAISED", "critical", "kill", now, level=level.name, by="-"),))
        self._kill_level = level
        feel(self.p, level, self.p.fitness.read_lag_ms())

    # --- the store ----------------------------------------------------------------------------------------------

    async def _sync(self) -> None:
        p = self.p
        while True:
            try:
                p.vitals.outbox_depth = await p.journal.outbox_depth()
                if p.sync.copy_from is not None:
                    await self._come_back()
                polled = await p.sync.once(claim=self._recovered)
                await self._store_answers()
                await self._take(polled)
                await p.tokens.save_pending()
                await self._copy()
            except StoreAway as e:
                if self._away is None and p.sync.away_s() > 0:
                    # Started from a copy, nobody knows since when.
                    self._away = p.clock.monotonic() - (0.0 if p.sync.copy_from else p.sync.away_s())
                    alert = outgoing.alert("STORE_AWAY", "critical", "store", p.clock.wall_now(), reason=str(e))
                    await p.journal.write(Changes(outbox=(alert,)))
            await p.sync.wait()

    async def _store_answers(self) -> None:
        """Say how long the store was away and how much it has to catch up with."""
        p = self.p
        if self._away is None:
            return
        away_s, self._away = round(p.clock.monotonic() - self._away), None
        now, behind = p.clock.wall_now(), p.vitals.outbox_depth
        alert = outgoing.alert("STORE_BACK", "info", "store_back", now, away_s=away_s, behind=behind)
        await p.journal.write(Changes(outbox=(alert,)))

    async def _come_back(self) -> None:
        """The store answers for the first time since this process began from its copy: make good what start left out.

        Raises:
            StoreAway: not yet. HeldElsewhere: another host acts for the account. Restart: the keys are other ones now.
        """
        p = self.p
        p.kill_switch.store_level = await p.sync.arrive()
        if await self._reload():
            text = f"저장소 복귀: {p.sync.copy_from:%Y-%m-%d %H:%M:%S %Z} 사본으로 시작했음"
            p.sync.copy_from = None
            self._tell((outgoing.log("WARNING", text, p.clock.wall_now()),))

    async def _copy(self) -> None:
        """Keep the copy that a start without the store needs, whenever something of it changed."""
        p = self.p
        token = p.tokens.current
        wanted = (p.vitals.config_version, p.kill_switch.store_level, token.generation if token else 0)
        if p.sync.copy_from is None and wanted != self._copied:
            held = p.orders.lots.opened_by()
            if await p.link.read(lambda session: p.standby.keep(session, held)):
                self._copied = wanted

    async def _take(self, polled: Polled) -> None:
        """Act on what the store said: kill level, configuration, commands."""
        self._heard_kill(polled.kill_level)
        if polled.desired is not None and polled.desired.config_version != self.p.vitals.config_version:
            await self._reload()
        self._check_arms()
        for command in polled.claimed:
            self._box.spawn(self._do(command))

    async def _do(self, command: Any) -> None:
        status, result = await self.p.commands.run(command)
        self.p.sync.results.append((command.id, status, result))
        self.p.sync.soon()

    async def _reload(self) -> bool:
        """Put a changed configuration in force; False: it cannot be read, is refused by name and the old one stays."""
        p = self.p
        held = p.orders.lots.opened_by()
        try:
            config = await p.link.read(lambda session: load(session, p.key.account_id, held))
        except ConfigError as e:
            self._tell((outgoing.alert("CONFIG_REFUSED", "critical", "config", p.clock.wall_now(), reason=str(e)),))
            return False
        if self._box.state is BotState.BLOCKED or config.key_stamp != p.config.key_stamp:
            raise Restart("설정이나 키가 바뀌어 다시 시작합니다")
        self._apply(config)
        p.sync.soon()  # the console sees at once that it is in force
        return True

    def _apply(self, config: BotConfig) -> None:
        p = self.p
        kept = {one.rule.rule_id: one for one in p.config.rules}
        refused = [kept[one.rule_id] for one in config.refused if one.rule_id in kept]
        for one in config.refused:
            self._tell(
                (
                    outgoing.alert(
                        "CONFIG_REFUSED", "critical", f"config:{one.rule_id}", p.clock.wall_now(),
                        reason=f"{one.name}: {one.reason}", rule=one.rule_id,
                    ),
                )
            )  # fmt: skip
        p.config = config
        p.clearance.configure(config, p.key, p.broker.key)
        p.market_data.spikes.pct, p.market_data.spikes.minutes = config.spike_pct, config.spike_minutes
        p.schedule.paused = config.paused_jobs
        p.housekeeping.at_close, p.housekeeping.at_close_minutes = config.at_close, config.at_close_minutes
        p.trader.configure((*config.rules, *refused), config.pinned)
        p.vitals.config_version = config.version
        self._check_arms()
        self._wants_stale.set()

    def _check_arms(self) -> None:
        """LIVE trades only while armed; an approval that ran out stops entries and says so."""
        p = self.p
        if p.key.environment is not Environment.LIVE:
            return
        until = p.config.armed_until
        armed = until is not None and p.clock.wall_now() < until
        if p.kill_switch.armed and not armed:
            self._tell((outgoing.alert("ARMED_EXPIRED", "critical", "armed", p.clock.wall_now()),))
        p.kill_switch.armed = armed

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
        if polled.desired is None or polled.desired.enabled:
            return
        asked = await self.p.commands.cancel_all("계좌 정지")
        for _ in range(10):
            if not asked or all(order.id not in asked for order in self.p.orders.open()):
                return
            await asyncio.sleep(0.5)
            await self.p.reconciler.light()
