"""What the broker answers: the envelope, and which code stands for which refusal (kis.md §1.4, §6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.fields import ZONES
from brokers.paper.orders import RejectReason
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.order import Side

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    body: Json
    status: int = 200
    tr_cont: str = ""  # "M" more pages, "D" the last, "" not paged


class Refusal(Exception):
    """The answer is a refusal. HTTP 200 for business refusals, 500 for the gateway's own."""

    def __init__(self, msg_cd: str, msg1: str, *, status: int = 500, rt_cd: str = "1") -> None:
        super().__init__(f"{msg_cd}: {msg1}")
        self.msg_cd, self.msg1, self.status, self.rt_cd = msg_cd, msg1, status, rt_cd

    def answer(self) -> Answer:
        return Answer({"rt_cd": self.rt_cd, "msg_cd": self.msg_cd, "msg1": self.msg1}, self.status)


GATEWAY_TEXTS = {
    "EGW00101": "요청 형식이 올바르지 않습니다.",
    "EGW00102": "AppKey는 필수입니다.",
    "EGW00103": "유효하지 않은 AppKey입니다.",
    "EGW00104": "AppSecret은 필수입니다.",
    "EGW00105": "유효하지 않은 AppSecret입니다.",
    "EGW00106": "grant_type은 필수이며 client_credentials 이어야 합니다.",
    "EGW00121": "유효하지 않은 token 입니다.",
    "EGW00122": "token 이 없습니다.",
    "EGW00123": "기간이 만료된 token 입니다.",
    "EGW00131": "hashkey가 유효하지 않습니다.",
    "EGW00132": "Content-Type이 유효하지 않습니다.",
    "EGW00133": "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)",
    "EGW00201": "초당 거래건수를 초과하였습니다.",
    "EGW00202": "GW라우팅 중 오류가 발생했습니다.",
    "EGW00205": "credentials_type이 유효하지 않습니다.(Bearer)",
    "EGW00310": "tr_id 가 유효하지 않습니다.",
    "EGW02004": "실전투자 도메인은 모의투자 앱키로 호출하실 수 없습니다.",
    "EGW02006": "모의투자 TR 이 아닙니다.",
    "OPSQ0002": "없는 서비스 코드 입니다",
    "OPSQ2000": "ERROR : INPUT INVALID_CHECK_ACNO",
    "OPSQ9999": "ERROR : BODY PARSE ERROR",
}


def gateway(code: str) -> Refusal:
    """A refusal of the gateway: HTTP 500, nothing reached the ledger (kis.md §6.3)."""
    return Refusal(code, GATEWAY_TEXTS[code], rt_cd="2" if code == "OPSQ2000" else "1")


def missing_field(name: str) -> Refusal:
    return Refusal("OPSQ2001", f"ERROR : INPUT FIELD NOT FOUND [{name}]", rt_cd="2")


def bad_field(name: str) -> Refusal:
    return Refusal("OPSQ2002", f"ERROR : INPUT FIELD SIZE [{name}]", rt_cd="2")


def invalid_division() -> Refusal:
    return Refusal("OPSQ2001", "ERROR INVALID FID_COND_MRKT_DIV_CODE", rt_cd="2")


def padded(text: str) -> str:
    """Ledger texts come blank padded to 80 (kis.md §1.4)."""
    return text.ljust(80)


def listed(body: Json, *, rows: int, more: bool, env: ExEnv, tr_cont: str | None = None) -> Answer:
    """A list answer of the ledger. No rows is still rt_cd 0; `tr_cont` is M or D unless given."""
    if more:
        code, text = "KIOK0490", "조회가 계속됩니다..다음버튼을 Click 하십시오."
    elif rows:
        code, text = "KIOK0510", "조회가 완료되었습니다"
    elif env is ExEnv.LIVE:
        code, text = "KIOK0560", "조회할 내용이 없습니다"
    else:
        code, text = "70070000", "모의투자 조회할 내역(자료)이 없습니다."
    cont = ("M" if more else "D") if tr_cont is None else tr_cont
    return Answer({**body, "rt_cd": "0", "msg_cd": code, "msg1": padded(text)}, tr_cont=cont)


def quoted(body: Json) -> Answer:
    return Answer({**body, "rt_cd": "0", "msg_cd": "MCA00000", "msg1": "정상처리 되었습니다."})


def informed(body: Json) -> Answer:
    return Answer({**body, "rt_cd": "0", "msg_cd": "KIOK0530", "msg1": padded("조회되었습니다")})


def not_found(what: str = "조회할 내용이 없습니다") -> Refusal:
    """An unknown product or symbol in a query: rt_cd 7 (kis.md §4.10, §6.4)."""
    return Refusal("APBK0656", padded(what), status=200, rt_cd="7")


