"""A stored decision judged anew from what it stored: the verdict must come out the same, or the explanation is worthless.

Only the rule's text and the stored steps are looked at: no bars, no position, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bots.rules.plan import has_target, plan_of
from bots.rules.tree import Branch, Leaf, Negation, Node, leaves
from shared.domain.rule.model import Logic, Rule
from shared.domain.signal import Step, Verdict

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "greater_than": lambda a, b: a > b,
    "breaks": lambda a, b: a > b,
    "less_than": lambda a, b: a < b,
    "greater_equal": lambda a, b: a >= b,
    "less_equal": lambda a, b: a <= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
}
_BACK = " → "  # a value on the bar before and now
_TO = " ~ "  # the two ends of between


def truth_of(step: Step) -> bool | None:
    """Return whether a stored comparison holds, from its numbers and operator alone."""
    left, right = (list(map(float, text.split(_BACK))) for text in (step.left, step.right.replace(_TO, _BACK)))
    if any(one != one for one in left + right):
        return None
    if step.operator == "between":
        return right[0] <= left[0] <= right[1]
    if step.operator in ("cross_above", "cross_below") and min(len(left), len(right)) < 2:
        return None  # a cross needs the bar before
    if step.operator == "cross_above":
        return left[0] <= right[0] and left[1] > right[1]
    if step.operator == "cross_below":
        return left[0] >= right[0] and left[1] < right[1]
    return _COMPARE[step.operator](left[0], right[0])


def verdict_of(rule: Rule, steps: Iterable[Step]) -> Verdict:
    """Return the verdict that the stored steps of one evaluation of `rule` lead to."""
    plan = plan_of(rule)
    stored = {one.path: one for one in steps}
    truths = {path: truth_of(step) for path, step in stored.items()}
    if any(truth for path, truth in truths.items() if path.startswith("risk.")):
        return Verdict.SELL
    if _judged(plan.exit_told, truths) and _tree(plan.exit_told, truths):
        return Verdict.SELL
    entering = _judged(plan.entry_told, truths)
    held = _tree(plan.entry_told, truths) if entering else None
    if has_target(plan.rule):
        verdict = _target(stored, truths)
        wanted = entering and bool(plan.rule.entry.conditions)
        return Verdict.HOLD if verdict is Verdict.BUY and wanted and not held else verdict
    return Verdict.BUY if held else Verdict.HOLD


def _judged(node: Node, truths: Mapping[str, bool | None]) -> bool:
    return any(leaf.path in truths for leaf in leaves(node))


def _tree(node: Node, truths: Mapping[str, bool | None]) -> bool | None:
    if isinstance(node, Leaf):
        return truths.get(node.path)
    if isinstance(node, Negation):
        inner = _tree(node.node, truths)
        return None if inner is None else not inner
    found = [_tree(one, truths) for one in node.nodes]
    if isinstance(node, Branch):
        if not found:
            return False
        decisive = node.logic is Logic.ANY
        return decisive if decisive in found else None if None in found else not decisive
    sure = sum(weight for one, weight in zip(found, node.weights, strict=True) if one)
    open_ = sum(weight for one, weight in zip(found, node.weights, strict=True) if one is None)
    return True if sure >= node.at_least else None if sure + open_ >= node.at_least else False


def _target(stored: Mapping[str, Step], truths: Mapping[str, bool | None]) -> Verdict:
    if truths.get("ladder.splits") and truths.get("ladder.shares"):
        return Verdict.BUY
    if truths.get("grid.buy"):
        return Verdict.BUY
    if truths.get("grid.sell"):
        return Verdict.SELL
    if truths.get("rebalance.band") and truths.get("rebalance.shares"):
        return Verdict.BUY if float(stored["rebalance.shares"].left) > 0 else Verdict.SELL
    return Verdict.HOLD
