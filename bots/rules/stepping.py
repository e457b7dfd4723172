"""A plan's columns on a forming bar as one generated function: what a tick costs is this and judging the conditions.

The text is made of formulas, column numbers and names of our own; numbers of the rule and of the market are passed, never
written into it. Plans of one shape share one compiled text; each bar close binds it to new numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import nan, sqrt
from typing import Any

from bots.rules.indicators import Call, Output
from bots.rules.peeks import PLACES, Formula, Values
from bots.rules.plan import Plan, ScaledColumn
from bots.rules.series import Row
from shared.domain.rule import model as m

Facts = Mapping[m.Fact, float]
Step = Callable[[Row, int, Facts], list[float]]  # the forming bar, the number of its changes, facts → every column
At = Callable[[Row, int], Values]
_SIGN = {m.Scaling.MUL: "*", m.Scaling.DIV: "/", m.Scaling.ADD: "+", m.Scaling.SUB: "-"}
_WORD = re.compile(r"\b[a-z_]\w*")
_LEFT_ALONE = frozenset({"if", "else", "sqrt", *PLACES.values()})


def step_of(plan: Plan, stepped: Sequence[tuple[Formula, tuple[float, ...]] | At]) -> Step:
    """Return the function of the plan's columns; `stepped` says for each of its calls how it is stepped."""
    lines: list[str] = []
    given: list[Any] = []  # one for each name
    names: list[str] = []
    outputs: list[tuple[str, ...]] = []

    def take(name: str, value: Any) -> str:
        names.append(name)
        given.append(value)
        return name

    for number, (call, how) in enumerate(zip(plan.calls, stepped, strict=True)):
        if isinstance(how, tuple):
            formula, kept = how
            for name, value in zip(formula.kept, kept, strict=True):
                take(f"{name}_{number}", value)
            lines += [_renamed(line, call, number) for line in formula.lines]
            outputs.append(tuple(_renamed(name, call, number) for name in formula.outputs))
        else:
            lines.append(f"w{number} = {take(f'at{number}', how)}(row, puts)")
            outputs.append(())
    columns: list[str] = []
    for place, source in enumerate(plan.sources):
        match source:
            case Output(call, index):
                number = plan.calls.index(call)
                columns.append(outputs[number][index] if outputs[number] else f"w{number}[{index}]")
            case m.Constant(value):
                columns.append(take(f"k{place}", float(value)))
            case m.Price(field):
                columns.append(PLACES[field])
            case m.FactRef(fact):
                columns.append(f"facts.get({take(f'k{place}', fact)}, nan)")
            case ScaledColumn(base, operation, scalar):
                lines.append(f"s{place} = {columns[base]} {_SIGN[operation]} {take(f'k{place}', scalar)}")
                columns.append(f"s{place}")
    step: Step = _made(tuple(names), tuple(lines), tuple(columns))(*given)
    return step


def _renamed(line: str, call: Call, number: int) -> str:
    """The words of a formula as this call's own; x is the price that it looks at."""

    def word(match: re.Match[str]) -> str:
        found = match[0]
        if found == "x":
            return PLACES[call.source]
        return found if found in _LEFT_ALONE else f"{found}_{number}"

    return _WORD.sub(word, line)


@lru_cache(maxsize=512)
def _made(names: tuple[str, ...], lines: tuple[str, ...], columns: tuple[str, ...]) -> Callable[..., Step]:
    """Compile one shape: numbers in, the step out."""
    body = "".join(f"        {line}\n" for line in lines)
    text = (
        f"def make({', '.join(names)}):\n    def step(row, puts, facts):\n        o, h, l, c, v = row\n"
        f"{body}        return [{', '.join(columns)}]\n    return step\n"
    )
    room: dict[str, Any] = {"sqrt": sqrt, "nan": nan, "__builtins__": {}}
    exec(compile(text, "<step>", "exec"), room)  # formulas and numbered names: nothing in it came from outside
    make: Callable[..., Step] = room["make"]
    return make
