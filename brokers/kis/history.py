"""Charts page by page, whole lists of instruments, and the broker's calendar: reads that take more than one call."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from brokers.kis import tr
from brokers.kis.charts import merged
from brokers.kis.codec import KST
from brokers.kis.dialect import Quotes
from brokers.kis.rest import Rest
from shared.clock import Clock
from shared.domain.account import Market
from shared.domain.errors import BrokerUnavailable, WireError
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Timeframe

MAX_BAR_PAGES = 200  # 300 hours of Korean minutes are 150 pages
LEAST_PRICE, MOST_PRICE = Decimal("0.0001"), Decimal(10_000_000)
SEARCH_ROWS = 100  # a full page may hide more, whatever it counts (kis.md §3.12)
STEP = Decimal("0.0001")  # the finest US price


class History:
    def __init__(self, rest: Rest, quotes: Quotes, mock: bool, clock: Clock) -> None:
        self._rest, self._quotes, self._mock, self._clock = rest, quotes, mock, clock
        self._open_days: dict[date, bool] = {}
        self._calendar_asked_on: date | None = None

    async def bars(
        self, symbol: str, venue: Venue, timeframe: Timeframe, count: int, until: datetime | None
    ) -> list[Bar]:
        """See Broker.get_bars. Pages are asked from the newest back until `count` bars are there or none are left.

        Raises:
            WireError: the history needs more pages than are ever asked.
        """
        quotes, now = self._quotes, self._clock.market_now()
        source = quotes.bar_source(timeframe)
        wanted = count * (timeframe.seconds // source.seconds)
        last = now if until is None else min(until, now)
        found: dict[datetime, Bar] = {}
        enough = 0
        # The bar that holds `last` is read whole, not as it stood then.
        before = min(now, last + timedelta(seconds=timeframe.seconds, days=timeframe is Timeframe.MN1))
        for _ in range(MAX_BAR_PAGES):
            body = await self._rest.get(quotes.bars(symbol, venue, source, before, now))
            page = quotes.read_bars(symbol, venue, source, body, now)
            new = [bar for bar in page if bar.start not in found]
            found |= {bar.start: bar for bar in new}
            enough += sum(bar.start <= last for bar in new)
            earlier = quotes.earlier(source, before, new, now)
            if earlier is None or enough >= wanted:
                bars = merged([found[start] for start in sorted(found)], timeframe, now, quotes.zone)
                return [bar for bar in bars if bar.start <= last][-count:]
            before = earlier
        why = f"{timeframe} 봉 {count}개는 {MAX_BAR_PAGES}쪽을 넘습니다 / {count} bars of {timeframe} need more pages"
        raise WireError(tr.KIS, "-", why, "봉 수를 줄이거나 긴 봉을 쓰세요 / ask for fewer or longer bars")

    async def instruments(self) -> list[Instrument]:
        """Every share of the market's exchanges, by a search that answers 100 rows at most.

        The price range is cut in two until a part fits a page; the parts must add up to what KIS counts in all.

        Raises:
            BrokerUnavailable: prices moved across a cut meanwhile; ask again.
        """
        found: dict[tuple[Venue, str], Instrument] = {}
        for venue in tr.VENUE_TO_QUOTE if self._quotes.market is Market.US else (Venue.KRX,):
            total = 0
            parts = [(LEAST_PRICE, MOST_PRICE)]
            listed: dict[str, Instrument] = {}
            while parts:
                low, high = parts.pop()
                page, count = self._quotes.read_listed(
                    venue, await self._rest.get(self._quotes.listed(venue, low, high))
                )
                total = total or count
                if max(len(page), count) < SEARCH_ROWS and len(page) >= count:
                    listed |= {one.symbol: one for one in page}
                    continue
                if high <= low:
                    why = f"{venue} {low}: 한 쪽에 다 나오지 않습니다 / {count} shares at one price, {len(page)} shown"
                    raise WireError(tr.KIS, "-", why)
                middle = (low * high).sqrt().quantize(STEP, ROUND_FLOOR)
                parts += [(low, middle), (middle + STEP, high)]
            if len(listed) < total:
                why = (
                    f"{venue}: 종목 {total}개 중 {len(listed)}개만 나왔습니다 / {len(listed)} of {total} shares listed"
                )
                raise BrokerUnavailable(tr.KIS, "-", why, "다시 조회하세요 / ask again")
            found |= {(venue, symbol): one for symbol, one in listed.items()}
        return list(found.values())

    async def is_open_day(self, day: date) -> bool | None:
        """See Broker.is_open_day. KIS wants its Korean calendar asked once a day at most (kis.md §4.10)."""
        if self._mock:  # neither calendar is offered there
            return None
        today = self._clock.market_now().astimezone(KST).date()
        once_a_day = self._quotes.market is Market.KRX
        if day not in self._open_days and not (once_a_day and self._calendar_asked_on == today):
            ask = self._quotes.open_days(day)
            pages = [await self._rest.get(ask)] if once_a_day else await self._rest.pages(ask)
            self._calendar_asked_on = today
            self._open_days |= self._quotes.read_open_days(day, pages)
        return self._open_days.get(day)
