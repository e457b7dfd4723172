"""The people of the desk: add, list, give a role, grant accounts, disable. An Admin's work."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import Conflict, NotFound
from shared.models import AccountGrant, Role, TelegramLink, User
from shared.store import accounts, people
from shared.store.sessions import revoke_all

GROUP = re.compile(r"env:(SIM|MOCK|LIVE)|owner:[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class UserLine:
    id: int
    email: str
    name: str
    role: str
    disabled_at: datetime | None
    must_change_password: bool
    service: bool  # signs in with tokens only
    accounts: tuple[int, ...]
    groups: tuple[str, ...]
    second_factor: bool
    vouched_by: str  # the provider that may vouch for him at the door
    telegram_ids: tuple[int, ...]
    created_at: datetime
    auth_uid: str | None = None  # of Supabase Auth


def listed(wiring: Wiring, actor: Actor) -> list[UserLine]:
    """Everybody, the disabled ones included."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.USER_MANAGE)
        return [_line(session, row) for row in session.exec(select(User).order_by(col(User.id)))]


def add(
    wiring: Wiring,
    actor: Actor,
    email: str,
    role: Role,
    *,
    name: str = "",
    service: bool = False,
    granted: Collection[int] = (),
    groups: Collection[str] = (),
    reason: str = "",
) -> tuple[int, str | None]:
    """Add a user; return his id and his first password, shown once and to be changed at the first sign-in.

    A service user has no password: he signs in with tokens only.

    Raises:
        Conflict: the email is taken or not one.
    """
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,180}", email):
        raise refuse(Conflict, "bad_email", actor.lang, email=email)
    password = None if service else secrets.token_urlsafe(12)
    hashed = None
    if password is not None:
        from console.passwords import hash_password  # loads streamlit: only where a password is made

        hashed = hash_password(password)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.USER_MANAGE)
        if people.user_by_email(session, email) is not None:
            raise refuse(Conflict, "email_taken", actor.lang, email=email)
        now = wiring.clock.wall_now()
        row = User(
            email=email,
            name=name,
            role=role.value,
            password_hash=hashed,
            must_change_password=not service,
            created_at=now,
        )
        session.add(row)
        session.flush()
        user_id = row.id or 0
        _check_scope(session, actor, granted, groups)
        people.set_grants(session, user_id, granted, groups, now)
        after = {
            "email": email, "role": role.value, "service": service, "accounts": sorted(granted), "groups": sorted(groups)
        }  # fmt: skip
        note(session, wiring, actor, Action.USER_MANAGE, f"user:{user_id}", after=after, reason=reason)
    return user_id, password


def set_role(
    wiring: Wiring, actor: Actor, user_id: int, role: Role | None, *, granted: Collection[int] = (), reason: str = ""
) -> None:
    """Give a role (None keeps it) and grant more accounts; in force with the user's next request."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.USER_MANAGE)
        row = _user(session, actor, user_id)
        before = row.role
        if role is not None and role is not Role.ADMIN:
            _keep_an_admin(session, actor, row)
        if role is not None:
            row.role = role.value
        session.add(row)
        _grant(session, actor, user_id, granted, wiring.clock.wall_now())
        note(
            session,
            wiring,
            actor,
            Action.USER_MANAGE,
            f"user:{user_id}",
            before={"role": before},
            after={"role": row.role, "granted": sorted(granted)},
            reason=reason,
        )


def disable(wiring: Wiring, actor: Actor, user_id: int, *, reason: str = "") -> None:
    """Shut a user out: sessions end, tokens and Telegram fall silent at once. The last Admin stays."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.USER_MANAGE)
        row = _user(session, actor, user_id)
        _keep_an_admin(session, actor, row)
        now = wiring.clock.wall_now()
        row.disabled_at = row.disabled_at or now
        session.add(row)
        revoke_all(session, user_id, now)
        note(session, wiring, actor, Action.USER_MANAGE, f"user:{user_id}", after={"disabled": True}, reason=reason)


def link_auth(wiring: Wiring, actor: Actor, user_id: int, uid: str | None, *, reason: str = "") -> None:
    """Let a user of Supabase Auth be this person under row-level security; None: nobody is, from now on.

    Raises:
        Conflict: not the id of such a user, or already somebody else's.
    """
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.USER_MANAGE)
        row = _user(session, actor, user_id)
        wanted = None if uid is None else _auth_uid(session, actor, user_id, uid)
        before, row.auth_uid = row.auth_uid, wanted
        session.add(row)
        note(
            session, wiring, actor, Action.USER_MANAGE, f"user:{user_id}", before={"auth_uid": before},
            after={"auth_uid": wanted}, reason=reason,
        )  # fmt: skip


def _auth_uid(session: Session, actor: Actor, user_id: int, uid: str) -> str:
    try:
        found = str(uuid.UUID(uid.strip()))  # as auth.uid() writes it
    except ValueError:
        raise refuse(Conflict, "bad_auth_uid", actor.lang, uid=uid) from None
    other = session.exec(select(User.email).where(User.auth_uid == found, col(User.id) != user_id)).first()
    if other is not None:
        raise refuse(Conflict, "auth_uid_taken", actor.lang, email=other)
    return found


