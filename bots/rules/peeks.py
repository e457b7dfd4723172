"""What an indicator says while the newest bar still forms, without going over the past again.

When a bar closes, an indicator is computed by TA-Lib over the window and what the next step needs is kept; a tick then
costs one step. The step's formulas are TA-Lib's own, held to it within 1e-9 by tests. They are text, so that a rule's steps
become one function (stepping.py). What has no formula here is computed by TA-Lib on as few bars as its value depends on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

import numpy as np

from bots.rules.indicators import Call, output_count
from bots.rules.series import Bars, FloatArray, Row
from bots.rules.talib_door import talib
from shared.domain.rule.model import PriceField

Values = tuple[float, ...]
Peek = Callable[[Row], Values]
Kept = tuple[float, ...]  # what a formula keeps of the closed bars, in the order of its names
PLACES = {
    PriceField.OPEN: "o",
    PriceField.HIGH: "h",
    PriceField.LOW: "l",
    PriceField.CLOSE: "c",
    PriceField.VOLUME: "v",
}  # the forming bar's figures as formulas name them; x is the one that the indicator looks at


@dataclass(frozen=True, slots=True)
class Formula:
    """`lines` of Python from the forming bar and what is kept, to `outputs`."""

    kept: tuple[str, ...]
    lines: tuple[str, ...]
    outputs: tuple[str, ...]


def formula_of(call: Call, closed: Bars, computed: tuple[FloatArray, ...]) -> tuple[Formula, Kept] | None:
    """Return the step after `closed` (whose values are `computed`); None: it has no formula, use peek_of."""
    count = len(closed)
    if call.shift:
        known = (float(one[count - call.shift]) if count >= call.shift else nan for one in _unshifted(call, closed))
        return _fixed(tuple(known))
    if count < call.lookback:
        return _fixed((nan,) * output_count(call.function))
    formula, keep = _STEPS.get(call.function, (None, None))
    if formula is None or keep is None or count == call.lookback:
        return None
    kept = keep(call, closed, computed)
    return None if kept is None else (formula, kept)


def peek_of(call: Call, closed: Bars, start: int) -> Peek:
    """Return the step of an indicator without a formula, to the bar that forms from `start` on.

    It computes over the bars that the value depends on, the forming one last.
    """
    wanted = call.lookback + _SPARE if _finite(call) else len(closed)
    tail = min(wanted, len(closed))
    begin = len(closed) - tail
    columns = np.empty((5, tail + 1))
    for place, one in enumerate((closed.open, closed.high, closed.low, closed.close, closed.volume)):
        columns[place, :tail] = one[begin:]
    starts = np.append(closed.starts[begin:], start)
    bars = Bars(starts, *columns)

    def peek(row: Row) -> Values:
        columns[:, -1] = row
        return tuple(float(one[-1]) for one in call.compute(bars))

    return peek


def _fixed(values: Values) -> tuple[Formula, Kept]:
    """Values that the forming bar does not touch."""
    names = tuple(f"y{place}" for place in range(len(values)))
    return Formula(names, (), names), values


def _unshifted(call: Call, closed: Bars) -> tuple[FloatArray, ...]:
    """The call's values without its shift."""
    bare = Call(call.function, call.params, call.lookback - call.shift, call.source)
    return bare.compute(closed)


def _finite(call: Call) -> bool:
    """Whether a value depends on its lookback's bars alone."""
    simple = all(value == 0 for name, value in call.params if name.endswith("matype"))
    named = call.function in _FINITE or call.function.startswith("CDL")
    return named or (call.function in ("STOCH", "STOCHF") and simple)


_SPARE = 4  # bars more than the lookback, for functions that look at the bar before their first
_FINITE = frozenset(
    [
        "SMA",
        "WMA",
        "TRIMA",
        "MAX",
        "MIN",
        "MINMAX",
        "MIDPOINT",
        "MIDPRICE",
        "SUM",
        "ROC",
        "ROCP",
        "ROCR",
        "ROCR100",
        "MOM",
        "WILLR",
        "CCI",
        "AROON",
        "AROONOSC",
        "LINEARREG",
        "LINEARREG_SLOPE",
        "LINEARREG_INTERCEPT",
        "LINEARREG_ANGLE",
        "TSF",
        "STDDEV",
        "VAR",
        "CORREL",
        "BETA",
        "DONCHIAN",
        "ULTOSC",
        "BOP",
        "AVGPRICE",
        "MEDPRICE",
        "TYPPRICE",
        "WCLPRICE",
        "TRANGE",
        "HMA",
        "VWMA",
        "CMF",
        "OWN_ALMA",
        "OWN_VWAP",
        "OWN_DISPARITY",
        "OWN_LOGR",
        "OWN_IBS",
        "OWN_SPREAD",
        "OWN_PRICE",
        "OWN_BREAKOUT",
        "OWN_CHOP",
        "OWN_ICHIMOKU",
        "OWN_AROON",
        "OWN_VIGOR",
        "OWN_EOM",
        "OWN_ACCBANDS",
        "OWN_AUGEN",
    ]
)


# -- one step ----------------------------------------------------------------------------------------------------------

Keep = Callable[[Call, Bars, tuple[FloatArray, ...]], Kept | None]


