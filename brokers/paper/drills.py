"""Fire drills: what can go wrong at a broker, as fault plans that an operator starts and ends (reliability.md §6).

A drill's faults are posted to `/faults` as they stand (an `account` may be added to each match), its tape actions to
`/tape`. It ends by itself where its faults count down, else by `DELETE /faults/<id>` or by what `after` posts to `/tape`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Plan = dict[str, Any]

_ORDERS = {"side": "*", "channel": "rest"}
_NOTICES = {"side": "*", "channel": "ws"}
_CANCELS = {
    "tr": "TTTT1004U|VTTT1004U|TTTS6038U|TTTC0013U|VTTC0013U|TTTC0803U|VTTC0803U|CSPAT00701|CSPAT00801|COSAT00311",
    "channel": "rest",
}
_LISTS = {
    "tr": "TTTS3035R|VTTS3035R|TTTS3018R|TTTC0081R|VTTC0081R|TTTC8001R|VTTC8001R|TTTC0084R|t0425|CSPAQ13700|COSAQ00102",
    "channel": "rest",
}
_MEANS = {
    "tr": "TTTS3012R|VTTS3012R|CTRP6504R|VTRP6504R|TTTC8434R|VTTC8434R|t0424|CSPAQ12200|CSPAQ12300|COSOQ00201",
    "channel": "rest",
}
_QUOTES = {
    "tr": "HHDFS00000300|HHDFS76200200|HHDFS76200100|FHKST01010100|FHKST01010200|t1102|t1101|t8407|g3101|g3106",
    "channel": "rest",
}
_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_KIS_BUSY = {"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "초당 거래건수를 초과하였습니다."}
_LS_BUSY = {"rsp_cd": "IGW00201", "rsp_msg": "호출 거래건수를 초과하였습니다."}
_KIS_EXPIRED = {"rt_cd": "1", "msg_cd": "EGW00123", "msg1": "기간이 만료된 token 입니다."}
_LS_EXPIRED = {"rsp_cd": "IGW00123", "rsp_msg": "기간이 만료된 token 입니다."}
_KIS_DONE = {"rt_cd": "7", "msg_cd": "APBK0927", "msg1": "정정취소 가능수량이 없습니다."}
_LS_DONE = {"rsp_cd": "02265", "rsp_msg": "정정취소 가능수량이 없습니다."}
_KIS_TWIN = {
    "rt_cd": "0", "msg_cd": "APBK0013", "msg1": "주문 전송 완료 되었습니다.",
    "output": {"KRX_FWDG_ORD_ORGNO": "01790", "ODNO": "0000000777", "ORD_TMD": "100000"},
}  # fmt: skip
_WRONG_KEY = {"error_code": "EGW00103", "error_description": "유효하지 않은 AppKey입니다."}


@dataclass(frozen=True, slots=True)
class Drill:
    name: str  # what the command line and the console call it
    case: str  # of reliability.md §6; "" for one that has no number there
    ko: str
    en: str
    does_ko: str
    does_en: str
    ends_ko: str
    ends_en: str
    faults: tuple[Plan, ...] = ()
    tape: tuple[Plan, ...] = ()
    after: tuple[Plan, ...] = ()  # tape actions that end it


def _fault(action: str, match: dict[str, str], *, nth: int = 1, count: int = 1, **args: Any) -> Plan:
    return {"match": match, "nth": nth, "count": count, "action": action, "args": args}


def _by_broker(
    action: str, match: dict[str, str], kis: Plan, ls: Plan, *, nth: int = 1, count: int = 1
) -> tuple[Plan, ...]:
    """The same trouble in each broker's own words; `kis` and `ls` are the arguments."""
    return tuple(
        _fault(action, {**match, "broker": broker}, nth=nth, count=count, **args)
        for broker, args in (("KIS", kis), ("LS", ls))
    )


_ONCE = ("한 번 일어나고 저절로 끝납니다", "happens once and is over")

