"""A rule made ready to be judged: what it looks at as numbered columns, its conditions as a tree over them."""

from __future__ import annotations

from dataclasses import dataclass

from bots.rules.indicators import Call, Output, output_of, pattern
from bots.rules.judging import Test, test_of
from bots.rules.tree import Branch, Leaf, Negation, Node, Poll, leaves, without_polls
from shared.domain.errors import ConfigError
from shared.domain.rule import model as m
from shared.domain.rule.params import bind
from shared.domain.rule.validate import child_path, indicator_of, pattern_function
from shared.domain.rule.write import operand_text

__all__ = [
    "Branch",
    "Leaf",
    "Negation",
    "Node",
    "Plan",
    "Poll",
    "ScaledColumn",
    "Source",
    "has_target",
    "leaves",
    "plan_of",
]


@dataclass(frozen=True, slots=True)
class ScaledColumn:
    """Another column with a number applied."""

    base: int
    operation: m.Scaling
    scalar: float


Source = Output | m.Constant | m.Price | m.FactRef | ScaledColumn


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A bound rule, its columns and its trees. `warm_up` bars must have closed before every value is known."""

    rule: m.Rule
    calls: tuple[Call, ...]
    sources: tuple[Source, ...]  # column number -> what it holds; a base stands before its scaled column
    entry: Node  # and, or, not over comparisons
    exit: Node
    warm_up: int
    stop_loss_pct: float | None
    take_profit_pct: float | None
    trailing_stop_pct: float | None
    time_stop_bars: int | None
    entry_told: Node  # the same as written, votes kept whole: for the score and for what is told
    exit_told: Node
    entry_test: Test
    exit_test: Test
    crosses: bool  # whether a condition looks at the bar before
    has_facts: bool  # whether one looks at the position or the session
    has_target: bool  # whether the rule trades in steps towards a position
    risk_column: int | None = None  # the ATR that sizes an entry
    risk_multiple: float = 0.0

    @property
    def exit_needs_position(self) -> bool:
        """Whether the exit conditions look at the position, so that they cannot be judged without one."""
        used = {one.fact for one in self.sources if isinstance(one, m.FactRef)}
        return bool(used & {m.Fact.PNL_PCT, m.Fact.BARS_SINCE_ENTRY})


def has_target(rule: m.Rule) -> bool:
    """Whether the rule says a target position."""
    return rule.ladder is not None or rule.grid is not None or rule.rebalance is not None


def plan_of(rule: m.Rule) -> Plan:
    """Return the rule's plan; the same Rule object is compiled once.

    Raises:
        ConfigError: an indicator whose parameters cannot be computed.
    """
    known = _PLANS.get(id(rule))
    if known is not None and known[0] is rule:
        return known[1]
    plan = _compile(bind(rule))
    if len(_PLANS) >= _MOST_PLANS:
        _PLANS.pop(next(iter(_PLANS)))
    _PLANS[id(rule)] = (rule, plan)
    return plan


_MOST_PLANS = 1_000
_PLANS: dict[int, tuple[m.Rule, Plan]] = {}  # id of a rule held here -> its plan


class _Compiler:
    def __init__(self, rule: m.Rule) -> None:
        self.rule = rule
        self.sources: list[Source] = []

    def node(self, path: str, condition: m.Condition) -> Node:
        if isinstance(condition, m.Group):
            nodes = (self.node(child_path(path, condition, i), one) for i, one in enumerate(condition.conditions))
            return Branch(condition.logic, tuple(nodes))
        if isinstance(condition, m.Not):
            return Negation(self.node(f"{path}.not", condition.condition))
        if isinstance(condition, m.Pattern):
            return self._pattern(path, condition)
        if isinstance(condition, m.Vote):
            voted = tuple(self.node(f"{path}.vote.of[{i}]", one) for i, one in enumerate(condition.conditions))
            weights = tuple(map(float, condition.weights)) or (1.0,) * len(voted)
            return Poll(voted, weights, float(_bound(condition.at_least)))
        label = f"{operand_text(condition.left)} {condition.operator.value} {operand_text(condition.right)}"
        upper = None
        if condition.upper is not None:
            label += f" ~ {operand_text(condition.upper)}"
            upper = self._column(condition.upper)
        left, right = self._column(condition.left), self._column(condition.right)
        return Leaf(path, label, condition.operator, left, right, upper)

    def composite(self, key: str, composite: m.Composite) -> Node:
        """The members' entries or exits as one poll: `and` needs all of the weight, `or` any."""
        pairs = enumerate(composite.members)
        nodes = tuple(self.node(f"composite.members[{i}].{key}", getattr(one, key)) for i, one in pairs)
        counted = composite.mode is m.CompositeMode.VOTE
        weights = tuple(1.0 if counted else float(one.weight) for one in composite.members)
        at_least = sum(weights) if composite.mode is m.CompositeMode.AND else min(weights)
        if composite.at_least is not None and composite.mode in (m.CompositeMode.VOTE, m.CompositeMode.WEIGHTS):
            at_least = float(_bound(composite.at_least))
        return Poll(nodes, weights, at_least)

    def risk(self) -> tuple[int | None, float]:
        """The column of the ATR that says what a share risks, and how many of it."""
        sizing = self.rule.sizing
        if sizing is None or sizing.atr_period is None:
            return None, 0.0
        atr = m.Indicator("atr", "sizing.atr", (("period", int(_bound(sizing.atr_period))),))
        return self._number(output_of(atr, None)), float(_bound(sizing.atr_multiple))

    def _pattern(self, path: str, condition: m.Pattern) -> Leaf:
        function = pattern_function(self.rule, condition.candlestick)
        operators = {
            m.PatternSignal.BULLISH: m.Operator.GREATER_THAN,
            m.PatternSignal.BEARISH: m.Operator.LESS_THAN,
            m.PatternSignal.DETECTED: m.Operator.NOT_EQUAL,
        }
        left = self._number(pattern(function or ""))
        label = f"{condition.candlestick} {condition.signal.value}"
        return Leaf(path, label, operators[condition.signal], left, self._number(m.Constant(0)), None)

    def _column(self, operand: m.Operand) -> int:
        match operand:
            case m.Scaled(base, operation, scalar):
                return self._number(ScaledColumn(self._column(base), operation, float(_bound(scalar))))
            case m.IndicatorRef(alias, output):
                indicator = indicator_of(self.rule, alias)
                if indicator is None:
                    raise ConfigError(alias, "no indicator of that name", "declare it in strategy.indicators")
                return self._number(output_of(indicator, output))
            case m.ParamRef():
                return self._number(m.Constant(_bound(operand)))
            case _:
                return self._number(operand)

    def _number(self, source: Source) -> int:
        if source not in self.sources:
            self.sources.append(source)
        return self.sources.index(source)


