"""Names that must fit together (aliases, outputs, parameters), and what is allowed but unwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from shared.domain.rule import model as m
from shared.domain.rule.catalogue import BUILDER, TALIB, IndicatorSpec, Knob, find_indicator, find_pattern
from shared.domain.rule.doubts import doubts_of
from shared.domain.rule.problem import Problem, one_problem
from shared.domain.rule.targets import MOST_VOTES, check_targets

_SYMBOL = re.compile(r"[0-9A-Z]{6}|[A-Z][A-Z0-9./-]{0,15}")
_ALIAS = re.compile(r"[^\s$&*!%@`'\"{}\[\]#|>][^\s'\"{}\[\]#]{0,63}")
_RESERVED = {one.value for one in m.PriceField} | {one.value for one in m.Fact} | {"price"}
_Leaf = m.Comparison | m.Pattern | m.Group | m.Vote
_LIKE_A_NUMBER = re.compile(r"[-+.\d]+([eE][-+]?\d+)?")


@dataclass(slots=True)
class _Check:
    rule: m.Rule
    lines: Mapping[str, int | None]
    found: list[Problem] = field(default_factory=list)

    def add(self, path: str, ko: str, en: str, mend_ko: str, mend_en: str) -> None:
        self.found.append(one_problem(path, self.lines.get(path), ko, en, mend_ko, mend_en))


def check_references(rule: m.Rule, lines: Mapping[str, int | None]) -> tuple[Problem, ...]:
    """Return what makes the rule meaningless; `lines` maps a path to its line where known."""
    check = _Check(rule, lines)
    _check_params(check)
    _check_aliases(check)
    for index, indicator in enumerate(rule.indicators):
        _check_indicator(check, f"strategy.indicators[{index}]", indicator)
    for index, pattern in enumerate(rule.candlesticks):
        if find_pattern(pattern.id) is None:
            _unknown_pattern(check, f"strategy.candlesticks[{index}].id", pattern.id)
    for path, group in _groups(rule):
        for inner, condition in _leaves(path, group):
            _check_condition(check, inner, condition)
    check_targets(rule, check.add)
    _check_risk_and_sizing(check)
    _check_universe(check)
    return tuple(check.found)


def warnings_of(rule: m.Rule) -> tuple[Problem, ...]:
    """Return what is allowed but probably not meant."""
    risk = rule.risk
    guards = (risk.stop_loss, risk.take_profit, risk.trailing_stop, risk.time_stop)
    conditions = [pair for path, group in _groups(rule) for pair in _leaves(path, group)]
    found = list(doubts_of(rule, conditions))
    leaves = rule.python or rule.exit.conditions or rule.composite or rule.grid or rule.rebalance
    if not leaves and not any(one is not None and one.enabled for one in guards):
        found.append(
            one_problem(
                "strategy.exit",
                None,
                "팔 조건이 하나도 없습니다",
                "nothing ever sells",
                "매도 조건이나 손절·익절을 쓰세요",
                "write exit conditions or a stop",
            )
        )
    if (risk.stop_loss is None or not risk.stop_loss.enabled) and rule.rebalance is None:
        found.append(
            one_problem(
                "risk.stop_loss",
                None,
                "손절이 없습니다",
                "there is no stop loss",
                "stop_loss를 켜세요",
                "switch stop_loss on",
            )
        )
    return tuple(found)


def indicator_of(rule: m.Rule, alias: str) -> m.Indicator | None:
    """Return the indicator that conditions call `alias`."""
    return next((one for one in rule.indicators if one.alias == alias), None)


def pattern_function(rule: m.Rule, alias: str) -> str | None:
    """Return TA-Lib's function for a candle alias; a pattern's own name needs no declaration (official)."""
    declared = next((one.id for one in rule.candlesticks if one.alias == alias), alias)
    return find_pattern(declared)


def _groups(rule: m.Rule) -> Iterator[tuple[str, m.Group]]:
    """Yield the rule's own groups and those of its members; entry may be left out where something else buys."""
    if rule.composite is not None:
        for index, member in enumerate(rule.composite.members):
            yield f"strategy.composite.members[{index}].entry", member.entry
            yield f"strategy.composite.members[{index}].exit", member.exit
    buys_alone = rule.python or rule.composite or rule.ladder or rule.grid or rule.rebalance
    if rule.entry.conditions or not buys_alone:
        yield "strategy.entry", rule.entry
    yield "strategy.exit", rule.exit


