"""Who may do what: one table, read by every service at the moment of effect and by the generated role × action test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from shared.domain.errors import Forbidden, NotFound, TradingError
from shared.models import BrokerageAccount, Role
from shared.store import accounts
from shared.store.people import active_user, granted_accounts
from shared.words import LANGS, say

KEY_HOLDERS = frozenset({"cli", "setup"})  # proved themselves by reading the master key file, not by a user row


class Action(StrEnum):
    VIEW = "view"
    ACCOUNT_ADD = "account.add"
    ACCOUNT_LIMITS = "account.limits"
    CREDENTIAL_SET = "credential.set"
    KEY_TEST = "key.test"
    ACCOUNT_START = "account.start"
    ACCOUNT_STOP = "account.stop"
    ACCOUNT_MOVE = "account.move"
    RULE_SAVE = "rule.save"
    RULE_SWITCH = "rule.switch"
    RULE_WAIVE = "rule.waive"
    OWNER_LIMITS = "owner.limits"
    ORDER_PLACE = "order.place"
    ORDER_AMEND = "order.amend"
    ORDER_CANCEL = "order.cancel"
    KILL_RAISE = "kill.raise"
    KILL_LOWER = "kill.lower"
    ALERT_ACK = "alert.ack"
    MATTER_SETTLE = "matter.settle"
    BACKTEST = "backtest"
    DRILL = "drill"
    ACCOUNT_ARM = "account.arm"
    ACCOUNT_DISARM = "account.disarm"
    ACCOUNT_ARCHIVE = "account.archive"
    RULE_ARCHIVE = "rule.archive"
    CANCEL_ALL = "order.cancel_all"
    FLATTEN = "position.flatten"
    USER_MANAGE = "user.manage"
    TOKEN_MANAGE = "token.manage"
    WEBHOOK_MANAGE = "webhook.manage"
    PROPOSE = "rule.propose"
    FX_RATE = "fx.rate"
    FEE_CONTRACT = "fee.contract"
    CASH_FLOW = "cash.flow"
    JOB_RUN = "job.run"
    JOB_SWITCH = "job.switch"
    SESSION_END = "session.end"
    PASSWORD_OWN = "user.password"  # pragma: allowlist secret
    PASSWORD_RESET = "user.password_reset"
    FACTOR_OWN = "factor.own"
    FACTOR_RESET = "factor.reset"
    POLICY_SET = "policy.set"
    SECOND_LOOK = "second.look"
    PROPOSAL_DECIDE = "proposal.decide"
    AUDIT_READ = "audit.read"


_ALL = frozenset(Role)
_ACTORS = frozenset({Role.TRADER, Role.ADMIN})
_ADMIN = frozenset({Role.ADMIN})

MATRIX: dict[Action, frozenset[Role]] = {
    Action.VIEW: _ALL,
    Action.ACCOUNT_ADD: _ADMIN,
    Action.ACCOUNT_LIMITS: _ADMIN,
    Action.CREDENTIAL_SET: _ADMIN,
    Action.KEY_TEST: _ACTORS,
    Action.ACCOUNT_START: _ACTORS,  # a LIVE account: Admin, see `check_live`
    Action.ACCOUNT_STOP: _ACTORS,
    Action.ACCOUNT_MOVE: _ADMIN,  # a person's word that the host which held it is off
    Action.RULE_SAVE: _ACTORS,
    Action.RULE_SWITCH: _ACTORS,
    Action.RULE_WAIVE: _ADMIN,
    Action.OWNER_LIMITS: _ADMIN,
    Action.ORDER_PLACE: _ACTORS,
    Action.ORDER_AMEND: _ACTORS,
    Action.ORDER_CANCEL: _ACTORS,
    Action.KILL_RAISE: _ACTORS,
    Action.KILL_LOWER: _ADMIN,
    Action.ALERT_ACK: _ACTORS,
    Action.MATTER_SETTLE: _ACTORS,  # what became of an unproven order, whose shares they are
    Action.BACKTEST: _ACTORS,
    Action.DRILL: _ACTORS,  # SIM accounts only
    Action.ACCOUNT_ARM: _ADMIN,
    Action.ACCOUNT_DISARM: _ACTORS,  # less risk is easy
    Action.ACCOUNT_ARCHIVE: _ADMIN,
    Action.RULE_ARCHIVE: _ACTORS,
    Action.CANCEL_ALL: _ACTORS,
    Action.FLATTEN: _ACTORS,
    Action.USER_MANAGE: _ADMIN,
    Action.TOKEN_MANAGE: _ADMIN,
    Action.WEBHOOK_MANAGE: _ADMIN,
    Action.PROPOSE: _ACTORS,
    Action.FX_RATE: _ADMIN,
    Action.FEE_CONTRACT: _ADMIN,
    Action.CASH_FLOW: _ADMIN,
    Action.JOB_RUN: _ACTORS,
    Action.JOB_SWITCH: _ADMIN,
    Action.SESSION_END: _ALL,  # one's own; an Admin everybody's
    Action.PASSWORD_OWN: _ALL,
    Action.PASSWORD_RESET: _ADMIN,
    Action.FACTOR_OWN: _ALL,
    Action.FACTOR_RESET: _ADMIN,
    Action.POLICY_SET: _ADMIN,
    Action.SECOND_LOOK: _ADMIN,  # a second Admin's yes or no to what a first one asked
    Action.PROPOSAL_DECIDE: _ACTORS,  # yes or no to an entry that a semi-automatic rule wants
    Action.AUDIT_READ: _ADMIN,
}
LIVE_NEEDS_ADMIN = frozenset({Action.ACCOUNT_START, Action.RULE_SWITCH})  # in the direction of more risk only


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and through which door. `role` is what the door believed; the database decides."""

    user_id: int | None
    role: Role
    source: str  # console | cli | telegram | api | setup
    name: str = ""
    lang: str = LANGS[0]

    @property
    def label(self) -> str:
        return f"user:{self.user_id}" if self.user_id is not None else f"{self.source}:{self.name}"


