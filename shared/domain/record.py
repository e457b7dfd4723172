"""`dataclass` as the standard library makes it, in a third of the time: one function is compiled per class instead of six.

A bot makes two hundred such classes at each start; they were a quarter of its import. What is rare (order, inheritance between
dataclasses, InitVar, ClassVar) is left to the standard library.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

_OURS = frozenset({"frozen", "slots", "eq"})
_NOT_GIVEN = object()
Values = Callable[[Any], tuple[Any, ...]]


def _dataclass(cls: Any = None, /, **options: Any) -> Any:
    """Make `cls` a dataclass: the same options, the same behaviour."""
    if cls is None:
        return lambda given: _dataclass(given, **options)
    return _made(cls, **options) if _plain(cls, options) else dataclasses.dataclass(**options)(cls)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _dataclass


def _plain(cls: type, options: dict[str, Any]) -> bool:
    """Tell whether it is of the kind that is made here."""
    own = cls.__dict__
    kinds = own.get("__annotations__", {})
    return (
        options.keys() <= _OURS
        and not any("__dataclass_fields__" in base.__dict__ for base in cls.__mro__)
        and "self" not in kinds
        and not any("Var" in str(kind) for kind in kinds.values())
        and not own.keys() & {"__setattr__", "__delattr__", "__getstate__", "__setstate__"}
    )


def _made(cls: type, *, frozen: bool = False, slots: bool = False, eq: bool = True) -> type:
    own = dict(cls.__dict__)
    if cls.__doc__ is None:
        cls.__doc__ = (
            cls.__name__
        )  # its signature, which nobody reads (-OO drops every other), costs as much as a function
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    told = made.__dataclass_params__
    told.init = told.repr = True
    told.eq, told.frozen = eq, frozen
    its = fields(made)
    adds: dict[str, Any] = {"__init__": _init(made, its, frozen, slots), "__repr__": _repr}
    if eq:
        adds["__eq__"] = _equality(_values([one.name for one in its if one.compare]))
    for name, function in adds.items():
        if name not in own:
            setattr(made, name, function)
    if eq and own.get("__hash__") is None:
        hashed = [one.name for one in its if (one.compare if one.hash is None else one.hash)]
        made.__hash__ = _hash(_values(hashed)) if frozen else None
    if frozen:
        made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
        if slots:
            made.__getstate__, made.__setstate__ = _state, _take_state
    return made  # type: ignore[no-any-return]


def _init(made: Any, its: tuple[Field[Any], ...], frozen: bool, slots: bool) -> Any:
    """The one function that differs from class to class."""
    known: dict[str, Any] = {"_dc_not_given": _NOT_GIVEN, "_dc_set": object.__setattr__}
    given: list[str] = []
    only_named: list[str] = []
    body: list[str] = []
    for one in its:
        name = asked = value = one.name
        if one.default is not MISSING:
            known[f"_dc_default_{name}"] = one.default
            asked, value = f"{name}=_dc_default_{name}", name if one.init else f"_dc_default_{name}"
        elif one.default_factory is not MISSING:
            known[f"_dc_make_{name}"] = one.default_factory
            fresh = f"_dc_make_{name}()"
            asked, value = (
                f"{name}=_dc_not_given",
                f"{fresh} if {name} is _dc_not_given else {name}" if one.init else fresh,
            )
        if one.init:
            (only_named if one.kw_only else given).append(asked)
        elif value == name or (one.default is not MISSING and not slots):
            continue  # whoever wants it sets it; a default stands on the class
        if frozen and slots:
            known[f"_dc_set_{name}"] = getattr(made, name).__set__
            body.append(f"_dc_set_{name}(self, {value})")
        else:
            body.append(f"_dc_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    asked = ", ".join(["self", *given, *(["*", *only_named] if only_named else [])])
    text = f"def make({', '.join(known)}):\n def __init__({asked}):\n  " + ("\n  ".join(body) or "pass")
    space: dict[str, Any] = {}
    exec(text + "\n return __init__", getattr(sys.modules.get(made.__module__), "__dict__", {}), space)
    init = space["make"](**known)
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {one.name: one.type for one in its if one.init} | {"return": None}
    return init


def _values(names: list[str]) -> Values:
    """A function from an object to the tuple of its values of `names`."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda one: ()
    get = attrgetter(names[0])
    return lambda one: (get(one),)


def _equality(values: Values) -> Any:
    def __eq__(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hash(values: Values) -> Any:
    def __hash__(self: Any) -> int:
        return hash(values(self))

    return __hash__


@recursive_repr("...")
def _repr(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _refuse_to_set(self: Any, name: str, value: Any) -> None:
    if _guarded(self, name):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _refuse_to_delete(self: Any, name: str) -> None:
    if _guarded(self, name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _guarded(self: Any, name: str) -> bool:
    return name in self.__dataclass_fields__ or "__dataclass_fields__" in type(self).__dict__


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in fields(self)]


def _take_state(self: Any, state: list[Any]) -> None:
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
