"""The table fault → test → invariant is whole, its tests exist, and docs/scoreboard.md shows it as it is."""

from __future__ import annotations

import pytest

from tests.chaos.faults import CATALOGUE, INVARIANTS, OPEN, ROOT, FaultRow, as_markdown, exists, table

OPEN_IDS: set[str] = set()  # known not to be built; whoever builds one takes it out here


def test_every_fault_of_the_catalogue_has_its_row_once() -> None:
    ids = [row.id for row in table()]
    assert sorted(ids) == sorted(set(ids))
    assert set(ids) >= set(CATALOGUE)


@pytest.mark.parametrize("row", table(), ids=lambda row: row.id)
def test_every_fault_names_tests_that_exist_and_invariants_that_are_known(row: FaultRow) -> None:
    assert (row.tests == (OPEN,)) == (row.id in OPEN_IDS), "an id without a test"
    assert [one for one in row.tests if one != OPEN and not exists(one)] == []
    assert row.invariants
    assert set(row.invariants) <= set(INVARIANTS)


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert not exists("tests/chaos/test_faults.py::test_of_nothing")
    assert not exists("tests/chaos/no_such_file.py::test_a")


def test_the_published_table_is_the_data() -> None:
    text = (ROOT / "docs" / "scoreboard.md").read_text(encoding="utf-8")
    missing = [line for line in as_markdown() if line not in text]
    assert not missing, "python -m tests.chaos --table writes it anew"


def test_every_invariant_says_where_it_is_judged() -> None:
    assert list(INVARIANTS) == [f"I{number}" for number in range(1, 23)]
    for where in INVARIANTS.values():
        for word in where.replace(",", " ").replace(";", " ").split():
            assert not word.startswith("tests/") or (ROOT / word).is_file(), word