def transmitted(output: Json, env: ExEnv, side: Side | None) -> Answer:
    """An order was taken. `side` None: an amend or cancel request, which live and 모의 answer alike but for the text."""
    if env is ExEnv.LIVE:
        code, text = "APBK0013", "주문 전송 완료 되었습니다."
    elif side is Side.SELL:
        code, text = "40590000", "모의투자 매도주문이 완료 되었습니다."
    elif side is Side.BUY:
        code, text = "40600000", "모의투자 매수주문이 완료 되었습니다."
    else:
        code, text = "40630000", "모의투자 정정/취소주문이 완료 되었습니다."
    return Answer({"rt_cd": "0", "msg_cd": code, "msg1": padded(text), "output": output})


_R = RejectReason
LIVE_REJECTS: dict[RejectReason, tuple[str, str]] = {
    _R.INSUFFICIENT_CASH: ("APBK0952", "주문가능금액을 초과 했습니다"),
    _R.INSUFFICIENT_HOLDING: ("APBK0400", "주문 가능한 수량을 초과했습니다."),
    _R.BAD_TICK: ("APBK0506", "주식주문호가단위 오류입니다."),
    _R.PRICE_LIMIT: ("APBK0506", "주문단가가 상하한가 범위를 벗어났습니다."),
    _R.BAD_PRICE: ("APBK0506", "주문단가 오류입니다."),
    _R.BAD_QUANTITY: ("APBK0400", "주문수량을 확인하여 주십시오."),
    _R.UNKNOWN_SYMBOL: ("APBK0656", "해당종목정보가 없습니다."),
    _R.HALTED: ("APBK0918", "거래정지 종목으로 주문이 불가합니다."),
    _R.UNKNOWN_ORDER: ("APBK0344", "원주문정보가 존재하지 않습니다."),
    _R.ALREADY_DONE: ("APBK0927", "정정취소 가능수량이 없습니다."),
    _R.QUANTITY_OVER_LEAVES: ("APBK0927", "정정취소 가능수량을 초과했습니다."),
    _R.UNSUPPORTED_TYPE: ("APBK0963", "주문구분코드 오류 입니다."),
    _R.NOT_IN_SESSION: ("APBK0918", "주문가능한 시간이 아닙니다."),
    _R.OVER_LIMIT: ("APBK0400", "1회 주문 가능한 수량을 초과했습니다."),
    _R.NOT_TRADABLE: ("APBK0656", "해당 거래소에서 거래되지 않는 종목입니다."),
}
MOCK_REJECTS: dict[RejectReason, tuple[str, str]] = {
    _R.INSUFFICIENT_CASH: ("40250000", "모의투자 주문가능금액이 부족합니다."),
    _R.INSUFFICIENT_HOLDING: ("40240000", "모의투자 잔고내역이 없거나 주문가능수량이 부족합니다."),
    _R.BAD_TICK: ("40030000", "모의투자 주문호가단위가 잘못 되었습니다."),
    _R.PRICE_LIMIT: ("40030000", "모의투자 주문단가가 상하한가를 벗어났습니다."),
    _R.BAD_PRICE: ("40030000", "모의투자 주문단가가 잘못 되었습니다."),
    _R.BAD_QUANTITY: ("40240000", "모의투자 주문수량이 잘못 되었습니다."),
    _R.UNKNOWN_SYMBOL: ("40070000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"),
    _R.HALTED: ("40070000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"),
    _R.UNKNOWN_ORDER: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
    _R.ALREADY_DONE: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
    _R.QUANTITY_OVER_LEAVES: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
    _R.UNSUPPORTED_TYPE: ("40070000", "모의투자에서 제공하지 않는 주문구분 입니다."),
    _R.NOT_IN_SESSION: ("40580000", "모의투자 주문가능한 시간이 아닙니다."),
    _R.OVER_LIMIT: ("40240000", "모의투자 1회 주문 가능한 수량을 초과했습니다."),
    _R.NOT_TRADABLE: ("40070000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"),
}

_REGULAR_OPEN = {Market.US: time(9, 30), Market.KRX: time(9, 0)}


def rejected(reason: RejectReason, env: ExEnv, market: Market, now: datetime) -> Refusal:
    """The business refusal of an order: HTTP 200, nothing was placed (kis.md §6.4). `now` is market time."""
    if reason is RejectReason.MARKET_CLOSED:
        code, text = _closed(env, market, now)
    else:
        code, text = (LIVE_REJECTS if env is ExEnv.LIVE else MOCK_REJECTS)[reason]
    return Refusal(code, padded(text), status=200, rt_cd="7" if env is ExEnv.LIVE else "1")


def _closed(env: ExEnv, market: Market, now: datetime) -> tuple[str, str]:
    local = now.astimezone(ZONES[market])
    trades_today = load().days(market).is_trading_day(local.date())
    if env is ExEnv.MOCK:
        if not trades_today:
            return "40100000", "모의투자 영업일이 아닙니다."
        if local.time() < _REGULAR_OPEN[market]:
            return "40570000", "모의투자 장시작전 입니다."
        return "40580000", "모의투자 장종료 입니다."
    if market is Market.US:
        return "APBK1664", "해당 해외시장 주문가능시간이 아닙니다."
    return ("APBK0918", "장운영시간이 아닙니다.") if trades_today else ("APBK0919", "영업일이 아닙니다.")
