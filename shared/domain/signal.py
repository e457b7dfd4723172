"""Signals and decisions: what a rule said, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from shared.domain.order import OrderType


class SignalType(StrEnum):
    ENTRY = "ENTRY"
    EXIT = "EXIT"


class Verdict(StrEnum):
    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True)
class Step:
    """One compared condition: left, operator, right, truth. Values are text so that they can be stored and shown."""

    path: str  # where it stands in the rule, e.g. "entry.conditions[0]"
    label: str  # e.g. "sma_fast cross_above sma_slow"
    left: str
    operator: str
    right: str
    truth: bool | None  # None: not enough data (warm-up), never treated as true


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The outcome of evaluating one rule once, with everything needed to explain it.

    A struct made in C: one is made per rule and tick. Nothing it holds leads back to it, so no collector need look.
    """

    rule_id: int
    version_id: int
    symbol: str
    verdict: Verdict
    reason: str  # machine code, e.g. "entry", "stop_loss", "warming_up", "no_condition"
    at: datetime
    steps: Sequence[Step] = ()  # told when looked at; the numbers are kept as they were compared
    score: float = 1.0
    signal_key: str | None = None  # set when the verdict is not HOLD
    quantity: int | None = None  # shares a target position asks for; None: the rule's sizing, or all that is held
    limit_price: Decimal | None = None  # not rounded to the tick; None: the execution's own price
    order_type: OrderType | None = None  # None: the execution's own


@dataclass(frozen=True, slots=True)
class Denied:
    """A guard refused: `code` is stable, `text` is for the operator, `passed` are the guards before it in order."""

    code: str
    text: str
    passed: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Every guard passed."""

    guards: tuple[str, ...] = ()
