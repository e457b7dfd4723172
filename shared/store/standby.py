"""What a bot needs to keep exits alive while the store is away: a copy of its account's rows, in a file beside its journal.

The same tables, so the same statements read it; secrets stay in the sealed boxes they came in (same table, row, column).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, and_, delete, event, insert, or_
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, SQLModel, col, select

from shared.crypto import KeyProvider
from shared.db import open_engine, writing
from shared.models import ApiCredential, BrokerageAccount, BrokerToken, KillSwitch, Meta, RuleVersion, TradeRule
from shared.store.heartbeats import fact, set_fact
from shared.store.secrets import reseal_accounts

FILE = "standby.db"
COPIED_AT, SHAPE = "copied_at", "shape"
_MODELS: tuple[type[SQLModel], ...] = (
    BrokerageAccount, ApiCredential, BrokerToken, KillSwitch, TradeRule, RuleVersion, Meta,
)  # fmt: skip

Rows = dict[str, list[dict[str, Any]]]  # table → rows


def collect(session: Session, account_id: int, versions: Iterable[int]) -> Rows:
    """Read the account's rows from the store; `versions` are kept beside those in force (positions were opened by them)."""
    own = col(TradeRule.account_id) == account_id
    in_force = select(TradeRule.version_id).where(own)
    taken_over = and_(col(RuleVersion.also_open), col(RuleVersion.rule_id).in_(select(TradeRule.id).where(own)))
    wanted = or_(col(RuleVersion.id).in_(in_force), col(RuleVersion.id).in_(list(versions)), taken_over)
    scopes = or_(col(KillSwitch.account_id).is_(None), col(KillSwitch.account_id) == account_id)
    found: dict[type[SQLModel], Any] = {
        BrokerageAccount: select(BrokerageAccount).where(BrokerageAccount.id == account_id),
        ApiCredential: select(ApiCredential).where(ApiCredential.account_id == account_id),
        BrokerToken: select(BrokerToken).where(BrokerToken.account_id == account_id),
        KillSwitch: select(KillSwitch).where(scopes),
        TradeRule: select(TradeRule).where(own),
        RuleVersion: select(RuleVersion).where(wanted),
    }
    return {
        str(model.__tablename__): [row.model_dump() for row in session.exec(query)] for model, query in found.items()
    }


def keep(path: Path, rows: Rows, now: datetime, provider: KeyProvider) -> None:
    """Replace the copy in one transaction, sealed under the key in force.

    Raises:
        SecretError: a row was sealed under a key that was rotated away meanwhile; the copy stays as it was.
        SQLAlchemyError, OSError: the disk does not take it.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with _opened(path) as engine, writing(engine) as session:
        connection = session.connection()
        if _fact_or_none(session, SHAPE) != _shape():
            SQLModel.metadata.drop_all(connection, tables=_tables())
            SQLModel.metadata.create_all(connection, tables=_tables())
        for model in _MODELS:
            connection.execute(delete(model))
            if rows.get(str(model.__tablename__)):
                connection.execute(insert(model), rows[str(model.__tablename__)])
        # Before the key is rotated away the rotation seals this file again; after it, we just did.
        reseal_accounts(session, provider, lambda what: None)
        set_fact(session, SHAPE, _shape())
        set_fact(session, COPIED_AT, now.isoformat())


@contextmanager
def opened(path: Path) -> Iterator[Session | None]:
    """A session on the copy, written back at the end; None when there is none that this version can read."""
    if not path.exists():
        yield None
        return
    with _opened(path) as engine, writing(engine) as session:
        yield session if _fact_or_none(session, SHAPE) == _shape() else None


def copied_at(session: Session) -> datetime:
    """When the copy was taken."""
    return datetime.fromisoformat(fact(session, COPIED_AT) or "")


def reseal(folder: Path, provider: KeyProvider) -> int:
    """Seal the copies of all accounts under `folder` again under the current key; the number of fields changed."""
    changed = 0
    for path in sorted(folder.glob(f"*/{FILE}")):
        with opened(path) as session:
            if session is not None:
                changed += reseal_accounts(session, provider, lambda what: None)
    return changed


@contextmanager
def _opened(path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _no_foreign_keys)
    try:
        yield engine
    finally:
        engine.dispose()


def _no_foreign_keys(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")  # owners and users stay in the store


def _tables() -> list[Any]:
    return [SQLModel.metadata.tables[str(model.__tablename__)] for model in _MODELS]


def _shape() -> str:
    """The columns of the copy: one made by another version is not read."""
    return ";".join(f"{table.name}:{','.join(column.name for column in table.columns)}" for table in _tables())


def _fact_or_none(session: Session, name: str) -> str | None:
    """A fact of a file that may have no tables yet."""
    try:
        with session.begin_nested():
            return fact(session, name)
    except SQLAlchemyError:
        return None
