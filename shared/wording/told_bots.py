"""What bots and desk jobs write, as templates: the Korean sentence, and the same in English.

A hole is named alike on both sides; `{n:n}` takes a number only. What stands in a hole is said in words too.
"""

SENTENCES: dict[str, str] = {
    # the bot and what it hears
    "복구 중": "recovering",
    "정리 중": "tidying up",
    "정지": "stopped",
    "계좌 정지": "the account stops",
    "증권사 연결 대기: {why}": "waiting for the broker: {why}",
    "증권사 조회 실패: {why}": "the broker could not be asked: {why}",
    "증권사가 키를 거부: {why}": "the broker refused the key: {why}",
    "오늘 손실 한도 {limit}에 닿음: 다음 거래일까지 새 진입 없음, 청산과 손절은 계속": (
        "today's loss limit {limit} was reached: no new entries until the next trading day, exits and stops go on"
    ),
    "실시간 끊김: {why}": "the stream broke: {why}",
    "장운영: {text}": "market: {text}",
    "상태 {before} → {after}": "state {before} → {after}",
    "저장소 복귀: {since} 사본으로 시작했음": "the store is back: this bot started from its copy of {since}",
    "설정이나 키가 바뀌어 다시 시작합니다": "starting anew: settings or keys changed",
    "{host}에서 넘겨받습니다: 저장소의 기록으로 이어갑니다": "taken over from {host}: going on from the store's records",
    "저장소에 닿지 않습니다 ({why}): {age:n}초 전의 사본으로 시작합니다, 청산만": (
        "the store cannot be reached ({why}): starting from the copy of {age} s ago, exits only"
    ),
    "저장소를 기다립니다: {why}": "waiting for the store: {why}",
    "계좌 {account:n}에 앱 키가 없습니다": "account {account} has no app key",
    "계좌 설정에서 키를 등록하십시오": "register a key in the account's settings",
    "키가 등록되지 않았습니다": "no key is registered",
    "사본을 읽을 수 없습니다: {why}": "the copy cannot be read: {why}",
    "사본을 쓰지 못했습니다: {why}": "the copy could not be written: {why}",
    "{key}: 새 토큰을 받습니다": "{key}: a new token is fetched",
    "규칙 {rule}: {why}": "rule {rule}: {why}",
    "{seconds:n}초 안에 답이 없습니다": "no answer within {seconds} s",
    "잠시 뒤 다시 시험하십시오": "test again in a while",
    "키 시험 실패: {why}": "the key test failed: {why}",
    "이 계좌의 봇이 답합니다: {why}": "this account's bot answers: {why}",
    "키 시험 {n:n}건에 답했습니다": "{n} key tests were answered",
    "달력에 없는 날: {why}": "a day the calendar does not know: {why}",
    "장 상태 {state}": "session {state}",
    "장 상태 {state} ({words})": "session {state} ({words})",
    "시가 동시호가": "opening auction",
    "정규장": "regular trading",
    "종가 동시호가": "closing auction",
    "장 사이": "between sessions",
    "시간외종가": "trading at the close price",
    "시간외단일가": "after-hours single price",
    "애프터마켓": "after-market",
    "프리마켓": "pre-market",
    "메인마켓": "main market",
    "애프터마켓 접수": "after-market orders taken",
    "장 마감 뒤": "after the close",
    "야간": "overnight",
    "주간거래": "day market",
    # fitness, lease, hosts
    "봇이 {seconds:n}초 멈춰 있었음": "the bot stood still for {seconds} s",
    "봇이 멈췄다 돌아옴: {seconds:n}초 뒤 다시 판단": "the bot is back after a stall: it decides again in {seconds} s",
    "시계가 뛰었음: 거래소 시각과 맞는지 확인 중": "the clock jumped: being checked against the exchange's time",
    "시계가 거래소와 {seconds:n}초 다름": "the clock is {seconds} s off the exchange's",
    "다른 프로세스": "another process",
    "그 봇을 먼저 멈추십시오": "stop that bot first",
    "이 계좌의 봇이 이미 돌고 있습니다": "this account's bot is running already",
    "pid {pid:n}, {since} 부터": "pid {pid}, since {since}",
    "{since} 부터": "since {since}",
    "멈춰 있음": "standing still",
    "다른 호스트가 이 계좌를 맡고 있습니다": "another host acts for this account",
    "그 호스트에서 봇을 멈추고 `account move`로 놓아주십시오": (
        "stop the bot on that host and let the account go with `account move`"
    ),
    "다른 봇이 계좌를 넘겨받음: {holder}": "another bot took the account over: {holder}",
    "임대 기록 없음": "no lease on record",
    "이 봇은 더 보내지 않고 끝납니다": "this bot sends nothing more and ends",
    "임대 만료 {seconds:n}초 전: 저장소 확인 필요": "{seconds} s before the lease ends: the store must be asked",
    "다른 호스트에서 보냄": "sent by another host",
    # market data
    "{symbol} 시세를 준비하지 못함: {why}": "quotes of {symbol} could not be prepared: {why}",
    "{bars} 봉을 받지 못함: {why}": "no bars came, {bars}: {why}",
    "{symbol}: 다른 종목은 오는데 체결이 오지 않아 다시 등록": (
        "{symbol}: registered again, no trades came while other symbols' did"
    ),
    "{symbol}: REST로는 거래되는데 실시간이 조용함": "{symbol}: it trades by REST, but the stream is silent",
    "실시간 등록이 모자라 REST로 조회(폴백): {symbols}": (
        "asked by REST (fallback), there are too few stream registrations: {symbols}"
    ),
    "{symbol} 구독 해지 실패: {why}": "{symbol} could not be unsubscribed: {why}",
    # absence and reconciling
    "보내기 전의 잔고를 모름": "holdings before sending are not known",
    "그동안 우리 것이 아닌 주문 {orders}도 돈을 움직였음": "orders that are not ours moved money meanwhile: {orders}",
    "주문 가능 금액 {has:n}, 보내기 전 {was:n}": "buying power {has}, before sending {was}",
    "보유 {held:n}주, 이 주문이 없었다면 {without:n}주": "{held} shares held; without this order {without}",
    "같은 종목의 다른 매도가 있어 매도 가능 수량으로 가릴 수 없음": (
        "sellable shares cannot tell: there is another sell of the symbol"
    ),
    "매도 가능 {sellable:n}주, 보내기 전 {was:n}주": "{sellable} shares sellable, before sending {was}",
    "그동안 산 주식이 이 매도를 가릴 수 있어 매도 가능 수량으로 가릴 수 없음": (
        "sellable shares cannot tell: shares bought meanwhile may hide this sell"
    ),
    "결과를 모르는 다른 주문이 있어 금액으로 가릴 수 없음": "money cannot tell: another order's outcome is unknown",
    "주문 {order}에 값이 없어 묶인 금액을 모름": "order {order} has no price: what it holds back is not known",
    "주문 가능 금액 {has:n}: 이 주문이 묶은 금액일 수 있음": "buying power {has}: this order may be holding it back",
    "주문 가능 금액 {has:n}, 예상 {expected:n}": "buying power {has}, expected {expected}",
    "전송 전에 종료됨": "ended before it was sent",
    "전송되지 않음": "not sent",
    "전송 중에 봇이 종료됨": "the bot ended while it was being sent",
    "전송 중에 종료됨": "ended while being sent",
    "확인중": "being looked for",
    "장 종료로 효력 상실": "lapsed at the close",
    "{looks:n}번째 조회에서 확인": "found at look {looks}",
    "같은 모양의 주문이 {n:n}건: {orders}": "{n} orders of the same shape: {orders}",
    "같은 모양의 주문 {orders}: {doubt}": "an order of the same shape {orders}: {doubt}",
    "전송이 끝난 뒤에 같은 모양의 주문이 들어옴: {orders}": "an order of the same shape came after the sending: {orders}",
    "예약주문은 돈도 주식도 움직이지 않아 없음을 증명할 수 없음": (
        "a reserved order moves neither money nor shares: its absence cannot be proven"
    ),
    "주문은 보이지 않으나 잔고가 우리 체결과 다름": "no order is seen, but holdings differ from our fills",
    "증권사 목록이 API 아닌 매체의 주문이라 함": "the broker's list says it was not placed by API",
    "전송({sent})보다 이른 시각 {at}에 접수됨": "taken at {at}, before it was sent ({sent})",
    "전송 전에 받은 주문번호 {number}보다 앞선 번호": "its number is older than {number}, which was there before sending",
    "접수된 주문 {order}의 번호 {number}이(가) 어느 목록에도 없음": (
        "number {number} of the accepted order {order} is in no list"
    ),
    "주문 {order}일 수 있는 주문이 또 있음: {orders}": "other orders may be order {order} too: {orders}",
    "{seconds:n}초 동안 {looks:n}번 조회, 없음; 잔고와 보유 그대로": (
        "looked {looks} times in {seconds} s: not there; cash and holdings unchanged"
    ),
    "미접수 확인": "proven not placed",
    "주문은 보이지 않으나 {why}": "no order is seen, but {why}",
    "정정되지 않음 확인": "proven not amended",
    "주문 {order}: 정정 결과를 모르는 채 원주문이 사라짐": (
        "order {order}: the original vanished before its amendment was known"
    ),
    "주문번호 {number}: {why}": "order number {number}: {why}",
    "조회로 확인됨": "found by asking",
    # orders and fills
    "판단한 지 {seconds:n}초가 지나 보내지 않음: 다시 판단합니다": (
        "not sent, decided {seconds} s ago: it is decided again"
    ),
    "앞선 요청의 결과를 확인하는 중입니다": "the outcome of an earlier request is being looked for",
    "확인이 끝난 뒤 다시 하세요": "ask again when that is settled",
    "저장소가 주문을 받아 적지 못했습니다: 계좌를 넘겨받을 호스트가 모르는 주문은 내지 않습니다": (
        "the store could not take the order down: what a succeeding host would not know is not sent"
    ),
    "재전송 (미접수 확인: {why})": "sent again (proven not placed: {why})",
    "증권사 주문번호 {number}는 이미 주문 {order}의 것": "the broker's number {number} is order {order}'s already",
    "주문번호 {number}": "order number {number}",
    "취소 접수 {number}": "cancel accepted {number}",
    "정정 접수": "amendment accepted",
    "주문 {order}이(가) 없습니다": "there is no order {order}",
    "주문 목록을 새로 고치세요": "reload the list of orders",
    "주문 {order}은(는) {status} 상태입니다": "order {order} is {status}",
    "주문의 이력을 보세요": "look at the order's history",
    "주문번호 {number}이(가) 다시 보임": "order number {number} is seen again",
    "증권사 주문 {number}의 종목이나 방향이 다름": "the broker's order {number} has another symbol or side",
    "증권사에서 취소됨": "cancelled at the broker",
    "취소 확인": "cancel confirmed",
    "예약주문이 {number}번으로 나감": "the reserved order left as number {number}",
    "끝난 주문 {order}의 정정 {number}이 살아 있음": "amendment {number} of the ended order {order} is alive",
    "목록에서 정정 확인": "the list shows the amendment",
    "주문 {number}의 체결에 가격이 없음": "a fill of order {number} has no price",
    "증권사 주문 {number}의 체결에 가격이 없음": "a fill of the broker's order {number} has no price",
    "주문 {order} 결과 확인중": "the outcome of order {order} is being looked for",
    "주문 {order}: 체결이 주문과 맞지 않음": "order {order}: its fills do not fit it",
    "{n:n}주 @ {price:n}": "{n} shares @ {price}",
    "전량체결": "filled",
    "취소 확인이 없어 다시 요청": "asked again, the cancel was not confirmed",
    "{n:n}주가 {price}에 미체결": "{n} shares unfilled at {price}",
    "{age:n}초 미체결": "unfilled for {age} s",
    "마감 {minutes:n}분 전 미체결": "unfilled {minutes} min before the close",
    "마감 전 시장가에 가깝게": "priced near the market before the close",
    "마감 전 재호가": "priced anew before the close",
    "재호가": "priced anew",
    "{why}를 위해 취소: {before:n} → {after:n}": "cancelled to be {why}: {before} → {after}",
    "청산을 위해 진입 주문 취소": "the entry order was cancelled for the exit",
    # entries that wait for a yes
    "이미 승인 여부를 물은 신호": "this signal was asked about already",
    "앞선 진입이 승인을 기다림": "an earlier entry waits for approval",
    "{seconds:n}초 동안 승인을 기다림": "waits {seconds} s for approval",
    "거절: {by}": "declined by {by}",
    "시간 안에 승인이 없어 주문하지 않음": "nobody approved in time; nothing was sent",
    "승인을 기다리는 진입이 아닙니다": "this entry does not wait for approval",
    "이미 답했거나 시간이 지났습니다": "it was answered, or its time is over",
    "화면을 새로 고치십시오": "reload the page",
    # commands
    "다시 요청하십시오": "ask again",
    "명령을 읽을 수 없습니다": "the command cannot be read",
    "사람이 낸 주문": "a person's order",
    "잔고와 미체결 매도를 확인하십시오": "look at holdings and open sells",
    "팔 수 있는 주식이 없습니다": "there are no shares to sell",
    "사람이 청산": "closed by a person",
    "주문을 내지 않았습니다": "no order was placed",
    "한도와 상태를 확인하십시오": "look at limits and state",
    "사람이 취소": "cancelled by a person",
    "사람이 정정": "amended by a person",
    "전체 취소": "all cancelled",
    "전량 정리": "everything closed",
    "FLATTEN 완료": "FLATTEN done",
    "규칙 {rule:n}이(가) 이 계좌에서 돌고 있지 않습니다": "rule {rule} does not run on this account",
    "규칙을 켜고 다시 하십시오": "turn the rule on and try again",
    "규칙과 한도를 확인하십시오": "look at rule and limits",
    "제안대로 주문하지 않았습니다": "the proposal was not ordered",
    "사유를 보고 한도나 규칙을 고치십시오": "read the reason and mend limit or rule",
    "승인했지만 주문하지 않았습니다": "approved, but not ordered",
    "결과가 이미 확인된 주문입니다": "the order's outcome is known already",
    "주문 목록을 새로 고치십시오": "reload the list of orders",
    "판단할 주문이 아닙니다": "there is nothing to judge about this order",
    "미접수": "not placed",
    "사람이 판단": "judged by a person",
    "그 주문번호가 없습니다": "there is no such order number",
    "증권사 목록에 주인 없는 {number}번이 {day}에 없습니다": (
        "the broker's list of {day} holds no number {number} without an owner"
    ),
    "번호를 확인하십시오": "check the number",
    "그 주문일 수 없습니다": "it cannot be that order",
    "{number}번은 {symbol} {side} {n:n}주, 이 주문은 {of} {way} {m:n}주": (
        "number {number} is {symbol} {side} {n} shares, this order {of} {way} {m} shares"
    ),
    "증권사 앱에서 종목, 방향, 수량이 같은 주문의 번호를 넣으십시오": (
        "enter the number of an order with the same symbol, side and quantity in the broker's app"
    ),
    "봇이 다시 시작되었습니다": "the bot was started anew",
    "주문 목록을 보십시오": "look at the list of orders",
    # settings
    "계좌 설정을 쓸 수 없습니다": "the account's settings cannot be used",
    "계좌를 다시 등록하십시오": "register the account again",
    "계좌 {account:n}이(가) 없습니다": "there is no account {account}",
    "계좌 목록을 확인하십시오": "look at the list of accounts",
    "삭제되었거나 보관된 계좌입니다": "it was removed or archived",
    "마감 전 미체결 처리를 알 수 없습니다": "what to do with open orders before the close is not known",
    "일정 화면에서 다시 고르십시오": "choose again on the schedule",
    "{name} 값을 쓸 수 없습니다": "{name} cannot be used",
    "0보다 작습니다": "it is below zero",
    "계좌 설정에서 고치십시오": "mend it in the account's settings",
    "규칙 {rule:n}": "rule {rule}",
    "규칙을 다시 저장하십시오": "save the rule again",
    "저장된 버전이 없습니다": "no version is kept",
    # what a rule met on its way
    "설정 {wanted}, 이 봇 {running}, 증권사 쪽 {broker}": "configured {wanted}, this bot {running}, the broker's {broker}",
    "{symbol} 거래정지: {why}": "{symbol} cannot be traded: {why}",
    "증권사가 주문을 받지 않음": "the broker takes no orders",
    "잔고 불일치: 우리 {ours:n}주, 증권사 {theirs:n}주": "holdings differ: ours {ours} shares, the broker's {theirs}",
    "규칙 {rule} 격리: {why}": "rule {rule} quarantined: {why}",
    "이 계좌에서 돌고 있는 규칙이 아님": "not a rule that runs on this account",
    "손절 판단도 실패: {why}": "its stops could not be judged either: {why}",
    "규칙이 멈춤: {why}": "the rule stopped: {why}",
    "보유 상태와 맞지 않는 제안": "the proposal does not fit what is held",
    "다음 개장을 기다림": "waits for the next open",
    "{symbol}의 종목 정보를 아직 모름": "{symbol} is not known yet",
    "규칙이 꺼져 있어 진입하지 않음": "no entry, the rule is off",
    "현재가를 모름": "the last price is not known",
    "버전 {version:n}의 판단, 지금은 {now}": "decided by version {version}, now it is {now}",
    "수량 설정으로 살 수 있는 주식이 없음": "the sizing buys no share",
    "팔 주식이 없음": "nothing to sell",
    "매도가능 수량이 없음": "no sellable shares",
    "규칙 {rule} {symbol} 멈춤: {why}": "rule {rule} {symbol} stopped: {why}",
    "같은 명의 계좌의 청산과 맞부딪힘": "would cross an exit of another account of the owner",
    # holdings that differ
    "{symbol}: 주인 없는 주식은 {free:n}주, 맡기려는 것은 {asked:n}주": (
        "{symbol}: {free} shares have no owner, {asked} were to be given away"
    ),
    "그만큼 나눌 수 없습니다": "so many cannot be shared out",
    "주식 수를 다시 정하십시오": "choose the shares again",
    "규칙 {rule:n} {n:n}주": "rule {rule} {n} shares",
    "{owner}; {n:n}주는 사람의 보유로 둠": "{owner}; {n} shares stay with a person",
    "사람의 보유로 둠": "kept as a person's",
    "{symbol}: 우리 {ours:n}주, 증권사 {theirs:n}주": "{symbol}: ours {ours} shares, the broker's {theirs}",
    "늘거나 줄어든 것이 아닙니다": "it neither grew nor shrank",
    "다른 답을 고르십시오": "choose another answer",
    "권리 변동 {ours:n} → {theirs:n}주, 규칙의 몫도 같은 비율로": (
        "corporate action {ours} → {theirs} shares, the rules' parts in the same ratio"
    ),
    "{symbol}: 우리 기록과 증권사 잔고가 같습니다": "{symbol}: our record and the broker's holding agree",
    "판단할 차이가 없습니다": "there is no difference to judge",
    "{symbol} 잔고 {ours:n}주 → 증권사 {theirs:n}주로 인정, {owner}": (
        "{symbol} {ours} shares → the broker's {theirs} taken over, {owner}"
    ),
    "규칙 {rule:n}은(는) {symbol}을(를) 맡을 수 없습니다": "rule {rule} cannot take {symbol}",
    "그 종목의 규칙을 켜십시오": "turn on a rule of that symbol",
}
