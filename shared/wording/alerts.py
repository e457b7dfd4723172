"""Alerts: what happened, and what to do now. Parameters come from the alert's row."""

TEXTS: dict[str, tuple[str, str]] = {
    "FILL": ("체결: {symbol} {side} {quantity}주 @ {price}", "Filled: {symbol} {side} {quantity} @ {price}"),
    "SIGNAL": ("신호: {symbol} {side} — 규칙 {rule}, {reason}", "Signal: {symbol} {side} — rule {rule}, {reason}"),
    "ORDER_REJECTED": (
        "주문 거부: {symbol} {side} {quantity}주 — {reason}",
        "Order rejected: {symbol} {side} {quantity} — {reason}",
    ),
    "ORDER_UNKNOWN": (
        "주문 결과 미확인: {symbol} {side} {quantity}주",
        "Order outcome unknown: {symbol} {side} {quantity}",
    ),
    "NEEDS_OPERATOR": (
        "주문 확인 필요: {symbol} {side} {quantity}주",
        "Order needs a person: {symbol} {side} {quantity}",
    ),
    "ORDER_CONTRADICTION": (
        "{symbol} 정지: 증권사 기록과 어긋남 — {reason}",
        "{symbol} stopped: the broker contradicts us — {reason}",
    ),
    "FILL_IMPOSSIBLE": (
        "{symbol} 정지: 주문 {order}보다 많이 체결됨",
        "{symbol} stopped: more was filled than order {order} asked for",
    ),
    "BOT_SILENT": ("봇 응답 없음 ({silent_s}초)", "Bot is silent ({silent_s} s)"),
    "PROGRAM_SILENT": ("{program} 응답 없음 ({silent_s}초, {host})", "{program} is silent ({silent_s} s, {host})"),
    "HOST_SILENT": ("호스트 {host} 응답 없음: {accounts}", "Host {host} is silent: {accounts}"),
    "LOOP_STALLED": ("봇이 {stalled_s}초 멈췄다 돌아옴", "The bot stood still for {stalled_s} s"),
    "CLOCK_SKEW": ("시계가 {skew_s}초 어긋남 ({source})", "The clock is off by {skew_s} s ({source})"),
    "STORE_BACK": (
        "저장소 복귀: {away_s}초 끊김, 밀린 기록 {behind}건",
        "The store is back after {away_s} s; {behind} rows behind",
    ),
    "BOT_PARKED": ("봇 반복 종료로 세워 둠: {reason}", "Bot parked after repeated exits: {reason}"),
    "BOT_FATAL": ("봇이 시작하지 못함: {reason}", "Bot cannot start: {reason}"),
    "BOT_HELD": ("봇 수동 정지", "Bot stopped by hand"),
    "BOT_BLOCKED": ("봇 거래 중단: {reason}", "Bot blocked: {reason}"),
    "KEY_REFUSED": ("증권사가 키를 거부: {reason}", "Broker refused the key: {reason}"),
    "CONFIG_REFUSED": ("설정 적용 거부: {reason}", "Configuration refused: {reason}"),
    "RULE_PARKED": ("규칙 {rule} 멈춤: {reason}", "Rule {rule} parked: {reason}"),
    "PARITY": (
        "{day} 재현이 실제 판단과 {n}곳 다릅니다 (연구 {run}번)",
        "{day}: the replay differs from what was decided in {n} places (research {run})",
    ),
    "PRICE_SPIKE": (
        "가격 급변: {symbol} {change_pct}% ({minutes}분)",
        "Price spike: {symbol} {change_pct}% in {minutes} min",
    ),
    "STOP_HIT": ("손절 매도: {symbol} — {reason}", "Stop hit, selling: {symbol} — {reason}"),
    "READY": ("개장 전 점검 {market}: 계좌 {n}개 모두 준비됨", "Before the open, {market}: all {n} accounts are ready"),
    "READY_NOT": (
        "개장 전 점검 {market}: 계좌 {n}개 중 {short}개 준비 안 됨 — {which}",
        "Before the open, {market}: {short} of {n} accounts are not ready — {which}",
    ),
    "JOB_MISSED": ("작업 {job}의 차례를 놓침 ({due})", "Job {job} missed its turn ({due})"),
    "JOB_FAILED": ("작업 {job} 실패: {reason}", "Job {job} failed: {reason}"),
    "FEE_CONTRACT_ENDS": (
        "수수료 계약이 {days}일 뒤 끝남 ({ends})",
        "The fee contract ends in {days} days ({ends})",
    ),
    "FX_STALE": ("환율이 오래됨 ({days}일 전)", "The exchange rate is old ({days} days)"),
    "CALENDAR_ENDS": ("{market} 달력이 {ends}까지뿐임", "The {market} calendar ends on {ends}"),
    "CORPORATE_ACTION": (
        "{symbol} 권리 조정: 과거 가격이 {ratio}배가 됨",
        "{symbol}: past prices were adjusted by {ratio}, a corporate action",
    ),
    "STREAM_TAKEN": ("실시간 자리를 다른 접속이 쓰는 중: {reason}", "Stream in use by another session: {reason}"),
    "CALENDAR_DISAGREES": (
        "개장일이 어긋남: {day} 우리 달력 {ours} · 증권사 {theirs}",
        "Calendars disagree: {day} ours {ours}, broker {theirs}",
    ),
    "FEED_SILENT": ("시세 끊김: {symbol}", "Market data silent: {symbol}"),
    "STORE_AWAY": ("저장소 연결 끊김", "Store unreachable"),
    "DRIFT": (
        "잔고 불일치: {symbol} 우리 {ours} · 증권사 {theirs}",
        "Position drift: {symbol} ours {ours}, broker {theirs}",
    ),
    "SPLIT_SUSPECTED": (
        "권리 변동(분할·병합) 의심: {symbol} 우리 {ours} · 증권사 {theirs}, 손절 멈춤",
        "Split suspected: {symbol} ours {ours}, broker {theirs}; stops wait",
    ),
    "UNGUARDED": ("보호 안 된 포지션: {symbol} {quantity}주", "Unguarded position: {symbol} {quantity}"),
    "LOSS_HALT": (
        "하루 손실 한도 {limit}에 닿아 오늘 새로 사지 않음 (손익 {pnl}, {day})",
        "Loss limit {limit} of the day reached: no entries today (P&L {pnl}, {day})",
    ),
    "EXIT_HELD": (
        "규칙 {rule}의 {symbol} 매도가 {seconds}초째 막힘: {reason}",
        "Rule {rule} wants to sell {symbol} and has been held back for {seconds} s: {reason}",
    ),
    "EXIT_UNDONE": (
        "규칙 {rule}의 {symbol} 청산을 {minutes}분 동안 내지 못함: {reason}",
        "Rule {rule} could not sell {symbol} for {minutes} min: {reason}",
    ),
    "TOKEN_EXPIRING": ("토큰 만료 임박", "Token about to expire"),
    "ARMED_EXPIRED": ("실전 승인 만료", "Live approval expired"),
    "APPROVAL_WAITING": (
        "승인 대기: {symbol} {side} {quantity}주 @ {price}",
        "Waits for approval: {symbol} {side} {quantity} @ {price}",
    ),
    "KILL_RAISED": ("긴급정지 {level}: {by}", "Kill switch {level}: {by}"),
}

