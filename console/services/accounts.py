"""Accounts: register, give keys, set limits, start, stop."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from sqlmodel import Session

from console.services import second_looks
from console.services.changes import by_number, desk_only
from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, check_live, refuse, visible_accounts
from console.services.trail import note
from console.wiring import Wiring
from shared.crypto import seal_row
from shared.db import reading, writing
from shared.domain.account import SUPPORTED, AccountNumber, BrokerName, Environment, Market
from shared.domain.errors import Conflict, NotFound, TradingError
from shared.models import ApiCredential, BrokerageAccount, Command, SecondLook
from shared.store import accounts, commands
from shared.store.secrets import hold_key
from shared.words import say

KEY_TEST_LIFE = timedelta(minutes=10)
_WHOLE = frozenset({"max_trades_per_day", "max_orders_per_minute"})


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What the form says about an account; nothing in it is secret."""

    nickname: str
    broker: BrokerName
    market: Market
    environment: Environment


@dataclass(frozen=True, slots=True)
class Keys:
    """App key, secret and account number as typed. Sealed at once and never shown again."""

    app_key: str
    app_secret: str
    account_no: str
    hts_id: str = ""

    def __repr__(self) -> str:
        return "Keys(…)"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in the account's currency. None means zero: nothing passes."""

    max_order_amount: Decimal | None
    max_symbol_amount: Decimal | None
    max_daily_buy: Decimal | None
    max_daily_loss: Decimal | None
    max_trades_per_day: int | None


def add_account(wiring: Wiring, actor: Actor, new: NewAccount, keys: Keys, limits: Limits, *, confirm: str = "") -> int:
    """Register an account with its keys, switched off; return its id.

    Raises:
        Conflict: name, number or key already registered, an impossible combination, or LIVE without its typed name.
    """
    _check_new(actor, new, limits)
    number, last4 = _account_number(actor, new.broker, keys.account_no)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ACCOUNT_ADD)
        _confirm_live(actor, new.environment, new.nickname, confirm)
        now = wiring.clock.wall_now()
        if accounts.nickname_taken(session, new.nickname):
            raise refuse(Conflict, "nickname_taken", actor.lang, nickname=new.nickname)
        row = BrokerageAccount(
            user_id=actor.user_id,
            owner_id=accounts.first_owner(session, now).id or 0,
            nickname=new.nickname,
            broker=new.broker,
            market=new.market,
            environment=new.environment,
            created_at=now,
            **_as_columns(limits),
        )
        session.add(row)
        session.flush()
        _seal_keys(wiring, session, actor, row, keys, number, last4)
        note(session, wiring, actor, Action.ACCOUNT_ADD, _target(row), account_id=row.id, after=_summary(row))
        return _id(row)


def set_credentials(
    wiring: Wiring, actor: Actor, account_id: int, keys: Keys, *, confirm: str = "", reason: str = ""
) -> None:
    """Replace the keys of an account; the account number must stay the same account's or be new to the desk."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.CREDENTIAL_SET, account_id)
        row = _account(session, actor, account_id)
        _confirm_live(actor, Environment(row.environment), row.nickname, confirm)
        number, last4 = _account_number(actor, BrokerName(row.broker), keys.account_no)
        _seal_keys(wiring, session, actor, row, keys, number, last4)
        row.config_version += 1
        note(
            session, wiring, actor, Action.CREDENTIAL_SET, _target(row), account_id=row.id, after={"last4": last4},
            reason=reason,
        )  # fmt: skip
    nudge(wiring.settings, account_id)


def set_limits(wiring: Wiring, actor: Actor, account_id: int, limits: Limits, *, reason: str) -> None:
    """Change the limits; the bot applies them within its next poll."""
    if not reason.strip():
        raise refuse(Conflict, "reason_missing", actor.lang)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ACCOUNT_LIMITS, account_id)
        row = _account(session, actor, account_id)
        _check_limits(actor, limits)
        wish = {name: _text(value) for name, value in _as_columns(limits).items()}
        look = second_looks.wanted(
            session, wiring, actor, Action.ACCOUNT_LIMITS, _target(row), wish, reason, account_id=account_id,
            riskier=second_looks.raises(_limits_now(row, wish), wish),
        )  # fmt: skip
        if look is None:
            put_limits(session, wiring, actor, row, wish, reason)
    second_looks.tell(actor, look)
    nudge(wiring.settings, account_id)


def limited(session: Session, wiring: Wiring, asker: Actor, look: SecondLook) -> Callable[[], None]:
    """Put limits in force that a second Admin has agreed to."""
    account_id = look.account_id or 0
    put_limits(session, wiring, asker, _account(session, asker, account_id), look.payload, look.reason)
    return lambda: nudge(wiring.settings, account_id)


def put_limits(
    session: Session, wiring: Wiring, actor: Actor, row: BrokerageAccount, wish: Mapping[str, str | None], reason: str
) -> None:
    """Write limits, given as text by column name, with their audit."""
    before = _limits_now(row, wish)
    for name, text in wish.items():
        setattr(row, name, _limit(name, text))
    row.config_version += 1
    session.add(row)
    note(
        session, wiring, actor, Action.ACCOUNT_LIMITS, _target(row), account_id=row.id, before=before, after=wish,
        reason=reason,
    )  # fmt: skip


def _limits_now(row: BrokerageAccount, names: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: _text(getattr(row, name)) for name in names}


def _limit(name: str, text: str | None) -> Decimal | int | str | None:
    if text is None or name == "extended_hours":
        return text
    return int(text) if name in _WHOLE else Decimal(text)


def start(wiring: Wiring, actor: Actor, account_id: int, *, confirm: str = "", reason: str = "") -> None:
    """Ask for the account to run; fleet sees the new generation and starts its bot.

    Raises:
        Conflict: no keys yet, or a LIVE account without its typed name and a reason.
    """
    with writing(wiring.engine) as session:
        role = authorize(session, actor, Action.ACCOUNT_START, account_id)
        row = _account(session, actor, account_id)
        if row.environment == Environment.LIVE:
            check_live(actor, role)
            _confirm_live(actor, Environment.LIVE, row.nickname, confirm)
            if not reason.strip():
                raise refuse(Conflict, "reason_missing", actor.lang)
        if accounts.credential_of(session, account_id) is None:
            raise refuse(Conflict, "no_keys", actor.lang, nickname=row.nickname)
        _desire(session, wiring, actor, row, enabled=True, reason=reason)


def stop(wiring: Wiring, actor: Actor, account_id: int, *, reason: str = "") -> None:
    """Ask for the account to stop: its bot drains and ends; positions and open orders stay at the broker."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ACCOUNT_STOP, account_id)
        _desire(session, wiring, actor, _account(session, actor, account_id), enabled=False, reason=reason)


