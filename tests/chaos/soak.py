"""The soak: the real desk, journal, executions and resolver against the world of one seed, with kills at any commit.

python -m tests.chaos.soak --seeds 200 --intents 500        # everything; the last line is the verdict
python -m tests.chaos.soak --seed 17 --intents 500          # one seed again, step for step
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from bots.desk import Desk
from bots.executions import LIVE, Executions
from bots.journal import Changes, Journal
from bots.lots import LotBook
from bots.orders import DeskOrder, JournalKind
from bots.own_orders import OwnOrders
from bots.portfolio import Portfolio
from bots.reconcile import Reconciler
from shared.domain.errors import BrokerError
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import OrderRequest, Side
from shared.domain.order_state import OrderEventKind, OrderStatus
from tests.chaos.world import OPENING, Trouble, World
from tests.fakes import KEY, FakeClock

SYMBOLS = ("AAPL", "MSFT", "NVDA", "TSLA", "SPY", "QQQ")
MONDAY = datetime(2026, 11, 16, 14, 40, tzinfo=UTC)  # just after the US open
PER_DAY = 60  # intents of one session; the next day's orders get the numbers of the day before again
DEATH = 0.01  # per intent
CALM_S = 900  # after the last intent, so that every question gets its answer
ON_WIRE = ("booked", "vanished")


class Killed(BaseException):
    """kill -9: from here on nothing of this process reaches the disk."""


class MortalJournal(Journal):
    """The real journal; `dies_in` commits from now the process dies, before or after that commit."""

    dies_in: int | None = None
    after: bool = False
    dead: bool = False

    async def write(self, changes: Changes) -> int:
        if self.dead:
            raise Killed
        if self.dies_in is None:
            return await super().write(changes)
        self.dies_in -= 1
        if self.dies_in > 0:
            return await super().write(changes)
        self.dead = True
        if self.after:
            await super().write(changes)
        raise Killed


@dataclass
class Tally:
    """What one seed brought; `violations` is empty or the run has failed."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


