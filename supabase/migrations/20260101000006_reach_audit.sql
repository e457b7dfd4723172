-- Written by tools/supabase_sql.py from shared/migrations/versions/0008_reach_audit.py; do not edit.

CREATE FUNCTION audit_logs_only_grow() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN RAISE EXCEPTION 'the audit trail only grows' USING ERRCODE = 'integrity_constraint_violation'; END $$;

CREATE TRIGGER audit_logs_no_update BEFORE UPDATE ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_logs_only_grow();

CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_logs_only_grow();

UPDATE alembic_version SET version_num = '0008';

