"""What a child may say, word for word. It is a stranger: everything else is a fault."""

from __future__ import annotations

import builtins
import json
import re
from dataclasses import dataclass
from math import isfinite
from typing import Any, NoReturn

from bots.rules.sandbox.faults import StrategyFault, known
from shared.domain.signal import Verdict

MOST_SHARES = 10_000_000
_LABEL = re.compile(r"[a-z_]{1,12}\([a-z0-9., -]{0,60}\)(\[-\d{1,5}\])?(\.[a-z]{1,12})?")
_MOST_SEEN = 24
_CALLS = frozenset({"on_bar", "on_tick", "on_fill"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the strategy would like. `seen` are the indicators it looked at, with their values."""

    verdict: Verdict
    quantity: int | None = None  # shares to buy; None: the rule's sizing
    score: float = 1.0
    seen: tuple[tuple[str, float], ...] = ()


def read_calls(body: bytes, asked: int, lines: int) -> frozenset[str]:
    """Return the calls that a loaded strategy answers. Raises StrategyFault."""
    told = _checked(body, asked, lines)
    calls = told.get("calls")
    if not isinstance(calls, list) or not _CALLS.issuperset(one for one in calls if isinstance(one, str)):
        raise StrategyFault("answer")
    return frozenset(one for one in calls if isinstance(one, str))


def read_proposal(body: bytes, asked: int, lines: int) -> Proposal:
    """Return the proposal. Raises StrategyFault."""
    told = _checked(body, asked, lines)
    said, seen = told.get("said"), _seen(told.get("seen", []))
    if said is None:
        return Proposal(Verdict.HOLD, seen=seen)
    if isinstance(said, str):
        return Proposal(_verdict(said), seen=seen)
    if not isinstance(said, dict) or set(said) != {"side", "quantity", "score"}:
        raise StrategyFault("answer")
    verdict, quantity = _verdict(said["side"]), _quantity(said["quantity"])
    if quantity is not None and verdict is not Verdict.BUY:
        raise StrategyFault("answer")
    return Proposal(verdict, quantity, _number(said["score"], 0.0, 1.0), seen)


def _checked(body: bytes, asked: int, lines: int) -> dict[str, Any]:
    try:
        told = json.loads(body, parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        raise StrategyFault("answer") from error
    if not isinstance(told, dict) or told.get("id") != asked or isinstance(told.get("id"), bool):
        raise StrategyFault("answer")
    if "fault" in told:
        code, line, kind = told["fault"], told.get("line"), told.get("kind")
        fine = type(line) is int and 1 <= line <= lines
        raise StrategyFault(code if known(code) else "answer", line if fine else None, _error_name(kind))
    return told


def _error_name(kind: object) -> str:
    """A built-in error's name; an error class of the strategy's own would be its own words."""
    found = getattr(builtins, kind, None) if isinstance(kind, str) else None
    return str(kind) if isinstance(found, type) and issubclass(found, BaseException) else ""


def _verdict(said: object) -> Verdict:
    if said not in ("BUY", "SELL", "HOLD"):
        raise StrategyFault("answer")
    return Verdict(said)


def _quantity(said: object) -> int | None:
    if said is None:
        return None
    if type(said) is not int or not 1 <= said <= MOST_SHARES:
        raise StrategyFault("answer")
    return said


def _number(said: object, least: float, most: float) -> float:
    if not isinstance(said, int | float) or isinstance(said, bool) or not isfinite(said) or not least <= said <= most:
        raise StrategyFault("answer")
    return float(said)


def _seen(said: object) -> tuple[tuple[str, float], ...]:
    if not isinstance(said, list) or len(said) > _MOST_SEEN * 3:
        raise StrategyFault("answer")
    found = []
    for pair in said:
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise StrategyFault("answer")
        if _LABEL.fullmatch(pair[0]) is None:
            raise StrategyFault("answer")
        found.append((pair[0], _number(pair[1], -1e300, 1e300)))
    return tuple(found)


def _not_finite(word: str) -> NoReturn:
    raise ValueError(word)
