-- Written by tools/supabase_sql.py from shared/migrations/versions/0011_alerts.py; do not edit.

CREATE INDEX ix_alerts_waiting ON alerts (acknowledged_at, severity, last_at);

DROP INDEX ix_alerts_open;

UPDATE alembic_version SET version_num = '0011';