def _leaves(path: str, condition: m.Condition) -> Iterator[tuple[str, _Leaf]]:
    """Yield every comparison, pattern and vote with its path; a group with nothing in it is yielded itself."""
    if isinstance(condition, m.Not):
        yield from _leaves(f"{path}.not", condition.condition)
    elif isinstance(condition, m.Vote):
        for index, one in enumerate(condition.conditions):
            yield from _leaves(f"{path}.vote.of[{index}]", one)
        yield path, condition
    elif isinstance(condition, m.Group):
        for index, one in enumerate(condition.conditions):
            yield from _leaves(child_path(path, condition, index), one)
        if not condition.conditions and not path.endswith(".exit"):
            yield path, condition
    else:
        yield path, condition


def child_path(path: str, group: m.Group, index: int) -> str:
    """Return the path of a group's condition, as it is written: `entry.conditions[0]`, deeper `….all[1]`."""
    top = path.rsplit(".", 1)[-1] in ("entry", "exit")
    word = "conditions" if top else "all" if group.logic is m.Logic.ALL else "any"
    return f"{path}.{word}[{index}]"


def _check_params(check: _Check) -> None:
    for param in check.rule.params:
        path = f"strategy.params.{param.name}"
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", param.name):
            check.add(path, "이름은 영문과 숫자만", "a name is letters and digits", "fast_period", "fast_period")
        low, high = param.min, param.max
        if low is not None and high is not None and low > high:
            check.add(path, "min이 max보다 큽니다", "min is above max", "둘을 바꾸세요", "swap them")
        elif (low is not None and param.default < low) or (high is not None and param.default > high):
            check.add(
                f"{path}.default",
                f"기본값 {param.default}이 범위 밖입니다",
                f"default {param.default} is out of bounds",
                f"{low} ~ {high}",
                f"{low} ~ {high}",
            )


def _check_aliases(check: _Check) -> None:
    named = [(f"strategy.indicators[{i}]", one.alias) for i, one in enumerate(check.rule.indicators)]
    named += [(f"strategy.candlesticks[{i}]", one.alias) for i, one in enumerate(check.rule.candlesticks)]
    seen: set[str] = set()
    every = {alias for _, alias in named}
    for path, alias in named:
        if alias in seen:
            check.add(
                f"{path}.alias", f"별칭 {alias!r}이 겹칩니다", f"alias {alias!r} is taken", "다른 이름", "another name"
            )
        elif alias in _RESERVED or not _ALIAS.fullmatch(alias) or _LIKE_A_NUMBER.fullmatch(alias):
            check.add(f"{path}.alias", f"쓸 수 없는 별칭 {alias!r}", f"alias {alias!r} cannot be used", "fast", "fast")
        elif "." in alias and alias.rpartition(".")[0] in every:
            check.add(
                f"{path}.alias", f"모호한 별칭 {alias!r}", f"alias {alias!r} is ambiguous", "점(.) 없이", "no dot"
            )
        seen.add(alias)


def _check_indicator(check: _Check, path: str, indicator: m.Indicator) -> None:
    spec = find_indicator(indicator.id)
    if spec is None:
        known = [*sorted(BUILDER), *(one.lower() for one in sorted(TALIB))]
        near = get_close_matches(indicator.id.lower(), known, 4)
        some = ", ".join(dict.fromkeys((*near, "sma", "ema", "rsi")))
        check.add(
            f"{path}.id",
            f"모르는 지표 {indicator.id!r}",
            f"unknown indicator {indicator.id!r}",
            f"예: {some} … (TA-Lib 이름 모두)",
            f"e.g. {some} … (any TA-Lib name)",
        )
        return
    _check_output(check, f"{path}.output", spec, indicator.output)
    for key, value in indicator.params:
        knob = spec.knob(key)
        if knob is None:
            names = ", ".join("period" if one.name == "timeperiod" else one.name for one in spec.knobs) or "-"
            ko, en = f"{indicator.id}에 없는 값 {key!r}", f"{indicator.id} has no parameter {key!r}"
            check.add(f"{path}.params.{key}", ko, en, f"쓸 수 있는 값: {names}", f"one of: {names}")
        else:
            _check_knob(check, f"{path}.params.{key}", knob, value)


