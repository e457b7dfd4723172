"""Corporate actions: nobody gains or loses by a split, and a dividend reaches every holder."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from brokers.paper.costs import CostMode
from brokers.paper.orders import ExStatus
from shared.domain.account import Market
from shared.domain.errors import NotFound
from shared.domain.market import Timeframe
from shared.domain.money import Currency
from tests.brokers.paper.floor_rig import Rig


def test_a_split_multiplies_shares_and_divides_prices(rig: Rig) -> None:
    rig.buy("AAPL", 10, 230)
    rig.run(2)
    resting = rig.buy("AAPL", 10, 150)
    (before,), quote = rig.exchange.holdings(rig.kis, Market.US), rig.exchange.quote("AAPL")
    rig.exchange.split("AAPL", 2, 1)
    (after,), now = rig.exchange.holdings(rig.kis, Market.US), rig.exchange.quote("AAPL")
    assert (after.quantity, after.average_price) == (20, before.average_price / 2)
    assert after.cost == before.cost
    assert abs(now.price - quote.price / 2) <= Decimal("0.01")
    assert abs(now.prev_close - quote.prev_close / 2) <= Decimal("0.01")
    assert resting.status is ExStatus.EXPIRED
    assert rig.ledger("EXPIRE")[-1][-1] == "SPLIT"
    rig.run(5)
    assert abs(rig.exchange.quote("AAPL").price - now.price) < 2
    assert abs(rig.exchange.bars("AAPL", Timeframe.M1, 1)[-1].close - now.price) < 2
    rig.again()
    assert rig.exchange.holdings(rig.kis, Market.US) == [after]
    assert abs(rig.exchange.quote("AAPL").prev_close - now.prev_close) <= Decimal("0.01")
    assert rig.exchange.ledger.check() == []


def test_a_korean_split_moves_the_price_limits_with_the_base_price(rig: Rig) -> None:
    limits = rig.exchange.price_limits("005930")
    rig.exchange.split("005930", 5, 1)
    after = rig.exchange.price_limits("005930")
    assert limits is not None and after is not None
    assert abs(after[1] - limits[1] / 5) < 60
    order = rig.buy("005930", 5, after[1])
    rig.run(2)
    assert order.status is ExStatus.FILLED


def test_a_merger_pays_the_fraction_of_a_share(rig: Rig) -> None:
    rig.buy("AAPL", 7, 230)
    rig.run(2)
    (held,), cash = rig.exchange.holdings(rig.kis, Market.US), rig.exchange.cash(rig.kis, Currency.USD).total
    rig.exchange.split("AAPL", 1, 5)
    (after,) = rig.exchange.holdings(rig.kis, Market.US)
    assert (after.quantity, after.average_price) == (1, held.average_price * 7)
    price = rig.exchange.quote("AAPL").price
    assert rig.exchange.cash(rig.kis, Currency.USD).total == cash + (price * 2 / 5).quantize(
        Decimal("0.01"), "ROUND_DOWN"
    )
    assert rig.exchange.ledger.check() == []


@pytest.mark.parametrize(("costs", "net"), [(CostMode.NONE, "2.40"), (CostMode.DEFAULT, "2.04")])
def test_a_dividend_reaches_every_holder_less_what_is_withheld(tmp_path: Path, costs: CostMode, net: str) -> None:
    rig = Rig(tmp_path, costs=costs)
    rig.buy("AAPL", 10, 230)
    rig.run(2)
    before = rig.exchange.cash(rig.kis, Currency.USD).total
    rig.exchange.pay_dividend("AAPL", Decimal("0.24"))
    assert rig.exchange.cash(rig.kis, Currency.USD).total - before == Decimal(net)
    assert "DIVIDEND" in {event.code for event in rig.exchange.ledger.events(kind="CASH")}
    assert rig.exchange.ledger.check() == []
    rig.close()


def test_a_share_nobody_lists_has_no_corporate_action(rig: Rig) -> None:
    with pytest.raises(NotFound):
        rig.exchange.split("ZZZZ", 2, 1)
    with pytest.raises(NotFound):
        rig.exchange.pay_dividend("ZZZZ", Decimal(1))
