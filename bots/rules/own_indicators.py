"""Indicators that the official builder offers and TA-Lib lacks, by numpy on TA-Lib's own pieces.

Each says how many bars come before its first value. Nothing looks ahead: what a chart draws displaced (Ichimoku's spans,
pivots) is told on the bar where it is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bots.rules.series import Bars, FloatArray
from bots.rules.talib_door import talib

Params = dict[str, int | float]
_NEW_SESSION_S = 3 * 3600  # a pause longer than this begins a new session: no market rests so long within one
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Own:
    """`lookback` bars come before the first value; `compute` gives one array per output."""

    lookback: Callable[[Params], int]
    compute: Callable[[Bars, Params], tuple[FloatArray, ...]]
    outputs: tuple[str, ...] = ("real",)


def _period(params: Params) -> int:
    return int(params["timeperiod"])


def _blank(bars: Bars) -> FloatArray:
    return np.full(len(bars), np.nan)


def _divided(above: FloatArray, below: FloatArray) -> FloatArray:
    """above / below, NaN where there is nothing to divide by."""
    found = np.full(len(above), np.nan)
    np.divide(above, below, out=found, where=np.abs(below) > 0)
    return found


def _rolling(function: Callable[..., FloatArray]) -> Callable[[FloatArray, int], FloatArray]:
    """TA-Lib's function over a period, which may be one bar and may begin with NaN."""
    return lambda values, period: function(values, timeperiod=period) if period > 1 else values


_ema, _sma = _rolling(talib.EMA), _rolling(talib.SMA)
_highest, _lowest = _rolling(talib.MAX), _rolling(talib.MIN)


def _later(values: FloatArray, bars: int) -> FloatArray:
    """The values moved `bars` bars to the right."""
    found = np.full(len(values), np.nan)
    if bars < len(values):
        found[bars:] = values[: len(values) - bars]
    return found


# -- prices and returns ------------------------------------------------------------------------------------------------


def _price(bars: Bars, params: Params) -> tuple[FloatArray, ...]:
    return bars.open, bars.high, bars.low, bars.close, bars.volume


def _log_return(bars: Bars, params: Params) -> tuple[FloatArray]:
    period = _period(params)
    found = _blank(bars)
    found[period:] = np.log(bars.close[period:] / bars.close[:-period])
    return (found,)


def _bar_strength(bars: Bars, params: Params) -> tuple[FloatArray]:
    """Where the close stands within the bar, 0 low to 1 high; unknown on a bar without range."""
    return (_divided(bars.close - bars.low, bars.high - bars.low),)


def _disparity(bars: Bars, params: Params) -> tuple[FloatArray]:
    """이격도: the close as percent of its simple average."""
    return (bars.close / _sma(bars.close, _period(params)) * 100.0,)


def _consecutive(bars: Bars, params: Params) -> tuple[FloatArray]:
    """How many closes in a row rose (direction 0) or fell (1); a bar that did not counts 0."""
    step = np.diff(bars.close, prepend=np.nan)
    held = step > 0 if params["direction"] == 0 else step < 0
    count = np.arange(len(bars))
    last_break = np.maximum.accumulate(np.where(held, 0, count))
    found = np.where(held, count - last_break, 0).astype(np.float64)
    found[:1] = np.nan
    return (found,)


def _return_spread(bars: Bars, params: Params) -> tuple[FloatArray]:
    """Sample standard deviation of the last `period` one-bar returns."""
    period = _period(params)
    returns = _blank(bars)
    returns[1:] = bars.close[1:] / bars.close[:-1] - 1.0
    windows = np.lib.stride_tricks.sliding_window_view(returns[1:], period)
    found = _blank(bars)
    found[period:] = windows.std(axis=1, ddof=1 if period > 1 else 0)
    return (found,)


def _price_spike(bars: Bars, params: Params) -> tuple[FloatArray]:
    """Augen: the close's step in standard deviations of the log returns before it."""
    period = _period(params)
    returns = _log_return(bars, {"timeperiod": 1})[0]
    spread = _blank(bars)
    if len(bars) > period + 1:
        windows = np.lib.stride_tricks.sliding_window_view(returns[1:-1], period)
        spread[period + 1 :] = windows.std(axis=1)
    before = _later(bars.close, 1)
    return (_divided(bars.close - before, before * spread),)


def _breakout(bars: Bars, params: Params) -> tuple[FloatArray]:
    """변동성 돌파: this bar's open plus k times the range of the bar before."""
    return (bars.open + params["k"] * _later(bars.high - bars.low, 1),)


