"""Indicators by TA-Lib, which defines what they mean live and in backtests (dependencies.md "Indicators")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bots.rules.own_indicators import OWN
from bots.rules.series import Bars, FloatArray
from bots.rules.talib_door import described, talib
from shared.domain.errors import ConfigError
from shared.domain.rule.catalogue import IndicatorSpec, Knob, Source, find_indicator
from shared.domain.rule.model import Indicator, PriceField


@dataclass(frozen=True, slots=True)
class Call:
    """One function with its parameters; equal calls are computed once. `lookback` bars come before its first value.

    `source` is the price taken where the function takes the close; `shift` tells the values so many bars later.
    """

    function: str
    params: tuple[tuple[str, int | float], ...]
    lookback: int
    source: PriceField = PriceField.CLOSE
    shift: int = 0

    def compute(self, bars: Bars) -> tuple[FloatArray, ...]:
        """Return every output as a float array of the bars' length, NaN before the first value.

        Raises:
            ConfigError: TA-Lib refuses the parameters.
        """
        if len(bars) <= self.lookback:
            return (np.full(len(bars), np.nan),) * output_count(self.function)
        if self.source is not PriceField.CLOSE:
            bars = bars.with_close(getattr(bars, self.source.value))
        outputs = self._own(bars) if self.function in OWN else self._talib(bars)
        return outputs if self.shift == 0 else tuple(_later(one, self.shift) for one in outputs)

    def _own(self, bars: Bars) -> tuple[FloatArray, ...]:
        first = self.lookback - self.shift
        try:
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # a price of zero has no return
                found = OWN[self.function].compute(bars, dict(self.params))
        except Exception as e:  # talib raises bare Exception for every refusal
            raise _refused(self.function, self.params, e) from e
        return tuple(_known_from(one, first) for one in found)

    def _talib(self, bars: Bars) -> tuple[FloatArray, ...]:
        inputs = [getattr(bars, name) for name in _inputs(self.function)]
        try:
            found = getattr(talib, self.function)(*inputs, **dict(self.params))
        except Exception as e:  # talib raises bare Exception for every refusal
            raise _refused(self.function, self.params, e) from e
        outputs = found if isinstance(found, tuple) else (found,)
        first = self.lookback - self.shift
        return tuple(one if one.dtype == np.float64 else _as_floats(one, first) for one in outputs)


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
    shift = indicator.shift + int(dict(spec.fixed).get("shift", 0))
    call = _call(source.function, _talib_params(spec, source.function, indicator), indicator.source, shift)
    names = OWN[call.function].outputs if call.function in OWN else _info(call.function)["output_names"]
    return Output(call, names.index(source.output) if source.output in names else 0)


def pattern(function: str) -> Output:
    """Return the marks of a candle pattern: above zero bullish, below bearish, zero none."""
    return Output(_call(function, (), PriceField.CLOSE, 0), 0)


def _first(spec: IndicatorSpec) -> Source:
    return next(iter(spec.outputs.values()))


def _talib_params(spec: IndicatorSpec, function: str, indicator: Indicator) -> tuple[tuple[str, int | float], ...]:
    """The rule's numbers under TA-Lib's names, defaults filled in, typed as TA-Lib wants them (2 must be 2.0 there)."""
    given: dict[str, int | float] = {key: value for key, value in spec.fixed if key != "shift"}
    chosen = {spec.knob(key): value for key, value in indicator.params}
    for knob in spec.knobs:
        value = _placed(knob, chosen.get(knob, knob.default))
        if not isinstance(value, int | float):
            raise ConfigError(f"{indicator.alias}.{knob.name}", f"{value} is not a number", "bind parameters first")
        given.update(dict.fromkeys(knob.targets, value))
    if function in OWN:
        return tuple(sorted(given.items()))
    types = _info(function)["parameters"]
    return tuple(sorted((key, type(types[key])(value)) for key, value in given.items() if key in types))


def _placed(knob: Knob, value: object) -> object:
    """A word as its place among the knob's choices."""
    return knob.choices.index(value) if isinstance(value, str) and value in knob.choices else value


def _call(function: str, params: tuple[tuple[str, int | float], ...], source: PriceField, shift: int) -> Call:
    try:
        if function in OWN:
            lookback = OWN[function].lookback(dict(params))
        else:
            lookback = int(described(function, **dict(params)).lookback)
    except Exception as e:  # talib raises bare Exception for every refusal
        raise _refused(function, params, e) from e
    call = Call(function, params, lookback + shift, source, shift)
    flat = np.ones(call.lookback + 2)
    bars = Bars(np.arange(len(flat)), flat, flat, flat, flat, flat)
    replace(call, source=PriceField.CLOSE).compute(bars)  # refuses bad parameters now, not on a tick
    return call


def _refused(function: str, params: tuple[tuple[str, int | float], ...], error: Exception) -> ConfigError:
    written = ", ".join(f"{key}={value}" for key, value in params)
    return ConfigError(f"{function}({written})", str(error), "change the indicator's parameters")


def _info(function: str) -> dict[str, Any]:
    found: dict[str, Any] = described(function).info
    return found


_INPUTS: dict[str, tuple[str, ...]] = {}  # function -> names of Bars arrays in its argument order


def _inputs(function: str) -> tuple[str, ...]:
    if function not in _INPUTS:
        named = _info(function)["input_names"].values()
        _INPUTS[function] = tuple(one for name in named for one in ([name] if isinstance(name, str) else name))
    return _INPUTS[function]


def output_count(function: str) -> int:
    """Return how many outputs a function has."""
    return len(OWN[function].outputs) if function in OWN else len(_info(function)["output_names"])


def _known_from(found: FloatArray, first: int) -> FloatArray:
    kept = found.copy()
    kept[:first] = np.nan
    return kept


def _later(values: FloatArray, shift: int) -> FloatArray:
    found = np.full(len(values), np.nan)
    found[shift:] = values[: len(values) - shift]
    return found


def _as_floats(found: Any, lookback: int) -> FloatArray:
    floats: FloatArray = found.astype(np.float64)
    floats[:lookback] = np.nan
    return floats
