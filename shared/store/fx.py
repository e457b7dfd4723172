"""Exchange rates as rows: what one unit of `base` costs in `quote`, with source and moment."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlmodel import Session, col, select

from shared.models import FxRate


def rate_at(session: Session, base: str, quote: str, at: datetime) -> FxRate | None:
    """The newest rate not younger than `at`, or None: nobody recorded one by then."""
    query = select(FxRate).where(FxRate.base == base, FxRate.quote == quote, col(FxRate.at) <= at)
    return session.exec(query.order_by(col(FxRate.at).desc()).limit(1)).first()


def series(session: Session, base: str, quote: str, *, limit: int = 2000) -> list[FxRate]:
    """Oldest first; the newest `limit` rates."""
    query = select(FxRate).where(FxRate.base == base, FxRate.quote == quote)
    return list(session.exec(query.order_by(col(FxRate.at).desc()).limit(limit)))[::-1]


def record(session: Session, *, base: str, quote: str, rate: Decimal, source: str, at: datetime) -> None:
    """Add a rate; the one already recorded for the same moment is replaced."""
    query = select(FxRate).where(FxRate.base == base, FxRate.quote == quote, FxRate.at == at)
    row = session.exec(query).first() or FxRate(base=base, quote=quote, rate=rate, at=at)
    row.rate, row.source = rate, source
    session.add(row)
