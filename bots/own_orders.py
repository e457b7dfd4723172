"""Our orders in memory and on disk: every change of an order's status goes through here and the state table.

Memory changes first, at once, so that the next decision on the loop already counts the order; the caller then awaits
the commit. If the commit fails the journal is broken and the process ends: nothing is sent on an uncommitted state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bots import outgoing
from bots.failpoints import reach
from bots.journal import Changes, Duplicate, Event, Journal, JournalState, Outgoing
from bots.lots import LotBook
from bots.orders import BrokerNumber, DeskOrder, JournalKind, RecordedFill
from shared.clock import Clock
from shared.domain.errors import IllegalTransition
from shared.domain.order import OrderRequest, OrderSession, Side
from shared.domain.order_state import TERMINAL, OrderEventKind, OrderStatus, next_status
from shared.domain.signal import Decision

SAME_MOMENT = timedelta(minutes=10)  # between our clock and the broker's stamp of one order
FROZEN_FACT = "frozen:"  # facts of the journal: symbols stopped until a person looks


@dataclass(frozen=True, slots=True)
class FoundFill:
    """Shares of one broker number that the broker reports and we have not recorded yet."""

    number: BrokerNumber  # as it will be after this fill
    execution_id: str
    quantity: int
    price: Decimal
    at: datetime
    seen: tuple[str, ...] = ()  # execution ids to remember


class OwnOrders:
    """Orders, their broker numbers, their fills, and what is frozen."""

    def __init__(self, journal: Journal, clock: Clock, state: JournalState, lots: LotBook, account_id: int) -> None:
        self._journal, self._clock, self.lots = journal, clock, lots
        self._account_id = account_id
        self._orders = {order.id: order for order in state.orders}
        self._numbers = {(n.trade_date, n.broker_order_id): n for n in state.numbers}
        self._seen = set(state.seen_executions)
        self._count, self.fill_seq = state.order_count, state.fill_seq
        self.fills: list[RecordedFill] = list(state.fills)  # of the last days, oldest first
        self.stopped: dict[str, str] = {
            name.removeprefix(FROZEN_FACT): why
            for name, why in state.facts.items()
            if name.startswith(FROZEN_FACT) and why
        }
        self.on_change: Callable[[DeskOrder], None] = lambda order: None

    def get(self, client_order_id: str) -> DeskOrder | None:
        return self._orders.get(client_order_id)

    def all(self) -> list[DeskOrder]:
        return list(self._orders.values())

    def open(self) -> list[DeskOrder]:
        """Orders that may still be or become live at the broker."""
        return [order for order in self._orders.values() if order.is_open]

    def unproven(self) -> list[DeskOrder]:
        return [order for order in self._orders.values() if order.is_unproven]

    def has_seen(self, execution_id: str) -> bool:
        return execution_id in self._seen

    def number(self, broker_order_id: str, day: date, at: datetime | None = None) -> BrokerNumber | None:
        """Our record of a broker number of trade date `day`.

        Brokers count anew each day, so the same number of another day is another order. Only where the broker's stamp
        `at` lies beside the moment of an order of ours did the clocks disagree about the day; a reservation is dated
        now by its receipt, now by its opening.
        """
        found = self._numbers.get((day, broker_order_id))
        if found is not None or at is None:
            return found
        for days in (-1, 1):
            near = self._numbers.get((day + timedelta(days=days), broker_order_id))
            order = None if near is None else self._orders.get(near.client_order_id)
            if order is None:
                continue
            if order.request.session is OrderSession.RESERVED or abs(order.market_at - at) <= SAME_MOMENT:
                return near
        return None

    def numbers_of(self, client_order_id: str) -> list[BrokerNumber]:
        return [number for number in self._numbers.values() if number.client_order_id == client_order_id]

    def newest_number(self, order: DeskOrder) -> int:
        """The highest broker number of ours so far, of the trade date and session of `order`; 0 when there is none."""
        numbers = (
            int(one.broker_order_id)
            for one in self._numbers.values()
            if one.trade_date == order.trade_date and one.broker_order_id.isdigit()
            and (owner := self._orders.get(one.client_order_id)) is not None
            and owner.request.session is order.request.session
        )  # fmt: skip
        return max(numbers, default=0)

    def frozen(self, symbol: str, side: Side) -> str | None:
        """Why nothing may be sent for `symbol` and `side`; None when it may."""
        if symbol in self.stopped:
            return self.stopped[symbol]
        for order in self._orders.values():
            if order.symbol == symbol and order.side is side and order.is_unproven:
                return f"주문 {order.id} 결과 확인중"
        return None

    def next_id(self) -> str:
        """A client order id never used before by this account, a lost journal included."""
        self._count += 1
        return f"{self._account_id}-{self._clock.wall_now():%Y%m%d%H%M%S}-{self._count}"

    async def open_intent(
        self, request: OrderRequest, trade_date: date, version_id: int | None, decision: Decision | None
    ) -> DeskOrder:
        """Commit DECISION and INTENT: from here on the order exists, PENDING."""
        now, market = self._clock.wall_now(), self._clock.market_now()
        order = DeskOrder(
            request=request, status=OrderStatus.PENDING, trade_date=trade_date, created_at=now, market_at=market,
            quantity=request.quantity, price=request.price, version_id=version_id,
        )  # fmt: skip
        if order.id in self._orders:
            raise Duplicate("this order was given before", order.id, "look at the order list")
        self._orders[order.id] = order  # reserved before the first await: the next guard counts it
        steps = "" if decision is None else outgoing.encode({"steps": outgoing.steps(decision)})
        events = (
            self._event(order, JournalKind.DECISION, "", "", request.reason, steps),
            self._event(order, JournalKind.INTENT, "", order.status, request.reason),
        )
        reach("before_intent")
        try:
            await self._journal.write(Changes(order=order, opened=True, events=events, outbox=self._out(order, events)))
        except BaseException:
            self._orders.pop(order.id, None)  # nothing on disk: it never was
            raise
        reach("after_intent")
        return order

    async def apply(
        self, order_id: str, event: OrderEventKind, kind: JournalKind, why: str = "", raw: str = "",
        alerts: tuple[Outgoing, ...] = (), numbers: tuple[BrokerNumber, ...] = (), data: str = "", **changes: Any,
    ) -> DeskOrder:  # fmt: skip
        """Move the order by `event` and commit it with its history.

        Raises:
            IllegalTransition: the state table does not allow it; nothing changed.
            JournalBroken: the disk does not take it.
        """
        before = self._orders[order_id]
        status = next_status(before.status, event)
        if status in TERMINAL and before.status not in TERMINAL:
            changes["closed_at"] = self._clock.wall_now()
        after = replace(before, status=status, **changes)
        return await self._commit(before, after, kind, why, raw, alerts, numbers, data)

    async def note(
        self, order_id: str, kind: JournalKind, why: str = "", alerts: tuple[Outgoing, ...] = (),
        numbers: tuple[BrokerNumber, ...] = (), **changes: Any,
    ) -> DeskOrder:  # fmt: skip
        """Commit a row of history that leaves the status as it is."""
        before = self._orders[order_id]
        return await self._commit(before, replace(before, **changes), kind, why, "", alerts, numbers)

    async def record_fill(self, order_id: str, found: FoundFill) -> RecordedFill | None:
        """Commit one fill with its order, its rule's lot and its outbox rows; None when it was recorded before.

        More shares than the order asked for are recorded all the same, and stop the symbol.
        """
        if found.execution_id in self._seen:
            return None
        before = self._orders[order_id]
        filled = before.filled_quantity + found.quantity
        event = OrderEventKind.FILL_ALL if filled >= before.quantity else OrderEventKind.FILL_PART
        impossible = filled > before.quantity
        try:
            status = next_status(before.status, event)
        except IllegalTransition:
            impossible, status = True, before.status
        after = replace(
            before, status=status, filled_quantity=filled,
            filled_amount=before.filled_amount + found.price * found.quantity,
            closed_at=before.closed_at or (self._clock.wall_now() if status in TERMINAL else None),
        )  # fmt: skip
        lots = self.lots.after_fill(before, found.quantity, found.price, found.at)
        realized = self.lots.realized(before, found.quantity, found.price)
        fill = self._recorded(before, found)
        self._seen.update((found.execution_id, *found.seen))
        self.lots.keep(lots)
        self._numbers[found.number.trade_date, found.number.broker_order_id] = found.number
        self._orders[order_id] = after
        self.fills.append(fill)
        facts = self._stop(before.symbol, f"주문 {order_id}: 체결이 주문과 맞지 않음") if impossible else ()
        await self._commit_fill(before, after, fill, found, lots, facts, realized)
        reach("after_fill_commit_before_outbox")
        self.on_change(after)
        return fill

    async def data_at(self, order_id: str, kind: JournalKind) -> str:
        """What the journal kept with the first row of this kind in the order's history; "" when nothing."""
        rows = await self._journal.events_of(order_id)
        return next((row.data for row in rows if row.kind == kind and row.data), "")

    async def history(self, order_id: str) -> list[Event]:
        """Every row the journal has of the order, oldest first."""
        return await self._journal.events_of(order_id)

    async def remember(self, number: BrokerNumber, seen: tuple[str, ...] = ()) -> None:
        """Commit what is now known of a broker number, without a fill."""
        self._numbers[number.trade_date, number.broker_order_id] = number
        fresh = tuple(one for one in seen if one not in self._seen)
        self._seen.update(fresh)
        await self._journal.write(Changes(numbers=(number,), seen_executions=fresh))

    async def stop_symbol(self, symbol: str, why: str, *alerts: Outgoing) -> None:
        """Freeze both sides of `symbol` until a person lifts it; survives a restart."""
        await self._journal.write(Changes(facts=self._stop(symbol, why), outbox=alerts))

    async def lift_symbol(self, symbol: str) -> None:
        self.stopped.pop(symbol, None)
        await self._journal.write(Changes(facts=((FROZEN_FACT + symbol, ""),)))

    async def shrink_lots(self, symbol: str, holding: int, *alerts: Outgoing) -> None:
        """The broker holds `holding` shares: rules that claim more give the rest up."""
        lots = self.lots.over(symbol, holding)
        self.lots.keep(lots)
        await self._journal.write(Changes(lots=lots, outbox=alerts))

    def forget_before(self, oldest: date) -> None:
        """Drop what is over and older than `oldest` from memory; the journal keeps it."""
        self._orders = {k: o for k, o in self._orders.items() if o.is_open or o.trade_date >= oldest}
        self._numbers = {k: n for k, n in self._numbers.items() if n.client_order_id in self._orders}
        self.fills = [fill for fill in self.fills if fill.trade_date >= oldest]

    def _stop(self, symbol: str, why: str) -> tuple[tuple[str, str], ...]:
        self.stopped[symbol] = why
        return ((FROZEN_FACT + symbol, why),)

    def _recorded(self, order: DeskOrder, found: FoundFill) -> RecordedFill:
        self.fill_seq += 1
        return RecordedFill(
            execution_id=found.execution_id, client_order_id=order.id, broker_order_id=found.number.broker_order_id,
            rule_id=order.request.rule_id, symbol=order.symbol, side=order.side, quantity=found.quantity,
            price=found.price, filled_at=found.at, trade_date=order.trade_date,
            seq=self.fill_seq,
        )  # fmt: skip

    async def _commit_fill(
        self, before: DeskOrder, after: DeskOrder, fill: RecordedFill, found: FoundFill, lots: Any,
        facts: tuple[tuple[str, str], ...], realized: Decimal | None,
    ) -> None:  # fmt: skip
        wall = self._clock.wall_now()
        why = f"{fill.quantity}주 @ {fill.price}"
        events = [self._event(after, JournalKind.FILL, before.status, after.status, why)]
        if after.is_terminal and not before.is_terminal:
            events.append(self._event(after, JournalKind.TERMINAL, before.status, after.status, "전량체결"))
        alerts = [_fill_alert(after, fill, wall)]
        if facts:
            alerts.append(
                outgoing.alert(
                    "FILL_IMPOSSIBLE", "critical", f"stop:{after.symbol}", wall, symbol=after.symbol, order=after.id
                )
            )
        await self._journal.write(
            Changes(
                order=after, events=tuple(events), numbers=(found.number,), fill=fill,
                seen_executions=(found.execution_id, *found.seen), lots=lots, facts=facts,
                outbox=(
                    *self._out(after, tuple(events)),
                    outgoing.fill(fill, after.request.currency, realized, wall),
                    *alerts,
                ),
            )
        )  # fmt: skip

    async def _commit(
        self, before: DeskOrder, after: DeskOrder, kind: JournalKind, why: str, raw: str,
        alerts: tuple[Outgoing, ...], numbers: tuple[BrokerNumber, ...], data: str = "",
    ) -> DeskOrder:  # fmt: skip
        self._orders[after.id] = after
        for number in numbers:
            self._numbers[number.trade_date, number.broker_order_id] = number
        events = [self._event(after, kind, before.status, after.status, why, data)]
        if after.is_terminal and not before.is_terminal and kind is not JournalKind.TERMINAL:
            events.append(self._event(after, JournalKind.TERMINAL, before.status, after.status, why))
        await self._journal.write(
            Changes(
                order=after,
                events=tuple(events),
                numbers=numbers,
                outbox=(*self._out(after, tuple(events), raw), *alerts),
            )
        )
        self.on_change(after)
        return after

    def _event(self, order: DeskOrder, kind: str, before: str, after: str, why: str = "", data: str = "") -> Event:
        wall, market = self._clock.wall_now().isoformat(), self._clock.market_now().isoformat()
        return Event(order.id, kind, before, after, wall, market, why, data)

    def _out(self, order: DeskOrder, events: tuple[Event, ...], raw: str = "") -> tuple[Outgoing, ...]:
        return (outgoing.order(order, self._clock.wall_now(), raw), *(outgoing.event(one) for one in events))


def _fill_alert(order: DeskOrder, fill: RecordedFill, wall: datetime) -> Outgoing:
    return outgoing.alert(
        "FILL", "info", f"fill:{fill.execution_id}", wall, symbol=fill.symbol, side=fill.side, quantity=fill.quantity,
        price=fill.price, currency=order.request.currency, order=order.id, rule_id=order.request.rule_id,
    )  # fmt: skip
