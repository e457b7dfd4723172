"""Conditions that are allowed, and can never hold: told when a rule is checked, never refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.domain.rule import model as m
from shared.domain.rule.catalogue import find_indicator
from shared.domain.rule.problem import Problem, one_problem

_EXTREMES = {"MAX": (m.Operator.GREATER_THAN, m.Operator.CROSS_ABOVE, m.Operator.BREAKS),
             "MIN": (m.Operator.LESS_THAN, m.Operator.CROSS_BELOW)}  # fmt: skip


def doubts_of(rule: m.Rule, conditions: Iterable[tuple[str, object]]) -> Iterator[Problem]:
    """Yield what can never be true: `conditions` are the rule's comparisons with their paths."""
    by_alias = {one.alias: one for one in rule.indicators}
    for index, one in enumerate(rule.indicators):
        spec = find_indicator(one.id)
        if spec is not None and spec.function == "OWN_UNKNOWN":
            yield one_problem(
                f"strategy.indicators[{index}]", None, f"{one.id}에는 비교할 지수의 봉이 필요해 값을 모릅니다",
                f"{one.id} needs a benchmark's bars and is never known", "이 지표를 쓰는 조건은 맞지 않습니다",
                "conditions on it never hold",
            )  # fmt: skip
    for path, condition in conditions:
        if isinstance(condition, m.Comparison) and _never(condition, by_alias):
            yield one_problem(
                path, None, "최고·최저에 이번 봉이 들어 있어 넘을 수 없습니다",
                "the extreme contains this very bar and cannot be passed (decision 0005)", "지표에 shift: 1을 쓰세요",
                "write shift: 1 in the indicator",
            )  # fmt: skip


def _never(one: m.Comparison, by_alias: dict[str, m.Indicator]) -> bool:
    """The close against the highest or lowest close of bars that include this one."""
    if not isinstance(one.right, m.IndicatorRef) or not isinstance(one.left, m.Price):
        return False
    indicator = by_alias.get(one.right.alias)
    spec = None if indicator is None else find_indicator(indicator.id)
    if indicator is None or spec is None or indicator.shift or dict(spec.fixed).get("shift"):
        return False
    return one.left.field is indicator.source and one.operator in _EXTREMES.get(spec.function, ())