ADVICE: dict[str, tuple[str, str]] = {
    "READY_NOT": (
        "일정 화면의 개장 전 점검에서 부족한 것을 개장 전에 고치십시오",
        "See the schedule page, and mend what is lacking before the open",
    ),
    "JOB_MISSED": (
        "데스크가 꺼져 있었는지 보고, 필요하면 지금 실행하십시오",
        "See why the desk was off; run it now if it matters",
    ),
    "JOB_FAILED": (
        "일정 화면의 결과를 보십시오. 몇 번 더 시도합니다",
        "See the schedule page; it is tried a few more times",
    ),
    "FEE_CONTRACT_ENDS": (
        "증권사와 수수료를 다시 정하고 새 계약을 적으십시오",
        "Agree on new fees with the broker and write the contract down",
    ),
    "FX_STALE": ("미국 계좌의 봇을 켜거나 환율을 직접 적으십시오", "Start a US bot, or enter the rate by hand"),
    "CALENDAR_ENDS": (
        "LetsTrade를 올리거나 calendar_overrides.csv에 적으십시오",
        "Update LetsTrade, or write the days into calendar_overrides.csv",
    ),
    "CORPORATE_ACTION": (
        "보유 수량과 평균단가, 손절가를 확인하십시오",
        "Check quantity, average price and stops of the holding",
    ),
    "PROGRAM_SILENT": (
        "감시끼리 서로 다시 시작합니다. 되풀이되면 `make doctor`.",
        "The watchers restart each other. If it repeats: `make doctor`.",
    ),
    "HOST_SILENT": (
        "그 호스트를 살리십시오. 못 살리면 `account move`로 계좌를 놓아주십시오 (그 호스트가 꺼진 것을 먼저 확인).",
        "Bring that host back. If you cannot: be sure that it is off, then `account move`.",
    ),
    "LOOP_STALLED": (
        "시세가 새로 들어올 때까지 신규 진입을 막았습니다. 서버 부하를 보십시오.",
        "Entries stayed out until prices were fresh again. Look at the machine's load.",
    ),
    "CLOCK_SKEW": (
        "신규 진입을 막았습니다. 서버 시각 동기화(NTP)를 확인하십시오.",
        "Entries are blocked. Check the machine's time synchronisation (NTP).",
    ),
    "STORE_BACK": ("할 일이 없습니다. 밀린 기록은 차례로 들어옵니다.", "Nothing to do. The rows arrive in order."),
    "ORDER_REJECTED": ("사유를 보고 규칙이나 한도를 고치십시오.", "Read the reason; mend the rule or the limit."),
    "ORDER_UNKNOWN": (
        "봇이 증권사에 조회 중입니다. 같은 주문을 다시 내지 마십시오.",
        "The bot is asking the broker. Do not send the order again.",
    ),
    "NEEDS_OPERATOR": (
        "증권사 앱에서 주문을 확인한 뒤 주문 화면에서 판단하십시오.",
        "Look at the broker's own app, then decide on the orders page.",
    ),
    "ORDER_CONTRADICTION": (
        "종목 거래를 멈췄습니다. 증권사 앱과 비교하십시오.",
        "The symbol is frozen. Compare with the broker's own app.",
    ),
    "FILL_IMPOSSIBLE": (
        "종목 거래를 멈췄습니다. 증권사 앱과 비교하십시오.",
        "The symbol is frozen. Compare with the broker's own app.",
    ),
    "BOT_SILENT": ("로그를 보십시오. 감시 프로그램이 다시 시작합니다.", "Look at the log; the watchdog restarts it."),
    "BOT_PARKED": ("원인을 고친 뒤 계좌에서 시작을 누르십시오.", "Mend the cause, then press start on the account."),
    "BOT_FATAL": ("원인을 고친 뒤 계좌에서 시작을 누르십시오.", "Mend the cause, then press start on the account."),
    "BOT_HELD": ("다시 거래하려면 계좌에서 시작을 누르십시오.", "Press start on the account to trade again."),
    "BOT_BLOCKED": ("계좌의 키와 설정을 확인하십시오.", "Check the keys and settings of the account."),
    "KEY_REFUSED": ("계좌 설정에서 키를 다시 입력하십시오.", "Enter the keys again in the account's settings."),
    "CONFIG_REFUSED": (
        "이전 설정으로 계속합니다. 규칙이나 한도를 고치십시오.",
        "The old one stays in force. Mend the rule or limit.",
    ),
    "RULE_PARKED": ("규칙을 고쳐 저장하면 다시 시작합니다.", "Mend and save the rule to resume it."),
    "DRIFT": ("증권사 앱의 잔고와 비교하십시오.", "Compare with the holdings in the broker's own app."),
    "SPLIT_SUSPECTED": (
        "확인함에서 권리 변동인지 정하십시오. 정할 때까지 이 종목의 손절은 팔지 않습니다.",
        "Say in the inbox whether it is a corporate action. Until then no stop of this symbol sells.",
    ),
    "UNGUARDED": ("손절이 있는 규칙을 켜거나 직접 정리하십시오.", "Enable a rule with a stop, or close it yourself."),
    "STORE_AWAY": ("청산은 계속됩니다. 저장소를 확인하십시오.", "Exits go on. Check the store."),
    "STREAM_TAKEN": (
        "같은 앱 키를 쓰는 다른 프로그램을 끄십시오. 그동안 REST 시세로 거래합니다.",
        "Stop the other program that uses this app key; quotes come by REST meanwhile.",
    ),
    "CALENDAR_DISAGREES": (
        "새로 사지 않습니다. 거래소 공지를 보고 달력의 예외 파일을 고치십시오.",
        "No entries. Look at the exchange's notice and mend the calendar's override file.",
    ),
    "APPROVAL_WAITING": (
        "'확인 필요'에서 승인하거나 거절하십시오. 그냥 두면 주문하지 않습니다.",
        "Approve or decline it under 'Needs you'. Left alone, nothing is sent.",
    ),
    "STOP_HIT": (
        "청산 주문이 체결되었는지 주문 화면에서 보십시오.",
        "See on the orders page whether the exit was filled.",
    ),
    "FEED_SILENT": ("청산은 REST 시세로 계속됩니다.", "Exits go on with REST quotes."),
    "PARITY": ("연구 화면에서 다른 곳을 보십시오. 거래는 계속됩니다.", "See the research page. Trading goes on."),
    "PRICE_SPIKE": ("뉴스를 보고, 의심스러우면 진입을 멈추십시오.", "Look at the news; stop entries when in doubt."),
    "LOSS_HALT": (
        "청산과 손절은 계속됩니다. 다음 거래일에 풀립니다. 오늘 풀려면 관리자가 계좌 화면에서 하루 손실 한도를 올리십시오.",
        "Exits go on. It ends with the trade date; to lift it today an Admin raises the loss limit on the account's page.",
    ),
    "EXIT_HELD": (
        "계속 시도합니다. 막는 것을 치우거나(같은 종목의 다른 매도 주문, 한도) 주문 화면에서 직접 파십시오.",
        "It is tried on. Clear what is in the way (another sale of the symbol, a limit), or sell on the orders page.",
    ),
    "EXIT_UNDONE": (
        "더 시도하지 않습니다. 주문 화면에서 직접 팔지 정하십시오. 손절은 계속 지켜봅니다.",
        "It is not tried any more: decide on the orders page whether to sell. Stops still watch.",
    ),
    "TOKEN_EXPIRING": (
        "봇이 다시 받습니다. 거부되면 키를 확인하십시오.",
        "The bot renews it; if refused, check the key.",
    ),
    "ARMED_EXPIRED": (
        "새 진입을 막았습니다. 계속하려면 관리자가 다시 승인하십시오.",
        "Entries are blocked; an Admin arms the account again to go on.",
    ),
    "KILL_RAISED": (
        "누가 왜 올렸는지 감사 기록을 보십시오. 내리는 것은 관리자입니다.",
        "The audit trail says who and why. Lowering it is an Admin's.",
    ),
}
