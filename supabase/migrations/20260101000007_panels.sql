-- Written by tools/supabase_sql.py from shared/migrations/versions/0009_panels.py; do not edit.

CREATE INDEX ix_orders_account_symbol ON orders (account_id, symbol, placed_at);

CREATE INDEX ix_orders_account_status ON orders (account_id, status, placed_at);

CREATE INDEX ix_execution_logs_level ON execution_logs (level, id);

CREATE TABLE bot_vitals (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    beats INTEGER NOT NULL,
    gap_s FLOAT NOT NULL,
    lag_ms FLOAT NOT NULL,
    feed_age_s FLOAT,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, at)
);

CREATE INDEX ix_bot_vitals_at ON bot_vitals (at);

CREATE TABLE profit_rollups (
    account_id INTEGER NOT NULL,
    last_fill_id INTEGER NOT NULL,
    newest_at TIMESTAMP WITH TIME ZONE,
    rates INTEGER NOT NULL,
    rates_at TIMESTAMP WITH TIME ZONE,
    days JSONB NOT NULL,
    lots JSONB NOT NULL,
    orders JSONB NOT NULL,
    basis VARCHAR NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account_id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id)
);

UPDATE alembic_version SET version_num = '0009';

alter table public.bot_vitals enable row level security;
revoke all on table public.bot_vitals from anon, authenticated, service_role;
alter table public.profit_rollups enable row level security;
revoke all on table public.profit_rollups from anon, authenticated, service_role;