@dataclass(frozen=True, slots=True)
class Seen:
    """Who looks and what he may see, as the database said when a person last changed anything."""

    user_id: int | None
    role: Role
    rows: tuple[BrokerageAccount, ...]


_looking: ContextVar[Seen | None] = ContextVar("looking", default=None)


@contextmanager
def looking(seen: Seen) -> Iterator[None]:
    """Within: what only shows asks neither role nor grants again. An effect asks them whatever stands here."""
    token = _looking.set(seen)
    try:
        yield
    finally:
        _looking.reset(token)


def authorize(session: Session, actor: Actor, action: Action, account_id: int | None = None) -> Role:
    """Return the actor's present role when it allows `action` on the account.

    Raises:
        Forbidden: the role, read now from the database, does not allow it, or the user is disabled.
        NotFound: the account is not one of his; the answer is the same as for one that does not exist.
    """
    seen = _looking.get() if action is Action.VIEW else None
    role = seen.role if seen is not None and seen.user_id == actor.user_id else present_role(session, actor)
    if role not in MATRIX[action]:
        raise refuse(Forbidden, "forbidden", actor.lang, role=say(f"role.{role}", actor.lang))
    if account_id is not None and not may_see(session, actor, role, account_id):
        raise refuse(NotFound, "no_account", actor.lang, account=account_id)
    return role


def present_role(session: Session, actor: Actor) -> Role:
    """The role in force now, whatever the actor's session believed."""
    if actor.user_id is None:
        if actor.source in KEY_HOLDERS:
            return actor.role
        raise refuse(Forbidden, "signed_out", actor.lang)
    user = active_user(session, actor.user_id)
    if user is None:
        raise refuse(Forbidden, "signed_out", actor.lang)
    return Role(user.role)


def may_see(session: Session, actor: Actor, role: Role, account_id: int) -> bool:
    if role is Role.ADMIN or actor.user_id is None:
        return True
    return account_id in granted_accounts(session, actor.user_id)


def visible_accounts(session: Session, actor: Actor) -> list[BrokerageAccount]:
    """The accounts this person may see, by the grants in force now."""
    seen = _looking.get()
    if seen is not None and seen.user_id == actor.user_id:
        return list(seen.rows)
    return visible_to(session, actor, authorize(session, actor, Action.VIEW))


def visible_to(session: Session, actor: Actor, role: Role) -> list[BrokerageAccount]:
    """The same, where the role was asked already."""
    rows = accounts.live_accounts(session)
    if role is Role.ADMIN or actor.user_id is None:
        return rows
    granted = granted_accounts(session, actor.user_id)
    return [row for row in rows if row.id in granted]


def check_live(actor: Actor, role: Role) -> None:
    """More risk on a LIVE account is an Admin's."""
    if role is not Role.ADMIN:
        raise refuse(Forbidden, "live_needs_admin", actor.lang)


def refuse(kind: type[TradingError], code: str, lang: str, **values: object) -> TradingError:
    """A refusal in the operator's language: what, why and what to do now, from the word table."""
    what, why, now = (say(f"refuse.{code}.{part}", lang, **values) for part in ("what", "why", "now"))
    return kind(what, why, now, code=code)
