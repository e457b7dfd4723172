"""The second factor (RFC 6238): enrol, check, recovery codes, and an Admin's way out for who lost his phone."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlmodel import Session

from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.crypto import SecretError
from shared.db import reading, writing
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.factor_box import open_factor, recovery_hash, seal_factor
from shared.logs import log
from shared.models import User
from shared.store import factors
from shared.store.people import active_user
from shared.store.sessions import revoke_all

STEP_S = 30
DRIFT_STEPS = 1  # a phone's clock may be one step off either way
RECOVERY_CODES, RECOVERY_BYTES = 10, 10
ISSUER = "LetsTrade"


@dataclass(frozen=True, slots=True, repr=False)
class Enrolment:
    """What the app on the phone must learn; shown to its owner only, until he has proven it."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's own second factor as it stands."""

    since: datetime | None
    recovery_left: int
    required: bool


def standing(wiring: Wiring, user_id: int) -> Standing:
    with reading(wiring.engine) as session:
        user = active_user(session, user_id)
        if user is None:
            return Standing(None, 0, False)
        required = user.role in factors.required_roles(session)
        return Standing(user.totp_since, factors.recovery_left(session, user_id), required)


def begin(wiring: Wiring, actor: Actor) -> Enrolment:
    """Return the secret to enrol; the same one until it is proven. Nothing is asked for it before that.

    Raises:
        Conflict: there is a proven one already.
    """
    with writing(wiring.engine) as session:
        user = _self(session, actor)
        if user.totp_since is not None:
            raise refuse(Conflict, "factor_there", actor.lang)
        secret = _opened(wiring, user) or pyotp.random_base32()
        user.totp_secret = seal_factor(wiring.lookup, user.id or 0, secret)
        session.add(user)
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER))


def prove(wiring: Wiring, actor: Actor, code: str) -> tuple[str, ...]:
    """Put the enrolled secret in force by its first code; return the recovery codes, shown this once.

    Raises:
        Forbidden: the code is not the one of now.
    """
    with writing(wiring.engine) as session:
        user, now = _self(session, actor), wiring.clock.wall_now()
        if user.totp_since is not None:
            raise refuse(Conflict, "factor_there", actor.lang)
        if not _right(session, wiring, user, code):
            raise refuse(Forbidden, "factor_wrong", actor.lang)
        user.totp_since = now
        session.add(user)
        codes = _fresh_codes(session, wiring, user.id or 0)
        note(session, wiring, actor, Action.FACTOR_OWN, f"user:{user.id}", after={"second_factor": True})
    return codes


def renew_codes(wiring: Wiring, actor: Actor, code: str) -> tuple[str, ...]:
    """New recovery codes; the old ones end. Needs a code of now."""
    with writing(wiring.engine) as session:
        user = _self(session, actor)
        if user.totp_since is None or not accepts(session, wiring, user, code):
            raise refuse(Forbidden, "factor_wrong", actor.lang)
        codes = _fresh_codes(session, wiring, user.id or 0)
        note(session, wiring, actor, Action.FACTOR_OWN, f"user:{user.id}", after={"recovery_codes": "renewed"})
    return codes


def turn_off(wiring: Wiring, actor: Actor, code: str) -> None:
    """Take one's own second factor away. Needs a code of now; not where the desk demands it.

    Raises:
        Conflict: the desk demands it of this role. Forbidden: wrong code.
    """
    with writing(wiring.engine) as session:
        user = _self(session, actor)
        if user.role in factors.required_roles(session):
            raise refuse(Conflict, "factor_required", actor.lang)
        if user.totp_since is None or not accepts(session, wiring, user, code):
            raise refuse(Forbidden, "factor_wrong", actor.lang)
        factors.forget(session, user)
        note(session, wiring, actor, Action.FACTOR_OWN, f"user:{user.id}", after={"second_factor": False})


def reset(wiring: Wiring, actor: Actor, user_id: int, *, reason: str) -> None:
    """Take somebody's second factor away who lost it; his sessions end, and he enrols anew where it is demanded."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.FACTOR_RESET)
        if not reason.strip():
            raise refuse(Conflict, "reason_missing", actor.lang)
        user = session.get(User, user_id)
        if user is None:
            raise refuse(NotFound, "no_user", actor.lang, user=user_id)
        had = user.totp_since is not None
        factors.forget(session, user)
        revoke_all(session, user_id, wiring.clock.wall_now())
        note(
            session, wiring, actor, Action.FACTOR_RESET, f"user:{user_id}", before={"second_factor": had},
            after={"second_factor": False}, reason=reason,
        )  # fmt: skip


def accepts(session: Session, wiring: Wiring, user: User, code: str) -> bool:
    """Tell whether `code` proves the user, and use it up: a code of now or a recovery code. Each counts once."""
    if _right(session, wiring, user, code):
        return True
    hashed = recovery_hash(wiring.lookup, user.id or 0, code)
    return factors.take_recovery(session, user.id or 0, hashed, wiring.clock.wall_now())


def _right(session: Session, wiring: Wiring, user: User, code: str) -> bool:
    digits, secret = "".join(code.split()), _opened(wiring, user)
    if secret is None or len(digits) != 6 or not digits.isdecimal():
        return False
    now, totp = int(wiring.clock.wall_now().timestamp()) // STEP_S, pyotp.TOTP(secret, interval=STEP_S)
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if secrets.compare_digest(totp.at(step * STEP_S), digits):
            return factors.take_step(session, user.id or 0, step)
    return False


def _opened(wiring: Wiring, user: User) -> str | None:
    if user.totp_secret is None:
        return None
    try:
        return open_factor(wiring.lookup, user.id or 0, user.totp_secret)
    except SecretError as error:
        log("console", "a second factor does not open", level="error", user_id=user.id, why=error.why)
        return None


def _fresh_codes(session: Session, wiring: Wiring, user_id: int) -> tuple[str, ...]:
    codes = tuple(_grouped(secrets.token_bytes(RECOVERY_BYTES)) for _ in range(RECOVERY_CODES))
    hashes = [recovery_hash(wiring.lookup, user_id, one) for one in codes]
    factors.replace_recovery(session, user_id, hashes, wiring.clock.wall_now())
    return codes


def _grouped(raw: bytes) -> str:
    text = base64.b32encode(raw).decode()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _self(session: Session, actor: Actor) -> User:
    authorize(session, actor, Action.FACTOR_OWN)
    user = None if actor.user_id is None else active_user(session, actor.user_id)
    if user is None:
        raise refuse(Forbidden, "signed_out", actor.lang)
    return user
