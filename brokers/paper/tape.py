"""Tape: the market as clients see it: the last trade, the book, bars and the stream of trades.

A source makes the prints, overlays change them, this file plays them in market time and keeps each day's figures.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from brokers.paper.clock import ExchangeClock
from brokers.paper.listings import LISTINGS, Listing
from brokers.paper.overlay import Change, Overlay
from brokers.paper.prints import MINUTE, Print, RawBar, Source, bar_of, merge
from brokers.paper.replay import ReplaySource
from brokers.paper.synthetic import ZONES, SyntheticSource, floor_to, midnight
from shared.domain.account import Market
from shared.domain.errors import ConfigError, NotFound
from shared.domain.market import Bar, BookLevel, OrderBook, Timeframe
from shared.domain.order import Side
from shared.domain.venue_rules import price_limits, step_price, tick_size

ROOT = Path(__file__).resolve().parent.parent.parent
LEVELS = 10
INSTANT = timedelta(microseconds=1)
RECENT = 120  # trades kept per symbol
BACKFILL = 2 * MINUTE
LONG_PAUSE = timedelta(minutes=5)  # a machine that slept: what traded meanwhile is history, not news
INTERRUPTED = {Market.KRX: timedelta(minutes=2), Market.US: timedelta(minutes=5)}
BROKEN = {  # (halt, then call auction)
    Market.KRX: (timedelta(minutes=20), timedelta(minutes=10)),
    Market.US: (timedelta(minutes=15), timedelta(seconds=1)),
}
FINER = {
    Timeframe.D1: Timeframe.H1,
    Timeframe.H1: Timeframe.M1,
    Timeframe.M15: Timeframe.M1,
    Timeframe.M5: Timeframe.M1,
}


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade of the market with the day's state after it: what a broker's trade frame needs. `at` is market time."""

    symbol: str
    price: Decimal
    quantity: int
    at: datetime
    side_hint: Side  # who took: BUY lifted the ask
    bid: Decimal
    ask: Decimal
    bid_quantity: int
    ask_quantity: int
    open: Decimal
    high: Decimal
    low: Decimal
    prev_close: Decimal
    cum_volume: int
    turnover: Decimal  # Σ price × quantity of the day; for the hours before the exchange looked, from their bars

    @property
    def change(self) -> Decimal:
        return self.price - self.prev_close


def open_source(spec: str) -> Source:
    """Open what --tape names; relative paths start at the repo root.

    Raises:
        ConfigError: the text or a file cannot be used.
    """
    kind, _, rest = spec.partition(":")
    if kind == "synthetic":
        return SyntheticSource(rest or "1")
    files = [part.partition("=") for part in rest.split(",")] if kind == "replay" else []
    if not files or not all(symbol and path for symbol, _, path in files):
        raise ConfigError(
            "the tape cannot be used",
            f"{spec!r} is neither synthetic[:seed] nor replay:SYMBOL=FILE[,SYMBOL=FILE]",
            "mend --tape",
        )
    return ReplaySource({symbol: ROOT / path for symbol, _, path in files})


@dataclass(slots=True)
class _Reel:
    """One symbol being played."""

    overlay: Overlay
    played: datetime  # prints up to here are out
    minute: datetime  # of the prints in `coming`
    coming: deque[Print]  # as the source made them
    news: list[Print]  # prices set by hand, not yet played
    recent: deque[Trade]
    day: date | None = None


