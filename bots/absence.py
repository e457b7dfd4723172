"""The last proof that an unknown order never arrived: cash and holdings are what they were before it was sent.

Lists may lag; money does not move by itself. What our other orders did since is counted; anything left over means that
the order may live (reliability.md, "Resolve unknown").
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal

from bots.orders import DeskOrder, RecordedFill
from bots.own_orders import OwnOrders
from shared.domain.order import BrokerOrder, Cash, Position, Side

FEES = Decimal("0.01")  # of what we traded meanwhile: commission, taxes, the broker's rounding
WELL_BELOW = Decimal("0.9")  # of the last price: an order without a price of its own holds back no less
UPPER_LIMIT = Decimal("1.35")  # ... and no more
MANY = 5  # unproven orders at once: more ways to combine than money can tell apart


@dataclass(frozen=True, slots=True)
class Before:
    """What the broker's last complete picture said when the order was sent."""

    at: str  # wall, before that picture was asked for
    fill_seq: int  # our fills up to here are inside it
    held: int
    sellable: int | None
    cash: str  # buying power, or the total where the broker does not tell it
    price: str | None = None  # the symbol's last price at the send
    foreign: dict[str, list[int]] = field(default_factory=dict)  # dated number → [filled, open] of orders not ours

    def encode(self) -> str:
        return json.dumps({"before": asdict(self)})

    @classmethod
    def decode(cls, data: str) -> Before | None:
        found = json.loads(data).get("before") if data else None
        return None if found is None else cls(**found)


def state_of(row: BrokerOrder) -> list[int]:
    """What of an order moves money: shares filled, shares open."""
    return [row.filled_quantity, row.leaves_quantity]


def name_of(row: BrokerOrder) -> str:
    """A row's number with its day: brokers count anew each day."""
    return f"{row.ordered_at.date()}:{row.broker_order_id}"


def orderable(cash: Cash) -> Decimal:
    return cash.total if cash.buying_power is None else cash.buying_power


def unexplained(
    order: DeskOrder, before: Before | None, positions: Sequence[Position], cash: Cash, orders: OwnOrders,
    foreign: Sequence[BrokerOrder] = (),
) -> str | None:  # fmt: skip
    """Why cash or holdings do not allow to call `order` absent; None when they are as they would be without it.

    `foreign` are the broker's rows that are nobody's of ours.
    """
    if before is None:
        return "보내기 전의 잔고를 모름"
    since = datetime.fromisoformat(before.at)
    others = [one for one in orders.all() if one.id != order.id and _moved_since(one, since)]
    fills = [fill for fill in orders.fills if fill.seq > before.fill_seq]
    differs = _shares_differ(order, before, positions, others, fills)
    if differs is not None:
        return differs
    moved = [row.broker_order_id for row in foreign if state_of(row) != before.foreign.get(name_of(row), [0, 0])]
    if moved:
        return f"그동안 우리 것이 아닌 주문 {', '.join(moved)}도 돈을 움직였음"
    if others or fills:
        return _money_differs(order, before, cash, others, fills)
    has, was = orderable(cash), Decimal(before.cash)  # nothing of ours moved: to the last digit
    return None if has == was else f"주문 가능 금액 {cash.currency.said(has)}, 보내기 전 {cash.currency.said(was)}"


def _shares_differ(
    order: DeskOrder, before: Before, positions: Sequence[Position], others: list[DeskOrder], fills: list[RecordedFill]
) -> str | None:
    now = next((one for one in positions if one.symbol == order.symbol), None)
    held, sellable = (now.quantity, now.sellable) if now is not None else (0, 0)
    net = sum(
        fill.quantity if fill.side is Side.BUY else -fill.quantity for fill in fills if fill.symbol == order.symbol
    )
    if held != before.held + net:
        return f"보유 {held}주, 이 주문이 없었다면 {before.held + net}주"
    if order.side is not Side.SELL or sellable is None or before.sellable is None:
        return None
    if any(one.side is Side.SELL and one.symbol == order.symbol for one in others):
        return "같은 종목의 다른 매도가 있어 매도 가능 수량으로 가릴 수 없음"
    # Shares bought meanwhile may be sellable or not yet; in either case the order would hold its own back.
    if not before.sellable + min(net, 0) <= sellable <= before.sellable + max(net, 0):
        return f"매도 가능 {sellable}주, 보내기 전 {before.sellable}주"
    if sellable <= before.sellable + net - order.quantity:
        return "그동안 산 주식이 이 매도를 가릴 수 있어 매도 가능 수량으로 가릴 수 없음"
    return None


def _money_differs(
    order: DeskOrder, before: Before, cash: Cash, others: list[DeskOrder], fills: list[RecordedFill]
) -> str | None:
    """A buy holds money back: compare with what our other orders made of the money meanwhile."""
    if order.side is Side.SELL:
        return None  # it takes no money; the shares told
    buys = [one for one in others if one.side is Side.BUY]
    unproven = [one for one in buys if one.is_unproven]
    if any(one.amend_pending or one.price is None for one in unproven) or len(unproven) > MANY:
        return "결과를 모르는 다른 주문이 있어 금액으로 가릴 수 없음"
    expected, moved = Decimal(before.cash), Decimal(0)
    for fill in fills:
        expected += fill.amount if fill.side is Side.SELL else -fill.amount
        moved += fill.amount
    for one in buys:
        was, left = _held_back(one, before, fills)
        if one.price is None and (was or left):
            return f"주문 {one.id}에 값이 없어 묶인 금액을 모름"
        expected += (one.price or Decimal(0)) * (was - left)
        moved += (one.price or Decimal(0)) * (was + left)
    has, slack, said = orderable(cash), FEES * moved, cash.currency.said
    lowest, highest = _cost(order, before)
    without = [expected - amount for amount in _sums(unproven)]  # each of the unproven may have arrived too
    if any(one - highest - slack <= has <= one - lowest + slack for one in without):
        return f"주문 가능 금액 {said(has)}: 이 주문이 묶은 금액일 수 있음"
    same = any(abs(has - one) <= slack for one in without)
    return None if same else f"주문 가능 금액 {said(has)}, 예상 {said(expected)}"


def _held_back(one: DeskOrder, before: Before, fills: list[RecordedFill]) -> tuple[int, int]:
    """Shares of a buy that held money back in the picture, and that hold it back now for sure."""
    inside = one.sent_at is not None and one.sent_at < datetime.fromisoformat(before.at)
    filled_since = sum(fill.quantity for fill in fills if fill.client_order_id == one.id)
    was = one.quantity - (one.filled_quantity - filled_since) if inside and not one.is_unproven else 0
    return was, 0 if one.is_unproven else one.leaves


def _cost(order: DeskOrder, before: Before) -> tuple[Decimal, Decimal]:
    """The least and the most that the order would hold back."""
    if order.price is not None:
        return order.quantity * order.price, order.quantity * order.price
    last = order.quantity * Decimal(before.price or 0)
    return last * WELL_BELOW, last * UPPER_LIMIT


def _sums(unproven: list[DeskOrder]) -> set[Decimal]:
    """What the unproven orders may hold back, for every way some of them arrived."""
    sums = {Decimal(0)}
    for one in unproven:
        sums |= {amount + (one.price or Decimal(0)) * one.quantity for amount in sums}
    return sums


def _moved_since(order: DeskOrder, since: datetime) -> bool:
    return order.is_open or (order.closed_at is not None and order.closed_at >= since)
