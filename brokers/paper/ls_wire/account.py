"""Account TRs about money and shares: t0424, CSPAQ12200/22200/12300, CSPBQ00200, FOCCQ33600 (ls.md §3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from brokers.paper.accounts import CashView, Holding
from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import Blocks, Call, Reply, listed
from brokers.paper.ls_wire.formats import ACCOUNT_NAME, market_code, percent, prefixed, short_code
from shared.domain.account import Market
from shared.domain.money import Currency

FEE_RATE, TAX_RATE = Decimal("0.000115"), Decimal("0.002")  # reproduce the official sample (ls.md §3.6)
HOLDINGS_A_PAGE = 100
ASKED, DONE = "00136", "조회가 완료되었습니다."


@dataclass(frozen=True, slots=True)
class Valued:
    """A holding at the last price, as LS values it."""

    holding: Holding
    price: Decimal
    charge: bool  # fees and tax of a sale are taken off
    settled: bool = False  # 결제기준: what traded today is not counted yet

    @property
    def quantity(self) -> int:
        one = self.holding
        return one.quantity - one.bought_today + one.sold_today if self.settled else one.quantity

    @property
    def amount(self) -> Decimal:
        return self.price * self.quantity

    @property
    def unit_cost(self) -> int:
        return int(self.holding.average_price)

    @property
    def cost(self) -> Decimal:
        return Decimal(self.unit_cost * self.quantity)

    @property
    def buy_fee(self) -> int:
        return int(self.cost * FEE_RATE) if self.charge else 0

    @property
    def sell_fee(self) -> int:
        return int(self.amount * FEE_RATE) if self.charge else 0

    @property
    def tax(self) -> int:
        return int(self.amount * TAX_RATE / 10) * 10 if self.charge else 0

    @property
    def value(self) -> Decimal:
        return self.amount - self.sell_fee - self.tax

    @property
    def gain(self) -> Decimal:
        return self.value - self.cost - self.buy_fee


def _valued(call: Call, *, charge: bool, settled: bool = False) -> list[Valued]:
    holdings = call.exchange.holdings(call.account, Market.KRX)
    return [Valued(one, call.exchange.quote(one.symbol).price, charge, settled) for one in holdings]


def _cash(call: Call) -> CashView:
    return call.exchange.cash(call.account, Currency.KRW)


def _due_by(cash: CashView, days: int) -> Decimal:
    """Cash once the first `days` settlement dates have passed: D+1, D+2."""
    return cash.settled + sum((amount for _, amount in sorted(cash.due)[:days]), Decimal(0))


def t0424(call: Call) -> Reply:
    charge, settled = call.asked.text("charge") == "1", call.asked.text("chegb") == "0"
    valued = [one for one in _valued(call, charge=charge, settled=settled) if one.quantity]
    cash = _cash(call)
    total = sum((one.value for one in valued), Decimal(0))
    cursor = call.cursor("cts_expcode")
    rows = [one for one in valued if not cursor or one.holding.symbol >= cursor]
    rows.sort(key=lambda one: one.holding.symbol)
    older = rows[HOLDINGS_A_PAGE].holding.symbol if len(rows) > HOLDINGS_A_PAGE else ""
    today = call.exchange.trade_date(Market.KRX)
    head = block(
        "t0424OutBlock",
        sunamt=cash.total + total,
        dtsunik=sum(
            (row.realized for row in call.exchange.realized(call.account, Market.KRX, today, today)), Decimal(0)
        ),
        mamt=sum(one.cost + one.buy_fee for one in valued),
        sunamt1=cash.total,
        tappamt=total,
        tdtsunik=sum(one.gain for one in valued),
        cts_expcode=older,
    )
    page = [_holding_row(call, one, total, i) for i, one in enumerate(rows[:HOLDINGS_A_PAGE], 1)]
    return Reply({"t0424OutBlock": head, "t0424OutBlock1": page}, text=DONE, cont_key=older)


def _holding_row(call: Call, one: Valued, total: Decimal, number: int) -> Block:
    holding = one.holding
    listing = listed(call, holding.symbol)
    return block(
        "t0424OutBlock1",
        expcode=holding.symbol,
        janqty=one.quantity,
        mdposqt=holding.sellable,
        pamt=one.unit_cost,
        mamt=one.cost,
        sysprocseq=number,
        hname=listing.name_ko,
        jonggb="2" if listing.board == "KOSDAQ" else "3",
        janrt=percent(one.value, total),
        price=one.price,
        appamt=one.value,
        dtsunik=one.gain,
        sunikrt=percent(one.gain, one.cost + one.buy_fee),
        fee=one.buy_fee + one.sell_fee,
        tax=one.tax,
    )


def cspaq12200(call: Call) -> Reply:
    valued, cash = _valued(call, charge=False), _cash(call)
    worth = sum((one.amount for one in valued), Decimal(0))
    gain = sum((one.gain for one in valued), Decimal(0))
    asked = block(
        "CSPAQ12200OutBlock1",
        RecCnt=1,
        AcntNo=call.account.number,
        Pwd="********",
        BalCreTp=call.asked.text("BalCreTp"),
    )
    out = block(
        "CSPAQ12200OutBlock2",
        RecCnt=1,
        AcntNm=ACCOUNT_NAME,
        BalEvalAmt=worth,
        DpsastTotamt=cash.total + worth,
        InvstOrgAmt=sum((one.cost for one in valued), Decimal(0)),
        InvstPlAmt=gain,
        PnlRat=_ratio(gain, valued),
        D1PrsmptWthdwAbleAmt=cash.orderable,
        D2PrsmptWthdwAbleAmt=cash.orderable,
        D1OrdAbleAmt=cash.orderable,
        MnyoutAbleAmt=_withdrawable(cash),
        **_deposit(cash),
    )
    return Reply({"CSPAQ12200OutBlock1": asked, "CSPAQ12200OutBlock2": out}, ASKED, DONE)


def cspaq22200(call: Call) -> Reply:
    cash, kind = _cash(call), call.asked.text("BalCreTp")
    asked = block("CSPAQ22200OutBlock1", RecCnt=1, AcntNo=call.account.number, Pwd="********", BalCreTp=kind)
    out = block("CSPAQ22200OutBlock2", RecCnt=1, AcntNm=ACCOUNT_NAME, **_deposit(cash))
    return Reply({"CSPAQ22200OutBlock1": asked, "CSPAQ22200OutBlock2": out}, ASKED, DONE)


def _withdrawable(cash: CashView) -> Decimal:
    return min(cash.orderable, cash.settled)


def _deposit(cash: CashView) -> dict[str, Value]:
    """Cash today and after settlement, and what may be ordered with it."""
    return {
        "Dps": cash.settled,
        "D1Dps": _due_by(cash, 1),
        "D2Dps": cash.total,
        "MgnMny": cash.reserved,
        "CrdaySellAdjstAmt": cash.sold_today,
        "CrdayBuyAdjstAmt": cash.bought_today,
        # The names say 35 and 50, the official sample divides by 0.30 and 0.40 (ls.md §3.6).
        "MgnRat35ordAbleAmt": cash.orderable / Decimal("0.30"),
        "MgnRat50ordAbleAmt": cash.orderable / Decimal("0.40"),
        "MgnRat100pctOrdAbleAmt": cash.orderable,
        **_orderable(cash),
    }


def _orderable(cash: CashView) -> dict[str, Value]:
    return {
        "MnyOrdAbleAmt": cash.orderable,
        "SeOrdAbleAmt": cash.orderable / Decimal("0.30"),
        "KdqOrdAbleAmt": cash.orderable / Decimal("0.30"),
    }


def _ratio(gain: Decimal, valued: list[Valued]) -> Decimal:
    cost = sum((one.cost for one in valued), Decimal(0))
    return gain / cost if cost else Decimal(0)


def cspaq12300(call: Call) -> Reply:
    valued, cash = _valued(call, charge=False), _cash(call)
    worth = sum((one.amount for one in valued), Decimal(0))
    gain = sum((one.gain for one in valued), Decimal(0))
    echoed = {name: call.asked.text(name) for name in ("BalCreTp", "CmsnAppTpCode", "D2balBaseQryTp", "UprcTpCode")}
    asked = block("CSPAQ12300OutBlock1", RecCnt=1, AcntNo=call.account.number, Pwd="********", **echoed)
    out = block(
        "CSPAQ12300OutBlock2",
        RecCnt=1,
        AcntNm=ACCOUNT_NAME,
        MgnRat100pctOrdAbleAmt=cash.orderable,
        BalEvalAmt=worth,
        PchsAmt=sum((one.cost for one in valued), Decimal(0)),
        PnlRat=_ratio(gain, valued),
        Dps=cash.settled,
        D1Dps=_due_by(cash, 1),
        D2Dps=cash.total,
        CrdayBuyExecAmt=cash.bought_today,
        CrdaySellExecAmt=cash.sold_today,
        EvalPnlSum=gain,
        MnyoutAbleAmt=_withdrawable(cash),
        DpsastTotamt=cash.total + worth,
        **_orderable(cash),
    )
    rows = [_bep_row(call, one) for one in valued]
    blocks: Blocks = {"CSPAQ12300OutBlock1": asked, "CSPAQ12300OutBlock2": out, "CSPAQ12300OutBlock3": rows}
    return Reply(blocks, ASKED, DONE)


def _bep_row(call: Call, one: Valued) -> Block:
    holding = one.holding
    listing = listed(call, holding.symbol)
    return block(
        "CSPAQ12300OutBlock3",
        IsuNo=prefixed(holding.symbol, listing),
        IsuNm=listing.name_ko,
        SecBalPtnCode="00",
        SecBalPtnNm="유가KSE" if listing.board != "KOSDAQ" else "코스닥",
        BalQty=holding.quantity - holding.bought_today + holding.sold_today,
        BnsBaseBalQty=holding.quantity,
        CrdayBuyExecQty=holding.bought_today,
        CrdaySellExecQty=holding.sold_today,
        BuyPrc=holding.average_price,
        PnlRat=one.gain / one.cost if one.cost else 0,
        NowPrc=one.price,
        AvrUprc=holding.average_price,
        SellAbleQty=holding.sellable,
        SellOrdQty=holding.quantity - holding.sellable,
        SellUnercQty=holding.quantity - holding.sellable,
        BalEvalAmt=one.amount,
        EvalPnl=one.gain,
        PrdayCprc=call.exchange.quote(holding.symbol).prev_close,
        PchsAmt=one.cost,
        RegMktCode=market_code(listing),
    )


def cspbq00200(call: Call) -> Reply:
    """Orderable amount and shares; `IsuNo` may be the ISIN, the A-code or the plain code."""
    listing = listed(call, short_code(call.asked.text("IsuNo")))
    price, cash = call.asked.decimal("OrdPrc"), _cash(call)
    amount, shares = call.exchange.buying_power(call.account, Market.KRX, listing.symbol, price if price > 0 else None)
    sells = call.asked.text("BnsTpCode") == "1"
    if sells:
        held = call.exchange.holdings(call.account, Market.KRX)
        shares = sum(one.sellable for one in held if one.symbol == listing.symbol)
    asked = block(
        "CSPBQ00200OutBlock1",
        RecCnt=1,
        BnsTpCode=call.asked.text("BnsTpCode"),
        AcntNo=call.account.number,
        InptPwd="********",
        IsuNo=call.asked.text("IsuNo"),
        OrdPrc=price,
        RegCommdaCode="40",
    )
    out = block(
        "CSPBQ00200OutBlock2",
        RecCnt=1,
        AcntNm=ACCOUNT_NAME,
        IsuNm=listing.name_ko,
        Dps=cash.settled,
        PrsmptDpsD1=_due_by(cash, 1),
        PrsmptDpsD2=cash.total,
        CmsnRat=FEE_RATE.quantize(Decimal("0.00001"), ROUND_DOWN),
        IsuMgnRat=1,
        AcntMgnRat=1,
        TrdMgnrt=1,
        MgnRat100pctOrdAbleAmt=amount,
        MgnRat100OrdAbleQty=shares,
        MgnRat100MnyOrdAbleAmt=amount,
        MgnRat100MnyOrdAbleQty=shares,
        OrdAbleQty=shares,
        OrdAbleAmt=amount,
        MnyoutAbleAmt=_withdrawable(cash),
        **_orderable(cash),
    )
    return Reply({"CSPBQ00200OutBlock1": asked, "CSPBQ00200OutBlock2": out}, ASKED, DONE)


def foccq33600(call: Call) -> Reply:
    """Period return. 모의투자 refuses it (trs.py), which is how clients find out what they are."""
    cash = _cash(call)
    echoed = {name: call.asked.text(name) for name in ("QrySrtDt", "QryEndDt", "TermTp")}
    asked = block("FOCCQ33600OutBlock1", RecCnt=1, AcntNo=call.account.number, Pwd="********", **echoed)
    traded = cash.bought_today + cash.sold_today
    out = block("FOCCQ33600OutBlock2", RecCnt=1, AcntNm=ACCOUNT_NAME, BnsctrAmt=traded)
    return Reply({"FOCCQ33600OutBlock1": asked, "FOCCQ33600OutBlock2": out, "FOCCQ33600OutBlock3": []}, ASKED, DONE)
