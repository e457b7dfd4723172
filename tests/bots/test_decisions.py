"""Counts per reason and day add up to the evaluations, and gates are told in order up to the one that refused."""

import json
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bots.decisions import DecisionLog
from bots.risk.guards import GUARDS
from shared.domain.signal import Allowed, Decision, Denied, Verdict
from tests.fakes import START, FakeClock

DAY = date(2026, 11, 20)
REASONS = ("no_entry", "warming_up", "no_exit", "no_step")


def decision(reason: str, verdict: Verdict = Verdict.HOLD) -> Decision:
    return Decision(1, 1, "AAPL", verdict, reason, START)


OUTCOMES = st.one_of(
    st.sampled_from([(decision(one), None) for one in REASONS]),
    st.sampled_from(["cash", "in_flight"]).map(lambda one: (decision("entry", Verdict.BUY), Denied(one, ""))),
    st.just((decision("entry", Verdict.BUY), Allowed(("fencing",)))),
)


@given(st.lists(st.tuples(OUTCOMES, st.booleans()), min_size=1, max_size=60), st.booleans())
def test_counts_add_up_to_the_evaluations(judged, next_day):
    clock = FakeClock()
    log = DecisionLog(clock)
    rows = ()
    for (one, outcome), duplicate in judged:
        clock.pass_s(61)
        rows = log.take(one, outcome, DAY) or rows
        if duplicate and isinstance(outcome, Allowed):
            clock.pass_s(61)
            rows = log.amend(one, Denied("duplicate_signal", ""), DAY) or rows
    counts = json.loads(rows[0].body)["counts"]
    assert sum(counts.values()) == len(judged)
    if next_day:
        clock.pass_s(61)
        [row, *_] = log.take(decision("no_entry"), None, DAY + timedelta(days=1))
        assert json.loads(row.body)["counts"] == {"no_entry": 1}


def test_gates_are_told_in_order_up_to_the_first_that_refused():
    log = DecisionLog(FakeClock())
    passed = tuple(one.__name__ for one in GUARDS[:3])
    [row, *_] = log.take(decision("entry", Verdict.BUY), Denied("session", "장 마감", passed), DAY)
    gates = json.loads(row.body)["gates"]
    assert [one["code"] for one in gates] == [*passed, "session"]
    assert [one["passed"] for one in gates] == [True, True, True, False]


def test_a_stop_that_sells_is_told_as_such_and_an_exit_by_rule_as_a_signal():
    log = DecisionLog(FakeClock())
    rows = log.take(decision("trailing_stop", Verdict.SELL), Allowed(()), DAY)
    assert [json.loads(row.body)["kind"] for row in rows if row.stream == "alerts"] == ["STOP_HIT"]
    rows = log.take(decision("exit", Verdict.SELL), Allowed(()), DAY)
    assert [json.loads(row.body)["kind"] for row in rows if row.stream == "alerts"] == ["SIGNAL"]


def test_what_was_blocked_is_told_by_reason_over_rules_and_symbols_and_begins_anew_with_the_day():
    clock = FakeClock()
    log = DecisionLog(clock)
    wants = [Decision(rule, 1, symbol, Verdict.BUY, "entry", START) for rule, symbol in ((1, "A"), (1, "B"), (2, "A"))]
    for one in wants:
        log.take(one, Denied("cash", ""), DAY)
    clock.pass_s(5)
    log.take(wants[0], Denied("cash", ""), DAY)
    log.take(decision("no_entry"), None, DAY)
    assert log.blocked() == {"cash": (4, 2, clock.wall_now().isoformat())}
    for one in wants:
        log.take(one, None, DAY + timedelta(days=1))
    assert log.blocked() == {}