def enable(wiring: Wiring, actor: Actor, user_id: int, *, reason: str = "") -> None:
    """Let a disabled user in again, with the role, accounts and password he had."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.USER_MANAGE)
        row = _user(session, actor, user_id)
        row.disabled_at = None
        session.add(row)
        note(session, wiring, actor, Action.USER_MANAGE, f"user:{user_id}", after={"disabled": False}, reason=reason)


def set_scope(
    wiring: Wiring, actor: Actor, user_id: int, role: Role, account_ids: Collection[int], groups: Collection[str], *,
    reason: str,
) -> None:  # fmt: skip
    """Give exactly this role, these accounts and these groups; in force with the user's next request.

    Raises:
        Conflict: no reason, a group that there is not, or the last Admin would be none.
    """
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.USER_MANAGE)
        if not reason.strip():
            raise refuse(Conflict, "reason_missing", actor.lang)
        row = _user(session, actor, user_id)
        if role is not Role.ADMIN:
            _keep_an_admin(session, actor, row)
        _check_scope(session, actor, account_ids, groups)
        line = _line(session, row)
        before = {"role": row.role, "accounts": list(line.accounts), "groups": list(line.groups)}
        row.role = role.value
        session.add(row)
        people.set_grants(session, user_id, account_ids, groups, wiring.clock.wall_now())
        after = {"role": role.value, "accounts": sorted(account_ids), "groups": sorted(groups)}
        note(session, wiring, actor, Action.USER_MANAGE, f"user:{user_id}", before=before, after=after, reason=reason)


def reset_password(wiring: Wiring, actor: Actor, user_id: int, *, reason: str) -> str:
    """Give a user a new password, shown once and to be changed at the next sign-in; his sessions end.

    Raises:
        Conflict: no reason, or a service user, who has no password.
    """
    password = secrets.token_urlsafe(12)
    from console.passwords import hash_password  # loads streamlit: only where a password is made

    hashed = hash_password(password)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.PASSWORD_RESET)
        if not reason.strip():
            raise refuse(Conflict, "reason_missing", actor.lang)
        row = _user(session, actor, user_id)
        if row.password_hash is None:
            raise refuse(Conflict, "no_password", actor.lang, email=row.email)
        row.password_hash, row.must_change_password = hashed, True
        session.add(row)
        revoke_all(session, user_id, wiring.clock.wall_now())
        target, after = f"user:{user_id}", {"password": "one-time"}
        note(session, wiring, actor, Action.PASSWORD_RESET, target, after=after, reason=reason)
    return password


def sign_out(wiring: Wiring, actor: Actor, user_id: int, *, reason: str = "") -> None:
    """End every session of a user; his own anybody may end."""
    with writing(wiring.engine) as session:
        role = authorize(session, actor, Action.SESSION_END)
        if role is not Role.ADMIN and actor.user_id != user_id:
            raise refuse(NotFound, "no_user", actor.lang, user=user_id)
        _user(session, actor, user_id)
        revoke_all(session, user_id, wiring.clock.wall_now())
        note(session, wiring, actor, Action.SESSION_END, f"user:{user_id}", after={"all": True}, reason=reason)


def by_name(wiring: Wiring, actor: Actor, text: str) -> int:
    """The id of the user meant: number or email."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.USER_MANAGE)
        row = people.user_by_email(session, text.strip().lower())
        if row is None and text.isdigit():
            row = session.get(User, int(text))
        if row is None or row.id is None:
            raise refuse(NotFound, "no_user", actor.lang, user=text)
        return row.id


def _user(session: Session, actor: Actor, user_id: int) -> User:
    row = session.get(User, user_id)
    if row is None:
        raise refuse(NotFound, "no_user", actor.lang, user=user_id)
    return row


def _keep_an_admin(session: Session, actor: Actor, row: User) -> None:
    """A desk without an Admin who can sign in could never lower its kill switch again."""
    query = select(User.id).where(
        User.role == Role.ADMIN.value, col(User.disabled_at).is_(None), col(User.password_hash).is_not(None)
    )
    if list(session.exec(query)) == [row.id]:
        raise refuse(Conflict, "last_admin", actor.lang)


def _check_scope(session: Session, actor: Actor, account_ids: Collection[int], groups: Collection[str]) -> None:
    for account_id in account_ids:
        if accounts.find(session, account_id) is None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
    for group in groups:
        if not GROUP.fullmatch(group):
            raise refuse(Conflict, "bad_group", actor.lang, group=group)


def _grant(session: Session, actor: Actor, user_id: int, granted: Collection[int], now: datetime) -> None:
    held = people.granted_accounts(session, user_id)
    for account_id in sorted(set(granted) - held):
        if accounts.find(session, account_id) is None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        people.grant(session, user_id, account_id, now)


def _line(session: Session, row: User) -> UserLine:
    user_id = row.id or 0
    grants = session.exec(select(AccountGrant.account_id).where(AccountGrant.user_id == user_id))
    links = session.exec(select(TelegramLink.telegram_id).where(TelegramLink.user_id == user_id))
    return UserLine(
        id=user_id,
        email=row.email,
        name=row.name,
        role=row.role,
        disabled_at=row.disabled_at,
        must_change_password=row.must_change_password,
        service=row.password_hash is None,
        accounts=tuple(sorted(grants)),
        groups=tuple(sorted(people.granted_groups(session, user_id))),
        second_factor=row.totp_since is not None,
        vouched_by=(row.subject or "").partition("|")[0],
        telegram_ids=tuple(sorted(links)),
        created_at=row.created_at,
        auth_uid=row.auth_uid,
    )
