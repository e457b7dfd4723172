"""The last proof that an unknown order never arrived: cash and holdings are what they were before it was sent.

Lists may lag; money does not move by itself. What our other orders did since is counted; anything left over means that
the order may live (reliability.md, "Resolve unknown").
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from bots.orders import DeskOrder, RecordedFill
from bots.own_orders import OwnOrders
from shared.domain.order import Cash, Position, Side

FEES = Decimal("0.01")  # of what we traded meanwhile: commission, taxes, the broker's rounding


@dataclass(frozen=True, slots=True)
class Before:
    """What the broker's last complete picture said when the order was sent."""

    at: str  # wall, before that picture was asked for
    fill_seq: int  # our fills up to here are inside it
    held: int
    sellable: int | None
    cash: str  # buying power, or the total where the broker does not tell it

    def encode(self) -> str:
        return json.dumps({"before": asdict(self)})

    @classmethod
    def decode(cls, data: str) -> Before | None:
        found = json.loads(data).get("before") if data else None
        return None if found is None else cls(**found)


def orderable(cash: Cash) -> Decimal:
    return cash.total if cash.buying_power is None else cash.buying_power


def unexplained(
    order: DeskOrder, before: Before | None, positions: Sequence[Position], cash: Cash, orders: OwnOrders
) -> str | None:
    """Why cash or holdings do not allow to call `order` absent; None when they are as they would be without it."""
    if before is None:
        return "보내기 전의 잔고를 모름"
    since = datetime.fromisoformat(before.at)
    others = [one for one in orders.all() if one.id != order.id and _moved_since(one, since)]
    fills = [fill for fill in orders.fills if fill.seq > before.fill_seq]
    differs = _shares_differ(order, before, positions, others, fills)
    if differs is not None:
        return differs
    if others or fills:
        return _money_differs(order, before, cash, others, fills)
    has, was = orderable(cash), Decimal(before.cash)
    return None if has == was else f"주문 가능 금액 {has:,}, 보내기 전 {was:,}"


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
    if sellable < before.sellable + min(net, 0):
        return f"매도 가능 {sellable}주, 보내기 전 {before.sellable}주"
    return None


def _money_differs(
    order: DeskOrder, before: Before, cash: Cash, others: list[DeskOrder], fills: list[RecordedFill]
) -> str | None:
    """A buy holds money back: compare, when what our other orders freed meanwhile could not hide it."""
    if order.side is Side.SELL:
        return None  # it takes no money; the shares told
    since = datetime.fromisoformat(before.at)
    sent_since = [one for one in others if one.side is Side.BUY and one.sent_at is not None and one.sent_at >= since]
    spent = sum((one.filled_amount + _reserved(one) for one in sent_since), Decimal(0))
    freed = sum((fill.amount for fill in fills if fill.side is Side.SELL), Decimal(0)) + sum(
        (one.request.quantity * (one.request.price or 0) for one in others if one not in sent_since), Decimal(0)
    )
    fees = FEES * (spent + sum((fill.amount for fill in fills), Decimal(0)))
    cost = order.quantity * (order.price or Decimal(0))
    if cost <= freed + fees:
        return "그동안의 다른 거래가 이 주문의 금액보다 커서 금액으로 가릴 수 없음"
    has, least = orderable(cash), Decimal(before.cash) - spent - fees
    return None if has >= least else f"주문 가능 금액 {has:,}, 이 주문이 없었다면 {least:,} 이상"


def _reserved(order: DeskOrder) -> Decimal:
    return (order.price or Decimal(0)) * order.leaves


def _moved_since(order: DeskOrder, since: datetime) -> bool:
    return order.is_open or (order.closed_at is not None and order.closed_at >= since)
