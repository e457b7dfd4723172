"""US order notices AS0 (received), AS1 (fill), AS2 (amended), AS3 (cancelled), AS4 (rejected): bodies of text only.

AS2 and AS3 have the keys of AS1; AS4 lacks what follows sCsgnMnyMgn (ls.md §5.6).
"""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.ls_wire.formats import ACCOUNT_NAME, clock9
from brokers.paper.ls_wire.history import CONDITION
from brokers.paper.ls_wire.notices import Body, Told, kinds_of
from brokers.paper.ls_wire.us import ISINS, exchange_of
from brokers.paper.orders import ExKind, ExOrder
from shared.domain.order import Side

_REQUEST = {ExKind.NEW: "01", ExKind.AMEND: "02", ExKind.CANCEL: "03"}
_LAST_OF_AS4 = "sCsgnMnyMgn"
# The keys with their empty values: 0 where it is =0, else blank.
_HEADER = """
lineseq accno user len gubun compress encrypt offset trcode comid userid media ifid seq trid pubip prvip pcbpno bpno
termno lang proctm msgcode outgu compreq funckey reqcnt filler cont contkey varlen varhdlen varmsglen trsrc eventid
ifinfo filler1 sOrdxctPtnCode sOrdMktCode sOrdPtnCode
"""
_AS0 = f"""
{_HEADER}
sOrgOrdNo=0 sAcntNo sPwd sIsuNo sShtnIsuNo sIsuNm sOrdQty sOrdPrc=0 sOrdCndi sOrdprcPtnCode sStrtgCode sGrpId
sOrdSeqno sCommdaCode sOrdNo=0 sOrdTime sPrntOrdNo sOrgOrdUnercQty=0 sOrgOrdMdfyQty=0 sOrgOrdCancQty=0 sNmcpySndNo
sOrdAmt=0 sBnsTp sMtiordSeqno sOrdUserId sSpotOrdQty=0 sRuseOrdQty=0 sOrdMny=0 sOrdSubstAmt=0 sOrdRuseAmt=0
sUseCmsnAmt=0 sSecBalQty=0 sSpotOrdAbleQty=0 sOrdAbleRuseQty=0 sFlctQty=0 sSecBalQtyD2=0 sSellAbleQty=0
sUnercSellOrdQty=0 sAvrPchsPrc=0 sPchsAmt=0 sDeposit=0 sSubstAmt=0 sCsgnMnyMgn=0 sCsgnSubstMgn=0 sOrdAbleMny=0
sOrdAbleSubstAmt=0 sRuseAbleAmt=0 sMgntrnCode
"""
_AS1 = f"""
{_HEADER}
sMgmtBrnNo sAcntNo sAcntNm sIsuNo sIsuNm sOrdNo=0 sOrgOrdNo=0 sExecNO sAbrdExecId sOrdQty=0 sOrdPrc=0 sExecQty=0
sExecPrc=0 sMdfyCnfQty=0 sMdfyCnfPrc=0 sCancCnfQty=0 sRjtQty=0 sOrdTrxPtnCode sMtiordSeqno sOrdCndi sOrdprcPtnCode
sShtnIsuNo sOpDrtnNo sUnercQty=0 sOrgOrdUnercQty=0 sOrgOrdMdfyQty=0 sOrgOrdCancQty=0 sOrdAvrExecPrc=0 sOrdAmt=0
sStdIsuNo sBnsTp sCommdaCode sOrdAcntNo sAgrgtBrnNo sRegMktCode sMnyMgnRat=0 sSubstMgnRat=0 sMnyExecAmt=0
sSubstExecAmt=0 sCmsnAmtExecAmt=0 sPrdayRuseExecVal=0 sCrdayRuseExecVal=0 sSpotExecQty=0 sStslExecQty=0 sStrtgCode
sGrpId sOrdSeqno sOrdUserId sExecTime sRcptExecTime sRjtRsn sSecBalQty=0 sSpotOrdAbleQty=0 sOrdAbleRuseQty=0
sFlctQty=0 sSecBalQtyD2=0 sSellAbleQty=0 sUnercSellOrdQty=0 sAvrPchsPrc=0 sPchsAmt=0 sDeposit=0 sSubstAmt=0
sCsgnMnyMgn=0 sCsgnSubstMgn=0 sOrdAbleMny=0 sOrdAbleSubstAmt=0 sRuseAbleAmt=0 sMgntrnCode
"""


def us_notices(told: Told) -> list[tuple[str, Body]]:
    """Return the notices of one event in order: [(AS0…AS4, body)]."""
    makers = (_received, _filled, _amended, _canceled, _rejected)
    return [(f"AS{kind}", makers[kind](told)) for kind in kinds_of(told.event)]


