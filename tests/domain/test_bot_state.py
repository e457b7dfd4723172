"""The life of an account's bot, and the kill switch levels."""

from itertools import product

import pytest

from shared.domain.bot_state import TRANSITIONS, BotEventKind, BotState, KillLevel, next_state
from shared.domain.errors import IllegalTransition

S, E = BotState, BotEventKind


def test_every_pair_in_the_table_leads_where_it_says_and_every_other_raises() -> None:
    for state, event in product(S, E):
        if (state, event) in TRANSITIONS:
            assert next_state(state, event) is TRANSITIONS[state, event]
        else:
            with pytest.raises(IllegalTransition, match=state.value):
                next_state(state, event)


@pytest.mark.parametrize("state", S)
def test_every_state_can_reach_stopped_and_stopped_is_the_only_end(state: BotState) -> None:
    seen, frontier = {state}, {state}
    while frontier:
        frontier = {after for (before, _), after in TRANSITIONS.items() if before in frontier} - seen
        seen |= frontier
    assert S.STOPPED in seen
    assert any(before is state for before, _ in TRANSITIONS) is (state is not S.STOPPED)


def test_ready_is_reached_by_a_reconcile_only() -> None:
    assert {event for (_, event), after in TRANSITIONS.items() if after is S.READY} == {E.RECONCILED}


def test_a_blocked_bot_trades_again_only_after_recovering() -> None:
    after = {after for (before, _), after in TRANSITIONS.items() if before is S.BLOCKED}
    assert after == {S.RECOVERING, S.DRAINING, S.STOPPED}


def test_kill_levels_are_ordered_so_that_the_highest_counts() -> None:
    assert KillLevel.RUN < KillLevel.NO_NEW < KillLevel.REDUCE_ONLY < KillLevel.HALT
    assert max(KillLevel.NO_NEW, KillLevel.HALT, KillLevel.RUN) is KillLevel.HALT
