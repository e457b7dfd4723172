-- Written by tools/supabase_sql.py from shared/migrations/versions/0001_first_tables.py; do not edit.

CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));

CREATE TABLE audit_logs (
    id SERIAL NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor VARCHAR NOT NULL,
    actor_user_id INTEGER,
    action VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    account_id INTEGER,
    before JSONB,
    after JSONB,
    reason VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    previous_hash VARCHAR NOT NULL,
    row_hash VARCHAR NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_audit_logs_account_id ON audit_logs (account_id);

CREATE INDEX ix_audit_logs_action ON audit_logs (action);

CREATE INDEX ix_audit_logs_at ON audit_logs (at);

CREATE TABLE backtest_runs (
    id SERIAL NOT NULL,
    rule_text VARCHAR NOT NULL,
    params JSONB NOT NULL,
    status VARCHAR NOT NULL,
    progress FLOAT NOT NULL,
    result JSONB,
    requested_by VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
);

CREATE TABLE fx_rates (
    id SERIAL NOT NULL,
    base VARCHAR NOT NULL,
    quote VARCHAR NOT NULL,
    rate NUMERIC(28, 10) NOT NULL,
    source VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (base, quote, at)
);

CREATE TABLE hosts (
    name VARCHAR NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    host_group VARCHAR NOT NULL,
    programs JSONB NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE instruments (
    id SERIAL NOT NULL,
    market VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    venue VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    type VARCHAR NOT NULL,
    board VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (market, symbol)
);

CREATE TABLE job_runs (
    id SERIAL NOT NULL,
    job VARCHAR NOT NULL,
    account_id INTEGER,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    outcome VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_job_runs_job ON job_runs (job);

CREATE TABLE leases (
    name VARCHAR NOT NULL,
    holder VARCHAR NOT NULL,
    epoch INTEGER NOT NULL,
    acquired_at TIMESTAMP WITH TIME ZONE NOT NULL,
    renewed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ttl_s INTEGER NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE meta (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE owners (
    id SERIAL NOT NULL,
    name VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE price_bars (
    id SERIAL NOT NULL,
    environment VARCHAR NOT NULL,
    market VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    timeframe VARCHAR NOT NULL,
    start TIMESTAMP WITH TIME ZONE NOT NULL,
    open NUMERIC(28, 10) NOT NULL,
    high NUMERIC(28, 10) NOT NULL,
    low NUMERIC(28, 10) NOT NULL,
    close NUMERIC(28, 10) NOT NULL,
    volume INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (environment, market, symbol, timeframe, start)
);

CREATE TABLE quotes (
    id SERIAL NOT NULL,
    environment VARCHAR NOT NULL,
    market VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    last NUMERIC(28, 10) NOT NULL,
    bid NUMERIC(28, 10),
    ask NUMERIC(28, 10),
    prev_close NUMERIC(28, 10),
    source VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (environment, market, symbol)
);

CREATE TABLE users (
    id SERIAL NOT NULL,
    email VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    password_hash VARCHAR,
    must_change_password BOOLEAN NOT NULL,
    totp_secret VARCHAR,
    lang VARCHAR,
    disabled_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_users_email ON users (email);

CREATE TABLE api_tokens (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    token_hash VARCHAR NOT NULL,
    scopes JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id),
    UNIQUE (token_hash)
);

CREATE INDEX ix_api_tokens_user_id ON api_tokens (user_id);

CREATE TABLE brokerage_accounts (
    id SERIAL NOT NULL,
    user_id INTEGER,
    owner_id INTEGER NOT NULL,
    nickname VARCHAR NOT NULL,
    broker VARCHAR NOT NULL,
    market VARCHAR NOT NULL,
    environment VARCHAR NOT NULL,
    wire VARCHAR NOT NULL,
    last4 VARCHAR NOT NULL,
    account_hash VARCHAR,
    enabled BOOLEAN NOT NULL,
    desired_generation INTEGER NOT NULL,
    config_version INTEGER NOT NULL,
    health_status VARCHAR NOT NULL,
    health_reason VARCHAR NOT NULL,
    last_heartbeat TIMESTAMP WITH TIME ZONE,
    armed_until TIMESTAMP WITH TIME ZONE,
    max_order_amount NUMERIC(28, 10),
    max_symbol_amount NUMERIC(28, 10),
    max_daily_buy NUMERIC(28, 10),
    max_daily_loss NUMERIC(28, 10),
    max_trades_per_day INTEGER,
    price_collar_pct NUMERIC(28, 10) NOT NULL,
    max_data_age_s INTEGER NOT NULL,
    spike_pct NUMERIC(28, 10) NOT NULL,
    spike_minutes INTEGER NOT NULL,
    entries_on_fallback BOOLEAN NOT NULL,
    store_outage_entry_s INTEGER NOT NULL,
    failover VARCHAR NOT NULL,
    host_group VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(owner_id) REFERENCES owners (id),
    FOREIGN KEY(user_id) REFERENCES users (id),
    UNIQUE (account_hash),
    UNIQUE (nickname)
);

CREATE TABLE sessions (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    token_hash VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    ip VARCHAR NOT NULL,
    user_agent VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id),
    UNIQUE (token_hash)
);

CREATE INDEX ix_sessions_user_id ON sessions (user_id);

CREATE TABLE account_grants (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    FOREIGN KEY(user_id) REFERENCES users (id),
    UNIQUE (user_id, account_id)
);

CREATE INDEX ix_account_grants_account_id ON account_grants (account_id);

CREATE INDEX ix_account_grants_user_id ON account_grants (user_id);

CREATE TABLE alerts (
    id SERIAL NOT NULL,
    account_id INTEGER,
    kind VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    dedup_key VARCHAR NOT NULL,
    params JSONB NOT NULL,
    count INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    acknowledged_by VARCHAR NOT NULL,
    claimed_by VARCHAR NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE,
    delivered_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id)
);

CREATE INDEX ix_alerts_account_id ON alerts (account_id);

CREATE INDEX ix_alerts_dedup_key ON alerts (dedup_key);

CREATE INDEX ix_alerts_open ON alerts (acknowledged_at, created_at);

CREATE TABLE api_credentials (
    id SERIAL NOT NULL,
    uuid VARCHAR NOT NULL,
    account_id INTEGER NOT NULL,
    app_key VARCHAR NOT NULL,
    app_secret VARCHAR NOT NULL,
    account_no VARCHAR NOT NULL,
    hts_id VARCHAR NOT NULL,
    sandbox BOOLEAN NOT NULL,
    key_hash VARCHAR NOT NULL,
    access_token VARCHAR,
    token_expire_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id),
    UNIQUE (key_hash),
    UNIQUE (uuid)
);

CREATE TABLE broker_tokens (
    id SERIAL NOT NULL,
    uuid VARCHAR NOT NULL,
    account_id INTEGER NOT NULL,
    token VARCHAR NOT NULL,
    generation INTEGER NOT NULL,
    key_hash VARCHAR NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id),
    UNIQUE (uuid)
);

CREATE TABLE cash_balances (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    currency VARCHAR NOT NULL,
    total NUMERIC(28, 10) NOT NULL,
    buying_power NUMERIC(28, 10),
    equity NUMERIC(28, 10),
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, currency)
);

CREATE TABLE commands (
    id SERIAL NOT NULL,
    account_id INTEGER,
    kind VARCHAR NOT NULL,
    payload JSONB NOT NULL,
    key VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    requested_by VARCHAR NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    claimed_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    result JSONB,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (key)
);

CREATE INDEX ix_commands_open ON commands (account_id, status);

CREATE TABLE decisions (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    rule_id INTEGER NOT NULL,
    version_id INTEGER NOT NULL,
    symbol VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    steps JSONB NOT NULL,
    gates JSONB NOT NULL,
    counts JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, seq)
);

