"""What fleet does, decided from rows and program states alone."""

from bots.fleet import Step, Wish, plan
from bots.supervision import Program
from bots.watchdog import LOOP_EXITS, LOOP_WINDOW_S, ExitCounter


def wish(*, enabled: bool = True, generation: int = 1, health: str = "READY") -> Wish:
    return Wish(1, "US", enabled, generation, health)


def program(state: str, started_at: int = 100, name: str = "bot-1") -> dict[str, Program]:
    return {name: Program(name, state, 0, started_at, 0, "")}


def test_an_enabled_account_without_a_program_is_started() -> None:
    assert plan([wish()], {}, {}) == [Step(1, "start", 1)]


def test_a_running_bot_is_left_alone() -> None:
    assert plan([wish()], program("RUNNING"), {1: 1}) == []


def test_a_dead_bot_is_left_to_supervisord() -> None:
    for state in ("BACKOFF", "EXITED", "STARTING"):
        assert plan([wish()], program(state), {1: 1}) == []


def test_a_bot_stopped_by_hand_is_held_once_and_not_started_again() -> None:
    assert plan([wish()], program("STOPPED"), {1: 1}) == [Step(1, "hold", 1)]
    assert plan([wish(health="HELD")], program("STOPPED"), {1: 1}) == []


def test_a_hold_survives_a_restart_of_the_desk() -> None:
    assert plan([wish(health="HELD")], program("STOPPED", started_at=0), {1: 1}) == []


def test_after_a_restart_of_the_desk_enabled_bots_start() -> None:
    assert plan([wish(health="STOPPED")], program("STOPPED", started_at=0), {1: 1}) == [Step(1, "start", 1)]


def test_a_person_pressing_start_ends_a_hold_and_a_parking() -> None:
    for health in ("HELD", "PARKED", "FATAL"):
        assert plan([wish(health=health, generation=2)], program("STOPPED"), {1: 1}) == [Step(1, "start", 2)]


def test_a_parked_bot_stays_down() -> None:
    assert plan([wish(health="PARKED")], program("STOPPED"), {1: 1}) == []
    assert plan([wish(health="FATAL")], program("FATAL"), {1: 1}) == []


def test_a_disabled_or_vanished_account_loses_its_program() -> None:
    assert plan([wish(enabled=False, generation=2)], program("RUNNING"), {1: 1}) == [Step(1, "stop", 2)]
    assert plan([], program("RUNNING", name="bot-9"), {}) == [Step(9, "stop", 0)]


def test_other_programs_are_nobodys_bots() -> None:
    assert plan([], program("RUNNING", name="console"), {}) == []


def test_five_exits_in_ten_minutes_are_a_loop_and_slower_ones_are_not() -> None:
    counter = ExitCounter()
    assert [counter.add(1, float(second)) for second in range(LOOP_EXITS)] == [False] * (LOOP_EXITS - 1) + [True]
    slow = ExitCounter()
    assert not any(slow.add(1, turn * LOOP_WINDOW_S / 3) for turn in range(20))
