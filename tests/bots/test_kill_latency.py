"""From the click to the last risky order: by the store and by the file, on a bot that is being asked to buy all the time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from console.services.nudge import nudge
from shared.db import writing
from shared.domain.bot_state import KillLevel
from shared.kill_files import lower_file, raise_file
from shared.store import kill
from tests.bots.stage import Stage, open_stage, wait_until
from tests.chaos.record import record

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

ROUNDS = int(os.environ.get("LETSTRADE_TEST_ROUNDS", "3"))  # of each way; the figures of a release take 25

PLENTY = Decimal(10**9)
# Only the kill switch may stop the buyer here: at 30 orders a minute the account's own brake would, for up to a minute.
NO_LIMIT = {
    "max_trades_per_day": 100_000, "max_orders_per_minute": 100_000, "max_daily_buy": PLENTY, "max_daily_loss": PLENTY,
    "max_symbol_amount": PLENTY,
}  # fmt: skip
SYMBOLS = ("AAPL", "MSFT", "NVDA", "TSLA", "SPY")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    opened = open_stage(tmp_path, options=("--cash", "USD=100000000"))
    yield opened
    opened.close()


class Buyer:
    """Somebody who asks for one share after another."""

    def __init__(self, stage: Stage, account_id: int) -> None:
        self._stage, self._account_id = stage, account_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.asked = 0

    def __enter__(self) -> Buyer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.wait(0.06):
            self.asked += 1
            self._stage.buy(self._account_id, f"b{self.asked}", quantity=1, symbol=SYMBOLS[self.asked % len(SYMBOLS)])
            nudge(self._stage.settings, self._account_id)


def orders_at(stage: Stage) -> list[datetime]:
    return [datetime.fromisoformat(event["at"]) for event in stage.ledger(1, "ORDER")]


@pytest.mark.timeout(520)  # the rounds of a release: six seconds each
def test_after_the_switch_no_risky_order_leaves(stage: Stage) -> None:
    account_id = stage.add_account(1, **NO_LIMIT)
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    file = stage.settings.home / "kill"

    def by_store(level: KillLevel) -> None:
        with writing(stage.engine) as session:
            kill.set_level(session, stage.clock.wall_now(), account_id=None, level=level, reason="test", by="test")
        nudge(stage.settings, None)

    def from_afar(level: KillLevel) -> None:
        """As another host does: nobody wakes the bot."""
        with writing(stage.engine) as session:
            kill.set_level(session, stage.clock.wall_now(), account_id=None, level=level, reason="test", by="test")

    def by_file(level: KillLevel) -> None:
        (raise_file if level else lower_file)(file, level, "test")

    ways: dict[str, Callable[[KillLevel], None]] = {"store": by_store, "store, from afar": from_afar, "file": by_file}
    with Buyer(stage, account_id):
        for name, turn in ways.items():
            late = sorted(one_round(stage, account_id, turn) for _ in range(ROUNDS))
            print(
                f"kill by {name}: last risky order p50 {late[len(late) // 2]:.3f} s, worst of {ROUNDS} {late[-1]:.3f} s"
            )


def one_round(stage: Stage, account_id: int, turn: Callable[[KillLevel], None]) -> float:
    """Seconds from the moment the switch was asked for to the last order at the exchange (0: none came after)."""
    before = len(orders_at(stage))
    wait_until("orders flow", lambda: len(orders_at(stage)) > before + 2)
    asked_at = stage.clock.wall_now()
    turn(KillLevel.HALT)

    def known() -> bool:
        beat = stage.heartbeat(account_id)
        return beat is not None and beat.kill_level == KillLevel.HALT and beat.at > asked_at

    wait_until("the bot says so", known)
    count = len(orders_at(stage))
    more = stage.buy(account_id, f"more-{time.monotonic_ns()}", quantity=1)
    assert stage.outcome(more).status == "FAILED"
    assert len(orders_at(stage)) == count  # since the bot said so, none
    last = max((at - asked_at).total_seconds() for at in orders_at(stage))
    turn(KillLevel.RUN)
    record("kill switch s", max(last, 0.0))
    return max(last, 0.0)
