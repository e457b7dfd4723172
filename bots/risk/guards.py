"""Pre-trade checks, in order, each with a code. Pure: `(request, snapshot, limits) -> Denied | None`.

Guards refuse; they never shrink an order to fit (reliability.md M04). A limit that is not set is zero and refuses
(C07). Exits pass the guards that limit risk, never those that make an order impossible or doubtful.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import isfinite

from shared.domain.bot_state import BotState, KillLevel
from shared.domain.order import PRICED, OrderRequest, Side
from shared.domain.signal import Allowed, Denied

MAX_QUANTITY = 1_000_000  # shares in one order: a slip of the finger, not a limit to trade by
CASH_MARGIN = Decimal("1.005")  # commission, and the broker's rounding of it


@dataclass(frozen=True, slots=True)
class Limits:
    """The account's limits. Zero means that nothing passes."""

    max_order_amount: Decimal = Decimal(0)
    max_symbol_amount: Decimal = Decimal(0)
    max_daily_buy: Decimal = Decimal(0)
    max_daily_loss: Decimal = Decimal(0)
    max_trades_per_day: int = 0
    price_collar_pct: Decimal = Decimal(3)
    max_data_age_s: float = 15
    entries_on_fallback: bool = False
    store_outage_entry_s: float = 300
    max_failures: int = 3  # proven refusals in a row, then the symbol's side rests
    rule_max_shares: int | None = None  # of the rule that asks; None: no rule asks


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a guard may look at, taken in one step of the loop. What is not known is None and refuses."""

    now: datetime  # market time
    kill_level: KillLevel
    bot_state: BotState
    fenced: str | None  # why this process may not act for the account
    session: str | None  # why the market takes no orders now; None when it does
    last: Decimal | None
    last_age_s: float | None
    from_fallback: bool
    tick: Decimal | None  # price step at the order's price; None when the instrument is not known
    lower_limit: Decimal | None
    upper_limit: Decimal | None
    reserve_price: Decimal | None  # what one share may cost at most: the limit price, else the day's upper bound
    store_away_s: float
    buying_power: Decimal | None  # the broker's, less what it cannot have seen yet
    free_to_sell: int | None  # what the broker lets us sell, less what our open orders already sell
    open_buy_amount: Decimal  # of this symbol, open and unknown as if filled
    held_amount: Decimal  # market value of the holding of this symbol
    rule_shares: int  # what the asking rule holds, its open buys included
    day_bought: Decimal  # filled and open buys of the trade date, all symbols
    day_pnl: Decimal | None
    day_orders: int
    in_flight: bool  # an order of this symbol and side is open
    frozen: str | None
    signal_used: bool
    failures: int
    failures_rest: bool  # the pause after too many failures still runs
    cooldown_left_s: float
    crossing: Decimal | None  # best price of our own open orders on the other side


def reduces(request: OrderRequest) -> bool:
    """An order that can only shrink a position."""
    return request.reduces and request.side is Side.SELL


def by_hand(request: OrderRequest) -> bool:
    return request.rule_id is None


def check(request: OrderRequest, snapshot: Snapshot, limits: Limits) -> Allowed | Denied:
    """Run every guard in order; the first refusal counts."""
    for place, guard in enumerate(GUARDS):
        denied = guard(request, snapshot, limits)
        if denied is not None:
            return replace(denied, passed=tuple(one.__name__ for one in GUARDS[:place]))
    return Allowed(tuple(guard.__name__ for guard in GUARDS))


def fencing(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("fenced", s.fenced) if s.fenced is not None else None


def kill_level(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return kill_denies(request, s.kill_level)


def kill_denies(request: OrderRequest, level: KillLevel) -> Denied | None:
    """NO_NEW stops entries, REDUCE_ONLY all that does not shrink a position, HALT everything but cancels."""
    if level is KillLevel.HALT:
        return Denied("kill_halt", "긴급정지 HALT: 취소만 나갈 수 있음")
    if level >= KillLevel.NO_NEW and not reduces(request):
        return Denied("kill_no_new", f"긴급정지 {level.name}: 새 진입 금지")
    return None


def bot_state(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if s.bot_state is BotState.READY or (s.bot_state is BotState.EXITS_ONLY and reduces(request)):
        return None
    return Denied("bot_state", f"봇 상태 {s.bot_state}")


def session(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("session", s.session) if s.session is not None else None


def frozen(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("frozen", s.frozen) if s.frozen is not None else None


def in_flight(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("in_flight", "같은 종목·방향의 주문이 진행 중") if s.in_flight else None


def duplicate_signal(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("duplicate_signal", "이미 주문이 된 신호") if s.signal_used else None


def data_age(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """No order on a stale price; a person closing by hand sees what he does. Rules do not enter on fallback prices."""
    if reduces(request) and by_hand(request):
        return None
    if s.last_age_s is None or s.last_age_s > limits.max_data_age_s:
        age = "없음" if s.last_age_s is None else f"{s.last_age_s:.0f}초 전"
        return Denied("stale_data", f"시세 {age} (한도 {limits.max_data_age_s:.0f}초)")
    if s.from_fallback and not (limits.entries_on_fallback or reduces(request) or by_hand(request)):
        return Denied("fallback_data", "폴백 시세로는 진입하지 않음")
    return None


def store_away(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if s.store_away_s > limits.store_outage_entry_s and not reduces(request):
        how_long = f"{s.store_away_s:.0f}초" if isfinite(s.store_away_s) else "시작 때부터, 사본으로 청산만"
        return Denied("store_away", f"저장소 끊김 {how_long}")
    return None


def quantity(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if request.quantity > MAX_QUANTITY:
        return Denied("quantity", f"수량 {request.quantity:,}주는 한 주문으로 너무 큼")
    return None


def price(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """Tick, daily limits, and the collar around the last price."""
    if request.order_type not in PRICED or request.price is None:
        return None
    if s.tick is None:
        return Denied("instrument_unknown", f"{request.symbol}의 호가단위를 모름")
    if request.price % s.tick != 0:
        return Denied("tick", f"가격 {request.price}은(는) 호가단위 {s.tick}에 맞지 않음")
    if s.lower_limit is not None and request.price < s.lower_limit:
        return Denied("price_limit", f"가격 {request.price} < 하한가 {s.lower_limit}")
    if s.upper_limit is not None and request.price > s.upper_limit:
        return Denied("price_limit", f"가격 {request.price} > 상한가 {s.upper_limit}")
    return _collar(request.price, s, limits)


def _collar(asked: Decimal, s: Snapshot, limits: Limits) -> Denied | None:
    if s.last is None or s.last <= 0:
        return Denied("no_price", "현재가를 모름")
    away = abs(asked - s.last) / s.last * 100
    if away > limits.price_collar_pct:
        return Denied(
            "collar", f"가격 {asked}이(가) 현재가 {s.last}에서 {away:.1f}% 벗어남 (한도 {limits.price_collar_pct}%)"
        )
    return None


def order_amount(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if reduces(request):
        return None
    amount = _worst_cost(request, s)
    if amount is None:
        return Denied("no_price", "주문 금액을 알 수 없음")
    if amount > limits.max_order_amount:
        return Denied("max_order_amount", f"주문 금액 {amount:,} > 1회 한도 {limits.max_order_amount:,}")
    return None


def cash(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if request.side is Side.SELL:
        return None
    amount = _worst_cost(request, s)
    if s.buying_power is None or amount is None:
        return Denied("cash_unknown", "주문가능금액을 모름")
    if amount * CASH_MARGIN > s.buying_power:
        return Denied("cash", f"필요 {amount:,.2f} > 주문가능 {s.buying_power:,.2f}")
    return None


def sellable(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """Never sell more than the broker lets us, less what our open orders already sell."""
    if request.side is Side.BUY:
        return None
    if s.free_to_sell is None:
        return Denied("holdings_unknown", "잔고를 모름")
    if request.quantity > s.free_to_sell:
        return Denied("sellable", f"매도 {request.quantity}주 > 매도가능 {max(s.free_to_sell, 0)}주")
    return None


def max_position(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if request.side is Side.SELL:
        return None
    if limits.rule_max_shares is not None and s.rule_shares + request.quantity > limits.rule_max_shares:
        return Denied(
            "max_position", f"규칙 보유 {s.rule_shares}+{request.quantity}주 > 한도 {limits.rule_max_shares}주"
        )
    amount = _worst_cost(request, s)
    if amount is None:
        return Denied("no_price", "주문 금액을 알 수 없음")
    total = s.held_amount + s.open_buy_amount + amount
    if total > limits.max_symbol_amount:
        return Denied("max_symbol_amount", f"종목 금액 {total:,.2f} > 한도 {limits.max_symbol_amount:,}")
    return None


def daily_buy(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if request.side is Side.SELL:
        return None
    amount = _worst_cost(request, s)
    if amount is None or s.day_bought + amount > limits.max_daily_buy:
        return Denied(
            "max_daily_buy", f"오늘 매수 {s.day_bought:,.2f} + {amount or 0:,.2f} > 한도 {limits.max_daily_buy:,}"
        )
    return None


def daily_loss(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if reduces(request):
        return None
    if s.day_pnl is None:
        return Denied("pnl_unknown", "오늘 손익을 모름")
    if limits.max_daily_loss <= 0 or s.day_pnl <= -limits.max_daily_loss:
        return Denied("max_daily_loss", f"오늘 손익 {s.day_pnl:,.2f}, 손실 한도 {limits.max_daily_loss:,}")
    return None


def day_orders(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if not reduces(request) and s.day_orders >= limits.max_trades_per_day:
        return Denied("max_trades_per_day", f"오늘 주문 {s.day_orders}건, 한도 {limits.max_trades_per_day}건")
    return None


def cooldown(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if s.failures_rest and s.failures >= limits.max_failures and not by_hand(request):
        return Denied("failures", f"연속 거부 {s.failures}회, 쉬는 중")
    if s.cooldown_left_s > 0 and not reduces(request):
        return Denied("cooldown", f"재진입 대기 {s.cooldown_left_s:.0f}초")
    return None


def self_cross(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """Never trade with our own resting order."""
    if s.crossing is None:
        return None
    asked = request.price
    if asked is None or (asked >= s.crossing if request.side is Side.BUY else asked <= s.crossing):
        return Denied("self_cross", f"우리 반대 주문 {s.crossing}과(와) 체결될 수 있음")
    return None


def _worst_cost(request: OrderRequest, s: Snapshot) -> Decimal | None:
    each = request.price if request.price is not None else s.reserve_price
    return None if each is None else each * request.quantity


Guard = Callable[[OrderRequest, Snapshot, Limits], Denied | None]
GUARDS: tuple[Guard, ...] = (
    fencing,
    kill_level,
    bot_state,
    session,
    frozen,
    in_flight,
    duplicate_signal,
    data_age,
    store_away,
    quantity,
    price,
    sellable,
    max_position,
    order_amount,
    cash,
    daily_buy,
    daily_loss,
    day_orders,
    cooldown,
    self_cross,
)
