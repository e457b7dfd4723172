"""The life of an order."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import IllegalTransition
from shared.domain.order_state import OPEN, TERMINAL, TRANSITIONS, UNPROVEN, OrderEventKind, OrderStatus, next_status
from tests.domain.transitions import agreed, reached, told

S, E = OrderStatus, OrderEventKind
PAIRS = list(product(S, E))
FILLS = {E.FILL_PART, E.FILL_ALL}


# Written out a second time: a line that falls out of the table, or is slipped into it, is a change of what we promise.
TABLE = """
PENDING: SEND>SUBMITTED DENY>DENIED NOT_SENT>NOT_ACCEPTED
SUBMITTED: ACCEPT>ACCEPTED REJECT>REJECTED LOSE_ANSWER>UNKNOWN DENY>DENIED FILL_PART>PARTIAL FILL_ALL>FILLED
ACCEPTED: FILL_PART>PARTIAL FILL_ALL>FILLED CANCEL>CANCELED EXPIRE>EXPIRED GIVE_UP>NEEDS_OPERATOR REJECT>REJECTED
PARTIAL: ACCEPT>PARTIAL FILL_PART>PARTIAL FILL_ALL>FILLED CANCEL>CANCELED EXPIRE>EXPIRED
FILLED: ACCEPT>FILLED
CANCELED: FILL_PART>CANCELED FILL_ALL>FILLED
EXPIRED: FILL_PART>EXPIRED FILL_ALL>FILLED
UNKNOWN: ADOPT>ACCEPTED ACCEPT>ACCEPTED PROVE_ABSENT>NOT_ACCEPTED GIVE_UP>NEEDS_OPERATOR
NEEDS_OPERATOR: ADOPT>ACCEPTED PROVE_ABSENT>NOT_ACCEPTED
"""


def test_the_table_is_the_one_that_was_agreed_on() -> None:
    assert told(TRANSITIONS) == agreed(TABLE)


def test_every_pair_in_the_table_leads_where_it_says_and_every_other_raises() -> None:
    for status, event in PAIRS:
        if (status, event) in TRANSITIONS:
            assert next_status(status, event) is TRANSITIONS[status, event]
        else:
            with pytest.raises(IllegalTransition) as refused:
                next_status(status, event)
            assert status.value in refused.value.what
            assert refused.value.why
            assert refused.value.now


def test_every_status_is_either_before_sending_open_or_at_its_end() -> None:
    assert {S.PENDING} | OPEN | TERMINAL == set(S)
    assert not OPEN & TERMINAL
    assert UNPROVEN <= OPEN


@pytest.mark.parametrize("status", S)
def test_every_status_can_reach_an_end(status: OrderStatus) -> None:
    assert reached(TRANSITIONS, status) & TERMINAL


@pytest.mark.parametrize("status", sorted(set(S) - {S.PENDING}))
def test_every_status_can_be_reached_from_the_beginning(status: OrderStatus) -> None:
    assert status in reached(TRANSITIONS, S.PENDING)


def test_an_order_that_ended_never_becomes_open_again_and_only_a_late_fill_moves_it() -> None:
    for (before, event), after in TRANSITIONS.items():
        if before in TERMINAL:
            assert after in TERMINAL
            assert event in FILLS or after is before


def test_only_a_send_leaves_the_machine_and_only_a_pending_order_is_sent() -> None:
    assert [before for before, event in TRANSITIONS if event is E.SEND] == [S.PENDING]
    assert not any(after is S.PENDING for after in TRANSITIONS.values())


def test_a_lost_answer_is_unknown_and_only_proof_or_a_person_resolves_it() -> None:
    assert next_status(S.SUBMITTED, E.LOSE_ANSWER) is S.UNKNOWN
    leaving = {event for (before, event) in TRANSITIONS if before is S.UNKNOWN}
    assert leaving == {E.ADOPT, E.ACCEPT, E.PROVE_ABSENT, E.GIVE_UP}


@given(st.lists(st.sampled_from(E), max_size=40))
def test_a_filled_order_stays_filled_whatever_follows(events: list[OrderEventKind]) -> None:
    status, was_filled = S.PENDING, False
    for event in events:
        try:
            status = next_status(status, event)
        except IllegalTransition:
            continue
        was_filled = was_filled or status is S.FILLED
        assert not was_filled or status is S.FILLED
