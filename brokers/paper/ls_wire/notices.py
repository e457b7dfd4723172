"""Order notices SC0 (received), SC1 (fill), SC2 (amended), SC3 (cancelled), SC4 (rejected): bodies of strings only (ls.md §5.5)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from brokers.paper.accounts import CashView
from brokers.paper.listings import Listing
from brokers.paper.ls_wire.formats import ACCOUNT_NAME, clock9, isin, market_code, prefixed
from brokers.paper.ls_wire.history import CONDITION
from brokers.paper.orders import EventKind, Execution, ExKind, ExOrder, OrderEvent
from shared.domain.instrument import Venue
from shared.domain.order import Side, TimeInForce

# What an order does not change, with the values of the official samples. Shares and average prices are zero on the
# real server too: positions cannot be derived from them.
_RECEIVED = """
trchno=0 spareordqty=0 dummy= len=1053 loandt=00000000 orgordmdfyqty=0 avrpchsprc=.00 cont=N pgmtype=0 compress=0
procgb=0 unercsellordqty=0 ruseableamt=0 gubun=B flctqty=0 varmsglen=0 passwd=******** gmhogayn=0 ordruseqty=0
trsrc=L gmhogagb=0 reqcnt= strtgcode= ordseqno=0 ordablesubstamt=0 pchsamt=0 encrypt=0 accno2= contkey=0 brwmgmyn=0
mtordseqno=0 tongsingb=40 varlen=50 lpgb=0 rsvordno=0 spotordqty=0 cvrgseqno=0 filler= secbalqty=0
pubip=010000000001 prvip= funckey=C compreq=0 orgordundrqty=0 ruseordamt=0 crdtpldgruseamt= ordordcancelqty=0
spareordno=0 termno= bpno=209 substamt=0 mgempno=999999209 csgnsubstmgn=0 offset=212 sellableqty=0 groupid=
varhdlen=0 itemno=0 prtno=0 ifinfo= ordableruseqty=0 crdtuseamt=0 ordcmsnamt=0 secbalqtyd2=0 eventid= pcbpno=000
basketno=0 ifid=000 media=HT filler1= ordsubstamt=0 lang=K spotordableqty=0 cvrgordtp=0 outgu=
futaccno=00000000000000000000 futmarketgb=0 admbrchno=209 comid=063 nmcpysndno=0
"""
_CONFIRMED = """
grpId=A1100000000000000000 trchno=0 trtzxLevytp=1 trcode=SONAS100 agrgbrnno=209 len=1294 opdrtnno=0 avrpchsprc=0
cont=N mnymgnrat=1.000 compress=0 unercsellordqty=0 cmsnamtexecamt=0 ruseableamt=0 gubun=B lptp=0 varmsglen=0
futsmkttp= crdtexecamt=0 frgrunqno=000000 crdayruseexecval=0 trsrc=L reqcnt= strtgcode= ordseqno=0 ordablesubstamt=0
encrypt=0 accno2= contkey=0 Loandt=00000000 varlen=50 mgmtbrnno=209 pchsant=0 filler= secbalqty=0 pubip=010000000001
prvip= funckey=C compreq=0 crdtpldgruseamt=0 termno= crdtpldgexecamt=0 rmndLoanamt=0 bpno=209 substamt=0
mgempno=999999209 csgnsubstmgn=0 offset=212 sellableqty=0 spotexecqty=0 varhdlen=0 substmgnrat=.0000000 itemno=0
mgntrncode=000 nsavtrdqty=0 ifinfo= ordableruseqty=0 ptflno=0 secbalqtyd2=0 brwmgmtYn=0 eventid= pcbpno=000 ifid=000
media=HT mtiordseqno=0 filler1= mbrnmbrno=0 futsLnkbrnno= commdacode=40 stslexecqty=0 futsLnkacntno= lang=K
adduptp=40 bskno=0 spotordableqty=0 ubstexecamt=0 cvrgordtp=0 msgcode=9999 ordtrdptncode=00 prdayruseexecval=0
comid=063
"""
_REQUEST = {ExKind.NEW: ("SONAT000", "01"), ExKind.AMEND: ("SONAT001", "02"), ExKind.CANCEL: ("SONAT002", "03")}

Body = dict[str, str]


def _template(text: str) -> Body:
    return dict(item.split("=", 1) for item in text.split())


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an order with what a notice says of its account."""

    event: OrderEvent
    listing: Listing
    cash: CashView
    executions: list[Execution]  # all of the order so far: it may have filled on since the event
    price_code: str  # OrdprcPtnCode

    @property
    def order(self) -> ExOrder:
        return self.event.order

    def filled(self) -> tuple[Execution, int, Decimal]:
        """The event's execution, shares filled by it and before it, and their average price."""
        execution = self.event.execution
        if execution is None:
            raise ValueError("a fill without its execution")
        so_far = [one for one in self.executions if one.exec_no <= execution.exec_no]
        filled = sum(one.quantity for one in so_far)
        return execution, filled, sum((one.price * one.quantity for one in so_far), Decimal(0)) / filled


