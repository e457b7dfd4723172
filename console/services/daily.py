"""The day in figures, per account and in its own currency, and as a small picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from console.services import orders, overview
from console.services.holdings import EquityCurve
from console.services.permissions import Actor
from console.wiring import Wiring
from shared.domain.account import Market
from shared.store.panels import OrderFilter

ONE_DAY = timedelta(days=1)
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
    status: str
    equity: Decimal | None
    pnl: Decimal | None  # since the market's own midnight
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
    """Today of every account this person may see; a day begins at the market's own midnight."""
    view = overview.overview(wiring, actor)
    lines = []
    for line in sorted(view.lines, key=lambda one: one.id):
        zone = overview.ZONES[Market(line.market)]
        start = view.as_of.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        done = [one for one in orders.fills(wiring, actor, account_id=line.id, limit=200) if one.filled_at >= start]
        placed = [
            one
            for one in orders.listed(wiring, actor, account_id=line.id, wanted=OrderFilter())
            if one.placed_at >= start
        ]
        lines.append(
            DayLine(
                account_id=line.id,
                account=line.nickname,
                environment=line.environment,
                currency=Market(line.market).currency.value,
                status=line.status,
                equity=line.equity.amount if line.equity else None,
                pnl=line.pnl_today.amount if line.pnl_today else None,
                realized=_sum([one.realized_pnl for one in done if one.side == "SELL"]),
                commission=_sum([one.commission for one in done]),
                tax=_sum([one.tax for one in done if one.side == "SELL"]),
                fills=len(done),
                refused=sum(one.status in {"REJECTED", "DENIED"} for one in placed),
                unknown=sum(one.status in {"UNKNOWN", "NEEDS_OPERATOR"} for one in placed),
                positions=line.positions,
            )
        )
    return DayReport(view.as_of.astimezone(overview.ZONES[Market.KRX]).date(), view.as_of, tuple(lines))


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
