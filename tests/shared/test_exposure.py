"""What the owner's other accounts have in the market, as one bot reads it from the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from shared import schema
from shared.db import open_engine, writing
from shared.domain.order import Side
from shared.models import AuditLog, BrokerageAccount, Command, OrderRow, Owner, PositionRow, QuoteRow
from shared.store import exposure
from shared.store.exposure import OpenElsewhere
from tests.fakes import START


@dataclass
class Books:
    session: Session

    def account(self, name: str, owner: int = 1, market: str = "US", environment: str = "SIM") -> int:
        row = BrokerageAccount(
            owner_id=owner, nickname=name, broker="KIS", market=market, environment=environment, created_at=START
        )
        return self._saved(row)

    def order(self, account: int, number: int, side: str, price: str | None, status: str = "ACCEPTED") -> int:
        row = OrderRow(
            account_id=account, client_order_id=f"c{account}-{number}", symbol="AAPL", side=side, qty=10, filled_qty=4,
            price=None if price is None else Decimal(price), status=status, placed_at=START, updated_at=START,
        )  # fmt: skip
        return self._saved(row)

    def holds(self, account: int, last: str | None) -> None:
        row = PositionRow(
            account_id=account, symbol="MSFT", qty=3, avg_price=Decimal(400), updated_at=START,
            last_price=None if last is None else Decimal(last),
        )  # fmt: skip
        self._saved(row)

    def _saved(self, row: Any) -> int:
        self.session.add(row)
        self.session.flush()
        return int(row.id)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    url = f"sqlite:///{tmp_path / 'app.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine: Engine = open_engine(url)
    schema.upgrade(engine)
    with writing(engine) as session:
        session.add_all([Owner(id=1, name="a", created_at=START), Owner(id=2, name="b", created_at=START)])
        session.flush()
        yield Books(session)
    engine.dispose()


def test_only_the_same_owner_market_and_environment_counts(books: Books) -> None:
    mine, other = books.account("me"), books.account("other")
    strangers = [books.account("x", 2), books.account("y", market="KRX"), books.account("z", environment="MOCK")]
    for account in (other, *strangers):
        books.order(account, 1, "BUY", "100")
        books.holds(account, "420")
    found = exposure.siblings(books.session, START, mine)
    assert (found.accounts, found.amount) == (1, Decimal(3 * 420 + 6 * 100))
    assert [order.account_id for order in found.orders] == [other]
    assert exposure.siblings(books.session, START, strangers[1]).accounts == 0


def test_ended_orders_are_out_and_unknown_ones_count_as_open(books: Books) -> None:
    mine, other = books.account("me"), books.account("other")
    for number, status in enumerate(("FILLED", "CANCELED", "REJECTED", "UNKNOWN", "PENDING", "NEEDS_OPERATOR")):
        books.order(other, number, "SELL", "100", status)
    found = exposure.siblings(books.session, START + timedelta(hours=1), mine)
    assert len(found.orders) == 3 and found.amount == 0  # sales add no exposure


def test_a_buy_without_any_known_price_makes_the_amount_unknown_never_zero(books: Books) -> None:
    mine, other = books.account("me"), books.account("other")
    books.holds(other, None)
    books.order(other, 1, "BUY", None)
    assert exposure.siblings(books.session, START, mine).amount is None
    quote = QuoteRow(environment="SIM", market="US", symbol="AAPL", last=Decimal(100), at=START, received_at=START)
    books.session.add(quote)
    assert exposure.siblings(books.session, START, mine).amount == Decimal(3 * 400) + 6 * Decimal(130)


def test_the_owner_limit_is_the_one_of_the_accounts_currency(books: Books) -> None:
    owner = books.session.get_one(Owner, 1)
    owner.max_exposure_usd = Decimal(5000)
    us, krx = books.account("us"), books.account("krx", market="KRX")
    assert exposure.siblings(books.session, START, us).owner_limit == 5000
    assert exposure.siblings(books.session, START, krx).owner_limit is None


@pytest.mark.parametrize(
    ("side", "resting", "asked", "meets"),
    [
        (Side.BUY, "100", "100", True),
        (Side.BUY, "100", "100.01", False),
        (Side.BUY, None, "999", True),
        (Side.SELL, "100", "99.99", False),
        (Side.SELL, "100", None, True),
    ],
)
def test_two_orders_meet_when_their_prices_cross(
    side: Side, resting: str | None, asked: str | None, meets: bool
) -> None:
    order = OpenElsewhere(1, 1, "c", "AAPL", side, None if resting is None else Decimal(resting))
    assert order.meets(None if asked is None else Decimal(asked)) is meets


def test_an_order_in_the_way_is_asked_to_go_once_and_audited(books: Books) -> None:
    mine, other = books.account("me"), books.account("other")
    books.order(other, 1, "BUY", "100")
    met = exposure.siblings(books.session, START, mine).orders
    assert [exposure.ask_cancels(books.session, START, mine, met) for _ in range(3)] == [1, 0, 0]
    command = books.session.exec(select(Command)).one()
    assert (command.account_id, command.kind, command.requested_by) == (other, "CANCEL_ORDER", f"bot:{mine}")
    assert books.session.exec(select(AuditLog.actor)).all() == [f"bot:{mine}"]
