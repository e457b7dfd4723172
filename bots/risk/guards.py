"""Pre-trade checks, in order, each with a code. Pure: `(request, snapshot, limits) -> Denied | None`.

Guards refuse; they never shrink an order to fit (reliability.md M04). A limit that is not set is zero and refuses
(C07). Exits pass the guards that limit risk, never those that make an order impossible or doubtful.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from math import isfinite

from bots.risk.snapshot import Limits, Snapshot
from shared.domain.bot_state import BotState, KillLevel
from shared.domain.money import Currency
from shared.domain.order import PRICED, OrderRequest, Side
from shared.domain.signal import Allowed, Denied

MAX_QUANTITY = 1_000_000  # shares in one order: a slip of the finger, not a limit to trade by
CASH_MARGIN = Decimal("1.005")  # commission, and the broker's rounding of it
ELSEWHERE_FRESH_S = 5.0  # what we know of the owner's other accounts, no older (design.md §6)
EXITS_PER_ENTRY = 3  # the order-rate brake lets so many exits pass for each entry: a stop must get out, a loop must not


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


def account(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """Never in the wrong account or environment, entries or exits (design.md §1)."""
    if s.account_doubt is not None:
        return Denied("account_mismatch", s.account_doubt)
    if s.account_currency is not None and request.currency is not s.account_currency:
        return Denied("currency", f"주문 통화 {request.currency}, 계좌 통화 {s.account_currency}")
    return None


def bot_state(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if s.bot_state is BotState.READY or (s.bot_state is BotState.EXITS_ONLY and reduces(request)):
        return None
    return Denied("bot_state", f"봇 상태 {s.bot_state}")


def session(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("session", s.session) if s.session is not None else None


def tradable(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("not_tradable", s.untradable) if s.untradable is not None else None


def frozen(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("frozen", s.frozen) if s.frozen is not None else None


def in_flight(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("in_flight", "같은 종목·방향의 주문이 진행 중") if s.in_flight else None


def duplicate_signal(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    return Denied("duplicate_signal", "이미 주문이 된 신호") if s.signal_used else None


def version(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """No entry by a version that is no longer in force; a position's exits belong to the version that guards it."""
    if s.version_doubt is not None and not reduces(request):
        return Denied("version", s.version_doubt)
    return None


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
    if request.quantity % s.lot:
        return Denied("lot", f"수량 {request.quantity:,}주는 매매단위 {s.lot}주의 배수가 아님")
    return None


