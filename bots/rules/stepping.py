"""A plan on a forming bar as generated functions: a tick costs the conditions up to the first that fails, and no more.

The text is made of formulas, column numbers and names of our own; numbers of the rule and of the market are passed, never
written into it. Plans of one shape share one compiled text; each bar close binds it to new numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite, nan, sqrt
from typing import Any

from bots.rules.indicators import Call, Output
from bots.rules.peeks import PLACES, Formula, Kept, Values
from bots.rules.plan import Plan, ScaledColumn
from bots.rules.series import Row
from bots.rules.tree import Branch, Leaf, Negation, Node, Poll, leaves
from shared.domain.rule import model as m

Facts = Mapping[m.Fact, float]
At = Callable[[Row, int], Values]  # the forming bar, the number of its changes → an indicator's values
Test = Callable[[Row], bool]
_SIGN = {m.Scaling.MUL: "*", m.Scaling.DIV: "/", m.Scaling.ADD: "+", m.Scaling.SUB: "-"}
_COMPARE = {
    m.Operator.GREATER_THAN: ">", m.Operator.BREAKS: ">", m.Operator.LESS_THAN: "<", m.Operator.GREATER_EQUAL: ">=",
    m.Operator.LESS_EQUAL: "<=", m.Operator.EQUAL: "==", m.Operator.NOT_EQUAL: "!=",
}  # fmt: skip
_WORD = re.compile(r"\b[a-z_]\w*")
_LEFT_ALONE = frozenset({"if", "else", "sqrt", *PLACES.values()})


@dataclass(frozen=True, slots=True)
class Stepped:
    """`columns` gives every column; `enters` and `leaves` say whether entry and exit conditions hold.

    Those two are None where a value may be not known: columns and the tests of judging.py have the third truth.
    """

    columns: Callable[[Row, int, Facts], list[float]]
    enters: Test | None
    leaves: Test | None
    before: list[float]  # every column on the bar before


def stepped_of(plan: Plan, hows: Sequence[tuple[Formula, Kept] | At], before: list[float]) -> Stepped:
    """Return the functions of the plan; `hows` says for each of its calls how it is stepped."""
    text = _Text(plan, hows, before)
    numbers = [number for how in hows if isinstance(how, tuple) for number in how[1]]
    sure = not plan.has_facts and all(isinstance(how, tuple) for how in hows) and all(map(isfinite, numbers + before))
    parts = ["    def columns(row, puts, facts):", *text.columns()]
    if sure:
        parts += [
            "    def enters(row):",
            *text.test(plan.entry_told),
            "    def leaves(row):",
            *text.test(plan.exit_told),
        ]
    columns, enters, leaves_ = _made(tuple(text.given), "\n".join(parts), sure)(*text.given.values())
    return Stepped(columns, enters, leaves_, before)


@dataclass(slots=True)
class _Text:
    plan: Plan
    hows: Sequence[tuple[Formula, Kept] | At]
    before: list[float]
    given: dict[str, Any] = field(default_factory=dict)  # name in the text -> what it stands for
    names: list[str] = field(default_factory=list)  # of each column
    lines: list[list[str]] = field(default_factory=list)  # of each column: what must be computed first

    def __post_init__(self) -> None:
        calls = {call: self._call(number) for number, call in enumerate(self.plan.calls)}
        for place, source in enumerate(self.plan.sources):
            lines: list[str] = []
            match source:
                case Output(call, index):
                    lines, outputs = calls[call]
                    name = outputs[index]
                case m.Price(price):
                    name = PLACES[price]
                case m.FactRef(fact):
                    name = f"facts.get({self._take(f'k{place}', fact)}, nan)"
                case ScaledColumn(base, operation, scalar):
                    by = self._take(f"k{place}", scalar)
                    lines = [*self.lines[base], f"s{place} = {self.names[base]} {_SIGN[operation]} {by}"]
                    name = f"s{place}"
                case m.Constant(value):
                    name = self._take(f"k{place}", float(value))
            self.names.append(name)
            self.lines.append(lines)

    def _take(self, name: str, value: Any) -> str:
        self.given[name] = value
        return name

    def _call(self, number: int) -> tuple[list[str], list[str]]:
        """The lines that compute a call, and the names of its outputs."""
        call, how = self.plan.calls[number], self.hows[number]
        if not isinstance(how, tuple):
            line = f"w{number} = {self._take(f'at{number}', how)}(row, puts)"
            return [line], [f"w{number}[{place}]" for place in range(_MOST_OUTPUTS)]
        formula, kept = how
        for name, value in zip(formula.kept, kept, strict=True):
            self._take(f"{name}_{number}", value)
        return (
            [_renamed(line, call, number) for line in formula.lines],
            [_renamed(name, call, number) for name in formula.outputs],
        )

    def columns(self) -> list[str]:
        lines = dict.fromkeys(line for needed in self.lines for line in needed)
        return _body([*lines, f"return [{', '.join(self.names)}]"])

    def test(self, node: Node) -> list[str]:
        """What decides alone comes first, and is computed first; the rest may never be."""
        parts: tuple[Node, ...] = (node,)
        every = True
        if isinstance(node, Branch) and node.nodes:
            parts, every = node.nodes, node.logic is m.Logic.ALL
        body: list[str] = []
        for one in parts:
            used = (place for leaf in leaves(one) for place in (leaf.left, leaf.right, leaf.upper) if place is not None)
            body += [line for place in used for line in self.lines[place]]
            body += [f"if {'not ' if every else ''}{self._said(one)}: return {not every}"]
        return _body([*dict.fromkeys(body), f"return {every}"])

    def _said(self, node: Node) -> str:
        if isinstance(node, Leaf):
            return f"({self._compared(node)})"
        if isinstance(node, Negation):
            return f"(not {self._said(node.node)})"
        told = [self._said(one) for one in node.nodes]
        if isinstance(node, Poll):
            weights = [self._take(f"p{len(self.given)}", weight) for weight in node.weights]
            total = " + ".join(f"({by} if {one} else 0.0)" for by, one in zip(weights, told, strict=True))
            return f"({total} >= {self._take(f'p{len(self.given)}', node.at_least)})"
        return f"({(' and ' if node.logic is m.Logic.ALL else ' or ').join(told)})" if told else "False"

    def _compared(self, leaf: Leaf) -> str:
        left, right = self.names[leaf.left], self.names[leaf.right]
        if leaf.upper is not None:
            return f"{right} <= {left} <= {self.names[leaf.upper]}"
        if leaf.operator in _COMPARE:
            return f"{left} {_COMPARE[leaf.operator]} {right}"
        was = [self._take(f"b{place}", self.before[place]) for place in (leaf.left, leaf.right)]
        up = leaf.operator is m.Operator.CROSS_ABOVE
        return f"{was[0]} {'<=' if up else '>='} {was[1]} and {left} {'>' if up else '<'} {right}"


_MOST_OUTPUTS = 8


def _body(lines: list[str]) -> list[str]:
    return ["        o, h, l, c, v = row", *(f"        {line}" for line in lines)]


def _renamed(line: str, call: Call, number: int) -> str:
    """The words of a formula as this call's own; x is the price that it looks at."""

    def word(match: re.Match[str]) -> str:
        found = match[0]
        if found == "x":
            return PLACES[call.source]
        return found if found in _LEFT_ALONE else f"{found}_{number}"

    return _WORD.sub(word, line)


@lru_cache(maxsize=512)
def _made(names: tuple[str, ...], body: str, tests: bool) -> Callable[..., Any]:
    """Compile one shape: numbers in, the functions out."""
    told = "columns, enters, leaves" if tests else "columns, None, None"
    room: dict[str, Any] = {"sqrt": sqrt, "nan": nan, "__builtins__": {}}
    # Formulas and numbered names: nothing in this text came from outside.
    exec(compile(f"def make({', '.join(names)}):\n{body}\n    return {told}\n", "<step>", "exec"), room)
    make: Callable[..., Any] = room["make"]
    return make