def kinds_of(event: OrderEvent) -> list[int]:
    """The last digits of the notices that an event makes, in order: 0 received, 1 fill, 2 amended, 3 cancelled,
    4 rejected. An expired order tells nothing (ls.md §8)."""
    order = event.order
    if event.kind is EventKind.ACCEPTED:
        return [0] if order.kind is ExKind.NEW else []
    if event.kind is EventKind.FILLED:
        return [1]
    if event.kind is EventKind.AMENDED:
        return [0, 2]
    if event.kind is EventKind.CANCELED:
        if order.kind is ExKind.CANCEL:
            return [0, 3]
        # Nobody asked for it: the rest of an IOC or FOK lapses, a day order was thrown out by the exchange.
        return [4] if order.time_in_force is TimeInForce.DAY else [3]
    return []


def notices(told: Told) -> list[tuple[str, Body]]:
    """Return the notices of one event in order: [(SC0…SC4, body)]."""
    makers = (_received, _filled, _amended, _canceled, _rejected)
    return [(f"SC{kind}", makers[kind](told)) for kind in kinds_of(told.event)]


def _received(told: Told) -> Body:
    order = told.order
    code, kind = _REQUEST[order.kind]
    price = _price(order) if order.kind is not ExKind.CANCEL else "0"
    amount = str(int((order.price or 0) * order.quantity)) if order.kind is not ExKind.CANCEL else "0"
    parent = order.orig_order_no or 0
    return (
        _template(_RECEIVED)
        | _common(told)
        | {
            "trcode": code,
            "ordchegb": kind,
            "marketgb": market_code(told.listing),
            "ordgb": _side_code(order),
            "singb": "000",
            "expcode": isin(order.symbol),
            "shtcode": prefixed(order.symbol, told.listing),
            "hname": told.listing.name_ko,
            "ordprice": price,
            "hogagb": CONDITION[order.time_in_force],
            "etfhogagb": told.price_code,
            "ordtm": clock9(order.ordered_at),
            "prntordno": str(parent or order.order_no),
            "orduserid": told.event.account.hts_id,
            "mbrno": "NXT" if order.venue is Venue.NXT else "63",
            "msgcode": "0040" if order.side is Side.BUY else "0039",
            "ordamt": amount,
            "mnyordamt": amount,
        }
    )


def _filled(told: Told) -> Body:
    order = told.order
    execution, filled, average = told.filled()
    return _confirmed(told) | {
        "ordxctptncode": "11",
        "execno": str(execution.exec_no),
        "execqty": str(execution.quantity),
        "execprc": str(int(execution.price)),
        "ordavrexecprc": str(int(average)),
        "mnyexecamt": str(int(execution.price * execution.quantity)),
        "exectime": clock9(execution.at),
        "rcptexectime": clock9(execution.at),
        "unercqty": str(order.quantity - order.canceled - order.moved - filled),
        "flctqty": str(execution.quantity),
    }


