"""Rules and their immutable versions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from shared.models import BrokerageAccount, RuleVersion, TradeRule


@dataclass(frozen=True, slots=True)
class RuleColumns:
    """What lists and the API show of a rule, derived from its text by the caller."""

    name: str
    symbol: str
    time_in_force: str
    cooldown_sec: int
    entry_condition: dict[str, Any]
    exit_condition: dict[str, Any]


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def live_rules(session: Session, account_id: int | None = None) -> list[TradeRule]:
    """Rules that are not archived, of one account or of all."""
    query = select(TradeRule).where(col(TradeRule.archived_at).is_(None)).order_by(col(TradeRule.id))
    if account_id is not None:
        query = query.where(TradeRule.account_id == account_id)
    return list(session.exec(query))


def find(session: Session, rule_id: int) -> TradeRule | None:
    return session.get(TradeRule, rule_id)


def version(session: Session, version_id: int) -> RuleVersion | None:
    return session.get(RuleVersion, version_id)


def versions(session: Session, rule_id: int) -> list[RuleVersion]:
    """Newest first."""
    query = select(RuleVersion).where(RuleVersion.rule_id == rule_id).order_by(col(RuleVersion.number).desc())
    return list(session.exec(query))


def add(session: Session, now: datetime, account_id: int, columns: RuleColumns, text: str, by: str) -> TradeRule:
    """Add a rule, switched off, with its first version."""
    rule = TradeRule(account_id=account_id, name=columns.name, symbol=columns.symbol, created_at=now, updated_at=now)
    session.add(rule)
    session.flush()
    save_version(session, now, rule, columns, text, by)
    return rule


def save_version(
    session: Session,
    now: datetime,
    rule: TradeRule,
    columns: RuleColumns,
    text: str,
    by: str,
    note: str = "",
    *,
    also_open: bool = False,
) -> RuleVersion:
    """Append a version and make it the rule's; the same text again returns the version in force.

    `also_open`: positions opened with older versions are judged by this one from now on.
    """
    if rule.version_id is not None:
        current = version(session, rule.version_id)
        if current is not None and current.text_hash == text_hash(text):
            return current
    last = session.exec(select(func.max(RuleVersion.number)).where(RuleVersion.rule_id == rule.id)).one() or 0
    row = RuleVersion(
        rule_id=rule.id or 0,
        number=last + 1,
        text=text,
        text_hash=text_hash(text),
        created_by=by,
        created_at=now,
        note=note,
        also_open=also_open,
    )
    session.add(row)
    session.flush()
    rule.name, rule.symbol = columns.name, columns.symbol
    rule.time_in_force, rule.cooldown_sec = columns.time_in_force, columns.cooldown_sec
    rule.entry_condition, rule.exit_condition = columns.entry_condition, columns.exit_condition
    rule.version_id, rule.updated_at = row.id, now
    session.add(rule)
    touch_config(session, rule.account_id)
    return row


def set_enabled(session: Session, now: datetime, rule: TradeRule, enabled: bool) -> None:
    rule.enabled, rule.updated_at = enabled, now
    session.add(rule)
    touch_config(session, rule.account_id)


def archive(session: Session, now: datetime, rule: TradeRule) -> None:
    rule.enabled, rule.archived_at, rule.updated_at = False, now, now
    session.add(rule)
    touch_config(session, rule.account_id)


def touch_config(session: Session, account_id: int) -> None:
    """Tell the account's bot that its configuration changed."""
    account = session.get(BrokerageAccount, account_id, with_for_update=True)
    if account is not None:
        account.config_version += 1
        session.add(account)
