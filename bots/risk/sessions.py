"""Which kinds of order a session takes, by venue (markets.md §7). Pure."""

from __future__ import annotations

from shared.domain.account import Market
from shared.domain.order import OrderType, TimeInForce
from shared.domain.sessions import SessionState, Timetable

_CALLS = frozenset({SessionState.OPEN_AUCTION, SessionState.CLOSE_AUCTION})
_NIGHT = frozenset({SessionState.PRE, SessionState.AFTER, SessionState.POST, SessionState.DAY, SessionState.OVERNIGHT})


def order_refusal(
    state: SessionState, timetable: Timetable, order_type: OrderType, time_in_force: TimeInForce
) -> str | None:
    """Why the open session `state` takes no such order; None when it does."""
    at_once = time_in_force in {TimeInForce.IOC, TimeInForce.FOK}
    if timetable.market is Market.KRX:
        if state in _CALLS and at_once:
            return f"{state}: 동시호가에는 {time_in_force} 주문이 없음"
        market_kind = order_type is not OrderType.LIMIT
        if timetable is Timetable.NXT and market_kind and not (state is SessionState.MAIN and at_once):
            return f"NXT {state}: {order_type} 주문을 받지 않음"
        return None
    # US outside the regular session: day limit orders only.
    if state in _NIGHT and (order_type is not OrderType.LIMIT or at_once):
        return f"{state}: 정규장 밖에서는 지정가 DAY 주문만"
    return None
