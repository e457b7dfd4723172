"""Money of several currencies in won: only with a recorded rate, whose age goes along. No rate, no sum."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlmodel import Session

from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import writing
from shared.domain.errors import Conflict
from shared.domain.money import Currency, Money
from shared.domain.sessions import KST
from shared.store import fx

RATE_HOLDS = timedelta(days=7)  # over a long holiday the last base rate holds; an older one is no rate of that day
_LOWEST, _HIGHEST = Decimal(500), Decimal(5000)  # a mistyped rate must not become somebody's wealth


@dataclass(frozen=True, slots=True)
class Rate:
    """Won for one dollar."""

    won: Decimal
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class History:
    """Every rate of the dollar, and the last one told on each Korean day."""

    told: tuple[fx.Told, ...]  # oldest first
    days: tuple[date, ...]
    last: tuple[Decimal, ...]  # of each of `days`

    def on(self, day: date) -> Decimal | None:
        """The base rate in force at the end of a Korean day; None when the last one is too old to be that day's."""
        index = bisect_right(self.days, day)
        return None if not index or day - self.days[index - 1] > RATE_HOLDS else self.last[index - 1]

    def at(self, moment: datetime) -> Rate | None:
        """The rate in force then, or None: nobody had told one."""
        index = bisect_right(self.told, moment, key=lambda one: one.at)
        if not index:
            return None
        one = self.told[index - 1]
        return Rate(one.rate, one.at, one.source)


_histories: dict[str, tuple[object, History]] = {}  # store → version, what it told


def history(session: Session) -> History:
    """Read the rates; what was read is kept until another one was told."""
    store, version = str(session.get_bind().engine.url), fx.version(session)
    known = _histories.get(store)
    if known is not None and known[0] == version:
        return known[1]
    told = fx.series(session, Currency.USD.value, Currency.KRW.value)
    by_day = {one.at.astimezone(KST).date(): one.rate for one in told}
    found = History(tuple(told), tuple(by_day), tuple(by_day.values()))
    _histories[store] = (version, found)
    return found


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
        before = history(session).at(now)
        fx.record(session, base="USD", quote="KRW", rate=rate, source=actor.label, at=now)
        told = None if before is None else {"rate": f"{before.won:f}", "at": before.at.isoformat()}
        note(session, wiring, actor, Action.FX_RATE, "fx:USD/KRW", before=told, after={"rate": f"{rate:f}"})
