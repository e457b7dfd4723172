"""The short cut of the soak that every test run makes; `make chaos` runs the whole (reliability.md §8)."""

from __future__ import annotations

import pytest

from tests.chaos.soak import figures, soak, soak_seed

SEEDS, INTENTS = 24, 100


def test_no_order_is_doubled_lost_or_left_in_silence_over_many_seeds() -> None:
    tallies = soak(list(range(1, SEEDS + 1)), INTENTS)
    found = [one for tally in tallies for one in tally.violations]
    assert not found, f"{found}; again: python -m tests.chaos.soak --seed N --intents {INTENTS}"
    counts = figures(tallies)
    assert counts["intents"] == SEEDS * INTENTS
    for happened in ("lost answers", "kills", "NOT_ACCEPTED", "manual orders", "blocked by a freeze", "sessions"):
        assert counts[happened] > 0, f"the soak brought no {happened}: it proves nothing"


@pytest.mark.parametrize("seed", [3, 17])
def test_the_same_seed_is_the_same_run(seed: int) -> None:
    assert soak_seed(seed, 60).counts == soak_seed(seed, 60).counts
