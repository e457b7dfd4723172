"""Sealed rows: credentials and tokens in, opened values out, re-sealing for `keys rotate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from shared.crypto import KeyProvider, Place, SealingKey, SecretError, key_id_of, open_sealed, seal_canary
from shared.models import ApiCredential, BrokerToken, Meta
from shared.store.heartbeats import fact, set_fact

CREDENTIAL_COLUMNS = ("app_key", "app_secret", "account_no", "hts_id")
CANARY_NAME = "key_canary"


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


def token_issued_at(session: Session, account_id: int) -> datetime | None:
    """When the stored token was issued, whether it opens or not."""
    return session.exec(select(BrokerToken.issued_at).where(BrokerToken.account_id == account_id)).first()


def save_token(
    session: Session,
    now: datetime,
    provider: KeyProvider,
    *,
    account_id: int,
    key_hash: str,
    value: str,
    generation: int,
    expires_at: datetime,
) -> None:
    """Keep a token sealed, with its generation; the credential row repeats it under the seed's column names."""
    hold_key(session)
    key = provider.current()
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
    return fact(session, CANARY_NAME)


def plant_canary(session: Session, key: SealingKey) -> None:
    set_fact(session, CANARY_NAME, seal_canary(key))


def hold_key(session: Session, *, rotating: bool = False) -> None:
    """Keep the master key as it is until this transaction ends. Hold first, then read the key, then seal.

    A rotation waits for those who hold, and they for it: what they seal is either sealed again by it or already under
    its new key. SQLite has one writer at a time and needs nothing more.
    """
    session.exec(select(Meta).where(Meta.name == CANARY_NAME).with_for_update(read=not rotating)).first()


def reseal_all(session: Session, provider: KeyProvider, progress: Callable[[str], None]) -> int:
    """Seal every secret again under the current key; rows already under it are skipped, so a cut run resumes.

    Returns the number of fields sealed again.
    """
    hold_key(session, rotating=True)
    changed = reseal_accounts(session, provider, progress)
    plant_canary(session, provider.current())
    return changed


def reseal_accounts(session: Session, provider: KeyProvider, progress: Callable[[str], None]) -> int:
    """Seal keys and tokens of the accounts again under the current key; the number of fields that were not."""
    changed = 0
    for credential in session.exec(select(ApiCredential).order_by(col(ApiCredential.id))):
        for column in (*CREDENTIAL_COLUMNS, "access_token"):
            changed += _reseal(provider, credential, column, Place("api_credentials", credential.uuid, column))
        progress(f"api_credentials {credential.id}")
    for token in session.exec(select(BrokerToken).order_by(col(BrokerToken.id))):
        changed += _reseal(provider, token, "token", Place("broker_tokens", token.uuid, "token"))
    return changed


def unreadable(session: Session, provider: KeyProvider) -> list[str]:
    """Sealed fields of the store that the master key does not open; `doctor` names them."""
    found: list[str] = []
    fields: list[tuple[str | None, Place]] = []
    for credential in session.exec(select(ApiCredential)):
        fields += [
            (getattr(credential, column), Place("api_credentials", credential.uuid, column))
            for column in (*CREDENTIAL_COLUMNS, "access_token")
        ]
    for token in session.exec(select(BrokerToken)):
        fields.append((token.token, Place("broker_tokens", token.uuid, "token")))
    for sealed, place in fields:
        try:
            if sealed:
                open_sealed(provider, sealed, place)
        except SecretError:
            found.append(f"{place.table}.{place.column} {place.row[:8]}")
    return found


def _reseal(provider: KeyProvider, row: object, column: str, place: Place) -> int:
    sealed, current = getattr(row, column), provider.current()
    if not sealed or key_id_of(sealed) == current.key_id.hex():
        return 0
    setattr(row, column, current.seal(open_sealed(provider, sealed, place), place))
    return 1
