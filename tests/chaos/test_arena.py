"""Every drill of the exchange against a real bot of every wire, and the referee's verdict on all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from brokers.paper.drills import DRILLS, Drill
from shared.store.commands import CommandKind
from tests.bots.stage import Stage, open_stage
from tests.chaos.arena import FLAVOURS, US, Flavour, Player, enter, referee
from tests.chaos.record import record

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("chaos")]

# Those that end by themselves; silence and clocks have tests of their own, a refused key is a start's matter.
ELSEWHERE = ("key-refused", "stream-half-open", "server-clock-off", "stream-silent")
ENDING = tuple(one.name for one in DRILLS if one.faults and one.name not in ELSEWHERE)
BY_HAND = ("same-order-number",)  # a number that no list knows is a person's matter
PARTS = 3  # of the drills, by turns: each part is a piece of minutes
SHORT = (
    "order-answer-lost", "order-reset", "token-expired", "balance-is-html", "order-answer-cut",
    "cancel-too-late", "notice-twice", "fill-missed", "notice-unreadable", "reconnect-storm",
)  # fmt: skip


def named(name: str) -> Drill:
    return next(one for one in DRILLS if one.name == name)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = open_stage(tmp_path_factory.mktemp("arena"))
    yield opened
    opened.close()


def through(player: Player, drill: Drill) -> None:
    """Start the drill for this account, then buy, rest and cancel through it until everything is settled."""
    for fault in drill.faults:
        match = dict(fault["match"])
        if match["channel"] == "rest":
            match["account"] = player.exchange_number
        player.stage.admin("POST", "/faults", json={**fault, "match": match})
    player.done(player.order("BUY"))
    if drill.name in BY_HAND and player.flavour.broker == "KIS":
        player.adopt_by_hand()
    player.settle(drill.name)
    player.done(player.order("BUY", price=player.flavour.resting))
    for order in player.orders():
        if order.status == "ACCEPTED":
            player.done(player.ask(CommandKind.CANCEL_ORDER, client_order_id=order.client_order_id))
    player.settle(drill.name)
    player.stage.admin("DELETE", "/faults")


def drilled(stage: Stage, flavour: Flavour, names: tuple[str, ...], number: int) -> None:
    player = enter(stage, flavour, number)
    player.start()
    for name in names:
        started = time.monotonic()
        through(player, named(name))
        print(f"{flavour.name} {name} {time.monotonic() - started:.1f} s")
    player.stop()
    verdict = referee(stage, [player])
    assert not verdict["wrong"]
    for invariant in ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I10", "I12", "I15"):
        assert verdict["looked"][invariant] > 0, f"{invariant} was not looked at"
        record(f"looked {invariant}", verdict["looked"][invariant])
    record("drills survived", len(names))


def test_no_drill_doubles_loses_or_silences_an_order(stage: Stage) -> None:
    drilled(stage, US, SHORT, 11)


@pytest.mark.soak
@pytest.mark.timeout(520)  # a drill that proves an order absent takes a minute
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda one: one.name)
def test_no_drill_does_so_on_any_wire(stage: Stage, flavour: Flavour, part: int) -> None:
    drilled(stage, flavour, ENDING[part::PARTS], 21 + PARTS * FLAVOURS.index(flavour) + part)
