"""Won for won: trades at the running exchange, its cash and statement against our books and against a reckoning by hand."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP
from decimal import Decimal as D
from typing import Any

import pytest

from brokers import open_broker
from brokers.contract import Broker, Credentials, PeriodProfit
from console import wiring as wired
from console.services import buying, fees, gains, profit
from shared.clock import SystemClock
from shared.db import writing
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.errors import NotSupported
from shared.domain.gains import LotMethod
from shared.domain.order import OrderType, Side
from shared.domain.trading_days import ZONES
from shared.models import BrokerageAccount, FillRow, OrderRow, Owner, Role
from shared.store import fx, sync
from tests.brokers.exchange import Exchange, running
from tests.brokers.rig import MemoryTokens, until
from tests.console import desks
from tests.console.desks import Desk

RATE = D("1391.20")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with running(tmp_path_factory.mktemp("exchange"), "--costs", "default") as one:
        yield one


@dataclass(frozen=True)
class Case:
    broker: BrokerName
    market: Market
    app_key: str
    number: str
    symbol: str
    kind: str
    commission_pct: str


CASES = {
    "kis-krx": Case(BrokerName.KIS, Market.KRX, "PSwon000001", "20260001-01", "005930", "stock", "0.0140527"),
    "kis-etf": Case(BrokerName.KIS, Market.KRX, "PSwon000002", "20260002-01", "069500", "etf", "0.0146527"),
    "ls-krx": Case(BrokerName.LS, Market.KRX, "PSwon000003", "20260003-01", "005930", "stock", "0.015"),
    "kis-us": Case(BrokerName.KIS, Market.US, "PSwon000004", "20260004-01", "AAPL", "stock", "0.25"),
    "ls-us": Case(BrokerName.LS, Market.US, "PSwon000005", "20260005-01", "AAPL", "stock", "0.25"),
}
ORDERS = ((Side.BUY, 7), (Side.BUY, 5), (Side.SELL, 9), (Side.SELL, 3))


def taf(on: date) -> D:
    """FINRA's fee a share (markets.md §8), as a Korean broker passes it on."""
    rows = (("2028-01-01", "0.000240"), ("2027-01-01", "0.000232"), ("2026-10-01", "0"), ("2026-01-01", "0.000195"))
    return next(D(value) for start, value in rows if on >= date.fromisoformat(start))


def by_hand(case: Case, side: Side, fills: list[tuple[int, D]], on: date) -> tuple[D, D]:
    """(commission, tax) of one order: markets.md §8 in plain arithmetic, nothing of the product's."""
    whole = sum((price * quantity for quantity, price in fills), D(0))
    if case.market is Market.KRX:
        commission = (whole * D(case.commission_pct) / 100).quantize(D(1), ROUND_FLOOR)
        tax = D(0)
        if side is Side.SELL and case.kind == "stock":  # 2026 on: 0.05 % and 0.15 %, each cut below one won, KOSPI
            for quantity, price in fills:
                tax += (price * quantity * D("0.05") / 100).quantize(D(1), ROUND_FLOOR)
                tax += (price * quantity * D("0.15") / 100).quantize(D(1), ROUND_FLOOR)
        return commission, tax
    commission = (whole * D(case.commission_pct) / 100).quantize(D("0.01"), ROUND_HALF_UP)
    tax = D(0)
    if side is Side.SELL:
        for quantity, price in fills:
            tax += (price * quantity * D("20.60") / 1_000_000).quantize(D("0.01"), ROUND_CEILING)
            tax += (taf(on) * quantity).quantize(D("0.01"), ROUND_CEILING)
    return commission, tax


async def trade(case: Case, exchange: Exchange) -> tuple[list[dict[str, Any]], Any, Any, Any]:
    """Trade the orders; return the exchange's executions, cash before and after, and the broker's statement."""
    broker: Broker = open_broker(
        AccountKey(1, case.broker, case.market, Environment.SIM, 1),
        Credentials(case.app_key, "s" * 40, case.number, "WON01"),
        clock=SystemClock(), token_store=MemoryTokens(), call_log=lambda record: None,
        exchange_port_offset=exchange.offset, wire="live",
    )  # fmt: skip
    await broker.start()
    try:
        before, mark, wanted = await broker.get_cash(), exchange.mark(), 0
        for side, quantity in ORDERS:
            price = None
            if case.broker is BrokerName.LS and case.market is Market.US:  # LS takes no market buys for US shares
                last = (await broker.get_quote(case.symbol)).last
                price = (last * (D("1.03") if side is Side.BUY else D("0.97"))).quantize(D("0.01"))
            kind = OrderType.MARKET if price is None else OrderType.LIMIT
            ack = await broker.place_order(case.symbol, side, quantity, price, order_type=kind)
            assert ack.broker_order_id
            wanted += quantity
            await until(lambda total=wanted: sum(one["quantity"] for one in mine(exchange, mark, case)) >= total)  # type: ignore[misc]
        now = SystemClock().market_now()
        today = now.astimezone(ZONES[case.market]).date()
        try:
            told = await broker.get_period_profit(today, today)
        except NotSupported:  # LS has no such statement of US shares
            told = PeriodProfit(case.market.currency, None, None, None, ())
        return mine(exchange, mark, case), before, await broker.get_cash(), told
    finally:
        await broker.close()


def mine(exchange: Exchange, mark: int, case: Case) -> list[dict[str, Any]]:
    return [one for one in exchange.events(mark, "FILL") if one["symbol"] == case.symbol]


