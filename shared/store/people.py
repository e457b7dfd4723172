"""Users, grants and API tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, delete, select

from shared.models import AccountGrant, ApiToken, BrokerageAccount, GroupGrant, TelegramLink, User


def user_by_email(session: Session, email: str) -> User | None:
    return session.exec(select(User).where(User.email == email)).first()


def user_by_subject(session: Session, subject: str) -> User | None:
    return session.exec(select(User).where(User.subject == subject)).first()


def active_user(session: Session, user_id: int) -> User | None:
    """The user as the database knows him now; None when unknown or disabled."""
    user = session.get(User, user_id, populate_existing=True)
    return user if user is not None and user.disabled_at is None else None


def granted_accounts(session: Session, user_id: int) -> frozenset[int]:
    """The accounts granted one by one, and those of granted groups."""
    single = frozenset(session.exec(select(AccountGrant.account_id).where(AccountGrant.user_id == user_id)))
    groups = granted_groups(session, user_id)
    if not groups:
        return single
    rows = session.exec(select(BrokerageAccount.id, BrokerageAccount.environment, BrokerageAccount.owner_id))
    return single | {account for account, env, owner in rows if account and {f"env:{env}", f"owner:{owner}"} & groups}


def granted_groups(session: Session, user_id: int) -> frozenset[str]:
    return frozenset(session.exec(select(GroupGrant.scope).where(GroupGrant.user_id == user_id)))


def set_grants(
    session: Session, user_id: int, account_ids: Collection[int], groups: Collection[str], now: datetime
) -> None:
    """Grant exactly these accounts and groups."""
    session.execute(delete(AccountGrant).where(col(AccountGrant.user_id) == user_id))
    session.execute(delete(GroupGrant).where(col(GroupGrant.user_id) == user_id))
    session.add_all(AccountGrant(user_id=user_id, account_id=one, created_at=now) for one in sorted(set(account_ids)))
    session.add_all(GroupGrant(user_id=user_id, scope=one, created_at=now) for one in sorted(set(groups)))


def labels(session: Session) -> dict[str, str]:
    """Actor label ("user:3") → the email people know; users are few."""
    return {f"user:{found}": email for found, email in session.exec(select(User.id, User.email))}


def everybody(session: Session) -> list[User]:
    """The disabled ones included."""
    return list(session.exec(select(User).order_by(col(User.id))))


def grant(session: Session, user_id: int, account_id: int, now: datetime) -> None:
    session.add(AccountGrant(user_id=user_id, account_id=account_id, created_at=now))


def token_user(session: Session, token: str, now: datetime) -> User | None:
    """The service user of a bearer token that is neither revoked nor expired."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    row = session.exec(
        select(ApiToken).where(ApiToken.token_hash == digest, col(ApiToken.revoked_at).is_(None))
    ).first()
    if row is None or (row.expires_at is not None and now >= row.expires_at):
        return None
    return active_user(session, row.user_id)


def telegram_people(session: Session) -> list[tuple[TelegramLink, User]]:
    """Telegram users who may hear from the desk: linked to a user who is not disabled."""
    rows = session.exec(
        select(TelegramLink, User)
        .join(User, col(User.id) == col(TelegramLink.user_id))
        .where(col(User.disabled_at).is_(None))
        .order_by(col(TelegramLink.id))
    )
    return [(link, user) for link, user in rows]


def link_telegram(session: Session, now: datetime, user_id: int, telegram_id: int) -> TelegramLink:
    """Let a Telegram user id stand for a user; an id stands for one user only, the latest."""
    row = session.exec(select(TelegramLink).where(TelegramLink.telegram_id == telegram_id)).first()
    if row is None:
        row = TelegramLink(user_id=user_id, telegram_id=telegram_id, created_at=now)
    row.user_id = user_id
    session.add(row)
    session.flush()
    return row
