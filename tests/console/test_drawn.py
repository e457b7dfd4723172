"""What is made of a reading is made once for all who look, and anew when reading, language, colours or choice change."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import plotly.io
import pytest
from plotly.tools import return_figure_from_figure_or_data
from sqlalchemy import event
from sqlmodel import col, select

from console import wiring as wired
from console.components import candles, charts, drawn, vitals_charts
from console.components.charts import Made, bars_figure, equity_figure
from console.components.drawn import once
from console.services import changes, people
from console.services.holdings import EquityCurve
from shared.db import reading, writing
from shared.models import Alert, BrokerageAccount, Role
from tests.console import desks
from tests.console.conftest import Stores
from tests.console.desks import Desk
from tests.console.door import stopped_clock
from tests.console.test_pages import PAGES, html_of, page_of

AT = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    drawn._made.clear()
    yield
    drawn._made.clear()


@pytest.fixture
def sharing() -> Iterator[None]:
    changes.share(0.000001)  # the numbers are asked on every look
    yield
    changes.share(0)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each chart was made."""
    counts: Counter[str] = Counter()
    rooms = {
        "day_figure": vitals_charts, "latency_figure": vitals_charts, "bars_figure": charts, "equity_figure": charts,
        "candle_spec": candles,
    }  # fmt: skip
    for name, room in rooms.items():
        monkeypatch.setattr(room, name, _counted(getattr(room, name), name, counts))
    return counts


def _counted(make: Callable[..., object], name: str, counts: Counter[str]) -> Callable[..., object]:
    def counting(*args: object, **kwargs: object) -> object:
        counts[name] += 1
        return make(*args, **kwargs)

    return counting


def test_the_same_reading_is_drawn_once_and_an_equal_one_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "lang", lambda: "ko")
    view, numbers = [1], iter(range(9))
    assert [once(view, "a", lambda: next(numbers)) for _ in range(3)] == [0, 0, 0]
    assert once([1], "a", lambda: next(numbers)) == 1  # equal is not the same: who read it is not known
    assert once(view, "b", lambda: next(numbers)) == 2


def test_another_language_and_another_choice_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    view, spoken, numbers = [1], ["ko"], iter(range(9))
    monkeypatch.setattr(drawn, "lang", lambda: spoken[0])
    assert once(view, "a", lambda: next(numbers), "day") == 0
    assert once(view, "a", lambda: next(numbers), "month") == 1
    spoken[0] = "en"
    assert once(view, "a", lambda: next(numbers), "day") == 2
    spoken[0] = "ko"
    assert once(view, "a", lambda: next(numbers), "day") == 0


def test_of_each_name_only_the_newest_readings_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "lang", lambda: "ko")
    for number in range(50):
        once([number], "a", lambda: "")
    assert len(drawn._made["a"]) == drawn._MOST


def test_a_reading_that_many_ask_for_at_once_is_drawn_by_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "lang", lambda: "ko")
    view, together, calls = [1], threading.Barrier(8), []

    def ask() -> str:
        together.wait(120)
        return once(view, "a", lambda: calls.append(1) or "markup")

    with ThreadPoolExecutor(8) as pool:
        assert {one.result() for one in [pool.submit(ask) for _ in range(8)]} == {"markup"}
    assert len(calls) == 1


