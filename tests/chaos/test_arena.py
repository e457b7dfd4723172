"""Every drill of the exchange against a real bot of every wire, and the referee's verdict on all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from brokers.paper.drills import DRILLS, Drill
from shared.store.commands import CommandKind
from tests.bots.stage import Stage, open_stage
from tests.chaos.arena import US, Flavour, Player, enter, referee

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("chaos")]

# Drills that are over by themselves and whose trouble is an order's, a list's or a notice's.
ON_ORDERS = tuple(
    one.name
    for one in DRILLS
    if one.faults and one.name not in ("key-refused", "stream-half-open", "server-clock-off", "stream-silent")
)


def named(name: str) -> Drill:
    return next(one for one in DRILLS if one.name == name)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = open_stage(tmp_path_factory.mktemp("arena"))
    yield opened
    opened.close()


def through(player: Player, drill: Drill) -> None:
    """Start the drill for this account, then buy, sell and cancel through it until everything is settled."""
    for fault in drill.faults:
        match = {**fault["match"], "account": player.exchange_number}
        if "tr" not in match or match.get("channel") == "ws":
            match.pop("account" if match.get("channel") == "ws" else "", None)
        player.stage.admin("POST", "/faults", json={**fault, "match": match})
    player.done(player.order("BUY"))
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
        through(player, named(name))
    player.stop()
    verdict = referee(stage, [player])
    assert not verdict["wrong"]
    for invariant in ("I1", "I2", "I5", "I7", "I12"):
        assert verdict["looked"][invariant] > 0


def test_the_shortest_drills_leave_no_order_doubled_lost_or_in_silence(stage: Stage) -> None:
    drilled(stage, US, ON_ORDERS, 11)
