"""The exchange: orders, fills, refusals, and the same state after a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.paper.accounts import ExEnv, Profile, UnknownAccount, fingerprint
from brokers.paper.clients import Lot
from brokers.paper.orders import EventKind, ExKind, ExOrder, ExStatus, Reject, RejectReason, order_id
from shared.domain.account import BrokerName, Market
from shared.domain.money import Currency
from shared.domain.order import Side, TimeInForce
from tests.brokers.paper.floor_rig import SUNDAY_NIGHT, Rig

GOLDEN = Path(__file__).parent / "golden"


def script(rig: Rig) -> None:
    """A small day: marketable and resting orders, partial fills, amend, cancel, refusals, both markets."""
    rig.run(2)
    rig.buy("AAPL", 10, rig.exchange.quote("AAPL").ask)
    rig.buy("005930", 30)
    rig.run(2)
    resting = rig.buy("AAPL", 25, rig.exchange.quote("AAPL").bid - Decimal("0.05"))
    far = rig.buy("MSFT", 5, 300)
    rig.run(20)
    rig.buy("035420", 450, rig.exchange.quote("035420").ask)
    amended = rig.exchange.amend(rig.kis, far.order_no, quantity=None, price=Decimal("310.00"))
    rig.run(3)
    rig.exchange.cancel(rig.kis, amended.order_no, quantity=2)
    rig.exchange.cancel(rig.kis, amended.order_no, quantity=None)
    for refused in (lambda: rig.sell("AAPL", 999, 200), lambda: rig.buy("005930", 1, 71_250)):
        with pytest.raises(Reject):
            refused()
    rig.sell("AAPL", 10, rig.exchange.quote("AAPL").bid)
    rig.sell("005930", 12)
    rig.run(30)
    assert resting.status is ExStatus.FILLED


def test_the_committed_golden_trades_are_still_what_the_seeded_day_gives(rig: Rig) -> None:
    script(rig)
    rows = [list(row) for row in rig.ledger()]
    assert rows == json.loads((GOLDEN / "ledger_seed7.json").read_text(encoding="utf-8"))
    assert rig.exchange.ledger.check() == []


def test_the_same_script_gives_the_same_ledger_twice(tmp_path: Path) -> None:
    ledgers = []
    for name in ("one", "two"):
        rig = Rig(tmp_path / name)
        script(rig)
        ledgers.append(rig.exchange.ledger.events())
        rig.close()
    assert ledgers[0] == ledgers[1]


def test_a_marketable_order_fills_within_two_seconds(rig: Rig) -> None:
    for symbol, price in (("AAPL", 230), ("005930", None), ("SPY", 600), ("069500", 37_000)):
        order = rig.buy(symbol, 7, price)
        rig.run(2)
        assert order.status is ExStatus.FILLED
        assert order.average_price is not None
        assert price is None or order.average_price < price


def test_an_order_larger_than_what_is_shown_fills_in_parts(rig: Rig) -> None:
    rig.run(1)
    ask = rig.exchange.book("035420").asks[0]
    order = rig.buy("035420", ask.quantity + 60, ask.price)
    rig.run(0.05, step_s=0.05)
    assert (order.filled, order.leaves, order.status) == (ask.quantity, 60, ExStatus.OPEN)
    rig.exchange.move("035420", price=ask.price - 1000)
    rig.run(2)
    executions = rig.exchange.executions(rig.kis, order.order_no)
    assert [(e.exec_no, e.quantity, e.price) for e in executions] == [(1, ask.quantity, ask.price), (2, 60, ask.price)]


def test_a_resting_order_waits_for_the_tape_and_fills_at_its_own_price(rig: Rig) -> None:
    rig.run(1)
    price = rig.exchange.quote("AAPL").bid - Decimal("0.10")
    order = rig.buy("AAPL", 3, price)
    rig.run(0.5)
    assert (order.status, order.filled) == (ExStatus.OPEN, 0)
    rig.exchange.move("AAPL", price=price - Decimal("0.02"))
    rig.run(2)
    assert (order.status, order.average_price) == (ExStatus.FILLED, price)


def test_cash_is_locked_while_a_buy_waits_and_freed_by_its_cancel(rig: Rig) -> None:
    order = rig.buy("AAPL", 10, 150)
    view = rig.exchange.cash(rig.kis, Currency.USD)
    assert (view.total, view.reserved, view.orderable) == (100_000, 1_500, 98_500)
    rig.exchange.cancel(rig.kis, order.order_no, quantity=4)
    assert rig.exchange.cash(rig.kis, Currency.USD).reserved == 900
    rig.exchange.cancel(rig.kis, order.order_no, quantity=None)
    assert rig.exchange.cash(rig.kis, Currency.USD).orderable == 100_000
    assert order.status is ExStatus.CANCELED


def test_a_korean_order_at_market_locks_the_upper_limit_price(rig: Rig) -> None:
    rig.exchange.move("005930", halted=False)
    limits = rig.exchange.price_limits("005930")
    assert limits is not None
    most = int(100_000_000 // limits[1])
    assert rig.exchange.buying_power(rig.kis, Market.KRX, "005930", None) == (100_000_000, most)
    with pytest.raises(Reject) as refused:
        rig.buy("005930", most + 1)
    assert refused.value.reason is RejectReason.INSUFFICIENT_CASH
    rig.buy("005930", most)
    assert rig.exchange.cash(rig.kis, Currency.KRW).reserved == most * limits[1]


def test_shares_on_sale_cannot_be_sold_twice(rig: Rig) -> None:
    rig.buy("AAPL", 10, 230)
    rig.run(2)
    rig.sell("AAPL", 6, 250)
    holding = rig.exchange.holdings(rig.kis, Market.US)[0]
    assert (holding.quantity, holding.sellable, holding.bought_today) == (10, 4, 10)
    with pytest.raises(Reject) as refused:
        rig.sell("AAPL", 5, 250)
    assert refused.value.reason is RejectReason.INSUFFICIENT_HOLDING


def test_the_average_price_moves_with_buys_and_not_with_sells(rig: Rig) -> None:
    first = rig.buy("AAPL", 10, 230)
    rig.run(2)
    rig.exchange.move("AAPL", price=Decimal(220))
    second = rig.buy("AAPL", 30, 240)
    rig.run(2)
    rig.sell("AAPL", 15, 180)
    rig.run(2)
    holding = rig.exchange.holdings(rig.kis, Market.US)[0]
    assert holding.quantity == 25
    assert holding.average_price == (first.filled_amount + second.filled_amount) / 40
    rig.sell("AAPL", 25, 180)
    rig.run(2)
    assert rig.exchange.holdings(rig.kis, Market.US) == []


def refusing(reason: RejectReason, act: Callable[[Rig], object]) -> object:
    return pytest.param(reason, act, id=reason)


@pytest.mark.parametrize(
    ("reason", "act"),
    [
        refusing(RejectReason.INSUFFICIENT_CASH, lambda rig: rig.buy("AAPL", 10_000, 200)),
        refusing(RejectReason.INSUFFICIENT_HOLDING, lambda rig: rig.sell("AAPL", 1, 200)),
        refusing(RejectReason.BAD_TICK, lambda rig: rig.buy("AAPL", 1, "200.005")),
        refusing(RejectReason.PRICE_LIMIT, lambda rig: rig.buy("005930", 1, 120_000)),
        refusing(RejectReason.BAD_PRICE, lambda rig: rig.buy("AAPL", 1, 0)),
        refusing(RejectReason.BAD_PRICE, lambda rig: rig.buy("AAPL", 1, "NaN")),
        refusing(RejectReason.BAD_QUANTITY, lambda rig: rig.buy("AAPL", 0, 200)),
        refusing(RejectReason.UNKNOWN_SYMBOL, lambda rig: rig.buy("ZZZZ", 1, 200)),
        refusing(RejectReason.UNSUPPORTED_TYPE, lambda rig: rig.buy("AAPL", 1)),
        refusing(RejectReason.UNKNOWN_ORDER, lambda rig: rig.exchange.cancel(rig.kis, 5, quantity=None)),
    ],
)
def test_what_is_refused_changes_nothing_and_stands_in_the_ledger(
    rig: Rig, reason: RejectReason, act: Callable[[Rig], object]
) -> None:
    with pytest.raises(Reject) as refused:
        act(rig)
    assert refused.value.reason is reason
    assert [row[-1] for row in rig.ledger("REJECT")] == [reason.value]
    assert rig.ledger("ORDER") == []
    assert rig.exchange.cash(rig.kis, Currency.USD).orderable == 100_000


def test_another_account_cannot_touch_an_order(rig: Rig) -> None:
    order = rig.buy("AAPL", 1, 150)
    other = rig.exchange.account(BrokerName.KIS, ExEnv.LIVE, "99999999-01")
    with pytest.raises(Reject) as refused:
        rig.exchange.cancel(other, order.order_no, quantity=None)
    assert refused.value.reason is RejectReason.UNKNOWN_ORDER
    assert order.status is ExStatus.OPEN


def test_an_amend_is_a_new_number_that_names_the_old_one(rig: Rig) -> None:
    old = rig.buy("AAPL", 10, 150)
    new = rig.exchange.amend(rig.kis, old.order_no, quantity=None, price=Decimal("151.00"))
    assert (new.orig_order_no, new.kind, new.leaves, old.status) == (
        old.order_no,
        ExKind.AMEND,
        10,
        ExStatus.REPLACED,
    )
    assert rig.exchange.open_orders(rig.kis, Market.US) == [new]
    assert rig.exchange.cash(rig.kis, Currency.USD).reserved == 1_510
    part = rig.exchange.amend(rig.kis, new.order_no, quantity=4, price=Decimal("149.00"))
    assert (new.leaves, part.leaves) == (6, 4)
    with pytest.raises(Reject) as refused:
        rig.exchange.amend(rig.kis, new.order_no, quantity=7, price=Decimal("149.00"))
    assert refused.value.reason is RejectReason.QUANTITY_OVER_LEAVES


def test_an_amend_that_cash_does_not_cover_leaves_the_order_as_it_was(rig: Rig) -> None:
    old = rig.buy("AAPL", 600, 150)
    with pytest.raises(Reject) as refused:
        rig.exchange.amend(rig.kis, old.order_no, quantity=None, price=Decimal(190))
    assert refused.value.reason is RejectReason.INSUFFICIENT_CASH
    assert (old.status, old.leaves) == (ExStatus.OPEN, 600)


def test_a_filled_order_can_be_neither_amended_nor_cancelled(rig: Rig) -> None:
    order = rig.buy("AAPL", 1, 230)
    rig.run(2)
    for act in (
        lambda: rig.exchange.cancel(rig.kis, order.order_no, quantity=None),
        lambda: rig.exchange.amend(rig.kis, order.order_no, quantity=None, price=Decimal(1)),
    ):
        with pytest.raises(Reject) as refused:
            act()
        assert refused.value.reason is RejectReason.ALREADY_DONE


def test_events_follow_the_answer_in_order_and_only_once(rig: Rig) -> None:
    order = rig.buy("AAPL", 5, 230)
    assert rig.told == []  # the answer first
    rig.run(2)
    assert [(e.kind, e.order.order_no) for e in rig.told] == [
        (EventKind.ACCEPTED, order.order_no),
        (EventKind.FILLED, order.order_no),
    ]
    rest = rig.buy("AAPL", 5, 150)
    request = rig.exchange.cancel(rig.kis, rest.order_no, quantity=None)
    rig.run(1)
    assert [(e.kind, e.order, e.original) for e in rig.told[2:]] == [
        (EventKind.ACCEPTED, rest, None),
        (EventKind.CANCELED, request, rest),
    ]


def test_a_halted_symbol_takes_no_order_and_fills_none_but_lets_go(rig: Rig) -> None:
    resting = rig.buy("AAPL", 5, 150)
    rig.exchange.move("AAPL", halted=True)
    with pytest.raises(Reject) as refused:
        rig.buy("AAPL", 5, 230)
    assert refused.value.reason is RejectReason.HALTED
    rig.exchange.cancel(rig.kis, resting.order_no, quantity=None)
    rig.exchange.move("AAPL", halted=False)
    rig.run(2)
    rig.buy("AAPL", 5, 230)
    rig.run(2)
    assert rig.exchange.holdings(rig.kis, Market.US)[0].quantity == 5


def test_ioc_takes_what_is_there_and_gives_the_rest_back(rig: Rig) -> None:
    ask = rig.exchange.book("035420").asks[0]
    order = rig.order(Side.BUY, "035420", ask.quantity + 20, ask.price, time_in_force=TimeInForce.IOC)
    rig.run(0.25)
    assert (order.filled, order.canceled, order.status) == (ask.quantity, 20, ExStatus.CANCELED)
    assert rig.exchange.cash(rig.kis, Currency.KRW).reserved == 0
    assert rig.ledger("CANCEL")[-1][-1] == "IOC"


def test_an_order_ends_with_its_trade_date(rig: Rig) -> None:
    order = rig.buy("005930", 1, 60_000)
    rig.run(3)
    rig.hand.at = datetime(2026, 11, 22, 15, 0, 30, tzinfo=UTC)  # past midnight in Seoul
    rig.exchange.advance()
    assert order.status is ExStatus.EXPIRED
    assert rig.told[-1].kind is EventKind.EXPIRED
    assert rig.ledger("EXPIRE")[0][1] == order_id(BrokerName.KIS, ExEnv.LIVE, order.order_no)
    assert rig.exchange.cash(rig.kis, Currency.KRW).reserved == 0


def test_lists_are_newest_first_by_trade_date_and_show_requests(rig: Rig) -> None:
    one, two = rig.buy("AAPL", 1, 150), rig.buy("MSFT", 1, 150)
    request = rig.exchange.cancel(rig.kis, one.order_no, quantity=None)
    rig.buy("005930", 1, 60_000)
    today = rig.exchange.trade_date(Market.US)
    assert rig.exchange.orders(rig.kis, Market.US, today, today) == [request, two, one]
    assert rig.exchange.open_orders(rig.kis, Market.US) == [two]
    yesterday = today - timedelta(days=1)
    assert rig.exchange.orders(rig.kis, Market.US, yesterday, yesterday) == []


def view(rig: Rig) -> object:
    today = rig.exchange.trade_date(Market.US)
    rows: list[ExOrder] = rig.exchange.orders(rig.kis, Market.US, today, today)
    return (
        [(o.order_no, o.status, o.leaves, o.filled_amount, o.orig_order_no) for o in rows],
        [o.order_no for o in rig.exchange.open_orders(rig.kis, Market.US)],
        [rig.exchange.executions(rig.kis, o.order_no) for o in rows],
        [rig.exchange.holdings(rig.kis, market) for market in Market],
        [rig.exchange.cash(rig.kis, currency) for currency in Currency],
        rig.exchange.ledger.events(),
    )


def test_a_restart_goes_on_with_the_same_orders_money_and_numbers(rig: Rig) -> None:
    script(rig)
    waiting = rig.buy("AAPL", 2, 205)
    rig.run(1)
    before = view(rig)
    rig.again()
    assert view(rig) == before
    after = rig.buy("AAPL", 1, 150)
    assert after.order_no == waiting.order_no + 1
    rig.exchange.move("AAPL", price=Decimal(204))
    rig.run(2)
    found = rig.exchange.order(rig.kis, waiting.order_no)
    assert found is not None and found.status is ExStatus.FILLED


def test_numbers_run_apart_for_each_broker_and_side(rig: Rig) -> None:
    mock = rig.exchange.account(BrokerName.KIS, ExEnv.MOCK, "50001234-01")
    ls = rig.exchange.account_of_key(BrokerName.LS, "some-key")
    orders = [rig.order(Side.BUY, "005930", 1, 60_000, account=account) for account in (rig.kis, mock, ls)]
    ids = [order_id(o.account.broker, o.account.env, o.order_no) for o in orders]
    assert ids == ["0030001000", "37500", "1"]


def test_tokens_live_through_a_restart_by_fingerprint_only(rig: Rig) -> None:
    issued = rig.exchange.issue_token(BrokerName.KIS, ExEnv.LIVE, "canary-key", 86_400)
    gone = rig.exchange.issue_token(BrokerName.LS, ExEnv.MOCK, "Vother", 60)
    assert rig.exchange.revoke_token(gone.value)
    rig.again()
    assert rig.exchange.check_token(issued.value) == issued
    assert rig.exchange.current_token(BrokerName.KIS, ExEnv.LIVE, "canary-key") == issued
    assert rig.exchange.current_token(BrokerName.KIS, ExEnv.MOCK, "canary-key") is None
    assert rig.exchange.check_token(gone.value) is None
    assert [row[-1] for row in rig.ledger("TOKEN")] == ["ISSUED", "ISSUED", "REVOKED"]
    rig.state.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = b"".join(path.read_bytes() for path in rig.folder.iterdir())
    assert b"canary-key" not in kept and issued.value.encode() not in kept


def test_ls_keys_choose_their_account_and_side(rig: Rig) -> None:
    live, mock = (rig.exchange.account_of_key(BrokerName.LS, key) for key in ("abc", "Vabc"))
    assert (live.env, mock.env) == (ExEnv.LIVE, ExEnv.MOCK)
    assert live.number != mock.number and len(live.number) == len(mock.number) == 11
    assert rig.exchange.account_of_key(BrokerName.LS, "abc") == live
    assert rig.exchange.used_by(live.id, fingerprint("abc"))
    assert not rig.exchange.used_by(live.id, fingerprint("Vabc"))


def test_strict_knows_registered_accounts_only(tmp_path: Path) -> None:
    rig = Rig(tmp_path, profile=Profile.STRICT)
    with pytest.raises(UnknownAccount):
        rig.exchange.account(BrokerName.KIS, ExEnv.LIVE, "12345678-01", app_key="mine")
    with pytest.raises(UnknownAccount):
        rig.exchange.account_of_key(BrokerName.LS, "mine")
    opened = rig.exchange.register(
        broker=BrokerName.KIS,
        env=ExEnv.LIVE,
        app_key="mine",
        secret="s",
        account="1234567801",
        hts_id="ME",
        cash={Currency.USD: Decimal(500)},
        holdings=[("AAPL", 3, Decimal("200.5"))],
    )
    assert rig.exchange.account(BrokerName.KIS, ExEnv.LIVE, "12345678-01", app_key="mine") == opened
    with pytest.raises(UnknownAccount):
        rig.exchange.account(BrokerName.KIS, ExEnv.LIVE, "12345678-01", app_key="another")
    assert rig.exchange.cash(opened, Currency.USD).total == 500
    held = rig.exchange.holdings(opened, Market.US)
    assert [(h.symbol, h.quantity, h.average_price) for h in held] == [("AAPL", 3, Decimal("200.5"))]
    rig.again()
    assert rig.exchange.holdings(opened, Market.US) == held
    rig.close()


def test_registering_a_known_account_brings_its_means_to_what_is_named(rig: Rig) -> None:
    def register(cash: dict[Currency, Decimal] | None, holdings: list[Lot]) -> None:
        rig.exchange.register(
            broker=BrokerName.KIS, env=ExEnv.LIVE, app_key="k", secret="s", account="12345678-01", hts_id="",
            cash=cash, holdings=holdings,
        )  # fmt: skip

    rig.buy("AAPL", 10, 230)
    rig.run(2)
    register({Currency.USD: Decimal(5_000)}, [("AAPL", 4, Decimal(1)), ("005930", 2, Decimal(70_000))])
    assert rig.exchange.cash(rig.kis, Currency.USD).total == 5_000
    assert rig.exchange.cash(rig.kis, Currency.KRW).total == 100_000_000
    held = [(h.symbol, h.quantity) for market in Market for h in rig.exchange.holdings(rig.kis, market)]
    assert held == [("AAPL", 4), ("005930", 2)]
    register(None, [])
    assert rig.exchange.cash(rig.kis, Currency.USD).total == 5_000
    before = view(rig)
    rig.again()
    assert view(rig) == before
    assert rig.exchange.ledger.check() == []


def test_strict_keeps_the_markets_hours_and_compat_never_closes(tmp_path: Path) -> None:
    monday_noon_kst = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    hours = {}
    for profile in Profile:
        for at in (SUNDAY_NIGHT, monday_noon_kst):
            rig = Rig(tmp_path / f"{profile}{at.day}", profile=profile, at=at)
            hours[profile, at] = rig.exchange.session_open("005930")
            rig.close()
    assert hours == {
        (Profile.COMPAT, SUNDAY_NIGHT): True,
        (Profile.COMPAT, monday_noon_kst): True,
        (Profile.STRICT, SUNDAY_NIGHT): False,
        (Profile.STRICT, monday_noon_kst): True,
    }


moves = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.sampled_from(Side), st.sampled_from(["AAPL", "005930"]), st.integers(1, 600), st.integers(-8, 8)),
        st.tuples(st.just("cancel"), st.integers(0, 9), st.none() | st.integers(1, 50)),
        st.tuples(st.just("amend"), st.integers(0, 9), st.none() | st.integers(1, 50), st.integers(-8, 8)),
        st.tuples(st.just("run"), st.sampled_from([0.25, 1.5, 4.0])),
        st.tuples(st.just("move"), st.sampled_from(["AAPL", "005930"]), st.sampled_from([97, 99, 101, 103])),
        st.tuples(st.just("restart")),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(moves)
def test_whatever_clients_do_cash_and_shares_are_conserved(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    rig = Rig(tmp_path_factory.mktemp("exchange"))
    numbers: list[int] = []
    for step in steps:
        try:
            act(rig, numbers, step)
        except Reject:
            continue
    assert_conserved(rig)
    rig.close()


def act(rig: Rig, numbers: list[int], step: tuple[object, ...]) -> None:
    match step:
        case ("order", Side() as side, str(symbol), int(quantity), int(ticks)):
            price = rig.exchange.quote(symbol).price
            numbers.append(
                rig.order(side, symbol, quantity, price + ticks * rig.exchange.tick_size(symbol, price)).order_no
            )
        case ("cancel", int(which), quantity) if which < len(numbers):
            rig.exchange.cancel(rig.kis, numbers[which], quantity=quantity if isinstance(quantity, int) else None)
        case ("amend", int(which), quantity, int(ticks)) if which < len(numbers):
            order = rig.exchange.order(rig.kis, numbers[which])
            assert order is not None
            price = rig.exchange.quote(order.symbol).price
            wanted = price + ticks * rig.exchange.tick_size(order.symbol, price)
            asked = quantity if isinstance(quantity, int) else None
            numbers.append(rig.exchange.amend(rig.kis, order.order_no, quantity=asked, price=wanted).order_no)
        case ("run", float(seconds)):
            rig.run(seconds)
        case ("move", str(symbol), int(pct)):
            rig.exchange.move(symbol, price=rig.exchange.quote(symbol).price * pct / 100)
        case ("restart",):
            rig.again()


def assert_conserved(rig: Rig) -> None:
    exchange, account = rig.exchange, rig.kis
    assert exchange.ledger.check() == []
    today = exchange.trade_date(Market.US)
    rows = [
        o
        for market in Market
        for o in exchange.orders(account, market, today - timedelta(days=2), today + timedelta(days=2))
    ]
    for currency in Currency:
        mine = [o for o in rows if o.market.currency is currency and o.kind is not ExKind.CANCEL]
        spent = sum(((1 if o.side is Side.BUY else -1) * o.filled_amount for o in mine), Decimal(0))
        start = Decimal(100_000 if currency is Currency.USD else 100_000_000)
        view = exchange.cash(account, currency)
        assert view.total == start - spent
        assert view.orderable >= 0
    for order in rows:
        executions = exchange.executions(account, order.order_no)
        assert order.filled == sum(e.quantity for e in executions)
        assert order.filled_amount == sum(e.quantity * e.price for e in executions)
        assert order.kind is ExKind.CANCEL or 0 <= order.filled + order.canceled + order.moved <= order.quantity
        if order.price is not None:
            better = (e.price <= order.price if order.side is Side.BUY else e.price >= order.price for e in executions)
            assert all(better)
    for holding in (h for market in Market for h in exchange.holdings(account, market)):
        mine = [o for o in rows if o.symbol == holding.symbol and o.kind is not ExKind.CANCEL]
        assert holding.quantity == sum(o.filled if o.side is Side.BUY else -o.filled for o in mine)
        assert 0 <= holding.sellable <= holding.quantity
