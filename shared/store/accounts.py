"""Accounts and their sealed keys."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from shared.models import ApiCredential, BrokerageAccount, Owner


def find(session: Session, account_id: int) -> BrokerageAccount | None:
    return session.get(BrokerageAccount, account_id)


def live_accounts(session: Session) -> list[BrokerageAccount]:
    """Every account that is not archived, in order of registration."""
    query = select(BrokerageAccount).where(col(BrokerageAccount.archived_at).is_(None))
    return list(session.exec(query.order_by(col(BrokerageAccount.id))))


def nickname_taken(session: Session, nickname: str) -> bool:
    return session.exec(select(BrokerageAccount.id).where(BrokerageAccount.nickname == nickname)).first() is not None


def by_account_hash(session: Session, account_hash: str) -> BrokerageAccount | None:
    return session.exec(select(BrokerageAccount).where(BrokerageAccount.account_hash == account_hash)).first()


def credential_of(session: Session, account_id: int) -> ApiCredential | None:
    return session.exec(select(ApiCredential).where(ApiCredential.account_id == account_id)).first()


def by_key_hash(session: Session, key_hash: str) -> ApiCredential | None:
    return session.exec(select(ApiCredential).where(ApiCredential.key_hash == key_hash)).first()


def first_owner(session: Session, now: datetime) -> Owner:
    """The owner of a one-person desk, made on first use."""
    owner = session.exec(select(Owner).order_by(col(Owner.id)).limit(1)).first()
    if owner is None:
        owner = Owner(name="desk", created_at=now)
        session.add(owner)
        session.flush()
    return owner


def every(session: Session) -> list[BrokerageAccount]:
    """The archived ones included: their history stays."""
    return list(session.exec(select(BrokerageAccount).order_by(col(BrokerageAccount.id))))
