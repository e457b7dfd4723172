"""What was chosen from a list that moves stays chosen, and rows that read alike are told apart."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from console.components.choices import _apart
from console.services import changes
from shared.db import reading, writing
from shared.models import Command, OrderRow, PositionRow, Role
from tests.console.desks import Desk
from tests.console.test_pages import html_of, page_of


def test_an_order_that_fills_in_part_under_the_choice_stays_chosen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk, Role.ADMIN, "orders", monkeypatch)
    with reading(desk.wiring.engine) as session:
        order = session.exec(select(OrderRow).where(OrderRow.symbol == "000660")).one()
    app.selectbox(key="cancel_order").set_value(order.id).run()
    assert not app.button(key="cancel_open").disabled
    for filled in (order.filled_qty + 1, order.filled_qty + 2):  # as drawn, and once more: nothing else was touched
        with writing(desk.wiring.engine) as session:
            row = session.get_one(OrderRow, order.id)
            row.filled_qty = filled
            session.add(row)
        changes.forget()
        app.run()
        assert app.selectbox(key="cancel_order").value == order.id
        assert not app.button(key="cancel_open").disabled
        assert (
            f"매수 {order.qty - filled}"
            in app.selectbox(key="cancel_order").options[list(app.session_state["cancel_order:words"]).index(order.id)]
        )
    app.button(key="cancel_open").click().run()
    app.button(key="cancel_do").click().run()
    with reading(desk.wiring.engine) as session:
        assert [one.payload["order_id"] for one in session.exec(select(Command))] == [order.id]


def test_an_order_that_is_gone_is_no_longer_chosen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk, Role.ADMIN, "orders", monkeypatch)
    with reading(desk.wiring.engine) as session:
        order = session.exec(select(OrderRow).where(OrderRow.symbol == "000660")).one()
    app.selectbox(key="cancel_order").set_value(order.id).run()
    with writing(desk.wiring.engine) as session:
        row = session.get_one(OrderRow, order.id)
        row.status = "FILLED"
        session.add(row)
    changes.forget()
    app.run()
    assert app.selectbox(key="cancel_order").value is None and app.button(key="cancel_open").disabled


def test_a_holding_that_grew_under_the_choice_is_the_one_that_is_closed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk, Role.ADMIN, "positions", monkeypatch)
    us = desk.accounts["미국 주식 1호"]
    app.selectbox(key="close_position").set_value(f"{us}:MSFT").run()
    with writing(desk.wiring.engine) as session:
        row = session.exec(select(PositionRow).where(PositionRow.symbol == "MSFT")).one()
        row.qty += 5
        session.add(row)
    changes.forget()
    app.run()
    assert app.selectbox(key="close_position").value == f"{us}:MSFT"
    app.button(key="close_open").click().run()
    app.button(key="close_do").click().run()
    with reading(desk.wiring.engine) as session:
        assert [one.payload["symbol"] for one in session.exec(select(Command))] == ["MSFT"]


def test_of_orders_that_read_alike_the_one_that_was_picked_is_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that is refused again and again leaves rows without a broker's number, all the same in words."""
    with writing(desk.wiring.engine) as session:
        refused = session.exec(select(OrderRow).where(OrderRow.status == "DENIED")).one()
        same = refused.model_dump(exclude={"id", "seq", "client_order_id"})
        for n in (1, 2):
            earlier = refused.placed_at - timedelta(hours=n)
            session.add(OrderRow(**{**same, "placed_at": earlier, "client_order_id": f"alike-{n}"}))
        session.flush()
        alike = [one.id for one in session.exec(select(OrderRow).where(OrderRow.status == "DENIED"))]
    changes.forget()
    app = page_of(desk, Role.ADMIN, "orders", monkeypatch)
    assert len(alike) == 3
    for order in alike:
        app.selectbox(key="timeline_order").set_value(order).run()
        assert app.selectbox(key="timeline_order").value == order
    assert not app.exception and "timeline" in html_of(app)


def test_rows_that_read_alike_are_numbered() -> None:
    assert _apart({1: "a", 2: "b", 3: "a", 4: "a"}) == {1: "a", 2: "b", 3: "a (2)", 4: "a (3)"}
