"""Every code that KIS documents is a row that a person can read, and an order's outcome follows from it alone."""

import json

import httpx
import pytest

from brokers.http import Answer
from brokers.kis.codec import judge
from brokers.kis.codes import AWAY, CODES, REFUSALS, RETRY_AFTER_S, Meaning, Outcome, explained
from shared.domain.errors import BrokerError, BrokerUnavailable, OutcomeUnknown, RateLimited, Refused
from tests.fakes import START


def numbered(first: str, last: int) -> list[str]:
    prefix = first.rstrip("0123456789")
    width = len(first) - len(prefix)
    return [f"{prefix}{number:0{width}d}" for number in range(int(first[len(prefix) :]), last + 1)]


# kis.md §6.3 and what follows it, §6.4
DOCUMENTED = [
    *["EGW00001", "EGW00002", "EGW00003", "EGW00004", "EGW00101", "EGW00102", "EGW00103", "EGW00104", "EGW00105"],
    *numbered("EGW00106", 120),
    *[
        "EGW00121",
        "EGW00122",
        "EGW00123",
        "EGW00131",
        "EGW00132",
        "EGW00133",
        "EGW00201",
        "EGW00202",
        "EGW00203",
        "EGW00205",
        "EGW00206",
    ],
    *["EGW00207", "EGW00215", "EGW00300", "EGW00301", "EGW00302", "EGW00310", "EGW02004", "EGW02006"],
    *["OPSQ0002", "OPSQ2000", "OPSQ2001", "OPSQ2002", "OPSQ1002"],
    *numbered("OPSQ9995", 9999),
    *["MCA00124", "MCA05918", "IGW00002", "IGW00007", "IGW00009", "IGW00027"],
    *["APBK0952", "APBK0400", "APBK1234", "APBK0918", "APBK0919", "APBK1664", "APBK0656", "APAC0489"],
    *[
        "40570000",
        "40580000",
        "40100000",
        "APAM3099",
        "40070000",
        "40030000",
        "40250000",
        "40310000",
        "40910000",
        "90020000",
        "70070000",
    ],
]
STREAM = [
    *[
        "OPSP0002",
        "OPSP0003",
        "OPSP0007",
        "OPSP0008",
        "OPSP0009",
        "OPSP0010",
        "OPSP0011",
        "OPSP8991",
        "OPSP8992",
        "OPSP8993",
        "OPSP8994",
    ],
    *[
        "OPSP8995",
        "OPSP8996",
        "OPSP8997",
        "OPSP8998",
        "OPSP8999",
        "OPSP9990",
        "OPSP9991",
        "OPSP9992",
        "OPSP9993",
        "OPSP9994",
        "OPSP9996",
    ],
    *["OPSP9997", "OPSP9998", "OPSP9999"],
]
UNPROVEN = {
    *[
        "EGW00001",
        "EGW00002",
        "EGW00202",
        "EGW00203",
        "EGW00300",
        "EGW00301",
        "EGW00302",
        "OPSQ1002",
        "IGW00009",
        "IGW00027",
    ],
    *["90020000", "70070000", "40310000", "APBK0344", "APBK0963"],
    *STREAM,
}


def answered(code: str, status: int = 200) -> Answer:
    content = json.dumps({"rt_cd": "1", "msg_cd": code, "msg1": "증권사 말  "}).encode()
    return Answer("TTTT1002U", status, httpx.Headers(), content, START)


@pytest.mark.parametrize("code", [*DOCUMENTED, *STREAM])
def test_every_documented_code_has_a_row(code: str) -> None:
    assert code in CODES


@pytest.mark.parametrize("meaning", CODES.values(), ids=lambda meaning: meaning.code)
def test_a_row_says_what_why_and_now_in_two_languages(meaning: Meaning) -> None:
    for korean, english in (meaning.what, meaning.why, meaning.now):
        assert any("가" <= letter <= "힣" for letter in korean)
        assert english and english.isascii()


@pytest.mark.parametrize("meaning", CODES.values(), ids=lambda meaning: meaning.code)
def test_an_order_is_what_its_code_proves(meaning: Meaning) -> None:
    with pytest.raises(BrokerError) as raised:
        judge(answered(meaning.code), True)
    error = raised.value
    assert isinstance(error, OutcomeUnknown) is (meaning.outcome is Outcome.UNKNOWN)
    assert isinstance(error, Refused) is (meaning.outcome is not Outcome.UNKNOWN)
    assert meaning.what[0] in str(error) and meaning.what[1] in str(error) and "증권사 말" in str(error)
    assert error.now == f"{meaning.now[0]} / {meaning.now[1]}"


def test_only_what_is_written_down_here_is_unproven() -> None:
    assert {code for code, meaning in CODES.items() if meaning.outcome is Outcome.UNKNOWN} == UNPROVEN
    assert not UNPROVEN & set(REFUSALS)


def test_no_code_is_both_a_refusal_and_away() -> None:
    assert not set(REFUSALS) & AWAY
    assert {code for code, error in REFUSALS.items() if error is RateLimited} == set(RETRY_AFTER_S)
    assert set(AWAY) - {""} == {code for code, meaning in CODES.items() if meaning.error is BrokerUnavailable}


def test_an_unlisted_code_keeps_the_brokers_own_words() -> None:
    assert explained("APBK7777", "그런 주문은 안 됩니다") == ("그런 주문은 안 됩니다", "")
    with pytest.raises(OutcomeUnknown, match="증권사 말"):
        judge(answered("APBK7777"), True)