DRILLS: tuple[Drill, ...] = (
    Drill(
        "order-answer-lost", "R01", "주문 접수 후 응답 없음", "order accepted, answer never sent",
        "다음 주문은 접수되지만 응답이 오지 않습니다: 확인중이 되고, 다시 보내지 않고 조회로 찾아야 합니다",
        "the next order is taken and its answer never comes: it must become UNKNOWN and be found by asking", *_ONCE,
        (_fault("drop_after_accept", _ORDERS),),
    ),
    Drill(
        "order-hangs", "", "주문 접수 후 멈춤", "order accepted, connection hangs",
        "다음 주문은 접수되고 연결이 열린 채 2분 동안 답하지 않습니다",
        "the next order is taken and the connection stays open without an answer for two minutes", *_ONCE,
        (_fault("hang", _ORDERS, seconds=120, accept=True),),
    ),
    Drill(
        "order-reset", "R03", "주문 전송 후 연결 리셋", "reset after the order was sent",
        "다음 주문은 접수되고 연결이 RST로 끊깁니다", "the next order is taken, then the connection is reset", *_ONCE,
        (_fault("reset", _ORDERS, accept=True),),
    ),
    Drill(
        "server-error-page", "R04", "HTTP 500과 HTML 페이지", "HTTP 500 with an HTML page",
        "다음 두 요청(주문 포함)이 500과 HTML로 답합니다: 조회는 다시, 주문은 확인중",
        "the next two calls, orders included, answer 500 and HTML: reads retry, an order is unknown",
        "두 번 뒤 저절로 끝납니다", "over after two calls",
        (_fault("status", {"channel": "rest"}, count=2, status=500, body=_PAGE, content_type="text/html"),),
    ),
    Drill(
        "order-rate-limited", "R05", "주문이 호출 한도로 거절", "order refused by the rate limit",
        "다음 주문이 초당 호출 한도 오류로 거절됩니다 (KIS: 거절 확정, LS: 확인중)",
        "the next order is refused for too many calls (KIS: proven refusal; LS: unknown until asked)", *_ONCE,
        _by_broker("status", _ORDERS, {"status": 500, "body": _KIS_BUSY}, {"status": 500, "body": _LS_BUSY}),
    ),
    Drill(
        "token-expired", "R06", "주문 때 토큰 만료", "token expired on an order",
        "다음 주문이 토큰 만료로 거절됩니다: 한 번만 갱신하고 다시 보냅니다",
        "the next order is refused for an expired token: one refresh, then it may go again", *_ONCE,
        _by_broker("status", _ORDERS, {"status": 500, "body": _KIS_EXPIRED}, {"status": 500, "body": _LS_EXPIRED}),
    ),
    Drill(
        "order-before-accept", "", "주문 전달 전 연결 끊김", "connection lost before the order was taken",
        "다음 주문은 접수되지 않고 연결이 끊깁니다: 보낸 쪽은 알 수 없습니다",
        "the next order is not taken and the connection closes: the sender cannot know", *_ONCE,
        (_fault("drop_before_accept", _ORDERS),),
    ),
    Drill(
        "order-listed-late", "", "접수된 주문이 늦게 조회됨", "an accepted order appears late in lists",
        "다음 주문은 접수되지만 응답이 없고 10초 동안 조회되지 않습니다: 없다고 단정하면 안 됩니다",
        "the next order is taken, its answer is lost and lists show it after 10 s: absence is not yet proof", *_ONCE,
        (_fault("drop_after_accept", _ORDERS), _fault("visibility_lag", _ORDERS, seconds=10)),
    ),
    Drill(
        "balance-booked-late", "", "체결 뒤 잔고가 늦게 반영됨", "holdings are booked later than the fill is told",
        "다음 잔고 조회 여섯 번이 이전 답을 되풀이합니다: 체결된 주식이 없어졌다고 읽으면 안 됩니다",
        "the next six balance calls repeat their last answer: shares of a told fill are not to be read as gone",
        "여섯 번 뒤 저절로 끝납니다", "over after six calls",
        (_fault("stale", _MEANS, count=6),),
    ),
    Drill(
        "balance-is-html", "R09", "잔고 조회가 HTML 200", "balance answers an HTML page with 200",
        "다음 잔고 조회 세 번이 200과 HTML로 답합니다: 보유 없음으로 읽으면 안 됩니다",
        "the next three balance calls answer HTML with 200: never to be read as flat",
        "세 번 뒤 저절로 끝납니다", "over after three calls",
        (_fault("body", _MEANS, count=3, body=_PAGE, content_type="text/html"),),
    ),
    Drill(
        "order-answer-cut", "R10", "주문 응답 JSON이 잘림", "the order's answer is cut short",
        "다음 주문은 접수되고 응답이 20바이트에서 끊깁니다", "the next order is taken, its answer ends after 20 bytes", *_ONCE,
        (_fault("cut_after_bytes", _ORDERS, bytes=20),),
    ),
    Drill(
        "order-answer-garbage", "", "읽을 수 없는 주문 응답", "the order's answer is unreadable",
        "다음 주문은 접수되고 응답은 읽을 수 없는 바이트입니다", "the next order is taken, its answer is bytes nobody can read", *_ONCE,
        (_fault("garbage", _ORDERS, accept=True),),
    ),
    Drill(
        "same-order-number", "R13", "두 주문에 같은 주문번호", "one order number for two orders",
        "다음 두 주문이 접수되고 같은 주문번호를 받습니다 (KIS)", "the next two orders are taken and get the same number (KIS)",
        "두 번 뒤 저절로 끝납니다", "over after two orders",
        (_fault("body", {**_ORDERS, "broker": "KIS"}, count=2, body=_KIS_TWIN, accept=True),),
    ),
    Drill(
        "list-page-fails", "R17", "주문·체결 목록 조회 실패", "order lists fail",
        "다음 주문·체결 목록 조회 두 번이 500입니다: 반쪽 목록은 아무것도 증명하지 않습니다",
        "the next two calls for orders or executions answer 500: half a list proves nothing",
        "두 번 뒤 저절로 끝납니다", "over after two calls",
        (_fault("status", _LISTS, count=2, status=500, body=_PAGE, content_type="text/html"),),
    ),
    Drill(
        "cancel-too-late", "R21", "취소가 이미 체결로 거절", "a cancel is refused: already done",
        "다음 취소·정정이 '가능수량 없음'으로 거절됩니다: 다시 조회해야 합니다",
        "the next cancel or amend is refused because nothing is left: ask again what is true", *_ONCE,
        _by_broker("body", _CANCELS, {"body": _KIS_DONE}, {"body": _LS_DONE}),
    ),
    Drill(
        "quotes-rate-limited", "R24", "시세 조회가 호출 한도 초과", "quotes eat the rate limit",
        "시세 조회가 20번 한도 오류로 답합니다: 취소와 청산은 계속 나가야 합니다",
        "twenty quote calls answer a limit error: cancels and exits must still go",
        "20번 뒤 저절로 끝납니다", "over after twenty calls",
        _by_broker("status", _QUOTES, {"status": 500, "body": _KIS_BUSY}, {"status": 500, "body": _LS_BUSY}, count=20),
    ),
    Drill(
        "key-refused", "R26", "다른 환경의 앱키 거절", "the app key is refused",
        "토큰 발급이 거절됩니다 (모의 키를 실전 주소에 쓴 것처럼)", "tokens are refused, as for a paper key on the live host",
        "지울 때까지 이어집니다", "lasts until it is removed",
        (_fault("status", {"tr": "tokenP|token", "channel": "rest"}, count=0, status=403, body=_WRONG_KEY),),
    ),
    Drill(
        "stream-silent", "W01", "스트림 무응답", "the stream falls silent",
        "60초 동안 스트림에 아무것도 오지 않습니다 (연결은 살아 있음): 진입이 막히고 조회로 대신해야 합니다",
        "nothing comes over the streams for 60 s while they stay open: entries stop, quotes come by REST",
        "60초 뒤 저절로 끝납니다", "over after 60 s",
        (_fault("silent", {"channel": "ws"}, seconds=60),),
    ),
    Drill(
        "stream-half-open", "W03", "반쯤 열린 연결", "half-open stream",
        "핑을 포함해 스트림이 끝까지 조용합니다: 스스로 끊고 다시 연결해야 합니다",
        "the streams stay open and say nothing, keep-alive included: the client must give them up itself",
        "지울 때까지 이어집니다", "lasts until it is removed",
        (_fault("silent", {"channel": "ws"}, count=0, seconds=3600),),
    ),
    Drill(
        "reconnect-storm", "W04", "연결이 반복해서 끊김", "the stream is cut again and again",
        "다음 여섯 번의 전송마다 연결이 끊깁니다: 간격을 늘리며 다시 연결해야 합니다",
        "six frames in turn cut their connection: reconnect with growing pauses",
        "여섯 번 뒤 저절로 끝납니다", "over after six cuts",
        (_fault("kick", {"channel": "ws"}, count=6, abrupt=True),),
    ),
    Drill(
        "notice-twice", "W06", "체결 통보 중복", "a notice arrives twice",
        "다음 체결 통보 세 건이 두 번씩 옵니다", "the next three order notices come twice",
        "세 건 뒤 저절로 끝납니다", "over after three notices",
        (_fault("duplicate", _NOTICES, count=3, copies=2),),
    ),
    Drill(
        "fill-before-answer", "W08", "접수 응답보다 빠른 체결 통보", "the fill comes before the answer",
        "다음 주문의 응답이 3초 늦고 통보 순서가 바뀝니다", "the next order's answer is 3 s late and two notices change places", *_ONCE,
        (_fault("delay", _ORDERS, seconds=3, accept=True), _fault("reorder", _NOTICES)),
    ),
    Drill(
        "fill-missed", "W09", "끊긴 사이의 체결", "a fill is missed while away",
        "다음 통보 대신 연결이 끊깁니다: 다시 연결한 뒤 대조해야 합니다",
        "instead of the next notice the connection is cut: reconcile after reconnecting", *_ONCE,
        (_fault("kick", _NOTICES, abrupt=True),),
    ),
    Drill(
        "notice-unreadable", "W11", "풀 수 없는 체결 통보", "a notice nobody can decrypt",
        "다음 통보부터 모르는 키로 암호화되거나(KIS) 읽을 수 없습니다(LS)",
        "from the next notice on they are encrypted with an unknown key (KIS) or unreadable (LS)", *_ONCE,
        (_fault("key_change", {**_NOTICES, "broker": "KIS"}), _fault("garbage", {**_NOTICES, "broker": "LS"})),
    ),
    Drill(
        "server-clock-off", "W14", "서버 시계 어긋남", "the server's clock is off",
        "응답의 Date가 5분 앞섭니다", "the answers' Date is five minutes ahead",
        "지울 때까지 이어집니다", "lasts until it is removed",
        (_fault("delay", {"channel": "rest"}, count=0, seconds=0, skew_s=300),),
    ),
    Drill(
        "bad-tick", "M03", "튀는 가격", "one bad tick",
        "AAPL이 열 배로 뜁니다: 그 가격으로 주문이 나가면 안 됩니다", "AAPL jumps to ten times its price: no order may follow it",
        "되돌릴 때까지 이어집니다", "lasts until it is put back",
        tape=({"symbol": "AAPL", "jump": 900},), after=({"symbol": "AAPL", "jump": -90},),
    ),
    Drill(
        "split-overnight", "M05", "액면분할", "a share is split",
        "AAPL 한 주가 두 주가 되고 가격이 절반이 됩니다: 손절이 나가면 안 됩니다",
        "one share of AAPL becomes two at half the price: no stop may go off",
        "다시 두 주를 한 주로 합칩니다", "two shares become one again",
        tape=({"symbol": "AAPL", "split": "2:1"},), after=({"symbol": "AAPL", "split": "1:2"},),
    ),
    Drill(
        "interruption", "M07", "변동성완화장치(VI)", "volatility interruption",
        "005930이 2분 동안 단일가로 바뀝니다", "005930 goes into two minutes of call auction",
        "2분 뒤 저절로 끝납니다", "over after two minutes",
        tape=({"symbol": "005930", "vi": True},), after=({"symbol": "005930", "resume": True},),
    ),
    Drill(
        "halt", "M07", "거래정지", "trading halt",
        "AAPL이 정지됩니다: 취소만 됩니다", "AAPL is halted: only cancels are taken",
        "풀 때까지 이어집니다", "lasts until it is resumed",
        tape=({"symbol": "AAPL", "halt": True},), after=({"symbol": "AAPL", "resume": True},),
    ),
    Drill(
        "circuit-breaker", "M07", "서킷브레이커", "market-wide circuit breaker",
        "KRX 전체가 20분 멈추고 10분 단일가를 거칩니다", "all of KRX stops for 20 minutes, then 10 of call auction",
        "30분 뒤 저절로 끝나거나 풀 때 끝납니다", "over after 30 minutes, or when it is lifted",
        tape=({"market": "KRX", "circuit_breaker": True},), after=({"market": "KRX", "circuit_breaker": False},),
    ),
)  # fmt: skip