def _unknown(bars: Bars, params: Params) -> tuple[FloatArray]:
    """Beta and alpha measure against a benchmark, which a rule's market does not hold: never known, so never true."""
    return (_blank(bars),)


# -- averages ----------------------------------------------------------------------------------------------------------


def _alma(bars: Bars, params: Params) -> tuple[FloatArray]:
    period = _period(params)
    centre, width = params["offset"] * (period - 1), period / params["sigma"]
    weights = np.exp(-((np.arange(period) - centre) ** 2) / (2 * width * width))
    found = _blank(bars)
    found[period - 1 :] = np.convolve(bars.close, (weights / weights.sum())[::-1], "valid")
    return (found,)


def _smoothed(start: float, values: list[float], shares: list[float]) -> list[float]:
    """Each value taken in by its own share of the way."""
    found, now = [], start
    for value, share in zip(values, shares, strict=True):
        now += share * (value - now)
        found.append(now)
    return found


def _frama(bars: Bars, params: Params) -> tuple[FloatArray]:
    """Ehlers' fractal adaptive average of the middle price; `period` is made even."""
    half = max(_period(params) // 2, 1)
    whole, first = 2 * half, 2 * half - 1
    near = (_highest(bars.high, half) - _lowest(bars.low, half)) / half
    far = _later(near, half)
    long = (_highest(bars.high, whole) - _lowest(bars.low, whole)) / whole
    with np.errstate(divide="ignore", invalid="ignore"):
        dimension = np.nan_to_num((np.log(near + far) - np.log(long)) / np.log(2.0), nan=1.0, posinf=1.0, neginf=1.0)
    share = np.clip(np.exp(-4.6 * (dimension - 1.0)), 0.01, 1.0)
    middle = (bars.high + bars.low) / 2.0
    found = _blank(bars)
    found[first:] = _smoothed(float(middle[first]), middle[first:].tolist(), share[first:].tolist())
    return (found,)


def _vidya(bars: Bars, params: Params) -> tuple[FloatArray]:
    """Chande's average: an EMA whose share follows the unsmoothed momentum oscillator."""
    period = _period(params)
    first = period if period > 1 else 1
    share = np.abs(talib.CMOU(bars.close, timeperiod=max(period, 2))) / 100.0 * 2.0 / (period + 1)
    found, first = _blank(bars), max(first, 2)
    shares = np.nan_to_num(share[first:]).tolist()
    found[first:] = _smoothed(float(bars.close[first]), bars.close[first:].tolist(), shares)
    return (found,)


def _rolling_vwap(bars: Bars, params: Params) -> tuple[FloatArray]:
    period = _period(params)
    typical = (bars.high + bars.low + bars.close) / 3.0
    return (_divided(_sma(typical * bars.volume, period), _sma(bars.volume, period)),)


def _session_vwap(bars: Bars, params: Params) -> tuple[FloatArray]:
    """Volume-weighted average since the session began: a new one after a pause of three hours, or each bar of a day."""
    begins = np.diff(bars.starts, prepend=-_DAY_S) > _NEW_SESSION_S
    typical = (bars.high + bars.low + bars.close) / 3.0
    amount, volume = np.cumsum(typical * bars.volume), np.cumsum(bars.volume)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(bars)), 0))
    before = first - 1
    spent = np.where(first > 0, amount[before], 0.0)
    traded = np.where(first > 0, volume[before], 0.0)
    return (_divided(amount - spent, volume - traded),)


def _epoch(day: int) -> int:
    """Midnight UTC of a day written 20240102 in epoch seconds; 0 stands for the first bar there is."""
    text = f"{day:08d}"
    return int(np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:]}", "s").astype(np.int64)) if day else 0


def _anchored_vwap(bars: Bars, params: Params) -> tuple[FloatArray]:
    """Volume-weighted average from the UTC date `since` (20240102) on; unknown before, and when that bar is not here."""
    since = _epoch(int(params["since"]))
    first = int(np.searchsorted(bars.starts, since))
    found = _blank(bars)
    if first == 0 and since > 0 and len(bars) and int(bars.starts[0]) >= since + _DAY_S:
        return (found,)  # the anchor lies before the bars we have: the sum would be of something else
    typical = (bars.high + bars.low + bars.close) / 3.0
    found[first:] = _divided(np.cumsum((typical * bars.volume)[first:]), np.cumsum(bars.volume[first:]))
    return (found,)


