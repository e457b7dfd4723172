"""What changed between two rules, in meaning: each difference with its place, and whether it lowers the risk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain.rule import model as m
from shared.domain.rule.write import to_document


class Effect(StrEnum):
    """What a change does to the risk of shares that are held already, and of those still to be bought."""

    NONE = "none"  # names, descriptions
    LESS = "less"  # a stop that is nearer or new, a smaller size, a longer pause
    MORE = "more"
    OPEN = "open"  # another idea of when to buy or sell: not to be told beforehand


@dataclass(frozen=True, slots=True)
class Change:
    """One place of the rule. `before` or `after` None: it was not there, or is not there any more."""

    path: str  # "risk.stop_loss.percent"
    before: str | None
    after: str | None
    effect: Effect


def changes(older: m.Rule, newer: m.Rule) -> tuple[Change, ...]:
    """Every difference of meaning, in the order a person writes a rule; () when they mean the same."""
    was, now = dict(_leaves(to_document(older))), dict(_leaves(to_document(newer)))
    paths = [*was, *(path for path in now if path not in was)]
    found = [
        Change(path, was.get(path), now.get(path), _effect(path, older, newer))
        for path in paths
        if was.get(path) != now.get(path)
    ]
    if older.python != newer.python:  # the document holds a Python rule's settings, not what its code decides
        found.append(Change("python", None, None, Effect.OPEN))
    return tuple(found)


def only_lowers_risk(older: m.Rule, newer: m.Rule) -> bool:
    """Whether something lowers the risk and nothing else matters: such an edit is meant for open positions too."""
    effects = {change.effect for change in changes(older, newer)} - {Effect.NONE}
    return effects == {Effect.LESS}


_STOPS = ("stop_loss", "trailing_stop")


def _effect(path: str, older: m.Rule, newer: m.Rule) -> Effect:
    """Judge a path by what the whole section now does: a stop's number and its switch are one thing."""
    head, _, rest = path.partition(".")
    if head in ("metadata", "version"):
        return Effect.NONE
    if head == "risk":
        name = rest.split(".")[0]
        if name in _STOPS:
            return _tighter(_percent(getattr(older.risk, name)), _percent(getattr(newer.risk, name)))
        if name == "time_stop":
            return _tighter(_bars(older.risk.time_stop), _bars(newer.risk.time_stop))
        if name == "max_position_size":
            return _tighter(older.risk.max_position_size, newer.risk.max_position_size)
        return Effect.OPEN  # a nearer target sells earlier, which is not less risk for the one who holds
    if head == "sizing" and older.sizing is not None and newer.sizing is not None:
        if older.sizing.mode is not newer.sizing.mode:
            return Effect.OPEN
        return _tighter(older.sizing.value, newer.sizing.value)
    if path == "execution.cooldown_sec":
        return Effect.LESS if newer.execution.cooldown_sec > older.execution.cooldown_sec else Effect.MORE
    if path == "execution.approval":
        return Effect.LESS if newer.execution.approval is m.Approval.REQUIRED else Effect.MORE
    return Effect.OPEN


def _tighter(before: object, after: object) -> Effect:
    """Smaller is less risk; none at all is the most. A `$param` is not a number yet."""
    if before == after:
        return Effect.NONE
    if after is None:
        return Effect.MORE
    if before is None:
        return Effect.LESS
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return Effect.OPEN
    return Effect.LESS if after < before else Effect.MORE


def _percent(guard: m.Guard | None) -> object:
    return None if guard is None or not guard.enabled else guard.percent


def _bars(stop: m.TimeStop | None) -> object:
    return None if stop is None or not stop.enabled else stop.bars


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a document by its place; conditions are one value each, as a person reads them."""
    if isinstance(node, dict) and not _is_condition(node):
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list) and any(isinstance(one, dict) for one in node):
        for place, one in enumerate(node):
            name = one.get("alias", place) if isinstance(one, dict) else place
            yield from _leaves(one, f"{path}[{name}]")
    else:
        yield path, _shown(node)


def _is_condition(node: dict[str, Any]) -> bool:
    return "operator" in node or "candlestick" in node


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(str(one) for one in value.values())
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value)
