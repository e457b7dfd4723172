"""Indicators by TA-Lib, which defines what they mean live and in backtests (dependencies.md "Indicators").

The only module that imports talib: its package pulls in pandas and polars where they are installed (+74 MB), so both are
hidden around the import.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from bots.rules.series import Bars, FloatArray
from shared.domain.errors import ConfigError
from shared.domain.rule.catalogue import IndicatorSpec, Source, find_indicator
from shared.domain.rule.model import Indicator

_HEAVY = ("pandas", "polars")


def _import_talib() -> tuple[Any, Any]:
    """Import talib as if pandas and polars were absent; a copy already in use elsewhere is left in place."""
    hidden: dict[str, ModuleType | None] = {name: sys.modules[name] for name in _HEAVY if name in sys.modules}
    sys.modules.update(dict.fromkeys(_HEAVY))  # type: ignore[arg-type]  # None makes `import pandas` fail at once
    try:
        import talib
        from talib import abstract
    finally:
        for name in _HEAVY:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in hidden.items() if module is not None})
    return talib, abstract


_talib, _abstract = _import_talib()


@dataclass(frozen=True, slots=True)
class Call:
    """One function with its parameters; equal calls are computed once. `lookback` bars come before its first value."""

    function: str
    params: tuple[tuple[str, int | float], ...]
    lookback: int

    def compute(self, bars: Bars) -> tuple[FloatArray, ...]:
        """Return every output as a float array of the bars' length, NaN before the first value.

        Raises:
            ConfigError: TA-Lib refuses the parameters.
        """
        if len(bars) <= self.lookback:
            return (np.full(len(bars), np.nan),) * _output_count(self.function)
        if self.function in _OWN:
            return (_OWN[self.function][1](bars, dict(self.params)),)
        inputs = [getattr(bars, name) for name in _inputs(self.function)]
        try:
            found = getattr(_talib, self.function)(*inputs, **dict(self.params))
        except Exception as e:  # talib raises bare Exception for every refusal
            raise _refused(self.function, self.params, e) from e
        outputs = found if isinstance(found, tuple) else (found,)
        return tuple(one if one.dtype == np.float64 else _as_floats(one, self.lookback) for one in outputs)


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a call."""

    call: Call
    index: int


def output_of(indicator: Indicator, output: str | None) -> Output:
    """Return where the values of `indicator.output` come from; its parameters must be bound.

    Raises:
        ConfigError: an unknown name, output or parameter, or one that TA-Lib refuses.
    """
    spec = find_indicator(indicator.id)
    wanted = output if output not in (None, "value") else indicator.output
    source = None if spec is None else spec.outputs.get(wanted) or (_first(spec) if wanted == "value" else None)
    if spec is None or source is None:
        raise ConfigError(f"{indicator.id}.{wanted}", "no such indicator or output", "see the list of indicators")
    call = _call(source.function, _talib_params(spec, source.function, indicator))
    names = ["real"] if call.function in _OWN else _info(call.function)["output_names"]
    return Output(call, names.index(source.output) if source.output in names else 0)


def pattern(function: str) -> Output:
    """Return the marks of a candle pattern: above zero bullish, below bearish, zero none."""
    return Output(_call(function, ()), 0)


def _first(spec: IndicatorSpec) -> Source:
    return next(iter(spec.outputs.values()))


def _talib_params(spec: IndicatorSpec, function: str, indicator: Indicator) -> tuple[tuple[str, int | float], ...]:
    """The rule's numbers under TA-Lib's names, defaults filled in, typed as TA-Lib wants them (2 must be 2.0 there)."""
    given: dict[str, int | float] = dict(spec.fixed)
    chosen = {spec.knob(key): value for key, value in indicator.params}
    for knob in spec.knobs:
        value = chosen.get(knob, knob.default)
        if not isinstance(value, int | float):
            raise ConfigError(f"{indicator.alias}.{knob.name}", f"{value} is not a number", "bind parameters first")
        given.update(dict.fromkeys(knob.targets, value))
    if function in _OWN:
        return tuple(sorted(given.items()))
    types = _info(function)["parameters"]
    return tuple(sorted((key, type(types[key])(value)) for key, value in given.items() if key in types))