# -- oscillators -------------------------------------------------------------------------------------------------------


def _stochastic_rsi(bars: Bars, params: Params) -> tuple[FloatArray, FloatArray]:
    """The stochastic of the RSI, 0..100, %K smoothed, %D its average; a flat RSI gives 0."""
    rsi = talib.RSI(bars.close, timeperiod=int(params["rsi"]))
    low, high = _lowest(rsi, int(params["stoch"])), _highest(rsi, int(params["stoch"]))
    raw = _divided(100.0 * (rsi - low), high - low)
    raw[(high == low)] = 0.0
    k = _sma(raw, int(params["k"]))
    return k, _sma(k, int(params["d"]))


def _klinger(bars: Bars, params: Params) -> tuple[FloatArray, FloatArray]:
    """Klinger's volume force, fast minus slow average, and its signal."""
    trend = np.where(np.diff(bars.high + bars.low + bars.close, prepend=np.nan) > 0, 1.0, -1.0)
    spread = bars.high - bars.low
    total = np.zeros(len(bars))
    kept = 0.0
    spreads, trends = spread.tolist(), trend.tolist()
    for i in range(1, len(spreads)):  # the sum starts anew with the last bar's range where the trend turns
        kept = kept + spreads[i] if trends[i] == trends[i - 1] else spreads[i - 1] + spreads[i]
        total[i] = kept
    ratio = np.nan_to_num(_divided(spread, total))
    force = bars.volume * np.abs(2.0 * ratio - 1.0) * trend * 100.0
    force[:1] = np.nan
    value = _ema(force, int(params["fast"])) - _ema(force, int(params["slow"]))
    return value, _ema(value, int(params["signal"]))


def _know_sure_thing(bars: Bars, params: Params) -> tuple[FloatArray, FloatArray]:
    value = np.zeros(len(bars))
    for weight, (name, smooth) in enumerate((("roc1", 10), ("roc2", 13), ("roc3", 15), ("roc4", 20)), start=1):
        value = value + weight * _sma(talib.ROC(bars.close, timeperiod=int(params[name])), smooth)
    return value, _sma(value, 9)


def _ppo(bars: Bars, params: Params) -> tuple[FloatArray, FloatArray, FloatArray]:
    value = talib.PPO(bars.close, fastperiod=int(params["fast"]), slowperiod=int(params["slow"]), matype=1)
    signal = _ema(value, 9)
    return value, signal, value - signal


def _aroon(bars: Bars, params: Params) -> tuple[FloatArray, FloatArray, FloatArray]:
    up = talib.AROON(bars.high, bars.low, timeperiod=max(int(params["up"]), 2))[1]
    down = talib.AROON(bars.high, bars.low, timeperiod=max(int(params["down"]), 2))[0]
    return up - down, up, down


def _strength_index(bars: Bars, params: Params) -> tuple[FloatArray, FloatArray]:
    value = talib.TSI(bars.close, firstperiod=max(int(params["long"]), 2), secondperiod=max(int(params["short"]), 2))
    return value, _ema(value, int(params["signal"]))


def _vigor(bars: Bars, params: Params) -> tuple[FloatArray]:
    """Relative vigor: closes over opens against the bars' ranges, both smoothed 1-2-2-1."""

    def smoothed(values: FloatArray) -> FloatArray:
        return (values + 2 * _later(values, 1) + 2 * _later(values, 2) + _later(values, 3)) / 6.0

    period = _period(params)
    return (_divided(_sma(smoothed(bars.close - bars.open), period), _sma(smoothed(bars.high - bars.low), period)),)


def _fisher(bars: Bars, params: Params) -> tuple[FloatArray]:
    period = _period(params)
    middle = (bars.high + bars.low) / 2.0
    low, high = _lowest(middle, period), _highest(middle, period)
    place = np.nan_to_num(_divided(middle - low, high - low), nan=0.5) - 0.5
    found, bent, fish = _blank(bars), 0.0, 0.0
    values = []
    for one in place[period - 1 :].tolist():
        bent = min(max(0.66 * one + 0.67 * bent, -0.999), 0.999)
        fish = 0.5 * float(np.log((1 + bent) / (1 - bent))) + 0.5 * fish
        values.append(fish)
    found[period - 1 :] = values
    return (found,)