def _check_knob(check: _Check, path: str, knob: Knob, value: m.ParamValue) -> None:
    if isinstance(value, m.ParamRef):
        _check_param(check, path, value)
        values = [
            one for p in check.rule.params if p.name == value.name for one in (p.default, p.min) if one is not None
        ]
    elif knob.choices:
        if value not in knob.choices:
            words = ", ".join(knob.choices)
            check.add(
                path, f"{value!r}은 쓸 수 없습니다", f"{value!r} cannot be used", f"예: {words}", f"one of: {words}"
            )
        return
    elif isinstance(value, str):
        check.add(path, f"{value!r}은 수가 아닙니다", f"{value!r} is no number", f"{knob.default}", f"{knob.default}")
        return
    else:
        values = [value]
    for one in values:
        if knob.least is not None and (one < knob.least or one > 100_000 or one != int(one)):
            check.add(
                path,
                f"{one}은 쓸 수 없습니다",
                f"{one} cannot be used",
                f"{knob.least} 이상 100000 이하의 정수",
                f"a whole number from {knob.least} to 100000",
            )
            return


def _check_output(check: _Check, path: str, spec: IndicatorSpec, output: str) -> None:
    if output not in spec.outputs and output != "value":
        names = ", ".join(spec.outputs)
        check.add(
            path, f"없는 출력 {output!r}", f"no output {output!r}", f"쓸 수 있는 출력: {names}", f"one of: {names}"
        )


def _check_condition(check: _Check, path: str, condition: _Leaf) -> None:
    if isinstance(condition, m.Vote):
        _check_vote(check, f"{path}.vote", condition)
    elif isinstance(condition, m.Group):
        check.add(
            path,
            "조건이 비어 있습니다",
            "there is no condition",
            "conditions에 하나 이상 쓰세요",
            "write at least one condition",
        )
    elif isinstance(condition, m.Pattern):
        if pattern_function(check.rule, condition.candlestick) is None:
            _unknown_pattern(check, f"{path}.candlestick", condition.candlestick)
    else:
        if condition.operator in m.CROSSES and (_is_fact(condition.left) or _is_fact(condition.right)):
            check.add(
                f"{path}.operator",
                "포지션·세션 값에는 교차를 쓸 수 없습니다",
                "position and session values have no earlier value to cross from",
                "greater_than 또는 less_than",
                "greater_than or less_than",
            )
        _check_operand(check, path, "indicator", condition.left)
        _check_operand(check, path, "compare_to", condition.right)
        if condition.upper is not None:
            _check_operand(check, path, "value", condition.upper)


def _check_vote(check: _Check, path: str, vote: m.Vote) -> None:
    if len(vote.conditions) > MOST_VOTES:
        check.add(f"{path}.of", f"{MOST_VOTES}개까지입니다", f"at most {MOST_VOTES}", "나누세요", "split it")
    if not vote.conditions:
        check.add(f"{path}.of", "조건이 없습니다", "there is no condition", "of: […]", "of: […]")
    elif vote.weights and len(vote.weights) != len(vote.conditions):
        ko, en = f"무게가 {len(vote.weights)}개입니다", f"there are {len(vote.weights)} weights"
        count = len(vote.conditions)
        check.add(f"{path}.weights", ko, en, f"조건마다 하나씩 {count}개", f"{count}, one for each condition")
    if isinstance(vote.at_least, m.ParamRef):
        _check_param(check, f"{path}.at_least", vote.at_least)
    elif vote.conditions and vote.at_least > (sum(vote.weights) if vote.weights else len(vote.conditions)):
        check.add(
            f"{path}.at_least", "모두 합쳐도 닿지 않습니다", "out of reach of all of them", "더 작게", "make it smaller"
        )


def _check_operand(check: _Check, path: str, key: str, operand: m.Operand) -> None:
    if isinstance(operand, m.Scaled):
        _check_operand(check, path, key, operand.base)
        _check_scalar(check, f"{path}.compare_scalar", operand)
    elif isinstance(operand, m.ParamRef):
        _check_param(check, path if f"{path}.{key}" not in check.lines else f"{path}.{key}", operand)
    elif isinstance(operand, m.IndicatorRef):
        indicator = indicator_of(check.rule, operand.alias)
        if indicator is None:
            names = ", ".join([one.alias for one in check.rule.indicators] + sorted(_RESERVED))
            ko, en = f"모르는 이름 {operand.alias!r}", f"unknown name {operand.alias!r}"
            check.add(f"{path}.{key}", ko, en, f"쓸 수 있는 이름: {names}", f"one of: {names}")
        elif (spec := find_indicator(indicator.id)) is not None and operand.output is not None:
            _check_output(check, f"{path}.{key}", spec, operand.output)


