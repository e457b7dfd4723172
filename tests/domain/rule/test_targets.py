"""Ladders, grids, target weights, votes and composites: each mistake is told with its path and how to mend it."""

import pytest

from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid

BASE = "metadata: {name: x}\nstrategy: {id: x}\n"
AMOUNT = "sizing: {mode: amount, value: 1000}\n"
ENTRY = "{conditions: [{indicator: close, operator: '>', value: 1}]}"
MEMBER = f"{{name: a, entry: {ENTRY}}}"


def composite(rest: str) -> str:
    return "metadata: {name: x}\nstrategy:\n  id: x\n  composite: {" + rest + "}\n"


@pytest.mark.parametrize(
    ("text", "path", "mend"),
    [
        (BASE, "strategy.entry", "condition"),
        (BASE + "ladder: {splits: 10}\n", "sizing", "sizing: {mode: amount"),
        (BASE + "ladder: {splits: 1}\n" + AMOUNT, "ladder.splits", "2"),
        (BASE + "ladder: {splits: 10, order_type: MOO}\n" + AMOUNT, "ladder.order_type", "LOC"),
        (BASE + "ladder: {splits: $n}\n" + AMOUNT, "ladder.splits", "add it"),
        (BASE + "ladder: {splits: 9}\ngrid: {upper: 2, lower: 1, levels: 3}\n" + AMOUNT, "grid", "keep one"),
        (BASE + "grid: {upper: 1, lower: 2, levels: 3}\n" + AMOUNT, "grid.upper", "swap"),
        (BASE + "grid: {upper: 2, levels: 3}\n" + AMOUNT, "grid.lower", "lower"),
        (BASE + "rebalance: {weights: {SPY: 60, TLT: 50}}\n", "rebalance.weights", "100"),
        (BASE + "rebalance: {weights: {SPY: much}}\n", "rebalance.weights", "SPY: 50"),
        (BASE + "universe: [SPY]\nrebalance: {weights: {TLT: 50}}\n", "universe", "[TLT]"),
        (composite(f"mode: and, members: [{MEMBER}]"), "strategy.composite.members", "add a rule"),
        (composite(f"mode: and, members: [{MEMBER}, {MEMBER}]"), "strategy.composite.members", "another name"),
        (composite(f"mode: vote, members: [{MEMBER}, {{name: b, entry: {ENTRY}}}]"), "strategy.composite", "2"),
        (
            composite(f"mode: vote, at_least: 3, members: [{MEMBER}, {{name: b, entry: {ENTRY}}}]"),
            "strategy.composite.at_least",
            "smaller",
        ),
        (
            composite(f"mode: or, members: [{MEMBER}, {{name: b, entry: {ENTRY}}}]") + f"  entry: {ENTRY}\n",
            "strategy.composite",
            "members",
        ),
        (
            BASE.replace("id: x", "id: x, entry: {conditions: [{vote: {at_least: 5, of: [{all: []}]}}]}"),
            "strategy.entry.conditions[0].vote",
            "",
        ),
    ],
)  # fmt: skip
def test_a_mistake_names_its_place_and_its_mend(text, path, mend):
    with pytest.raises(RuleInvalid) as told:
        parse_rule(text)
    found = [one for one in told.value.problems if one.path.startswith(path)]
    assert found, told.value.why
    assert any(mend in one.mend.en for one in found), told.value.why
    assert all(one.reason.ko and one.mend.ko for one in found)


def test_a_number_of_a_ladder_may_be_a_parameter():
    rule = parse_rule(
        "metadata: {name: x}\nstrategy: {id: x, params: {n: {default: 7}}}\nladder: {splits: $n}\n" + AMOUNT
    )
    assert rule.ladder is not None and str(rule.ladder.splits) == "$n"
