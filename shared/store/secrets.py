"""Sealed rows: credentials and tokens in, opened values out, re-sealing for `keys rotate`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import TableClause, insert, select, update

from shared import tables
from shared.crypto import KeyProvider, Place, SealingKey, SecretError, key_id_of, open_sealed, seal_canary
from shared.db import Record, Store
from shared.store.heartbeats import fact, set_fact

_key, _token = tables.credentials.c, tables.broker_tokens.c

CREDENTIAL_COLUMNS = ("app_key", "app_secret", "account_no", "hts_id")
CANARY_NAME = "key_canary"
_SEALED = {tables.credentials: (*CREDENTIAL_COLUMNS, "access_token"), tables.broker_tokens: ("token",)}


@dataclass(frozen=True, slots=True, repr=False)
class OpenedCredential:
    """The keys of one account in the clear: in a bot's memory only."""

    app_key: str
    app_secret: str
    account_no: str
    hts_id: str
    key_hash: str


def open_credential(store: Store, provider: KeyProvider, account_id: int) -> OpenedCredential | None:
    """Open the keys of an account; None when none were entered. Raises SecretError when they do not open."""
    row = store.execute(select(tables.credentials).where(_key.account_id == account_id)).first()
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


def load_token(store: Store, provider: KeyProvider, account_id: int, key_hash: str) -> OpenedToken | None:
    """The stored token of this account and app key; None when there is none or it belongs to another key."""
    row = store.execute(select(tables.broker_tokens).where(_token.account_id == account_id)).first()
    if row is None or row.key_hash != key_hash:
        return None
    value = open_sealed(provider, row.token, Place("broker_tokens", row.uuid, "token"))
    return OpenedToken(value, row.generation, row.issued_at, row.expires_at)


def token_issued_at(store: Store, account_id: int) -> datetime | None:
    """When the stored token was issued, whether it opens or not."""
    return store.execute(select(_token.issued_at).where(_token.account_id == account_id)).scalars().first()


def save_token(
    store: Store,
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
    hold_key(store)
    key = provider.current()
    known = store.execute(select(_token.uuid).where(_token.account_id == account_id)).scalars().first()
    row = known or uuid.uuid4().hex
    told = {
        "token": key.seal(value, Place("broker_tokens", row, "token")),
        "generation": generation, "key_hash": key_hash, "issued_at": now, "expires_at": expires_at,
    }  # fmt: skip
    if known is None:
        store.execute(insert(tables.broker_tokens).values(uuid=row, account_id=account_id, **told))
    else:
        store.execute(update(tables.broker_tokens).where(_token.account_id == account_id).values(told))
    credential = store.execute(select(_key.uuid).where(_key.account_id == account_id)).scalars().first()
    if credential is not None:
        repeated = key.seal(value, Place("api_credentials", credential, "access_token"))
        this = update(tables.credentials).where(_key.account_id == account_id)
        store.execute(this.values(access_token=repeated, token_expire_at=expires_at))


def canary(store: Store) -> str | None:
    return fact(store, CANARY_NAME)


def plant_canary(store: Store, key: SealingKey) -> None:
    set_fact(store, CANARY_NAME, seal_canary(key))


def hold_key(store: Store, *, rotating: bool = False) -> None:
    """Keep the master key as it is until this transaction ends. Hold first, then read the key, then seal.

    A rotation waits for those who hold, and they for it: what they seal is either sealed again by it or already under
    its new key. SQLite has one writer at a time and needs nothing more.
    """
    canary_row = select(tables.meta.c.name).where(tables.meta.c.name == CANARY_NAME)
    store.execute(canary_row.with_for_update(read=not rotating)).first()


def reseal_all(store: Store, provider: KeyProvider, progress: Callable[[str], None]) -> int:
    """Seal every secret again under the current key; rows already under it are skipped, so a cut run resumes.

    Returns the number of fields sealed again.
    """
    hold_key(store, rotating=True)
    changed = reseal_accounts(store, provider, progress)
    plant_canary(store, provider.current())
    return changed


def reseal_accounts(store: Store, provider: KeyProvider, progress: Callable[[str], None]) -> int:
    """Seal keys and tokens of the accounts again under the current key; the number of fields that were not."""
    changed = 0
    for table, columns in _SEALED.items():
        for row in store.execute(select(table).order_by(table.c.id)).all():
            fresh = {column: sealed for column in columns if (sealed := _resealed(provider, table, row, column))}
            if fresh:
                store.execute(update(table).where(table.c.id == row.id).values(fresh))
            changed += len(fresh)
            progress(f"{table.name} {row.id}")
    return changed


def unreadable(store: Store, provider: KeyProvider) -> list[str]:
    """Sealed fields of the store that the master key does not open; `doctor` names them."""
    found: list[str] = []
    fields: list[tuple[str | None, Place]] = [
        (getattr(row, column), Place(table.name, row.uuid, column))
        for table, columns in _SEALED.items()
        for row in store.execute(select(table)).all()
        for column in columns
    ]
    for sealed, place in fields:
        try:
            if sealed:
                open_sealed(provider, sealed, place)
        except SecretError:
            found.append(f"{place.table}.{place.column} {place.row[:8]}")
    return found


def _resealed(provider: KeyProvider, table: TableClause, row: Record, column: str) -> str | None:
    """The secret under the current key; None when there is none, or it already is."""
    sealed, current, place = getattr(row, column), provider.current(), Place(table.name, row.uuid, column)
    if not sealed or key_id_of(sealed) == current.key_id.hex():
        return None
    return current.seal(open_sealed(provider, sealed, place), place)
