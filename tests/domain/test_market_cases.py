"""The questions of `market check`: every known answer, and what a bad file is told."""

from pathlib import Path

import pytest

from shared.calendars import load
from shared.calendars.cases import check_file, same
from shared.domain.errors import ConfigError

CASES = Path(__file__).with_name("market_cases.csv")
HEADER = "market,instant_utc,query,expected"


def write(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "cases.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_every_known_case_is_answered_as_expected() -> None:
    report = check_file(CASES, load())
    assert report.cases == 78
    assert report.wrong == ()
    assert report.malformed is None


@pytest.mark.parametrize(
    "row",
    [
        "US,2026-03-02T16:00:00Z,lot price=300,40",
        "US,2026-03-02T16:00:00Z,limits base=100,none",
        "US,2026-07-03T16:00:00Z,regular_hours_local,CLOSED",
        "US,2026-11-27T16:00:00Z,regular_hours_local,09:30-13:00",
        "NXT,2026-09-15T02:00:00Z,regular_hours_local,09:00:30-15:20",
        "US,2026-03-02T16:00:00Z,finra_taf_usd sell_qty=1000000,9.79",
        "KRX,2024-08-01T02:00:00Z,limits type=etf leverage=2 base=10000,4000..16000",
        "KRX,2026-03-10T02:00:00Z,sell_tax_split board=KOSDAQ,0.20+0.00",
        "KRX,2026-09-14T23:35:00Z,order_ok broker=KIS venue=KRX ord_dvsn=05 type=stock,accept",
        "KRX,2026-09-15T06:35:00Z,order_ok broker=KIS venue=KRX ord_dvsn=06 type=stock,accept",
        "KRX,2026-09-15T07:05:00Z,order_ok broker=KIS venue=KRX ord_dvsn=41 type=etf,reject",
        "KRX,2026-09-15T07:05:00Z,order_ok broker=KIS venue=KRX ord_dvsn=00 type=stock,reject",
        "KRX,2026-09-14T23:10:00Z,order_ok broker=KIS venue=SOR ord_dvsn=00 type=stock,accept",
        "KRX,2026-09-15T02:00:00Z,order_ok broker=KIS venue=SOR ord_dvsn=21 type=stock,reject",
        "NXT,2026-09-15T02:00:00Z,order_ok broker=KIS venue=NXT ord_dvsn=01 type=stock,reject",
        "KRX,2026-09-15T02:00:00Z,order_ok broker=LS OrdprcPtnCode=03 OrdCndiTpCode=1,accept",
        "KRX,2026-09-15T06:25:00Z,order_ok broker=LS OrdprcPtnCode=05,reject",
        "US,2026-09-15T15:00:00Z,order_ok broker=KIS side=sell ord_dvsn=33,accept",
        "US,2026-09-15T15:00:00Z,order_ok broker=KIS side=buy ord_dvsn=34,accept",
        "US,2026-09-15T19:41:00Z,order_ok broker=KIS side=buy ord_dvsn=34,reject",
        "US,2026-11-27T17:41:00Z,order_ok broker=KIS side=buy ord_dvsn=34,reject",
        "US,2026-09-15T12:00:00Z,order_ok broker=KIS side=sell ord_dvsn=31,accept",
        "US,2026-09-15T15:00:00Z,order_ok broker=LS side=sell OrdprcPtnCode=03,accept",
        "US,2026-09-15T03:00:00Z,order_ok broker=KIS side=buy ord_dvsn=34,reject",
        "US,2026-09-15T03:00:00Z,order_ok broker=KIS side=buy ord_dvsn=00,accept",
        "KIS-US,2026-07-14T22:30:00Z,session ext=Y,AFTER",
    ],
)
def test_other_questions_of_the_same_grammar_are_answered(tmp_path: Path, row: str) -> None:
    assert check_file(write(tmp_path, row), load()).wrong == ()


def test_a_wrong_expectation_is_reported_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "KRX,2026-09-15T02:00:00Z,session,CONTINUOUS", "KRX,2026-09-15T02:00:00Z,session,BREAK")
    report = check_file(path, load())
    assert report.cases == 2
    assert [(case.row, case.expected, case.got) for case in report.wrong] == [(3, "BREAK", "CONTINUOUS")]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("KRX,2026-09-15T02:00:00Z,session", "expected market,"),
        ("XKRX,2026-09-15T02:00:00Z,session,CLOSED", "'XKRX'"),
        ("KRX,2026-09-15T02:00:00,session,CLOSED", "no time zone"),
        ("KRX,yesterday,session,CLOSED", "yesterday"),
        ("KRX,2026-09-15T02:00:00Z,weather,CLOSED", "'weather'"),
        ("KRX,2026-09-15T02:00:00Z,tick,5", "needs price="),
        ("KRX,2026-09-15T02:00:00Z,tick price=abc,5", "price=abc"),
        ("KRX,2026-09-15T02:00:00Z,tick price=0,5", "positive"),
        ("KRX,2026-09-15T02:00:00Z,tick price=100 boart=KOSDAQ,5", "boart"),
        ("KRX,2026-09-15T02:00:00Z,tick price=100 board=NYSE,5", "board=NYSE"),
        ("KRX,2026-09-15T02:00:00Z,tick price,5", "key=value"),
        ("KRX,2026-09-15T02:00:00Z,sell_tax_pct board=XYZ,0.2", "board=XYZ"),
        ("KRX,2031-09-15T02:00:00Z,session,CLOSED", "2031-09-15"),
        ("US,0001-01-01T00:00:00Z,session,CLOSED", "out of range"),
        ("KR-TAX,2026-09-15T02:00:00Z,session,CLOSED", "KR-TAX"),
        ("KRX,2026-09-15T02:00:00Z,,CLOSED", "empty"),
    ],
)
def test_a_malformed_row_is_named_by_its_line_and_the_others_are_still_answered(
    tmp_path: Path, row: str, named: str
) -> None:
    path = write(tmp_path, "KRX,2026-09-15T02:00:00Z,session,CONTINUOUS", row)
    report = check_file(path, load())
    assert report.malformed is not None
    assert "line 3" in report.malformed.what
    assert named in report.malformed.why
    assert [case.row for case in report.wrong] == [3]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", HEADER.encode() + b'\nKRX,"open\n'])
def test_a_file_that_is_no_list_of_cases_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"odd\.csv"):
        check_file(path, load())


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.csv"):
        check_file(tmp_path / "none.csv", load())


def test_numbers_are_compared_as_numbers_and_text_as_text() -> None:
    assert same("0.20", "0.2")
    assert not same("0.20", "0.21")
    assert not same("PRE", "pre")
