"""Money of several currencies in won: only with a recorded rate, whose age goes along. No rate, no sum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session

from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import writing
from shared.domain.errors import Conflict
from shared.domain.money import Currency, Money
from shared.store import fx

_LOWEST, _HIGHEST = Decimal(500), Decimal(5000)  # a mistyped rate must not become somebody's wealth


@dataclass(frozen=True, slots=True)
class Rate:
    """Won for one dollar."""

    won: Decimal
    at: datetime
    source: str


def rate_at(session: Session, at: datetime) -> Rate | None:
    """The rate in force at `at`, or None."""
    row = fx.rate_at(session, Currency.USD.value, Currency.KRW.value, at)
    return None if row is None else Rate(row.rate, row.at, row.source)


def in_won(amount: Money, rate: Rate | None) -> Decimal | None:
    """None when it is not won and no rate is known."""
    if amount.currency is Currency.KRW:
        return amount.amount
    return None if rate is None else amount.amount * rate.won


def sum_in_won(amounts: Iterable[Money], rate: Rate | None) -> Decimal | None:
    """One sum over currencies; None when any part cannot be told in won."""
    total = Decimal(0)
    for amount in amounts:
        won = in_won(amount, rate)
        if won is None:
            return None
        total += won
    return total


def record_rate(wiring: Wiring, actor: Actor, rate: Decimal) -> None:
    """Write down today's rate by hand; an Admin's, audited.

    Raises:
        Conflict: not a believable number of won for a dollar.
    """
    if not _LOWEST <= rate <= _HIGHEST:
        raise refuse(Conflict, "bad_rate", actor.lang, rate=rate)
    now = wiring.clock.wall_now()
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.FX_RATE)
        before = rate_at(session, now)
        fx.record(session, base="USD", quote="KRW", rate=rate, source=actor.label, at=now)
        told = None if before is None else {"rate": f"{before.won:f}", "at": before.at.isoformat()}
        note(session, wiring, actor, Action.FX_RATE, "fx:USD/KRW", before=told, after={"rate": f"{rate:f}"})