class Tape:
    def __init__(self, clock: ExchangeClock, source: Source) -> None:
        self._clock = clock
        self._overlays: dict[str, Overlay] = {}
        self._reels: dict[str, _Reel] = {}
        self.load(source)

    def load(self, source: Source) -> None:
        """Begin another tape at the clock's present market time; jumps and halts of the old one are forgotten."""
        self.source = source
        self.listings: dict[str, Listing] = {**LISTINGS, **source.listings}
        self._overlays = {symbol: Overlay(listing) for symbol, listing in self.listings.items()}
        self._rewind()

    def _rewind(self) -> None:
        now = self._clock.market_now()
        self._reels = {symbol: self._reel(symbol, now) for symbol in self.source.listings}

    # -- playing

    def advance(self) -> list[Trade]:
        """Play what is due by now; in time order over all symbols."""
        now = self._clock.market_now()
        if any(now - reel.played > LONG_PAUSE * self._clock.speed for reel in self._reels.values()):
            self._rewind()
            return []
        due: list[Print] = []
        for symbol, reel in self._reels.items():
            due += self._due(symbol, reel, now)
        due.sort(key=lambda one: (one.at, one.symbol))
        return [self._play(self._reels[one.symbol], one) for one in due]

    def _due(self, symbol: str, reel: _Reel, now: datetime) -> list[Print]:
        out, reel.news = reel.news, []
        while True:
            while reel.coming and reel.coming[0].at <= now:
                one = reel.overlay.apply(reel.coming.popleft())
                if one is not None:
                    out.append(one)
            if reel.coming or reel.minute + MINUTE > now:
                reel.played = now
                return out
            minutes = self.source.minutes(symbol, reel.minute + MINUTE, now + MINUTE)
            reel.minute = next(minutes, floor_to(now, 60))
            reel.coming.extend(p for p in self.source.prints(symbol, reel.minute) if p.at > reel.played)

    def _reel(self, symbol: str, now: datetime) -> _Reel:
        """A reel that has played everything up to now, silently, from the state of its day two minutes before."""
        overlay = self._overlays[symbol]
        reel = _Reel(overlay, now, floor_to(now, 60), deque(), [], deque(maxlen=RECENT))
        seen = overlay.halted_since(now) or now
        last = next(self.source.starts_back(symbol, Timeframe.M1, seen), None)
        if last is not None:
            self._backfill(symbol, reel, last, seen)
        reel.coming.extend(p for p in self.source.prints(symbol, reel.minute) if p.at > now)
        return reel

    def _backfill(self, symbol: str, reel: _Reel, last: datetime, seen: datetime) -> None:
        day = midnight(last.astimezone(self._zone(symbol)).date(), self._zone(symbol))
        begin = max(last - BACKFILL, day)
        reel.day = last.astimezone(self._zone(symbol)).date()
        so_far = merge(self._sum(symbol, Timeframe.H1, at, begin - INSTANT) for at in _hours(day, begin))
        if so_far is not None:
            reel.recent.append(self._first(Print(symbol, so_far.close, 0, begin - INSTANT, Side.BUY), so_far))
        for minute in self.source.minutes(symbol, begin, last + MINUTE):
            for one in reel.overlay.minute(minute, self.source.prints(symbol, minute)):
                if one.at <= seen:
                    self._play(reel, one)

    def _first(self, one: Print, bar: RawBar) -> Trade:
        typical = (bar.open + bar.high + bar.low + bar.close) / 4
        return self._trade(one, bar, self.prev_close(one.symbol, one.at), bar.volume, typical * bar.volume)

    def _play(self, reel: _Reel, one: Print) -> Trade:
        before = self._adjusted(reel.recent[-1], one.at) if reel.recent else None
        day = one.at.astimezone(self._zone(one.symbol)).date()
        alone = RawBar(one.price, one.price, one.price, one.price, one.quantity)
        if before is None or reel.day != day:
            prev_close = before.price if before else self.prev_close(one.symbol, one.at)
            trade = self._trade(one, alone, prev_close, one.quantity, one.price * one.quantity)
        else:
            bar = RawBar(before.open, max(before.high, one.price), min(before.low, one.price), one.price, 0)
            turnover = before.turnover + one.price * one.quantity
            trade = self._trade(one, bar, before.prev_close, before.cum_volume + one.quantity, turnover)
        reel.day = day
        reel.recent.append(trade)
        return trade

    def _trade(self, one: Print, day: RawBar, prev_close: Decimal, volume: int, turnover: Decimal) -> Trade:
        bid, ask = self._spread(one)
        sizes = self._sizes(one.symbol, one.at)
        return Trade(
            one.symbol, one.price, one.quantity, one.at, one.side, bid, ask, sizes[LEVELS], sizes[0],
            day.open, day.high, day.low, prev_close, volume, turnover,
        )  # fmt: skip

    def _spread(self, one: Print) -> tuple[Decimal, Decimal]:
        """A taker's buy printed at the ask, a taker's sell at the bid; the other side is one tick away."""
        at_or_below = self._step(one.symbol, one.price, 0)  # replayed prices may lie between ticks
        if one.side is Side.SELL:
            return at_or_below, self._step(one.symbol, at_or_below, 1)
        ask = at_or_below if at_or_below == one.price else self._step(one.symbol, at_or_below, 1)
        return self._step(one.symbol, ask, -1), ask

    def _sizes(self, symbol: str, at: datetime) -> list[int]:
        """Displayed sizes, ten asks and ten bids: a function of symbol and instant."""
        rng = Random(f"{symbol}{at.timestamp()}")
        usual = max(100, self.listings[symbol].daily_volume // 120_000)
        return [int(usual * (1 + 4 * rng.random())) for _ in range(2 * LEVELS)]

    # -- reading

    def quote(self, symbol: str) -> Trade:
        """The last trade. Before a tape's first one its day before; a symbol that it does not move: the listing's price."""
        reel = self._reels.get(symbol)
        if reel is not None and reel.recent:
            return reel.recent[-1]
        now = self._clock.market_now()
        price = self.prev_close(symbol, now) if reel is not None else self.listings[symbol].anchor
        still = RawBar(price, price, price, price, 0)
        return self._trade(Print(symbol, price, 0, now, Side.BUY), still, price, 0, Decimal(0))

    def trades(self, symbol: str, count: int) -> list[Trade]:
        reel = self._reels.get(symbol)
        return [t for t in reel.recent if t.quantity][-count:] if reel else []

    def book(self, trade: Trade) -> OrderBook:
        """Ten levels each side as they stood right after `trade`."""
        symbol = trade.symbol
        sizes = self._sizes(symbol, trade.at)
        asks = [BookLevel(self._step(symbol, trade.ask, i), sizes[i]) for i in range(LEVELS)]
        bids = [BookLevel(self._step(symbol, trade.bid, -i), sizes[LEVELS + i]) for i in range(LEVELS)]
        return OrderBook(symbol, tuple(bids), tuple(asks), trade.at, self._clock.wall_now())

    def bars(self, symbol: str, timeframe: Timeframe, count: int, until: datetime | None = None) -> list[Bar]:
        """The last `count` bars that start at or before `until`; oldest first, the forming one with closed=False."""
        if symbol not in self._reels:
            return []
        now = self._clock.market_now()
        found: list[Bar] = []
        for start in self.source.starts_back(symbol, timeframe, min(now, until or now)):
            if len(found) == count:
                break
            raw = self._sum(symbol, timeframe, start, now)
            if raw is not None:
                closed = self._end(symbol, timeframe, start) <= now
                prices = (raw.open, raw.high, raw.low, raw.close, raw.volume)
                found.append(Bar(symbol, timeframe, start, *prices, closed=closed))
        return found[::-1]

    def _end(self, symbol: str, timeframe: Timeframe, start: datetime) -> datetime:
        if timeframe is Timeframe.D1:
            zone = self._zone(symbol)
            return midnight(start.astimezone(zone).date() + timedelta(days=1), zone)
        return start + timedelta(seconds=timeframe.seconds)

    def _sum(self, symbol: str, timeframe: Timeframe, start: datetime, now: datetime) -> RawBar | None:
        """The bar as traded by `now`: the source's own where nothing was changed, else added up from finer ones."""
        overlay, end = self._overlays[symbol], self._end(symbol, timeframe, start)
        if end <= now and overlay.untouched(start, end):
            whole = self.source.bar(symbol, timeframe, start)
            return None if whole is None else overlay.scale(whole, start)
        if timeframe is Timeframe.M1:
            return bar_of(p for p in overlay.minute(start, self.source.prints(symbol, start)) if p.at <= now)
        finer, step = FINER[timeframe], timedelta(seconds=FINER[timeframe].seconds)
        starts = [start + i * step for i in range((min(end, now) - start) // step + 1)]
        return merge(self._sum(symbol, finer, at, now) for at in starts if at < end and at <= now)

    def prev_close(self, symbol: str, at: datetime) -> Decimal:
        """The close of the last day before `at`'s that traded; the day's open when the tape knows none."""
        zone = self._zone(symbol)
        day = midnight(at.astimezone(zone).date(), zone)
        for start in self.source.starts_back(symbol, Timeframe.D1, day - INSTANT):
            before = self._sum(symbol, Timeframe.D1, start, at)
            if before is not None:
                ratio = self._overlays[symbol].adjustment(day - INSTANT, at)
                return before.close if ratio == 1 else self._overlays[symbol].on_grid(before.close * ratio, at)
        today = self.source.bar(symbol, Timeframe.D1, day)
        return today.open if today else self.listings[symbol].anchor

    def session_open(self, symbol: str) -> bool:
        return self.source.open_at(symbol, self._clock.market_now())

    def halted(self, symbol: str) -> bool:
        """Nothing trades and no order is taken (a call auction takes them: see `calling`)."""
        return self.resting(symbol) and not self.calling(symbol)

    def resting(self, symbol: str, at: datetime | None = None) -> bool:
        """Nothing trades now (or at an instant): halted, or in a call auction."""
        return self._overlays[symbol].halted(at or self._clock.market_now())

    def calling(self, symbol: str) -> bool:
        """Say whether orders are collected for an auction after a VI or a circuit breaker."""
        return self._overlays[symbol].calling(self._clock.market_now())

    def called(self, symbol: str, after: datetime, until: datetime) -> bool:
        """Say whether such an auction ended in (after, until]."""
        return self._overlays[symbol].called(after, until)

    def limits(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """(lower, upper) of a Korean symbol on its present day; None for US."""
        one, trade = self.listings[symbol], self.quote(symbol)
        if one.market is Market.US:
            return None
        return price_limits(trade.prev_close, self.trade_date(one.market), instrument_type=one.type, board=one.board)

    def tick_size(self, symbol: str, price: Decimal) -> Decimal:
        one = self.listings[symbol]
        on = self.trade_date(one.market)
        return tick_size(one.market, price, on, instrument_type=one.type, board=one.board or "KOSPI")

    def trade_date(self, market: Market) -> date:
        return self._clock.market_now().astimezone(ZONES[market]).date()

    def _step(self, symbol: str, price: Decimal, ticks: int) -> Decimal:
        one = self.listings[symbol]
        on, board = self.trade_date(one.market), one.board or "KOSPI"
        return step_price(one.market, price, ticks, on, instrument_type=one.type, board=board)

    def _zone(self, symbol: str) -> ZoneInfo:
        return ZONES[self.listings[symbol].market]

    # -- an operator's hand

    def moving(self, symbol: str) -> Trade:
        """The last trade of a symbol that this tape moves. Raises NotFound for any other."""
        self._moving(symbol)
        return self.quote(symbol)

    def set_price(self, symbol: str, price: Decimal) -> None:
        """Make the present price `price` (within the day's limits) and go on from there."""
        overlay, limits = self._moving(symbol), self.limits(symbol)
        if limits is not None:
            price = min(max(price, limits[0]), limits[1])
        last = self.quote(symbol)
        seen = Print(symbol, last.price, last.quantity, last.at, last.side_hint)
        new = overlay.set_price(self._clock.market_now(), seen, price)
        if new is not None:
            self._reels[symbol].news.append(new)

    def halt(self, symbol: str, halted: bool) -> None:
        self._moving(symbol).set_halted(self._clock.market_now(), halted)

    def interrupt(self, symbol: str) -> None:
        """A VI: two minutes of call auction (KRX), a five-minute pause that ends in one (US LULD) (markets.md §6)."""
        now, market = self._clock.market_now(), self._moving(symbol).listing.market
        self._overlays[symbol].interrupt(now, timedelta(0), INTERRUPTED[market])

    def break_circuit(self, market: Market, broken: bool) -> None:
        """Stop a market: KRX 20 minutes and a 10-minute auction, US 15 minutes; or let it trade on."""
        now = self._clock.market_now()
        for symbol in self._reels:
            overlay = self._overlays[symbol]
            if overlay.listing.market is market:
                overlay.interrupt(now, *BROKEN[market]) if broken else overlay.set_halted(now, False)

    def split(self, symbol: str, new: int, old: int) -> Decimal:
        """Make `new` shares of `old` from now on; the day's figures are told in new shares. Returns the price after."""
        overlay, last, now = self._moving(symbol), self.quote(symbol), self._clock.market_now()
        ratio = Decimal(new) / Decimal(old)
        overlay.split(now, ratio)

        reel = self._reels[symbol]
        changed = self._adjusted(last, now)
        bid, ask = self._spread(Print(symbol, changed.price, 1, now, last.side_hint))
        changed = replace(changed, at=now, bid=bid, ask=ask)
        reel.recent.append(changed)
        reel.day = now.astimezone(self._zone(symbol)).date()
        return changed.price

    def _adjusted(self, trade: Trade, at: datetime) -> Trade:
        """The day's figures of a trade as they are told at `at`: in the shares of then."""
        overlay = self._overlays[trade.symbol]
        ratio = overlay.adjustment(trade.at, at)
        if ratio == 1:
            return trade
        last, first, high, low, close = (
            overlay.on_grid(price * ratio, at)
            for price in (trade.price, trade.open, trade.high, trade.low, trade.prev_close)
        )
        volume = int(trade.cum_volume / ratio)
        return replace(trade, price=last, open=first, high=high, low=low, prev_close=close, cum_volume=volume)

    def _moving(self, symbol: str) -> Overlay:
        if symbol not in self._reels:
            raise NotFound(f"{symbol} is not on the tape", self.source.spec, f"use one of {', '.join(self._reels)}")
        return self._overlays[symbol]

    # -- surviving a restart

    def dump_overlays(self) -> str:
        rows = {
            symbol: [
                [
                    c.at.isoformat(),
                    str(c.factor),
                    c.halted,
                    c.price and str(c.price),
                    c.calling,
                    c.split and str(c.split),
                ]
                for c in overlay.changes
            ]
            for symbol, overlay in self._overlays.items()
            if overlay.changes
        }
        return json.dumps(rows)

    def restore_overlays(self, text: str) -> None:
        for symbol, rows in json.loads(text).items():
            if symbol in self._overlays:
                self._overlays[symbol].changes = [
                    Change(
                        datetime.fromisoformat(at), Decimal(factor), halted, price and Decimal(price),
                        bool(later and later[0]), Decimal(later[1]) if len(later) > 1 and later[1] else None,
                    )
                    for at, factor, halted, price, *later in rows
                ]  # fmt: skip
        self._rewind()


def _hours(start: datetime, end: datetime) -> list[datetime]:
    return [start + i * timedelta(hours=1) for i in range(-((start - end) // timedelta(hours=1)))]
