"""What several panels stand on, each read by one statement and held by itself: only what moved is asked anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.services import won
from console.services.blocked import midnight
from console.services.changes import by_number, desk_only
from console.services.permissions import Actor, visible_accounts
from console.services.won import Rate
from console.wiring import Wiring
from shared.db import Record, reading
from shared.domain.account import Market
from shared.models import CashFlow, Heartbeat, OrderRow, Owner
from shared.store import fees, kill, panels, people, risk, standings
from shared.store.standings import Holding, Standing


@dataclass(frozen=True, slots=True)
class Desk:
    """What only people and the exchange rate change."""

    flows: tuple[CashFlow, ...]
    keyed: frozenset[int]
    rate: Rate | None
    rate_then: Rate | None  # at Korea's midnight
    names: dict[str, str]


@by_number(of=desk_only)
def desk(wiring: Wiring, actor: Actor, hour: datetime) -> Desk:
    """`hour` is part of what is asked: days begin on the hour, in every market."""
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        ids = [row.id or 0 for row in visible_accounts(session, actor)]
        rates = won.history(session)
        return Desk(
            flows=tuple(fees.flows(session, ids)),
            keyed=panels.keyed_accounts(session, ids),
            rate=rates.at(now),
            rate_then=rates.at(midnight(Market.KRX, now)),
            names=people.labels(session),
        )


@by_number(of=desk_only)
def owners(wiring: Wiring, actor: Actor) -> dict[int, Owner]:
    """Whose the accounts are, with what may stand in the market in all."""
    with reading(wiring.engine) as session:
        return risk.owners(session, {row.owner_id for row in visible_accounts(session, actor)})


@by_number(at_most_s=1.0)
def beats(wiring: Wiring, actor: Actor) -> dict[int, Heartbeat]:
    """The last sign of life of each account."""
    with reading(wiring.engine) as session:
        return panels.heartbeats(session, [row.id or 0 for row in visible_accounts(session, actor)])


@by_number()
def holdings(wiring: Wiring, actor: Actor) -> tuple[Holding, ...]:
    """Every holding, with the number of the rule's version that guards it."""
    with reading(wiring.engine) as session:
        return standings.holdings(session, [row.id or 0 for row in visible_accounts(session, actor)])


@by_number()
def accounts(wiring: Wiring, actor: Actor, hour: datetime) -> dict[int, Standing]:
    """Money and last decision of each account; `hour` as for `desk`."""
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        rows = visible_accounts(session, actor)
        starts = {market: midnight(market, now) for market in Market}
        return standings.of_accounts(session, [row.id or 0 for row in rows], starts)


@by_number()
def switches(wiring: Wiring, actor: Actor) -> dict[str, Record]:
    """The kill switch by its scope: bots raise it too."""
    with reading(wiring.engine) as session:
        return {row.scope: row for row in kill.switches(session)}


@by_number()
def resting(wiring: Wiring, actor: Actor) -> tuple[OrderRow, ...]:
    """Orders that may still trade, newest first."""
    with reading(wiring.engine) as session:
        ids = [row.id or 0 for row in visible_accounts(session, actor)]
        rows = risk.open_orders(session, ids, wiring.clock.wall_now())
    return tuple(sorted(rows, key=lambda row: (row.placed_at, row.id or 0), reverse=True))
