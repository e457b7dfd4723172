"""Our `dataclass` and the standard library's make classes that behave alike."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from math import nan
from typing import Any, ClassVar, get_type_hints

import pytest

from shared.domain import record

Maker = Callable[..., Any]


def shapes(dataclass: Maker) -> dict[str, Any]:
    """The same classes by either decorator."""

    @dataclass(frozen=True, slots=True)
    class Value:
        """A value."""

        a: int
        b: str = "b"
        c: list[int] = field(default_factory=list, repr=False)
        d: float = field(default=1.0, compare=False)

    @dataclass(frozen=True, slots=True)
    class Checked:
        a: int = 0
        doubled: int = field(init=False, default=7)

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError(self.a)

        @property
        def more(self) -> int:
            return self.a + 1

    @dataclass(slots=True)
    class Kept:
        a: int
        later: int = field(init=False, compare=False)
        seen: dict[str, int] = field(default_factory=dict)
        last: int = field(default=3, kw_only=True)
        never: list[int] = field(init=False, default_factory=list)

    @dataclass
    class Open:
        a: float
        b: int = 2
        c: int = field(default=9, init=False)

    @dataclass(frozen=True)
    class Loose:
        a: int
        b: tuple[int, ...] = ()

    @dataclass(frozen=True, slots=True, eq=False)
    class Same:
        a: int = 1

    @dataclass(frozen=True, slots=True)
    class Empty:
        pass

    @dataclass(slots=True)
    class Own:
        a: int

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 5

        def __repr__(self) -> str:
            return "own"

    @dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        a: int = 0

    @dataclass(frozen=True)
    class Counted:
        a: int = 0
        kind: ClassVar[str] = "counted"

    @dataclass(frozen=True, slots=True)
    class Hashed:
        a: int = 1
        b: list[int] = field(default_factory=list, hash=False)

    found = locals().copy()
    del found["dataclass"]
    return found


OURS, THEIRS = shapes(record.dataclass), shapes(dataclasses.dataclass)
GIVEN: dict[str, list[dict[str, Any]]] = {
    "Value": [{"a": 1}, {"a": 1, "d": 2.0}, {"a": 2, "b": "c", "c": [1]}],
    "Checked": [{}, {"a": 4}],
    "Kept": [{"a": 1}, {"a": 1, "seen": {"x": 1}, "last": 4}],
    "Open": [{"a": 1.0}, {"a": nan}, {"a": nan, "b": 3}],
    "Loose": [{"a": 1}, {"a": 1, "b": (2,)}],
    "Same": [{}, {"a": 2}],
    "Empty": [{}],
    "Own": [{"a": 1}, {"a": 2}],
    "Ordered": [{}, {"a": 1}],
    "Counted": [{}, {"a": 1}],
    "Hashed": [{}, {"b": [1]}],
}


@record.dataclass(frozen=True, slots=True)
class PickledByName:
    a: int
    c: list[int] = field(default_factory=list)


def outcome(work: Callable[[], Any]) -> Any:
    """What it answers, or the kind of its refusal."""
    try:
        return work()
    except Exception as e:
        return type(e)


def told(one: Any) -> Any:
    return outcome(lambda: repr(one).replace("shapes.<locals>.", ""))


@pytest.mark.parametrize("name", GIVEN)
def test_objects_of_both_answer_the_same(name: str) -> None:
    ours = [OURS[name](**given) for given in GIVEN[name]]
    theirs = [THEIRS[name](**given) for given in GIVEN[name]]
    assert [told(one) for one in ours] == [told(one) for one in theirs]
    for pair in (ours, theirs):
        pair += [copy.copy(one) for one in pair] + [copy.deepcopy(one) for one in pair]
    assert [[a == b for a in ours] for b in ours] == [[a == b for a in theirs] for b in theirs]
    for a, b in zip(ours, theirs, strict=True):
        assert isinstance(outcome(lambda a=a: hash(a)), int) == isinstance(outcome(lambda b=b: hash(b)), int)
        assert (
            outcome(lambda a=a: dataclasses.asdict(a)) == outcome(lambda b=b: dataclasses.asdict(b)) or name == "Open"
        )
        assert hasattr(a, "__dict__") == hasattr(b, "__dict__")
        for work in (setattr, lambda one, attribute, _: delattr(one, attribute)):
            for attribute in ("a", "unknown"):
                got, wanted = (outcome(lambda o=o, w=work, x=attribute: w(o, x, 1)) for o in (a, b))
                # Theirs forgets its own class over an attribute that a slotted one has not: TypeError.
                assert got == wanted or (wanted is TypeError and got is FrozenInstanceError)


@pytest.mark.parametrize("name", GIVEN)
def test_classes_of_both_say_the_same_of_themselves(name: str) -> None:
    ours, theirs = OURS[name], THEIRS[name]
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs)).replace("<factory>", str(record._NOT_GIVEN))
    assert [(f.name, f.type, f.repr, f.compare) for f in dataclasses.fields(ours)] == [
        (f.name, f.type, f.repr, f.compare) for f in dataclasses.fields(theirs)
    ]
    assert ours.__match_args__ == theirs.__match_args__
    assert get_type_hints(ours.__init__) == get_type_hints(theirs.__init__)
    assert repr(ours.__dataclass_params__) == repr(theirs.__dataclass_params__)
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)
    with pytest.raises(TypeError, match=rf"{name}.__init__\(\)"):
        ours(unknown=1)


def test_equal_values_have_one_hash_and_a_copy_with_a_change_is_made_anew() -> None:
    one, same = OURS["Loose"](a=1, b=(2,)), OURS["Loose"](a=1, b=(2,))
    assert len({one, same}) == 1
    assert dataclasses.replace(one, b=(3,)).b == (3,)
    with pytest.raises(ValueError, match="-1"):
        dataclasses.replace(OURS["Checked"](), a=-1)


def test_a_value_survives_the_way_to_another_process() -> None:
    value = PickledByName(1, c=[1, 2])
    assert pickle.loads(pickle.dumps(value)) == value
    with pytest.raises(FrozenInstanceError):
        value.a = 2


def test_a_class_that_holds_itself_can_be_shown() -> None:
    one = OURS["Kept"](1)
    one.later, one.seen["self"] = 1, one
    assert "..." in repr(one)


def test_a_class_may_be_built_on_one_of_ours() -> None:
    @dataclasses.dataclass(frozen=True)
    class Standard(OURS["Loose"]):  # type: ignore[misc]
        c: int = 4

    @record.dataclass(frozen=True)
    class Ours(OURS["Loose"]):  # type: ignore[misc]
        c: int = 4

    assert (Standard(1).c, Ours(1, c=5).c) == (4, 5)
    assert [f.name for f in dataclasses.fields(Ours)] == ["a", "b", "c"]
