"""Python strategies by command line: tried before they are kept, kept as rules, shown as they were written."""

from __future__ import annotations

from pathlib import Path

from tests.console.cli.terminal import Terminal

STRATEGY = """# /// rule
# metadata: {name: 파이썬 교차}
# risk: {stop_loss: {enabled: true, percent: 5}}
# sizing: {mode: shares, value: 3}
# ///
def on_bar(ctx):
    if ctx.sma(5) > ctx.sma(20):
        return "BUY"
    return "SELL"
"""


def test_a_strategy_is_checked_without_a_desk_and_its_answer_is_never_told(nowhere: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "cross.py"
    file.write_text(STRATEGY, encoding="utf-8")
    good = nowhere.json("strategy", "check", str(file))
    assert (good["ok"], good["error"]) == (True, None)
    assert good["signals"] > 0
    assert nowhere.json("rule", "validate", str(file))["name"] == "파이썬 교차"
    file.write_text("def on_bar(ctx):\n    return 'a secret of its own'\n", encoding="utf-8")
    bad = nowhere.run("strategy", "check", str(file), "--json")
    assert bad.code == 1
    assert (bad.json["ok"], bad.json["error"]["code"]) == (False, "answer")
    assert "secret" not in str(bad.json)
    missing = nowhere.run("strategy", "check", str(tmp_path / "none.py"), "--json")
    assert (missing.code, missing.json["error"]["code"]) == (1, "unreadable")


def test_a_strategy_is_kept_off_switched_on_and_given_a_new_version(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("A1")
    file = tmp_path / "cross.py"
    file.write_text(STRATEGY, encoding="utf-8")
    kept = terminal.json("rule", "add", str(file), "--account", "A1", "--symbols", "AAPL,MSFT")
    assert (kept["enabled"], kept["name"], kept["symbol"]) == (False, "파이썬 교차", "AAPL,MSFT")
    rule = str(kept["id"])
    assert terminal.json("rule", "enable", rule)["enabled"] is True
    file.write_text(STRATEGY.replace("20", "30"), encoding="utf-8")
    newer = terminal.json("rule", "add", str(file), "--account", "A1", "--symbols", "AAPL", "--replace", rule)
    assert newer["version"] == 2
    shown = terminal.json("rule", "show", rule)["text"]
    assert STRATEGY.replace("20", "30").split("def ")[1] in shown
    assert '# universe: ["AAPL"]' in shown


def test_a_strategy_that_does_not_run_is_not_kept(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("A1")
    file = tmp_path / "bad.py"
    file.write_text(STRATEGY.replace('return "SELL"', "return 1 / 0"), encoding="utf-8")
    said = terminal.run("rule", "add", str(file), "--account", "A1", "--symbols", "AAPL", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "raised")
    assert terminal.json("rule", "list")["items"] == []
