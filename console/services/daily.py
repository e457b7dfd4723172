"""The day in figures, per account and in its own currency, and as a small picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from console.services import overview
from console.services.blocked import midnight
from console.services.holdings import EquityCurve
from console.services.overview import AccountLine
from console.services.permissions import Actor
from console.wiring import Wiring
from shared.calendars import load
from shared.db import reading
from shared.domain.account import Environment, Market
from shared.domain.order_state import UNPROVEN, OrderStatus
from shared.domain.trading_days import ZONES
from shared.domain.turns import SessionOn, from_open, last_turn, sessions_of
from shared.models import CashFlow, EquitySnapshot
from shared.store import fees, panels, trades
from shared.store import orders as order_store

ONE_DAY = timedelta(days=1)
REFUSED = (OrderStatus.REJECTED, OrderStatus.DENIED)
SIZE = (900, 360)
MARGIN = 40
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4b5563")


@dataclass(frozen=True, slots=True)
class DayLine:
    """One account's day. Unknown is None, never zero."""

    account_id: int
    account: str
    environment: str
    currency: str
    day: date  # the market's own
    status: str
    equity: Decimal | None
    pnl: Decimal | None  # of that day, money paid in or out left out
    realized: Decimal | None  # of today's fills; None when one of them does not say
    commission: Decimal | None
    tax: Decimal | None
    fills: int
    refused: int  # orders that the broker or we refused
    unknown: int  # orders whose outcome nobody has proven
    positions: int


@dataclass(frozen=True, slots=True)
class DayReport:
    day: date
    as_of: datetime
    lines: tuple[DayLine, ...]


def report(wiring: Wiring, actor: Actor) -> DayReport:
    """The day of every account this person may see: since the midnight of its market's last day that had begun trading.

    In Seoul's afternoon that is the night before for US shares, and on a Sunday it is Friday.
    """
    view, calendars = overview.overview(wiring, actor), load()
    sessions = {market: sessions_of(market, calendars) for market in Market}
    lines = sorted(view.lines, key=lambda one: one.id)
    starts = {one.id: began(one, view.as_of, sessions[Market(one.market)]) for one in lines}
    with reading(wiring.engine) as session:
        latest = panels.last_equity(session, starts.keys())
        before = {**panels.equity_first_since(session, starts), **panels.equity_before(session, starts)}
        flows = fees.flows(session, starts.keys())
        found = []
        for one in lines:
            start = starts[one.id]
            done = trades.fills_since(session, one.id, start)
            counted = order_store.counts_since(session, one.id, start)
            found.append(
                DayLine(
                    account_id=one.id,
                    account=one.nickname,
                    environment=one.environment,
                    currency=Market(one.market).currency.value,
                    day=start.astimezone(ZONES[Market(one.market)]).date(),
                    status=one.status,
                    equity=one.equity.amount if one.equity else None,
                    pnl=_pnl(latest.get(one.id), before.get(one.id), start, flows),
                    realized=_sum([fill.realized_pnl for fill in done if fill.side == "SELL"]),
                    commission=_sum([fill.commission for fill in done]),
                    tax=_sum([fill.tax for fill in done if fill.side == "SELL"]),
                    fills=len(done),
                    refused=sum(counted[status] for status in REFUSED),
                    unknown=sum(counted[status] for status in UNPROVEN),
                    positions=one.positions,
                )
            )
    return DayReport(view.as_of.astimezone(ZONES[Market.KRX]).date(), view.as_of, tuple(found))


def began(account: AccountLine, now: datetime, session_on: SessionOn) -> datetime:
    """The market's midnight of the account's day. The local exchange trades round the clock: its day is today."""
    opened = last_turn(from_open(Market(account.market), 0), now, session_on)
    if opened is None or account.environment == Environment.SIM:
        opened = now
    return midnight(Market(account.market), opened)


def _pnl(
    latest: EquitySnapshot | None, before: EquitySnapshot | None, start: datetime, flows: Sequence[CashFlow]
) -> Decimal | None:
    """None when the equity of that day is not known."""
    if latest is None or before is None or latest.at < start:
        return None
    return overview.gained(before, latest, flows)


def picture(curves: Sequence[EquityCurve]) -> bytes | None:
    """Equity curves as PNG, each from its first value in percent; None when there is nothing to draw."""
    from PIL import Image, ImageDraw  # only where a picture is asked for

    drawn = [curve for curve in curves if len(curve.points) > 1 and curve.points[0][1]]
    if not drawn:
        return None
    series = [[(at.timestamp(), float(equity / c.points[0][1] - 1) * 100) for at, equity in c.points] for c in drawn]
    ats = [at for one in series for at, _ in one]
    values = [value for one in series for _, value in one]
    low, high = min([*values, 0.0]), max([*values, 0.0])
    span, range_ = max(max(ats) - min(ats), 1.0), max(high - low, 0.01)
    width, height = SIZE[0] - 2 * MARGIN, SIZE[1] - 2 * MARGIN

    def place(at: float, value: float) -> tuple[float, float]:
        return MARGIN + (at - min(ats)) / span * width, MARGIN + (high - value) / range_ * height

    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    zero = place(min(ats), 0.0)[1]
    pen.line([(MARGIN, zero), (SIZE[0] - MARGIN, zero)], fill="#9ca3af")
    pen.text((4, MARGIN - 6), f"{high:+.2f}%", fill="black")
    pen.text((4, SIZE[1] - MARGIN - 6), f"{low:+.2f}%", fill="black")
    for number, one in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        pen.line([place(at, value) for at, value in one], fill=colour, width=2)
        pen.text((MARGIN + number * 90, 8), f"#{drawn[number].account_id} {one[-1][1]:+.2f}%", fill=colour)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _sum(values: Sequence[Decimal | None]) -> Decimal | None:
    """The sum, or None when one of them is not known."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if len(known) == len(values) else None
