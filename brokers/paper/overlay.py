"""Overlay: what an operator did to a symbol of the tape: jumps of its price and halts, each from an instant on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from brokers.paper.listings import Listing
from brokers.paper.prints import MINUTE, Print, RawBar
from shared.domain.order import Side
from shared.domain.venue_rules import Rounding, round_to_tick, tick_size


@dataclass(frozen=True, slots=True)
class Change:
    """From `at` on, prices are the source's times `factor`, and nothing trades while `halted`.

    A set price is also a print of one share at `at`, so that the market knows it at once. While `calling`, orders are
    taken for the auction that ends it; a halt without it takes none. `split` is what a share became from here on.
    """

    at: datetime
    factor: Decimal
    halted: bool
    price: Decimal | None = None
    calling: bool = False
    split: Decimal | None = None


@dataclass(slots=True)
class Overlay:
    listing: Listing
    changes: list[Change] = field(default_factory=list)  # in time order

    def state(self, at: datetime) -> Change | None:
        index = bisect_right(self.changes, at, key=lambda change: change.at)
        return self.changes[index - 1] if index else None

    def factor(self, at: datetime) -> Decimal:
        state = self.state(at)
        return state.factor if state else Decimal(1)

    def halted(self, at: datetime) -> bool:
        state = self.state(at)
        return state is not None and state.halted

    def calling(self, at: datetime) -> bool:
        state = self.state(at)
        return state is not None and state.calling

    def called(self, after: datetime, until: datetime) -> bool:
        """Say whether a call auction ended in (after, until]."""
        for before, change in pairwise(self.changes):
            if before.calling and not change.halted and after < change.at <= until:
                return True
        return False

    def halted_since(self, at: datetime) -> datetime | None:
        """The instant since which the symbol has been halted; None while it trades."""
        since = None
        for change in reversed(self.changes):
            if change.at > at:
                continue
            if not change.halted:
                break
            since = change.at
        return since

    def set_halted(self, at: datetime, halted: bool) -> None:
        self._from_now_on(at)
        self.changes.append(Change(at, self.factor(at), halted))

    def interrupt(self, at: datetime, halt: timedelta, call: timedelta) -> None:
        """Halt, then collect orders for an auction, then trade on."""
        self._from_now_on(at)
        factor = self.factor(at)
        if halt:
            self.changes.append(Change(at, factor, True))
        self.changes.append(Change(at + halt, factor, True, calling=True))
        self.changes.append(Change(at + halt + call, factor, False))

    def split(self, at: datetime, ratio: Decimal) -> None:
        """One share becomes `ratio` shares, each worth as much less."""
        now = Change(at, self.factor(at) / ratio, self.halted(at), calling=self.calling(at), split=ratio)
        self._insert(now)

    def adjustment(self, after: datetime, at: datetime) -> Decimal:
        """What a price as of `after` is to be multiplied by, because of splits since then up to `at`."""
        ratio = Decimal(1)
        for change in self.changes:
            if change.split is not None and after < change.at <= at:
                ratio /= change.split
        return ratio

    def _from_now_on(self, at: datetime) -> None:
        """A new halt, or the end of one, takes the place of what was planned for later."""
        self.changes = [change for change in self.changes if change.at <= at]

    def _insert(self, new: Change) -> None:
        """Put a change of price before what is planned for later: that happens at the new price."""
        ratio = new.factor / self.factor(new.at)
        later = [replace(c, factor=c.factor * ratio) for c in self.changes if c.at > new.at]
        self._from_now_on(new.at)
        self.changes += [new, *later]

    def set_price(self, at: datetime, last: Print, price: Decimal) -> Print | None:
        """Go on from `price`, given the last print as the market saw it; returns the new one (None when halted)."""
        price = self.on_grid(price, at)
        factor = self.factor(last.at) * price / last.price
        halted = self.halted(at)
        self._insert(Change(at, factor, halted, None if halted else price, calling=self.calling(at)))
        return None if halted else Print(last.symbol, price, 1, at, last.side)

    def untouched(self, start: datetime, end: datetime) -> bool:
        """Say whether nothing changed in [start, end) and it trades: the bar is the source's, scaled."""
        begin, stop = (bisect_left(self.changes, at, key=lambda change: change.at) for at in (start, end))
        return begin == stop and not self.halted(start)

    def minute(self, start: datetime, prints: Iterable[Print]) -> list[Print]:
        """What the market saw in the minute of these prints, set prices included, in time order."""
        seen = [one for one in map(self.apply, prints) if one is not None]
        for change in self.changes:
            if change.price is not None and start <= change.at < start + MINUTE:
                seen.append(Print(self.listing.symbol, change.price, 1, change.at, Side.BUY))
        return sorted(seen, key=lambda one: one.at)

    def apply(self, one: Print) -> Print | None:
        """The print as the market sees it; None when the symbol was halted."""
        state = self.state(one.at)
        if state is None:
            return one
        if state.halted:
            return None
        return Print(one.symbol, self._price(one.price, state.factor, one.at), one.quantity, one.at, one.side)

    def scale(self, bar: RawBar, at: datetime) -> RawBar:
        state = self.state(at)
        if state is None or state.factor == 1:
            return bar
        first, high, low, last = (
            self._price(price, state.factor, at) for price in (bar.open, bar.high, bar.low, bar.close)
        )
        return RawBar(first, high, low, last, bar.volume)

    def _price(self, price: Decimal, factor: Decimal, at: datetime) -> Decimal:
        if factor == 1:
            return price
        return self.on_grid(price * factor, at)

    def on_grid(self, price: Decimal, at: datetime) -> Decimal:
        """The nearest legal price; never below one tick. Keeps the order of prices, so bars still add up."""
        one = self.listing
        tick = tick_size(one.market, price, at.date(), instrument_type=one.type, board=one.board or "KOSPI")
        return max(round_to_tick(price, tick, Rounding.NEAREST), tick)
