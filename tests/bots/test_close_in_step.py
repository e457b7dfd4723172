"""Near the close of a half day, on the exchange: unfilled orders are cancelled, repriced or converted. And weights are kept.

A real bot on the real local exchange in step (tests/bots/lockstep.py); what is asserted is the exchange's own ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from shared.domain.order_state import OrderStatus
from tests.bots.lockstep import Run, session

CLOSES_AT = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)  # 13:00 in New York, the day after Thanksgiving
NEAR = CLOSES_AT - timedelta(minutes=10)
WAITS = """
metadata: {name: waits}
strategy:
  id: waits
  timeframe: 1m
  evaluate: bar_close
  entry: {conditions: [{indicator: close, operator: greater_than, value: 1}]}
  exit: {conditions: [{indicator: close, operator: less_than, value: 1}]}
sizing: {mode: shares, value: 3}
execution: {order_type: LIMIT, offset_ticks: -100}
universe: [AAPL]
"""
WEIGHTS = """
metadata: {name: weights}
strategy: {id: weights, timeframe: 1m, evaluate: bar_close}
rebalance: {weights: {AAPL: 55, MSFT: 35}, band_pct: 5}
execution: {order_type: MARKET}
universe: [AAPL, MSFT]
"""


def tape(path: Path, start: datetime, prices: list[str]) -> Path:
    """One bar a minute whose four prices are one."""
    rows = ["ts_utc,open,high,low,close,volume"]
    for number, price in enumerate(prices):
        rows.append(f"{start + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ},{price},{price},{price},{price},100000")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def events(run: Run, kind: str) -> list[tuple[str, Decimal | None, int]]:
    found = run.exchange.ledger.events(after=0)
    return [
        (str(one.side), None if one.price is None else Decimal(one.price), one.quantity)
        for one in found
        if one.type == kind
    ]


@pytest.mark.parametrize(
    ("action", "asked", "price", "ends"),
    [
        ("keep", None, None, OrderStatus.ACCEPTED),
        ("cancel", "CANCEL", None, OrderStatus.CANCELED),
        ("reprice", "AMEND", Decimal("199.00"), OrderStatus.ACCEPTED),  # a dollar below the best price of now
        ("convert", "AMEND", Decimal("205.40"), OrderStatus.FILLED),  # 2.7 % beyond the last: it fills at the market
    ],
)
async def test_what_the_close_would_leave_unfilled_is_seen_to_in_time(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    asked: str | None,
    price: Decimal | None,
    ends: OrderStatus,
) -> None:
    start = CLOSES_AT - timedelta(minutes=18)
    bars = tape(tmp_path / "a.csv", start, ["190.00"] * 5 + ["200.00"] * 11)
    given = {"unfilled_at_close": action, "unfilled_minutes": 10, "price_collar_pct": Decimal(3)}
    async with session(tmp_path, {"AAPL": bars}, {"AAPL": WAITS}, monkeypatch, **given) as run:
        await run.play(until=NEAR)
        (order,) = run.orders()
        assert order.status is OrderStatus.ACCEPTED and not events(run, "CANCEL") + events(run, "AMEND")
        await run.play(until=NEAR + timedelta(minutes=2))
        if asked is not None:
            await run.until("the exchange was asked", lambda: bool(events(run, asked)))
        await run.play(until=NEAR + timedelta(minutes=4))
        await run.until("it stands where it should", lambda: run.orders()[0].status is ends)
        assert len(events(run, "CANCEL") + events(run, "AMEND")) <= 1, "asked once"
        if price is not None:
            assert events(run, "AMEND")[0][1] == price
        if action == "convert":
            ((side, paid, quantity),) = events(run, "FILL")
            assert (side, quantity) == ("BUY", 3) and paid is not None and 200 <= paid <= Decimal("200.05")
        assert len(run.orders()) == 1 or action == "cancel", "nothing was bought twice"


async def test_weights_are_kept_when_one_share_runs_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """55/35 of $100,000, the rest is cash; the first share doubles: without selling it would be 71 %."""
    start = CLOSES_AT - timedelta(hours=2)
    calm, doubled = ["100.00"] * 6, ["200.00"] * 8
    tapes = {
        "AAPL": tape(tmp_path / "a.csv", start, calm + doubled),
        "MSFT": tape(tmp_path / "m.csv", start, ["50.00"] * 14),
    }
    async with session(tmp_path, tapes, {"AAPL,MSFT": WEIGHTS}, monkeypatch) as run:
        await run.play(until=start + timedelta(minutes=6))
        before = shares(run)
        assert [round(before[one] * price / 1000) for one, price in (("AAPL", 100), ("MSFT", 50))] == [55, 35]
        await run.play(until=start + timedelta(minutes=9))
        assert run.bot is not None
        await run.bot._full()  # what the sale brought is known with the next look at the cash
        await run.play()
        after = shares(run)
        values = {"AAPL": after["AAPL"] * 200, "MSFT": after["MSFT"] * 50}
    assert after["AAPL"] < before["AAPL"] and after["MSFT"] > before["MSFT"]
    whole = before["AAPL"] * 200 + before["MSFT"] * 50 + 10_000
    assert [abs(values[one] / whole - weight) <= 0.05 for one, weight in (("AAPL", 0.55), ("MSFT", 0.35))] == [True] * 2


@pytest.mark.parametrize("kind", ["MARKET", "LIMIT"])
async def test_weights_that_sum_to_all_are_bought_to_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """60/40 of $100,000: costs, and the slack of an order without a price, are left out of the last purchase."""
    start = CLOSES_AT - timedelta(hours=2)
    tapes = {
        "AAPL": tape(tmp_path / "a.csv", start, ["100.00"] * 10),
        "MSFT": tape(tmp_path / "m.csv", start, ["50.00"] * 10),
    }
    text = WEIGHTS.replace("AAPL: 55, MSFT: 35", "AAPL: 60, MSFT: 40").replace("MARKET", kind)
    async with session(tmp_path, tapes, {"AAPL,MSFT": text}, monkeypatch) as run:
        await run.play(until=start + timedelta(minutes=8))
        held, refused = shares(run), events(run, "REJECT")
    assert 0 <= 60 - held["AAPL"] * 100 / 1000 < 1
    assert 0 < 40 - held["MSFT"] * 50 / 1000 <= 3
    assert not refused


def shares(run: Run) -> dict[str, int]:
    """What was bought less what was sold, by the exchange's ledger."""
    held = {"AAPL": 0, "MSFT": 0}
    for one in run.exchange.ledger.events(after=0):
        if one.type == "FILL":
            held[one.symbol] += one.quantity if one.side == "BUY" else -one.quantity
    return held
