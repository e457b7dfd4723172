"""The research page with real results: runs side by side, a sweep's heat map, checks and parity; asking and stopping."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from bots.backtest import library
from bots.backtest.jobs import perform
from console.services import backtests as asking
from console.services.permissions import Actor
from shared.db import writing
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.models import BacktestRun, Role
from shared.store import backtests
from shared.store.backtests import RunStatus
from tests.bots.backtest.test_sweep import RULE
from tests.console.desks import Desk
from tests.console.test_pages import html_of, page_of

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ASKED = {"market": "KRX", "symbols": ["005930"], "cash": 1e8}
PARITY = {
    "account_id": 1, "day": "2026-11-19", "rules": 1, "bars": 390, "judged": 370, "unjudged": 20, "signals": 12, "causes": {},
    "differences": [
        {"cause": "missed_bar", "rule_id": None, "symbol": "005930", "at": "2026-11-19T00:30:00+00:00", "live": "", "replayed": "",
         "text": "분봉이 기록에 없음 · no bar recorded for this minute"}
    ],
}  # fmt: skip


def finished(desk: Desk) -> list[int]:
    """A desk on which each kind of job was done."""
    home = desk.wiring.settings.home
    lines = ["timestamp,open,high,low,close,volume"]
    for place in range(600):
        price = 50_000 + round(2_000 * math.sin(place / 11)) // 100 * 100
        lines.append(
            f"{1_700_000_000 // 60 * 60 + 60 * place},{price},{price + 500},{price - 500},{price + 100},100000"
        )
    file = home / "bars.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    library.keep(home, Market.KRX, "005930", file)
    made = []
    for asked in (
        {**ASKED, "kind": "run", "param": {"fast": [5], "slow": [20]}},
        {**ASKED, "kind": "run", "param": {"fast": [10], "slow": [40]}},
        {**ASKED, "kind": "sweep", "param": {"fast": [5, 10], "slow": [20, 40]}},
        {**ASKED, "kind": "check", "param": {"fast": [5, 10], "slow": [20, 40]}},
        {"kind": "parity", "account": 1, "day": "2026-11-19"},
    ):
        parity = asked["kind"] == "parity"
        result = PARITY if parity else perform(RULE, asked, home, lambda done, total: None)
        with writing(desk.wiring.engine) as session:
            row = backtests.ask(session, NOW, rule_text="" if parity else RULE, params=asked, requested_by="t")
            row.status = RunStatus.RUNNING.value
            backtests.finish(session, NOW, row.id or 0, RunStatus.DONE, result)
            made.append(row.id or 0)
    return made


def chosen(app: AppTest, ids: list[int]) -> AppTest:
    box = next(one for one in app.multiselect if str(one.key).startswith("research_chosen"))
    box.set_value(ids)
    return app.run()


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_results_of_every_kind_are_drawn_and_runs_stand_side_by_side(
    lang: str, desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in("normal")
    made = finished(desk)
    app = chosen(page_of(desk, Role.VIEWER, "research", monkeypatch, lang), made)
    assert not app.exception
    drawn = html_of(app)
    for name in ("jobs", "metrics", "trades", "sweep", "checks", "parity"):
        assert f'data-table="{name}"' in drawn, name
    assert len(app.get("plotly_chart")) == 2  # the two runs share one picture, the sweep has its heat map
    assert any(
        "시도" in one.value or "tries" in one.value for one in (*app.warning, *app.caption)
    )  # what luck explains
    word = "빠진 봉" if lang == "ko" else "missed bar"
    assert word in drawn
    assert all(one.disabled for one in app.button if one.key in ("research_do", "parity_do"))


def test_a_trader_asks_for_a_sweep_and_stops_it(
    desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in("normal")
    app = page_of(desk, Role.TRADER, "research", monkeypatch)
    next(one for one in app.selectbox if one.key == "research_kind").set_value("sweep")
    app.run()
    next(one for one in app.text_area if one.key == "research_params").set_value("fast=5:9:2\nslow=20,40")
    app.run()
    next(one for one in app.button if one.key == "research_do").click()
    app.run()
    assert not app.exception and not app.error
    actor: Actor = desk.actor(Role.TRADER)
    line = asking.listed(desk.wiring, actor)[0]
    assert line.asked["kind"] == "sweep" and line.asked["param"] == {"fast": [5, 7, 9], "slow": [20, 40]}
    next(one for one in app.button if one.key == f"cancel_{line.id}").click()
    app.run()
    assert asking.one(desk.wiring, actor, line.id).status == RunStatus.CANCELED


def test_a_trader_asks_for_a_bayesian_search(desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_in("normal")
    app = page_of(desk, Role.TRADER, "research", monkeypatch)
    for box, value in (("research_kind", "sweep"), ("research_method", "bayes")):
        next(one for one in app.selectbox if one.key == box).set_value(value)
        app.run()
    next(one for one in app.number_input if one.key == "research_tries").set_value(30)
    next(one for one in app.text_area if one.key == "research_params").set_value("fast=5:50:1")
    app.run()
    next(one for one in app.button if one.key == "research_do").click()
    app.run()
    assert not app.exception and not app.error
    assert asking.listed(desk.wiring, desk.actor(Role.TRADER))[0].asked["bayes"] == 30


def test_parameters_that_cannot_be_read_are_named() -> None:
    assert asking.choices("a=1,2.5\n\n b = 1:2:0.5") == {"a": [1, 2.5], "b": [1, 1.5, 2]}
    for text in ("fast", "fast=x", "fast=1:2:0", "fast=9:1"):
        with pytest.raises(ConfigError, match="fast"):
            asking.choices(text)


def test_the_report_opens_without_a_network(desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    from console.components.backtest_page import page_of_run
    from console.components.report import report_html

    desk = desk_in("normal")
    run_id = finished(desk)[0]
    line = asking.one(desk.wiring, desk.actor(Role.ADMIN), run_id)
    page = report_html(page_of_run(line.id, line.rule, line.result or {}))
    assert "plotly" in page and "<script src=" not in page and line.rule in page


def test_a_job_row_survives_a_result_without_candles(
    desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in("normal")
    with writing(desk.wiring.engine) as session:
        session.add(
            BacktestRun(
                rule_text=RULE, params={"kind": "run"}, status="FAILED", requested_by="t", created_at=NOW,
                result={"error": {"code": "no_bars", "what": "x", "why": "봉이 없습니다", "now": "z"}},
            )
        )  # fmt: skip
    app = page_of(desk, Role.ADMIN, "research", monkeypatch)
    assert not app.exception and "봉이 없습니다" in html_of(app)