@dataclass
class Run:
    seed: int
    folder: Path
    trouble: Trouble
    tally: Tally
    rng: Random = field(init=False)
    clock: FakeClock = field(init=False)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.clock = FakeClock(MONDAY)
        self.world = World(self.clock, Random(self.seed + 1_000_003), self.trouble, self._journalled)
        self.world.held = dict.fromkeys(SYMBOLS, OPENING)
        self.world.executions_show_open = self.seed % 2 == 0  # brokers of either kind

    async def go(self, intents: int) -> Tally:
        await self._start()
        while self.tally.counts["intents"] < intents:
            await self._step()
            if self.tally.counts["intents"] >= PER_DAY * (self.tally.counts["sessions"] + 1):
                self._next_day()
        await self._calm()
        await self._judge()
        await self.journal.close()
        return self.tally

    # --- the process

    async def _start(self) -> None:
        journal = await MortalJournal.open(self.folder / "journal.db", KEY)
        assert isinstance(journal, MortalJournal)
        state = await journal.load(self.world.day - timedelta(days=9))
        self.journal = journal
        self.orders = OwnOrders(journal, self.clock, state, LotBook(state.lots), KEY.account_id)
        self.executions = Executions(self.orders, self.clock, datetime.date)
        self.portfolio = Portfolio(self.orders, lambda symbol: Decimal(100))
        self.asked = True
        self.desk = Desk(
            self.world, self.orders, self.executions, self.clock, lambda request: None, self._ask, self.portfolio.before
        )
        self.reconciler = Reconciler(self.world, self.orders, self.executions, self.clock, lambda: self.world.day)
        await self.reconciler.recover()
        while not self.portfolio.known():  # no orders before the broker agreed
            await self._turn(full=True)
            self.clock.pass_s(1)

    async def _die(self) -> None:
        self.tally.counts["kills"] += 1
        self.world.notices.clear()  # what was on the stream is gone
        await self.journal.close()
        await self._start()

    def _ask(self) -> None:
        self.asked = True

    async def _journalled(self, intent: str) -> None:
        """I7: SENDING is on the disk before the broker sees the order."""
        kinds = [row.kind for row in await self.journal.events_of(intent)]
        if JournalKind.SENDING not in kinds:
            self.tally.violations.append(f"I7 {intent} on the wire before SENDING was on disk")

    # --- one step of the account's life

    async def _step(self) -> None:
        if self.journal.dies_in is None and self.rng.random() < DEATH:
            self.journal.dies_in, self.journal.after = self.rng.randint(1, 8), self.rng.random() < 0.5
        try:
            self.world.advance(self.rng.expovariate(0.5))
            for notice in self.world.take_notices():
                await self.executions.apply_notice(notice)
            due = self.reconciler.next_due_in()
            if self.asked or (due is not None and due <= 0) or self.rng.random() < 0.1:
                await self._turn(full=self.rng.random() < 0.3)
            await self._change_something()
            await self._person()
            await self._intent()
        except Killed:
            await self._die()

    async def _turn(self, full: bool) -> None:
        """What the bot's life loop does once."""
        self.asked = False
        try:
            asked_at = self.clock.wall_now()
            if full:
                picture = await self.reconciler.full()
                if picture.steady:
                    self.portfolio.take(picture.positions, picture.cash, asked_at, picture.foreign)
            else:
                await self.reconciler.light()
            await self.reconciler.resolve_due()
        except BrokerError:
            self.asked = True

    async def _intent(self) -> None:
        symbol, side = self.rng.choice(SYMBOLS), self.rng.choice(list(Side))
        quantity, price = self.rng.randint(1, 9), Decimal(self.rng.choice([99, 100, 101]))
        if self.orders.frozen(symbol, side) is not None:
            self.tally.counts["blocked by a freeze"] += 1
            return
        if side is Side.SELL and (self.portfolio.free_to_sell(symbol) or 0) < quantity:
            return
        request = OrderRequest(
            symbol=symbol, side=side, quantity=quantity, price=price, venue=Venue.NASDAQ, currency=Currency.USD,
            client_order_id=self.orders.next_id(), rule_id=self.rng.choice([1, 2, None]), reduces=side is Side.SELL,
        )  # fmt: skip
        self.tally.counts["intents"] += 1
        work = [self.desk.place(request, self.world.day)]
        if self.rng.random() < 0.3:  # the life loop asks while our answer is awaited
            work.append(self._turn(full=False))  # type: ignore[arg-type]
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _change_something(self) -> None:
        live = [one for one in self.orders.open() if one.status in LIVE]
        if not live or self.rng.random() > 0.25:
            return
        order = self.rng.choice(live)
        try:
            if self.rng.random() < 0.5:
                await self.desk.cancel(order.id, "soak")
            else:
                fresh = Decimal(self.rng.choice([98, 102]))
                await self.desk.amend(order.id, order.leaves, fresh, "soak")
        except BrokerError:
            self.tally.counts["changes refused"] += 1

    async def _person(self) -> None:
        """Somebody at the inbox decides, knowing what the broker's own screen says."""
        for symbol in sorted(self.orders.stopped):
            if self.rng.random() < 0.1:
                await self.orders.lift_symbol(symbol)
                self.tally.counts["symbols lifted by a person"] += 1
        waiting = [one for one in self.orders.all() if one.status is OrderStatus.NEEDS_OPERATOR]
        if not waiting or self.rng.random() > 0.3:
            return
        order = self.rng.choice(waiting)
        theirs = self.world.orders_of(order.id)
        if not theirs:
            await self.orders.apply(
                order.id, OrderEventKind.PROVE_ABSENT, JournalKind.NOT_ACCEPTED, "person", note="person"
            )
        else:
            await self.reconciler.adopt(order.id, theirs[0].row, "person")
        self.tally.counts["resolved by a person"] += 1

    def _next_day(self) -> None:
        self.tally.counts["sessions"] += 1
        opens = self.world.day + timedelta(days=3 if self.world.day.weekday() == 4 else 1)
        self.world.end_session(datetime.combine(opens, MONDAY.timetz()))
        self.world.latest = None
        self.asked = True

    async def _calm(self) -> None:
        """No new intents and nothing more goes wrong: every question of the resolver gets its answer."""
        self.world.trouble = Trouble(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        self.journal.dies_in = None
        for _ in range(CALM_S // 5):
            self.clock.pass_s(5)
            for notice in self.world.take_notices():
                await self.executions.apply_notice(notice)
            if self.asked or self.reconciler.next_due_in() == 0:
                await self._turn(full=True)
        await self._turn(full=True)
        await self._turn(full=True)

    # --- the verdict

    async def _judge(self) -> None:
        """Judge what is on the disk, of every day: a process that was started anew remembers the last ones only."""
        state = await self.journal.load(MONDAY.date())
        self.orders = OwnOrders(self.journal, self.clock, state, LotBook(state.lots), KEY.account_id)
        rows = await self.journal.queued(1_000_000)
        alerts = {row.key for row in rows if row.stream == "alerts"}
        count = self.tally.counts
        for order in self.orders.all():
            count[order.status.value] += 1
            self._judge_order(order, alerts)
        count["lost answers"] = sum("ORDER_UNKNOWN" in row.body for row in rows if row.stream == "alerts")
        count["stopped symbols"] = len(self.orders.stopped)
        count["manual orders"] = sum(one.intent is None for one in self.world.every())
        known = {one.id for one in self.orders.all()}
        for intent in self.world.sends:
            if intent not in known:
                self._wrong(f"I7 {intent} reached the broker and is not in the journal")

    def _judge_order(self, order: DeskOrder, alerts: set[str]) -> None:
        theirs, writes = self.world.orders_of(order.id), self.world.sends.get(order.id, [])
        on_wire = [one for one in writes if one in ON_WIRE]
        if len(theirs) > 1:
            self._wrong(f"I1 {order.id} is {len(theirs)} orders at the broker")
        if len(on_wire) > 1 or (on_wire and writes[-1] != on_wire[0]):
            self._wrong(f"I1 {order.id} was sent again although nothing was proven: {writes}")
        for number in self.orders.numbers_of(order.id):
            placed = self.world.named(number.trade_date, number.broker_order_id)
            if placed is None or placed.intent != order.id:
                self._wrong(f"I6 {order.id} took number {number.broker_order_id} of {placed and placed.intent}")
        if order.status is OrderStatus.NOT_ACCEPTED and theirs:
            self._wrong(f"I5 {order.id} is called absent and the broker has {theirs[0].row.broker_order_id}")
        if order.is_unproven:
            if not {f"order_unknown:{order.id}", f"needs_operator:{order.id}"} & alerts:
                self._wrong(f"I5 {order.id} is {order.status} (amend {order.amend_pending}) and nobody was told")
            if order.status is not OrderStatus.NEEDS_OPERATOR:
                self._wrong(f"I5 {order.id} is still {order.status} after {CALM_S} s, {order.note}")
            return
        if order.filled_quantity != self.world.filled_of(order.id) and order.status is not OrderStatus.NOT_ACCEPTED:
            self._wrong(
                f"I2 {order.id} {order.status}: {order.filled_quantity} of {self.world.filled_of(order.id)} shares"
            )
        recorded = sum(fill.quantity for fill in self.orders.fills if fill.client_order_id == order.id)
        if recorded != order.filled_quantity:
            self._wrong(f"I2 {order.id}: fills {recorded}, order {order.filled_quantity}")
        if order.filled_quantity > order.quantity:
            self._wrong(f"I6 {order.id}: {order.filled_quantity} shares filled of {order.quantity}")

    def _wrong(self, text: str) -> None:
        self.tally.violations.append(f"seed {self.seed}: {text}")


def soak_seed(seed: int, intents: int) -> Tally:
    """One seed, from an empty journal to the verdict."""
    tally = Tally(seed)
    with _fast_folder() as folder:
        asyncio.run(Run(seed, folder, Trouble(), tally).go(intents))
    return tally


def soak(seeds: list[int], intents: int, processes: int = 1) -> list[Tally]:
    if processes == 1:
        return [soak_seed(seed, intents) for seed in seeds]
    with ProcessPoolExecutor(processes, initializer=os.nice, initargs=(15,)) as pool:  # others measure time beside it
        return list(pool.map(partial(soak_seed, intents=intents), seeds))


@contextmanager
def _fast_folder() -> Iterator[Path]:
    """Memory behind a file system where there is one: the commits are real, their flushes are free."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def figures(tallies: list[Tally]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for tally in tallies:
        total += tally.counts
    found = [one for tally in tallies for one in tally.violations]
    return {
        "seeds": len(tallies), **dict(sorted(total.items())), "violations": len(found),
        **{name: sum(f": {name} " in one for one in found) for name in ("I1", "I2", "I5", "I6", "I7")},
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description="many seeds of orders against a broker that loses answers")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, help="the first of the seeds")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--intents", type=int, default=500)
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    started = time.monotonic()
    seeds = [asked.seed] if asked.seed is not None else list(range(asked.first, asked.first + asked.seeds))
    tallies = soak(seeds, asked.intents, asked.processes)
    for tally in tallies:
        for one in tally.violations:
            print(one)
    print(figures(tallies), f"{time.monotonic() - started:.0f} s")
    return 1 if any(tally.violations for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
