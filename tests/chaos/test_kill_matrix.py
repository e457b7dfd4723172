"""kill -9 at every failpoint, on every wire, buying and selling, with the referee's verdict and the time to READY.

KIS-US buys are killed in every test run (tests/bots/test_kill_nine.py); this is the whole matrix of `make chaos`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from bots.failpoints import FAILPOINTS
from shared.store.commands import CommandKind
from tests.bots.stage import Stage, open_stage, wait_until
from tests.chaos.arena import FLAVOURS, Flavour, Player, enter, referee
from tests.chaos.record import record

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.xdist_group("chaos")]

CANCELS = ("before_cancel_write", "during_cancel", "after_cancel_reply", "during_cancel_all")
AMENDS = ("before_amend_write", "during_amend", "after_amend_reply")
ARRIVES_AS = {"during_cancel": "CANCEL", "during_amend": "AMEND"}  # in the exchange's ledger
SIDES = {name: ("CHANGE",) if name in (*CANCELS, *AMENDS) else ("BUY", "SELL") for name in FAILPOINTS}
CASES = [(flavour, name, side) for flavour in FLAVOURS for name in FAILPOINTS for side in SIDES[name]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = open_stage(tmp_path_factory.mktemp("matrix"))
    yield opened
    opened.close()


def provoke(player: Player, name: str, side: str) -> None:
    """Make the armed bot come by its failpoint."""
    flavour = player.flavour
    if name in (*CANCELS, *AMENDS):
        order = player.rest()
        player.fault("hang", flavour.change_trs, seconds=3, accept=True)
        if name == "during_cancel_all":
            player.ask(CommandKind.CANCEL_ALL)
        elif name in CANCELS:
            player.ask(CommandKind.CANCEL_ORDER, client_order_id=order)
        else:
            if name != "during_amend":
                player.stage.admin("DELETE", "/faults")
            player.ask(CommandKind.AMEND_ORDER, client_order_id=order, quantity=2, price=flavour.amended)
        return
    tr = flavour.buy_tr if side == "BUY" else flavour.sell_tr
    if name == "after_socket_write":
        player.fault("hang", tr, seconds=3, accept=True)
    if name == "after_resolver_query":
        player.fault("drop_after_accept", tr)
    player.order(side)


@pytest.mark.parametrize(("flavour", "name", "side"), CASES, ids=lambda one: getattr(one, "name", one))
def test_a_kill_anywhere_on_any_wire(stage: Stage, flavour: Flavour, name: str, side: str) -> None:
    player = enter(stage, flavour, 100 + CASES.index((flavour, name, side)))
    if side == "SELL":
        player.start()
        player.hold()
        player.stop()
    armed = player.start(name)
    provoke(player, name, side)
    kind = ARRIVES_AS.get(name, "ORDER")
    armed.die(name, lambda: [one for one in player.ledger(kind) if kind != "ORDER" or one["side"] == side])
    killed = time.monotonic()
    stage.admin("DELETE", "/faults")
    player.restart()
    record("kill to READY s", time.monotonic() - killed)
    if name == "after_sending":  # nothing left: flagged now, proven absent within a minute (the soak waits for that)
        wait_until("the order is flagged", lambda: any(one.status == "UNKNOWN" for one in player.orders()))
    else:
        player.settle(f"{name} {side}")
    player.stop()
    verdict = referee(stage, [player])
    record("kill violations", len(verdict["wrong"]))
    assert not verdict["wrong"]
