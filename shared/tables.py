"""The tables that bots speak to, as plain columns: written by tools/make_tables.py from shared/models, never by hand.

A bot carries no mapped classes (docs/decisions/0010-no-orm-in-a-bot.md); console and command line do, of the same tables.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Float, Integer, String, TableClause, column, table

from shared.columns import ExactDecimal, Instant, Json

_AT, _FLAG, _INT, _JSON, _MONEY, _REAL, _TEXT = (
    Instant(), Boolean(), Integer(), Json(), ExactDecimal(), Float(), String(),
)  # fmt: skip


def _table(_name: str, /, **types: Any) -> TableClause:
    return table(_name, *[column(name, kind) for name, kind in types.items()])


def fresh(of: TableClause, **given: Any) -> dict[str, Any]:
    """A whole new row: what is `given`, and the defaults of the rest."""
    return {name: default() if callable(default) else default for name, default in DEFAULTS[of.name].items()} | given


# fmt: off
accounts = _table("brokerage_accounts", id=_INT, user_id=_INT, owner_id=_INT, nickname=_TEXT, broker=_TEXT,
    market=_TEXT, environment=_TEXT, wire=_TEXT, last4=_TEXT, number_tail=_TEXT, account_hash=_TEXT, enabled=_FLAG,
    desired_generation=_INT, config_version=_INT, health_status=_TEXT, health_reason=_TEXT, last_heartbeat=_AT,
    armed_until=_AT, max_order_amount=_MONEY, max_symbol_amount=_MONEY, max_daily_buy=_MONEY, max_daily_loss=_MONEY,
    max_trades_per_day=_INT, max_account_amount=_MONEY, max_orders_per_minute=_INT, first_day_amount=_MONEY,
    extended_hours=_TEXT, price_collar_pct=_MONEY, max_data_age_s=_INT, spike_pct=_MONEY, spike_minutes=_INT,
    entries_on_fallback=_FLAG, store_outage_entry_s=_INT, unfilled_at_close=_TEXT, unfilled_minutes=_INT,
    failover=_TEXT, host_group=_TEXT, created_at=_AT, archived_at=_AT)
alerts = _table("alerts", id=_INT, account_id=_INT, kind=_TEXT, severity=_TEXT, dedup_key=_TEXT, params=_JSON,
    count=_INT, created_at=_AT, last_at=_AT, acknowledged_at=_AT, acknowledged_by=_TEXT, claimed_by=_TEXT,
    claimed_at=_AT, delivered_at=_AT)
audit_logs = _table("audit_logs", id=_INT, at=_AT, actor=_TEXT, actor_user_id=_INT, action=_TEXT, target=_TEXT,
    account_id=_INT, before=_JSON, after=_JSON, reason=_TEXT, source=_TEXT, previous_hash=_TEXT, row_hash=_TEXT)
bars = _table("price_bars", id=_INT, environment=_TEXT, market=_TEXT, symbol=_TEXT, timeframe=_TEXT, start=_AT,
    open=_MONEY, high=_MONEY, low=_MONEY, close=_MONEY, volume=_INT)
broker_tokens = _table("broker_tokens", id=_INT, uuid=_TEXT, account_id=_INT, token=_TEXT, generation=_INT,
    key_hash=_TEXT, issued_at=_AT, expires_at=_AT)
cash = _table("cash_balances", id=_INT, account_id=_INT, currency=_TEXT, total=_MONEY, buying_power=_MONEY,
    equity=_MONEY, stages=_JSON, as_of=_AT)
commands = _table("commands", id=_INT, account_id=_INT, kind=_TEXT, payload=_JSON, key=_TEXT, status=_TEXT,
    requested_by=_TEXT, requested_at=_AT, expires_at=_AT, claimed_at=_AT, finished_at=_AT, result=_JSON)
credentials = _table("api_credentials", id=_INT, uuid=_TEXT, account_id=_INT, app_key=_TEXT, app_secret=_TEXT,
    account_no=_TEXT, hts_id=_TEXT, sandbox=_FLAG, key_hash=_TEXT, access_token=_TEXT, token_expire_at=_AT,
    updated_at=_AT)
decisions = _table("decisions", id=_INT, account_id=_INT, seq=_INT, rule_id=_INT, version_id=_INT, symbol=_TEXT,
    verdict=_TEXT, reason=_TEXT, text=_TEXT, steps=_JSON, gates=_JSON, counts=_JSON, at=_AT, updated_at=_AT)
equity = _table("equity_snapshots", id=_INT, account_id=_INT, at=_AT, currency=_TEXT, equity=_MONEY, cash=_MONEY,
    realized_pnl_day=_MONEY)
execution_logs = _table("execution_logs", id=_INT, account_id=_INT, seq=_INT, rule_id=_INT, level=_TEXT, message=_TEXT,
    ctx=_JSON, created_at=_AT)
fills = _table("fills", id=_INT, order_id=_INT, account_id=_INT, execution_id=_TEXT, symbol=_TEXT, side=_TEXT,
    qty=_INT, price=_MONEY, currency=_TEXT, commission=_MONEY, tax=_MONEY, realized_pnl=_MONEY, filled_at=_AT,
    recorded_at=_AT)
fx_rates = _table("fx_rates", id=_INT, base=_TEXT, quote=_TEXT, rate=_MONEY, source=_TEXT, at=_AT)
heartbeats = _table("heartbeats", account_id=_INT, at=_AT, state=_TEXT, reason=_TEXT, host=_TEXT, pid=_INT,
    started_at=_AT, ready_at=_AT, code_hash=_TEXT, config_version=_INT, change_number=_INT, kill_level=_INT,
    market_at=_AT, feed_at=_AT, feed_source=_TEXT, token_expires_at=_AT, loop_lag_ms=_REAL, rate_used=_INT,
    rate_limit=_REAL, rate_waiting=_INT, rate_limited=_INT, outbox_depth=_INT, rss_mb=_REAL, detail=_JSON)
hosts = _table("hosts", name=_TEXT, seen_at=_AT, host_group=_TEXT, programs=_JSON, revision=_TEXT, skew_s=_REAL)
instruments = _table("instruments", id=_INT, market=_TEXT, symbol=_TEXT, venue=_TEXT, currency=_TEXT, type=_TEXT,
    board=_TEXT, name=_TEXT, name_en=_TEXT, fetched_at=_AT)
job_runs = _table("job_runs", id=_INT, job=_TEXT, account_id=_INT, due_at=_AT, started_at=_AT, finished_at=_AT,
    outcome=_TEXT, note=_TEXT)
kill_switches = _table("kill_switches", id=_INT, scope=_TEXT, account_id=_INT, level=_INT, reason=_TEXT,
    changed_by=_TEXT, changed_at=_AT)
leases = _table("leases", name=_TEXT, holder=_TEXT, epoch=_INT, acquired_at=_AT, renewed_at=_AT, ttl_s=_INT)
meta = _table("meta", name=_TEXT, value=_TEXT)
order_events = _table("order_events", id=_INT, account_id=_INT, order_id=_INT, seq=_INT, at=_AT, event=_TEXT,
    from_status=_TEXT, to_status=_TEXT, note=_TEXT)
orders = _table("orders", id=_INT, account_id=_INT, rule_id=_INT, version_id=_INT, client_order_id=_TEXT,
    broker_order_id=_TEXT, symbol=_TEXT, side=_TEXT, qty=_INT, price=_MONEY, order_type=_TEXT, time_in_force=_TEXT,
    venue=_TEXT, currency=_TEXT, status=_TEXT, filled_qty=_INT, avg_fill_price=_MONEY, reason=_TEXT, origin=_TEXT,
    placed_at=_AT, updated_at=_AT, trade_date=_TEXT, session=_TEXT, raw=_JSON)
owners = _table("owners", id=_INT, name=_TEXT, max_exposure_krw=_MONEY, max_exposure_usd=_MONEY, created_at=_AT)
paused_jobs = _table("paused_jobs", account_id=_INT, job=_TEXT, paused_by=_TEXT, paused_at=_AT)
period_profits = _table("period_profits", id=_INT, account_id=_INT, trade_date=_TEXT, symbol=_TEXT, currency=_TEXT,
    qty=_INT, bought=_MONEY, sold=_MONEY, realized_pnl=_MONEY, fees=_MONEY, taxes=_MONEY, of_sales=_FLAG,
    updated_at=_AT)
positions = _table("positions", id=_INT, account_id=_INT, symbol=_TEXT, name=_TEXT, qty=_INT, sellable=_INT,
    avg_price=_MONEY, last_price=_MONEY, unrealized_pnl=_MONEY, currency=_TEXT, guarded_by=_INT, stop_price=_MONEY,
    stop_checked_at=_AT, stop_kind=_TEXT, guard_version_id=_INT, guarded_qty=_INT, priced_at=_AT, updated_at=_AT)
proposals = _table("proposals", id=_INT, account_id=_INT, proposal_key=_TEXT, rule_id=_INT, version_id=_INT,
    symbol=_TEXT, side=_TEXT, qty=_INT, price=_MONEY, order_type=_TEXT, currency=_TEXT, reason=_TEXT, score=_REAL,
    status=_TEXT, outcome=_TEXT, decided_by=_TEXT, asked_at=_AT, expires_at=_AT, decided_at=_AT, updated_at=_AT)
quotes = _table("quotes", id=_INT, environment=_TEXT, market=_TEXT, symbol=_TEXT, last=_MONEY, bid=_MONEY, ask=_MONEY,
    prev_close=_MONEY, source=_TEXT, at=_AT, received_at=_AT)
rule_versions = _table("rule_versions", id=_INT, rule_id=_INT, number=_INT, text=_TEXT, text_hash=_TEXT,
    created_by=_TEXT, created_at=_AT, note=_TEXT, also_open=_FLAG)
rules = _table("trade_rules", id=_INT, account_id=_INT, name=_TEXT, symbol=_TEXT, buy_amount_usd=_MONEY,
    max_position=_INT, entry_condition=_JSON, exit_condition=_JSON, time_in_force=_TEXT, cooldown_sec=_INT,
    enabled=_FLAG, version_id=_INT, waived_version_id=_INT, created_at=_AT, updated_at=_AT, archived_at=_AT)
scheduled_jobs = _table("scheduled_jobs", id=_INT, account_id=_INT, job=_TEXT, next_at=_AT, missed=_TEXT, paused=_FLAG,
    updated_at=_AT)
signals = _table("strategy_signals", id=_INT, account_id=_INT, rule_id=_INT, type=_TEXT, score=_REAL, signal_key=_TEXT,
    payload=_JSON, created_at=_AT)
vitals = _table("bot_vitals", id=_INT, account_id=_INT, at=_AT, beats=_INT, gap_s=_REAL, lag_ms=_REAL,
    feed_age_s=_REAL)

DEFAULTS: dict[str, dict[str, Any]] = {  # what the models give to a column left out; others must be given
    "brokerage_accounts": {"user_id": None, "wire": "live", "last4": "", "number_tail": "", "account_hash": None,
        "enabled": False, "desired_generation": 0, "config_version": 1, "health_status": "NEW", "health_reason": "",
        "last_heartbeat": None, "armed_until": None, "max_order_amount": None, "max_symbol_amount": None,
        "max_daily_buy": None, "max_daily_loss": None, "max_trades_per_day": None, "max_account_amount": None,
        "max_orders_per_minute": 30, "first_day_amount": None, "extended_hours": "", "price_collar_pct": Decimal("3"),
        "max_data_age_s": 15, "spike_pct": Decimal("3"), "spike_minutes": 5, "entries_on_fallback": False,
        "store_outage_entry_s": 300, "unfilled_at_close": "keep", "unfilled_minutes": 10, "failover": "pinned",
        "host_group": "", "archived_at": None},
    "alerts": {"account_id": None, "params": dict, "count": 1, "acknowledged_at": None, "acknowledged_by": "",
        "claimed_by": "", "claimed_at": None, "delivered_at": None},
    "audit_logs": {"actor_user_id": None, "target": "", "account_id": None, "before": None, "after": None,
        "reason": "", "source": "", "previous_hash": "", "row_hash": ""},
    "price_bars": {},
    "broker_tokens": {},
    "cash_balances": {"buying_power": None, "equity": None, "stages": None},
    "commands": {"account_id": None, "payload": dict, "status": "REQUESTED", "expires_at": None, "claimed_at": None,
        "finished_at": None, "result": None},
    "api_credentials": {"hts_id": "", "access_token": None, "token_expire_at": None},
    "decisions": {"text": "", "steps": list, "gates": list, "counts": dict},
    "equity_snapshots": {"realized_pnl_day": None},
    "execution_logs": {"rule_id": None, "ctx": dict},
    "fills": {"currency": "", "commission": None, "tax": None, "realized_pnl": None},
    "fx_rates": {"source": ""},
    "heartbeats": {"reason": "", "host": "", "pid": 0, "ready_at": None, "code_hash": "", "config_version": 0,
        "change_number": 0, "kill_level": 0, "market_at": None, "feed_at": None, "feed_source": "",
        "token_expires_at": None, "loop_lag_ms": 0.0, "rate_used": 0, "rate_limit": 0.0, "rate_waiting": 0,
        "rate_limited": 0, "outbox_depth": 0, "rss_mb": 0.0, "detail": dict},
    "hosts": {"host_group": "", "programs": dict, "revision": "", "skew_s": 0.0},
    "instruments": {"type": "stock", "board": "", "name": "", "name_en": ""},
    "job_runs": {"account_id": None, "started_at": None, "finished_at": None, "outcome": "", "note": ""},
    "kill_switches": {"account_id": None, "level": 0, "reason": "", "changed_by": ""},
    "leases": {"ttl_s": 30},
    "meta": {},
    "order_events": {"from_status": "", "to_status": "", "note": ""},
    "orders": {"rule_id": None, "version_id": None, "broker_order_id": None, "price": None, "order_type": "LIMIT",
        "time_in_force": "DAY", "venue": "", "currency": "", "filled_qty": 0, "avg_fill_price": None, "reason": "",
        "origin": "rule", "trade_date": "", "session": "REGULAR", "raw": None},
    "owners": {"max_exposure_krw": None, "max_exposure_usd": None},
    "paused_jobs": {"account_id": 0},
    "period_profits": {"symbol": "", "qty": 0, "bought": None, "sold": None, "realized_pnl": None, "fees": None,
        "taxes": None, "of_sales": None},
    "positions": {"name": "", "sellable": None, "last_price": None, "unrealized_pnl": None, "currency": "",
        "guarded_by": None, "stop_price": None, "stop_checked_at": None, "stop_kind": "", "guard_version_id": None,
        "guarded_qty": None, "priced_at": None},
    "proposals": {"price": None, "order_type": "LIMIT", "currency": "", "reason": "", "score": 1.0, "outcome": "",
        "decided_by": "", "decided_at": None},
    "quotes": {"bid": None, "ask": None, "prev_close": None, "source": "stream"},
    "rule_versions": {"created_by": "", "note": "", "also_open": False},
    "trade_rules": {"buy_amount_usd": None, "max_position": None, "entry_condition": None, "exit_condition": None,
        "time_in_force": "DAY", "cooldown_sec": 0, "enabled": False, "version_id": None, "waived_version_id": None,
        "archived_at": None},
    "scheduled_jobs": {"account_id": 0, "next_at": None, "paused": False},
    "strategy_signals": {"score": 1.0, "payload": dict},
    "bot_vitals": {"feed_age_s": None},
}