CREATE INDEX ix_decisions_account_id ON decisions (account_id);

CREATE INDEX ix_decisions_at ON decisions (at);

CREATE INDEX ix_decisions_rule_id ON decisions (rule_id);

CREATE TABLE equity_snapshots (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    currency VARCHAR NOT NULL,
    equity NUMERIC(28, 10) NOT NULL,
    cash NUMERIC(28, 10) NOT NULL,
    realized_pnl_day NUMERIC(28, 10),
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, at)
);

CREATE INDEX ix_equity_snapshots_at ON equity_snapshots (at);

CREATE TABLE execution_logs (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    rule_id INTEGER,
    level VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    ctx JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, seq)
);

CREATE INDEX ix_execution_logs_account_id ON execution_logs (account_id);

CREATE INDEX ix_execution_logs_created_at ON execution_logs (created_at);

CREATE TABLE fee_contracts (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    effective_from VARCHAR NOT NULL,
    effective_to VARCHAR,
    buy_pct NUMERIC(28, 10) NOT NULL,
    sell_pct NUMERIC(28, 10) NOT NULL,
    note VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id)
);

CREATE INDEX ix_fee_contracts_account_id ON fee_contracts (account_id);

CREATE TABLE heartbeats (
    account_id INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    host VARCHAR NOT NULL,
    pid INTEGER NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ready_at TIMESTAMP WITH TIME ZONE,
    code_hash VARCHAR NOT NULL,
    config_version INTEGER NOT NULL,
    change_number INTEGER NOT NULL,
    kill_level INTEGER NOT NULL,
    market_at TIMESTAMP WITH TIME ZONE,
    feed_at TIMESTAMP WITH TIME ZONE,
    feed_source VARCHAR NOT NULL,
    token_expires_at TIMESTAMP WITH TIME ZONE,
    loop_lag_ms FLOAT NOT NULL,
    rate_used INTEGER NOT NULL,
    rate_limit FLOAT NOT NULL,
    outbox_depth INTEGER NOT NULL,
    rss_mb FLOAT NOT NULL,
    detail JSONB NOT NULL,
    PRIMARY KEY (account_id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id)
);

