"""Exchange rates as rows: what one unit of `base` costs in `quote`, with source and moment.

A rate of the local exchange ("SIM …") is made up: it counts only on a desk to which nobody told a real one.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import func, or_
from sqlalchemy import select as sa_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from shared.models import FxRate

MADE_UP = "SIM "  # begins the source of a rate that the local exchange told


def rate_at(session: Session, base: str, quote: str, at: datetime) -> FxRate | None:
    """The newest rate not younger than `at`, or None: nobody recorded one by then."""
    query = select(FxRate).where(FxRate.base == base, FxRate.quote == quote, col(FxRate.at) <= at)
    found: FxRate | None = session.exec(_real(query, base, quote).order_by(col(FxRate.at).desc()).limit(1)).first()
    return found


class Told(NamedTuple):
    """What one unit of `base` cost in `quote` from a moment on."""

    at: datetime
    rate: Decimal
    source: str


def series(session: Session, base: str, quote: str) -> list[Told]:
    """Every rate ever told, oldest first: a tax paper asks for those of the year's first days too."""
    columns = sa_select(col(FxRate.at), col(FxRate.rate), col(FxRate.source))
    query = columns.where(col(FxRate.base) == base, col(FxRate.quote) == quote)
    return [Told(*row) for row in session.execute(_real(query, base, quote).order_by(col(FxRate.at)))]


def version(session: Session) -> tuple[int, int, datetime | None]:
    """Changes whenever a rate was told."""
    count, newest, at = session.execute(
        sa_select(func.count(), func.coalesce(func.max(col(FxRate.id)), 0), func.max(col(FxRate.at)))
    ).one()
    return count, newest, at


def _real(query: Any, base: str, quote: str) -> Any:
    """`query` without made-up rates, where a real one is known."""
    made_up, other = col(FxRate.source).startswith(MADE_UP), aliased(FxRate)
    real = select(other.id).where(other.base == base, other.quote == quote, ~col(other.source).startswith(MADE_UP))
    return query.where(or_(~made_up, ~real.exists()))


def record(session: Session, *, base: str, quote: str, rate: Decimal, source: str, at: datetime) -> None:
    """Add a rate; the one already recorded for the same moment is replaced."""
    query = select(FxRate).where(FxRate.base == base, FxRate.quote == quote, FxRate.at == at)
    row = session.exec(query).first() or FxRate(base=base, quote=quote, rate=rate, at=at)
    row.rate, row.source = rate, source
    session.add(row)
