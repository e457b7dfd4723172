"""Put numbers in the places of `$name`: the defaults, or others within the bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from shared.domain.rule import model as m
from shared.domain.rule.problem import Problem, RuleInvalid, one_problem


def bind(rule: m.Rule, overrides: Mapping[str, m.Number] | None = None) -> m.Rule:
    """Return the rule without any `$name` left; `overrides` replace defaults.

    Raises:
        RuleInvalid: an override that is unknown, out of bounds or not whole where the parameter is an int.
    """
    chosen = dict(overrides or {})
    known = {param.name: param for param in rule.params}
    problems = [problem for name, value in chosen.items() if (problem := _refused(name, value, known.get(name)))]
    if problems:
        raise RuleInvalid(tuple(problems))
    if not rule.params:
        return rule
    params = tuple(replace(param, default=chosen.get(param.name, param.default)) for param in rule.params)
    numbers = {param.name: param.default for param in params}
    return replace(
        rule,
        params=params,
        indicators=tuple(_indicator(one, numbers) for one in rule.indicators),
        entry=_group(rule.entry, numbers),
        exit=_group(rule.exit, numbers),
        composite=_composite(rule.composite, numbers),
        ladder=_numbered(rule.ladder, numbers),
        grid=_numbered(rule.grid, numbers),
        rebalance=_numbered(rule.rebalance, numbers),
        risk=_risk(rule.risk, numbers),
        sizing=_numbered(rule.sizing, numbers),
    )


_Section = TypeVar("_Section", m.Ladder, m.Grid, m.Rebalance, m.Sizing)


def _numbered(one: _Section | None, numbers: Mapping[str, m.Number]) -> _Section | None:
    """The section with a number in every place that named one."""
    if one is None:
        return None
    named = {field.name: getattr(one, field.name) for field in fields(one)}
    chosen: dict[str, Any] = {key: numbers[v.name] for key, v in named.items() if isinstance(v, m.ParamRef)}
    return replace(one, **chosen)


def number(value: m.NumberOrParam, numbers: Mapping[str, m.Number]) -> m.Number:
    """Return the number that `value` is or names."""
    return numbers[value.name] if isinstance(value, m.ParamRef) else value


def _refused(name: str, value: m.Number, param: m.Param | None) -> Problem | None:
    path = f"params.{name}"
    if param is None:
        return one_problem(path, None, "없는 조절값입니다", "no such parameter", "이름을 확인하세요", "check the name")
    low, high = param.min, param.max
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"{'' if low is None else low} ~ {'' if high is None else high}"
        return one_problem(path, None, f"{value}은 범위 밖입니다", f"{value} is out of bounds", bounds, bounds)
    if param.type == "int" and value != int(value):
        return one_problem(path, None, "정수여야 합니다", "must be a whole number", str(int(value)), str(int(value)))
    return None


def _indicator(one: m.Indicator, numbers: Mapping[str, m.Number]) -> m.Indicator:
    bound = tuple((key, numbers[v.name] if isinstance(v, m.ParamRef) else v) for key, v in one.params)
    return replace(one, params=bound)


def _group(group: m.Group, numbers: Mapping[str, m.Number]) -> m.Group:
    return replace(group, conditions=tuple(_condition(one, numbers) for one in group.conditions))


def _condition(one: m.Condition, numbers: Mapping[str, m.Number]) -> m.Condition:
    if isinstance(one, m.Group):
        return _group(one, numbers)
    if isinstance(one, m.Not):
        return m.Not(_condition(one.condition, numbers))
    if isinstance(one, m.Vote):
        voted = tuple(_condition(inner, numbers) for inner in one.conditions)
        return m.Vote(voted, number(one.at_least, numbers), one.weights)
    if isinstance(one, m.Pattern):
        return one
    upper = None if one.upper is None else _operand(one.upper, numbers)
    return m.Comparison(_operand(one.left, numbers), one.operator, _operand(one.right, numbers), upper)


def _composite(one: m.Composite | None, numbers: Mapping[str, m.Number]) -> m.Composite | None:
    if one is None:
        return None
    members = tuple(
        replace(each, entry=_group(each.entry, numbers), exit=_group(each.exit, numbers)) for each in one.members
    )
    return m.Composite(one.mode, members, None if one.at_least is None else number(one.at_least, numbers))


def _operand(one: m.Operand, numbers: Mapping[str, m.Number]) -> m.Operand:
    if isinstance(one, m.ParamRef):
        return m.Constant(numbers[one.name])
    if isinstance(one, m.Scaled):
        return replace(one, scalar=number(one.scalar, numbers))
    return one


def _risk(risk: m.Risk, numbers: Mapping[str, m.Number]) -> m.Risk:
    stop = risk.time_stop
    return replace(
        risk,
        stop_loss=_guard(risk.stop_loss, numbers),
        take_profit=_guard(risk.take_profit, numbers),
        trailing_stop=_guard(risk.trailing_stop, numbers),
        time_stop=stop if stop is None or stop.bars is None else replace(stop, bars=number(stop.bars, numbers)),
    )


def _guard(guard: m.Guard | None, numbers: Mapping[str, m.Number]) -> m.Guard | None:
    if guard is None or guard.percent is None:
        return guard
    return replace(guard, percent=number(guard.percent, numbers))
