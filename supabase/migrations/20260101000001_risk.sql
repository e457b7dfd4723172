-- Written by tools/supabase_sql.py from shared/migrations/versions/0002_risk.py; do not edit.

ALTER TABLE brokerage_accounts ADD COLUMN max_account_amount NUMERIC(28, 10);

ALTER TABLE brokerage_accounts ADD COLUMN max_orders_per_minute INTEGER DEFAULT '30' NOT NULL;

ALTER TABLE brokerage_accounts ADD COLUMN first_day_amount NUMERIC(28, 10);

ALTER TABLE brokerage_accounts ADD COLUMN extended_hours VARCHAR DEFAULT '' NOT NULL;

ALTER TABLE owners ADD COLUMN max_exposure_krw NUMERIC(28, 10);

ALTER TABLE owners ADD COLUMN max_exposure_usd NUMERIC(28, 10);

ALTER TABLE positions ADD COLUMN stop_kind VARCHAR DEFAULT '' NOT NULL;

ALTER TABLE positions ADD COLUMN guard_version_id INTEGER;

ALTER TABLE positions ADD COLUMN guarded_qty INTEGER;

ALTER TABLE rule_versions ADD COLUMN also_open BOOLEAN DEFAULT false NOT NULL;

ALTER TABLE trade_rules ADD COLUMN waived_version_id INTEGER;

CREATE FUNCTION rule_versions_are_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN RAISE EXCEPTION 'a rule version never changes' USING ERRCODE = 'integrity_constraint_violation'; END $$;

CREATE TRIGGER rule_versions_no_update BEFORE UPDATE ON rule_versions
FOR EACH ROW EXECUTE FUNCTION rule_versions_are_frozen();

CREATE TRIGGER rule_versions_no_delete BEFORE DELETE ON rule_versions
FOR EACH ROW EXECUTE FUNCTION rule_versions_are_frozen();

UPDATE alembic_version SET version_num = '0002';

