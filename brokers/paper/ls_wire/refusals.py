"""Refusals of the LS gateway and of the LS order desk: code, HTTP status, text (ls.md §6)."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.accounts import ExEnv
from brokers.paper.orders import Reject, RejectReason
from shared.domain.account import Market

MOCK_PREFIX = "모의투자 "


class Refusal(Exception):
    """What to answer instead of a result. `status` 200 is a business refusal, anything else the gateway's."""

    def __init__(self, code: str, text: str, status: int = 200) -> None:
        super().__init__(f"{code} {text}")
        self.code, self.text, self.status = code, text, status

    def again(self) -> Refusal:
        """Return one to raise from a table: an exception that is raised twice keeps both tracebacks."""
        return Refusal(self.code, self.text, self.status)


_GATEWAY = {
    "IGW00121": "유효하지 않은 token입니다.",
    "IGW00123": "기간이 만료된 token입니다.",
    "IGW00205": "credentials_type이 유효하지 않습니다.(Bearer)",
    "IGW00201": "호출 거래건수를 초과하였습니다.",
    "IGW00214": "TR CD가 없습니다.",
    "IGW00215": "유효하지 않은 TR CD 입니다.",
    "IGW40010": "연속구분(tr_cont)은 필수 항목입니다.",
    "IGW40014": "응답 값 변환 중 오류가 발생하였습니다.",
    "IGW50008": "내부 라우팅 오류입니다.",
    "IGW00000": "처리 중 오류가 발생하였습니다.",
}

_BUSINESS = {
    "01389": "신용거래가 제한된 계좌입니다.",
    "01065": "거래불가 종목입니다.",
    "01219": "매매금지 종목입니다.",
    "01401": "주문조건을 확인하세요.",
    "01407": "종목번호를 확인하세요.",
    "01580": "매매구분을 확인하세요.",
    "01069": "거래정지 종목입니다.",
    "02030": "호가유형이 적합하지 않습니다.",
    "02031": "시장가 주문은 정정할 수 없습니다.",
    "02257": "정정가격이 원주문가격과 같습니다.",
    "02259": "원주문이 없습니다.",
    "02263": "원주문의 종목과 일치하지 않습니다.",
    "02265": "이미 취소 또는 체결된 주문입니다.",
    "02662": "정정취소가능수량을 초과하였습니다.",
    "02705": "주문가격을 확인하세요.",
    "02706": "주문수량을 확인하세요.",
    "02752": "증거금부족으로 주문이 불가합니다.",
    "03180": "주문가격이 상한가를 초과하였습니다.",
    "03181": "주문가격이 하한가 미달입니다.",
    "03589": "장개시 전에는 주문이 불가합니다.",
    "03590": "장마감 후에는 주문이 불가합니다.",
    "01584": "매도잔고가 부족합니다.",
    "01222": "매도잔고가 부족합니다",
    "01425": "주문가능금액이 부족합니다.",
    "01715": "영업일을 확인하세요.",
    "02611": "장시작 전 또는 장마감 되었습니다.",
    "03563": "정규매매장이 종료되었습니다. 시간외 호가구분을 입력하세요.",
    "03570": "1회 한도 주문수량을 초과하였습니다.",
    "01427": "상/하한가를 확인하세요",
    "01433": "원주문을 확인하세요.",
    "01442": "정정/취소 수량을 초과하였습니다.",
    "01458": "장종료",
    "01900": "모의투자에서는 해당업무가 제공되지 않습니다.",
}

# The engine's reason -> (live code, 모의 code). Which code the real LS gives for cash and shares is the best public
# evidence, not certain (ls.md §8, §9).
_REASON = {
    RejectReason.INSUFFICIENT_CASH: ("02752", "01425"),
    RejectReason.INSUFFICIENT_HOLDING: ("01584", "01222"),
    RejectReason.BAD_TICK: ("02705", "02705"),
    RejectReason.BAD_PRICE: ("02705", "02705"),
    RejectReason.BAD_QUANTITY: ("02706", "02706"),
    RejectReason.UNKNOWN_SYMBOL: ("01407", "01407"),
    RejectReason.HALTED: ("01069", "01069"),
    RejectReason.UNKNOWN_ORDER: ("02259", "01433"),
    RejectReason.ALREADY_DONE: ("02265", "01433"),
    RejectReason.QUANTITY_OVER_LEAVES: ("02662", "01442"),
    RejectReason.UNSUPPORTED_TYPE: ("02030", "02030"),
    RejectReason.NOT_IN_SESSION: ("03563", "03563"),
    RejectReason.OVER_LIMIT: ("03570", "03570"),
    RejectReason.NOT_TRADABLE: ("01065", "01219"),
}
_US_REASON = {RejectReason.MARKET_CLOSED: "02611", RejectReason.NOT_IN_SESSION: "02030"}


def gateway(code: str) -> Refusal:
    """A refusal before the TR runs: HTTP 500."""
    return Refusal(code, _GATEWAY[code], 500)


def bad_field(name: str) -> Refusal:
    """A number sent as text, a missing number or an overlong value: never executed."""
    return Refusal("IGW40011", f"{name}({name}) 길이 확인이 필요합니다.", 500)


def business(code: str) -> Refusal:
    """A refusal by the TR itself: HTTP 200."""
    return Refusal(code, _BUSINESS[code])


def rejected(
    reject: Reject,
    env: ExEnv,
    *,
    price: Decimal | None,
    limits: tuple[Decimal, Decimal] | None,
    before_open: bool,
    market: Market = Market.KRX,
) -> Refusal:
    """Say the engine's refusal in LS codes. `limits` are (lower, upper) of the symbol, where known."""
    mock = env is ExEnv.MOCK
    if market is Market.US and reject.reason in _US_REASON:
        return business(_US_REASON[reject.reason])
    if reject.reason is RejectReason.PRICE_LIMIT:
        above = price is not None and limits is not None and price > limits[1]
        return business("01427" if mock else "03180" if above else "03181")
    if reject.reason is RejectReason.MARKET_CLOSED:
        return business("01458" if mock else "03589" if before_open else "03590")
    return business(_REASON[reject.reason][1 if mock else 0])
