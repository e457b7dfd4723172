"""Blocks carry every documented key, typed as the document says; requests are checked as the gateway does."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.ls_wire.blocks import BLOCKS, block, read_in_block
from brokers.paper.ls_wire.refusals import Refusal
from tests.brokers.ls.documented import REQUESTS, RESPONSES

DOCUMENTED = [
    (name, value[0] if isinstance(value, list) else value)
    for body in RESPONSES.values()
    for name, value in body.items()
    if "OutBlock" in name and value
]


@pytest.mark.parametrize(("name", "example"), DOCUMENTED, ids=[name for name, _ in DOCUMENTED])
def test_a_block_has_the_documented_keys_with_the_documented_json_kinds(name: str, example: dict[str, Any]) -> None:
    ours = block(name)
    for key, value in example.items():
        if key != "…":  # the document abridges its rejected sample
            assert type(ours[key]) is type(value), key


@pytest.mark.parametrize(("name", "example"), DOCUMENTED, ids=[name for name, _ in DOCUMENTED])
def test_the_documented_values_survive_our_writing_of_them(name: str, example: dict[str, Any]) -> None:
    given_values = {key: value for key, value in example.items() if key != "…"}
    written = block(name, **given_values)
    # The commission rate is documented with five decimals; every other number comes back as it was.
    assert {key: written[key] for key in given_values} == given_values


@pytest.mark.parametrize("tr", sorted(REQUESTS))
def test_every_documented_request_is_read(tr: str) -> None:
    asked = read_in_block(tr, json.dumps(REQUESTS[tr]).encode())
    (fields,) = REQUESTS[tr].values()
    for name, value in fields.items():
        assert asked.values[name] == value or asked.text(name) == str(value)


@pytest.mark.parametrize("tr", sorted(REQUESTS))
def test_a_quoted_number_is_never_executed(tr: str) -> None:
    ((name, fields),) = REQUESTS[tr].items()
    for field, value in fields.items():
        if isinstance(value, str):
            continue
        for wrong in (str(value), None, True):
            with pytest.raises(Refusal) as refused:
                read_in_block(tr, json.dumps({name: {**fields, field: wrong}}).encode())
            assert (refused.value.code, refused.value.status) == ("IGW40011", 500)


def test_text_longer_than_the_field_is_never_executed() -> None:
    with pytest.raises(Refusal) as refused:
        read_in_block("t1101", b'{"t1101InBlock": {"shcode": "A005930"}}')
    assert refused.value.code == "IGW40011"


def test_an_unknown_key_of_ours_is_a_bug() -> None:
    with pytest.raises(KeyError):
        block("t1101OutBlock", nosuch=1)


@given(st.decimals(min_value=-(10**6), max_value=10**6, allow_nan=False, places=4))
def test_decimals_are_text_with_the_documented_places(value: Decimal) -> None:
    text = block("t1102OutBlock", diff=value)["diff"]
    assert isinstance(text, str)
    assert len(text.partition(".")[2]) == 2
    assert abs(Decimal(text) - value) <= Decimal("0.005")


def test_no_block_names_a_key_twice() -> None:
    for name, fields in BLOCKS.items():
        names = [field.name for field in fields]
        assert len(names) == len(set(names)), name