def price(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """Tick, daily limits, and the collar around the last price."""
    said = request.currency.said
    if request.order_type not in PRICED or request.price is None:
        return None
    if s.tick is None:
        return Denied("instrument_unknown", f"{request.symbol}의 호가단위를 모름")
    if request.price % s.tick != 0:
        return Denied("tick", f"가격 {said(request.price)}은(는) 호가단위 {said(s.tick)}에 맞지 않음")
    if s.lower_limit is not None and request.price < s.lower_limit:
        return Denied("price_limit", f"가격 {said(request.price)} < 하한가 {said(s.lower_limit)}")
    if s.upper_limit is not None and request.price > s.upper_limit:
        return Denied("price_limit", f"가격 {said(request.price)} > 상한가 {said(s.upper_limit)}")
    return _collar(request.price, request.currency, s, limits)


def _collar(asked: Decimal, currency: Currency, s: Snapshot, limits: Limits) -> Denied | None:
    if s.last is None or s.last <= 0:
        return Denied("no_price", "현재가를 모름")
    away = abs(asked - s.last) / s.last * 100
    if away > limits.price_collar_pct:
        return Denied(
            "collar",
            f"가격 {currency.said(asked)}이(가) 현재가 {currency.said(s.last)}에서 {away:.1f}% 벗어남 "
            f"(한도 {limits.price_collar_pct}%)",
        )
    return None


def order_amount(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    said = request.currency.said
    if reduces(request):
        return None
    amount = _worst_cost(request, s)
    if amount is None:
        return Denied("no_price", "주문 금액을 알 수 없음")
    if amount > limits.max_order_amount:
        return Denied("max_order_amount", f"주문 금액 {said(amount)} > 1회 한도 {said(limits.max_order_amount)}")
    return None


def cash(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if request.side is Side.SELL:
        return None
    amount = _worst_cost(request, s)
    if s.buying_power is None or amount is None:
        return Denied("cash_unknown", "주문가능금액을 모름")
    needed, said = amount * CASH_MARGIN, request.currency.said
    if needed > s.buying_power:
        return Denied("cash", f"필요 {said(needed)} > 주문가능 {said(s.buying_power)}")
    return None


def paid_for(each: Decimal, buying_power: Decimal) -> int:
    """Return the most shares at `each` that the guard `cash` lets pass."""
    return max(int(buying_power // (each * CASH_MARGIN)), 0)


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
    said = request.currency.said
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
        return Denied("max_symbol_amount", f"종목 금액 {said(total)} > 한도 {said(limits.max_symbol_amount)}")
    return None


def daily_buy(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    said = request.currency.said
    if request.side is Side.SELL:
        return None
    amount = _worst_cost(request, s)
    if amount is None or s.day_bought + amount > limits.max_daily_buy:
        asked = said(amount or Decimal(0))
        return Denied("max_daily_buy", f"오늘 매수 {said(s.day_bought)} + {asked} > 한도 {said(limits.max_daily_buy)}")
    return None


def account_exposure(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """Everything held and open in this account, as if filled, never above its limit."""
    said = request.currency.said
    if request.side is Side.SELL:
        return None
    amount = _worst_cost(request, s)
    if s.account_amount is None or amount is None:
        return Denied("exposure_unknown", "보유 금액을 알 수 없음")
    cap = limits.max_daily_buy if limits.max_account_amount is None else limits.max_account_amount
    if s.account_amount + amount > cap:
        return Denied("max_account_amount", f"계좌 금액 {said(s.account_amount)} + {said(amount)} > 한도 {said(cap)}")
    return None


def owner_exposure(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """The same over all of the owner's accounts; an old picture of the others stops entries, nothing else."""
    said = request.currency.said
    if s.elsewhere is None or reduces(request):
        return None
    if s.elsewhere.age_s > ELSEWHERE_FRESH_S:
        age = f"{s.elsewhere.age_s:.0f}초 전" if isfinite(s.elsewhere.age_s) else "모름"
        return Denied("elsewhere_stale", f"같은 명의 다른 계좌의 상태 {age} (한도 {ELSEWHERE_FRESH_S:.0f}초)")
    amount = _worst_cost(request, s)
    if limits.max_owner_amount is None or request.side is Side.SELL:
        return None
    if s.account_amount is None or s.elsewhere.amount is None or amount is None:
        return Denied("exposure_unknown", "보유 금액을 알 수 없음")
    total = s.account_amount + s.elsewhere.amount + amount
    if total > limits.max_owner_amount:
        return Denied("max_owner_amount", f"명의 전체 금액 {said(total)} > 한도 {said(limits.max_owner_amount)}")
    return None


def first_day(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    said = request.currency.said
    if not s.first_day or request.side is Side.SELL:
        return None
    amount, cap = _worst_cost(request, s), limits.first_day_amount or Decimal(0)
    if amount is None or s.day_bought + amount > cap:
        asked = said(amount or Decimal(0))
        return Denied("first_day_cap", f"실전 첫날 매수 {said(s.day_bought)} + {asked} > 첫날 한도 {said(cap)}")
    return None


def daily_loss(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if reduces(request):
        return None
    if s.day_pnl is None:
        return Denied("pnl_unknown", "오늘 손익을 모름")
    said = request.currency.said
    if s.loss_halted:
        stays = "다음 거래일까지 새 진입 없음 (한도를 올리면 풀림)"
        return Denied(
            "max_daily_loss",
            f"오늘 손실 한도 {said(limits.max_daily_loss)}에 닿았음, 지금 손익 {said(s.day_pnl)}: {stays}",
        )
    if limits.max_daily_loss <= 0 or s.day_pnl <= -limits.max_daily_loss:
        return Denied("max_daily_loss", f"오늘 손익 {said(s.day_pnl)}, 손실 한도 {said(limits.max_daily_loss)}")
    return None


def day_orders(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if not reduces(request) and s.day_orders >= limits.max_trades_per_day:
        return Denied("max_trades_per_day", f"오늘 주문 {s.day_orders}건, 한도 {limits.max_trades_per_day}건")
    return None


def order_rate(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """A brake on orders per minute, whoever gives them; exits have more room."""
    most = limits.max_orders_per_minute * (EXITS_PER_ENTRY if reduces(request) else 1)
    if s.minute_orders >= most:
        return Denied("order_rate", f"1분 동안 주문 {s.minute_orders}건, 한도 {most}건")
    return None


def repeats(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """A rule that fills the same order over and over in a minute rests (repeated-execution throttle)."""
    if by_hand(request) or reduces(request) or s.repeats < limits.max_repeats:
        return None
    return Denied("repeated", f"1분 동안 같은 체결 {s.repeats}번, 한도 {limits.max_repeats}번")


def cooldown(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    if s.failures_left_s > 0 and s.failures >= limits.max_failures and not by_hand(request):
        return Denied("failures", f"연속 거부 {s.failures}회, {s.failures_left_s:.0f}초 더 쉼")
    if s.cooldown_left_s > 0 and not reduces(request):
        return Denied("cooldown", f"재진입 대기 {s.cooldown_left_s:.0f}초")
    return None


def self_cross(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """Never trade with our own resting order."""
    if s.crossing is None:
        return None
    if _meets(request, s.crossing):
        return Denied("self_cross", f"우리 반대 주문 {_at(s.crossing, request)}과(와) 체결될 수 있음")
    return None


def opposite_elsewhere(request: OrderRequest, s: Snapshot, limits: Limits) -> Denied | None:
    """Never trade with another account of the same owner (가장매매), as far as a fresh picture shows it."""
    if s.elsewhere is None or s.elsewhere.age_s > ELSEWHERE_FRESH_S:
        return None  # an old one stops entries in `owner_exposure`; exits go on
    theirs = s.elsewhere.crossing(request.side)
    if theirs is not None and _meets(request, theirs):
        return Denied("opposite_order", f"같은 명의 다른 계좌의 반대 주문 {_at(theirs, request)}과(와) 체결될 수 있음")
    return None


def _meets(request: OrderRequest, theirs: Decimal) -> bool:
    """Tell whether the order may trade with one resting at `theirs`; without a price it trades with any."""
    asked = request.price
    return asked is None or (asked >= theirs if request.side is Side.BUY else asked <= theirs)


def _at(crossing: Decimal, request: OrderRequest) -> str:
    """The price of a resting order; one without a price of its own stands as zero or as infinity."""
    return request.currency.said(crossing) if crossing.is_finite() and crossing > 0 else "시장가"


def _worst_cost(request: OrderRequest, s: Snapshot) -> Decimal | None:
    each = request.price if request.price is not None else s.reserve_price
    return None if each is None else each * request.quantity


Guard = Callable[[OrderRequest, Snapshot, Limits], Denied | None]
GUARDS: tuple[Guard, ...] = (
    fencing,
    kill_level,
    account,
    bot_state,
    session,
    tradable,
    frozen,
    in_flight,
    duplicate_signal,
    version,
    data_age,
    store_away,
    quantity,
    price,
    sellable,
    max_position,
    order_amount,
    cash,
    daily_buy,
    first_day,
    account_exposure,
    owner_exposure,
    daily_loss,
    day_orders,
    order_rate,
    repeats,
    cooldown,
    self_cross,
    opposite_elsewhere,
)