CREATE TABLE kill_switches (
    id SERIAL NOT NULL,
    scope VARCHAR NOT NULL,
    account_id INTEGER,
    level INTEGER NOT NULL,
    reason VARCHAR NOT NULL,
    changed_by VARCHAR NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (scope)
);

CREATE TABLE orders (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    rule_id INTEGER,
    version_id INTEGER,
    client_order_id VARCHAR NOT NULL,
    broker_order_id VARCHAR,
    symbol VARCHAR NOT NULL,
    side VARCHAR NOT NULL,
    qty INTEGER NOT NULL,
    price NUMERIC(28, 10),
    order_type VARCHAR NOT NULL,
    time_in_force VARCHAR NOT NULL,
    venue VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    filled_qty INTEGER NOT NULL,
    avg_fill_price NUMERIC(28, 10),
    reason VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    trade_date VARCHAR NOT NULL,
    raw JSONB,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, client_order_id)
);

CREATE INDEX ix_orders_account_placed ON orders (account_id, placed_at);

CREATE INDEX ix_orders_broker_order_id ON orders (broker_order_id);

CREATE INDEX ix_orders_placed_at ON orders (placed_at);

CREATE TABLE positions (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    symbol VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    qty INTEGER NOT NULL,
    sellable INTEGER,
    avg_price NUMERIC(28, 10) NOT NULL,
    last_price NUMERIC(28, 10),
    unrealized_pnl NUMERIC(28, 10),
    currency VARCHAR NOT NULL,
    guarded_by INTEGER,
    stop_price NUMERIC(28, 10),
    stop_checked_at TIMESTAMP WITH TIME ZONE,
    priced_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, symbol)
);

CREATE TABLE strategy_signals (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    rule_id INTEGER NOT NULL,
    type VARCHAR NOT NULL,
    score FLOAT NOT NULL,
    signal_key VARCHAR NOT NULL,
    payload JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, signal_key)
);

CREATE INDEX ix_strategy_signals_account_id ON strategy_signals (account_id);

CREATE INDEX ix_strategy_signals_rule_id ON strategy_signals (rule_id);

CREATE TABLE trade_rules (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    buy_amount_usd NUMERIC(28, 10),
    max_position INTEGER,
    entry_condition JSONB,
    exit_condition JSONB,
    time_in_force VARCHAR NOT NULL,
    cooldown_sec INTEGER NOT NULL,
    enabled BOOLEAN NOT NULL,
    version_id INTEGER,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id)
);

CREATE INDEX ix_trade_rules_account_id ON trade_rules (account_id);

CREATE TABLE fills (
    id SERIAL NOT NULL,
    order_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    execution_id VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    side VARCHAR NOT NULL,
    qty INTEGER NOT NULL,
    price NUMERIC(28, 10) NOT NULL,
    currency VARCHAR NOT NULL,
    commission NUMERIC(28, 10),
    tax NUMERIC(28, 10),
    realized_pnl NUMERIC(28, 10),
    filled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    FOREIGN KEY(order_id) REFERENCES orders (id),
    UNIQUE (account_id, execution_id)
);

CREATE INDEX ix_fills_account_id ON fills (account_id);

CREATE INDEX ix_fills_filled_at ON fills (filled_at);

CREATE INDEX ix_fills_order_id ON fills (order_id);