@pytest.mark.parametrize("name", list(CASES))
def test_cash_statement_books_and_a_reckoning_by_hand_agree(name: str, exchange: Exchange, desk: Desk) -> None:
    case, account = CASES[name], 1 + list(CASES).index(name)
    fills, before, after, told = asyncio.run(trade(case, exchange))
    orders: dict[str, list[tuple[int, D]]] = defaultdict(list)
    sides: dict[str, Side] = {}
    for one in fills:
        orders[one["order_id"]].append((one["quantity"], D(one["price"])))
        sides[one["order_id"]] = Side(one["side"])
    today = datetime.fromisoformat(fills[-1]["market_at"]).astimezone(ZONES[case.market]).date()
    costs = {number: by_hand(case, sides[number], rows, today) for number, rows in orders.items()}
    moved = D(0)
    for number, rows in orders.items():
        gross = sum((price * quantity for quantity, price in rows), D(0))
        moved += (gross if sides[number] is Side.SELL else -gross) - sum(costs[number])

    assert after.total - before.total == moved, "the exchange's cash moved by exactly that"

    book(desk, account, case, fills, after, told, today)
    admin = desk.actor(Role.ADMIN)
    view = profit.statement(desk.wiring, admin, today - timedelta(days=1), today + timedelta(days=1))
    days = [day for day in view.days if day.account_id == account]
    commission, tax = sum(one[0] for one in costs.values()), sum(one[1] for one in costs.values())
    assert (sum(day.fees for day in days), sum(day.taxes for day in days)) == (commission, tax)
    # All twelve were bought and sold again: what is left of it is what the cash moved by, under either method.
    assert sum(day.net for day in days) == moved
    for method in LotMethod:
        found = gains.of_year(desk.wiring, admin, today.year, method)
        lines = [one for one in found.lines if one.account_id == account]
        if not lines:  # the sale settles in the next year
            continue
        assert sum(one.gain for one in lines) == pytest.approx(moved, abs=D("1e-9"))
        won = RATE if case.market is Market.US else D(1)
        assert sum(one.gain_won or D(0) for one in lines) == pytest.approx(moved * won, abs=D("1e-6"))

    told_days = fees.differences(desk.wiring, admin, today - timedelta(days=1), today + timedelta(days=1))
    (line,) = [one for one in told_days if one.account_id == account]
    if case is not CASES["ls-us"]:  # which tells nothing
        sold = [number for number, side in sides.items() if side is Side.SELL]
        of_sales = sum((costs[number][0] for number in sold), D(0))
        gross = moved + commission + tax
        charged = (of_sales if case.broker is BrokerName.KIS else commission) + tax
        assert line.fee_off == 0 and line.tax_off in (0, None)
        assert told.fees + (told.taxes or 0) == charged, "the broker's statement, by hand"
        assert line.told_gain == line.gain == gross - of_sales - tax
    (cash,) = [one for one in buying.listed(desk.wiring, admin) if one.account_id == account]
    assert cash.traded == after.total and cash.buying_power == after.buying_power
    assert cash.off == 0
    if case.broker is BrokerName.KIS and case.market is Market.KRX:
        assert dict(cash.stages) == {"d0": before.total, "d1": before.total, "d2": after.total}, "D+2 settles it"
    if case.market is Market.US:
        assert after.krw_rate is not None and 1000 < after.krw_rate < 2000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = desks.empty_desk(tmp_path_factory.mktemp("books"))
    now = made.wiring.clock.wall_now()
    with writing(made.wiring.engine) as session:
        session.add(Owner(id=1, name="주인", created_at=now))
        fx.record(session, base="USD", quote="KRW", rate=RATE, source="desk", at=now - timedelta(days=2))
    wired.use(made.wiring)
    return made


def book(desk: Desk, account: int, case: Case, fills: list[dict[str, Any]], cash: Any, told: Any, today: date) -> None:
    """Write the executions as a bot would have told them, fees unknown, and the broker's own words."""
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        session.add(
            BrokerageAccount(
                id=account,
                owner_id=1,
                nickname=case.app_key,
                broker=case.broker,
                market=case.market,
                environment="SIM",
                created_at=now,
            )
        )
        sync.apply(
            session, account, "instruments", {
                "market": case.market, "symbol": case.symbol, "venue": "KRX", "currency": case.market.currency, "type": case.kind,
                "board": "KOSPI" if case.market is Market.KRX else "", "fetched_at": now.isoformat(),
            }
        )  # fmt: skip
        session.flush()
        numbers: dict[str, int] = {}
        for one in fills:
            at = datetime.fromisoformat(one["market_at"])
            if one["order_id"] not in numbers:
                row = OrderRow(
                    account_id=account, client_order_id=one["order_id"], symbol=case.symbol, side=one["side"], qty=1,
                    status="FILLED", placed_at=at, updated_at=at,
                )  # fmt: skip
                session.add(row)
                session.flush()
                numbers[one["order_id"]] = row.id or 0
            session.add(
                FillRow(
                    order_id=numbers[one["order_id"]], account_id=account, execution_id=str(one["seq"]), symbol=case.symbol,
                    side=one["side"], qty=one["quantity"], price=D(one["price"]), currency=case.market.currency,
                    filled_at=at, recorded_at=at,
                )
            )  # fmt: skip
        whole = {
            "trade_date": today.isoformat(), "symbol": "", "currency": told.currency, "qty": 0,
            "realized_pnl": _text(told.realized), "fees": _text(told.fees), "taxes": _text(told.taxes), "of_sales": told.of_sales,
            "updated_at": now.isoformat(),
        }  # fmt: skip
        sync.apply(session, account, "profits", whole)
        stages = {name: _text(value) for name, value in cash.stages.items()}
        row = {
            "currency": cash.currency, "total": _text(cash.total), "buying_power": _text(cash.buying_power),
            "equity": None, "as_of": now.isoformat(), "stages": stages,
        }  # fmt: skip
        sync.apply(session, account, "cash", row)


def _text(value: D | None) -> str | None:
    return None if value is None else format(value, "f")
