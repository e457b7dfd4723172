"""`backtest` and `data`: rules and files of bars, without a desk."""

import math
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.console.cli.terminal import Terminal

RULE = """
metadata: {name: cross}
strategy:
  id: cross
  timeframe: 1d
  indicators:
    - {id: sma, alias: fast, params: {period: 3}}
    - {id: sma, alias: slow, params: {period: 8}}
  entry: {logic: AND, conditions: [{indicator: fast, operator: cross_above, compare_to: slow}]}
  exit: {logic: AND, conditions: [{indicator: fast, operator: cross_below, compare_to: slow}]}
universe: [AAPL]
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rule, bars = tmp_path / "rule.yaml", tmp_path / "bars.csv"
    rule.write_text(RULE, encoding="utf-8")
    lines = ["date,open,high,low,close,volume"]
    day, count = date(2024, 1, 2), 0
    while count < 60:
        if day.weekday() < 5:
            price = 100 + 10 * math.sin(count / 5)
            lines.append(f"{day},{price:.2f},{price + 1:.2f},{price - 1:.2f},{price + 0.5:.2f},10000")
            count += 1
        day += timedelta(days=1)
    bars.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rule, bars


def words(rule: Path, bars: Path, *more: str) -> list[str]:
    fixed = ["--symbol", "AAPL", "--market", "US", "--cash", "10000"]
    return ["backtest", "run", "--rule", str(rule), "--data", str(bars), *fixed, *more]


def test_trades_and_figures_are_numbers_in_one_document(nowhere: Terminal, files: tuple[Path, Path]) -> None:
    report = nowhere.json(*words(*files, "--costs", "none"))
    assert (report["engine"], report["bars"]) == ("fast", 60)
    assert report["trades"]
    assert {"final_equity", "return_pct", "max_drawdown_pct", "sharpe", "seconds", "warnings"} <= report.keys()
    earned = sum(trade["pnl"] for trade in report["trades"])
    assert report["final_equity"] == pytest.approx(10_000 + earned)
    assert isinstance(report["trades"][0]["entry_price"], float)
    dearer = nowhere.json(*words(*files))
    assert dearer["final_equity"] < report["final_equity"]
    assert not nowhere.home.exists()


def test_bad_input_is_named(nowhere: Terminal, files: tuple[Path, Path], tmp_path: Path) -> None:
    rule, bars = files
    broken = tmp_path / "broken.csv"
    broken.write_text(bars.read_text(encoding="utf-8").replace("10000\n", "many\n", 1), encoding="utf-8")
    for arguments, said in (
        (words(rule, broken), "broken.csv"),
        (words(rule, tmp_path / "none.csv"), "none.csv"),
        (words(tmp_path / "none.yaml", bars), "none.yaml"),
        (words(tmp_path / "strategy.py", bars), "strategy.py"),
    ):
        refused = nowhere.run(*arguments, "--json")
        assert refused.code == 1
        error = refused.json["error"]
        assert said in error["what"] + error["why"]
    assert nowhere.run(*words(rule, bars, "--fill", "yesterday"), "--json").code == 2


SWEPT = RULE.replace(
    "  indicators:", "  params: {period: {default: 3, min: 2, max: 6, type: int}}\n  indicators:"
).replace("period: 3}", "period: $period}")


def test_a_report_page_holds_everything_it_shows_and_trades_go_to_a_table(
    nowhere: Terminal, files: tuple[Path, Path], tmp_path: Path
) -> None:
    page, table = tmp_path / "report.html", tmp_path / "trades.csv"
    report = nowhere.json(*words(*files, "--html", str(page), "--csv", str(table)))
    html = page.read_text(encoding="utf-8")
    assert html.count("<h2>") == 2 and "AAPL" in html and "월별 수익률" in html
    written = html.replace(html[html.index("<script>") : html.index("</script>")], "")  # Plotly itself names its makers
    assert "src=" not in written and "<link" not in written  # nothing is fetched
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + len(report["trades"])
    names = {one["name"]: one for one in report["metrics"]}
    assert names["return_pct"]["value"] == report["return_pct"] and names["sharpe"]["definition"]


def test_a_sweep_ranks_every_combination_and_goes_on_from_its_file(
    nowhere: Terminal, files: tuple[Path, Path], tmp_path: Path
) -> None:
    rule, bars = files
    rule.write_text(SWEPT, encoding="utf-8")
    asked = ["backtest", "sweep", *words(rule, bars)[2:], "--param", "period=2:6"]
    found = nowhere.json(*asked, "--out", str(tmp_path / "out.jsonl"), "--html", str(tmp_path / "map.html"))
    assert found["combinations"] == 5 and {one["params"]["period"] for one in found["items"]} == {2, 3, 4, 5, 6}
    returns = [one["return_pct"] for one in found["items"]]
    assert returns == sorted(returns, reverse=True)
    assert nowhere.json(*asked, "--out", str(tmp_path / "out.jsonl"))["items"] == found["items"]
    assert (tmp_path / "map.html").stat().st_size > 1_000_000
    best = found["items"][0]
    alone = nowhere.json(*words(rule, bars, "--param", f"period={best['params']['period']}"))
    assert alone["return_pct"] == pytest.approx(best["return_pct"])
    assert nowhere.run(*asked[:-1], "period=2:x", "--json").code == 1
    assert nowhere.run(*asked[:-1], "speed=2", "--json").json["error"]["why"]


def test_a_bayesian_search_is_reproducible_goes_on_and_says_what_luck_explains(
    nowhere: Terminal, files: tuple[Path, Path], tmp_path: Path
) -> None:
    rule, bars = files
    rule.write_text(SWEPT, encoding="utf-8")
    asked = ["backtest", "sweep", *words(rule, bars)[2:], "--param", "period=2:60", "--seed", "3", "--bayes"]
    found = nowhere.json(*asked, "20", "--top", "0", "--out", str(tmp_path / "out.jsonl"))
    tried = [one["params"]["period"] for one in found["items"]]
    assert found["combinations"] == 20 and len(set(tried)) == 20
    assert found["deflated_sharpe"]["name"] == "deflated_sharpe"
    again = nowhere.json(*asked, "20", "--top", "0")
    assert again["items"] == found["items"]
    more = nowhere.json(*asked, "24", "--top", "0", "--out", str(tmp_path / "out.jsonl"))
    assert set(tried) < {one["params"]["period"] for one in more["items"]} and more["combinations"] == 24
    both = nowhere.run(*asked, "20", "--random", "5", "--json")
    assert both.code == 1 and "--bayes" in both.json["error"]["now"]


def test_a_check_says_whether_a_backtest_can_be_believed(nowhere: Terminal, files: tuple[Path, Path]) -> None:
    rule, bars = files
    rule.write_text(SWEPT, encoding="utf-8")
    found = nowhere.json("backtest", "check", *words(rule, bars)[2:])
    assert found["passed"] and found["checks"][0]["name"] == "look_ahead"
    assert {one["verdict"] for one in found["checks"]} <= {"ok", "warn", "skipped"}


def test_limits_need_the_replay_engine_and_known_names(
    nowhere: Terminal, files: tuple[Path, Path], tmp_path: Path
) -> None:
    limits = tmp_path / "limits.yaml"
    limits.write_text("max_order_amount: 10\n", encoding="utf-8")
    assert nowhere.run(*words(*files, "--limits", str(limits)), "--json").code == 1
    found = nowhere.json(*words(*files, "--limits", str(limits), "--engine", "replay"))
    assert (found["engine"], found["trades"]) == ("replay", [])
    limits.write_text("max_ordr: 10\n", encoding="utf-8")
    refused = nowhere.run(*words(*files, "--limits", str(limits), "--engine", "replay"), "--json")
    assert "max_ordr" in refused.json["error"]["what"]


def test_bars_are_imported_listed_and_used_by_name(nowhere: Terminal, files: tuple[Path, Path]) -> None:
    rule, bars = files
    kept = nowhere.json("data", "import", str(bars), "--symbol", "AAPL", "--market", "US")
    assert (kept["bars"], kept["timeframe"]) == (60, "1d")
    assert [one["symbol"] for one in nowhere.json("data", "list")["items"]] == ["AAPL"]
    asked = ["backtest", "run", "--rule", str(rule), "--market", "US", "--cash", "10000"]
    assert nowhere.json(*asked, "--symbol", "AAPL")["trades"] == nowhere.json(*words(*files))["trades"]
    assert nowhere.run(*asked, "--symbol", "MSFT", "--json").json["error"]["code"] == "no_bars"