def test_who_fails_to_draw_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "lang", lambda: "ko")
    view = [1]
    with pytest.raises(ZeroDivisionError):
        once(view, "a", lambda: 1 // 0)
    assert once(view, "a", lambda: 7) == 7


def test_a_figure_that_is_done_says_what_the_figure_said() -> None:
    curve = EquityCurve(1, "본계좌", "KRW", tuple((AT + timedelta(minutes=n), Decimal(1000 + n)) for n in range(20)))
    figure = equity_figure([curve])
    done = Made(figure)
    asked = return_figure_from_figure_or_data(done, validate_figure=True)  # as Streamlit asks
    first = plotly.io.to_json(asked, validate=False)
    assert json.loads(first) == json.loads(figure.to_json())
    assert plotly.io.to_json(done.to_dict(), validate=False) == first  # writing it out took nothing away


def test_bars_are_in_the_colours_of_the_person() -> None:
    values = {"a": Decimal(5), "b": Decimal(-5)}
    korean, other = (Made(bars_figure(values, name="n", up_red=red)).to_dict() for red in (True, False))
    assert korean["data"][0]["marker"]["color"] == ["#c0292e", "#1f5fbf"]
    assert other["data"][0]["marker"]["color"] == ["#2f7d4f", "#c0292e"]


def test_the_charts_of_the_system_page_are_made_once_until_something_moves(
    desk: Desk, sharing: None, made: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk, Role.ADMIN, "system", monkeypatch)
    app.run()
    page_of(desk, Role.ADMIN, "system", monkeypatch)
    assert (made["day_figure"], made["latency_figure"]) == (1, 1)
    page_of(desk, Role.TRADER, "system", monkeypatch)  # sees fewer accounts
    assert (made["day_figure"], made["latency_figure"]) == (2, 2)
    page_of(desk, Role.ADMIN, "system", monkeypatch, lang="en")
    assert (made["day_figure"], made["latency_figure"]) == (3, 3)
    app.segmented_control(key="vitals").set_value("lag").run()
    assert made["latency_figure"] == 3 and made["day_figure"] == 4
    with writing(desk.wiring.engine) as session:  # a person renames an account
        row = session.get_one(BrokerageAccount, desk.accounts["미국 주식 1호"])
        row.nickname, row.config_version = "새 이름", row.config_version + 1
        session.add(row)
    app.run()
    assert (made["day_figure"], made["latency_figure"]) == (5, 4)
    assert "새 이름" in html_of(app) and "미국 주식 1호" not in html_of(app)


def test_earnings_are_drawn_anew_for_other_colours_and_another_grouping(
    desk: Desk, sharing: None, made: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk, Role.ADMIN, "profit", monkeypatch)
    app.run()
    assert made["bars_figure"] == 1
    by_day = html_of(app)
    app.segmented_control(key="profit_by").set_value("account").run()
    assert made["bars_figure"] == 2 and html_of(app) != by_day
    app.segmented_control(key="profit_by").set_value("day").run()
    assert made["bars_figure"] == 2
    people.set_colours(desk.wiring, desk.actor(Role.ADMIN), "green")
    app.run()
    assert made["bars_figure"] == 3


def test_candles_are_drawn_anew_for_other_colours_and_another_span(
    desk: Desk, sharing: None, made: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk, Role.ADMIN, "market", monkeypatch)
    made.clear()
    app.run()
    app.run()
    assert not made["candle_spec"]
    people.set_colours(desk.wiring, desk.actor(Role.ADMIN), "green")
    app.run()
    assert made["candle_spec"] == 1
    app.segmented_control(key="market_frame").set_value("5m").run()
    assert made["candle_spec"] == 2 and not app.exception


def test_a_person_who_sees_other_accounts_gets_other_curves(
    desk: Desk, sharing: None, made: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk, Role.ADMIN, "control", monkeypatch)
    app.run()
    assert made["equity_figure"] == 1
    other = page_of(desk, Role.TRADER, "control", monkeypatch)
    assert made["equity_figure"] == 2
    other.segmented_control(key="span").set_value("week").run()
    assert made["equity_figure"] == 3


def test_an_alert_that_is_raised_again_or_seen_is_drawn_anew(
    sharing: None, tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stores() as url:
        desk = desks.degraded_desk(tmp_path, url=url)  # its own: what it does to it nobody else shall see
        wired.use(desk.wiring)
        _an_alert_changes(desk, monkeypatch)
        desk.wiring.engine.dispose()


def _an_alert_changes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk, Role.ADMIN, "alerts", monkeypatch)
    before = app.selectbox(key="alert").options
    with reading(desk.wiring.engine) as session:
        alert = session.exec(select(Alert).where(col(Alert.acknowledged_at).is_(None))).first()
        assert alert is not None
    assert "7,777" not in html_of(app)
    _change(desk, alert.id, count=7_777, last_at=desk.wiring.clock.wall_now())
    app.run()
    assert "7,777" in html_of(app)
    assert app.selectbox(key="alert").options != before  # the moment is part of its name
    _change(desk, alert.id, acknowledged_at=desk.wiring.clock.wall_now(), acknowledged_by="김매니저")
    app.run()
    still, seen = html_of(app).split('data-table="alerts_seen"')
    assert "김매니저" in seen and "7,777" not in still
    assert len(app.selectbox(key="alert").options) == len(before) - 1


def _change(desk: Desk, alert_id: int | None, **columns: object) -> None:
    with writing(desk.wiring.engine) as session:
        row = session.get_one(Alert, alert_id)
        for name, value in columns.items():
            setattr(row, name, value)
        session.add(row)


ASK_EACH_TIME = {  # what is looked at seldom and must be exact at once: who is in, jobs that run, sizes of the store
    "people", "research", "system",
}  # fmt: skip


@pytest.mark.parametrize("page", [one for one in PAGES if one not in ASK_EACH_TIME])
def test_a_page_that_is_asked_for_again_asks_the_store_for_nothing(
    page: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing moves: neither its panels nor what stands between them."""
    desk, _ = stopped_clock(desk)  # however long a busy machine draws
    wired.use(desk.wiring)
    changes.share(600.0)
    try:
        app = page_of(desk, Role.ADMIN, page, monkeypatch)
        app.run()
        asked: list[str] = []
        event.listen(desk.wiring.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
        app.run()
        assert not app.exception and asked == []
    finally:
        changes.share(0)
