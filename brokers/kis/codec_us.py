"""Orders and account of US shares in KIS's words (kis.md §3)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
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
    number,
    one,
    order_id,
    plain_symbol,
    positive,
    required,
    rows,
    share_class,
    side_of,
    staged,
    text,
    whole,
    wire_order_id,
)
from brokers.kis.dialect import ROUND_IT, Ask, Ticket, not_offered
from brokers.kis.quotes_us import NEW_YORK
from shared.domain.account import AccountNumber, Market
from shared.domain.errors import BadPrice, WireError
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import (
    BrokerOrder,
    Cash,
    OrderSession,
    OrderType,
    Position,
    Side,
    TimeInForce,
)
from shared.domain.venue_rules import round_to_tick, tick_size

CENT, HUNDREDTH_CENT = Decimal("0.01"), Decimal("0.0001")
ORDERS = OrderRow("ft_ord_qty", "ft_ord_unpr3", "ft_ccld_qty", ("nccs_qty",))
# Executed, not settled: what position control must use (kis.md §3.7).
HELD = HoldingRow(
    "pdno",
    "prdt_name",
    "ccld_qty_smtl1",
    "ord_psbl_qty1",
    "avg_unpr3",
    "ovrs_now_pric1",
    "evlu_pfls_amt2",
    "buy_crcy_cd",
)
SETTLED = HoldingRow(
    "ovrs_pdno",
    "ovrs_item_name",
    "ovrs_cblc_qty",
    "ord_psbl_qty",
    "pchs_avg_pric",
    "now_pric2",
    "frcr_evlu_pfls_amt",
    "tr_crcy_cd",
)
DAY_MARKET_FROM, DAY_MARKET_UNTIL = time(10, 0), time(17, 0)  # KST; the pre-market opens at 17:00 in summer


def price_text(price: Decimal) -> str:
    """Two to four decimals, as KIS writes US prices (kis.md §7.2); whether it stands on the tick is checked before."""
    written = price.quantize(CENT) if price == price.quantize(CENT) else price.quantize(HUNDREDTH_CENT)
    if price <= 0 or written != price:
        raise BadPrice(tr.KIS, "-", f"{price}: 소수 넷째 자리까지입니다 / has more than four decimals", ROUND_IT)
    return format(written, "f")


class UsDialect:
    market = Market.US
    zone = NEW_YORK
    page_size_suffix = "200"

    def __init__(self, account: AccountNumber, mock: bool) -> None:
        self._account, self._mock = {"CANO": account.cano, "ACNT_PRDT_CD": account.product}, mock
        self.notice_tr = tr.US_NOTICES[mock]

    def order(self, ticket: Ticket) -> Ask:
        kind = tr.US_ORDER_TYPE.get((ticket.order_type, ticket.side))
        if kind is None or ticket.time_in_force is not TimeInForce.DAY:
            wanted = f"{ticket.order_type} {ticket.side} {ticket.time_in_force}"
            raise not_offered(f"미국 주식에는 {wanted} 주문이 없습니다", f"no {wanted} orders for US shares")
        if self._mock and kind != "00":
            raise not_offered("모의투자는 지정가만 됩니다", "mock trading takes limit orders only")
        if ticket.session is OrderSession.RESERVED:
            return self._reserve(ticket, kind)
        price = "0" if ticket.price is None else price_text(ticket.price)
        fields = {
            **self._account,
            "OVRS_EXCG_CD": venue_code(ticket.venue),
            "PDNO": share_class(ticket.symbol),
            "ORD_QTY": str(ticket.quantity),
            "OVRS_ORD_UNPR": price,
            "CTAC_TLNO": "",
            "MGCO_APTM_ODNO": "",
        }
        buy, last = ticket.side is Side.BUY, {"ORD_SVR_DVSN_CD": "0", "ORD_DVSN": kind}
        if ticket.session is OrderSession.DAY_MARKET:
            if kind != "00":
                raise not_offered("주간거래는 지정가만 됩니다", "the day market takes limit orders only")
            return Ask(tr.US_DAY_BUY if buy else tr.US_DAY_SELL, {**fields, **last})
        return Ask(tr.US_BUY if buy else tr.US_SELL, {**fields, "SLL_TYPE": "" if buy else "00", **last})

    def _reserve(self, ticket: Ticket, kind: str) -> Ask:
        """KIS checks neither cash nor holdings of a reserved order; it fails later, silently (kis.md §3.5)."""
        if kind not in {"00", "31"}:
            raise not_offered("예약주문은 지정가와 매도 MOO만 됩니다", "reserved orders are limit orders or a MOO sale")
        return Ask(
            tr.US_RESERVE_BUY if ticket.side is Side.BUY else tr.US_RESERVE_SELL,
            {
                **self._account,
                "PDNO": share_class(ticket.symbol),
                "OVRS_EXCG_CD": venue_code(ticket.venue),
                "FT_ORD_QTY": str(ticket.quantity),
                "FT_ORD_UNPR3": "0" if ticket.price is None else price_text(ticket.price),
                "ORD_SVR_DVSN_CD": "0",
                "ORD_DVSN": kind,
            },
        )

    def change(self, original: BrokerOrder, quantity: int, price: Decimal | None, org_no: str) -> Ask:
        number = wire_order_id(original.broker_order_id, self._mock)
        if original.session is OrderSession.RESERVED:
            if price is not None or quantity < original.leaves_quantity:
                raise not_offered(
                    "예약주문은 전량 취소만 됩니다 (정정 없음)",
                    "a reserved order can only be cancelled whole, not amended",
                )
            day = original.ordered_at.astimezone(KST).date()
            fields = {"RSVN_ORD_RCIT_DT": f"{day:%Y%m%d}", "OVRS_RSVN_ODNO": number}
            return Ask(tr.US_RESERVE_CANCEL, {**self._account, **fields})
        return Ask(
            tr.US_DAY_CHANGE if original.session is OrderSession.DAY_MARKET else tr.US_CHANGE,
            {
                **self._account,
                "OVRS_EXCG_CD": venue_code(original.venue),
                "PDNO": share_class(original.symbol),
                "ORGN_ODNO": number,
                "RVSE_CNCL_DVSN_CD": "02" if price is None else "01",
                "ORD_QTY": str(quantity),
                "OVRS_ORD_UNPR": "0" if price is None else price_text(price),
                "MGCO_APTM_ODNO": "",
                "ORD_SVR_DVSN_CD": "0",
            },
        )

    def open_orders(self, today: date) -> Ask:
        """모의투자 has no list of open orders: the executions around today hold them."""
        if self._mock:
            (ask,) = self.executions(today - timedelta(days=1), today + timedelta(days=1), today)
            return ask
        return Ask(tr.US_OPEN, {**self._account, "OVRS_EXCG_CD": "NASD", "SORT_SQN": "DS"})  # NASD: the whole US

    def executions(self, since: date, until: date, today: date) -> list[Ask]:
        fields = {
            "PDNO": "" if self._mock else "%",
            "ORD_STRT_DT": f"{since:%Y%m%d}",
            "ORD_END_DT": f"{until:%Y%m%d}",
            "SLL_BUY_DVSN": "00",
            "CCLD_NCCS_DVSN": "00",
            "OVRS_EXCG_CD": "" if self._mock else "NASD",
            "SORT_SQN": "DS",
            "ORD_DT": "",
            "ORD_GNO_BRNO": "",
            "ODNO": "",
        }
        return [Ask(tr.US_ORDERS, {**self._account, **fields})]

    def read_order(self, row: Row, market_now: datetime) -> BrokerOrder:
        reason = text(row, "rjct_rson_name") or text(row, "rjct_rson").strip("0")
        ordered_at = self._ordered_at(row, market_now)
        facts = OrderFacts(
            symbol=plain_symbol(required(row, "pdno")),
            average=positive(row, "ft_ccld_unpr3"),
            refused=bool(reason) or text(row, "prcs_stat_name") == "거부",
            is_cancel=(text(row, "rvse_cncl_dvsn") or text(row, "rvse_cncl_dvsn_cd")) == "02",
            ordered_at=ordered_at,
            venue=tr.ORDER_TO_VENUE.get(text(row, "ovrs_excg_cd")),
            reason=reason,
            session=self._session(ordered_at),
            channel=text(row, "mdia_dvsn_name"),
        )
        return read_order(row, ORDERS, facts)

    def _session(self, ordered_at: datetime) -> OrderSession:
        """The lists do not name the session; by Korean day only the day market takes orders (kis.md §3.1)."""
        by_day = DAY_MARKET_FROM <= ordered_at.astimezone(KST).time() < DAY_MARKET_UNTIL
        return OrderSession.DAY_MARKET if by_day and not self._mock else OrderSession.REGULAR

    def _ordered_at(self, row: Row, market_now: datetime) -> datetime:
        """`ord_dt` is the US date, the clock is KST (kis.md §3.9): without the KST date, the latest day not ahead of us."""
        if text(row, "dmst_ord_dt"):
            return instant(text(row, "dmst_ord_dt"), text(row, "thco_ord_tmd") or required(row, "ord_tmd"))
        day, clock = calendar_day(required(row, "ord_dt")), required(row, "ord_tmd")
        same_day, day_after = (instant(f"{day + timedelta(days=shift):%Y%m%d}", clock) for shift in (0, 1))
        return day_after if day_after <= market_now + timedelta(minutes=2) else same_day

    def reserved_orders(self, since: date, until: date) -> Ask:
        span = {"INQR_STRT_DT": f"{since:%Y%m%d}", "INQR_END_DT": f"{until:%Y%m%d}", "INQR_DVSN_CD": "00"}
        return Ask(tr.US_RESERVED, {**self._account, **span, "OVRS_EXCG_CD": "NASD", "PRDT_TYPE_CD": ""})

    def read_reserved(self, row: Row) -> BrokerOrder:
        """A reservation waits until it is cancelled, fails, or an order number says that it was sent."""
        quantity, filled = whole(row, "ft_ord_qty"), whole(row, "ft_ccld_qty")
        canceled, failure = text(row, "cncl_yn") == "Y", text(row, "nprc_rson_text")
        sent = bool(text(row, "odno").strip("0"))
        price = positive(row, "ft_ord_unpr3")
        return BrokerOrder(
            broker_order_id=order_id(required(row, "ovrs_rsvn_odno")),
            symbol=plain_symbol(required(row, "pdno")),
            side=side_of(required(row, "sll_buy_dvsn_cd")),
            quantity=quantity,
            price=price,
            filled_quantity=filled,
            average_fill_price=None,  # the list has none; the order that was sent has
            leaves_quantity=0 if canceled or failure or sent else quantity,
            canceled=canceled,
            rejected=bool(failure) and not canceled,
            ordered_at=instant(required(row, "rsvn_ord_rcit_dt"), text(row, "ord_rcit_tmd") or "000000"),
            reject_reason=failure,
            order_type=OrderType.LIMIT if price is not None else OrderType.MOO,
            venue=tr.ORDER_TO_VENUE.get(text(row, "ovrs_excg_cd")),
            session=OrderSession.RESERVED,
            became=order_id(text(row, "odno")) if sent else None,
        )

    def balance(self) -> Ask:
        fields = {"WCRC_FRCR_DVSN_CD": "02", "NATN_CD": "840", "TR_MKET_CD": "00", "INQR_DVSN_CD": "00"}
        return Ask(tr.US_BALANCE, {**self._account, **fields}, "output1", cursor=False)

    def read_positions(self, pages: list[Row]) -> list[Position]:
        return read_holdings(pages, HELD, Currency.USD, plain_symbol)

    def settled(self) -> list[Ask]:
        """NASD is the whole US on the real server and Nasdaq alone on 모의투자 (kis.md §3.1)."""
        codes = ("NASD", "NYSE", "AMEX") if self._mock else ("NASD",)
        return [
            Ask(tr.US_SETTLED, {**self._account, "OVRS_EXCG_CD": code, "TR_CRCY_CD": "USD"}, "output1")
            for code in codes
        ]

    def read_settled(self, pages: list[Row]) -> list[Position]:
        return read_holdings(pages, SETTLED, Currency.USD, plain_symbol)

    def orderable(self) -> Ask | None:
        return None  # the balance has it

    def read_cash(self, pages: list[Row], orderable: Row | None, market_now: datetime) -> Cash:
        """What may be withdrawn plus what open buys hold back: executed trades are out of both.

        KIS's deposit field is the settled one and still counts dollars already spent (kis.md §3.7); proceeds of a sale
        join the withdrawable amount when KIS lets them.
        """
        if not {"output2", "output3"} & pages[-1].keys():  # blank they may be; without either it tells no cash at all
            raise WireError(tr.KIS, "-", "the balance has neither output2 nor output3")
        row = next((row for row in rows(pages[-1], "output2") if text(row, "crcy_cd") == "USD"), {})
        free = amount(row, "frcr_drwg_psbl_amt_1") if row else Decimal(0)  # no USD row: never held a dollar
        held_back = (number(row, name) or Decimal(0) for name in ("frcr_buy_mgn_amt", "frcr_etc_mgna"))
        total = free + sum(held_back)
        holdings = (number(item, "frcr_evlu_amt2") or Decimal(0) for page in pages for item in rows(page, "output1"))
        return Cash(
            currency=Currency.USD,
            total=total,
            buying_power=free,
            as_of=market_now,
            equity=total + sum(holdings),
            details={name: str(value) for name, value in row.items()},
            stages=staged(row, d0="frcr_dncl_amt_2", locked="frcr_buy_mgn_amt", withdrawable="frcr_drwg_psbl_amt_1"),
            krw_rate=base_rate([item for page in pages for item in rows(page, "output1")], row),
        )

    def power(self, symbol: str, price: Decimal, venue: Venue) -> Ask:
        fields = {"OVRS_EXCG_CD": venue_code(venue), "OVRS_ORD_UNPR": price_text(price), "ITEM_CD": share_class(symbol)}
        return Ask(tr.US_POWER, {**self._account, **fields})

    def read_power(self, body: Row) -> tuple[Decimal, int]:
        output = one(body, "output")
        return amount(output, "ovrs_ord_psbl_amt"), whole(output, "max_ord_psbl_qty")

    def profit(self, since: date, until: date) -> Ask:
        fields = {
            "OVRS_EXCG_CD": "NASD",
            "NATN_CD": "",
            "CRCY_CD": "USD",
            "PDNO": "",
            "INQR_STRT_DT": f"{since:%Y%m%d}",
            "INQR_END_DT": f"{until:%Y%m%d}",
            "WCRC_FRCR_DVSN_CD": "01",  # dollars here, while 02 means dollars in the balance (kis.md §7.1)
        }
        return Ask(tr.US_PROFIT, {**self._account, **fields}, "output1")

    def read_profit(self, pages: list[Row]) -> PeriodProfit:
        found = tuple(
            ProfitRow(
                trade_date=calendar_day(required(row, "trad_day")),
                symbol=plain_symbol(required(row, "ovrs_pdno")),
                quantity=whole(row, "slcl_qty"),
                bought=amount(row, "frcr_pchs_amt1"),
                sold=amount(row, "frcr_sll_amt_smtl1"),
                realized=amount(row, "ovrs_rlzt_pfls_amt"),
            )
            for page in pages
            for row in rows(page, "output1")
        )
        summary = one(pages[-1], "output2")  # repeated on every page: the last one counts
        realized = number(summary, "ovrs_rlzt_pfls_tot_amt") if found else None
        total = sum((row.realized or Decimal(0) for row in found), Decimal(0)) if realized is None else realized
        return PeriodProfit(Currency.USD, total, number(summary, "smtl_fee1"), None, found, of_sales=True)


def venue_code(venue: Venue | None) -> str:
    if venue is None or venue not in tr.VENUE_TO_ORDER:
        raise not_offered(f"{venue}은(는) 미국 거래소가 아닙니다", f"{venue} is not a US exchange")
    return tr.VENUE_TO_ORDER[venue]


def collared(last: Decimal, side: Side, collar_pct: Decimal, on: date) -> Decimal:
    """A limit that fills like a market order but never beyond `collar_pct` of `last`; on the tick, inside the collar."""
    limit = last * (1 + collar_pct / 100 if side is Side.BUY else 1 - collar_pct / 100)
    return round_to_tick(limit, tick_size(Market.US, limit, on), side)


def base_rate(held: list[Row], cash: Row) -> Decimal | None:
    """Won for a dollar: the base rate beside a holding, else the day's first posted one beside the cash."""
    dollars = (row for row in held if text(row, "buy_crcy_cd") in {"", "USD"})
    return next((rate for row in dollars if (rate := positive(row, "bass_exrt"))), None) or positive(
        cash, "frst_bltn_exrt"
    )