def _ease(bars: Bars, params: Params) -> tuple[FloatArray]:
    middle = (bars.high + bars.low) / 2.0
    moved = middle - _later(middle, 1)
    volume = np.where(bars.volume > 0, bars.volume, np.nan)
    raw = moved * (bars.high - bars.low) * params["scale"] / volume
    raw = np.where(np.isnan(raw) & ~np.isnan(moved), 0.0, raw)
    return (_sma(raw, _period(params)),)


# -- trend and channels ------------------------------------------------------------------------------------------------


def _choppiness(bars: Bars, params: Params) -> tuple[FloatArray]:
    period = max(_period(params), 2)
    ranges = _sma(talib.TRANGE(bars.high, bars.low, bars.close), period) * period
    span = _highest(bars.high, period) - _lowest(bars.low, period)
    ratio = _divided(ranges, span)
    return (100.0 * np.log10(np.where(ratio > 0, ratio, np.nan)) / np.log10(period),)


def _ichimoku(bars: Bars, params: Params) -> tuple[FloatArray, ...]:
    """일목균형표. The spans are those told `kijun` bars ago, as the chart shows them today; chikou is the close then."""

    def middle(period: int) -> FloatArray:
        return (_highest(bars.high, period) + _lowest(bars.low, period)) / 2.0

    kijun_bars = int(params["kijun"])
    tenkan, kijun = middle(int(params["tenkan"])), middle(kijun_bars)
    spans = _later((tenkan + kijun) / 2.0, kijun_bars), _later(middle(int(params["senkou_b"])), kijun_bars)
    return tenkan, kijun, *spans, _later(bars.close, kijun_bars)


def _parabolic(bars: Bars, params: Params) -> tuple[FloatArray]:
    start, step, most = params["af_start"], params["af_step"], params["af_max"]
    both = [0.0, 0.0, start, step, most, start, step, most]
    return (np.abs(talib.SAREXT(bars.high, bars.low, *both)),)


def _schaff(bars: Bars, params: Params) -> tuple[FloatArray]:
    """The MACD, twice put through a stochastic and smoothed by half."""
    cycle = int(params["cycle"])
    macd = _ema(bars.close, int(params["fast"])) - _ema(bars.close, int(params["slow"]))
    found = _cycle(_cycle(macd, cycle), cycle)
    return (found,)


def _cycle(values: FloatArray, period: int) -> FloatArray:
    low, high = _lowest(values, period), _highest(values, period)
    raw = _divided(100.0 * (values - low), high - low)
    known = np.flatnonzero(~np.isnan(low))
    found = np.full(len(values), np.nan)
    if not len(known):
        return found
    now, out = 0.0, []
    kept = 0.0
    for index, one in enumerate(raw[known[0] :].tolist()):
        kept = one if one == one else kept  # no range: the place within it stays what it was
        now = kept if index == 0 else now + 0.5 * (kept - now)
        out.append(now)
    found[known[0] :] = out
    return found


def _acceleration(bars: Bars, params: Params) -> tuple[FloatArray, FloatArray, FloatArray]:
    period = _period(params)
    wide = params["width"] * _divided(bars.high - bars.low, bars.high + bars.low)
    wide = np.nan_to_num(wide)
    return _sma(bars.high * (1 + wide), period), _sma(bars.close, period), _sma(bars.low * (1 - wide), period)


def _pivots(bars: Bars, params: Params) -> tuple[FloatArray, FloatArray]:
    """The last high and low that `left` bars before and `right` bars after did not pass; told when confirmed."""
    left, right = int(params["left"]), int(params["right"])
    size = left + right + 1
    return (
        _last_pivot(bars.high, _highest(bars.high, size), right),
        _last_pivot(bars.low, _lowest(bars.low, size), right),
    )


def _last_pivot(values: FloatArray, extreme: FloatArray, right: int) -> FloatArray:
    candidate = _later(values, right)
    here = np.where(candidate == extreme, np.arange(len(values)), -1)
    last = np.maximum.accumulate(here)
    return np.where(last >= 0, candidate[np.maximum(last, 0)], np.nan)


# -- candle patterns that TA-Lib lacks ---------------------------------------------------------------------------------


def _matching_high(bars: Bars, params: Params) -> tuple[FloatArray]:
    """TA-Lib's matching low in the mirror."""
    found = talib.CDLMATCHINGLOW(-bars.open, -bars.low, -bars.high, -bars.close)
    return (-found.astype(np.float64),)


