"""Entries of semi-automatic rules: see what waits, say yes or no. The account's bot asks every guard again and sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from console.services.changes import by_number
from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Environment
from shared.domain.errors import Conflict, NotFound
from shared.models import BrokerageAccount, Command, Proposal
from shared.store import accounts, commands, people, proposals, rules
from shared.store.commands import CommandKind

WAITING = "WAITING"


@dataclass(frozen=True, slots=True)
class ProposalLine:
    id: int
    account_id: int
    account: str
    environment: str
    rule_id: int
    rule: str
    symbol: str
    side: str
    qty: int
    price: Decimal | None
    order_type: str
    currency: str
    reason: str
    status: str
    outcome: str
    decided_by: str
    asked_at: datetime
    expires_at: datetime
    command: Command | None  # the answer that is on its way to the bot, or came back from it

    @property
    def told(self) -> dict[str, Any]:
        """What the command line and the API show of it."""
        return {name: getattr(self, name) for name in SHOWN}


SHOWN = (
    "id", "account_id", "account", "environment", "rule_id", "rule", "symbol", "side", "qty", "price", "order_type",
    "currency", "reason", "status", "asked_at", "expires_at",
)  # fmt: skip


def waiting(wiring: Wiring, actor: Actor) -> list[ProposalLine]:
    """Entries that may still be approved, of the accounts this person may see; the first to end first."""
    with reading(wiring.engine) as session:
        return waiting_in(session, _seen(session, actor), wiring.clock.wall_now())


def waiting_in(session: Session, seen: dict[int, BrokerageAccount], now: datetime) -> list[ProposalLine]:
    """Those of accounts that were read in the caller's session."""
    return _lines(session, seen, proposals.waiting(session, seen.keys(), now))


def opened(wiring: Wiring, actor: Actor, proposal_id: int) -> ProposalLine:
    """One entry that may still be approved. NotFound: it waits no longer, or not for this person."""
    found = next((one for one in waiting(wiring, actor) if one.id == proposal_id), None)
    if found is None:
        raise refuse(NotFound, "no_proposal", actor.lang, proposal=proposal_id)
    return found


@by_number()
def decided(wiring: Wiring, actor: Actor, *, limit: int = 10) -> list[ProposalLine]:
    """What became of the last entries, newest first."""
    with reading(wiring.engine) as session:
        seen = _seen(session, actor)
        return _lines(session, seen, proposals.decided(session, seen.keys(), limit))


def approve(wiring: Wiring, actor: Actor, proposal_id: int, *, confirm: str = "") -> Command:
    """Say yes: the bot sends this very entry when every guard lets it pass. Two clicks, or two people, are one answer.

    Raises:
        Conflict: it was answered, its time is over, or a LIVE account without its typed name.
        NotFound: it is of an account this person may not see.
    """
    return _answer(wiring, actor, proposal_id, CommandKind.APPROVE, confirm)


def decline(wiring: Wiring, actor: Actor, proposal_id: int) -> Command:
    """Say no: nothing is sent, and the rule's decision says so. Raises as `approve`."""
    return _answer(wiring, actor, proposal_id, CommandKind.DECLINE, None)


def _answer(wiring: Wiring, actor: Actor, proposal_id: int, kind: CommandKind, confirm: str | None) -> Command:
    now = wiring.clock.wall_now()
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.PROPOSAL_DECIDE)
        row = session.get(Proposal, proposal_id)
        if row is None:
            raise refuse(NotFound, "no_proposal", actor.lang, proposal=proposal_id)
        authorize(session, actor, Action.PROPOSAL_DECIDE, row.account_id)
        account = accounts.find(session, row.account_id)
        if account is None or account.archived_at is not None:
            raise refuse(NotFound, "no_account", actor.lang, account=row.account_id)
        if row.status != WAITING or row.expires_at <= now:
            raise refuse(Conflict, "proposal_over", actor.lang)
        if confirm is not None and account.environment == Environment.LIVE and confirm != account.nickname:
            raise refuse(Conflict, "confirm_live", actor.lang, nickname=account.nickname)
        payload: dict[str, Any] = {"proposal_key": row.proposal_key, "symbol": row.symbol, "by": actor.label}
        command, new = commands.request(
            session, now, account_id=row.account_id, kind=kind, key=_key(row), requested_by=actor.label,
            payload=payload, expires_at=row.expires_at,
        )  # fmt: skip
        if not new and command.kind != kind.value:
            raise refuse(Conflict, "proposal_over", actor.lang)  # the other answer was first
        if new:
            after = {"command": command.id, "kind": kind.value, "side": row.side, "qty": row.qty, **payload}
            note(
                session, wiring, actor, Action.PROPOSAL_DECIDE, f"proposal:{proposal_id}", account_id=row.account_id,
                after=after,
            )  # fmt: skip
        account_id = row.account_id
    nudge(wiring.settings, account_id)
    return command


def _key(row: Proposal) -> str:
    """One proposal, one answer, whoever gives it and however often."""
    return f"proposal:{row.id}"


def _seen(session: Session, actor: Actor) -> dict[int, BrokerageAccount]:
    return {row.id: row for row in visible_accounts(session, actor) if row.id is not None}


def _lines(session: Session, seen: dict[int, BrokerageAccount], rows: list[Proposal]) -> list[ProposalLine]:
    if not rows:
        return []
    names, answers = people.labels(session), commands.by_key(session, [_key(row) for row in rows])
    lines = []
    for row in rows:
        rule, account = rules.find(session, row.rule_id), seen[row.account_id]
        lines.append(
            ProposalLine(
                id=row.id or 0, account_id=row.account_id, account=account.nickname, environment=account.environment,
                rule_id=row.rule_id, rule=rule.name if rule is not None else "", symbol=row.symbol, side=row.side,
                qty=row.qty, price=row.price, order_type=row.order_type, currency=row.currency, reason=row.reason,
                status=row.status, outcome=row.outcome, decided_by=names.get(row.decided_by, row.decided_by),
                asked_at=row.asked_at, expires_at=row.expires_at, command=answers.get(_key(row)),
            )
        )  # fmt: skip
    return lines
