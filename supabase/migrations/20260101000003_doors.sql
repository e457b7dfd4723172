-- Written by tools/supabase_sql.py from shared/migrations/versions/0005_doors.py; do not edit.

ALTER TABLE brokerage_accounts ADD COLUMN number_tail VARCHAR DEFAULT '' NOT NULL;

CREATE TABLE telegram_links (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    telegram_id BIGINT NOT NULL,
    levels JSONB NOT NULL,
    quiet_from VARCHAR NOT NULL,
    quiet_to VARCHAR NOT NULL,
    zone VARCHAR NOT NULL,
    report_at VARCHAR NOT NULL,
    reported_on VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id),
    UNIQUE (telegram_id)
);

CREATE INDEX ix_telegram_links_user_id ON telegram_links (user_id);

CREATE TABLE alert_deliveries (
    id SERIAL NOT NULL,
    alert_id INTEGER NOT NULL,
    recipient BIGINT NOT NULL,
    outcome VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(alert_id) REFERENCES alerts (id),
    UNIQUE (alert_id, recipient)
);

CREATE INDEX ix_alert_deliveries_alert_id ON alert_deliveries (alert_id);

CREATE TABLE webhooks (
    id SERIAL NOT NULL,
    path_id VARCHAR NOT NULL,
    secret_hash VARCHAR NOT NULL,
    rule_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    user_id INTEGER,
    name VARCHAR NOT NULL,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(rule_id) REFERENCES trade_rules (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    FOREIGN KEY(user_id) REFERENCES users (id),
    UNIQUE (path_id)
);

CREATE INDEX ix_webhooks_rule_id ON webhooks (rule_id);

UPDATE alembic_version SET version_num = '0005';

alter table public.telegram_links enable row level security;
revoke all on table public.telegram_links from anon, authenticated, service_role;
alter table public.alert_deliveries enable row level security;
revoke all on table public.alert_deliveries from anon, authenticated, service_role;
alter table public.webhooks enable row level security;
revoke all on table public.webhooks from anon, authenticated, service_role;
