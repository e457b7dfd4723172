"""The whole run falls into pieces that leave nothing out, and its page tells what was not taken."""

from __future__ import annotations

import ast
from random import Random

import pytest

from tests.chaos import mutants
from tests.chaos.arena import FLAVOURS
from tests.chaos.faults import ROOT
from tests.chaos.pieces import INTENTS, PIECES, THIRDS, Found
from tests.chaos.scoreboard import NOT_TAKEN, Brought, lines
from tests.chaos.test_arena import PARTS
from tests.chaos.test_kill_matrix import CASES


def test_every_kill_and_every_drill_is_in_one_piece() -> None:
    names = [piece.name for piece in PIECES]
    assert len(names) == len(set(names))
    killed = [f"kills-{flavour.name}-{side}" for flavour, _, side in CASES]
    assert {name for name in names if name.startswith("kills-")} == set(killed)
    drilled = {f"drills-{flavour.name}-{part}" for flavour in FLAVOURS for part in range(PARTS)}
    assert {name for name in names if name.startswith("drills-")} == drilled


def test_the_soak_of_all_pieces_is_two_hundred_seeds_once_each() -> None:
    seeds = [piece.seeds for piece in PIECES if piece.seeds is not None]
    assert [one for first, last in seeds for one in range(first, last + 1)] == list(range(1, 201))
    assert INTENTS >= 500


def test_every_mutant_of_the_sample_is_in_one_piece() -> None:
    parts = [piece.mutants for piece in PIECES if piece.mutants is not None]
    assert parts == list(range(THIRDS))


def test_what_a_piece_runs_is_there() -> None:
    for piece in PIECES:
        for one in piece.tests:
            assert not one.startswith("tests/") or (ROOT / one.partition("::")[0]).is_file(), one


def test_a_figure_that_was_not_taken_says_so_and_a_failure_is_named() -> None:
    told = {line.name: line.measured for line in lines(Brought({}))}
    assert list(told.values()).count(NOT_TAKEN) == len(told) - 2  # the catalogue counts itself, one line has two halves
    broken = Found(
        "kills-LS-US-BUY", "-", "-", 1.0, 1.0, failed=("a_kill[x]",), figures={"kill violations": [0.0, 1.0]}
    )
    told = {line.name: line.measured for line in lines(Brought({broken.name: broken}))}
    assert told["kill -9 points × flavours, violations"] == "1 in 2 kills; failed: a_kill[x]"


@pytest.mark.parametrize("file", mutants.TARGETS)
def test_a_change_is_another_program_and_the_same_each_time(file: str) -> None:
    every = mutants.mutants(file)
    assert every == mutants.mutants(file)
    plain = ast.unparse(ast.parse((ROOT / file).read_text(encoding="utf-8"))) + "\n"
    for one in Random(1).sample(every, 3):
        assert mutants.changed(one) != plain