def _period(call: Call) -> int:
    return int(dict(call.params)["timeperiod"])


def _series(call: Call, closed: Bars) -> FloatArray:
    found: FloatArray = getattr(closed, call.source.value)
    return found


def _sma(call: Call, closed: Bars, computed: tuple[FloatArray, ...]) -> Kept:
    period = _period(call)
    total = float(_series(call, closed)[len(closed) - period + 1 :].sum()) if period > 1 else 0.0
    return total, period


def _ema(call: Call, closed: Bars, computed: tuple[FloatArray, ...]) -> Kept:
    return float(computed[0][-1]), 2.0 / (_period(call) + 1)


def _rsi(call: Call, closed: Bars, computed: tuple[FloatArray, ...]) -> Kept:
    period, values = _period(call), _series(call, closed)
    steps = np.diff(values)
    gain = float(talib.RMA(np.maximum(steps, 0.0), timeperiod=period)[-1]) * (period - 1)
    loss = float(talib.RMA(np.maximum(-steps, 0.0), timeperiod=period)[-1]) * (period - 1)
    return float(values[-1]), gain, loss


def _bands(call: Call, closed: Bars, computed: tuple[FloatArray, ...]) -> Kept | None:
    params = dict(call.params)
    if params.get("matype", 0) != 0:
        return None
    period, above, below = int(params["timeperiod"]), params.get("nbdevup", 2.0), params.get("nbdevdn", 2.0)
    kept = _series(call, closed)[len(closed) - period + 1 :]
    base = float(kept[-1])  # squares of distances, not of prices: no digits are lost
    return base, float((kept - base).sum()), float(((kept - base) ** 2).sum()), period, above, below


def _macd(call: Call, closed: Bars, computed: tuple[FloatArray, ...]) -> Kept:
    params, values = dict(call.params), _series(call, closed)
    fast, slow = sorted((int(params["fastperiod"]), int(params["slowperiod"])))
    long = float(talib.EMA(values, timeperiod=slow)[-1])
    short, signal = long + float(computed[0][-1]), float(computed[1][-1])
    return short, long, signal, 2.0 / (fast + 1), 2.0 / (slow + 1), 2.0 / (int(params["signalperiod"]) + 1)


def _atr(call: Call, closed: Bars, computed: tuple[FloatArray, ...]) -> Kept | None:
    period = _period(call)
    if period == 1 or call.source is not PriceField.CLOSE:
        return None
    return float(computed[0][-1]) * (period - 1), float(closed.close[-1]), period


def _extreme(of: Callable[[FloatArray], float]) -> Keep:
    return lambda call, closed, computed: (float(of(_series(call, closed)[len(closed) - _period(call) + 1 :])),)


def _roc(call: Call, closed: Bars, computed: tuple[FloatArray, ...]) -> Kept:
    return (float(_series(call, closed)[len(closed) - _period(call)]),)


def _own_price(call: Call, closed: Bars, computed: tuple[FloatArray, ...]) -> Kept | None:
    return () if call.source is PriceField.CLOSE else None


_STEPS: dict[str, tuple[Formula, Keep]] = {
    "SMA": (Formula(("total", "period"), ("y = (total + x) / period",), ("y",)), _sma),
    "EMA": (Formula(("last", "share"), ("y = last + share * (x - last)",), ("y",)), _ema),
    "RSI": (
        Formula(
            ("last", "gain", "loss"),
            (
                "step = x - last",
                "up = gain + step if step > 0 else gain",
                "both = up + (loss if step > 0 else loss - step)",
                "y = 100.0 * up / both if both else 0.0",
            ),
            ("y",),
        ),
        _rsi,
    ),
    "BBANDS": (
        Formula(
            ("base", "total", "squares", "period", "above", "below"),
            (
                "away = x - base",
                "mean = (total + away) / period",
                "variance = (squares + away * away) / period - mean * mean",
                "spread = sqrt(variance) if variance > 0 else 0.0",
                "middle = base + mean",
                "upper = middle + above * spread",
                "lower = middle - below * spread",
            ),
            ("upper", "middle", "lower"),
        ),
        _bands,
    ),
    "MACD": (
        Formula(
            ("short", "long", "before", "quick", "slow", "share"),
            (
                "macd = short + quick * (x - short) - (long + slow * (x - long))",
                "signal = before + share * (macd - before)",
                "histogram = macd - signal",
            ),
            ("macd", "signal", "histogram"),
        ),
        _macd,
    ),
    "ATR": (
        Formula(
            ("summed", "last", "period"),
            ("y = (summed + (h if h > last else last) - (l if l < last else last)) / period",),
            ("y",),
        ),
        _atr,
    ),
    "MAX": (Formula(("kept",), ("y = x if x > kept else kept",), ("y",)), _extreme(np.max)),
    "MIN": (Formula(("kept",), ("y = x if x < kept else kept",), ("y",)), _extreme(np.min)),
    "ROC": (Formula(("then",), ("y = (x / then - 1.0) * 100.0 if then else 0.0",), ("y",)), _roc),
    "OWN_PRICE": (Formula((), (), ("o", "h", "l", "c", "v")), _own_price),
}
