"""What to do about a refusal, by its code; and the guards' names, in the order in which they are asked."""

from __future__ import annotations

_WAIT = ("저절로 풀립니다. 오래 가면 `bot logs`를 보십시오", "It passes by itself; if it lasts, see `bot logs`")
_ACCOUNT_LIMIT = (
    "그대로 두거나, 관리자가 계좌 화면에서 한도를 올립니다",
    "Leave it, or an Admin raises the limit on the account's page",
)
_RISK_LIMIT = (
    "그대로 두거나, 관리자가 리스크 화면에서 한도를 올립니다",
    "Leave it, or an Admin raises the limit on the risk page",
)
_RULE = ("규칙을 고쳐 새 버전으로 저장하십시오", "Mend the rule and save it as a new version")
_PRICE = (
    "가격을 고쳐 다시 내십시오. 규칙은 다음 판단에서 새로 정합니다",
    "Mend the price; a rule sets it anew at its next decision",
)
_BROKER = (
    "봇이 증권사에 다시 묻습니다. 오래 가면 관제에서 봇 상태를 보십시오",
    "The bot asks the broker again; if it lasts, see its state",
)

NOW: dict[str, tuple[str, str]] = {
    "fenced": ("어느 호스트가 계좌를 맡았는지 계좌 화면에서 보십시오", "See on the account's page which host has it"),
    "unfit": (
        "서버 부하와 시각 동기화를 보십시오. 괜찮아지면 풀립니다",
        "Look at the machine's load and clock; it lifts by itself",
    ),
    "too_late": (
        "다시 판단합니다. 되풀이되면 서버 부하를 보십시오",
        "It is decided anew; if it repeats, look at the load",
    ),
    "kill_halt": ("관리자가 긴급정지를 내리면 풀립니다", "An Admin lowers the kill switch"),
    "kill_no_new": (
        "관리자가 긴급정지를 내리면 풀립니다. 청산은 계속됩니다",
        "An Admin lowers the kill switch; exits go on",
    ),
    "account_mismatch": ("계좌의 키와 설정을 확인하십시오", "Check the account's keys and settings"),
    "currency": _RULE,
    "bot_state": _BROKER,
    "session": (
        "장이 열리면 다시 판단합니다. 정규장 밖은 리스크 화면에서 켭니다",
        "Judged again once it opens; other hours: the risk page",
    ),
    "not_tradable": (
        "거래정지가 풀리기를 기다리거나 규칙에서 종목을 빼십시오",
        "Wait for the halt to end, or take the symbol out of the rule",
    ),
    "frozen": (
        "확인 중인 주문이면 봇이 끝냅니다. 멈춘 종목이면 '확인 필요'에서 보고 푸십시오",
        "An unproven order the bot settles; a stopped symbol is lifted under 'Needs you'",
    ),
    "in_flight": ("그 주문이 끝나면 다시 판단합니다", "Judged again once that order has ended"),
    "duplicate_signal": ("할 일이 없습니다. 한 신호는 한 번만 주문합니다", "Nothing to do: one signal, one order"),
    "version": ("할 일이 없습니다. 새 버전이 다시 판단합니다", "Nothing to do: the new version judges"),
    "stale_data": _WAIT,
    "fallback_data": ("실시간이 돌아오면 다시 삽니다", "Entries resume with the stream"),
    "store_away": ("저장소 연결을 확인하십시오. 청산은 계속됩니다", "Check the store; exits go on"),
    "quantity": ("수량을 나누어 내십시오", "Split the quantity"),
    "lot": ("매매단위의 배수로 내십시오", "Use a multiple of the lot"),
    "instrument_unknown": ("종목코드가 맞는지 보십시오", "Check the symbol"),
    "tick": _PRICE,
    "price_limit": _PRICE,
    "no_price": (
        "종목코드와 봇 로그를 보십시오. 시세가 오면 다시 판단합니다",
        "Check the symbol and the bot's log; judged once a price comes",
    ),
    "collar": _PRICE,
    "sellable": (
        "다른 매도 주문이 있는지, 결제 전 주식인지 보십시오",
        "See whether another sale is open, or the shares are not settled",
    ),
    "holdings_unknown": _BROKER,
    "max_position": (
        "규칙의 최대 보유 수량을 늘리거나 그대로 두십시오",
        "Raise the rule's largest position, or leave it",
    ),
    "max_symbol_amount": _ACCOUNT_LIMIT,
    "max_order_amount": (
        "규칙의 수량을 줄이거나, 관리자가 계좌 화면에서 한도를 올립니다",
        "Size the rule smaller, or an Admin raises the limit",
    ),
    "cash": ("입금하거나 규칙의 수량을 줄이십시오", "Pay in, or size the rule smaller"),
    "cash_unknown": _BROKER,
    "max_daily_buy": (
        "다음 거래일에 풀립니다. 오늘 더 사려면 관리자가 계좌 화면에서 한도를 올립니다",
        "Over with the trade date, or an Admin raises it",
    ),
    "first_day_cap": (
        "실전 다음 거래일에 풀립니다. 한도는 리스크 화면에 있습니다",
        "Over with the first LIVE day; the cap is on the risk page",
    ),
    "max_account_amount": _RISK_LIMIT,
    "max_owner_amount": _RISK_LIMIT,
    "exposure_unknown": _BROKER,
    "elsewhere_stale": (
        "같은 명의 다른 계좌의 봇과 저장소를 보십시오. 청산은 계속됩니다",
        "See the owner's other bots and the store; exits go on",
    ),
    "max_daily_loss": (
        "다음 거래일에 풀립니다. 오늘 풀려면 관리자가 계좌 화면에서 한도를 올립니다",
        "Over with the trade date, or an Admin raises it",
    ),
    "pnl_unknown": _BROKER,
    "max_trades_per_day": (
        "다음 거래일에 풀립니다. 오늘 더 내려면 관리자가 계좌 화면에서 한도를 올립니다",
        "Over with the trade date, or an Admin raises it",
    ),
    "order_rate": (
        "1분이 지나면 풀립니다. 되풀이되면 규칙이 너무 자주 사고팝니다 (한도는 리스크 화면)",
        "Over in a minute; if it repeats, the rule trades too often",
    ),
    "repeated": (
        "1분이 지나면 풀립니다. 되풀이되면 규칙을 끄고 조건을 보십시오",
        "Over in a minute; if it repeats, see the rule's conditions",
    ),
    "failures": (
        "쉬었다 다시 냅니다. 거부 사유는 주문 화면에 있습니다",
        "Tried again after the rest; the broker's reason is on the orders page",
    ),
    "cooldown": (
        "대기 시간이 지나면 다시 판단합니다 (규칙의 cooldown_sec)",
        "Judged again after the wait (the rule's cooldown_sec)",
    ),
    "self_cross": (
        "먼저 걸린 우리 주문을 취소하면 나갑니다. 청산은 봇이 스스로 취소합니다",
        "Cancel our resting order first; for exits the bot does",
    ),
    "opposite_order": (
        "다른 계좌의 주문을 취소하면 나갑니다. 청산은 봇이 스스로 부탁합니다",
        "Cancel the other account's order; for exits the bot asks it to",
    ),
    "rule_off": ("규칙을 켜면 다시 삽니다. 청산은 계속됩니다", "Switch the rule on to enter again; exits go on"),
    "sizing": ("규칙의 수량(sizing)이나 잔고를 보십시오", "See the rule's sizing and the cash"),
    "no_position": ("할 일이 없습니다", "Nothing to do"),
    "waits_for_open": ("할 일이 없습니다. 개장하면 합니다", "Nothing to do: it is done at the open"),
    "waits_for_approval": ("'확인 필요'에서 승인하거나 거절하십시오", "Approve or decline it under 'Needs you'"),
    "approval_declined": ("할 일이 없습니다. 다음 신호에 다시 묻습니다", "Nothing to do: the next signal asks again"),
    "approval_expired": ("할 일이 없습니다. 다음 신호에 다시 묻습니다", "Nothing to do: the next signal asks again"),
}