def _amended(told: Told) -> Body:
    order, original = told.order, told.event.original
    return _confirmed(told) | {
        "ordxctptncode": "12",
        "ordtrxptncode": "6",
        "mdfycnfqty": str(order.quantity),
        "mdfycnfprc": _price(order),
        "orgordmdfyqty": str(order.quantity),
        "orgordunercqty": str(original.leaves if original else 0),
        "unercqty": str(order.leaves),
        "outgu": "1",
    }


def _canceled(told: Told) -> Body:
    """A cancel request that was confirmed, or the rest of an IOC or FOK order that the exchange took back."""
    order, original = told.order, told.event.original
    quantity = order.quantity if original is not None else order.canceled
    return _confirmed(told) | {
        "ordxctptncode": "13",
        "ordqty": str(quantity),
        "ordprc": "0",
        "canccnfqty": str(quantity),
        "orgordcancqty": str(quantity),
        "orgordunercqty": str(original.leaves if original else 0),
        "outgu": "1",
    }


def _rejected(told: Told) -> Body:
    """The exchange threw a day order out. No sample exists: the layout of SC1 with rjtqty (ls.md §5.5)."""
    quantity = str(told.order.canceled)
    return _confirmed(told) | {"ordxctptncode": "14", "rjtqty": quantity}


def _confirmed(told: Told) -> Body:
    """The 130 keys of SC1 to SC4 with nothing filled, amended or cancelled yet."""
    order = told.order
    amount = str(int((order.price or 0) * order.quantity))
    zeros = "mdfycnfqty mdfycnfprc canccnfqty rjtqty orgordmdfyqty orgordcancqty orgordunercqty execno execqty execprc"
    zeros += " ordavrexecprc mnyexecamt unercqty ordtrxptncode flctqty"
    return (
        _template(_CONFIRMED)
        | dict.fromkeys(zeros.split(), "0")
        | _common(told)
        | {
            "acntnm": ACCOUNT_NAME,
            "regmktcode": market_code(told.listing),
            "ordmktcode": market_code(told.listing),
            "exectime": clock9(told.event.at),
            "rcptexectime": clock9(told.event.at),
            "ordacntno": told.event.account.number,
            "shtnIsuno": prefixed(order.symbol, told.listing),
            "Isunm": told.listing.name_ko,
            "Isuno": isin(order.symbol),
            "stdIsuno": isin(order.symbol),
            "bfstdIsuno": isin(order.symbol),
            "orduserId": told.event.account.hts_id,
            "ordprcptncode": told.price_code,
            "ordcndi": CONDITION[order.time_in_force],
            "ordptncode": _side_code(order),
            "ordprc": _price(order),
            "ordamt": amount,
            "outgu": "",
        }
    )


def _common(told: Told) -> Body:
    order, account, at = told.order, told.event.account, clock9(told.event.at)
    return {
        "userid": account.hts_id,
        "user": account.hts_id[:8],
        "accno": account.number,
        "accno1": account.number,
        "ordno": str(order.order_no),
        "orgordno": str(order.orig_order_no or 0),
        "ordqty": str(order.quantity),
        "bnstp": "2" if order.side is Side.BUY else "1",
        "deposit": str(int(told.cash.total)),
        "ordablemny": str(int(told.cash.orderable)),
        "csgnmnymgn": str(int(told.cash.reserved)),
        "proctm": at,
        "trid": f"2000{at}{order.order_no % 1000:03d}",
        "seq": f"{order.order_no % 10**9:09d}",
        "lineseq": f"2{order.order_no % 10**8:08d}",
    }


def _side_code(order: ExOrder) -> str:
    return "02" if order.side is Side.BUY else "01"


def _price(order: ExOrder) -> str:
    return str(int(order.price or 0))
