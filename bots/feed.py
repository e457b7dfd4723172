"""Last prices with their age and source. Stream first; when it is down or silent, REST quotes marked `rest`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.clock import Clock
from shared.domain.market import OrderBook, Quote, Tick
from shared.domain.order import Side

BOOK_FRESH_S = 5.0


@dataclass(slots=True)
class LastPrice:
    price: Decimal
    at: datetime  # the exchange's time
    seen: float  # monotonic
    source: str  # stream | rest
    volume: int | None = None


@dataclass(frozen=True, slots=True)
class Best:
    bid: Decimal | None
    ask: Decimal | None
    seen: float


class Feed:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, LastPrice] = {}
        self._best: dict[str, Best] = {}
        self.quotes: dict[str, Quote] = {}  # the last REST quote: previous close and the day's limits
        self.stream_up = False
        self._stream_seen: float | None = None  # last tick of any symbol
        self.wanted: set[str] = set()
        self.polled: set[str] = set()  # wanted, and without a place on the stream: quotes by REST only
        self._asked: dict[str, float] = {}
        self._ticked: dict[str, float] = {}  # monotonic time of the last tick
        self.last_source = ""
        self.last_at: datetime | None = None  # wall time of the last price

    def on_tick(self, tick: Tick) -> None:
        now = self._clock.monotonic()
        self._stream_seen, self.last_source, self.last_at = now, "stream", tick.received_at
        self._ticked[tick.symbol] = now
        known = self._last.get(tick.symbol)
        if known is not None and known.source == "stream" and tick.at < known.at:
            return  # it came late: the price has moved on since
        self._last[tick.symbol] = LastPrice(tick.price, tick.at, now, "stream")

    def on_book(self, book: OrderBook) -> None:
        bid = book.bids[0].price if book.bids else None
        ask = book.asks[0].price if book.asks else None
        self._best[book.symbol] = Best(bid, ask, self._clock.monotonic())

    def on_quote(self, quote: Quote) -> None:
        now = self._clock.monotonic()
        self.quotes[quote.symbol] = quote
        self._best[quote.symbol] = Best(quote.bid, quote.ask, now)
        self._last[quote.symbol] = LastPrice(quote.last, quote.at, now, "rest", quote.volume)
        self.last_source, self.last_at = "rest", quote.received_at

    def last(self, symbol: str) -> LastPrice | None:
        return self._last.get(symbol)

    def price(self, symbol: str) -> Decimal | None:
        found = self._last.get(symbol)
        return None if found is None else found.price

    def age_s(self, symbol: str) -> float | None:
        """Seconds since the last price of `symbol` reached us, whatever its source."""
        found = self._last.get(symbol)
        return None if found is None else self._clock.monotonic() - found.seen

    def best(self, symbol: str) -> Best | None:
        """Best bid and ask, while they are fresh."""
        found = self._best.get(symbol)
        return None if found is None or self._clock.monotonic() - found.seen > BOOK_FRESH_S else found

    def best_opposite(self, symbol: str, side: Side) -> Decimal | None:
        """The price that fills at once: ask for a buy, bid for a sale; None when the book is not fresh."""
        best = self.best(symbol)
        if best is None:
            return None
        return best.ask if side is Side.BUY else best.bid

    def ticked_since(self, symbol: str | None, monotonic: float) -> bool:
        """Whether the stream gave a tick of `symbol` (None: of any) since `monotonic`."""
        seen = self._stream_seen if symbol is None else self._ticked.get(symbol)
        return seen is not None and seen >= monotonic

    def in_fallback(self, silent_after_s: float) -> bool:
        """The stream is down, or no symbol at all has ticked for `silent_after_s`."""
        if not self.stream_up or self._stream_seen is None:
            return True
        return self._clock.monotonic() - self._stream_seen > silent_after_s

    def to_ask(self, silent_after_s: float, at_most: int) -> list[str]:
        """Wanted symbols without a price for `silent_after_s`, the longest silent first; marks them as asked."""
        now = self._clock.monotonic()
        silent = [
            symbol
            for symbol in self.wanted
            if (self.age_s(symbol) or silent_after_s + 1) > silent_after_s
            and now - self._asked.get(symbol, -silent_after_s) >= min(silent_after_s, 2.0)
        ]
        silent.sort(key=lambda symbol: self._asked.get(symbol, 0.0))
        for symbol in silent[:at_most]:
            self._asked[symbol] = now
        return silent[:at_most]
