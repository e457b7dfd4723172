"""LS's result codes (ls.md §6): what each proves of an order, which error it is, and what an operator reads.

"refused" only where ls.md marks the code as seen live on REST or in an official sample. Codes known from the older
xingAPI alone are "unknown" on an order. So are 01433 (no such original: a cancel answered "not found" proves nothing)
and the gateway's codes but IGW40011: that they stop an order before it runs was inferred, never seen.
"""

from __future__ import annotations

from brokers.codes import CodeRow, Outcome, by_code
from shared.domain.errors import (
    AuthExpired,
    AuthRefused,
    BadPrice,
    BrokerError,
    InsufficientFunds,
    MarketClosed,
    NotSupported,
    OrderRejected,
    RateLimited,
    Refused,
    UnknownSymbol,
)

# The error of a kind of code, and what to do now.
_KINDS: dict[str, tuple[type[BrokerError] | None, str, str]] = {
    "key": (AuthRefused, "계좌의 앱키와 시크릿을 다시 등록하십시오.", "Register app key and secret again."),
    "account": (AuthRefused, "LS증권 고객센터에서 계좌 상태를 확인하십시오.", "Ask LS what is wrong with the account."),
    "token": (AuthExpired, "토큰을 새로 받습니다. 기다리십시오.", "A new token is being fetched; wait."),
    "pace": (RateLimited, "호출을 늦추어 다시 시도합니다.", "Calls slow down and go on."),
    "bug": (Refused, "로그를 첨부해 개발자에게 알리십시오.", "Send the log to the developers."),
    "away": (
        None,
        "잠시 뒤 다시 조회합니다. 주문이면 체결 내역으로 확인합니다.",
        "It is asked again; an order is looked up in the lists.",
    ),
    "input": (OrderRejected, "주문 내용을 고쳐 다시 내십시오.", "Mend the order and send it again."),
    "funds": (InsufficientFunds, "주문가능금액 안에서 수량을 줄이십시오.", "Order fewer shares or add cash."),
    "shares": (OrderRejected, "보유 수량과 미체결 매도를 확인하십시오.", "Look at the holding and at open sells."),
    "price": (
        BadPrice,
        "가격을 호가단위와 상·하한가 안으로 고치십시오.",
        "Put the price on the tick and inside the limits.",
    ),
    "closed": (MarketClosed, "장 운영 시간에 다시 내십시오.", "Order again while the market is open."),
    "symbol": (UnknownSymbol, "종목코드와 거래 상태를 확인하십시오.", "Check the symbol and whether it trades."),
    "halted": (OrderRejected, "거래가 재개되면 다시 내십시오.", "Order again when it trades."),
    "gone": (OrderRejected, "미체결 목록에서 원주문을 확인하십시오.", "Look for the original in the open orders."),
    "limit": (OrderRejected, "수량을 줄이거나 한도를 조정하십시오.", "Order fewer shares, or have the limit raised."),
    "mock": (NotSupported, "실투자 계좌에서만 쓸 수 있습니다.", "Only a real account offers this."),
    "consent": (OrderRejected, "LS증권 앱에서 위험고지에 동의하십시오.", "Consent to the risk notice in the LS app."),
    "credit": (
        OrderRejected,
        "현금 주문만 내십시오. 제한은 LS증권에 문의하십시오.",
        "Order with cash only; ask LS about the restriction.",
    ),
}

