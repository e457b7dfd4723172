"""Orders and account of Korean shares in KIS's words (kis.md §4)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import Decimal

from brokers.contract import PeriodProfit, ProfitRow
from brokers.kis import tr
from brokers.kis.account_rows import HoldingRow, OrderFacts, OrderRow, read_holdings, read_order
from brokers.kis.codec import (
    KST,
    Row,
    amount,
    calendar_day,
    instant,
    instant_near,
    number,
    one,
    original_id,
    positive,
    required,
    rows,
    staged,
    text,
    whole,
    wire_order_id,
)
from brokers.kis.dialect import ROUND_IT, Ask, Ticket, not_offered
from shared.domain.account import AccountNumber, Market
from shared.domain.errors import BadPrice, NotSupported
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, Cash, OrderSession, OrderType, Position, Side

KEPT_MONTHS = 3  # what inquire-daily-ccld calls recent; older orders have a transaction of their own
VENUES = {venue.value: venue for venue in (Venue.KRX, Venue.NXT, Venue.SOR)}
ORDERS = OrderRow("ord_qty", "ord_unpr", "tot_ccld_qty", ("rmn_qty", "psbl_qty"))  # psbl_qty: amendable orders
HELD = HoldingRow("pdno", "prdt_name", "hldg_qty", "ord_psbl_qty", "pchs_avg_pric", "prpr", "evlu_pfls_amt")


def price_text(price: Decimal) -> str:
    if price <= 0 or price != price.to_integral_value():
        raise BadPrice(tr.KIS, "-", f"{price}: 원 단위가 아닙니다 / not a whole number of won", ROUND_IT)
    return str(int(price))


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, the month's last day where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class KrxDialect:
    market = Market.KRX
    zone = KST
    page_size_suffix = "100"

    def __init__(self, account: AccountNumber, mock: bool) -> None:
        self._account, self._mock = {"CANO": account.cano, "ACNT_PRDT_CD": account.product}, mock
        self.notice_tr = tr.KRX_NOTICES[mock]

    def order(self, ticket: Ticket) -> Ask:
        only_regular(ticket.session)
        kind = tr.KRX_ORDER_TYPE.get((ticket.order_type, ticket.time_in_force))
        if kind is None or (kind == "01" and ticket.venue is Venue.NXT):  # 01 is offered at K and S (kis.md §4.2)
            wanted = f"{ticket.order_type} {ticket.time_in_force}"
            raise not_offered(f"{ticket.venue}에는 {wanted} 주문이 없습니다", f"no {wanted} orders at {ticket.venue}")
        return Ask(
            tr.KRX_BUY if ticket.side is Side.BUY else tr.KRX_SELL,
            {
                **self._account,
                "PDNO": ticket.symbol,
                "SLL_TYPE": "" if ticket.side is Side.BUY else "01",
                "ORD_DVSN": kind,
                "ORD_QTY": str(ticket.quantity),
                "ORD_UNPR": "0" if ticket.price is None else price_text(ticket.price),
                "CNDT_PRIC": "",
                "EXCG_ID_DVSN_CD": self._venue_code(ticket.venue),
            },
        )

    def change(self, original: BrokerOrder, quantity: int, price: Decimal | None, org_no: str) -> Ask:
        only_regular(original.session)
        whole_rest = price is None and quantity >= original.leaves_quantity
        return Ask(
            tr.KRX_CHANGE,
            {
                **self._account,
                "KRX_FWDG_ORD_ORGNO": org_no,
                "ORGN_ODNO": wire_order_id(original.broker_order_id, self._mock),
                "ORD_DVSN": "00",
                "RVSE_CNCL_DVSN_CD": "02" if price is None else "01",
                "ORD_QTY": "0" if whole_rest else str(quantity),
                "ORD_UNPR": "0" if price is None else price_text(price),
                "QTY_ALL_ORD_YN": "Y" if whole_rest else "N",
                "CNDT_PRIC": "",
                "EXCG_ID_DVSN_CD": self._venue_code(original.venue or Venue.KRX),
            },
        )

    def open_orders(self, today: date) -> Ask:
        """모의투자 has no list of amendable orders: the day's executions hold them."""
        if self._mock:
            return self._orders(tr.KRX_ORDERS, today, today)
        return Ask(tr.KRX_OPEN, {**self._account, "INQR_DVSN_1": "0", "INQR_DVSN_2": "0"})

    def executions(self, since: date, until: date, today: date) -> list[Ask]:
        recent = months_before(today, KEPT_MONTHS)
        asks = []
        if since < recent:
            asks.append(self._orders(tr.KRX_OLD_ORDERS, since, min(until, recent - timedelta(days=1))))
        if until >= recent:
            asks.append(self._orders(tr.KRX_ORDERS, max(since, recent), until))
        return asks

    def _orders(self, asked: tr.Tr, since: date, until: date) -> Ask:
        fields = {
            "INQR_STRT_DT": f"{since:%Y%m%d}",
            "INQR_END_DT": f"{until:%Y%m%d}",
            "SLL_BUY_DVSN_CD": "00",
            "PDNO": "",
            "CCLD_DVSN": "00",
            "INQR_DVSN": "01",
            "INQR_DVSN_3": "00",
            "ORD_GNO_BRNO": "",
            "ODNO": "",
            "INQR_DVSN_1": "",
            "EXCG_ID_DVSN_CD": "KRX" if self._mock else "ALL",
        }
        return Ask(asked, {**self._account, **fields}, "output1")

    def read_order(self, row: Row, market_now: datetime) -> BrokerOrder:
        """Read a row of the executions or of the amendable orders."""
        day, clock = text(row, "ord_dt"), required(row, "ord_tmd")
        facts = OrderFacts(
            symbol=required(row, "pdno"),
            average=self._average(row),
            refused=(number(row, "rjct_qty") or 0) > 0,
            is_cancel=original_id(row) is not None and text(row, "cncl_yn") == "Y",
            ordered_at=instant(day, clock) if day else instant_near(clock, market_now),
            venue=VENUES.get(text(row, "excg_id_dvsn_cd") or text(row, "excg_id_dvsn_Cd")),
            order_type=tr.KIS_TO_KRX_ORDER_TYPE.get(text(row, "ord_dvsn_cd"), OrderType.LIMIT),
        )
        return read_order(row, ORDERS, facts)

    def _average(self, row: Row) -> Decimal | None:
        """avg_prvs is rounded to won and absent among open orders: the total amount is exact."""
        filled, total = whole(row, "tot_ccld_qty"), positive(row, "tot_ccld_amt")
        return total / filled if total is not None and filled else positive(row, "avg_prvs")

    def reserved_orders(self, since: date, until: date) -> Ask:
        raise no_reservations()

    def read_reserved(self, row: Row) -> BrokerOrder:
        raise no_reservations()

    def balance(self) -> Ask:
        fields = {
            "AFHR_FLPR_YN": "N",
            "OFL_YN": "",
            "INQR_DVSN": "02",
            "UNPR_DVSN": "01",
            "FUND_STTL_ICLD_YN": "N",
            "FNCG_AMT_AUTO_RDPT_YN": "N",
            "PRCS_DVSN": "00",
        }
        return Ask(tr.KRX_BALANCE, {**self._account, **fields}, "output1")

    def read_positions(self, pages: list[Row]) -> list[Position]:
        return read_holdings(pages, HELD, Currency.KRW, str)

    def settled(self) -> list[Ask]:
        raise not_offered("국내 잔고는 체결 기준만 있습니다", "Korean holdings are told by execution only")

    def read_settled(self, pages: list[Row]) -> list[Position]:
        return []

    def orderable(self) -> Ask | None:
        """Without a symbol KIS answers the orderable amount alone."""
        fields = {"PDNO": "", "ORD_UNPR": "", "ORD_DVSN": "01", "CMA_EVLU_AMT_ICLD_YN": "N", "OVRS_ICLD_YN": "N"}
        return Ask(tr.KRX_POWER, {**self._account, **fields})

    def read_cash(self, pages: list[Row], orderable: Row | None, market_now: datetime) -> Cash:
        """D+2 cash: the deposit with every execution so far settled; what open orders hold back is still in it."""
        row = one(pages[-1], "output2")
        return Cash(
            currency=Currency.KRW,
            total=amount(row, "prvs_rcdl_excc_amt"),
            buying_power=number(one(orderable, "output"), "ord_psbl_cash") if orderable else None,
            as_of=market_now,
            equity=number(row, "tot_evlu_amt"),
            details={name: str(value) for name, value in row.items()},
            stages=staged(row, d0="dnca_tot_amt", d1="nxdy_excc_amt", d2="prvs_rcdl_excc_amt"),
        )

    def power(self, symbol: str, price: Decimal, venue: Venue) -> Ask:
        fields = {"PDNO": symbol, "ORD_UNPR": price_text(price), "ORD_DVSN": "00"}
        return Ask(tr.KRX_POWER, {**self._account, **fields, "CMA_EVLU_AMT_ICLD_YN": "N", "OVRS_ICLD_YN": "N"})

    def read_power(self, body: Row) -> tuple[Decimal, int]:
        output = one(body, "output")
        return amount(output, "nrcvb_buy_amt"), whole(output, "nrcvb_buy_qty")  # without margin

    def profit(self, since: date, until: date) -> Ask:
        fields = {
            "SORT_DVSN": "00",
            "PDNO": "",
            "INQR_STRT_DT": f"{since:%Y%m%d}",
            "INQR_END_DT": f"{until:%Y%m%d}",
            "CBLC_DVSN": "00",
        }
        return Ask(tr.KRX_PROFIT, {**self._account, **fields}, "output1")

    def read_profit(self, pages: list[Row]) -> PeriodProfit:
        """Rows of days without a sale realise nothing and are left out."""
        found = tuple(
            ProfitRow(
                trade_date=calendar_day(required(row, "trad_dt")),
                symbol=required(row, "pdno"),
                quantity=whole(row, "sll_qty"),
                bought=amount(row, "pchs_unpr") * whole(row, "sll_qty"),
                sold=amount(row, "sll_amt"),
                realized=amount(row, "rlzt_pfls"),
            )
            for page in pages
            for row in rows(page, "output1")
            if whole(row, "sll_qty")
        )
        summary = one(pages[-1], "output2")  # repeated on every page: the last one counts
        realized = number(summary, "tot_rlzt_pfls") if found else None
        total = sum((row.realized or Decimal(0) for row in found), Decimal(0)) if realized is None else realized
        fees, taxes = number(summary, "sll_fee_smtl"), number(summary, "sll_tltx_smtl")
        fees = number(summary, "tot_fee") if fees is None else fees
        taxes = number(summary, "tot_tltx") if taxes is None else taxes
        return PeriodProfit(Currency.KRW, total, fees, taxes, found, of_sales=True)

    def _venue_code(self, venue: Venue) -> str:
        if venue.value not in VENUES:
            raise not_offered(f"{venue}은(는) 국내 거래소가 아닙니다", f"{venue} is not a Korean venue")
        if self._mock and venue is not Venue.KRX:
            raise not_offered(
                f"모의투자는 KRX 주문만 받습니다 ({venue} 안 됨)", f"mock trading routes to KRX only, not {venue}"
            )
        return venue.value


def only_regular(session: OrderSession) -> None:
    if session is OrderSession.RESERVED:
        raise no_reservations()
    if session is not OrderSession.REGULAR:
        raise not_offered("국내 주식에는 주간거래가 없습니다", "Korean shares have no day market")


def no_reservations() -> NotSupported:
    return not_offered(
        "국내 예약주문은 이 프로그램이 지원하지 않습니다", "reserved orders for Korean shares are not offered"
    )
