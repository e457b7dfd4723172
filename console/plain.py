"""Values as every door writes them: money as text, times ISO with offset, names of states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any


def to_plain(value: Any) -> Any:
    """Values as the contract writes them: money as text, times ISO with offset, names of states."""
    if is_dataclass(value) and not isinstance(value, type):
        return to_plain(asdict(value))
    if hasattr(value, "model_dump"):  # a row of the store
        return to_plain(value.model_dump())
    if hasattr(value, "_asdict"):  # one of a plain statement
        return to_plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(name): to_plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(one) for one in value]
    return _PLAIN.get(_kind(value), lambda one: one)(value)


def _kind(value: Any) -> type:
    return next((kind for kind in _PLAIN if isinstance(value, kind)), type(value))


_PLAIN: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda one: f"{one:f}",
    datetime: lambda one: one.isoformat(),
    date: lambda one: one.isoformat(),
    IntEnum: lambda one: one.name,
    Enum: lambda one: one.value,
}
