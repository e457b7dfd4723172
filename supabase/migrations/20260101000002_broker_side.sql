-- Written by tools/supabase_sql.py from shared/migrations/versions/0003_broker_side.py; do not edit.

CREATE TABLE period_profits (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    trade_date VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    qty INTEGER NOT NULL,
    bought NUMERIC(28, 10),
    sold NUMERIC(28, 10),
    realized_pnl NUMERIC(28, 10),
    fees NUMERIC(28, 10),
    taxes NUMERIC(28, 10),
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, trade_date, symbol)
);

ALTER TABLE orders ADD COLUMN session VARCHAR DEFAULT 'REGULAR' NOT NULL;

ALTER TABLE heartbeats ADD COLUMN rate_waiting INTEGER DEFAULT '0' NOT NULL;

ALTER TABLE heartbeats ADD COLUMN rate_limited INTEGER DEFAULT '0' NOT NULL;

ALTER TABLE job_runs ADD CONSTRAINT uq_job_runs_turn UNIQUE (account_id, job, due_at);

UPDATE alembic_version SET version_num = '0003';

alter table public.period_profits enable row level security;
revoke all on table public.period_profits from anon, authenticated, service_role;