def test_key(wiring: Wiring, actor: Actor, account_id: int, *, key: str) -> Command:
    """Ask the account's bot to prove its key: token, environment, one balance read. Two clicks are one command."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.KEY_TEST, account_id)
        row = _account(session, actor, account_id)
        if accounts.credential_of(session, account_id) is None:
            raise refuse(Conflict, "no_keys", actor.lang, nickname=row.nickname)
        now = wiring.clock.wall_now()
        command, new = commands.request(
            session,
            now,
            account_id=account_id,
            kind=commands.CommandKind.TEST_KEY,
            key=key,
            requested_by=actor.label,
            expires_at=now + KEY_TEST_LIFE,
        )
        if new:
            note(session, wiring, actor, Action.KEY_TEST, _target(row), account_id=row.id)
    nudge(wiring.settings, account_id)
    return command


def new_key() -> str:
    """A command key for a dialog that opens now: replayed clicks carry the same one."""
    return uuid4().hex


def _desire(
    session: Session, wiring: Wiring, actor: Actor, row: BrokerageAccount, *, enabled: bool, reason: str
) -> None:
    before = {"enabled": row.enabled, "generation": row.desired_generation}
    row.enabled = enabled
    row.desired_generation += 1  # even when it was enabled already: it releases a parked or held bot
    after = {"enabled": row.enabled, "generation": row.desired_generation}
    action = Action.ACCOUNT_START if enabled else Action.ACCOUNT_STOP
    note(
        session,
        wiring,
        actor,
        action,
        _target(row),
        account_id=row.id,
        before=before,
        after=after,
        reason=reason,
    )


def _seal_keys(
    wiring: Wiring, session: Session, actor: Actor, row: BrokerageAccount, keys: Keys, number: str, last4: str
) -> None:
    _check_keys(actor, keys)
    account_hash = wiring.lookup.fingerprint("account", row.broker, row.environment, number)
    key_hash = wiring.lookup.fingerprint("app_key", row.broker, row.environment, keys.app_key.strip())
    taken = accounts.by_account_hash(session, account_hash)
    if taken is not None and taken.id != row.id:
        raise refuse(Conflict, "account_taken", actor.lang, nickname=taken.nickname)
    owner = accounts.by_key_hash(session, key_hash)
    if owner is not None and owner.account_id != row.id:
        raise refuse(Conflict, "key_taken", actor.lang, account=owner.account_id)
    now = wiring.clock.wall_now()
    stored = accounts.credential_of(session, _id(row))
    if stored is None:
        stored = ApiCredential(
            account_id=_id(row), app_key="", app_secret="", account_no="", sandbox=True, key_hash="", updated_at=now
        )
    plain = {
        "app_key": keys.app_key.strip(),
        "app_secret": keys.app_secret.strip(),
        "account_no": number,
        "hts_id": keys.hts_id.strip(),
    }
    filled = {column: text for column, text in plain.items() if text}
    hold_key(session)
    for column, sealed in seal_row(wiring.sealing, "api_credentials", stored.uuid, filled).items():
        setattr(stored, column, sealed)
    stored.sandbox = row.environment != Environment.LIVE
    stored.key_hash, stored.updated_at = key_hash, now
    stored.access_token = stored.token_expire_at = None
    row.account_hash, row.last4, row.number_tail = account_hash, last4, tail_of(number)
    session.add(stored)
    session.flush()


def _check_new(actor: Actor, new: NewAccount, limits: Limits) -> None:
    if not re.fullmatch(r"[\w .()·-]{2,40}", new.nickname):
        raise refuse(Conflict, "bad_nickname", actor.lang)
    if (new.broker, new.market, new.environment) not in SUPPORTED:
        raise refuse(
            Conflict, "no_such_combination", actor.lang, broker=new.broker, market=new.market, env=new.environment
        )
    _check_limits(actor, limits)


def _check_limits(actor: Actor, limits: Limits) -> None:
    for name, value in _as_columns(limits).items():
        if value is not None and (not Decimal(value).is_finite() or value < 0):
            raise refuse(Conflict, "bad_limit", actor.lang, name=name)


def _check_keys(actor: Actor, keys: Keys) -> None:
    for name, value, longest in (("app_key", keys.app_key, 200), ("app_secret", keys.app_secret, 400)):
        if not re.fullmatch(rf"[\x21-\x7e]{{8,{longest}}}", value.strip()):
            raise refuse(Conflict, "bad_key", actor.lang, name=name)


def _account_number(actor: Actor, broker: BrokerName, typed: str) -> tuple[str, str]:
    """Return (number as stored, last four digits). KIS: 8+2 digits. LS: 11 digits, or 8+2 as its app shows it."""
    if broker is BrokerName.LS:
        digits = re.sub(r"[\s-]", "", typed)
        if re.fullmatch(r"\d{10,11}", digits):
            return digits, digits[-4:]
        raise refuse(Conflict, "bad_ls_account_no", actor.lang)
    try:
        number = AccountNumber.parse(typed)
    except ValueError:
        raise refuse(Conflict, "bad_account_no", actor.lang) from None
    return str(number), number.last4


def tail_of(number: str) -> str:
    """What may stand in clear of an account number: 12345678-01 → 5678-01, an LS number's last four digits."""
    head, dash, product = number.partition("-")
    return f"{head[-4:]}{dash}{product}"


