"""One rule under many parameter values: what changes with which parameter is found once, then plans are put together.

Compiling a rule takes longer than walking ten thousand bars with it. Each parameter is varied alone; when no column depends
on two of them at once, the plan of any combination is the default one with each parameter's own changes put in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bots.backtest.data import PriceData
from bots.backtest.fast import static_facts
from bots.rules.conditions import Column, columns
from bots.rules.plan import Plan, ScaledColumn, plan_of
from shared.domain.rule.model import Number, Rule, Scaling
from shared.domain.rule.params import bind

Combination = Mapping[str, Number]
_GUARDS = ("stop_loss_pct", "take_profit_pct", "trailing_stop_pct", "time_stop_bars")


@dataclass(frozen=True, slots=True)
class _Change:
    """What one value of one parameter changes in the default plan."""

    columns: tuple[tuple[int, Column], ...]
    guards: tuple[tuple[str, float | int | None], ...]
    sizing_changes: bool


class Family:
    """Plans and columns of a rule's parameter combinations over one symbol's bars."""

    def __init__(self, rule: Rule, data: PriceData) -> None:
        self.rule, self.data = rule, data
        self.plan = plan_of(bind(rule))
        self.facts = static_facts(self.plan, data)
        self.values = columns(self.plan, data.bars, self.facts)
        self._changes: dict[tuple[str, Number], _Change | None] = {}
        self._owners: dict[int, str] = {}  # column number -> the one parameter that it depends on
        self._entangled = False

    def member(self, combination: Combination) -> tuple[Plan, list[Column]]:
        """Return the plan of a combination and its columns.

        Raises:
            RuleInvalid: an unknown parameter, or a value out of its bounds.
            ConfigError: an indicator that cannot be computed.
        """
        changes = [self._change(name, value) for name, value in combination.items()]
        known = [one for one in changes if one is not None]
        if self._entangled or len(known) < len(changes) or any(one.sizing_changes for one in known):
            return self._compiled(combination)
        values = list(self.values)
        guards: dict[str, float | int | None] = {}
        touched: set[int] = set()
        for change in known:
            guards.update(change.guards)
            for place, column in change.columns:
                values[place] = column
                touched.add(place)
        plan = replace(self.plan, **guards) if guards else self.plan  # type: ignore[arg-type]  # names of _GUARDS
        if touched:
            self._rescale(values, touched)
        return plan, values

    def _rescale(self, values: list[Column], touched: set[int]) -> None:
        for place, source in enumerate(self.plan.sources):
            if isinstance(source, ScaledColumn) and source.base in touched:
                values[place] = _SCALE[source.operation](values[source.base], source.scalar)
                touched.add(place)

    def _compiled(self, combination: Combination) -> tuple[Plan, list[Column]]:
        plan = plan_of(bind(self.rule, dict(combination)))
        return plan, columns(plan, self.data.bars, static_facts(plan, self.data))

    def _change(self, name: str, value: Number) -> _Change | None:
        key = (name, value)
        if key not in self._changes:
            self._changes[key] = self._found(name, value)
        return self._changes[key]

    def _found(self, name: str, value: Number) -> _Change | None:
        """Compare the plan under this one value with the default; None where they are not of one shape."""
        bound = bind(self.rule, {name: value})
        plan = plan_of(bound)
        if len(plan.sources) != len(self.plan.sources) or (_shape(plan), _shape(self.plan)) != (_shape(self.plan),) * 2:
            return None
        places = [at for at, one in enumerate(plan.sources) if one != self.plan.sources[at]]
        for place in places:
            if isinstance(plan.sources[place], ScaledColumn):
                self._entangled = True  # its own number and its base may both move
            if self._owners.setdefault(place, name) != name:
                self._entangled = True
        found = columns(plan, self.data.bars, self.facts) if places else []
        guards = tuple((one, getattr(plan, one)) for one in _GUARDS if getattr(plan, one) != getattr(self.plan, one))
        sizing = bound.sizing != self.plan.rule.sizing
        return _Change(tuple((place, found[place]) for place in places), guards, sizing)


def _shape(plan: Plan) -> tuple[object, ...]:
    """The trees without the words in them."""
    return (_tree(plan.entry), _tree(plan.exit))


def _tree(node: object) -> object:
    nodes = getattr(node, "nodes", None)
    if nodes is not None:
        return (node.logic, tuple(_tree(one) for one in nodes))  # type: ignore[attr-defined]
    inner = getattr(node, "node", None)
    if inner is not None:
        return ("not", _tree(inner))
    return (node.operator, node.left, node.right, node.upper)  # type: ignore[attr-defined]


_SCALE = {
    Scaling.MUL: lambda value, by: value * by,
    Scaling.DIV: lambda value, by: value / by,
    Scaling.ADD: lambda value, by: value + by,
    Scaling.SUB: lambda value, by: value - by,
}


def grid(choices: Mapping[str, Sequence[Number]]) -> list[dict[str, Number]]:
    """Return every combination, the last parameter varying fastest."""
    found: list[dict[str, Number]] = [{}]
    for name, values in choices.items():
        found = [{**one, name: value} for one in found for value in values]
    return found
