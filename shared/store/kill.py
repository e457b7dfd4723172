"""Kill switch rows: one for all accounts, one per group (an environment, an owner), one per account."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from shared.domain.bot_state import KillLevel
from shared.models import BrokerageAccount, KillSwitch


def scope_of(account_id: int | None, group: str = "") -> str:
    """The scope's name: one account, a group ("env:LIVE", "owner:3"), or all."""
    return f"account:{account_id}" if account_id is not None else group or "all"


def scopes_over(account: BrokerageAccount) -> tuple[str, ...]:
    """Every scope whose level holds for the account."""
    return ("all", f"env:{account.environment}", f"owner:{account.owner_id}", f"account:{account.id}")


def level_over(session: Session, account_id: int) -> KillLevel:
    """The highest level that the store sets for the account, by any scope."""
    account = session.get(BrokerageAccount, account_id)
    scopes = ("all",) if account is None else scopes_over(account)
    levels = session.exec(select(KillSwitch.level).where(col(KillSwitch.scope).in_(scopes)))
    return KillLevel(max(levels, default=0))


def switches(session: Session) -> list[KillSwitch]:
    return list(session.exec(select(KillSwitch)))


def level_of(session: Session, account_id: int | None, group: str = "") -> KillLevel:
    """The level set for exactly this scope; RUN when nothing was ever set."""
    row = _row(session, scope_of(account_id, group))
    return KillLevel(row.level) if row is not None else KillLevel.RUN


def set_level(
    session: Session, now: datetime, *, account_id: int | None, level: KillLevel, reason: str, by: str, group: str = ""
) -> None:
    row = _row(session, scope_of(account_id, group))
    if row is None:
        row = KillSwitch(scope=scope_of(account_id, group), account_id=account_id, changed_at=now)
    row.level, row.reason, row.changed_by, row.changed_at = int(level), reason, by, now
    session.add(row)
    session.flush()


def raise_level(
    session: Session, now: datetime, *, account_id: int | None, level: KillLevel, reason: str, by: str
) -> None:
    """Raise the scope to `level`; one that stands higher stays."""
    if level_of(session, account_id) < level:
        set_level(session, now, account_id=account_id, level=level, reason=reason, by=by)


def _row(session: Session, scope: str) -> KillSwitch | None:
    # Locked until commit: two people raising at once end at the higher level, not at the later one.
    query = select(KillSwitch).where(KillSwitch.scope == scope).with_for_update()
    return session.exec(query).first()