def _bound(value: m.NumberOrParam) -> m.Number:
    if isinstance(value, m.ParamRef):
        raise ConfigError(str(value), "not bound to a number", "bind parameters first")
    return value


def _compile(rule: m.Rule) -> Plan:
    compiler = _Compiler(rule)
    if rule.composite is None:
        entry, leave = compiler.node("entry", rule.entry), compiler.node("exit", rule.exit)
    else:
        entry, leave = compiler.composite("entry", rule.composite), compiler.composite("exit", rule.composite)
    risk_column, risk_multiple = compiler.risk()
    calls = tuple(dict.fromkeys(one.call for one in compiler.sources if isinstance(one, Output)))
    crosses = any(leaf.crosses for leaf in leaves(entry) + leaves(leave))
    risk = rule.risk
    return Plan(
        rule=rule,
        calls=calls,
        sources=tuple(compiler.sources),
        entry=without_polls(entry),
        exit=without_polls(leave),
        entry_told=entry,
        exit_told=leave,
        warm_up=max((call.lookback for call in calls), default=0) + (2 if crosses else 1),
        stop_loss_pct=_percent(risk.stop_loss),
        take_profit_pct=_percent(risk.take_profit),
        trailing_stop_pct=_percent(risk.trailing_stop),
        time_stop_bars=_bars(risk.time_stop),
        entry_test=test_of(entry),
        exit_test=test_of(leave),
        crosses=crosses,
        has_facts=any(isinstance(one, m.FactRef) for one in compiler.sources),
        has_target=has_target(rule),
        risk_column=risk_column,
        risk_multiple=risk_multiple,
    )


def _percent(guard: m.Guard | None) -> float | None:
    return None if guard is None or not guard.enabled or guard.percent is None else float(_bound(guard.percent))


def _bars(stop: m.TimeStop | None) -> int | None:
    return None if stop is None or not stop.enabled or stop.bars is None else int(_bound(stop.bars))
