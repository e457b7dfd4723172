"""A symbol is called what its reader calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.services import symbols
from shared.db import writing
from shared.models import InstrumentRow, PositionRow
from tests.console.desks import Desk, normal_desk

NOBODY = "nobody told"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = normal_desk(tmp_path)
    with writing(made.wiring.engine) as session:
        now = made.wiring.clock.wall_now()
        for symbol, name, name_en in (("005930", "삼성전자", ""), ("000660", "", "SK hynix")):
            session.add(
                InstrumentRow(
                    market="KRX", symbol=symbol, venue="KRX", currency="KRW", name=name, name_en=name_en, fetched_at=now
                )
            )
        session.add(InstrumentRow(market="US", symbol="IBM", venue="NYSE", currency="USD", name="X", fetched_at=now))
    return made


@pytest.mark.parametrize(
    ("symbol", "currency", "known", "korean", "english"),
    [
        ("AAPL", "USD", "", "애플", "APPLE INC"),
        ("AAPL", "USD", "애플 인크", "애플 인크", "APPLE INC"),  # as the broker of the position calls it
        ("005930", "KRW", "", "삼성전자", "삼성전자"),  # no English name is known: better than none
        ("AAPL", "KRW", "", "", ""),  # another market's
        ("IBM", "USD", "", "", ""),  # neither watched nor held: its name is not asked for
        ("TSLA", "USD", NOBODY, NOBODY, NOBODY),
    ],
)
def test_a_symbol_has_its_name_in_the_language_of_its_reader(
    desk: Desk, symbol: str, currency: str, known: str, korean: str, english: str
) -> None:
    assert symbols.name(desk.wiring, symbol, currency, "ko", known) == korean
    assert symbols.name(desk.wiring, symbol, currency, "en", known) == english


def test_what_is_held_but_not_watched_has_a_name(desk: Desk) -> None:
    with writing(desk.wiring.engine) as session:
        held = session.get(PositionRow, 1)
        assert held is not None
        held.symbol = "IBM"
        session.add(held)
    assert symbols.name(desk.wiring, "IBM", "USD", "ko") == "X"
