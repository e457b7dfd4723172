"""Prices, charts, calendar and stream keys of Korean shares in KIS's words (kis.md §4.7–4.10, §5.7, §5.8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from brokers.kis import tr
from brokers.kis.charts import PERIODS, ChartRow, Hours, period_start, read_bars
from brokers.kis.codec import (
    KST,
    Row,
    amount,
    at_local,
    calendar_day,
    instant_near,
    levels,
    number,
    one,
    positive,
    required,
    rows,
    text,
    whole,
)
from brokers.kis.dialect import Ask, Place, Registration, not_offered
from shared.domain.account import Market
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, BookLevel, Detail, OrderBook, Quote, Tick, Timeframe
from shared.domain.order import OrderSession

HOURS = Hours(KST, time(9, 0), time(15, 30))
LONG_HOURS = Hours(KST, time(8, 0), time(20, 0))  # NXT, and both exchanges together
# A page carries 100 rows: each span holds fewer, so nothing between its ends is left out.
SPANS = {Timeframe.D1: timedelta(days=138), Timeframe.W1: timedelta(weeks=99), Timeframe.MN1: timedelta(days=30 * 99)}
PERIOD_ROWS = ChartRow("stck_bsop_date", "", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_clpr", "acml_vol")
MINUTE_ROWS = ChartRow(
    "stck_bsop_date", "stck_cntg_hour", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_prpr", "cntg_vol"
)
WARNINGS = {"01": "투자주의", "02": "투자경고", "03": "투자위험"}  # mrkt_warn_cls_code
ADMINISTRATIVE, HALTED = "51", "58"  # iscd_stat_cls_code


class KrxQuotes:
    market = Market.KRX
    zone = KST
    together = 1

    def __init__(self, mock: bool) -> None:
        self._mock = mock

    def quotes(self, places: Sequence[Place]) -> Ask:
        raise not_offered("여러 국내 종목의 동시 시세는 쓰지 않습니다", "Korean prices are asked one by one")

    def read_quotes(
        self, places: Sequence[Place], body: Row, market_now: datetime, received_at: datetime
    ) -> list[Quote]:
        return []

    def quote(self, symbol: str, venue: Venue, session: OrderSession) -> Ask:
        return Ask(tr.KRX_PRICE, where(symbol, venue, session))

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

    def book(self, symbol: str, venue: Venue, session: OrderSession) -> Ask:
        return Ask(tr.KRX_BOOK, where(symbol, venue, session))

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

    def detail(self, symbol: str, venue: Venue) -> Ask:
        return Ask(tr.KRX_PRICE, where(symbol, venue))

    def read_detail(self, symbol: str, body: Row) -> Detail | None:
        row = one(body, "output")
        last = positive(row, "stck_prpr")
        if last is None:
            return None
        state, lot, shares = (
            text(row, "iscd_stat_cls_code"),
            number(row, "hts_deal_qty_unit_val"),
            number(row, "lstn_stcn"),
        )
        warnings = [WARNINGS.get(text(row, "mrkt_warn_cls_code"), ""), "관리종목" if state == ADMINISTRATIVE else ""]
        return Detail(
            symbol=symbol,
            last=last,
            open=positive(row, "stck_oprc"),
            high=positive(row, "stck_hgpr"),
            low=positive(row, "stck_lwpr"),
            prev_close=positive(row, "stck_sdpr"),
            tick_size=positive(row, "aspr_unit"),
            lot=None if lot is None else int(lot),
            tradable=None if not state else state != HALTED and text(row, "temp_stop_yn") != "Y",
            warning=" ".join(filter(None, warnings)),
            high_52w=positive(row, "w52_hgpr"),
            low_52w=positive(row, "w52_lwpr"),
            per=number(row, "per"),
            eps=number(row, "eps"),
            listed_shares=None if shares is None else int(shares),
        )

    def bar_source(self, timeframe: Timeframe) -> Timeframe:
        return timeframe if timeframe in PERIODS else Timeframe.M1

    def bars(self, symbol: str, venue: Venue, timeframe: Timeframe, before: datetime, market_now: datetime) -> Ask:
        """Minutes of today and of earlier days are two transactions; 모의투자 has today's only."""
        fields, local = where(symbol, venue), before.astimezone(KST)
        if timeframe in PERIODS:
            first = period_start((local - SPANS[timeframe]).date(), timeframe)
            span = {"FID_INPUT_DATE_1": f"{first:%Y%m%d}", "FID_INPUT_DATE_2": f"{local:%Y%m%d}"}
            # 0 is the adjusted price here, and the raw one in FHKST01010400 (kis.md §7.1)
            period = {"FID_PERIOD_DIV_CODE": PERIODS[timeframe], "FID_ORG_ADJ_PRC": "0"}
            return Ask(tr.KRX_PERIOD, {**fields, **span, **period})
        fields |= {"FID_INPUT_HOUR_1": f"{local:%H%M%S}"}
        if local.date() == market_now.astimezone(KST).date():
            return Ask(tr.KRX_MINUTE_TODAY, {**fields, "FID_ETC_CLS_CODE": "", "FID_PW_DATA_INCU_YN": "N"})
        past = {"FID_INPUT_DATE_1": f"{local:%Y%m%d}", "FID_PW_DATA_INCU_YN": "Y", "FID_FAKE_TICK_INCU_YN": ""}
        return Ask(tr.KRX_MINUTE_PAST, {**fields, **past})

    def read_bars(self, symbol: str, venue: Venue, timeframe: Timeframe, body: Row, market_now: datetime) -> list[Bar]:
        names = PERIOD_ROWS if timeframe in PERIODS else MINUTE_ROWS
        hours = HOURS if venue is Venue.KRX else LONG_HOURS
        return read_bars(rows(body, "output2"), names, symbol, timeframe, hours, market_now)

    def trades(self, symbol: str, venue: Venue) -> Ask:
        return Ask(tr.KRX_TRADES, where(symbol, venue))

    def read_trades(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> list[Tick]:
        return [
            Tick(
                symbol=symbol,
                price=amount(row, "stck_prpr"),
                quantity=whole(row, "cntg_vol"),
                at=instant_near(required(row, "stck_cntg_hour"), market_now),
                received_at=received_at,
            )
            for row in rows(body, "output")
        ]

    def earlier(self, timeframe: Timeframe, before: datetime, new: list[Bar], market_now: datetime) -> datetime | None:
        if new:
            oldest = min(bar.start for bar in new)
            if timeframe not in PERIODS:
                return oldest - timedelta(minutes=1)
            day = period_start(oldest.astimezone(KST).date(), timeframe) - timedelta(days=1)
            return at_local(day, HOURS.closes, KST)
        today = market_now.astimezone(KST).date()
        if timeframe in PERIODS or before.astimezone(KST).date() != today or self._mock:
            return None
        return at_local(today - timedelta(days=1), time(23, 59, 59), KST)  # today is exhausted, earlier days remain

    def listed(self, venue: Venue, low: Decimal, high: Decimal) -> Ask:
        raise not_offered(
            "KIS는 국내 종목 목록을 조회로 주지 않습니다 (종목 마스터 파일)", "KIS lists Korean shares in files only"
        )

    def read_listed(self, venue: Venue, body: Row) -> tuple[list[Instrument], int]:
        return [], 0

    def open_days(self, day: date) -> Ask:
        fields = {"BASS_DT": f"{day:%Y%m%d}", "CTX_AREA_NK": "", "CTX_AREA_FK": ""}
        return Ask(tr.KRX_HOLIDAYS, fields, suffix="")

    def read_open_days(self, day: date, pages: list[Row]) -> dict[date, bool]:
        """The day and the weeks after it; `opnd_yn` is the field to test (kis.md §4.10)."""
        listed = (row for page in pages for row in rows(page, "output"))
        return {calendar_day(required(row, "bass_dt")): required(row, "opnd_yn") == "Y" for row in listed}

    def feed(self, symbol: str, venue: Venue, book: bool, session: OrderSession) -> Registration:
        table = tr.KRX_BOOKS if book else tr.KRX_TICKS
        if session is not OrderSession.REGULAR or venue not in table or (self._mock and venue is not Venue.KRX):
            raise not_offered(
                f"{venue} {session} 실시간 시세는 이 환경에 없습니다", f"no stream of {venue} {session} here"
            )
        return table[venue], symbol


def where(symbol: str, venue: Venue, session: OrderSession = OrderSession.REGULAR) -> dict[str, str]:
    if session is not OrderSession.REGULAR or venue not in tr.VENUE_TO_DIVISION:
        raise not_offered(f"{venue} {session} 국내 시세는 없습니다", f"no Korean prices of {venue} {session}")
    return {"FID_COND_MRKT_DIV_CODE": tr.VENUE_TO_DIVISION[venue], "FID_INPUT_ISCD": symbol}
