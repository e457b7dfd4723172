-- Written by tools/supabase_sql.py from shared/migrations/versions/0007_people.py; do not edit.

ALTER TABLE users ADD COLUMN totp_since TIMESTAMP WITH TIME ZONE;

ALTER TABLE users ADD COLUMN totp_last_step INTEGER;

ALTER TABLE users ADD COLUMN subject VARCHAR;

CREATE UNIQUE INDEX ix_users_subject ON users (subject);

ALTER TABLE sessions ADD COLUMN method VARCHAR DEFAULT 'password' NOT NULL;

CREATE TABLE recovery_codes (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    code_hash VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id),
    UNIQUE (code_hash)
);

CREATE INDEX ix_recovery_codes_user_id ON recovery_codes (user_id);

CREATE TABLE group_grants (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    scope VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id),
    UNIQUE (user_id, scope)
);

CREATE INDEX ix_group_grants_user_id ON group_grants (user_id);

CREATE TABLE proposals (
    id SERIAL NOT NULL,
    account_id INTEGER NOT NULL,
    proposal_key VARCHAR NOT NULL,
    rule_id INTEGER NOT NULL,
    version_id INTEGER NOT NULL,
    symbol VARCHAR NOT NULL,
    side VARCHAR NOT NULL,
    qty INTEGER NOT NULL,
    price NUMERIC(28, 10),
    order_type VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    score FLOAT NOT NULL,
    status VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    UNIQUE (account_id, proposal_key)
);

CREATE INDEX ix_proposals_waiting ON proposals (account_id, status);

CREATE TABLE second_looks (
    id SERIAL NOT NULL,
    action VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    account_id INTEGER,
    payload JSONB NOT NULL,
    reason VARCHAR NOT NULL,
    asked_by VARCHAR NOT NULL,
    asked_by_user_id INTEGER,
    source VARCHAR NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    decided_by_user_id INTEGER,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES brokerage_accounts (id),
    FOREIGN KEY(asked_by_user_id) REFERENCES users (id),
    FOREIGN KEY(decided_by_user_id) REFERENCES users (id)
);

CREATE INDEX ix_second_looks_waiting ON second_looks (status, expires_at);

UPDATE alembic_version SET version_num = '0007';

alter table public.recovery_codes enable row level security;
revoke all on table public.recovery_codes from anon, authenticated, service_role;
alter table public.group_grants enable row level security;
revoke all on table public.group_grants from anon, authenticated, service_role;
alter table public.proposals enable row level security;
revoke all on table public.proposals from anon, authenticated, service_role;
alter table public.second_looks enable row level security;
revoke all on table public.second_looks from anon, authenticated, service_role;
