"""Reconcile: make our picture the broker's. orders → fills → positions → cash → unknowns, always in this order.

An UNKNOWN is resolved here by asking and never by sending: exactly one candidate that must be ours is adopted, several or a
doubtful one go to a person, none after enough complete looks, with cash and holdings as they were, is proven absent. An answer that is not complete
proves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bots import outgoing
from bots.absence import Before, unexplained
from bots.executions import LIVE, BrokerView, DatedNumber, Executions
from bots.failpoints import reach
from bots.journal import Outgoing
from bots.orders import (
    RESERVED_PREFIX,
    BrokerNumber,
    DeskOrder,
    JournalKind,
    could_be,
    kept_number,
    newest_number,
)
from bots.own_orders import OwnOrders
from brokers.contract import Broker
from shared.clock import Clock
from shared.domain.errors import NotSupported
from shared.domain.order import BrokerOrder, Cash, OrderSession, Position
from shared.domain.order_state import OrderEventKind, OrderStatus

ASK_AFTER_S = (0.5, 1, 2, 4, 8, 15, 30, 60)  # after the answer was lost; then each minute
PROOF_LOOKS, PROOF_S = 5, 60.0
MISSING_LOOKS = 2  # complete looks without an accepted order before its number is doubted
DOUBT_S = 600.0  # asked so long while money and shares do not agree with what the lists say
SKEW = timedelta(seconds=2)  # broker clocks show whole seconds and drift; a person who repeats an order is slower
STAMP = timedelta(seconds=1)  # a broker's time is cut to its second
AGREED = timedelta(
    seconds=0.1
)  # clocks that are kept by the network agree so far; how far the broker's is behind is measured
SEND_LASTS = timedelta(seconds=120)  # a request that a crash cut off has reached the broker by then, or never will
LOOK_BACK_DAYS = 7
Named = tuple[str, str | None]  # an order of ours and the broker number it goes by


@dataclass(frozen=True, slots=True)
class Picture:
    """One complete answer of the broker, and what of it is nobody's of ours."""

    positions: tuple[Position, ...]
    cash: Cash
    foreign: tuple[BrokerOrder, ...]
    steady: bool  # nothing of ours changed between its holdings and its cash: they belong together


@dataclass(slots=True)
class Search:
    """How far the search for one unproven order has come; monotonic seconds."""

    since: float
    looks: int = 0
    asked: int = 0
    told: bool = False
    sent_at: datetime | None = None  # market time of the last SENDING
    lost_at: datetime | None = None  # market time: what the broker took later was not this send
    newest: int = 0  # the broker's highest number of ours that was known when it was sent

    def due_at(self) -> float:
        step = (
            ASK_AFTER_S[self.asked]
            if self.asked < len(ASK_AFTER_S)
            else ASK_AFTER_S[-1] * (self.asked - len(ASK_AFTER_S) + 2)
        )
        return self.since + step


