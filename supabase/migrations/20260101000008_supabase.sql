-- Written by tools/supabase_sql.py from shared/migrations/versions/0010_supabase.py; do not edit.

ALTER TABLE users ADD COLUMN auth_uid VARCHAR;

CREATE UNIQUE INDEX ix_users_auth_uid ON users (auth_uid);

ALTER TABLE hosts ADD COLUMN revision VARCHAR DEFAULT '' NOT NULL;

ALTER TABLE hosts ADD COLUMN skew_s FLOAT DEFAULT '0' NOT NULL;

CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON audit_logs
FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_only_grow();

CREATE FUNCTION wake_bot() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE account text := coalesce(to_jsonb(NEW)->>TG_ARGV[0], '*');
BEGIN PERFORM pg_catalog.pg_notify('letstrade', account); RETURN NULL; END $$;

CREATE TRIGGER commands_wake AFTER INSERT ON commands
FOR EACH ROW EXECUTE FUNCTION wake_bot('account_id');

CREATE TRIGGER accounts_wake AFTER UPDATE ON brokerage_accounts FOR EACH ROW
WHEN (OLD.config_version <> NEW.config_version OR OLD.armed_until IS DISTINCT FROM NEW.armed_until)
EXECUTE FUNCTION wake_bot('id');

CREATE TRIGGER kill_switches_wake AFTER INSERT OR UPDATE ON kill_switches
FOR EACH ROW EXECUTE FUNCTION wake_bot('account_id');

UPDATE alembic_version SET version_num = '0010';