# Codes | what they prove of an order | kind; what and why in Korean; what and why in English.
_TABLE = """
IGW00103 | unknown | key
  앱키가 맞지 않습니다 | LS가 모르는 앱키입니다.
  Bad app key | LS does not know it.
IGW00105 | unknown | key
  시크릿이 맞지 않습니다 | 앱키와 짝이 아닙니다.
  Bad app secret | It is not the key's.
IGW00133 | unknown | key
  토큰 요청이 거부되었습니다 | 요청 형식을 받지 않았습니다.
  The token call was refused | LS does not take its form.
IGW00121 | unknown | token
  토큰이 무효입니다 | 다른 발급으로 바뀌었습니다.
  Token invalid | It was replaced.
IGW00123 | unknown | token
  토큰이 만료되었습니다 | 07:00에 끝납니다.
  Token expired | It ends at 07:00 KST.
IGW00205 | unknown | bug
  인증 형식 오류 | Bearer가 빠졌습니다.
  Bad credential type | Bearer is missing.
IGW00201 | unknown | pace
  호출이 너무 많습니다 | 초당 호출 수를 넘었습니다.
  Too many calls | The calls a second are used up.
IGW00214 | unknown | bug
  TR 코드가 없습니다 | tr_cd 헤더가 빠졌습니다.
  No TR code | The header lacks tr_cd.
IGW00215 | unknown | bug
  모르는 TR 코드입니다 | LS가 그 TR을 모릅니다.
  Unknown TR | LS has no such TR.
IGW40010 | unknown | bug
  필수 항목이 없습니다 | 요청 항목이 빠졌습니다.
  A field is missing | LS requires it.
IGW40011 | refused | bug
  요청 형식이 틀립니다 | 숫자나 길이가 맞지 않아 실행되지 않았습니다.
  The request has a wrong form | A number or a length does not fit; it was not executed.
IGW40013 | unknown | bug
  조회에 실패했습니다 | 입력값이나 계좌 유형이 맞지 않습니다.
  The query failed | An input or the account type does not fit.
IGW40014 | unknown | away
  LS 서버 오류 | 서버가 응답을 만들지 못했습니다.
  LS failed | It could not write its answer.
IGW50008 | unknown | away
  LS 서버 오류 | 내부 연결에 실패했습니다.
  LS failed | Its routing is broken.
IGW00000 | unknown | away
  LS 서버 오류 | 까닭을 말하지 않았습니다.
  LS failed | It does not say why.
01401 | refused | input
  주문조건 오류 | 주문조건 구분이 없습니다.
  Bad condition | The order condition is missing.
01407 | refused | symbol
  종목번호 오류 | LS가 그 종목을 모릅니다.
  Bad symbol | LS does not know it.
01425 | refused | funds
  주문가능금액 부족 | 현금이 모자랍니다.
  Insufficient funds | Cash is short.
01427 | refused | price
  상·하한가 이탈 | 가격이 제한폭 밖입니다.
  Outside the limits | The price is beyond the day's band.
01433 | unknown | gone
  원주문 오류 | 그런 원주문이 없거나 이미 바뀌었습니다.
  Bad original order | It is unknown or was replaced.
01442 | refused | input
  정정·취소 수량 초과 | 남은 수량보다 많습니다.
  Too large a change | It exceeds what is left.
01458 | refused | closed
  장 종료 | 모의투자 장이 끝났습니다.
  Market closed | Mock trading has ended.
01491 | refused | account
  주문할 수 없는 계좌 | 모의투자 기간이 끝났거나 권한이 없습니다.
  The account may not order | Its mock trading has ended or was not granted.
01715 | refused | closed
  영업일 오류 | 거래일이 아닙니다.
  Bad date | It is not a trading day.
01900 | refused | mock
  모의투자에서 제공하지 않습니다 | LS가 모의투자에 열지 않은 업무입니다.
  Not offered in mock trading | LS keeps it for real accounts.
02611 | refused | closed
  장 시작 전 또는 마감 | 미국 장 시간이 아닙니다.
  Outside the session | The US market is closed.
02752 | refused | funds
  증거금 부족 | 증거금이 모자랍니다.
  Insufficient margin | Margin is short.
03181 | refused | price
  하한가 미달 | 가격이 하한가보다 낮습니다.
  Below the lower limit | The price is too low.
904 | refused | closed
  장 종료 | 조회할 수 있는 시간이 아닙니다.
  Session closed | It cannot be asked now.
405 | refused | account
  권한 없음 | 이 업무의 권한이 없습니다.
  No permission | The account lacks the right.
80001 | refused | account
  계좌 유형 오류 | 이 업무에 쓸 수 없는 계좌입니다.
  Wrong account type | The account cannot be used here.
03180 | unknown | price
  상한가 초과 | 가격이 상한가보다 높습니다.
  Above the upper limit | The price is too high.
01219 | unknown | symbol
  매매금지 종목 | 모의투자에서 거래할 수 없습니다.
  Trading prohibited | Mock trading excludes it.
01221 | unknown | funds
  증거금 부족 | 모의투자 증거금이 모자랍니다.
  Insufficient margin | Mock margin is short.
01222 01584 | unknown | shares
  매도잔고 부족 | 팔 수 있는 수량보다 많습니다.
  Not enough shares | Fewer can be sold.
01264 | unknown | funds
  매수가능금액 초과 | 증거금이 매수가능금액보다 큽니다.
  Buying power exceeded | The order is too large.
02714 | unknown | funds
  주문가능금액 부족 | 현금이 모자랍니다.
  Insufficient cash | Cash is short.
02705 | unknown | price
  주문가격 오류 | 받을 수 없는 가격입니다.
  Wrong price | The price cannot stand.
02706 | unknown | input
  주문수량 오류 | 받을 수 없는 수량입니다.
  Wrong quantity | The quantity cannot stand.
01065 01589 01604 | unknown | symbol
  거래할 수 없는 종목 | 매매가 막힌 종목입니다.
  Not tradable | Trading is barred.
01069 | unknown | halted
  거래정지 종목 | 거래가 정지되어 있습니다.
  Halted | Trading in it is halted.
01072 01590 01832 | unknown | account
  거래가 막힌 계좌 | 계좌에 거래 제한이 있습니다.
  Account blocked | It is restricted.
01586 01612 | unknown | account
  주문할 수 없는 계좌 | 매도나 매수가 막혀 있습니다.
  The account may not order | Its sells or buys are barred.
01149 01150 01151 01152 01153 01154 | unknown | limit
  계좌 주문한도 초과 | 1회·일일·총 한도를 넘었습니다.
  Account limit exceeded | An order, day or total limit is used up.
03570 | unknown | limit
  1회 수량 한도 초과 | 한 번에 낼 수 있는 수량을 넘었습니다.
  Order too large | One order may not be as large.
01888 01891 01892 | unknown | limit
  상장주식수 대비 초과 | 수량이 상장주식수의 한도를 넘었습니다.
  Too many of the listed shares | The quantity is too large a part of them.
01890 01893 | unknown | symbol
  비상장·상장폐지 종목 | 거래소에 상장되어 있지 않습니다.
  Not listed | It is not listed, or no longer.
01580 01581 01582 01606 01983 | unknown | input
  매매구분·수량 오류 | 매매구분이나 수량이 틀립니다.
  Bad side or quantity | One of them is missing or wrong.
02030 04389 04390 04391 04392 04393 04394 04395 | unknown | input
  호가유형 부적합 | 지금 이 종목에 쓸 수 없는 호가유형입니다.
  Order type not allowed | Not now, or not for this symbol.
02031 | unknown | input
  시장가 정정 불가 | 시장가 주문은 고칠 수 없습니다.
  Cannot be amended | Market orders cannot.
02257 | unknown | input
  정정가격 동일 | 원주문 가격과 같습니다.
  Price unchanged | It equals the original's.
02258 02259 | unknown | gone
  원주문 없음 | 원주문을 찾지 못했습니다.
  No original order | It was not found.
02263 | unknown | gone
  원주문 종목 불일치 | 종목이 원주문과 다릅니다.
  Other symbol | The original's differs.
02265 02453 01081 | unknown | gone
  이미 끝난 주문 | 취소되었거나 거부된 주문입니다.
  Already done | It was cancelled or rejected.
02662 | unknown | gone
  정정수량 초과 | 고칠 수 있는 수량보다 많습니다.
  Too large an amend | Less is left.
03563 | unknown | closed
  정규장 종료 | 시간외 호가구분이 필요합니다.
  Regular session over | Only after-hours types go.
03589 | unknown | closed
  장 개시 전 | 아직 주문할 수 없습니다.
  Before the open | Orders are not taken yet.
03590 | unknown | closed
  장 마감 후 | 더 주문할 수 없습니다.
  After the close | Orders are no longer taken.
03561 03564 | unknown | closed
  장 종료 후 제한 | 장이 끝나 매매가 제한됩니다.
  After the close | Trading is restricted.
03688 03689 | unknown | account
  계좌 비밀번호 오류 | 비밀번호가 틀립니다.
  Bad password | It does not match.
04386 | unknown | consent
  위험고지 미등록 | 파생 ETF 동의가 없습니다.
  Consent missing | Leveraged ETFs need one.
01389 02046 02098 03076 04055 04056 04057 04058 04059 04060 04061 04062 | unknown | credit
  신용·미수 제한 | 신용이나 담보가 제한되어 있습니다.
  Credit restricted | Credit or collateral is barred.
"""


def _read(table: str) -> tuple[CodeRow, ...]:
    lines = [line.split(" | ") for line in table.strip().splitlines()]
    found = []
    for (codes, outcome, kind), (what, why), (what_en, why_en) in zip(
        lines[::3], lines[1::3], lines[2::3], strict=True
    ):
        error, now, now_en = _KINDS[kind]
        ko, en = (what.strip(), why, now), (what_en.strip(), why_en, now_en)
        found += [CodeRow(code, Outcome(outcome), error, ko, en) for code in codes.split()]
    return tuple(found)


ROWS = by_code(_read(_TABLE))

# A code that nobody listed: the words that stand beside LS's own.
UNLISTED = CodeRow(
    "-",
    Outcome.UNKNOWN,
    Refused,
    ("목록에 없는 응답", "LS가 문서에 없는 코드를 보냈습니다.", "LS 문구를 읽고, 주문이면 체결 내역을 확인하십시오."),
    ("An unlisted answer", "LS sent a code that is not documented.", "Read LS's text; for an order look at the lists."),
)
