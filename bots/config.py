"""What a bot runs by, read from the store in one go: account, limits, rules, and the versions its positions keep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from bots.risk.snapshot import Limits
from shared.db import Record, Store
from shared.domain.account import AccountKey, BrokerName, Environment, Market, Wire
from shared.domain.errors import ConfigError
from shared.domain.rule.model import Rule, Sizing, SizingMode
from shared.domain.rule.parse import parse_rule
from shared.store import configuration


@dataclass(frozen=True, slots=True)
class RuleConfig:
    """One rule in force. `entries` is its switch; exits go on while it holds shares."""

    rule: Rule
    symbols: tuple[str, ...]
    max_shares: int
    entries: bool


@dataclass(frozen=True, slots=True)
class RefusedRule:
    rule_id: int
    name: str
    reason: str


class AtClose(StrEnum):
    """What becomes of an order that is not filled when the close comes near."""

    KEEP = "keep"
    CANCEL = "cancel"
    REPRICE = "reprice"  # to the opposite best price, again and again
    CONVERT = "convert"  # to a limit as good as a market order: through the book, as far as the price collar lets it


@dataclass(frozen=True, slots=True)
class BotConfig:
    version: int
    key: AccountKey
    wire: Wire
    nickname: str
    enabled: bool
    limits: Limits
    spike_pct: Decimal
    spike_minutes: int
    failover: str
    armed_until: datetime | None
    first_traded_on: str | None  # ISO trade date of the account's first order, as the store has it
    extended_hours: frozenset[str]
    rules: tuple[RuleConfig, ...]
    pinned: dict[int, Rule]  # version id → the rule that judges positions opened with it: itself, or a later one
    refused: tuple[RefusedRule, ...]
    key_stamp: str  # changes when the keys are entered anew
    paused_jobs: frozenset[str] = frozenset()
    at_close: AtClose = AtClose.KEEP  # what becomes of unfilled orders before the close
    at_close_minutes: int = 10


def account_key(row: Any) -> AccountKey:
    """The identity of an account row; raises ConfigError for a combination that does not exist."""
    try:
        return AccountKey(
            row.id or 0, BrokerName(row.broker), Market(row.market), Environment(row.environment), row.owner_id
        )
    except ValueError as e:
        raise ConfigError("계좌 설정을 쓸 수 없습니다", str(e), "계좌를 다시 등록하십시오") from e


def load(
    store: Store, account_id: int, held: frozenset[tuple[int, int | None]], *, from_copy: bool = False
) -> BotConfig:
    """Read the configuration; `held` are the (rule, version) pairs of positions, whose rules stay even when archived.

    `from_copy`: the store is the copy beside the journal, which has no orders; its bot enters nothing anyway.

    Raises:
        ConfigError: there is no such account, or a limit that cannot be one.
    """
    row = configuration.account(store, account_id)
    if row is None or row.archived_at is not None:
        raise ConfigError(
            f"계좌 {account_id}이(가) 없습니다", "삭제되었거나 보관된 계좌입니다", "계좌 목록을 확인하십시오"
        )
    ready: list[RuleConfig] = []
    refused: list[RefusedRule] = []
    holding = {rule_id for rule_id, _ in held}
    rows = {one.id: one for one in configuration.live_rules(store, account_id) if one.enabled or one.id in holding}
    for rule_id in holding - rows.keys():
        kept = configuration.rule(store, rule_id)
        if kept is not None:
            rows[rule_id] = kept
    for one in rows.values():
        try:
            ready.append(_rule_config(store, one))
        except ConfigError as e:
            refused.append(RefusedRule(one.id or 0, one.name, str(e)))
    return BotConfig(
        version=row.config_version, key=account_key(row), wire=Wire(row.wire), nickname=row.nickname,
        enabled=row.enabled, limits=limits_of(row), spike_pct=row.spike_pct, spike_minutes=row.spike_minutes,
        failover=row.failover, armed_until=row.armed_until, first_traded_on=None if from_copy else configuration.first_trade_date(store, account_id),
        extended_hours=frozenset(row.extended_hours.split(",")) - {""}, rules=tuple(ready), pinned=_pinned(store, held),
        refused=tuple(refused), key_stamp=configuration.key_stamp(store, account_id),
        paused_jobs=frozenset() if from_copy else configuration.paused_jobs(store, account_id),
        at_close=_at_close(row), at_close_minutes=row.unfilled_minutes,
    )  # fmt: skip


def _at_close(row: Record) -> AtClose:
    try:
        return AtClose(row.unfilled_at_close)
    except ValueError as e:
        raise ConfigError("마감 전 미체결 처리를 알 수 없습니다", str(e), "일정 화면에서 다시 고르십시오") from e


def limits_of(row: Record) -> Limits:
    """The account's limits; what is blank is zero. Raises ConfigError for a negative one."""
    limits = Limits(
        max_order_amount=row.max_order_amount or Decimal(0),
        max_symbol_amount=row.max_symbol_amount or Decimal(0),
        max_daily_buy=row.max_daily_buy or Decimal(0),
        max_daily_loss=row.max_daily_loss or Decimal(0),
        max_trades_per_day=row.max_trades_per_day or 0,
        price_collar_pct=row.price_collar_pct,
        max_data_age_s=row.max_data_age_s,
        entries_on_fallback=row.entries_on_fallback,
        store_outage_entry_s=row.store_outage_entry_s,
        max_account_amount=row.max_account_amount,
        max_orders_per_minute=row.max_orders_per_minute,
        first_day_amount=row.first_day_amount,
    )
    for name in _NEVER_NEGATIVE:
        if (getattr(limits, name) or 0) < 0:
            raise ConfigError(f"{name} 값을 쓸 수 없습니다", "0보다 작습니다", "계좌 설정에서 고치십시오")
    return limits


_NEVER_NEGATIVE = (
    "max_order_amount", "max_symbol_amount", "max_daily_buy", "max_daily_loss", "price_collar_pct",
    "max_account_amount", "max_orders_per_minute", "first_day_amount",
)  # fmt: skip


def _rule_config(store: Store, row: Record) -> RuleConfig:
    rule = _parsed(store, row.id or 0, row.version_id)
    if rule.sizing is None and row.buy_amount_usd:
        rule = replace(rule, sizing=Sizing(SizingMode.AMOUNT, float(row.buy_amount_usd)))
    return RuleConfig(
        rule, rule.universe or (row.symbol,), row.max_position or 0, row.enabled and row.archived_at is None
    )


def _parsed(store: Store, rule_id: int, version_id: int | None) -> Rule:
    version = None if version_id is None else configuration.version(store, version_id)
    if version is None:
        raise ConfigError(f"규칙 {rule_id}", "저장된 버전이 없습니다", "규칙을 다시 저장하십시오")
    return replace(parse_rule(version.text), rule_id=rule_id, version_id=version_id or 0)


def _pinned(store: Store, held: frozenset[tuple[int, int | None]]) -> dict[int, Rule]:
    found: dict[int, Rule] = {}
    for rule_id, version_id in held:
        if version_id is not None:
            judging = configuration.governing(store, rule_id, version_id)
            try:
                found[version_id] = _parsed(store, rule_id, judging.id if judging is not None else version_id)
            except ConfigError:
                continue  # the rule in force takes over the position's exits
    return found
