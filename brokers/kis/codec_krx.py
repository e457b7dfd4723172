"""Korean shares in KIS's words (kis.md §4)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from brokers.kis import tr
from brokers.kis.codec import (
    KST,
    Row,
    amount,
    at_local,
    calendar_day,
    instant,
    instant_near,
    levels,
    number,
    one,
    order_id,
    original_id,
    positive,
    required,
    rows,
    side_of,
    text,
    whole,
    wire_order_id,
)
from brokers.kis.dialect import Ask, Ticket
from shared.domain.account import AccountNumber, Market
from shared.domain.errors import BadPrice, NotSupported
from shared.domain.instrument import Venue
from shared.domain.market import Bar, BookLevel, OrderBook, Quote, Timeframe
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, Cash, OrderType, Position, Side

OPEN_AT, CLOSE_AT = time(9, 0), time(15, 30)
DAILY_SPAN = timedelta(days=140)  # holds fewer than the 100 rows a page can carry
KEPT = timedelta(days=90)  # inquire-daily-ccld reaches three months back
VENUES = {venue.value: venue for venue in (Venue.KRX, Venue.NXT, Venue.SOR)}


def price_text(price: Decimal) -> str:
    if price <= 0 or price != price.to_integral_value():
        raise BadPrice(tr.KIS, "-", f"{price} is not a whole number of won", "round the price to the tick")
    return str(int(price))


class KrxDialect:
    market = Market.KRX
    zone = KST
    page_size_suffix = "100"

    def __init__(self, account: AccountNumber, mock: bool) -> None:
        self._account, self._mock = {"CANO": account.cano, "ACNT_PRDT_CD": account.product}, mock
        self.stream_tr: str | None = tr.KRX_TICKS
        self.notice_tr = tr.KRX_NOTICES[mock]

    def order(self, ticket: Ticket) -> Ask:
        kind = tr.KRX_ORDER_TYPE.get((ticket.order_type, ticket.time_in_force))
        if kind is None or (kind == "01" and ticket.venue is Venue.NXT):
            raise NotSupported(tr.KIS, "-", f"no {ticket.order_type} {ticket.time_in_force} at {ticket.venue}")
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
            return self.executions(today, today)
        return Ask(tr.KRX_OPEN, {**self._account, "INQR_DVSN_1": "0", "INQR_DVSN_2": "0"})

    def executions(self, since: date, until: date) -> Ask:
        if until - since > KEPT:
            raise NotSupported(tr.KIS, "-", f"executions reach {KEPT.days} days back, asked from {since} to {until}")
        return Ask(
            tr.KRX_ORDERS,
            {
                **self._account,
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
            },
            "output1",
        )

    def read_order(self, row: Row, market_now: datetime) -> BrokerOrder:
        """Read a row of the executions or of the amendable orders, whose remainder is called psbl_qty."""
        quantity, filled = whole(row, "ord_qty"), whole(row, "tot_ccld_qty")
        rejected = filled == 0 and (number(row, "rjct_qty") or 0) > 0
        leaves = 0 if rejected else whole(row, "rmn_qty" if "rmn_qty" in row else "psbl_qty")
        original = original_id(row)
        is_cancel = original is not None and text(row, "cncl_yn") == "Y"
        day, clock = text(row, "ord_dt"), required(row, "ord_tmd")
        venue = text(row, "excg_id_dvsn_cd") or text(row, "excg_id_dvsn_Cd")
        return BrokerOrder(
            broker_order_id=order_id(required(row, "odno")),
            symbol=required(row, "pdno"),
            side=side_of(required(row, "sll_buy_dvsn_cd")),
            quantity=quantity,
            price=positive(row, "ord_unpr"),
            filled_quantity=filled,
            average_fill_price=self._average(row, filled),
            leaves_quantity=leaves,
            canceled=not rejected and not is_cancel and leaves == 0 and filled < quantity,
            rejected=rejected,
            ordered_at=instant(day, clock) if day else instant_near(clock, market_now),
            orig_order_id=original,
            is_cancel=is_cancel,
            order_type=tr.KIS_TO_KRX_ORDER_TYPE.get(text(row, "ord_dvsn_cd"), OrderType.LIMIT),
            venue=VENUES.get(venue),
        )

    def _average(self, row: Row, filled: int) -> Decimal | None:
        """avg_prvs is rounded to won and absent among open orders: the total amount is exact."""
        if filled == 0:
            return None
        total = positive(row, "tot_ccld_amt")
        return total / filled if total is not None else positive(row, "avg_prvs")

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
        held: dict[str, Position] = {}
        for row in (row for page in pages for row in rows(page, "output1")):
            if not text(row, "pdno"):
                continue
            quantity = whole(row, "hldg_qty")
            if quantity:  # sold out rows stay with 0 until D+2
                sellable = number(row, "ord_psbl_qty")
                symbol = required(row, "pdno")
                held[symbol] = Position(
                    symbol=symbol,
                    quantity=quantity,
                    sellable=None if sellable is None else int(sellable),
                    average_price=amount(row, "pchs_avg_pric"),
                    currency=Currency.KRW,
                    last_price=positive(row, "prpr"),
                    unrealized_pnl=number(row, "evlu_pfls_amt"),
                    name=text(row, "prdt_name"),
                )
        return list(held.values())

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
        )

    def power(self, symbol: str, price: Decimal, venue: Venue) -> Ask:
        fields = {"PDNO": symbol, "ORD_UNPR": price_text(price), "ORD_DVSN": "00"}
        return Ask(tr.KRX_POWER, {**self._account, **fields, "CMA_EVLU_AMT_ICLD_YN": "N", "OVRS_ICLD_YN": "N"})

    def read_power(self, body: Row) -> tuple[Decimal, int]:
        output = one(body, "output")
        return amount(output, "nrcvb_buy_amt"), whole(output, "nrcvb_buy_qty")  # without margin

    def quote(self, symbol: str, venue: Venue) -> Ask:
        return Ask(tr.KRX_PRICE, {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": symbol})

    def read_quote(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> Quote | None:
        output = one(body, "output")
        last = positive(output, "stck_prpr")
        if last is None:  # an unknown code is answered with price 0 and rt_cd 0
            return None
        volume = number(output, "acml_vol")
        return Quote(
            symbol=symbol,
            last=last,
            bid=None,
            ask=None,
            prev_close=positive(output, "stck_sdpr"),
            upper_limit=positive(output, "stck_mxpr"),
            lower_limit=positive(output, "stck_llam"),
            volume=None if volume is None else int(volume),
            at=market_now,  # the answer carries no time
            received_at=received_at,
        )

    def book(self, symbol: str, venue: Venue) -> Ask:
        return Ask(tr.KRX_BOOK, {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": symbol})

    def read_book(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> OrderBook:
        output = one(body, "output1")
        clock = text(output, "aspr_acpt_hour")
        return OrderBook(
            symbol=symbol,
            bids=tuple(BookLevel(price, size) for price, size in levels(output, "bidp", "bidp_rsqn")),
            asks=tuple(BookLevel(price, size) for price, size in levels(output, "askp", "askp_rsqn")),
            at=instant_near(clock, market_now) if clock else market_now,
            received_at=received_at,
        )

    def bar_source(self, timeframe: Timeframe) -> Timeframe:
        return Timeframe.D1 if timeframe is Timeframe.D1 else Timeframe.M1

    def bars(self, symbol: str, venue: Venue, timeframe: Timeframe, before: datetime, market_now: datetime) -> Ask:
        """Minutes of today and of earlier days are two transactions; 모의투자 has today's only."""
        fields = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": symbol}
        local = before.astimezone(KST)
        if timeframe is Timeframe.D1:
            span = {"FID_INPUT_DATE_1": f"{local - DAILY_SPAN:%Y%m%d}", "FID_INPUT_DATE_2": f"{local:%Y%m%d}"}
            return Ask(tr.KRX_DAILY, {**fields, **span, "FID_PERIOD_DIV_CODE": "D", "FID_ORG_ADJ_PRC": "0"})
        fields |= {"FID_INPUT_HOUR_1": f"{local:%H%M%S}"}
        if local.date() == market_now.astimezone(KST).date():
            return Ask(tr.KRX_MINUTE_TODAY, {**fields, "FID_ETC_CLS_CODE": "", "FID_PW_DATA_INCU_YN": "N"})
        past = {"FID_INPUT_DATE_1": f"{local:%Y%m%d}", "FID_PW_DATA_INCU_YN": "Y", "FID_FAKE_TICK_INCU_YN": ""}
        return Ask(tr.KRX_MINUTE_PAST, {**fields, **past})

    def read_bars(self, symbol: str, timeframe: Timeframe, body: Row, market_now: datetime) -> list[Bar]:
        found: list[Bar] = []
        daily = timeframe is Timeframe.D1
        for row in rows(body, "output2"):
            close = positive(row, "stck_clpr" if daily else "stck_prpr")
            opened = positive(row, "stck_oprc")
            if close is None or opened is None:  # a halted day has no open: no bar
                continue
            day = calendar_day(required(row, "stck_bsop_date"))
            if daily:
                start, end = at_local(day, OPEN_AT, KST), at_local(day, CLOSE_AT, KST)
            else:
                start = instant(required(row, "stck_bsop_date"), required(row, "stck_cntg_hour"))
                end = start + timedelta(seconds=timeframe.seconds)
            found.append(
                Bar(
                    symbol=symbol,
                    timeframe=timeframe,
                    start=start,
                    open=opened,
                    high=amount(row, "stck_hgpr"),
                    low=amount(row, "stck_lwpr"),
                    close=close,
                    volume=whole(row, "acml_vol" if daily else "cntg_vol"),
                    closed=end <= market_now,
                )
            )
        return found

    def earlier(self, timeframe: Timeframe, before: datetime, new: list[Bar], market_now: datetime) -> datetime | None:
        if new:
            step = timedelta(days=1) if timeframe is Timeframe.D1 else timedelta(minutes=1)
            return min(bar.start for bar in new) - step
        today = market_now.astimezone(KST).date()
        if timeframe is Timeframe.D1 or before.astimezone(KST).date() != today or self._mock:
            return None
        return at_local(today - timedelta(days=1), time(23, 59, 59), KST)  # today is exhausted, earlier days remain

    def stream_key(self, symbol: str, venue: Venue) -> str:
        return symbol

    def _venue_code(self, venue: Venue) -> str:
        if venue.value not in VENUES or (self._mock and venue is not Venue.KRX):
            raise NotSupported(tr.KIS, "-", f"orders at {venue} are not offered here")
        return venue.value