def _received(told: Told) -> Body:
    order, original = told.order, told.event.original
    return _body(_AS0) | _common(told) | {
        "sOrdxctPtnCode": _REQUEST[order.kind],
        "sOrdTime": clock9(order.ordered_at),
        "sPrntOrdNo": str(order.orig_order_no or order.order_no),
        "sOrgOrdUnercQty": str(original.leaves if original else 0),
        "sOrdUserId": told.event.account.hts_id,
        "sOrdMny": _money((order.price or Decimal(0)) * order.quantity),
    }  # fmt: skip


def _filled(told: Told) -> Body:
    order = told.order
    execution, filled, average = told.filled()
    return _confirmed(told, "11") | {
        "sExecNO": str(execution.exec_no),
        "sAbrdExecId": f"{order.order_no}{execution.exec_no:04d}",
        "sExecQty": str(execution.quantity),
        "sExecPrc": _money(execution.price),
        "sOrdAvrExecPrc": _money(average),
        "sMnyExecAmt": _money(execution.price * execution.quantity),
        "sExecTime": clock9(execution.at),
        "sRcptExecTime": clock9(execution.at),
        "sUnercQty": str(order.quantity - order.canceled - order.moved - filled),
        "sFlctQty": str(execution.quantity),
    }


def _amended(told: Told) -> Body:
    order, original = told.order, told.event.original
    return _confirmed(told, "12") | {
        "sMdfyCnfQty": str(order.quantity),
        "sMdfyCnfPrc": _price(order),
        "sOrgOrdMdfyQty": str(order.quantity),
        "sOrgOrdUnercQty": str(original.leaves if original else 0),
        "sUnercQty": str(order.leaves),
    }


def _canceled(told: Told) -> Body:
    order, original = told.order, told.event.original
    quantity = str(order.quantity if original is not None else order.canceled)
    return _confirmed(told, "13") | {
        "sOrdQty": quantity,
        "sCancCnfQty": quantity,
        "sOrgOrdCancQty": quantity,
        "sOrgOrdUnercQty": str(original.leaves if original else 0),
    }


def _rejected(told: Told) -> Body:
    body = _confirmed(told, "14") | {"sRjtQty": str(told.order.canceled), "sRjtRsn": "0014"}
    names = list(body)
    return {name: body[name] for name in names[: names.index(_LAST_OF_AS4) + 1]}


def _confirmed(told: Told, kind: str) -> Body:
    at, account, listing = clock9(told.event.at), told.event.account, told.listing
    return _body(_AS1) | _common(told) | {
        "sOrdxctPtnCode": kind,
        "sMgmtBrnNo": "209",
        "sAcntNm": ACCOUNT_NAME,
        "sOrdAcntNo": account.number,
        "sAgrgtBrnNo": "209",
        "sRegMktCode": exchange_of(listing),
        "sStdIsuNo": ISINS.get(listing.symbol, ""),
        "sOrdUserId": account.hts_id,
        "sExecTime": at,
        "sRcptExecTime": at,
    }  # fmt: skip


def _common(told: Told) -> Body:
    order, account, listing, cash = told.order, told.event.account, told.listing, told.cash
    at = clock9(told.event.at)
    return {
        "user": account.hts_id[:8],
        "userid": account.hts_id,
        "accno": account.number,
        "trcode": "SONAQ000",
        "comid": "063",
        "proctm": at,
        "lineseq": f"2{order.order_no % 10**8:08d}",
        "seq": f"{order.order_no % 10**9:09d}",
        "trid": f"2000{at}{order.order_no % 1000:03d}",
        "sOrdMktCode": exchange_of(listing),
        "sOrdPtnCode": "02" if order.side is Side.BUY else "01",
        "sAcntNo": account.number,
        "sIsuNo": listing.symbol,
        "sShtnIsuNo": listing.symbol,
        "sIsuNm": listing.name_ko,
        "sOrdNo": str(order.order_no),
        "sOrgOrdNo": str(order.orig_order_no or 0),
        "sOrdQty": str(order.quantity),
        "sOrdPrc": _price(order),
        "sOrdCndi": CONDITION[order.time_in_force],
        "sOrdprcPtnCode": told.price_code,
        "sBnsTp": "2" if order.side is Side.BUY else "1",
        "sCommdaCode": "40",
        "sOrdAmt": _money((order.price or Decimal(0)) * order.quantity),
        "sDeposit": _money(cash.total),
        "sCsgnMnyMgn": _money(cash.reserved),
        "sOrdAbleMny": _money(cash.orderable),
        "sMgntrnCode": "000",
    }


def _body(names: str) -> Body:
    return {name: empty for name, _, empty in (item.partition("=") for item in names.split())}


def _price(order: ExOrder) -> str:
    return "0" if order.kind is ExKind.CANCEL else _money(order.price or Decimal(0))


def _money(amount: Decimal) -> str:
    return f"{amount:.4f}"
