"""US shares in KIS's words (kis.md §3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers.kis import tr
from brokers.kis.codec import (
    Row,
    amount,
    at_local,
    calendar_day,
    instant,
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
from shared.domain.order import BrokerOrder, Cash, Position, Side, TimeInForce
from shared.domain.venue_rules import round_to_tick, tick_size

NEW_YORK = ZoneInfo("America/New_York")
OPEN_AT, CLOSE_AT = time(9, 30), time(16, 0)
MINUTES = {Timeframe.M1: "1", Timeframe.M5: "5", Timeframe.M15: "15", Timeframe.H1: "60"}
CENT, HUNDREDTH_CENT = Decimal("0.01"), Decimal("0.0001")


def price_text(price: Decimal) -> str:
    """Two to four decimals, as KIS writes US prices (kis.md §7.2); whether it stands on the tick is checked before."""
    written = price.quantize(CENT) if price == price.quantize(CENT) else price.quantize(HUNDREDTH_CENT)
    if price <= 0 or written != price:
        raise BadPrice(tr.KIS, "-", f"{price} has more than four decimals", "round the price to the tick")
    return format(written, "f")


class UsDialect:
    market = Market.US
    zone = NEW_YORK
    page_size_suffix = "200"

    def __init__(self, account: AccountNumber, mock: bool) -> None:
        self._account, self._mock = {"CANO": account.cano, "ACNT_PRDT_CD": account.product}, mock
        self.stream_tr = None if mock else tr.US_TICKS  # 모의투자 has no US ticks (kis.md §5.10)
        self.notice_tr = tr.US_NOTICES[mock]

    def order(self, ticket: Ticket) -> Ask:
        kind = tr.US_ORDER_TYPE.get((ticket.order_type, ticket.side))
        if kind is None or ticket.time_in_force is not TimeInForce.DAY:
            raise NotSupported(
                tr.KIS, "-", f"no {ticket.order_type} {ticket.side} {ticket.time_in_force} for US shares"
            )
        if self._mock and kind != "00":
            raise NotSupported(tr.KIS, "-", "모의투자는 지정가만 됩니다 / mock trading takes limit orders only")
        buy = tr.SIDE_TO_KIS[ticket.side] == "02"
        return Ask(
            tr.US_BUY if buy else tr.US_SELL,
            {
                **self._account,
                "OVRS_EXCG_CD": venue_code(ticket.venue),
                "PDNO": ticket.symbol,
                "ORD_QTY": str(ticket.quantity),
                "OVRS_ORD_UNPR": "0" if ticket.price is None else price_text(ticket.price),
                "CTAC_TLNO": "",
                "MGCO_APTM_ODNO": "",
                "SLL_TYPE": "" if buy else "00",
                "ORD_SVR_DVSN_CD": "0",
                "ORD_DVSN": kind,
            },
        )

    def change(self, original: BrokerOrder, quantity: int, price: Decimal | None, org_no: str) -> Ask:
        return Ask(
            tr.US_CHANGE,
            {
                **self._account,
                "OVRS_EXCG_CD": venue_code(original.venue),
                "PDNO": original.symbol,
                "ORGN_ODNO": wire_order_id(original.broker_order_id, self._mock),
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
            return self.executions(today - timedelta(days=1), today + timedelta(days=1))
        return Ask(tr.US_OPEN, {**self._account, "OVRS_EXCG_CD": "NASD", "SORT_SQN": "DS"})  # NASD: the whole US

    def executions(self, since: date, until: date) -> Ask:
        return Ask(
            tr.US_ORDERS,
            {
                **self._account,
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
            },
        )

    def read_order(self, row: Row, market_now: datetime) -> BrokerOrder:
        quantity, filled = whole(row, "ft_ord_qty"), whole(row, "ft_ccld_qty")
        reason = text(row, "rjct_rson_name") or text(row, "rjct_rson").strip("0")
        rejected = filled == 0 and (bool(reason) or text(row, "prcs_stat_name") == "거부")
        leaves = 0 if rejected else whole(row, "nccs_qty")
        is_cancel = (text(row, "rvse_cncl_dvsn") or text(row, "rvse_cncl_dvsn_cd")) == "02"
        return BrokerOrder(
            broker_order_id=order_id(required(row, "odno")),
            symbol=required(row, "pdno"),
            side=side_of(required(row, "sll_buy_dvsn_cd")),
            quantity=quantity,
            price=positive(row, "ft_ord_unpr3"),
            filled_quantity=filled,
            average_fill_price=positive(row, "ft_ccld_unpr3") if filled else None,
            leaves_quantity=leaves,
            canceled=not rejected and not is_cancel and leaves == 0 and filled < quantity,
            rejected=rejected,
            ordered_at=self._ordered_at(row, market_now),
            orig_order_id=original_id(row),
            is_cancel=is_cancel,
            reject_reason=reason,
            venue=tr.ORDER_TO_VENUE.get(text(row, "ovrs_excg_cd")),
        )

    def _ordered_at(self, row: Row, market_now: datetime) -> datetime:
        """`ord_dt` is the US date, the clock is KST (kis.md §3.9): without the KST date, the latest day not ahead of us."""
        if text(row, "dmst_ord_dt"):
            return instant(text(row, "dmst_ord_dt"), text(row, "thco_ord_tmd") or required(row, "ord_tmd"))
        day, clock = calendar_day(required(row, "ord_dt")), required(row, "ord_tmd")
        same_day, day_after = (instant(f"{day + timedelta(days=shift):%Y%m%d}", clock) for shift in (0, 1))
        return day_after if day_after <= market_now + timedelta(minutes=2) else same_day

    def balance(self) -> Ask:
        fields = {"WCRC_FRCR_DVSN_CD": "02", "NATN_CD": "840", "TR_MKET_CD": "00", "INQR_DVSN_CD": "00"}
        return Ask(tr.US_BALANCE, {**self._account, **fields}, "output1", cursor=False)

    def read_positions(self, pages: list[Row]) -> list[Position]:
        held: dict[str, Position] = {}  # symbol -> position; a holding may come back under more than one page
        for row in (row for page in pages for row in rows(page, "output1")):
            if not text(row, "pdno") or text(row, "buy_crcy_cd") not in {"", "USD"}:
                continue
            # Executed, not settled: what position control must use (kis.md §3.7).
            quantity = whole(row, "ccld_qty_smtl1")
            if quantity:
                sellable = number(row, "ord_psbl_qty1")
                symbol = required(row, "pdno")
                held[symbol] = Position(
                    symbol=symbol,
                    quantity=quantity,
                    sellable=None if sellable is None else int(sellable),
                    average_price=amount(row, "avg_unpr3"),
                    currency=Currency.USD,
                    last_price=positive(row, "ovrs_now_pric1"),
                    unrealized_pnl=number(row, "evlu_pfls_amt2"),
                    name=text(row, "prdt_name"),
                )
        return list(held.values())

    def orderable(self) -> Ask | None:
        return None  # the balance has it

    def read_cash(self, pages: list[Row], orderable: Row | None, market_now: datetime) -> Cash:
        """What may be withdrawn plus what open buys hold back: executed trades are out of both.

        KIS's deposit field is the settled one and still counts dollars already spent (kis.md §3.7); proceeds of a sale
        join the withdrawable amount when KIS lets them.
        """
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
        )

    def power(self, symbol: str, price: Decimal, venue: Venue) -> Ask:
        fields = {"OVRS_EXCG_CD": venue_code(venue), "OVRS_ORD_UNPR": price_text(price), "ITEM_CD": symbol}
        return Ask(tr.US_POWER, {**self._account, **fields})

    def read_power(self, body: Row) -> tuple[Decimal, int]:
        output = one(body, "output")
        return amount(output, "ovrs_ord_psbl_amt"), whole(output, "max_ord_psbl_qty")

    def quote(self, symbol: str, venue: Venue) -> Ask:
        return Ask(tr.US_PRICE, {"AUTH": "", "EXCD": quote_code(venue), "SYMB": symbol})

    def read_quote(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> Quote | None:
        output = one(body, "output")
        last = positive(output, "last")
        if last is None:  # an unknown symbol is answered with blanks and rt_cd 0
            return None
        volume = number(output, "tvol")
        return Quote(
            symbol=symbol,
            last=last,
            bid=None,
            ask=None,
            prev_close=positive(output, "base"),
            upper_limit=None,
            lower_limit=None,
            volume=None if volume is None else int(volume),
            at=market_now,  # the answer carries no time
            received_at=received_at,
        )

    def book(self, symbol: str, venue: Venue) -> Ask:
        return Ask(tr.US_BOOK, {"AUTH": "", "EXCD": quote_code(venue), "SYMB": symbol})

    def read_book(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> OrderBook:
        head, output = one(body, "output1"), one(body, "output2")
        at = instant(text(head, "dymd"), text(head, "dhms"), NEW_YORK) if text(head, "dhms") else market_now
        return OrderBook(
            symbol=symbol,
            bids=tuple(BookLevel(price, size) for price, size in levels(output, "pbid", "vbid")),
            asks=tuple(BookLevel(price, size) for price, size in levels(output, "pask", "vask")),
            at=at,
            received_at=received_at,
        )

    def bar_source(self, timeframe: Timeframe) -> Timeframe:
        return timeframe

    def bars(self, symbol: str, venue: Venue, timeframe: Timeframe, before: datetime, market_now: datetime) -> Ask:
        fields = {"AUTH": "", "EXCD": quote_code(venue), "SYMB": symbol}
        first = before >= market_now
        if timeframe is Timeframe.D1:
            day = "" if first else f"{before.astimezone(NEW_YORK):%Y%m%d}"
            return Ask(tr.US_DAILY, {**fields, "GUBN": "0", "BYMD": day, "MODP": "1"})
        key = "" if first else f"{before.astimezone(NEW_YORK):%Y%m%d%H%M%S}"
        page = {"NMIN": MINUTES[timeframe], "PINC": "1", "NEXT": "" if first else "1", "NREC": "120", "FILL": ""}
        return Ask(tr.US_MINUTE, {**fields, **page, "KEYB": key})

    def read_bars(self, symbol: str, timeframe: Timeframe, body: Row, market_now: datetime) -> list[Bar]:
        found: list[Bar] = []
        daily = timeframe is Timeframe.D1
        for row in rows(body, "output2"):
            close = positive(row, "clos" if daily else "last")
            if close is None:
                continue
            if daily:
                day = calendar_day(required(row, "xymd"))
                start, end = at_local(day, OPEN_AT, NEW_YORK), at_local(day, CLOSE_AT, NEW_YORK)
            else:
                start = instant(required(row, "xymd"), required(row, "xhms"), NEW_YORK)
                end = start + timedelta(seconds=timeframe.seconds)
            found.append(
                Bar(
                    symbol=symbol,
                    timeframe=timeframe,
                    start=start,
                    open=amount(row, "open"),
                    high=amount(row, "high"),
                    low=amount(row, "low"),
                    close=close,
                    volume=whole(row, "tvol" if daily else "evol"),
                    closed=end <= market_now,
                )
            )
        return found

    def earlier(self, timeframe: Timeframe, before: datetime, new: list[Bar], market_now: datetime) -> datetime | None:
        if not new:
            return None
        oldest = min(bar.start for bar in new)
        step = timedelta(days=1) if timeframe is Timeframe.D1 else timedelta(seconds=timeframe.seconds)
        return (oldest.astimezone(NEW_YORK) - step).astimezone(UTC)

    def stream_key(self, symbol: str, venue: Venue) -> str:
        return f"D{quote_code(venue)}{symbol}"


def venue_code(venue: Venue | None) -> str:
    return _code(tr.VENUE_TO_ORDER, venue)


def quote_code(venue: Venue | None) -> str:
    return _code(tr.VENUE_TO_QUOTE, venue)


def _code(table: dict[Venue, str], venue: Venue | None) -> str:
    if venue is None or venue not in table:
        raise NotSupported(tr.KIS, "-", f"{venue} is not a US exchange")
    return table[venue]


def collared(last: Decimal, side: Side, collar_pct: Decimal, on: date) -> Decimal:
    """A limit that fills like a market order but never beyond `collar_pct` of `last`; on the tick, inside the collar."""
    limit = last * (1 + collar_pct / 100 if side is Side.BUY else 1 - collar_pct / 100)
    return round_to_tick(limit, tick_size(Market.US, limit, on), side)
