"""`exchange`: serve it, read its ledger, plant a fault and take it away."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.console.cli.terminal import Terminal

# Workers run beside each other: each has an exchange of its own.
OFFSET = str(5400 + 20 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))


@pytest.fixture
def serving(nowhere: Terminal) -> Iterator[Terminal]:
    process = nowhere.start("exchange", "serve", "--port-offset", OFFSET)
    try:
        deadline = time.monotonic() + 120
        while nowhere.run("exchange", "ledger", "--port-offset", OFFSET).code != 0:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
        yield nowhere
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()


def test_a_served_exchange_tells_its_ledger_and_takes_faults(serving: Terminal) -> None:
    where = ["--port-offset", OFFSET]
    ledger = serving.json("exchange", "ledger", "--type", "fill", *where)
    assert (ledger["events"], ledger["seq"] >= 0) == ([], True)
    planted = serving.json("exchange", "fault", '{"match": {"tr": "TTTT1002U"}, "action": "hang", "count": 1}', *where)
    listed = serving.json("exchange", "fault", *where)["faults"]
    assert [(one["id"], one["action"], one["fired"]) for one in listed] == [(planted["id"], "hang", 0)]
    refused = serving.run("exchange", "fault", '{"action": "explode"}', "--json", *where)
    assert refused.code == 1
    assert "fault" in refused.json["error"]["what"]
    assert refused.json["error"]["why"]
    assert serving.run("exchange", "fault", "{broken", "--json", *where).code == 2
    serving.json("exchange", "fault", "--remove", "all", *where)
    assert serving.json("exchange", "fault", *where)["faults"] == []


def test_a_fire_drill_is_listed_started_for_one_account_and_ended(serving: Terminal) -> None:
    where = ["--port-offset", OFFSET]
    names = [one["name"] for one in serving.json("exchange", "fault", "--drills", *where)["items"]]
    assert "order-answer-lost" in names
    serving.json("exchange", "fault", '{"action": "hang"}', *where)
    begun = serving.json("exchange", "fault", "--drill", "order-listed-late", "--account", "12345678-01", *where)
    planted = serving.json("exchange", "fault", *where)["faults"]
    assert [one["id"] for one in planted[1:]] == begun["faults"]
    assert {one["match"]["account"] for one in planted[1:]} == {"12345678-01"}
    assert begun["ends_ko"] and begun["ends_en"]
    assert serving.json("exchange", "fault", "--end", "order-listed-late", *where)["removed"] == 2
    assert [one["action"] for one in serving.json("exchange", "fault", *where)["faults"]] == ["hang"]
    serving.json("exchange", "fault", "--drill", "halt", *where)
    serving.json("exchange", "fault", "--end", "halt", *where)
    unknown = serving.run("exchange", "fault", "--drill", "earthquake", "--json", *where)
    assert (unknown.code, unknown.json["error"]["code"]) == (1, "unknown_drill")
