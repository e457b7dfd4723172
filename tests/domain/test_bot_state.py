"""The life of an account's bot, and the kill switch levels."""

from itertools import product

import pytest

from shared.domain.bot_state import TRANSITIONS, BotEventKind, BotState, KillLevel, next_state
from shared.domain.errors import IllegalTransition
from tests.domain.transitions import agreed, reached, told

S, E = BotState, BotEventKind


# Written out a second time: a line that falls out of the table, or is slipped into it, is a change of what we promise.
TABLE = """
STARTING: RECOVER>RECOVERING BLOCK>BLOCKED STOP>STOPPED
RECOVERING: RECONCILED>READY DOUBT>EXITS_ONLY BLOCK>BLOCKED DRAIN>DRAINING
READY: RECONCILED>READY DOUBT>EXITS_ONLY BLOCK>BLOCKED DRAIN>DRAINING
EXITS_ONLY: RECONCILED>READY DOUBT>EXITS_ONLY BLOCK>BLOCKED DRAIN>DRAINING
BLOCKED: RECOVER>RECOVERING DRAIN>DRAINING STOP>STOPPED
DRAINING: STOP>STOPPED
"""


def test_the_table_is_the_one_that_was_agreed_on() -> None:
    assert told(TRANSITIONS) == agreed(TABLE)


def test_every_pair_in_the_table_leads_where_it_says_and_every_other_raises() -> None:
    for state, event in product(S, E):
        if (state, event) in TRANSITIONS:
            assert next_state(state, event) is TRANSITIONS[state, event]
        else:
            with pytest.raises(IllegalTransition, match=state.value):
                next_state(state, event)


@pytest.mark.parametrize("state", S)
def test_every_state_can_reach_stopped_and_stopped_is_the_only_end(state: BotState) -> None:
    assert S.STOPPED in reached(TRANSITIONS, state)
    assert any(before is state for before, _ in TRANSITIONS) is (state is not S.STOPPED)


def test_ready_is_reached_by_a_reconcile_only() -> None:
    assert {event for (_, event), after in TRANSITIONS.items() if after is S.READY} == {E.RECONCILED}


def test_a_blocked_bot_trades_again_only_after_recovering() -> None:
    after = {after for (before, _), after in TRANSITIONS.items() if before is S.BLOCKED}
    assert after == {S.RECOVERING, S.DRAINING, S.STOPPED}


def test_kill_levels_are_ordered_so_that_the_highest_counts() -> None:
    assert KillLevel.RUN < KillLevel.NO_NEW < KillLevel.REDUCE_ONLY < KillLevel.HALT
    assert max(KillLevel.NO_NEW, KillLevel.HALT, KillLevel.RUN) is KillLevel.HALT
