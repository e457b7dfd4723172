"""Returns of each account: simple, time-weighted and money-weighted, with the money that people paid in and took out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Market
from shared.domain.errors import Conflict, NotFound
from shared.domain.returns import Flow, money_weighted, simple_return, time_weighted
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


def listed(wiring: Wiring, actor: Actor, since: datetime) -> list[ReturnLine]:
    """Every account whose equity is known at two moments since then."""
    lines = []
    with reading(wiring.engine) as session:
        rows = [row for row in visible_accounts(session, actor) if row.id is not None]
        flows = fees.flows(session, [row.id for row in rows if row.id is not None])
        for row in rows:
            points = fees.daily_equity(session, row.id or 0, since)
            if len(points) < 2:
                continue
            mine = [Flow(one.at, one.amount) for one in flows if one.account_id == row.id]
            inside = [flow for flow in mine if points[0][0] < flow.at <= points[-1][0]]
            long_enough = points[-1][0] - points[0][0] >= SHORTEST
            lines.append(
                ReturnLine(
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
            )
    return lines


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