GATES: dict[str, tuple[str, str]] = {
    "fencing": ("계좌 점유", "holder"), "kill_level": ("긴급정지", "kill switch"), "account": ("계좌·환경", "account"),
    "bot_state": ("봇 상태", "bot state"), "session": ("장 시간", "session"), "tradable": ("거래정지", "tradable"),
    "frozen": ("종목 멈춤", "frozen"), "in_flight": ("진행 중 주문", "in flight"), "duplicate_signal": ("같은 신호", "same signal"),
    "version": ("규칙 버전", "version"), "data_age": ("시세 나이", "data age"), "store_away": ("저장소", "store"),
    "quantity": ("수량", "quantity"), "price": ("가격", "price"), "sellable": ("매도가능", "sellable"),
    "max_position": ("보유 한도", "position"), "order_amount": ("1회 한도", "per order"), "cash": ("예수금", "cash"),
    "daily_buy": ("하루 매수", "daily buys"), "first_day": ("실전 첫날", "first day"),
    "account_exposure": ("계좌 금액", "account exposure"),
    "owner_exposure": ("명의 금액", "owner exposure"), "daily_loss": ("하루 손실", "daily loss"),
    "day_orders": ("하루 주문", "daily orders"),
    "order_rate": ("분당 주문", "order rate"), "repeats": ("되풀이", "repeats"), "cooldown": ("재진입 대기", "cool-down"),
    "self_cross": ("우리 반대 주문", "own orders"), "opposite_elsewhere": ("명의 반대 주문", "owner's orders"),
}  # fmt: skip

WORDS: dict[str, tuple[str, str]] = {
    **{f"now.{code}": both for code, both in NOW.items()},
    **{f"gate.{name}": both for name, both in GATES.items()},
}
