"""LIVE approval with an end, and taking an account off the desk for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from console.services import second_looks
from console.services.accounts import masked
from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import writing
from shared.domain.account import Environment
from shared.domain.errors import Conflict, NotFound
from shared.models import BrokerageAccount, SecondLook
from shared.store import panels, rules

LONGEST = timedelta(days=31)


def arm(
    wiring: Wiring, actor: Actor, account_id: int, *, hours: float, confirm: str, reason: str, last4: str | None = None
) -> datetime:
    """Let a LIVE account open positions until then; without a running approval its bot only closes.

    `last4` None: a door without a field for the last four digits of the account number.

    Raises:
        Conflict: not LIVE, the name was not typed, no reason, longer than a month, or a second Admin must agree first.
    """
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ACCOUNT_ARM, account_id)
        row = _account(session.get(BrokerageAccount, account_id), actor, account_id)
        if row.environment != Environment.LIVE:
            raise refuse(Conflict, "not_live", actor.lang, nickname=row.nickname)
        if confirm != row.nickname:
            raise refuse(Conflict, "confirm_live", actor.lang, nickname=row.nickname)
        if last4 not in (None, row.last4):
            raise refuse(Conflict, "confirm_last4", actor.lang)
        if not reason.strip():
            raise refuse(Conflict, "reason_missing", actor.lang)
        if not 0 < hours <= LONGEST.total_seconds() / 3600:
            raise refuse(Conflict, "bad_hours", actor.lang)
        look = second_looks.wanted(
            session, wiring, actor, Action.ACCOUNT_ARM, f"account:{account_id}", {"hours": hours}, reason,
            account_id=account_id,
        )  # fmt: skip
        until = wiring.clock.wall_now() + timedelta(hours=hours)
        if look is None:
            _arm(session, wiring, actor, row, until, reason)
    second_looks.tell(actor, look)
    nudge(wiring.settings, account_id)
    return until


def armed(session: Session, wiring: Wiring, asker: Actor, look: SecondLook) -> Callable[[], None]:
    """Arm what a second Admin has agreed to; the hours begin now."""
    account_id = look.account_id or 0
    row = _account(session.get(BrokerageAccount, account_id), asker, account_id)
    _arm(session, wiring, asker, row, wiring.clock.wall_now() + timedelta(hours=look.payload["hours"]), look.reason)
    return lambda: nudge(wiring.settings, account_id)


def _arm(session: Session, wiring: Wiring, actor: Actor, row: BrokerageAccount, until: datetime, reason: str) -> None:
    before, row.armed_until = row.armed_until, until
    row.config_version += 1
    session.add(row)
    note(
        session, wiring, actor, Action.ACCOUNT_ARM, f"account:{row.id}", account_id=row.id,
        before={"armed_until": before.isoformat() if before else None}, after={"armed_until": until.isoformat()},
        reason=reason,
    )  # fmt: skip


def disarm(wiring: Wiring, actor: Actor, account_id: int, *, reason: str = "") -> None:
    """End the approval now: its bot opens nothing more and goes on closing."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ACCOUNT_DISARM, account_id)
        row = _account(session.get(BrokerageAccount, account_id), actor, account_id)
        row.armed_until = None
        row.config_version += 1
        session.add(row)
        note(
            session,
            wiring,
            actor,
            Action.ACCOUNT_DISARM,
            f"account:{account_id}",
            account_id=account_id,
            after={"armed_until": None},
            reason=reason,
        )
    nudge(wiring.settings, account_id)


def archive(wiring: Wiring, actor: Actor, account_id: int, *, confirm: str, reason: str) -> None:
    """Take an account off every list; its orders, fills and audit stay. It must be off, flat and without open orders."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ACCOUNT_ARCHIVE, account_id)
        row = _account(session.get(BrokerageAccount, account_id), actor, account_id)
        if confirm != row.nickname:
            raise refuse(Conflict, "confirm_name", actor.lang, nickname=row.nickname)
        if not reason.strip():
            raise refuse(Conflict, "reason_missing", actor.lang)
        now = wiring.clock.wall_now()
        busy = panels.open_order_counts(session, [account_id], now - timedelta(days=30))
        if row.enabled or panels.positions(session, [account_id], limit=1) or busy:
            raise refuse(Conflict, "account_busy", actor.lang, nickname=row.nickname)
        for rule in rules.live_rules(session, account_id):
            rules.archive(session, now, rule)
        row.archived_at, row.armed_until = now, None
        session.add(row)
        note(
            session,
            wiring,
            actor,
            Action.ACCOUNT_ARCHIVE,
            f"account:{account_id}",
            account_id=account_id,
            before={"nickname": row.nickname, "number": masked(row)},
            after={"archived": True},
            reason=reason,
        )
    nudge(wiring.settings, account_id)


def _account(row: BrokerageAccount | None, actor: Actor, account_id: int) -> BrokerageAccount:
    if row is None or row.archived_at is not None:
        raise refuse(NotFound, "no_account", actor.lang, account=account_id)
    return row
