"""Every code of ls.md §6 is a row; what a row proves decides what an order becomes."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from brokers.codes import CodeRow, Outcome
from brokers.http import Answer
from brokers.ls import codec, tr
from brokers.ls.codes import ROWS, UNLISTED
from shared.domain.errors import BrokerError, BrokerUnavailable, OutcomeUnknown, Refused

NOW = datetime(2026, 3, 10, 1, 43, 30, tzinfo=UTC)
# ls.md §6.2, §6.4 bold (seen live on REST or in an official sample), §6.4 of the older API.
GATEWAY = (
    "IGW00103 IGW00105 IGW00133 IGW00121 IGW00123 IGW00205 IGW00201 IGW00214 IGW00215 IGW40010 IGW40011 IGW40013 "
    "IGW40014 IGW50008 IGW00000"
)
SEEN = "01401 01407 01425 01427 01442 01458 01491 01715 01900 02611 02752 03181 904 405 80001"
INFERRED = (
    "01433 03180 01219 01221 01222 01584 01264 02714 02705 02706 01065 01589 01604 01069 01072 01590 01832 01586 01612 "
    "01149 01150 01151 01152 01153 01154 03570 01888 01891 01892 01890 01893 01580 01581 01582 01606 01983 02030 04389 "
    "04390 04391 04392 04393 04394 04395 02031 02257 02258 02259 02263 02265 02453 01081 02662 03563 03589 03590 03561 "
    "03564 03688 03689 04386 01389 02046 02098 03076 04055 04056 04057 04058 04059 04060 04061 04062"
)


def raised(code: str, name: str, order: bool, status: int = 200) -> BrokerError:
    body = {"rsp_cd": code, "rsp_msg": "LS의 말"}
    answer = Answer(name, status, httpx.Headers(), json.dumps(body).encode(), NOW)
    with pytest.raises(BrokerError) as caught:
        codec.judge(answer, order)
    return caught.value


def test_every_documented_code_has_its_row_and_no_other_stands_there() -> None:
    assert set(ROWS) == set(f"{GATEWAY} {SEEN} {INFERRED}".split())


def test_only_what_was_seen_on_rest_proves_a_refusal() -> None:
    assert {code for code, row in ROWS.items() if row.outcome is Outcome.REFUSED} == {*SEEN.split(), tr.NEVER_EXECUTED}


@pytest.mark.parametrize("row", [*ROWS.values(), UNLISTED], ids=lambda row: row.code)
def test_a_row_tells_what_why_and_now_in_both_languages(row: CodeRow) -> None:
    assert len(row.ko) == len(row.en) == 3
    for korean, english in zip(row.ko, row.en, strict=True):
        assert any("가" <= letter <= "힣" for letter in korean)
        assert english.isascii() and english.strip()


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.code)
def test_an_order_is_refused_by_a_proven_code_and_unknown_by_any_other(row: CodeRow) -> None:
    error = raised(row.code, "CSPAT00601", True)
    assert isinstance(error, Refused if row.outcome is Outcome.REFUSED else OutcomeUnknown)
    assert row.ko[0] in error.message and "LS의 말" in error.message and row.ko[2] in error.now


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.code)
def test_a_read_raises_the_error_of_the_row(row: CodeRow) -> None:
    error = raised(row.code, "t0425", False, 500 if row.code.startswith("IGW") else 200)
    assert type(error) is (row.error or BrokerUnavailable)
    assert error.broker_code == row.code


def test_an_unlisted_code_keeps_its_number_and_the_brokers_text() -> None:
    error = raised("77777", "CSPAT00601", True)
    assert isinstance(error, OutcomeUnknown)
    assert error.broker_code == "77777" and "LS의 말" in error.message