CREATE TABLE order_events (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    event VARCHAR NOT NULL,
    from_status VARCHAR NOT NULL,
    to_status VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    FOREIGN KEY(order_id) REFERENCES orders (id),
    UNIQUE (account_id, seq)
);

CREATE INDEX ix_order_events_order_id ON order_events (order_id);

CREATE TABLE rule_versions (
    id SERIAL NOT NULL,
    rule_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    text VARCHAR NOT NULL,
    text_hash VARCHAR NOT NULL,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    note VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(rule_id) REFERENCES trade_rules (id),
    UNIQUE (rule_id, number)
);

CREATE INDEX ix_rule_versions_rule_id ON rule_versions (rule_id);

INSERT INTO alembic_version (version_num) VALUES ('0001');

alter table public.audit_logs enable row level security;
revoke all on table public.audit_logs from anon, authenticated, service_role;
alter table public.backtest_runs enable row level security;
revoke all on table public.backtest_runs from anon, authenticated, service_role;
alter table public.fx_rates enable row level security;
revoke all on table public.fx_rates from anon, authenticated, service_role;
alter table public.hosts enable row level security;
revoke all on table public.hosts from anon, authenticated, service_role;
alter table public.instruments enable row level security;
revoke all on table public.instruments from anon, authenticated, service_role;
alter table public.job_runs enable row level security;
revoke all on table public.job_runs from anon, authenticated, service_role;
alter table public.leases enable row level security;
revoke all on table public.leases from anon, authenticated, service_role;
alter table public.meta enable row level security;
revoke all on table public.meta from anon, authenticated, service_role;
alter table public.owners enable row level security;
revoke all on table public.owners from anon, authenticated, service_role;
alter table public.price_bars enable row level security;
revoke all on table public.price_bars from anon, authenticated, service_role;
alter table public.quotes enable row level security;
revoke all on table public.quotes from anon, authenticated, service_role;
alter table public.users enable row level security;
revoke all on table public.users from anon, authenticated, service_role;
alter table public.api_tokens enable row level security;
revoke all on table public.api_tokens from anon, authenticated, service_role;
alter table public.brokerage_accounts enable row level security;
revoke all on table public.brokerage_accounts from anon, authenticated, service_role;
alter table public.sessions enable row level security;
revoke all on table public.sessions from anon, authenticated, service_role;
alter table public.account_grants enable row level security;
revoke all on table public.account_grants from anon, authenticated, service_role;
alter table public.alerts enable row level security;
revoke all on table public.alerts from anon, authenticated, service_role;
alter table public.api_credentials enable row level security;
revoke all on table public.api_credentials from anon, authenticated, service_role;
alter table public.broker_tokens enable row level security;
revoke all on table public.broker_tokens from anon, authenticated, service_role;
alter table public.cash_balances enable row level security;
revoke all on table public.cash_balances from anon, authenticated, service_role;
alter table public.commands enable row level security;
revoke all on table public.commands from anon, authenticated, service_role;
alter table public.decisions enable row level security;
revoke all on table public.decisions from anon, authenticated, service_role;
alter table public.equity_snapshots enable row level security;
revoke all on table public.equity_snapshots from anon, authenticated, service_role;
alter table public.execution_logs enable row level security;
revoke all on table public.execution_logs from anon, authenticated, service_role;
alter table public.fee_contracts enable row level security;
revoke all on table public.fee_contracts from anon, authenticated, service_role;
alter table public.heartbeats enable row level security;
revoke all on table public.heartbeats from anon, authenticated, service_role;
alter table public.kill_switches enable row level security;
revoke all on table public.kill_switches from anon, authenticated, service_role;
alter table public.orders enable row level security;
revoke all on table public.orders from anon, authenticated, service_role;
alter table public.positions enable row level security;
revoke all on table public.positions from anon, authenticated, service_role;
alter table public.strategy_signals enable row level security;
revoke all on table public.strategy_signals from anon, authenticated, service_role;
alter table public.trade_rules enable row level security;
revoke all on table public.trade_rules from anon, authenticated, service_role;
alter table public.fills enable row level security;
revoke all on table public.fills from anon, authenticated, service_role;
alter table public.order_events enable row level security;
revoke all on table public.order_events from anon, authenticated, service_role;
alter table public.rule_versions enable row level security;
revoke all on table public.rule_versions from anon, authenticated, service_role;
alter table public.alembic_version enable row level security;
revoke all on table public.alembic_version from anon, authenticated, service_role;
