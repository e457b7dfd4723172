"""What a ladder, a grid, target weights and a composite need to mean something (docs/rules.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.domain.order import OrderType
from shared.domain.rule import model as m

MOST_VOTES = 8  # a vote is told to the backtest as the sets that reach it: 70 of eight
Add = Callable[[str, str, str, str, str], None]  # path, why and mend in Korean and English


def check_targets(rule: m.Rule, add: Add) -> None:
    """Tell `add` what does not fit; parameters count with their defaults."""
    numbers = {param.name: param.default for param in rule.params}
    written = [name for name in ("ladder", "grid", "rebalance") if getattr(rule, name) is not None]
    if len(written) > 1:
        both = ", ".join(written)
        add(written[1], f"{both}은 함께 쓸 수 없습니다", f"{both} cannot stand together", "하나만", "keep one")
    for name in written:
        section = getattr(rule, name)
        for key in section.__dataclass_fields__:
            value = getattr(section, key)
            if isinstance(value, m.ParamRef) and value.name not in numbers:
                add(f"{name}.{key}", f"없는 조절값 {value}", f"no such parameter {value}", "strategy.params", "add it")
    if rule.composite is not None:
        _composite(rule, rule.composite, numbers, add)
    if rule.ladder is not None:
        _needs_sizing(rule, "ladder", add)
        if rule.ladder.order_type not in (OrderType.LOC, OrderType.LIMIT, OrderType.MARKET):
            add("ladder.order_type", "LOC, LIMIT, MARKET만 됩니다", "only LOC, LIMIT or MARKET", "LOC", "LOC")
    if rule.grid is not None:
        _needs_sizing(rule, "grid", add)
        upper, lower = _value(rule.grid.upper, numbers), _value(rule.grid.lower, numbers)
        if upper <= lower:
            add("grid.upper", "lower보다 높아야 합니다", "must be above lower", "둘을 바꾸세요", "swap them")
    if rule.rebalance is not None:
        _rebalance(rule, rule.rebalance, add)


def _value(value: m.NumberOrParam, numbers: Mapping[str, m.Number]) -> m.Number:
    return numbers.get(value.name, 1) if isinstance(value, m.ParamRef) else value


def _needs_sizing(rule: m.Rule, name: str, add: Add) -> None:
    if rule.sizing is None or rule.sizing.mode not in (m.SizingMode.AMOUNT, m.SizingMode.SHARES):
        mend = "sizing: {mode: amount, value: 4000000}"
        add("sizing", f"{name}에는 금액이나 주식 수가 필요합니다", f"{name} needs an amount or shares", mend, mend)


def _rebalance(rule: m.Rule, rebalance: m.Rebalance, add: Add) -> None:
    total = sum(weight for _, weight in rebalance.weights)
    if not rebalance.weights:
        add("rebalance.weights", "종목이 없습니다", "there is no symbol", "{SPY: 60}", "{SPY: 60}")
    if total > 100:
        add("rebalance.weights", f"합이 {total}%입니다", f"they add up to {total} %", "100 이하", "100 or less")
    symbols = {symbol for symbol, _ in rebalance.weights}
    if rule.universe and symbols != set(rule.universe):
        mend = "[" + ", ".join(sorted(symbols)) + "]"
        add("universe", "rebalance.weights의 종목과 다릅니다", "differs from rebalance.weights", mend, mend)


def _composite(rule: m.Rule, composite: m.Composite, numbers: Mapping[str, m.Number], add: Add) -> None:
    path = "strategy.composite"
    if rule.entry.conditions or rule.exit.conditions:
        add(
            path, "entry·exit와 함께 쓸 수 없습니다", "stands in the place of entry and exit", "조건을 members에 쓰세요",
            "move the conditions into members",
        )  # fmt: skip
    if len(composite.members) < 2:
        add(f"{path}.members", "둘 이상이어야 합니다", "must be two or more", "규칙을 더하세요", "add a rule")
    if len(composite.members) > MOST_VOTES:
        add(f"{path}.members", f"{MOST_VOTES}개까지입니다", f"at most {MOST_VOTES}", "나누세요", "split it")
    names = [one.name for one in composite.members]
    for name in sorted({one for one in names if names.count(one) > 1}):
        add(f"{path}.members", f"{name!r}이 두 번 나옵니다", f"{name!r} stands twice", "다른 이름", "another name")
    counted = composite.mode in (m.CompositeMode.VOTE, m.CompositeMode.WEIGHTS)
    if counted and composite.at_least is None:
        add(f"{path}.at_least", "몇 이상인지 필요합니다", "is needed to count votes", "at_least: 2", "at_least: 2")
    if isinstance(composite.at_least, m.ParamRef) and composite.at_least.name not in numbers:
        add(f"{path}.at_least", f"없는 조절값 {composite.at_least}", "no such parameter", "strategy.params", "add it")
    elif counted and composite.at_least is not None and _value(composite.at_least, numbers) > _reach(composite):
        add(
            f"{path}.at_least", "모두 합쳐도 닿지 않습니다", "out of reach of all of them", "더 작게", "make it smaller"
        )


def _reach(composite: m.Composite) -> m.Number:
    by_weight = composite.mode is m.CompositeMode.WEIGHTS
    return sum(one.weight for one in composite.members) if by_weight else len(composite.members)
