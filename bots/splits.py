"""Corporate actions: half the price beside twice the shares is no loss, and no stop may sell on it.

A stop is not judged on a price far from the one that holdings were last compared at until the broker was asked for
holdings again; do they say that the number of shares changed as the price did, stops of the symbol wait for a person
(reliability.md M05). A holding that is as it was lets the stop go: then it is a fall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import log

from bots import outgoing
from bots.daybook import DayBook, PriceOf
from bots.journal import Outgoing
from shared.clock import Clock

LEAST = 1.2  # a smaller change of the number is not told from a person's own trade
GAP = 1.2  # further from the known price than any usual day
PATIENCE_S = 10.0  # so long a stop waits for the broker's answer; then it goes
KEY = "split:"


class SplitWatch:
    def __init__(
        self, daybook: DayBook, clock: Clock, look: Callable[[], None], tell: Callable[[tuple[Outgoing, ...]], None]
    ) -> None:
        self._daybook, self._clock, self._look, self._tell = daybook, clock, look, tell
        self._known: dict[str, Decimal] = {}  # symbol → its price when holdings were last compared
        self._since: dict[str, float] = {}  # symbol → since when (monotonic) its price is far from the known one
        self.suspected: dict[str, tuple[int, int]] = {}  # symbol → (our shares, the broker's)

    def waits(self, symbol: str, price: Decimal) -> bool:
        """Whether no stop of `symbol` may be judged at `price` now; asks for holdings when that is new."""
        if symbol in self.suspected:
            return True
        known = self._known.get(symbol) or next(iter(self._daybook.prices(symbol)), None)
        if known is None or price <= 0 or abs(log(price / known)) < log(GAP):
            self._since.pop(symbol, None)
            return False
        if symbol not in self._since:
            self._since[symbol] = self._clock.monotonic()
            self._look()
        return self._clock.monotonic() - self._since[symbol] < PATIENCE_S

    def compared(self, drift: Mapping[str, tuple[int, int]], asked: float, price_of: PriceOf) -> None:
        """Take what a complete look, asked for at `asked` (monotonic), found of holdings against ours."""
        for symbol in self.suspected.keys() - drift.keys():  # settled by a person, or as it was
            del self.suspected[symbol]
            self._tell((outgoing.alert_over(f"{KEY}{symbol}", self._clock.wall_now()),))
        for symbol in {*drift, *self._daybook.symbols()} - self.suspected.keys():
            price = price_of(symbol)
            if price is None or self._since.get(symbol, asked) > asked:
                continue  # the price came after the question
            if symbol in drift and self._split(symbol, *drift[symbol], price):
                self._suspect(symbol, *drift[symbol])
            else:
                self._known[symbol] = price
                self._since.pop(symbol, None)

    def _split(self, symbol: str, ours: int, theirs: int, price: Decimal) -> bool:
        """Whether the price is nearer to where the new number of shares puts it than to where it was."""
        if ours <= 0 or theirs <= 0 or price <= 0 or abs(log(theirs / ours)) < log(LEAST):
            return False
        before = [self._known[symbol]] if symbol in self._known else []
        moves = [log(price / one) for one in (*before, *self._daybook.prices(symbol)[:2]) if one > 0]
        return any(abs(move + log(theirs / ours)) < abs(move) for move in moves)

    def _suspect(self, symbol: str, ours: int, theirs: int) -> None:
        self.suspected[symbol] = (ours, theirs)
        now = self._clock.wall_now()
        row = outgoing.alert(
            "SPLIT_SUSPECTED", "critical", f"{KEY}{symbol}", now, symbol=symbol, ours=ours, theirs=theirs
        )
        self._tell((row,))