@dataclass(slots=True)
class Reconciler:
    broker: Broker
    orders: OwnOrders
    executions: Executions
    clock: Clock
    trade_date: Callable[[], date]
    drifted: Callable[[str], bool] = lambda symbol: False  # holdings of the symbol are not what our fills say
    _searches: dict[str, Search] = field(default_factory=dict)
    _open_ids: frozenset[Named] = frozenset()  # of the last look
    _missing: dict[str, Search] = field(default_factory=dict)  # accepted orders that the last looks did not show
    _adopted: dict[str, datetime] = field(default_factory=dict)  # found by looking → until when the broker took it
    _behind: timedelta = timedelta(0)  # the broker's clock against ours, at least, by the stamps of our own orders
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def recover(self) -> None:
        """Settle what a crash left: before SENDING is proven not sent, after it is unknown. No broker call."""
        for order in self.orders.open():
            if order.status is OrderStatus.PENDING:
                await self.orders.apply(
                    order.id,
                    OrderEventKind.NOT_SENT,
                    JournalKind.NOT_ACCEPTED,
                    "전송 전에 종료됨",
                    note="전송되지 않음",
                )
            elif order.status is OrderStatus.SUBMITTED:
                alert = self._alert("ORDER_UNKNOWN", order, "전송 중에 봇이 종료됨")
                await self.orders.apply(
                    order.id, OrderEventKind.LOSE_ANSWER, JournalKind.UNKNOWN, "전송 중에 종료됨", alerts=(alert,),
                    note="확인중",
                )  # fmt: skip

    async def full(self) -> Picture:
        """Ask everything and apply it.

        Raises:
            BrokerError: some part is missing; nothing may be concluded.
        """
        async with self._lock:
            foreign = await self._asked_and_resolved(self._since())
            # What the lists told is in holdings and cash that are asked after them; what comes meanwhile may not be.
            before = (self.orders.fill_seq, len(self.orders.open()))
            positions = await self.broker.get_positions()
            cash = await self.broker.get_cash()
            after = (self.orders.fill_seq, len(self.orders.open()))
            return Picture(tuple(positions), cash, tuple(foreign), before == after)

    async def light(self, since: date | None = None) -> tuple[BrokerOrder, ...]:
        """Ask orders and fills only: after a notice, an acknowledgement, a cancel; `since` looks further back.

        Returns the rows that are nobody's of ours. Raises BrokerError.
        """
        async with self._lock:
            return tuple(await self._asked_and_resolved(min(since or self._since(), self._since())))

    async def resolve_due(self) -> None:
        """Look if the next question about an unproven order is due. Raises BrokerError: the look does not count.

        Every other look is a question too: where a broker takes ten seconds for one, nothing is asked twice.
        """
        if self._due():
            await self.light()

    def _due(self) -> list[str]:
        """The unproven orders whose next question is due."""
        now = self.clock.monotonic()
        unproven = [order.id for order in self.orders.unproven() if order.status is not OrderStatus.NEEDS_OPERATOR]
        self._searches = {order_id: self._searches.get(order_id, Search(now)) for order_id in unproven}
        return [one for one, search in self._searches.items() if search.due_at() <= now and self._sent(one)]

    def _take_due(self) -> list[str]:
        """The same, just before a look that answers them: a look that began earlier would prove nothing."""
        due = self._due()
        for order_id in due:
            self._searches[order_id].asked += 1
        return due

    async def _asked_and_resolved(self, since: date) -> list[BrokerOrder]:
        """One look, and the answers to the questions that were due before it; returns the rows that are nobody's of ours."""
        due = self._take_due()
        foreign = await self._look(since)
        if due:
            reach("after_resolver_query")
        for order_id in due:
            await self._resolve(order_id, foreign)
            foreign = [row for row in foreign if self.executions.number_of(row) is None]
        return foreign

    def next_due_in(self) -> float | None:
        """Seconds until the next question about an unproven order; None when there is none."""
        if not any(order.status is not OrderStatus.NEEDS_OPERATOR for order in self.orders.unproven()):
            return None
        waiting = [search.due_at() for search in self._searches.values()]
        return max(min(waiting) - self.clock.monotonic(), 0) if waiting else 0.0

    def _sent(self, order_id: str) -> bool:
        """SUBMITTED means our own send still waits for its answer: not ours to resolve yet."""
        order = self.orders.get(order_id)
        return order is not None and order.status is not OrderStatus.SUBMITTED

    def _since(self) -> date:
        today = self.trade_date()
        oldest = min((order.trade_date for order in self.orders.open()), default=today)
        return max(oldest, today - timedelta(days=LOOK_BACK_DAYS))

    async def _look(self, since: date) -> list[BrokerOrder]:
        """One complete look at orders and fills, applied; returns rows that are not ours."""
        today = self.trade_date()
        open_rows, rows = await self._lists(since, today)
        open_rows = [*open_rows, *await self._reserved(since, today)]
        dated = self.executions.dated
        by_number = {dated(row): row for row in open_rows}
        by_number.update({dated(row): row for row in rows})  # the execution list has the fills
        self._measure_clock(by_number.values())
        open_ids = frozenset(dated(row) for row in open_rows if row.leaves_quantity > 0)
        foreign = await self.executions.apply_view(BrokerView(tuple(by_number.values()), open_ids))
        self._open_ids = self._ours(row for row in open_rows if row.leaves_quantity > 0)
        listed = self._ours(by_number.values())
        await self._end_expired(listed, today)
        await self._watch_adopted(foreign)
        await self._watch_missing(listed, today)
        return foreign

    async def _lists(self, since: date, today: date) -> tuple[list[BrokerOrder], list[BrokerOrder]]:
        """Open orders, and all orders of the dates, asked in this order: what fills meanwhile is in the second."""
        if not self.broker.executions_show_open:
            return await self.broker.get_open_orders(), await self.broker.get_executions(since, today)
        rows = await self.broker.get_executions(since, today)
        # What was left of an order when its day ended stays in its row: open are those of the present day.
        return [row for row in rows if row.leaves_quantity > 0 and self.executions.dated(row)[0] >= today], rows

    async def _reserved(self, since: date, today: date) -> list[BrokerOrder]:
        """The broker's reservations, asked while one of ours may be among them; their numbers are kept apart."""
        ours = [order for order in self.orders.open() if order.request.session is OrderSession.RESERVED]
        if not any((order.broker_order_id or RESERVED_PREFIX).startswith(RESERVED_PREFIX) for order in ours):
            return []
        try:
            rows = await self.broker.get_reserved_orders(since - timedelta(days=1), today + timedelta(days=1))
        except NotSupported:
            return []  # it takes them here and does not list them
        return [replace(row, broker_order_id=kept_number(row.broker_order_id, row.session)) for row in rows]

    def _ours(self, rows: Iterable[BrokerOrder]) -> frozenset[Named]:
        found = (self.executions.number_of(row) for row in rows)
        return frozenset((one.client_order_id, one.broker_order_id) for one in found if one is not None)

    async def _end_expired(self, listed: frozenset[Named], today: date) -> None:
        """An order of an earlier trade date that is no longer open has ended with its session, fills counted."""
        for order in self.orders.open():
            over = order.status in LIVE and order.trade_date < today and _name(order) not in self._open_ids
            if (
                over
                and not order.amend_pending
                and (_name(order) in listed or order.trade_date < today - timedelta(days=LOOK_BACK_DAYS))
            ):
                await self.orders.apply(order.id, OrderEventKind.EXPIRE, JournalKind.TERMINAL, "장 종료로 효력 상실")

    async def _resolve(self, order_id: str, foreign: list[BrokerOrder]) -> None:
        order = self.orders.get(order_id)
        search = self._searches.get(order_id)
        if order is None or search is None or not order.is_unproven:
            return
        search.looks += 1
        waited = self.clock.monotonic() - search.since
        proven = search.looks >= PROOF_LOOKS and waited >= PROOF_S
        if order.amend_pending:
            if proven:
                await self._conclude_amendment(order, waited)
            return
        alike = [row for row in foreign if self._candidate(order, row)]
        until = await self._lost_at(order, search) + SKEW
        candidates = [row for row in alike if row.ordered_at <= until]
        doubt = self._doubt(search, candidates[0]) if len(candidates) == 1 else None
        if len(candidates) == 1 and doubt is None:
            await self._adopt(order, candidates[0], f"{search.looks}번째 조회에서 확인")
            self._adopted[order.id] = until
        elif len(candidates) > 1:
            await self._give_up(order, f"같은 모양의 주문이 {len(candidates)}건: {_numbers(candidates)}")
        elif proven and doubt is not None:
            await self._give_up(order, f"같은 모양의 주문 {_numbers(candidates)}: {doubt}")
        elif proven and alike:
            await self._give_up(order, f"전송이 끝난 뒤에 같은 모양의 주문이 들어옴: {_numbers(alike)}")
        elif proven and order.request.session is OrderSession.RESERVED:
            await self._give_up(order, "예약주문은 돈도 주식도 움직이지 않아 없음을 증명할 수 없음")
        elif proven and self.drifted(order.symbol):
            await self._give_up(order, "주문은 보이지 않으나 잔고가 우리 체결과 다름")
        elif proven:
            await self._conclude(order, foreign, search.looks, waited)

    async def _lost_at(self, order: DeskOrder, search: Search) -> datetime:
        """When the send was over for us, in market time: the answer was given up, or the process came back."""
        if search.lost_at is None:
            rows = await self.orders.history(order.id)
            sent = max(datetime.fromisoformat(row.market_at) for row in rows if row.kind == JournalKind.SENDING)
            lost = [datetime.fromisoformat(row.market_at) for row in rows if row.kind == JournalKind.UNKNOWN]
            search.sent_at, search.lost_at = sent, min([sent + SEND_LASTS, *lost])
            search.newest = newest_number(await self.orders.data_at(order.id, JournalKind.SENDING))
        return search.lost_at

    def _doubt(self, search: Search, row: BrokerOrder) -> str | None:
        """Why a row of our shape and time may be somebody else's all the same; None when it must be ours.

        A person's order of the moment looks the same. The list names another channel, or its stamp is of an earlier
        second than the send, or its number is not above one that we knew by then: the broker counts upwards.
        """
        assert search.sent_at is not None
        if row.by_hand:
            return "증권사 목록이 API 아닌 매체의 주문이라 함"
        if row.ordered_at + STAMP <= search.sent_at - AGREED - self._behind:
            return f"전송({search.sent_at:%H:%M:%S})보다 이른 시각 {row.ordered_at:%H:%M:%S}에 접수됨"
        if row.broker_order_id.isdigit() and int(row.broker_order_id) <= search.newest:
            return f"전송 전에 받은 주문번호 {search.newest}보다 앞선 번호"
        return None

    def _measure_clock(self, rows: Iterable[BrokerOrder]) -> None:
        """The broker cannot have had an order of ours before it was decided: a stamp that says so tells its clock."""
        for row in rows:
            number = self.executions.number_of(row)
            order = None if number is None else self.orders.get(number.client_order_id)
            if order is not None and row.orig_order_id is None and order.request.session is not OrderSession.RESERVED:
                behind = order.market_at - (row.ordered_at + STAMP)
                self._behind = min(max(self._behind, behind), SKEW)

    def unlisted(self) -> Collection[str]:
        """Ids of the accepted orders that the last look did not show."""
        return self._missing.keys()

    async def _watch_missing(self, listed: frozenset[Named], today: date) -> None:
        """An accepted order that no complete list shows: its number may be wrong. Shown to a person, never adopted anew."""
        missing = [
            order
            for order in self.orders.open()
            if order.status in LIVE
            and order.trade_date == today
            and _name(order) not in listed
            and order.request.session is not OrderSession.RESERVED  # not every broker lists them
        ]
        now = self.clock.monotonic()
        self._missing = {order.id: self._missing.get(order.id, Search(now)) for order in missing}
        for order in missing:
            search = self._missing[order.id]
            search.looks += 1
            lagging = search.looks < MISSING_LOOKS or now - search.since < PROOF_S
            if not lagging and not search.told:
                search.told = True  # lifted by a person, it is not stopped for the same again
                why = f"접수된 주문 {order.id}의 번호 {order.broker_order_id}이(가) 어느 목록에도 없음"
                if order.status is OrderStatus.ACCEPTED and not order.amend_pending:
                    await self._give_up(order, why)
                else:
                    await self.orders.stop_symbol(order.symbol, why, self._alert("NEEDS_OPERATOR", order, why))

    async def _watch_adopted(self, foreign: list[BrokerOrder]) -> None:
        """A second order that could have been the send of one we adopted: one of the two is a person's; he must look."""
        for order_id, until in list(self._adopted.items()):
            order = self.orders.get(order_id)
            twins = [] if order is None else [row for row in foreign if self._candidate(order, row)]
            twins = [row for row in twins if row.ordered_at <= until]
            if order is not None and twins:
                del self._adopted[order_id]
                why = f"주문 {order_id}일 수 있는 주문이 또 있음: {_numbers(twins)}"
                await self.orders.stop_symbol(order.symbol, why, self._alert("ORDER_CONTRADICTION", order, why))

    async def _conclude(self, order: DeskOrder, foreign: list[BrokerOrder], looks: int, waited: float) -> None:
        """No list shows it: absent when money and shares agree; else asked again, and in the end a person's."""
        before = Before.decode(await self.orders.data_at(order.id, JournalKind.SENDING))
        positions, cash = await self.broker.get_positions(), await self.broker.get_cash()
        why = unexplained(order, before, positions, cash, self.orders, foreign)
        if why is None:
            await self.orders.apply(
                order.id, OrderEventKind.PROVE_ABSENT, JournalKind.NOT_ACCEPTED,
                f"{waited:.0f}초 동안 {looks}번 조회, 없음; 잔고와 보유 그대로", note="미접수 확인",
            )  # fmt: skip
        elif before is None or waited >= DOUBT_S:
            await self._give_up(order, f"주문은 보이지 않으나 {why}")

    async def _conclude_amendment(self, order: DeskOrder, waited: float) -> None:
        """No list shows a replacement. The original still open proves it unamended; gone, it may have been replaced."""
        if _name(order) in self._open_ids or order.status not in LIVE:
            await self.orders.note(order.id, JournalKind.AMEND_REFUSED, "정정되지 않음 확인", amend_pending=False)
        elif waited >= DOUBT_S:
            why = f"주문 {order.id}: 정정 결과를 모르는 채 원주문이 사라짐"
            await self.orders.stop_symbol(order.symbol, why, self._alert("NEEDS_OPERATOR", order, why))
            await self.orders.note(order.id, JournalKind.AMEND_REFUSED, why, amend_pending=False)

    def _candidate(self, order: DeskOrder, row: BrokerOrder) -> bool:
        """Same shape, unowned, inside the send's time, not seen before it, and no replacement of another order."""
        if not could_be(order, row) or row.orig_order_id is not None:
            return False
        seen = self.executions.first_seen.get(self.executions.dated(row))
        if seen is not None and order.sent_at is not None and seen < order.sent_at:
            return False
        return row.ordered_at >= order.market_at.replace(microsecond=0) - SKEW

    async def unowned(self, order: DeskOrder, number: str) -> BrokerOrder | None:
        """Ask for the row that a person means by `number`: nobody's of ours, of the order's trade date; leading zeros say nothing.

        Raises BrokerError.
        """
        wanted = (order.trade_date, number.lstrip("0"))
        for row in await self.light(order.trade_date):
            day, name = self.executions.dated(row)
            if (day, name.lstrip("0")) == wanted:
                return row
        return None

    async def adopt(self, order_id: str, row: BrokerOrder, why: str) -> DeskOrder:
        """A person says that this row of the broker is the order."""
        order = self.orders.get(order_id)
        assert order is not None
        return await self._adopt(order, row, why)

    async def _adopt(self, order: DeskOrder, row: BrokerOrder, why: str) -> DeskOrder:
        number = BrokerNumber(order.trade_date, row.broker_order_id, order.id)
        order = await self.orders.apply(
            order.id, OrderEventKind.ADOPT, JournalKind.ADOPTED, f"주문번호 {row.broker_order_id}: {why}",
            numbers=(number,), broker_order_id=row.broker_order_id, note="조회로 확인됨",
        )  # fmt: skip
        ids = frozenset({self.executions.dated(row)}) if row.leaves_quantity else frozenset[DatedNumber]()
        await self.executions.apply_view(BrokerView((row,), ids))
        return self.orders.get(order.id) or order

    async def _give_up(self, order: DeskOrder, why: str) -> None:
        alert = self._alert("NEEDS_OPERATOR", order, why)
        await self.orders.apply(
            order.id, OrderEventKind.GIVE_UP, JournalKind.NEEDS_OPERATOR, why, alerts=(alert,), note=why
        )

    def _alert(self, kind: str, order: DeskOrder, reason: str) -> Outgoing:
        return outgoing.alert(
            kind, "critical", f"{kind.lower()}:{order.id}", self.clock.wall_now(), symbol=order.symbol,
            side=order.side, quantity=order.quantity, price=order.price, order=order.id, reason=reason,
        )  # fmt: skip


def _name(order: DeskOrder) -> Named:
    return order.id, order.broker_order_id


def _numbers(rows: list[BrokerOrder]) -> str:
    return ", ".join(row.broker_order_id for row in rows)
