"""Exchange rates as rows: what one unit of `base` costs in `quote`, with source and moment.

A rate of the local exchange ("SIM …") is made up: it counts only on a desk to which nobody told a real one.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select

from shared.models import FxRate

MADE_UP = "SIM "  # begins the source of a rate that the local exchange told


def rate_at(session: Session, base: str, quote: str, at: datetime) -> FxRate | None:
    """The newest rate not younger than `at`, or None: nobody recorded one by then."""
    query = select(FxRate).where(FxRate.base == base, FxRate.quote == quote, col(FxRate.at) <= at)
    found: FxRate | None = session.exec(
        _real(session, query, base, quote).order_by(col(FxRate.at).desc()).limit(1)
    ).first()
    return found


def series(session: Session, base: str, quote: str, *, limit: int = 2000) -> list[FxRate]:
    """Oldest first; the newest `limit` rates."""
    query = _real(session, select(FxRate).where(FxRate.base == base, FxRate.quote == quote), base, quote)
    return list(session.exec(query.order_by(col(FxRate.at).desc()).limit(limit)))[::-1]


def _real(session: Session, query: Any, base: str, quote: str) -> Any:
    """`query` without made-up rates, where a real one is known."""
    made_up = col(FxRate.source).startswith(MADE_UP)
    known = select(FxRate.id).where(FxRate.base == base, FxRate.quote == quote, ~made_up).limit(1)
    return query if session.exec(known).first() is None else query.where(~made_up)


def record(session: Session, *, base: str, quote: str, rate: Decimal, source: str, at: datetime) -> None:
    """Add a rate; the one already recorded for the same moment is replaced."""
    query = select(FxRate).where(FxRate.base == base, FxRate.quote == quote, FxRate.at == at)
    row = session.exec(query).first() or FxRate(base=base, quote=quote, rate=rate, at=at)
    row.rate, row.source = rate, source
    session.add(row)
