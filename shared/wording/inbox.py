"""Words of 확인 필요: what only a person can settle."""

WORDS: dict[str, tuple[str, str]] = {
    "inbox.kind": ("종류", "Kind"),
    "inbox.what": ("무엇을", "What"),
    "inbox.since": ("언제부터", "Since"),
    "inbox.choose": ("판단할 것", "Settle"),
    "inbox.down": ("봇 멈춤", "bot down"),
    "inbox.drift": ("잔고 불일치", "drift"),
    "inbox.held": ("매도 막힘", "sale held back"),
    "inbox.held_line": ("규칙 {rule}의 {symbol} 매도", "rule {rule}'s sale of {symbol}"),
    "inbox.held_advice": (
        "규칙 {rule}이(가) {symbol}을(를) 팔려고 하나 아래 이유로 나가지 못합니다. 봇은 계속 시도합니다. 막는 것(같은 종목의 다른 매도 주문, "
        "한도)을 치우거나 계좌 화면에서 직접 청산하십시오.",
        "Rule {rule} wants to sell {symbol} and cannot, for the reason below. The bot keeps trying. Clear what is in the way "
        "(another sale of the symbol, a limit), or close the position on the account's page.",
    ),
    "inbox.drift_line": ("{symbol}: 우리 {ours}주 · 증권사 {theirs}주", "{symbol}: ours {ours}, broker {theirs}"),
    "inbox.stopped": ("종목 정지", "symbol stopped"),
    "inbox.post_mortem": ("무슨 일이 있었나", "What happened"),
    "inbox.last_sign": ("마지막 심장 박동 {at}", "Last heartbeat {at}"),
    "inbox.nobody_guards": (
        "**보호 없음: {n}종목.** 봇이 멈춘 동안 손절을 지켜보는 것이 없습니다.",
        "**Unprotected: {n}.** While the bot is down nobody watches a stop.",
    ),
    "inbox.open_orders": ("아직 살아 있을 수 있는 주문", "Orders that may still be live"),
    "inbox.last_order": ("마지막 주문", "Last order"),
    "inbox.last_log": ("마지막 로그", "Last lines of its log"),
    "inbox.exits_only": ("청산만으로 시작", "Start, exits only"),
    "inbox.exits_only_help": (
        "이 계좌를 신규 진입 금지로 올리고 시작합니다. 손절과 청산만 나갑니다.",
        "Raises this account to no-new-entries and starts it: only stops and exits leave.",
    ),
    "inbox.open_account": ("계좌 열기", "Open the account"),
    "inbox.open_logs": ("로그 열기", "Open the log"),
    "inbox.live_by_account": (
        "실전 계좌는 계좌 화면에서 이름을 입력하고 시작합니다.",
        "A LIVE account is started on its own page, with its name typed.",
    ),
    "inbox.order_advice": (
        "증권사 앱에서 이 주문을 찾으십시오. 같은 주문을 다시 내지 마십시오.",
        "Look for this order in the broker's own app. Do not send it again.",
    ),
    "inbox.broker_number": ("증권사 주문번호", "Broker's order number"),
    "inbox.it_is_this": ("이 번호가 이 주문입니다", "This number is the order"),
    "inbox.not_there_sure": ("증권사에 없음을 확인했습니다", "I looked: the broker has no such order"),
    "inbox.not_there": ("접수되지 않았음", "It was never accepted"),
    "inbox.drift_advice": (
        "{symbol}: 우리 기록은 {ours}주, 증권사 잔고는 {theirs}주입니다. 직접 낸 주문, 권리 변동, 놓친 체결을 확인하십시오. "
        "판단할 때까지 이 종목의 신규 진입은 막힙니다.",
        "{symbol}: our record says {ours}, the broker holds {theirs}. Look for trades by hand, corporate actions, missed "
        "fills. Until then nothing enters this symbol.",
    ),
    "inbox.owner": ("주인 없는 주식은", "Shares without an owner"),
    "inbox.owner_leave": ("내가 관리 (규칙이 팔지 않음)", "stay mine (no rule sells them)"),
    "inbox.owner_adopt": ("모두 한 규칙에 맡김", "all go to one rule"),
    "inbox.owner_split": ("규칙마다 나눔, 나머지는 내가 관리", "split between rules, the rest stays mine"),
    "inbox.owner_rescale": (
        "분할·병합·무상증자: 규칙의 몫도 같은 비율로",
        "a corporate action: each rule's part changes alike",
    ),
    "inbox.owner_rule": ("맡을 규칙", "The rule"),
    "inbox.owner_shares": ("규칙 {rule}이(가) 맡을 주식 수", "Shares for rule {rule}"),
    "inbox.accept_holding": ("증권사 잔고 {n}주를 인정", "The broker's {n} is right"),
    "inbox.stopped_advice": (
        "{symbol}은(는) 기록이 어긋나 멈췄습니다. 증권사 앱과 비교한 뒤 푸십시오.",
        "{symbol} was stopped by a contradiction. Compare with the broker's app, then lift it.",
    ),
    "inbox.lift": ("{symbol} 다시 거래", "Trade {symbol} again"),
    "inbox.asked": ("봇에 전했습니다", "The bot was told"),
    "inbox.alerts": ("지나간 일은", "What has passed:"),
}
