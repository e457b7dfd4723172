"""Bearer tokens and webhooks: made by an Admin, shown once, kept as hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import NotFound
from shared.models import ApiToken, Webhook
from shared.store import people, rules


class Scope(StrEnum):
    """What a token may be used for, within what its user's role allows."""

    READ = "read"
    TRADE = "trade"  # orders, rules, bots, alerts
    MANAGE = "manage"  # accounts and keys
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a valid token stands for."""

    token_id: int
    user_id: int
    role: str
    email: str
    lang: str | None
    scopes: frozenset[str]


def add(
    wiring: Wiring, actor: Actor, user_id: int, name: str, scopes: Collection[Scope], *, days: int | None
) -> tuple[int, str]:
    """Make a token of a user; return its id and the token, shown this once."""
    token = "lt_" + secrets.token_urlsafe(32)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.TOKEN_MANAGE)
        if people.active_user(session, user_id) is None:
            raise refuse(NotFound, "no_user", actor.lang, user=user_id)
        now = wiring.clock.wall_now()
        row = ApiToken(
            user_id=user_id,
            name=name[:80],
            token_hash=digest(token),
            scopes=sorted(scope.value for scope in set(scopes)),
            created_at=now,
            expires_at=None if days is None else now + timedelta(days=days),
        )
        session.add(row)
        session.flush()
        after = {"name": row.name, "scopes": row.scopes, "user_id": user_id}
        note(session, wiring, actor, Action.TOKEN_MANAGE, f"token:{row.id}", after=after)
        return row.id or 0, token


def listed(wiring: Wiring, actor: Actor) -> list[ApiToken]:
    """Every token, the revoked ones included; never the token itself."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.TOKEN_MANAGE)
        return list(session.exec(select(ApiToken).order_by(col(ApiToken.id))))


def revoke(wiring: Wiring, actor: Actor, token_id: int) -> None:
    """End a token at once; again changes nothing."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.TOKEN_MANAGE)
        row = session.get(ApiToken, token_id)
        if row is None:
            raise refuse(NotFound, "no_token", actor.lang, token=token_id)
        if row.revoked_at is None:
            row.revoked_at = wiring.clock.wall_now()
            session.add(row)
            note(session, wiring, actor, Action.TOKEN_MANAGE, f"token:{token_id}", after={"revoked": True})


def bearer(wiring: Wiring, token: str) -> Bearer | None:
    """Who the token stands for now; None when it is unknown, revoked, expired or its user disabled.

    A token without scopes (made before there were any) may read only.
    """
    with reading(wiring.engine) as session:
        user = people.token_user(session, token, wiring.clock.wall_now())
        row = session.exec(select(ApiToken).where(ApiToken.token_hash == digest(token))).first()
        if user is None or row is None:
            return None
        scopes = frozenset(row.scopes) or frozenset({Scope.READ.value})
        return Bearer(row.id or 0, user.id or 0, user.role, user.email, user.lang, scopes)


def note_use(wiring: Wiring, token_id: int) -> None:
    """Write down that a token was used; callers do so about once a minute."""
    with writing(wiring.engine) as session:
        row = session.get(ApiToken, token_id)
        if row is not None:
            row.last_used_at = wiring.clock.wall_now()
            session.add(row)


def add_webhook(wiring: Wiring, actor: Actor, rule_id: int, name: str) -> tuple[Webhook, str]:
    """Open an address that may propose trades of one rule; return it with its secret, shown this once."""
    secret = secrets.token_urlsafe(24)
    with writing(wiring.engine) as session:
        rule = rules.find(session, rule_id)
        if rule is None or rule.archived_at is not None:
            raise refuse(NotFound, "no_rule", actor.lang, rule=rule_id)
        authorize(session, actor, Action.WEBHOOK_MANAGE, rule.account_id)
        row = Webhook(
            path_id=secrets.token_urlsafe(16),
            secret_hash=digest(secret),
            rule_id=rule_id,
            account_id=rule.account_id,
            user_id=actor.user_id,
            name=name[:80],
            created_by=actor.label,
            created_at=wiring.clock.wall_now(),
        )
        session.add(row)
        session.flush()
        after = {"name": row.name, "rule_id": rule_id}
        note(
            session,
            wiring,
            actor,
            Action.WEBHOOK_MANAGE,
            f"webhook:{row.id}",
            account_id=rule.account_id,
            after=after,
        )
        return row, secret


def webhooks(wiring: Wiring, actor: Actor) -> list[Webhook]:
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.WEBHOOK_MANAGE)
        return list(session.exec(select(Webhook).order_by(col(Webhook.id))))


def revoke_webhook(wiring: Wiring, actor: Actor, webhook_id: int) -> None:
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.WEBHOOK_MANAGE)
        row = session.get(Webhook, webhook_id)
        if row is None:
            raise refuse(NotFound, "no_webhook", actor.lang, webhook=webhook_id)
        if row.revoked_at is None:
            row.revoked_at = wiring.clock.wall_now()
            session.add(row)
            note(session, wiring, actor, Action.WEBHOOK_MANAGE, f"webhook:{webhook_id}", after={"revoked": True})


def opened_by(session: Session, path_id: str, secret: str) -> Webhook | None:
    """The webhook of this path and secret; None for a wrong one of either, after the same comparison."""
    row = session.exec(select(Webhook).where(Webhook.path_id == path_id, col(Webhook.revoked_at).is_(None))).first()
    right = hmac.compare_digest(digest(secret), row.secret_hash if row is not None else digest(""))
    return row if right and row is not None else None


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
