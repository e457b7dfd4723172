"""First light: a fresh desk trades by rule without keys, survives a kill, honours a stop by hand, and goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.e2e.desk import Desk, by_order, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(420)]

STILL_OPEN = "SELECT id FROM orders WHERE status IN ('PENDING', 'SUBMITTED', 'ACCEPTED', 'PARTIAL', 'UNKNOWN')"
READY = "SELECT state, pid, ready_at FROM heartbeats WHERE account_id = :id"


def ready(desk: Desk, account_id: int, besides: int = 0) -> bool:
    """The bot is READY, as another process than `besides`."""
    rows = desk.rows(READY, id=account_id)
    return bool(rows) and rows[0]["state"] == "READY" and rows[0]["pid"] != besides


def check_books(desk: Desk) -> None:
    """Exchange ledger, store and (bots stopped) journals tell the same fills, to the cent and the share."""
    accounts = desk.rows("SELECT id, broker FROM brokerage_accounts ORDER BY id")
    for account in accounts:
        truth = by_order([e for e in desk.ledger("FILL") if e["broker"] == account["broker"]], "order_id", "quantity")
        stored = by_order(
            desk.rows(
                "SELECT o.broker_order_id AS number, f.qty, f.price FROM fills f JOIN orders o ON o.id = f.order_id "
                "WHERE f.account_id = :id",
                id=account["id"],
            ),
            "number",
            "qty",
        )
        assert stored == truth


def books_agree(desk: Desk) -> bool:
    try:
        check_books(desk)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_fresh_desk_trades_and_survives(
    kind: str, new_desk: Callable[..., Desk], request: pytest.FixtureRequest
) -> None:
    desk = new_desk(request.getfixturevalue("postgres_url") if kind == "postgres" else None)
    desk.setup()
    desk.start()

    wait_until("both bots are ready", lambda: ready(desk, 1) and ready(desk, 2))
    wait_until(
        "a fill in the exchange's ledger for each broker",
        lambda: len({e["broker"] for e in desk.ledger("FILL")}) == 2,
        90,
    )
    wait_until("fills in the store", lambda: desk.cli("fills", "list")["items"])

    # killed: back, reconciled, trading; nothing doubled, nothing lost
    pid = desk.rows(READY, id=1)[0]["pid"]
    assert pid > 1  # 0 would be our own process group
    os.kill(pid, signal.SIGKILL)
    wait_until("bot-1 is back and ready", lambda: ready(desk, 1, besides=pid))

    # stopped by hand: a hold that fleet respects, announced
    desk.supervisorctl("stop", "bot-2")
    wait_until(
        "the hold is shown",
        lambda: desk.rows("SELECT health_status FROM brokerage_accounts WHERE id = 2")[0]["health_status"] == "HELD",
        10,
    )
    assert desk.rows("SELECT kind FROM alerts WHERE kind = 'BOT_HELD'")
    assert desk.program("bot-2")[0] == "STOPPED"
    desk.supervisorctl("start", "bot-2")
    wait_until("bot-2 is ready again", lambda: ready(desk, 2))

    # a second start goes on where the first was
    before = len(desk.ledger("FILL"))
    desk.stop()
    journals = {account: by_order(desk.journal_fills(account), "broker_order_id", "quantity") for account in (1, 2)}
    desk.start()
    wait_until("trading goes on", lambda: len(desk.ledger("FILL")) > before)
    # rules off, nothing left in the market: from here on nothing can fill behind a stopped bot's back
    for rule in desk.cli("rule", "list")["items"]:
        desk.cli("rule", "disable", str(rule["id"]))
    wait_until("no order is open", lambda: not desk.rows(STILL_OPEN))
    with suppress(AssertionError):
        wait_until("store and exchange agree", lambda: books_agree(desk))
    check_books(desk)  # says where they differ
    desk.cli("account", "disable", "1")
    desk.cli("account", "disable", "2")
    wait_until("no bot is left", lambda: desk.program("bot-1")[0] == desk.program("bot-2")[0] == "ABSENT")
    check_books(desk)
    for account, told in journals.items():
        now = by_order(desk.journal_fills(account), "broker_order_id", "quantity")
        assert told.items() <= now.items() or all(now[number][0] >= shares for number, (shares, _) in told.items())
    assert not [row for row in desk.rows("SELECT status FROM orders") if row["status"] in ("UNKNOWN", "NEEDS_OPERATOR")]
    desk.stop()
