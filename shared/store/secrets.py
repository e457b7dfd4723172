"""Sealed rows: credentials and tokens in, opened values out, re-sealing for `keys rotate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from shared.crypto import KeyProvider, Place, SealingKey, key_id_of, open_sealed, seal_canary
from shared.models import ApiCredential, BrokerToken, User
from shared.store.heartbeats import fact, set_fact

CREDENTIAL_COLUMNS = ("app_key", "app_secret", "account_no", "hts_id")


@dataclass(frozen=True, slots=True, repr=False)
class OpenedCredential:
    """The keys of one account in the clear: in a bot's memory only."""

    app_key: str
    app_secret: str
    account_no: str
    hts_id: str
    key_hash: str


def open_credential(session: Session, provider: KeyProvider, account_id: int) -> OpenedCredential | None:
    """Open the keys of an account; None when none were entered. Raises SecretError when they do not open."""
    row = session.exec(select(ApiCredential).where(ApiCredential.account_id == account_id)).first()
    if row is None:
        return None
    opened = {
        column: open_sealed(provider, sealed, Place("api_credentials", row.uuid, column)) if sealed else ""
        for column in CREDENTIAL_COLUMNS
        for sealed in (getattr(row, column),)
    }
    return OpenedCredential(**opened, key_hash=row.key_hash)


@dataclass(frozen=True, slots=True, repr=False)
class OpenedToken:
    value: str
    generation: int
    issued_at: datetime
    expires_at: datetime


def load_token(session: Session, provider: KeyProvider, account_id: int, key_hash: str) -> OpenedToken | None:
    """The stored token of this account and app key; None when there is none or it belongs to another key."""
    row = session.exec(select(BrokerToken).where(BrokerToken.account_id == account_id)).first()
    if row is None or row.key_hash != key_hash:
        return None
    value = open_sealed(provider, row.token, Place("broker_tokens", row.uuid, "token"))
    return OpenedToken(value, row.generation, row.issued_at, row.expires_at)


def save_token(
    session: Session,
    now: datetime,
    key: SealingKey,
    *,
    account_id: int,
    key_hash: str,
    value: str,
    generation: int,
    expires_at: datetime,
) -> None:
    """Keep a token sealed, with its generation; the credential row repeats it under the seed's column names."""
    row = session.exec(select(BrokerToken).where(BrokerToken.account_id == account_id)).first()
    if row is None:
        row = BrokerToken(
            account_id=account_id, token="", generation=0, key_hash=key_hash, issued_at=now, expires_at=expires_at
        )
    row.token = key.seal(value, Place("broker_tokens", row.uuid, "token"))
    row.generation, row.key_hash, row.issued_at, row.expires_at = generation, key_hash, now, expires_at
    session.add(row)
    credential = session.exec(select(ApiCredential).where(ApiCredential.account_id == account_id)).first()
    if credential is not None:
        credential.access_token = key.seal(value, Place("api_credentials", credential.uuid, "access_token"))
        credential.token_expire_at = expires_at


def canary(session: Session) -> str | None:
    return fact(session, "key_canary")


def plant_canary(session: Session, key: SealingKey) -> None:
    set_fact(session, "key_canary", seal_canary(key))


def reseal_all(session: Session, provider: KeyProvider, progress: Callable[[str], None]) -> int:
    """Seal every secret again under the current key; rows already under it are skipped, so a cut run resumes.

    Returns the number of fields sealed again.
    """
    current = provider.current()
    changed = 0
    for credential in session.exec(select(ApiCredential).order_by(col(ApiCredential.id))):
        for column in (*CREDENTIAL_COLUMNS, "access_token"):
            changed += _reseal(provider, current, credential, column, Place("api_credentials", credential.uuid, column))
        progress(f"api_credentials {credential.id}")
    for token in session.exec(select(BrokerToken).order_by(col(BrokerToken.id))):
        changed += _reseal(provider, current, token, "token", Place("broker_tokens", token.uuid, "token"))
    for user in session.exec(select(User).order_by(col(User.id))):
        changed += _reseal(provider, current, user, "totp_secret", Place("users", str(user.id), "totp_secret"))
    plant_canary(session, current)
    return changed


def _reseal(provider: KeyProvider, current: SealingKey, row: object, column: str, place: Place) -> int:
    sealed = getattr(row, column)
    if not sealed or key_id_of(sealed) == current.key_id.hex():
        return 0
    setattr(row, column, current.seal(open_sealed(provider, sealed, place), place))
    return 1
