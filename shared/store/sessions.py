"""Signed-in browsers: an opaque id in the cookie, its hash in the row."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select, update

from shared.models import LoginSession, User
from shared.store.factors import required_roles

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session and the person behind it, read together."""

    session_id: int
    user_id: int
    email: str
    role: str
    lang: str | None
    last_seen_at: datetime
    expires_at: datetime
    must_change_password: bool = False
    enrolled: bool = False  # has a second factor
    must_enrol: bool = False  # the desk demands one that he has not

    @property
    def held_at(self) -> str:
        """The only page this session may see; "" when it may see all of the desk."""
        return "/password" if self.must_change_password else "/factor" if self.must_enrol else ""


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def start_session(
    session: Session, user_id: int, now: datetime, *, ip: str, user_agent: str, method: str = "password"
) -> str:
    """Open a session and return its 256-bit id; only the hash is kept."""
    token = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            user_id=user_id,
            token_hash=token_hash(token),
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE,
            ip=ip[:64],
            user_agent=user_agent[:200],
            method=method,
        )
    )
    return token


def find_session(session: Session, token: str, now: datetime) -> SignedIn | None:
    """The live session of `token`: not revoked, not idle too long, not too old, its user not disabled."""
    row = session.exec(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)  # type: ignore[arg-type]
        .where(LoginSession.token_hash == token_hash(token))
    ).first()
    if row is None:
        return None
    login, user = row
    idle_until = login.last_seen_at + IDLE
    if login.revoked_at is not None or user.disabled_at is not None or now >= min(login.expires_at, idle_until):
        return None
    assert login.id is not None and user.id is not None
    return SignedIn(
        login.id,
        user.id,
        user.email,
        user.role,
        user.lang,
        login.last_seen_at,
        login.expires_at,
        user.must_change_password and login.method == "password",
        user.totp_since is not None,
        user.totp_since is None and user.role in required_roles(session),
    )


def live(session: Session, now: datetime, user_id: int | None) -> list[tuple[LoginSession, str]]:
    """Sessions that still sign somebody in, with the user's email; of one user or of all."""
    query = (
        select(LoginSession, User.email)
        .join(User, User.id == LoginSession.user_id)  # type: ignore[arg-type]
        .where(
            col(LoginSession.revoked_at).is_(None),
            col(LoginSession.expires_at) > now,
            col(LoginSession.last_seen_at) > now - IDLE,
            col(User.disabled_at).is_(None),
        )
    )
    if user_id is not None:
        query = query.where(LoginSession.user_id == user_id)
    return list(session.exec(query.order_by(col(LoginSession.last_seen_at).desc()).limit(200)))


def touch_session(session: Session, session_id: int, now: datetime) -> None:
    """Note that the person did something; automatic refreshes do not count."""
    session.exec(update(LoginSession).where(LoginSession.id == session_id).values(last_seen_at=now))  # type: ignore[arg-type]


def revoke_session(session: Session, token: str, now: datetime) -> None:
    """End the session of `token` at once; an unknown token changes nothing."""
    session.exec(
        update(LoginSession)
        .where(LoginSession.token_hash == token_hash(token), LoginSession.revoked_at.is_(None))  # type: ignore[union-attr, arg-type]
        .values(revoked_at=now)
    )


def revoke_others(session: Session, user_id: int, token: str, now: datetime) -> None:
    """End every session of the user but that of `token`."""
    session.exec(
        update(LoginSession)
        .where(
            LoginSession.user_id == user_id,  # type: ignore[arg-type]
            LoginSession.token_hash != token_hash(token),  # type: ignore[arg-type]
            LoginSession.revoked_at.is_(None),  # type: ignore[union-attr]
        )
        .values(revoked_at=now)
    )


def revoke_all(session: Session, user_id: int, now: datetime) -> None:
    """End every session of the user, on every device."""
    session.exec(
        update(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))  # type: ignore[union-attr, arg-type]
        .values(revoked_at=now)
    )