def _tweezer(bars: Bars, extreme: FloatArray, first_rises: bool) -> FloatArray:
    """Two bars of opposite colour whose extremes are equal within 5 % of the ranges of the five bars before."""
    equal = 0.05 * _later(_sma(bars.high - bars.low, 5), 2)
    near = np.abs(extreme - _later(extreme, 1)) <= equal
    body = bars.close - bars.open
    before = _later(body, 1)
    turned = (before > 0) & (body < 0) if first_rises else (before < 0) & (body > 0)
    return np.where(near & turned, -100.0 if first_rises else 100.0, 0.0)


OWN: dict[str, Own] = {
    "OWN_PRICE": Own(lambda p: 0, _price, ("open", "high", "low", "close", "volume")),
    "OWN_LOGR": Own(_period, _log_return),
    "OWN_IBS": Own(lambda p: 0, _bar_strength),
    "OWN_DISPARITY": Own(lambda p: _period(p) - 1, _disparity),
    "OWN_CONSECUTIVE": Own(lambda p: 1, _consecutive),
    "OWN_SPREAD": Own(_period, _return_spread),
    "OWN_AUGEN": Own(lambda p: _period(p) + 1, _price_spike),
    "OWN_BREAKOUT": Own(lambda p: 1, _breakout),
    "OWN_UNKNOWN": Own(lambda p: 0, _unknown),
    "OWN_ALMA": Own(lambda p: _period(p) - 1, _alma),
    "OWN_FRAMA": Own(lambda p: 2 * max(_period(p) // 2, 1) - 1, _frama),
    "OWN_VIDYA": Own(lambda p: max(_period(p), 2), _vidya),
    "OWN_VWAP": Own(lambda p: _period(p) - 1, _rolling_vwap),
    "OWN_SESSION_VWAP": Own(lambda p: 0, _session_vwap),
    "OWN_ANCHORED_VWAP": Own(lambda p: 0, _anchored_vwap),
    "OWN_STOCHRSI": Own(
        lambda p: int(p["rsi"] + p["stoch"] + p["k"] + p["d"]) - 3, _stochastic_rsi, ("k", "d")
    ),
    "OWN_KVO": Own(lambda p: int(max(p["fast"], p["slow"]) + p["signal"]) - 1, _klinger, ("value", "signal")),
    "OWN_KST": Own(
        lambda p: int(max(p["roc1"] + 10, p["roc2"] + 13, p["roc3"] + 15, p["roc4"] + 20)) + 7,
        _know_sure_thing, ("value", "signal"),
    ),
    "OWN_PPO": Own(lambda p: int(max(p["fast"], p["slow"])) + 7, _ppo, ("value", "signal", "histogram")),
    "OWN_AROON": Own(lambda p: int(max(p["up"], p["down"], 2)), _aroon, ("value", "aroon_up", "aroon_down")),
    "OWN_TSI": Own(
        lambda p: int(max(p["long"], 2) + max(p["short"], 2) + p["signal"]) - 2, _strength_index, ("value", "signal")
    ),
    "OWN_VIGOR": Own(lambda p: _period(p) + 2, _vigor),
    "OWN_FISHER": Own(lambda p: _period(p) - 1, _fisher),
    "OWN_EOM": Own(_period, _ease),
    "OWN_CHOP": Own(lambda p: max(_period(p), 2), _choppiness),
    "OWN_ICHIMOKU": Own(
        lambda p: int(max(p["senkou_b"], p["tenkan"], p["kijun"]) + p["kijun"]) - 1, _ichimoku,
        ("tenkan", "kijun", "senkou_a", "senkou_b", "chikou"),
    ),
    "OWN_SAR": Own(lambda p: 1, _parabolic),
    "OWN_SCHAFF": Own(lambda p: int(max(p["fast"], p["slow"]) + 2 * p["cycle"]) - 3, _schaff),
    "OWN_ACCBANDS": Own(lambda p: _period(p) - 1, _acceleration, ("upper", "middle", "lower")),
    "OWN_PIVOT": Own(lambda p: int(p["left"] + p["right"]), _pivots, ("high", "low")),
    "OWN_MATCHINGHIGH": Own(lambda p: 6, _matching_high),
    "OWN_TWEEZERTOP": Own(lambda p: 6, lambda b, p: (_tweezer(b, b.high, True),)),
    "OWN_TWEEZERBOTTOM": Own(lambda p: 6, lambda b, p: (_tweezer(b, b.low, False),)),
}  # fmt: skip
