"""What a person's strategy sees: `ctx`, `Signal`, and the modules it may import. Lives in the child."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan, nan
from typing import Any, overload

from bots.rules.sandbox import indicators
from bots.rules.sandbox.indicators import Bands, Bar, Macd, Steps, Stoch, period

MODULES = frozenset([
    "__future__", "abc", "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "functools", "heapq", "itertools", "json", "math", "numbers", "operator", "re", "statistics",
    "string", "typing",
])  # fmt: skip
KEPT_BARS = 5_000
SEEN_MOST = 20


@dataclass(frozen=True, slots=True)
class Signal:
    """A proposal with more than its name; a sale always sells all that is held."""

    side: str  # BUY | SELL | HOLD
    quantity: int | None = None  # shares to buy; None: the rule's sizing
    score: float = 1.0  # 0 … 1

    def __post_init__(self) -> None:
        if self.side not in ("BUY", "SELL", "HOLD"):
            raise ValueError("side is BUY, SELL or HOLD")
        if self.quantity is not None and (self.side != "BUY" or type(self.quantity) is not int or self.quantity < 1):
            raise ValueError("quantity is a whole number of shares to buy; a sale sells all")


@dataclass(frozen=True, slots=True)
class Position:
    quantity: int
    average_price: float
    bars_held: int  # 0 on the bar of the entry fill
    highest: float  # since entry
    pnl_pct: float


@dataclass(frozen=True, slots=True)
class Fill:
    side: str
    quantity: int
    price: float


class Column(Sequence[float]):
    """One price of every closed bar, oldest first; cannot be changed."""

    __slots__ = ("_bars", "_field")

    def __init__(self, bars: list[Bar], field: int) -> None:
        self._bars, self._field = bars, field

    def __len__(self) -> int:
        return len(self._bars)

    @overload
    def __getitem__(self, place: int) -> float: ...
    @overload
    def __getitem__(self, place: slice) -> list[float]: ...
    def __getitem__(self, place: int | slice) -> float | list[float]:
        if isinstance(place, slice):
            return [bar[self._field] for bar in self._bars[place]]
        return self._bars[place][self._field]

    def __iter__(self) -> Iterator[float]:
        return (bar[self._field] for bar in self._bars)


class Rows(Sequence[Bar]):
    """The closed bars one by one, oldest first; cannot be changed."""

    __slots__ = ("_bars",)

    def __init__(self, bars: list[Bar]) -> None:
        self._bars = bars

    def __len__(self) -> int:
        return len(self._bars)

    @overload
    def __getitem__(self, place: int) -> Bar: ...
    @overload
    def __getitem__(self, place: slice) -> list[Bar]: ...
    def __getitem__(self, place: int | slice) -> Bar | list[Bar]:
        return self._bars[place]


class History:
    """The closed bars of one symbol and every indicator asked of them, grown bar by bar."""

    def __init__(self) -> None:
        self.bars: list[Bar] = []
        self._grown: dict[tuple[Any, ...], tuple[Steps, list[Any]]] = {}

    def take(self, rows: list[list[float]]) -> None:
        for row in rows:
            bar = Bar(int(row[0]), *row[1:])
            self.bars.append(bar)
            for steps, values in self._grown.values():
                values.append(steps.send(bar))
        if len(self.bars) > 2 * KEPT_BARS:
            del self.bars[:-KEPT_BARS]
            for _, values in self._grown.values():
                del values[:-KEPT_BARS]

    def value(self, make: Callable[..., Steps], arguments: tuple[Any, ...], ago: int, unknown: Any) -> Any:
        found = self._grown.get((make, *arguments))
        if found is None:
            steps = make(*arguments)
            next(steps)
            found = steps, [steps.send(bar) for bar in self.bars]
            self._grown[make, *arguments] = found
        values = found[1]
        return values[-1 - ago] if 0 <= ago < len(values) else unknown


class Context:
    """What is known at this moment of one symbol. Nothing here reaches the market: only what is returned is judged."""

    def __init__(self, symbol: str, params: dict[str, float], history: History) -> None:
        bars = history.bars
        self.symbol, self.params, self._history = symbol, params, history
        self.bars = Rows(bars)
        self.open, self.high, self.low, self.close, self.volume = (Column(bars, field) for field in range(1, 6))
        self.now = datetime.fromtimestamp(0, UTC)  # market time
        self.price = nan  # the last trade; at a bar's close that close
        self.position: Position | None = None
        self.minutes_to_close: float | None = None
        self.seen: dict[str, float] = {}

    def _told(
        self, name: str, make: Callable[..., Steps], arguments: tuple[Any, ...], ago: int, unknown: Any = nan
    ) -> Any:
        found = self._history.value(make, arguments, ago, unknown)
        if len(self.seen) < SEEN_MOST:
            label = f"{name}({', '.join(map(str, arguments))})" + (f"[-{ago}]" if ago else "")
            values = found._asdict().items() if isinstance(found, tuple) else [("", found)]  # type: ignore[attr-defined]
            self.seen |= {f"{label}.{part}" if part else label: value for part, value in values if not isnan(value)}
        return found

    def sma(self, length: int, of: str = "close", ago: int = 0) -> float:
        return float(self._told("sma", indicators.sma, (period(length, 1), of), ago))

    def ema(self, length: int, of: str = "close", ago: int = 0) -> float:
        return float(self._told("ema", indicators.ema, (period(length), of), ago))

    def wma(self, length: int, of: str = "close", ago: int = 0) -> float:
        return float(self._told("wma", indicators.wma, (period(length, 1), of), ago))

    def rsi(self, length: int = 14, of: str = "close", ago: int = 0) -> float:
        return float(self._told("rsi", indicators.rsi, (period(length), of), ago))

    def macd(self, fast: int = 12, slow: int = 26, signal: int = 9, of: str = "close", ago: int = 0) -> Macd:
        arguments = (period(fast), period(slow), period(signal, 1), of)
        found: Macd = self._told("macd", indicators.macd, arguments, ago, Macd(nan, nan, nan))
        return found

    def bbands(self, length: int = 20, up: float = 2.0, down: float = 2.0, of: str = "close", ago: int = 0) -> Bands:
        arguments = (period(length), float(up), float(down), of)
        found: Bands = self._told("bbands", indicators.bbands, arguments, ago, Bands(nan, nan, nan))
        return found

    def stddev(self, length: int = 20, deviations: float = 1.0, of: str = "close", ago: int = 0) -> float:
        return float(self._told("stddev", indicators.stddev, (period(length), float(deviations), of), ago))

    def atr(self, length: int = 14, ago: int = 0) -> float:
        return float(self._told("atr", indicators.atr, (period(length, 1),), ago))

    def highest(self, length: int = 20, of: str = "high", ago: int = 0) -> float:
        return float(self._told("highest", indicators.highest, (period(length), of), ago))

    def lowest(self, length: int = 20, of: str = "low", ago: int = 0) -> float:
        return float(self._told("lowest", indicators.lowest, (period(length), of), ago))

    def mom(self, length: int = 10, of: str = "close", ago: int = 0) -> float:
        return float(self._told("mom", indicators.mom, (period(length, 1), of), ago))

    def roc(self, length: int = 10, of: str = "close", ago: int = 0) -> float:
        return float(self._told("roc", indicators.roc, (period(length, 1), of), ago))

    def cci(self, length: int = 14, ago: int = 0) -> float:
        return float(self._told("cci", indicators.cci, (period(length),), ago))

    def willr(self, length: int = 14, ago: int = 0) -> float:
        return float(self._told("willr", indicators.willr, (period(length),), ago))

    def stoch(self, length: int = 5, slow_k: int = 3, slow_d: int = 3, ago: int = 0) -> Stoch:
        arguments = (period(length, 1), period(slow_k, 1), period(slow_d, 1))
        found: Stoch = self._told("stoch", indicators.stoch, arguments, ago, Stoch(nan, nan))
        return found

    def obv(self, ago: int = 0) -> float:
        return float(self._told("obv", indicators.obv, (), ago))
