"""Returns of each account and of all: simple, time-weighted, money-weighted, by day; money paid in and out is no gain."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from console.services import won
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.trail import note
from console.services.won import History
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Market
from shared.domain.errors import Conflict, NotFound
from shared.domain.money import Currency
from shared.domain.returns import DayReturn, Flow, Point, by_day, money_weighted, simple_return, time_weighted
from shared.domain.sessions import KST
from shared.models import BrokerageAccount, CashFlow
from shared.store import fees

SHORTEST = timedelta(days=30)  # a yearly rate out of a shorter time says nothing


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Parts of one: 0.045 is 4.5 %. None: it cannot be told."""

    account_id: int
    account: str
    environment: str
    currency: str
    since: datetime
    until: datetime
    start: Decimal
    end: Decimal
    paid_in: Decimal  # net
    simple: Decimal | None
    time_weighted: Decimal | None
    money_weighted: Decimal | None  # a year


@dataclass(frozen=True, slots=True)
class ReturnCurve:
    """What each Korean day earned, in the account's currency; of all accounts of an environment in won."""

    account_id: int | None  # None: all of its environment
    account: str
    environment: str
    days: tuple[DayReturn, ...]

    def grown(self) -> list[tuple[date, Decimal, Decimal]]:
        """By day: the return since the first one, and the fall from the highest until then, as parts of one."""
        total = top = Decimal(1)
        found = []
        for one in self.days:
            total *= 1 + one.part
            top = max(top, total)
            found.append((one.day, total - 1, total / top - 1))
        return found

    def by_month(self) -> dict[str, Decimal]:
        """The return of each month that has one."""
        found: dict[str, Decimal] = {}
        for one in self.days:
            month = f"{one.day:%Y-%m}"
            found[month] = (1 + found.get(month, Decimal(0))) * (1 + one.part) - 1
        return found

    @property
    def total(self) -> Decimal | None:
        return self.grown()[-1][1] if self.days else None

    @property
    def deepest(self) -> Decimal | None:
        return min((fall for _, _, fall in self.grown()), default=None)


@dataclass(frozen=True, slots=True)
class Returns:
    lines: tuple[ReturnLine, ...]
    curves: tuple[ReturnCurve, ...]  # of all accounts of an environment first
    rateless: tuple[str, ...]  # environments whose sum cannot be told: no rate on a day


def listed(wiring: Wiring, actor: Actor, since: datetime) -> list[ReturnLine]:
    """Every account whose equity is known at two moments since then."""
    return list(statement(wiring, actor, since).lines)


def statement(wiring: Wiring, actor: Actor, since: datetime, *, account_id: int | None = None) -> Returns:
    """The same with the days of each account, and of all accounts of an environment that has several."""
    lines, curves, markets = [], [], {}
    with reading(wiring.engine) as session:
        rows = [row for row in visible_accounts(session, actor) if account_id in (None, row.id)]
        flows = fees.flows(session, [row.id for row in rows if row.id is not None])
        rates = won.history(session)
        for row in rows:
            points = fees.daily_equity(session, row.id or 0, since)
            if len(points) < 2:
                continue
            mine = [Flow(one.at, one.amount) for one in flows if one.account_id == row.id]
            lines.append(_line(row, points, mine))
            curves.append(ReturnCurve(row.id, row.nickname, row.environment, tuple(by_day(points, mine, KST))))
            markets[row.id] = Market(row.market)
    sums, rateless = [], []
    for environment in dict.fromkeys(one.environment for one in curves):
        alike = [one for one in curves if one.environment == environment]
        if len(alike) > 1:
            days = _together([(one, markets[one.account_id]) for one in alike], rates)
            if days is None:
                rateless.append(environment)
            else:
                sums.append(ReturnCurve(None, "", environment, days))
    return Returns(tuple(lines), tuple(sums + curves), tuple(rateless))


def _line(row: BrokerageAccount, points: list[Point], mine: list[Flow]) -> ReturnLine:
    inside = [flow for flow in mine if points[0][0] < flow.at <= points[-1][0]]
    long_enough = points[-1][0] - points[0][0] >= SHORTEST
    return ReturnLine(
        account_id=row.id or 0,
        account=row.nickname,
        environment=row.environment,
        currency=Market(row.market).currency.value,
        since=points[0][0],
        until=points[-1][0],
        start=points[0][1],
        end=points[-1][1],
        paid_in=sum((flow.amount for flow in inside), Decimal(0)),
        simple=simple_return(points, mine),
        time_weighted=time_weighted(points, mine),
        money_weighted=money_weighted(points, mine) if long_enough else None,
    )


def _together(curves: list[tuple[ReturnCurve, Market]], rates: History) -> tuple[DayReturn, ...] | None:
    """Each day's returns in won, weighed by what each account had when the day began; None without a rate.

    An account counts on the days it has; that one begins later is no gain of the others.
    """
    bases: dict[date, Decimal] = defaultdict(Decimal)
    gains: dict[date, Decimal] = defaultdict(Decimal)
    since: dict[date, datetime] = {}
    for curve, market in curves:
        for one in curve.days:
            before = after = Decimal(1)
            if market.currency is not Currency.KRW:
                known = rates.on(one.since.astimezone(KST).date()), rates.on(one.day)
                if known[0] is None or known[1] is None:
                    return None
                before, after = known[0], known[1]
            bases[one.day] += one.base * before
            gains[one.day] += one.base * ((1 + one.part) * after - before)
            since[one.day] = min(since.get(one.day, one.since), one.since)
    return tuple(DayReturn(day, since[day], bases[day], gains[day] / bases[day]) for day in sorted(bases))


def record_flow(wiring: Wiring, actor: Actor, account_id: int, amount: Decimal, at: datetime, remark: str = "") -> None:
    """Write down money that went in (positive) or out, in the account's currency; an Admin's, audited.

    Raises:
        Conflict: nothing, or of a moment that has not come.
    """
    now = wiring.clock.wall_now()
    if not amount or at > now:
        raise refuse(Conflict, "bad_flow", actor.lang)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.CASH_FLOW, account_id)
        row = session.get(BrokerageAccount, account_id)
        if row is None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        session.add(
            CashFlow(
                account_id=account_id, at=at, amount=amount, currency=Market(row.market).currency.value, note=remark,
                recorded_by=actor.label, recorded_at=now,
            )
        )  # fmt: skip
        after = {"amount": f"{amount:f}", "at": at.isoformat(), "note": remark}
        note(session, wiring, actor, Action.CASH_FLOW, f"account:{account_id}", account_id=account_id, after=after)
