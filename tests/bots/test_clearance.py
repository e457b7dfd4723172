"""What the guards are told is what the account really has: exposure, rates, the first day, the owner's other accounts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from bots.clearance import CROSSING_PATIENCE_S
from bots.daybook import DayBook
from shared.domain.account import Environment
from shared.domain.market import Detail
from shared.domain.order import Side
from shared.domain.signal import Denied
from shared.store.exposure import OpenElsewhere, Siblings
from tests.bots.conftest import TODAY
from tests.bots.test_trader import LIMITS, Floor, floor  # noqa: F401  (a fixture)
from tests.fakes import KEY

NOBODY = Siblings(0, Decimal(0), (), None)


def resting(side: Side, price: str | None = "100") -> Siblings:
    order = OpenElsewhere(7, 70, "theirs", "AAPL", side, None if price is None else Decimal(price))
    return Siblings(1, Decimal(0), (order,), None)


def code(one: Floor, side: Side = Side.BUY, price: str = "100.00", quantity: int = 10, rule_id: int | None = 1) -> str:
    request = one.room.request(side, quantity, price, rule_id=rule_id, reduces=side is Side.SELL)
    outcome = one.trader.clearance.check(request)
    return outcome.code if isinstance(outcome, Denied) else "ok"


async def test_open_buys_and_holdings_of_all_symbols_count_as_exposure(floor: Floor) -> None:  # noqa: F811
    await floor.tick("100")
    floor.trader.clearance.limits = replace(LIMITS, max_account_amount=Decimal(2000))
    assert code(floor, quantity=20) == "ok"
    await floor.room.desk.place(floor.room.request(quantity=5, price="100.00", symbol="MSFT"), TODAY)
    assert code(floor, quantity=15) == "ok"
    assert code(floor, quantity=16) == "max_account_amount"
    await floor.fill_all()
    assert code(floor, quantity=16) == "max_account_amount"  # held now, the same money


async def test_orders_of_the_last_minute_are_braked_and_an_older_one_is_forgotten(floor: Floor) -> None:  # noqa: F811
    await floor.tick("100")
    floor.trader.clearance.limits = replace(LIMITS, max_orders_per_minute=2)
    for number in range(2):
        await floor.room.desk.place(floor.room.request(quantity=1, price="90.00", symbol=f"X{number}"), TODAY)
    assert code(floor) == "order_rate"
    floor.room.clock.pass_s(61)
    await floor.tick("100")
    assert code(floor) == "ok"


async def test_the_same_fill_over_and_over_rests_the_rule_alone(floor: Floor) -> None:  # noqa: F811
    await floor.tick("100")
    floor.trader.clearance.limits = replace(LIMITS, max_repeats=2)
    for _ in range(2):
        await floor.room.desk.place(floor.room.request(quantity=1, price="100.00"), TODAY)
        await floor.fill_all()
    assert code(floor) == "repeated"
    assert code(floor, rule_id=2) == "ok"


async def test_the_first_live_day_is_capped_and_the_next_is_not(floor: Floor) -> None:  # noqa: F811
    await floor.tick("100")
    clearance = floor.trader.clearance
    clearance.limits = replace(LIMITS, first_day_amount=Decimal(500))
    assert code(floor) == "ok"  # SIM has no first day
    clearance.live = True
    assert (code(floor), code(floor, quantity=5)) == ("first_day_cap", "ok")
    clearance.first_traded_on = TODAY.isoformat()
    assert code(floor) == "first_day_cap"
    clearance.first_traded_on = TODAY.replace(day=19).isoformat()
    assert code(floor) == "ok"


async def test_a_halted_symbol_and_an_odd_lot_are_refused_as_the_broker_tells(floor: Floor) -> None:  # noqa: F811
    await floor.tick("100")
    told = Detail("AAPL", Decimal(100), None, None, None, None, None, lot=10, tradable=True)
    floor.trader.clearance.details["AAPL"] = told
    assert (code(floor), code(floor, quantity=15)) == ("ok", "lot")
    floor.trader.clearance.details["AAPL"] = replace(told, tradable=False)
    assert (code(floor), code(floor, Side.SELL)) == ("not_tradable", "not_tradable")


async def test_a_configuration_of_another_environment_stops_every_order(floor: Floor) -> None:  # noqa: F811
    await floor.tick("100")
    clearance = floor.trader.clearance

    class Config:
        limits, first_traded_on, extended_hours = LIMITS, None, frozenset[str]()
        key = KEY

    clearance.configure(Config(), KEY, KEY)  # type: ignore[arg-type]
    assert code(floor) == "ok"
    clearance.configure(Config(), replace(KEY, environment=Environment.MOCK), KEY)  # type: ignore[arg-type]
    assert (code(floor), code(floor, Side.SELL)) == ("account_mismatch", "account_mismatch")


async def test_an_old_picture_of_the_others_stops_entries_and_no_picture_too(floor: Floor) -> None:  # noqa: F811
    await floor.tick("100")
    for known, age_s, expected in (
        (None, 0.0, "elsewhere_stale"),
        (resting(Side.BUY), 5.1, "elsewhere_stale"),
        (resting(Side.BUY), 5.0, "ok"),
        (NOBODY, 1e9, "ok"),
    ):
        floor.trader.clearance.elsewhere = lambda known=known, age_s=age_s: (known, age_s)
        assert code(floor) == expected


async def test_a_buy_never_meets_another_account_of_the_owner(floor: Floor) -> None:  # noqa: F811
    await floor.tick("100")
    for theirs, price, expected in (
        ("100", "100.00", "opposite_order"),
        ("100", "99.99", "ok"),
        (None, "1.00", "opposite_order"),
    ):
        floor.trader.clearance.limits = replace(LIMITS, price_collar_pct=Decimal(100))
        floor.trader.clearance.elsewhere = lambda theirs=theirs: (resting(Side.SELL, theirs), 1.0)
        assert code(floor, price=price) == expected


async def test_the_owner_limit_counts_what_the_others_have(floor: Floor) -> None:  # noqa: F811
    await floor.tick("100")
    for amount, expected in ((Decimal(1000), "ok"), (Decimal(1001), "max_owner_amount"), (None, "exposure_unknown")):
        known = Siblings(1, amount, (), Decimal(2000))
        floor.trader.clearance.elsewhere = lambda known=known: (known, 1.0)
        assert code(floor) == expected
    floor.trader.clearance.elsewhere = lambda: (replace(NOBODY, owner_limit=Decimal(999)), 1e9)
    assert code(floor) == "max_owner_amount"  # alone, the limit holds all the same


async def test_an_exit_asks_the_others_order_away_and_waits_but_not_for_ever(floor: Floor) -> None:  # noqa: F811
    asked: list[str] = []

    async def clear_way(met: tuple[OpenElsewhere, ...]) -> None:
        asked.extend(one.client_order_id for one in met)

    floor.trader.clear_way = clear_way
    floor.configure(floor.config())
    await floor.tick("101")
    await floor.fill_all()
    floor.trader.clearance.elsewhere = lambda: (resting(Side.BUY), 1.0)
    await floor.tick("95")
    assert floor.room.broker.sent == ["place"] and asked == ["theirs"]
    for _ in range(int(CROSSING_PATIENCE_S)):
        await floor.tick("95")
    assert floor.room.orders.all()[-1].request.reason == "stop_loss"  # a stop gets out
    assert floor.room.broker.sent == ["place", "place"]


async def test_the_daily_loss_halt_survives_a_restart(floor: Floor) -> None:  # noqa: F811
    floor.trader.clearance.limits = replace(LIMITS, max_daily_loss=Decimal(20))
    await floor.tick("100")
    marks = floor.daybook.first_marks(TODAY, (), floor.feed.price)
    from bots.journal import Changes

    await floor.room.journal.write(Changes(marks=marks))
    for side, price in ((Side.BUY, "100.00"), (Side.SELL, "95.00")):
        await floor.room.desk.place(floor.room.request(side, 5, price, reduces=side is Side.SELL), TODAY)
        await floor.fill_all()
    assert code(floor) == "max_daily_loss"
    again = await floor.room.restart()
    state = await again.journal.load(TODAY)
    book = DayBook(again.orders, state.marks)
    assert book.pnl(TODAY, lambda symbol: Decimal(100)) == Decimal(-25)
    await again.journal.close()
