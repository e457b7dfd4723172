"""Rules, kill switch, alerts, logs and holdings by command line."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bots.rules.presets import preset_text
from shared.db import writing
from shared.models import CashBalance, DecisionRow, ExecutionLog, FillRow, Heartbeat, OrderRow, PositionRow, QuoteRow
from shared.store import alerts
from tests.console.cli.terminal import Terminal

RULE = "bots/rules/presets/demo_us_ma_cross.yaml"


def test_a_rule_file_is_checked_without_a_desk(nowhere: Terminal, tmp_path: Path) -> None:
    good = nowhere.json("rule", "validate", RULE)
    assert good["valid"] is True
    assert good["universe"]
    bad = tmp_path / "bad.yaml"
    bad.write_text(preset_text("demo_us_ma_cross").replace("operator: ", "operator: cross_over_"), encoding="utf-8")
    said = nowhere.run("rule", "validate", str(bad), "--json")
    assert said.code == 1
    assert said.json["valid"] is False
    assert any("operator" in one["path"] for one in said.json["problems"])
    assert said.json["error"].keys() == {"code", "what", "why", "now"}
    missing = nowhere.run("rule", "validate", "no-such-file.yaml", "--json")
    assert missing.code == 1
    assert "no-such-file.yaml" in missing.json["error"]["what"]


def test_a_rule_is_kept_off_switched_on_and_given_a_new_version(terminal: Terminal) -> None:
    terminal.add("A1")
    kept = terminal.json("rule", "add", RULE, "--account", "A1", "--max-position", "50")
    assert (kept["enabled"], kept["version"]) == (False, 1)
    rule = str(kept["id"])
    assert terminal.json("rule", "enable", rule)["enabled"] is True
    assert terminal.json("rule", "disable", rule)["enabled"] is False
    newer = ["rule", "add", "bots/rules/presets/demo_us_rsi.yaml", "--account", "A1", "--replace", rule]
    assert terminal.json(*newer)["version"] == 2
    shown = terminal.json("rule", "show", rule)
    assert [one["number"] for one in shown["versions"]] == [2, 1]
    assert shown["text"] == preset_text("demo_us_rsi")


def test_an_import_with_one_bad_file_keeps_none(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("A1")
    bad = tmp_path / "bad.yaml"
    bad.write_text("metadata: {name: x}\n", encoding="utf-8")
    said = terminal.run("rule", "import", RULE, str(bad), "--account", "A1", "--json")
    assert said.code == 1
    assert "bad.yaml" in said.json["error"]["what"]
    assert terminal.json("rule", "list")["items"] == []
    both = terminal.json("rule", "import", RULE, "bots/rules/presets/demo_us_rsi.yaml", "--account", "A1")
    assert len(both["items"]) == 2


def test_a_rule_explains_its_last_decision(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    rule = terminal.json("rule", "add", RULE, "--account", "A1")["id"]
    assert terminal.json("rule", "explain", str(rule))["decision"] is None
    now = terminal.wiring().clock.wall_now()
    with writing(terminal.engine) as session:
        session.add(
            DecisionRow(
                account_id=account_id,
                seq=1,
                rule_id=rule,
                version_id=1,
                symbol="AAPL",
                verdict="HOLD",
                reason="cash",
                text="예수금 부족",
                steps=[
                    {
                        "path": "entry.conditions[0]",
                        "label": "fast cross_above slow",
                        "left": "2",
                        "operator": "cross_above",
                        "right": "1",
                        "truth": True,
                    }
                ],
                gates=[{"code": "cash", "text": "예수금", "passed": False}],
                counts={"cash": 37},
                at=now,
                updated_at=now,
            )
        )
    told = terminal.json("rule", "explain", str(rule))["decision"]
    assert (told["reason"], told["counts"]) == ("cash", {"cash": 37})
    shown = terminal.run("rule", "explain", str(rule)).out
    assert "✓" in shown and "fast cross_above slow" in shown
    assert "✗ cash" in shown


def test_raising_the_kill_switch_is_easy_and_lowering_needs_a_reason(terminal: Terminal) -> None:
    terminal.add("A1")
    raised = terminal.json("kill", "raise", "no_new", "--account", "A1")["items"]
    assert [(one["scope"], one["level"]) for one in raised] == [("all", "RUN"), ("account:1", "NO_NEW")]
    assert [one["effective"] for one in terminal.json("kill", "raise", "HALT")["items"]] == ["HALT", "HALT"]
    assert terminal.json("kill", "raise", "NO_NEW")["items"][0]["level"] == "HALT"
    refused = terminal.run("kill", "lower", "RUN", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "reason_missing")
    assert terminal.json("kill", "lower", "RUN", "--reason", "drill over")["items"][0]["level"] == "RUN"


def test_alerts_are_listed_and_acknowledged(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    with writing(terminal.engine) as session:
        number = alerts.raise_alert(
            session,
            terminal.wiring().clock.wall_now(),
            kind="BOT_SILENT",
            severity="critical",
            dedup_key="BOT_SILENT:1",
            account_id=account_id,
        )
    listed = terminal.json("alerts", "list")["items"]
    assert [(one["id"], one["kind"]) for one in listed] == [(number, "BOT_SILENT")]
    terminal.json("alerts", "ack", str(number))
    assert terminal.json("alerts", "list")["items"] == []
    assert terminal.json("alerts", "list", "--acknowledged")["items"][0]["acknowledged_by"].startswith("cli:")
    gone = terminal.run("alerts", "ack", "99", "--json")
    assert (gone.code, gone.json["error"]["code"]) == (1, "no_alert")


def test_what_the_bot_reported_is_shown_with_its_age_and_money_as_text(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    terminal.json("account", "enable", "A1")
    _report(terminal, account_id)
    bot = terminal.json("bot", "status", "A1")["items"][0]
    assert (bot["status"], bot["unguarded"], bot["kill"]) == ("READY", 1, "RUN")
    assert bot["heartbeat_age_s"] < 15
    position = terminal.json("positions", "A1")["items"][0]
    assert (position["symbol"], position["qty"], position["avg_price"]) == ("AAPL", 14, "209.8712")
    cash = terminal.json("balance", "A1")["items"][0]
    assert (cash["total"], cash["buying_power"]) == ("94512.37", None)
    quote = terminal.json("quote", "A1", "aapl")
    assert (quote["last"], quote["source"]) == ("212.44", "stream")
    nobody = terminal.run("quote", "A1", "MSFT", "--json")
    assert (nobody.code, nobody.json["error"]["code"]) == (1, "no_quote")
    fill = terminal.json("fills", "list", "--account", "A1")["items"][0]
    assert (fill["qty"], fill["price"]) == (14, "209.8712")
    assert [one["message"] for one in terminal.json("bot", "logs", "A1", "--level", "warning")["items"]] == ["late"]
    assert "AAPL" in terminal.run("positions", "A1").out


def _report(terminal: Terminal, account_id: int) -> None:
    now = terminal.wiring().clock.wall_now()
    price = Decimal("209.8712")
    with writing(terminal.engine) as session:
        session.add(
            Heartbeat(account_id=account_id, at=now, state="READY", started_at=now - timedelta(hours=1), feed_at=now)
        )
        session.add(
            PositionRow(account_id=account_id, symbol="AAPL", qty=14, avg_price=price, currency="USD", updated_at=now)
        )
        session.add(CashBalance(account_id=account_id, currency="USD", total=Decimal("94512.37"), as_of=now))
        session.add(
            QuoteRow(environment="SIM", market="US", symbol="AAPL", last=Decimal("212.44"), at=now, received_at=now)
        )
        order = OrderRow(
            account_id=account_id,
            client_order_id="c1",
            symbol="AAPL",
            side="BUY",
            qty=14,
            status="FILLED",
            placed_at=now,
            updated_at=now,
        )
        session.add(order)
        session.flush()
        session.add(
            FillRow(
                order_id=order.id or 0,
                account_id=account_id,
                execution_id="e1",
                symbol="AAPL",
                side="BUY",
                qty=14,
                price=price,
                filled_at=now,
                recorded_at=now,
            )
        )
        for seq, level, message in ((1, "INFO", "ready"), (2, "WARNING", "late")):
            session.add(ExecutionLog(account_id=account_id, seq=seq, level=level, message=message, created_at=now))


def test_the_presets_are_listed_with_their_bounds_in_both_languages(terminal: Terminal) -> None:
    items = {one["name"]: one for one in terminal.json("rule", "list", "--presets")["items"]}
    assert {"ma_cross", "dca_loc", "grid", "week52_high", "composite_vote"} <= set(items)
    assert all(one["title"] and one["title_en"] and one["description_en"] for one in items.values())
    assert all(knob["min"] is not None and knob["max"] is not None for one in items.values() for knob in one["params"])
    assert "평단" in terminal.run("rule", "list", "--presets").out


def test_a_decision_is_judged_anew_from_what_it_stored(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    rule = terminal.json("rule", "add", RULE, "--account", "A1")["id"]
    now = terminal.wiring().clock.wall_now()
    step = {"path": "entry.conditions[0]", "label": "", "left": "1.0 → 3.0", "operator": "cross_above",
            "right": "2.0 → 2.0", "truth": True}  # fmt: skip
    with writing(terminal.engine) as session:
        session.add(
            DecisionRow(
                account_id=account_id,
                seq=1,
                rule_id=rule,
                version_id=1,
                symbol="AAPL",
                verdict="BUY",
                reason="entry",
                steps=[step],
                gates=[{"code": "fencing", "passed": True}],
                counts={"entry": 1},
                at=now,
                updated_at=now,
            )
        )
    assert terminal.json("rule", "explain", str(rule))["decision"]["recomputed"] == "BUY"
    assert "the same" in terminal.run("rule", "explain", str(rule)).out


def test_versions_are_compared_and_an_older_text_comes_back_as_a_new_version(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.add("A1")
    text = preset_text("demo_us_ma_cross")
    edited = tmp_path / "edited.yaml"
    edited.write_text(text.replace("percent: 1.0", "percent: 0.5", 1), encoding="utf-8")
    rule = str(terminal.json("rule", "add", RULE, "--account", "A1")["id"])
    alone = terminal.json("rule", "diff", rule)
    assert (alone["older"], alone["newer"], alone["text"], alone["changes"]) == (1, 1, "", [])
    before = terminal.json("rule", "diff", rule, "--file", str(edited))
    assert (before["older"], before["newer"], before["lowers_risk"]) == (1, None, True)
    terminal.json("rule", "add", str(edited), "--account", "A1", "--replace", rule)
    saved = terminal.json("rule", "diff", rule)
    assert (saved["older"], saved["newer"], saved["changes"]) == (1, 2, before["changes"])
    [change] = saved["changes"]
    assert (change["path"].split(".")[0], change["effect"]) == ("risk", "less")
    assert terminal.json("rule", "diff", rule, "2", "1")["changes"][0]["effect"] == "more"
    said = terminal.run("rule", "diff", rule)
    assert said.code == 0 and "줄어듦" in said.out and "+" in said.out
    back = terminal.json("rule", "revert", rule, "1")
    assert (back["version"], back["also_open"], back["switched_off"]) == (3, False, False)
    assert terminal.json("rule", "diff", rule, "1", "3")["text"] == ""
    assert terminal.json("rule", "show", rule)["versions"][0]["note"] != ""
    assert terminal.json("rule", "revert", rule, "2")["also_open"] is True, "it only lowers the risk"
    for words in (("diff", rule, "1", "9"), ("revert", rule, "9"), ("diff", "99")):
        missing = terminal.run("rule", *words, "--json")
        assert missing.code == 1 and missing.json["error"]["now"], words
    assert terminal.run("rule", "diff", rule, "1", "2", "--file", str(edited)).code == 2