def masked(row: BrokerageAccount) -> str:
    """The account number as every list, API answer and export shows it."""
    return f"****{row.number_tail or row.last4}"


def _confirm_live(actor: Actor, environment: Environment, nickname: str, confirm: str) -> None:
    if environment is Environment.LIVE and confirm != nickname:
        raise refuse(Conflict, "confirm_live", actor.lang, nickname=nickname)


def _account(session: Session, actor: Actor, account_id: int) -> BrokerageAccount:
    row = accounts.find(session, account_id)
    if row is None or row.archived_at is not None:
        raise refuse(NotFound, "no_account", actor.lang, account=account_id)
    return row


def _target(row: BrokerageAccount) -> str:
    return f"account:{row.id}"


def _summary(row: BrokerageAccount) -> dict[str, object]:
    return {"nickname": row.nickname, "broker": row.broker, "market": row.market, "environment": row.environment}


def _as_columns(limits: Limits) -> dict[str, Decimal | int | None]:
    return {field.name: getattr(limits, field.name) for field in fields(limits)}


def _text(value: Decimal | int | str | None) -> str | None:
    return None if value is None else str(value)


def _id(row: BrokerageAccount) -> int:
    if row.id is None:
        raise TradingError("the account has no id", "it was not flushed", "report this as a bug")
    return row.id


def names(wiring: Wiring, actor: Actor, environment: Environment | None = None) -> dict[int, str]:
    """Account id → name with broker and environment in words, of the accounts this person may see."""
    return _names(wiring, actor, environment, actor.lang)


@by_number()
def _names(wiring: Wiring, actor: Actor, environment: Environment | None, lang: str) -> dict[int, str]:
    with reading(wiring.engine) as session:
        rows = [row for row in visible_accounts(session, actor) if environment in (None, row.environment)]
    return {
        _id(row): f"{row.nickname} · {row.broker} {row.market} · {say(f'env.{row.environment}', lang)}" for row in rows
    }


def detail(wiring: Wiring, actor: Actor, account_id: int) -> BrokerageAccount:
    """The account's row, detached: settings and limits, no secret."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, account_id)
        return _account(session, actor, account_id)


@by_number(of=desk_only)
def shown(wiring: Wiring, actor: Actor, account_id: int) -> BrokerageAccount:
    """The same for a page that draws it: what is shared may be seconds old, so nothing is written by it."""
    return detail(wiring, actor, account_id)