def _call(function: str, params: tuple[tuple[str, int | float], ...]) -> Call:
    if function in _OWN:
        return Call(function, params, _OWN[function][0](dict(params)))
    try:
        call = Call(function, params, int(_abstract.Function(function, **dict(params)).lookback))
    except Exception as e:  # talib raises bare Exception for every refusal
        raise _refused(function, params, e) from e
    flat = np.ones(call.lookback + 2)
    call.compute(Bars(np.arange(len(flat)), flat, flat, flat, flat, flat))  # refuses bad parameters now, not on a tick
    return call


def _refused(function: str, params: tuple[tuple[str, int | float], ...], error: Exception) -> ConfigError:
    written = ", ".join(f"{key}={value}" for key, value in params)
    return ConfigError(f"{function}({written})", str(error), "change the indicator's parameters")


def _info(function: str) -> dict[str, Any]:
    found: dict[str, Any] = _abstract.Function(function).info
    return found


_INPUTS: dict[str, tuple[str, ...]] = {}  # function -> names of Bars arrays in its argument order


def _inputs(function: str) -> tuple[str, ...]:
    if function not in _INPUTS:
        named = _info(function)["input_names"].values()
        _INPUTS[function] = tuple(one for name in named for one in ([name] if isinstance(name, str) else name))
    return _INPUTS[function]


def _output_count(function: str) -> int:
    return 1 if function in _OWN else len(_info(function)["output_names"])


def _as_floats(found: Any, lookback: int) -> FloatArray:
    floats: FloatArray = found.astype(np.float64)
    floats[:lookback] = np.nan
    return floats


# -- ours: what the official builder offers and TA-Lib lacks -----------------------------------------------------------


def _period(params: dict[str, int | float]) -> int:
    return int(params["timeperiod"])


def _log_return(bars: Bars, params: dict[str, int | float]) -> FloatArray:
    period = _period(params)
    found = np.full(len(bars), np.nan)
    found[period:] = np.log(bars.close[period:] / bars.close[:-period])
    return found


def _bar_strength(bars: Bars, params: dict[str, int | float]) -> FloatArray:
    """Where the close stands within the bar, 0 low to 1 high; unknown on a bar without range."""
    span = bars.high - bars.low
    found = np.full(len(bars), np.nan)
    np.divide(bars.close - bars.low, span, out=found, where=span > 0)
    return found


def _disparity(bars: Bars, params: dict[str, int | float]) -> FloatArray:
    """이격도: the close as percent of its simple average."""
    average: FloatArray = _talib.SMA(bars.close, timeperiod=_period(params))
    return bars.close / average * 100.0


def _rolling_vwap(bars: Bars, params: dict[str, int | float]) -> FloatArray:
    period = _period(params)
    typical = (bars.high + bars.low + bars.close) / 3.0
    traded: FloatArray = _talib.SUM(bars.volume, timeperiod=period)
    amount: FloatArray = _talib.SUM(typical * bars.volume, timeperiod=period)
    found = np.full(len(bars), np.nan)
    np.divide(amount, traded, out=found, where=traded > 0)
    return found


_Own = tuple[Callable[[dict[str, int | float]], int], Callable[[Bars, dict[str, int | float]], FloatArray]]
_OWN: dict[str, _Own] = {  # function -> (lookback, values)
    "OWN_LOGR": (_period, _log_return),
    "OWN_IBS": (lambda params: 0, _bar_strength),
    "OWN_DISPARITY": (lambda params: _period(params) - 1, _disparity),
    "OWN_VWAP": (lambda params: _period(params) - 1, _rolling_vwap),
}
