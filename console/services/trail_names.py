"""Names for what the audit trail points at: "account:3" is an account people know by its name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, literal, select, union_all
from sqlmodel import Session, col

from shared.models import Alert, ApiToken, BrokerageAccount, OrderRow, Owner, Proposal, TradeRule, User, Webhook

_NAMED = {
    "account": (col(BrokerageAccount.id), col(BrokerageAccount.nickname)),
    "user": (col(User.id), col(User.email)),
    "rule": (col(TradeRule.id), col(TradeRule.name)),
    "owner": (col(Owner.id), col(Owner.name)),
    "alert": (col(Alert.id), col(Alert.kind)),
    "order": (col(OrderRow.id), col(OrderRow.symbol)),
    "proposal": (col(Proposal.id), col(Proposal.symbol)),
    "token": (col(ApiToken.id), col(ApiToken.name)),
    "webhook": (col(Webhook.id), col(Webhook.name)),
}


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One row of the trail; `names` says who and what its references ("user:1", "account:3") are."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str
    reason: str
    source: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    names: dict[str, str]


def names_of(session: Session, references: Iterable[str]) -> dict[str, str]:
    """Reference → name, for those that exist still, in one statement; "desk" and free words have none."""
    wanted: dict[str, set[int]] = {}
    for one in references:
        kind, _, number = one.partition(":")
        if kind in _NAMED and number.isdecimal() and len(number) < 12:
            wanted.setdefault(kind, set()).add(int(number))
    if not wanted:
        return {}
    parts = [
        select(literal(kind), _NAMED[kind][0], cast(_NAMED[kind][1], String)).where(_NAMED[kind][0].in_(sorted(ids)))
        for kind, ids in wanted.items()
    ]
    return {f"{kind}:{number}": str(name) for kind, number, name in session.execute(union_all(*parts))}


_HOLD = {
    "granted": "account", "accounts": "account", "account": "account", "rule_id": "rule", "rule": "rule",
    "order_id": "order", "user_id": "user",
}  # fmt: skip


def references(*said: dict[str, Any] | None) -> set[str]:
    """What the fields of a row point at: {"granted": [1, 2]} names two accounts."""
    found = set()
    for values in said:
        for key, value in (values or {}).items():
            if kind := _HOLD.get(key):
                many = value if isinstance(value, list) else [value]
                found |= {f"{kind}:{one}" for one in many if isinstance(one, int) and not isinstance(one, bool)}
            elif key in {"asked_by", "by"} and isinstance(value, str):
                found.add(value)
    return found


def reference(key: str, value: object) -> str | None:
    """The reference that a field's value is, if it is one."""
    kind = _HOLD.get(key)
    return f"{kind}:{value}" if kind and isinstance(value, int) and not isinstance(value, bool) else None