def _is_fact(operand: m.Operand) -> bool:
    return isinstance(operand.base if isinstance(operand, m.Scaled) else operand, m.FactRef)


def _check_scalar(check: _Check, path: str, operand: m.Scaled) -> None:
    scalar: m.NumberOrParam | None = operand.scalar
    if isinstance(operand.scalar, m.ParamRef):
        _check_param(check, path, operand.scalar)
        named = operand.scalar.name
        scalar = next((param.default for param in check.rule.params if param.name == named), None)
    if operand.operation is m.Scaling.DIV and scalar == 0:
        check.add(path, "0으로 나눌 수 없습니다", "cannot divide by zero", "0이 아닌 수", "a number that is not 0")


def _check_param(check: _Check, path: str, ref: m.ParamRef) -> None:
    names = [param.name for param in check.rule.params]
    if ref.name not in names:
        known = ", ".join(names) or "-"
        check.add(
            path,
            f"없는 조절값 {ref}",
            f"no such parameter {ref}",
            f"strategy.params에 쓰세요 (지금: {known})",
            f"add it to strategy.params (now: {known})",
        )


def _unknown_pattern(check: _Check, path: str, name: str) -> None:
    check.add(
        path,
        f"모르는 캔들 패턴 {name!r}",
        f"unknown candle pattern {name!r}",
        "예: doji, engulfing, morning_star",
        "e.g. doji, engulfing, morning_star",
    )


def _check_risk_and_sizing(check: _Check) -> None:
    risk, sizing = check.rule.risk, check.rule.sizing
    for key, guard in (
        ("stop_loss", risk.stop_loss),
        ("take_profit", risk.take_profit),
        ("trailing_stop", risk.trailing_stop),
    ):
        if guard is not None and isinstance(guard.percent, m.ParamRef):
            _check_param(check, f"risk.{key}.percent", guard.percent)
    if risk.time_stop is not None and isinstance(risk.time_stop.bars, m.ParamRef):
        _check_param(check, "risk.time_stop.bars", risk.time_stop.bars)
    if sizing is None:
        return
    if isinstance(sizing.value, m.ParamRef):
        _check_param(check, "sizing.value", sizing.value)
    elif sizing.mode is m.SizingMode.SHARES and sizing.value != int(sizing.value):
        check.add(
            "sizing.value", "주식 수는 정수입니다", "shares are whole", str(int(sizing.value)), str(int(sizing.value))
        )
    elif sizing.mode in (m.SizingMode.EQUITY_PCT, m.SizingMode.RISK_PCT) and sizing.value > 100:
        check.add("sizing.value", "100%를 넘습니다", "above 100 %", "1 ~ 100", "1 to 100")
    for key, value in (("atr_period", sizing.atr_period), ("atr_multiple", sizing.atr_multiple)):
        if isinstance(value, m.ParamRef):
            _check_param(check, f"sizing.{key}", value)
    period = sizing.atr_period
    if isinstance(period, int | float) and period != int(period):
        check.add("sizing.atr_period", "봉 수는 정수입니다", "bars are whole", str(int(period)), str(int(period)))
    by_risk = sizing.mode is m.SizingMode.RISK_PCT
    if period is not None and not by_risk:
        check.add("sizing.atr_period", "risk_pct에만 씁니다", "only with risk_pct", "mode: risk_pct", "mode: risk_pct")
    if by_risk and period is None and (risk.stop_loss is None or not risk.stop_loss.enabled):
        check.add(
            "sizing.mode",
            "risk_pct에는 손절이나 ATR 기간이 필요합니다",
            "risk_pct needs a stop loss or an ATR period",
            "risk.stop_loss, sizing.atr_period: 14",
            "risk.stop_loss, sizing.atr_period: 14",
        )


def _check_universe(check: _Check) -> None:
    seen: set[str] = set()
    for index, symbol in enumerate(check.rule.universe):
        path = f"universe[{index}]"
        if not _SYMBOL.fullmatch(symbol):
            check.add(
                path,
                f"{symbol!r}은 종목코드가 아닙니다",
                f"{symbol!r} is no symbol",
                '"005930", AAPL',
                '"005930", AAPL',
            )
        elif symbol in seen:
            check.add(path, f"{symbol!r}이 두 번 나옵니다", f"{symbol!r} stands twice", "하나만", "keep one")
        seen.add(symbol)
