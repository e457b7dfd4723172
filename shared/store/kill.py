"""Kill switch rows: one for all accounts, one per account."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, select

from shared.domain.bot_state import KillLevel
from shared.models import KillSwitch


def scope_of(account_id: int | None) -> str:
    return "all" if account_id is None else f"account:{account_id}"


def switches(session: Session) -> list[KillSwitch]:
    return list(session.exec(select(KillSwitch)))


def level_of(session: Session, account_id: int | None) -> KillLevel:
    """The level set for exactly this scope; RUN when nothing was ever set."""
    row = _row(session, account_id)
    return KillLevel(row.level) if row is not None else KillLevel.RUN


def set_level(
    session: Session, now: datetime, *, account_id: int | None, level: KillLevel, reason: str, by: str
) -> None:
    row = _row(session, account_id)
    if row is None:
        row = KillSwitch(scope=scope_of(account_id), account_id=account_id, changed_at=now)
    row.level, row.reason, row.changed_by, row.changed_at = int(level), reason, by, now
    session.add(row)
    session.flush()


def raise_level(
    session: Session, now: datetime, *, account_id: int | None, level: KillLevel, reason: str, by: str
) -> None:
    """Raise the scope to `level`; one that stands higher stays."""
    if level_of(session, account_id) < level:
        set_level(session, now, account_id=account_id, level=level, reason=reason, by=by)


def _row(session: Session, account_id: int | None) -> KillSwitch | None:
    # Locked until commit: two people raising at once end at the higher level, not at the later one.
    query = select(KillSwitch).where(KillSwitch.scope == scope_of(account_id)).with_for_update()
    return session.exec(query).first()
