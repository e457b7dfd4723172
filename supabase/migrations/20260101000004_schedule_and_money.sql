-- Written by tools/supabase_sql.py from shared/migrations/versions/0006_schedule_and_money.py; do not edit.

ALTER TABLE brokerage_accounts ADD COLUMN unfilled_at_close VARCHAR DEFAULT 'keep' NOT NULL;

ALTER TABLE brokerage_accounts ADD COLUMN unfilled_minutes INTEGER DEFAULT '10' NOT NULL;

ALTER TABLE cash_balances ADD COLUMN stages JSONB;

ALTER TABLE period_profits ADD COLUMN of_sales BOOLEAN;

CREATE TABLE scheduled_jobs (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    job VARCHAR NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE,
    missed VARCHAR NOT NULL,
    paused BOOLEAN NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (account_id, job)
);

CREATE TABLE paused_jobs (
    account_id INTEGER NOT NULL,
    job VARCHAR NOT NULL,
    paused_by VARCHAR NOT NULL,
    paused_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account_id, job)
);

CREATE TABLE readiness (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opens_at TIMESTAMP WITH TIME ZONE NOT NULL,
    checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ready BOOLEAN NOT NULL,
    checks JSONB NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, due_at)
);

CREATE TABLE cash_flows (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    amount NUMERIC(28, 10) NOT NULL,
    currency VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    recorded_by VARCHAR NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id)
);

CREATE INDEX ix_cash_flows_account_id ON cash_flows (account_id);

UPDATE alembic_version SET version_num = '0006';

alter table public.scheduled_jobs enable row level security;
revoke all on table public.scheduled_jobs from anon, authenticated, service_role;
alter table public.paused_jobs enable row level security;
revoke all on table public.paused_jobs from anon, authenticated, service_role;
alter table public.readiness enable row level security;
revoke all on table public.readiness from anon, authenticated, service_role;
alter table public.cash_flows enable row level security;
revoke all on table public.cash_flows from anon, authenticated, service_role;
