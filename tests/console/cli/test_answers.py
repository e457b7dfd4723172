"""What is answered with --json is published, verb by verb. Every run of a verb in these tests, and the run of all of them
against a desk that trades, holds the answer against it (`check_answer`)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from console.cli.answer_shapes import ANSWERS, SILENT
from console.cli.answers import published
from shared.config import ROOT
from shared.db import writing
from shared.models import User
from tests.bots.backtest.test_parity import DAY, RULE, Recorder, minutes
from tests.console import desks
from tests.console.cli.terminal import Terminal, check_answer
from tests.console.telegram.bot_api import TOKEN, bot_api
from tests.references import cli_verbs

PAGE = ROOT / "docs" / "cli.schema.json"


def test_every_verb_has_a_schema_and_the_page_holds_them() -> None:
    nouns = {verb.split(" ")[0] for verb in cli_verbs() if " " in verb}
    assert cli_verbs() - nouns == ANSWERS.keys() | SILENT
    Draft202012Validator.check_schema(published())
    assert json.loads(PAGE.read_text(encoding="utf-8")) == published(), "letstrade schema > docs/cli.schema.json"


def test_an_answer_that_is_not_as_published_is_noticed() -> None:
    told = {"items": [{"scope": "all", "account": None, "level": "RUN", "effective": "RUN"}], "as_of": "2026-11-21T09:00:00+09:00"}  # fmt: skip
    check_answer(("kill", "status"), 0, json.dumps(told))
    for wrong in (
        {**told, "as_of": "2026-11-21T09:00:00"},  # no offset
        {"items": told["items"]},
        {**told, "items": [{"scope": "all"}]},
        {**told, "more": 1},
        {"error": {"code": "x", "what": "", "why": "", "now": ""}},  # with exit 0
    ):
        with pytest.raises(AssertionError):
            check_answer(("kill", "status"), 0, json.dumps(wrong))
    with pytest.raises(AssertionError):
        check_answer(("kill", "status"), 3, json.dumps(told))


def test_the_schema_of_a_verb_is_asked_for_by_its_name(terminal: Terminal) -> None:
    found = terminal.json("schema", "order", "list")
    assert (
        found["title"] == "letstrade order list --json" and "order" in found["$defs"] and "user" not in found["$defs"]
    )
    assert terminal.run("schema", "order", "lost", "--json").code == 2
    assert terminal.json("schema") == published()


@pytest.mark.parametrize("state", ["empty", "normal", "degraded"])
def test_lists_are_as_published_in_every_state_of_a_desk(state: str, tmp_path: Path) -> None:
    getattr(desks, f"{state}_desk")(tmp_path)
    terminal = Terminal(tmp_path)
    for verb in ("account list", "bot status", "bot logs", "rule list", "order list", "fills list", "inbox list", "alerts list",
                 "kill status", "schedule list", "user list", "token list", "webhook list", "report daily", "report tax",
                 "audit export"):  # fmt: skip
        terminal.json(*verb.split())
    terminal.json("report", "tax", "--lots")
    terminal.json("schedule", "list", "--runs")
    terminal.json("alerts", "list", "--acknowledged")
    for account in ("1", "2", "3", "4") if state != "empty" else ():
        for verb in ("positions", "balance", "account show"):
            terminal.json(*verb.split(), account)


async def test_a_test_message_reaches_who_is_linked(terminal: Terminal) -> None:
    async with bot_api() as api:
        known = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_BASE": api.url, "TELEGRAM_CHAT_IDS": "42,43"}
        api.blocked.add(43)
        said = await asyncio.to_thread(terminal.run, "telegram", "test", "--json", **known)
        assert said.code == 1  # not everybody has it
        assert {one["telegram_id"]: one["delivered"] for one in said.json["items"]} == {42: True, 43: False}
        assert [form["chat_id"] for form in api.sent] == ["42"] and TOKEN not in said.out + said.err


def test_a_lost_second_factor_is_reset_with_a_reason(terminal: Terminal) -> None:
    number = terminal.json("user", "add", "kim@desk.local", "--role", "Trader")["id"]
    with writing(terminal.engine) as session:
        row = session.get_one(User, number)
        row.totp_secret, row.totp_since = b"sealed", terminal.wiring().clock.wall_now()
        session.add(row)
    assert terminal.json("user", "list")["items"][0]["second_factor"] is True
    assert terminal.run("user", "factor-reset", "kim@desk.local", "--json").code == 1  # without a reason
    assert terminal.json("user", "factor-reset", "kim@desk.local", "--reason", "lost")["second_factor"] is False


def test_a_recorded_day_is_judged_again_from_the_terminal(terminal: Terminal) -> None:
    recorder, bars = Recorder(terminal.engine), minutes()
    recorder.live(bars, [(0, 1, RULE.format(fast=5))])
    recorder.record(bars)
    told = terminal.json("backtest", "parity", "t", "--day", str(DAY))
    assert (told["differences"], told["causes"], told["day"]) == ([], {}, str(DAY)) and told["judged"] > 300
    with terminal.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM price_bars WHERE id = 200")
    said = terminal.run("backtest", "parity", "t", "--day", str(DAY), "--json")
    assert said.code == 1 and said.json["causes"].keys() == {"missed_bar"}
