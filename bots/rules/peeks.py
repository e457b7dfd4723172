"""What an indicator says while the newest bar still forms, without going over the past again.

When a bar closes, an indicator is computed by TA-Lib over the window and what the next step needs is kept; a tick then
costs one step. The step's formulas are TA-Lib's own, held to it within 1e-9 by tests; what has no step here is computed by
TA-Lib on as few bars as its value depends on.
"""

from __future__ import annotations

from collections.abc import Callable
from math import nan, sqrt

import numpy as np

from bots.rules.indicators import Call, output_count
from bots.rules.series import Bars, FloatArray, Row
from bots.rules.talib_door import talib
from shared.domain.rule.model import PriceField

Values = tuple[float, ...]
Peek = Callable[[Row], Values]
_PLACE = {PriceField.OPEN: 0, PriceField.HIGH: 1, PriceField.LOW: 2, PriceField.CLOSE: 3, PriceField.VOLUME: 4}


def peek_of(call: Call, closed: Bars, computed: tuple[FloatArray, ...], start: int) -> Peek:
    """Return the step from `closed` (whose values are `computed`) to the bar that forms after it from `start` on."""
    count = len(closed)
    if call.shift:
        values = tuple(
            float(one[count - call.shift]) if count >= call.shift else nan for one in _unshifted(call, closed)
        )
        return lambda row: values
    if count < call.lookback:
        blank = (nan,) * output_count(call.function)
        return lambda row: blank
    make = _STEPS.get(call.function)
    if make is not None and count > call.lookback:
        step = make(call, closed, computed, _PLACE[call.source])
        if step is not None:
            return step
    return _again(call, closed, start)


def _unshifted(call: Call, closed: Bars) -> tuple[FloatArray, ...]:
    """The call's values without its shift."""
    bare = Call(call.function, call.params, call.lookback - call.shift, call.source)
    return bare.compute(closed)


def _again(call: Call, closed: Bars, start: int) -> Peek:
    """Compute over the bars that the value depends on, the forming one last."""
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

Make = Callable[[Call, Bars, tuple[FloatArray, ...], int], Peek | None]


def _period(call: Call) -> int:
    return int(dict(call.params)["timeperiod"])


def _series(call: Call, closed: Bars) -> FloatArray:
    found: FloatArray = getattr(closed, call.source.value)
    return found


def _sma(call: Call, closed: Bars, computed: tuple[FloatArray, ...], place: int) -> Peek:
    period = _period(call)
    total = float(_series(call, closed)[len(closed) - period + 1 :].sum()) if period > 1 else 0.0
    return lambda row: ((total + row[place]) / period,)


def _ema(call: Call, closed: Bars, computed: tuple[FloatArray, ...], place: int) -> Peek:
    last, share = float(computed[0][-1]), 2.0 / (_period(call) + 1)
    return lambda row: (last + share * (row[place] - last),)


def _rsi(call: Call, closed: Bars, computed: tuple[FloatArray, ...], place: int) -> Peek:
    period, values = _period(call), _series(call, closed)
    steps = np.diff(values)
    gain = float(talib.RMA(np.maximum(steps, 0.0), timeperiod=period)[-1]) * (period - 1)
    loss = float(talib.RMA(np.maximum(-steps, 0.0), timeperiod=period)[-1]) * (period - 1)
    last = float(values[-1])

    def peek(row: Row) -> Values:
        step = row[place] - last
        up, down = (gain + step, loss) if step > 0 else (gain, loss - step)
        both = up + down
        return (100.0 * up / both if both else 0.0,)

    return peek


def _bands(call: Call, closed: Bars, computed: tuple[FloatArray, ...], place: int) -> Peek | None:
    params = dict(call.params)
    if params.get("matype", 0) != 0:
        return None
    period, above, below = int(params["timeperiod"]), params.get("nbdevup", 2.0), params.get("nbdevdn", 2.0)
    kept = _series(call, closed)[len(closed) - period + 1 :]
    base = float(kept[-1])  # squares of distances, not of prices: no digits are lost
    total, squares = float((kept - base).sum()), float(((kept - base) ** 2).sum())

    def peek(row: Row) -> Values:
        x = row[place] - base
        mean = (total + x) / period
        variance = (squares + x * x) / period - mean * mean
        spread = sqrt(variance) if variance > 0 else 0.0
        middle = base + mean
        return middle + above * spread, middle, middle - below * spread

    return peek


def _macd(call: Call, closed: Bars, computed: tuple[FloatArray, ...], place: int) -> Peek | None:
    params, values = dict(call.params), _series(call, closed)
    fast, slow = sorted((int(params["fastperiod"]), int(params["slowperiod"])))
    long = float(talib.EMA(values, timeperiod=slow)[-1])
    short = long + float(computed[0][-1])
    signal = float(computed[1][-1])
    k_fast, k_slow, k_signal = 2.0 / (fast + 1), 2.0 / (slow + 1), 2.0 / (int(params["signalperiod"]) + 1)

    def peek(row: Row) -> Values:
        x = row[place]
        macd = short + k_fast * (x - short) - (long + k_slow * (x - long))
        line = signal + k_signal * (macd - signal)
        return macd, line, macd - line

    return peek


def _atr(call: Call, closed: Bars, computed: tuple[FloatArray, ...], place: int) -> Peek | None:
    period, last, close = _period(call), float(computed[0][-1]), float(_series(call, closed)[-1])
    if period == 1 or place != 3:
        return None

    def peek(row: Row) -> Values:
        high, low = row[1], row[2]
        return ((last * (period - 1) + max(high, close) - min(low, close)) / period,)

    return peek


def _extreme(choose: Callable[[float, float], float], of: Callable[[FloatArray], float]) -> Make:
    def make(call: Call, closed: Bars, computed: tuple[FloatArray, ...], place: int) -> Peek:
        kept = float(of(_series(call, closed)[len(closed) - _period(call) + 1 :]))
        return lambda row: (choose(kept, row[place]),)

    return make


def _roc(call: Call, closed: Bars, computed: tuple[FloatArray, ...], place: int) -> Peek:
    then = float(_series(call, closed)[len(closed) - _period(call)])
    return lambda row: ((row[place] / then - 1.0) * 100.0 if then else 0.0,)


def _own_price(call: Call, closed: Bars, computed: tuple[FloatArray, ...], place: int) -> Peek | None:
    return (lambda row: row) if place == 3 else None


_STEPS: dict[str, Make] = {
    "SMA": _sma,
    "EMA": _ema,
    "RSI": _rsi,
    "BBANDS": _bands,
    "MACD": _macd,
    "ATR": _atr,
    "MAX": _extreme(max, np.max),
    "MIN": _extreme(min, np.min),
    "ROC": _roc,
    "OWN_PRICE": _own_price,
}
