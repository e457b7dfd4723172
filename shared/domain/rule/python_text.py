"""A rule written in Python: what its text says without being run.

The settings of a rule (name, timeframe, sizing, stops, universe …) stand in a comment block, the rest is the author's code:

    # /// rule
    # metadata: {name: 내 전략}
    # strategy: {timeframe: 1d}
    # ///

Nothing here compiles the text: only the fenced child does (bots/rules/sandbox).
"""

from __future__ import annotations

import re
from dataclasses import replace

from shared.domain.rule.problem import Problem, one_problem
from shared.domain.rule.text import Items, Node, Scalar, Table, read_text

_PYTHON = re.compile(
    r"^(?:# /// rule[ \t]*\r?$|(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|class[ \t]+\w+|(?:import|from)[ \t]+[\w.]+)",
    re.MULTILINE,
)
_OPEN, _CLOSE = "# /// rule", "# ///"
_NO_CONDITIONS = Table({"logic": Scalar("AND", True, None), "conditions": Items((), None)}, None)
_CODE_DECIDES = ("entry", "exit", "indicators", "candlesticks", "composite")
_TARGETS = ("ladder", "grid", "rebalance")


def is_python(text: str) -> bool:
    """Say whether a rule's text is Python; no YAML or JSON rule has such a line."""
    return _PYTHON.search(text) is not None


def settings_of(text: str) -> tuple[Table, tuple[Problem, ...]]:
    """Return the comment block as a rule's document, and what does not belong there; lines are those of the text.

    Raises:
        RuleInvalid: the block is not YAML.
    """
    block = _block(text)
    top = read_text("\n".join(block)) if any(block) else Table({}, None)
    strategy = top.values.get("strategy", Table({}, None))
    metadata = top.values.get("metadata", Table({}, None))
    if not isinstance(strategy, Table) or not isinstance(metadata, Table):
        return top, ()
    problems = [_not_here(f"strategy.{name}", strategy.line) for name in _CODE_DECIDES if name in strategy.values]
    problems += [_not_here(name, top.line) for name in _TARGETS if name in top.values]
    named: dict[str, Node] = {"name": Scalar("파이썬 전략", False, None)} | metadata.values
    decided: dict[str, Node] = {"id": Scalar("python", False, None), "entry": _NO_CONDITIONS, "exit": _NO_CONDITIONS}
    completed: dict[str, Node] = {
        "metadata": replace(metadata, values=named),
        "strategy": replace(strategy, values=decided | strategy.values),
    }
    return replace(top, values=top.values | completed), tuple(problems)


def with_universe(text: str, symbols: tuple[str, ...]) -> str:
    """Return the text with its symbols in the comment block; the author's lines keep their order."""
    names = ", ".join(f'"{symbol}"' for symbol in symbols)  # quoted: 005930 must stay text
    line = f"# universe: [{names}]"
    lines = text.split("\n")
    for number, one in enumerate(lines):
        if one.rstrip() == _OPEN:
            return "\n".join([*lines[: number + 1], line, *lines[number + 1 :]])
    return f"{text.rstrip()}\n\n\n{_OPEN}\n{line}\n{_CLOSE}\n"


def _block(text: str) -> list[str]:
    """The lines of the block without their `# `, every other line empty."""
    found, inside = [], False
    for line in text.split("\n"):
        line = line.rstrip()
        if line == (_CLOSE if inside else _OPEN):
            inside = not inside
            found.append("")
        else:
            found.append(line.removeprefix("#").removeprefix(" ") if inside and line.startswith("#") else "")
    return found


def _not_here(path: str, line: int | None) -> Problem:
    return one_problem(
        path,
        line,
        "파이썬 전략에서는 코드가 정합니다",
        "in a Python strategy the code decides this",
        f"{path}를 지우세요",
        f"take {path} out",
    )
