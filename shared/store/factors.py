"""Second factors: the proven secret, the last step taken, recovery codes, and what the desk demands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import Session, col, delete, func, select, update

from shared.models import RecoveryCode, Role, User
from shared.store.heartbeats import fact, set_fact

REQUIRED, FOUR_EYES = "policy:second_factor", "policy:four_eyes"


def required_roles(session: Session) -> frozenset[str]:
    """Roles that may not enter without a second factor."""
    return frozenset(part for part in (fact(session, REQUIRED) or "").split(",") if part)


def require_of(session: Session, roles: Iterable[str]) -> None:
    set_fact(session, REQUIRED, ",".join(sorted(roles)))


def four_eyes(session: Session) -> bool:
    """Whether an Admin's gravest deeds wait for another Admin."""
    return fact(session, FOUR_EYES) == "on"


def set_four_eyes(session: Session, on: bool) -> None:
    set_fact(session, FOUR_EYES, "on" if on else "")


def admins(session: Session) -> int:
    """Admins who can sign in."""
    query = select(func.count()).where(
        User.role == Role.ADMIN.value, col(User.disabled_at).is_(None), col(User.password_hash).is_not(None)
    )
    return int(session.exec(query).one())


def take_step(session: Session, user_id: int, step: int) -> bool:
    """Use up the code of a 30 s step; False when it, or a later one, was used before. Two at once: one wins."""
    later = or_(col(User.totp_last_step).is_(None), col(User.totp_last_step) < step)
    taken = session.execute(update(User).where(col(User.id) == user_id, later).values(totp_last_step=step))
    return int(taken.rowcount) == 1  # type: ignore[attr-defined]


def take_recovery(session: Session, user_id: int, code_hash: str, now: datetime) -> bool:
    """Use up a recovery code; False when it is not one of his or was used before."""
    mine = update(RecoveryCode).where(
        col(RecoveryCode.user_id) == user_id,
        col(RecoveryCode.code_hash) == code_hash,
        col(RecoveryCode.used_at).is_(None),
    )
    return int(session.execute(mine.values(used_at=now)).rowcount) == 1  # type: ignore[attr-defined]


def replace_recovery(session: Session, user_id: int, hashes: Iterable[str], now: datetime) -> None:
    """Forget the old recovery codes, keep these."""
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    session.add_all(RecoveryCode(user_id=user_id, code_hash=one, created_at=now) for one in hashes)


def recovery_left(session: Session, user_id: int) -> int:
    query = select(func.count()).where(RecoveryCode.user_id == user_id, col(RecoveryCode.used_at).is_(None))
    return int(session.exec(query).one())


def forget(session: Session, user: User) -> None:
    """Take a user's second factor and its recovery codes away."""
    user.totp_secret = user.totp_since = user.totp_last_step = None
    session.add(user)
    replace_recovery(session, user.id or 0, (), user.created_at)
