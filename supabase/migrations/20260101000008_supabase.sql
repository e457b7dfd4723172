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

create schema if not exists desk;
revoke all on schema desk from public;
grant usage on schema desk to authenticated;
create or replace function desk.my_id() returns integer language sql stable security definer set search_path = '' as $$
  select u.id from public.users u where u.auth_uid = auth.uid()::text and u.disabled_at is null
$$;
create or replace function desk.my_role() returns text language sql stable security definer set search_path = '' as $$
  select u.role from public.users u where u.id = desk.my_id()
$$;
create or replace function desk.my_accounts() returns setof integer language sql stable security definer set search_path = '' as $$
  select a.id from public.brokerage_accounts a where desk.my_role() = 'Admin'
  union
  select g.account_id from public.account_grants g where g.user_id = desk.my_id()
  union
  select a.id from public.brokerage_accounts a join public.group_grants g
    on g.scope in ('env:' || a.environment, 'owner:' || a.owner_id)
  where g.user_id = desk.my_id()
$$;
create or replace function desk.my_rules() returns setof integer language sql stable security definer set search_path = '' as $$
  select r.id from public.trade_rules r where r.account_id in (select desk.my_accounts())
$$;
create or replace function desk.my_owners() returns setof integer language sql stable security definer set search_path = '' as $$
  select a.owner_id from public.brokerage_accounts a where a.id in (select desk.my_accounts())
$$;
create or replace function desk.record(action text, target text, account integer, after jsonb, why text)
returns void language plpgsql security definer set search_path = '' as $$
declare
  moment timestamptz := clock_timestamp();
  who integer := desk.my_id();
  actor text := 'user:' || who;
  before_hash text;
  said text;
begin
  if who is null then raise exception 'permission denied: no user of this desk' using errcode = '42501'; end if;
  perform pg_advisory_xact_lock(1819570788);
  select a.row_hash into before_hash from public.audit_logs a order by a.id desc limit 1;
  before_hash := coalesce(before_hash, '');
  said := '[' || array_to_string(array[
    to_json(replace(to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '.000000', '') || '+00:00')::text,
    to_json(actor)::text, who::text, to_json(action)::text, to_json(target)::text, coalesce(account::text, 'null'),
    'null', coalesce(after::text, 'null'), to_json(why)::text, '"supabase"', to_json(before_hash)::text], ', ') || ']';
  insert into public.audit_logs
    (at, actor, actor_user_id, action, target, account_id, before, after, reason, source, previous_hash, row_hash)
  values (moment, actor, who, action, target, account, null, after, why, 'supabase', before_hash,
    encode(sha256(convert_to(said, 'UTF8')), 'hex'));
end $$;
create or replace function desk.acknowledge() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if old.acknowledged_at is not null or new.acknowledged_at is null then return null; end if;
  new := old;
  new.acknowledged_at := clock_timestamp();
  new.acknowledged_by := 'user:' || desk.my_id();
  perform desk.record('alert.ack', 'alert:' || old.id, old.account_id, jsonb_build_object('kind', old.kind), '');
  return new;
end $$;
create or replace function desk.raise_kill() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.level not between 1 and 3 or (tg_op = 'UPDATE' and new.level < old.level) then
    raise exception 'a kill switch is only raised here; it is lowered at the console' using errcode = '42501';
  end if;
  if tg_op = 'UPDATE' then new.scope := old.scope; new.account_id := old.account_id;
  else new.scope := case when new.account_id is null then 'all' else 'account:' || new.account_id end;
  end if;
  new.reason := coalesce(new.reason, '');
  new.changed_by := 'user:' || desk.my_id();
  new.changed_at := clock_timestamp();
  perform desk.record('kill.raise', new.scope, new.account_id, jsonb_build_object('level', new.level), new.reason);
  return new;
end $$;
create or replace function desk.ask_cancel_all() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  new.kind := 'CANCEL_ALL';
  new.payload := '{}';
  new.status := 'REQUESTED';
  new.key := 'supabase:' || desk.my_id() || ':' || new.key;
  new.requested_by := 'user:' || desk.my_id();
  new.requested_at := clock_timestamp();
  new.expires_at := new.requested_at + interval '60 seconds';
  new.claimed_at := null; new.finished_at := null; new.result := null;
  perform desk.record('order.cancel_all', 'account:' || new.account_id, new.account_id, null, '');
  return new;
end $$;
revoke all on all functions in schema desk from public, anon, service_role;
revoke all on function desk.record(text, text, integer, jsonb, text) from authenticated;
grant execute on function desk.my_id(), desk.my_role(), desk.my_accounts(), desk.my_rules(), desk.my_owners() to authenticated;
drop trigger if exists desk_acknowledge on public.alerts;
create trigger desk_acknowledge before update on public.alerts
  for each row when (current_user = 'authenticated') execute function desk.acknowledge();
drop trigger if exists desk_raise_kill on public.kill_switches;
create trigger desk_raise_kill before insert or update on public.kill_switches
  for each row when (current_user = 'authenticated') execute function desk.raise_kill();
drop trigger if exists desk_ask_cancel_all on public.commands;
create trigger desk_ask_cancel_all before insert on public.commands
  for each row when (current_user = 'authenticated') execute function desk.ask_cancel_all();
alter table public.account_grants enable row level security;
revoke all on table public.account_grants from anon, authenticated, service_role;
grant select on table public.account_grants to authenticated;
drop policy if exists desk_read on public.account_grants;
create policy desk_read on public.account_grants for select to authenticated using (user_id = (select desk.my_id()) or (select desk.my_role()) = 'Admin');
grant select on table public.account_grants to service_role;
drop policy if exists desk_service on public.account_grants;
create policy desk_service on public.account_grants for all to service_role using (true) with check (true);
alter table public.alembic_version enable row level security;
revoke all on table public.alembic_version from anon, authenticated, service_role;
alter table public.alert_deliveries enable row level security;
revoke all on table public.alert_deliveries from anon, authenticated, service_role;
grant select on table public.alert_deliveries to authenticated;
drop policy if exists desk_read on public.alert_deliveries;
create policy desk_read on public.alert_deliveries for select to authenticated using ((select desk.my_role()) = 'Admin');
grant select on table public.alert_deliveries to service_role;
grant insert on table public.alert_deliveries to service_role;
drop policy if exists desk_service on public.alert_deliveries;
create policy desk_service on public.alert_deliveries for all to service_role using (true) with check (true);
grant usage on sequence public.alert_deliveries_id_seq to service_role;
alter table public.alerts enable row level security;
revoke all on table public.alerts from anon, authenticated, service_role;
grant select on table public.alerts to authenticated;
drop policy if exists desk_read on public.alerts;
create policy desk_read on public.alerts for select to authenticated using ((select desk.my_role()) is not null and (account_id is null or account_id in (select desk.my_accounts())));
grant update (acknowledged_at) on table public.alerts to authenticated;
drop policy if exists desk_update on public.alerts;
create policy desk_update on public.alerts for update to authenticated using ((select desk.my_role()) in ('Trader', 'Admin') and ((select desk.my_role()) is not null and (account_id is null or account_id in (select desk.my_accounts())))) with check ((select desk.my_role()) in ('Trader', 'Admin') and ((select desk.my_role()) is not null and (account_id is null or account_id in (select desk.my_accounts()))));
grant select on table public.alerts to service_role;
grant update (claimed_by, claimed_at, delivered_at) on table public.alerts to service_role;
drop policy if exists desk_service on public.alerts;
create policy desk_service on public.alerts for all to service_role using (true) with check (true);
alter table public.api_credentials enable row level security;
revoke all on table public.api_credentials from anon, authenticated, service_role;
alter table public.api_tokens enable row level security;
revoke all on table public.api_tokens from anon, authenticated, service_role;
alter table public.audit_logs enable row level security;
revoke all on table public.audit_logs from anon, authenticated, service_role;
grant select on table public.audit_logs to authenticated;
drop policy if exists desk_read on public.audit_logs;
create policy desk_read on public.audit_logs for select to authenticated using ((select desk.my_role()) = 'Admin');
grant select on table public.audit_logs to service_role;
drop policy if exists desk_service on public.audit_logs;
create policy desk_service on public.audit_logs for all to service_role using (true) with check (true);
alter table public.backtest_runs enable row level security;
revoke all on table public.backtest_runs from anon, authenticated, service_role;
grant select on table public.backtest_runs to authenticated;
drop policy if exists desk_read on public.backtest_runs;
create policy desk_read on public.backtest_runs for select to authenticated using (requested_by = 'user:' || (select desk.my_id()) or (select desk.my_role()) = 'Admin');
grant select on table public.backtest_runs to service_role;
drop policy if exists desk_service on public.backtest_runs;
create policy desk_service on public.backtest_runs for all to service_role using (true) with check (true);
alter table public.bot_vitals enable row level security;
revoke all on table public.bot_vitals from anon, authenticated, service_role;
grant select on table public.bot_vitals to authenticated;
drop policy if exists desk_read on public.bot_vitals;
create policy desk_read on public.bot_vitals for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.bot_vitals to service_role;
drop policy if exists desk_service on public.bot_vitals;
create policy desk_service on public.bot_vitals for all to service_role using (true) with check (true);
alter table public.broker_tokens enable row level security;
revoke all on table public.broker_tokens from anon, authenticated, service_role;
alter table public.brokerage_accounts enable row level security;
revoke all on table public.brokerage_accounts from anon, authenticated, service_role;
grant select on table public.brokerage_accounts to authenticated;
drop policy if exists desk_read on public.brokerage_accounts;
create policy desk_read on public.brokerage_accounts for select to authenticated using (id in (select desk.my_accounts()));
grant select on table public.brokerage_accounts to service_role;
drop policy if exists desk_service on public.brokerage_accounts;
create policy desk_service on public.brokerage_accounts for all to service_role using (true) with check (true);
alter table public.cash_balances enable row level security;
revoke all on table public.cash_balances from anon, authenticated, service_role;
grant select on table public.cash_balances to authenticated;
drop policy if exists desk_read on public.cash_balances;
create policy desk_read on public.cash_balances for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.cash_balances to service_role;
drop policy if exists desk_service on public.cash_balances;
create policy desk_service on public.cash_balances for all to service_role using (true) with check (true);
alter table public.cash_flows enable row level security;
revoke all on table public.cash_flows from anon, authenticated, service_role;
grant select on table public.cash_flows to authenticated;
drop policy if exists desk_read on public.cash_flows;
create policy desk_read on public.cash_flows for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.cash_flows to service_role;
drop policy if exists desk_service on public.cash_flows;
create policy desk_service on public.cash_flows for all to service_role using (true) with check (true);
alter table public.commands enable row level security;
revoke all on table public.commands from anon, authenticated, service_role;
grant select on table public.commands to authenticated;
drop policy if exists desk_read on public.commands;
create policy desk_read on public.commands for select to authenticated using (account_id in (select desk.my_accounts()));
grant insert (account_id, kind, key) on table public.commands to authenticated;
drop policy if exists desk_insert on public.commands;
create policy desk_insert on public.commands for insert to authenticated with check ((select desk.my_role()) in ('Trader', 'Admin') and account_id in (select desk.my_accounts()));
grant select on table public.commands to service_role;
drop policy if exists desk_service on public.commands;
create policy desk_service on public.commands for all to service_role using (true) with check (true);
grant usage on sequence public.commands_id_seq to authenticated;
alter table public.decisions enable row level security;
revoke all on table public.decisions from anon, authenticated, service_role;
grant select on table public.decisions to authenticated;
drop policy if exists desk_read on public.decisions;
create policy desk_read on public.decisions for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.decisions to service_role;
drop policy if exists desk_service on public.decisions;
create policy desk_service on public.decisions for all to service_role using (true) with check (true);
alter table public.equity_snapshots enable row level security;
revoke all on table public.equity_snapshots from anon, authenticated, service_role;
grant select on table public.equity_snapshots to authenticated;
drop policy if exists desk_read on public.equity_snapshots;
create policy desk_read on public.equity_snapshots for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.equity_snapshots to service_role;
drop policy if exists desk_service on public.equity_snapshots;
create policy desk_service on public.equity_snapshots for all to service_role using (true) with check (true);
alter table public.execution_logs enable row level security;
revoke all on table public.execution_logs from anon, authenticated, service_role;
grant select on table public.execution_logs to authenticated;
drop policy if exists desk_read on public.execution_logs;
create policy desk_read on public.execution_logs for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.execution_logs to service_role;
drop policy if exists desk_service on public.execution_logs;
create policy desk_service on public.execution_logs for all to service_role using (true) with check (true);
alter table public.fee_contracts enable row level security;
revoke all on table public.fee_contracts from anon, authenticated, service_role;
grant select on table public.fee_contracts to authenticated;
drop policy if exists desk_read on public.fee_contracts;
create policy desk_read on public.fee_contracts for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.fee_contracts to service_role;
drop policy if exists desk_service on public.fee_contracts;
create policy desk_service on public.fee_contracts for all to service_role using (true) with check (true);
alter table public.fills enable row level security;
revoke all on table public.fills from anon, authenticated, service_role;
grant select on table public.fills to authenticated;
drop policy if exists desk_read on public.fills;
create policy desk_read on public.fills for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.fills to service_role;
drop policy if exists desk_service on public.fills;
create policy desk_service on public.fills for all to service_role using (true) with check (true);
alter table public.fx_rates enable row level security;
revoke all on table public.fx_rates from anon, authenticated, service_role;
grant select on table public.fx_rates to authenticated;
drop policy if exists desk_read on public.fx_rates;
create policy desk_read on public.fx_rates for select to authenticated using ((select desk.my_role()) is not null);
grant select on table public.fx_rates to service_role;
drop policy if exists desk_service on public.fx_rates;
create policy desk_service on public.fx_rates for all to service_role using (true) with check (true);
alter table public.group_grants enable row level security;
revoke all on table public.group_grants from anon, authenticated, service_role;
grant select on table public.group_grants to authenticated;
drop policy if exists desk_read on public.group_grants;
create policy desk_read on public.group_grants for select to authenticated using (user_id = (select desk.my_id()) or (select desk.my_role()) = 'Admin');
grant select on table public.group_grants to service_role;
drop policy if exists desk_service on public.group_grants;
create policy desk_service on public.group_grants for all to service_role using (true) with check (true);
alter table public.heartbeats enable row level security;
revoke all on table public.heartbeats from anon, authenticated, service_role;
grant select on table public.heartbeats to authenticated;
drop policy if exists desk_read on public.heartbeats;
create policy desk_read on public.heartbeats for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.heartbeats to service_role;
drop policy if exists desk_service on public.heartbeats;
create policy desk_service on public.heartbeats for all to service_role using (true) with check (true);
alter table public.hosts enable row level security;
revoke all on table public.hosts from anon, authenticated, service_role;
grant select on table public.hosts to authenticated;
drop policy if exists desk_read on public.hosts;
create policy desk_read on public.hosts for select to authenticated using ((select desk.my_role()) = 'Admin');
grant select on table public.hosts to service_role;
drop policy if exists desk_service on public.hosts;
create policy desk_service on public.hosts for all to service_role using (true) with check (true);
alter table public.instruments enable row level security;
revoke all on table public.instruments from anon, authenticated, service_role;
grant select on table public.instruments to authenticated;
drop policy if exists desk_read on public.instruments;
create policy desk_read on public.instruments for select to authenticated using ((select desk.my_role()) is not null);
grant select on table public.instruments to service_role;
drop policy if exists desk_service on public.instruments;
create policy desk_service on public.instruments for all to service_role using (true) with check (true);
alter table public.job_runs enable row level security;
revoke all on table public.job_runs from anon, authenticated, service_role;
grant select on table public.job_runs to authenticated;
drop policy if exists desk_read on public.job_runs;
create policy desk_read on public.job_runs for select to authenticated using ((select desk.my_role()) is not null and (account_id is null or account_id in (select desk.my_accounts())));
grant select on table public.job_runs to service_role;
drop policy if exists desk_service on public.job_runs;
create policy desk_service on public.job_runs for all to service_role using (true) with check (true);
alter table public.kill_switches enable row level security;
revoke all on table public.kill_switches from anon, authenticated, service_role;
grant select on table public.kill_switches to authenticated;
drop policy if exists desk_read on public.kill_switches;
create policy desk_read on public.kill_switches for select to authenticated using ((select desk.my_role()) is not null and (account_id is null or account_id in (select desk.my_accounts())));
grant insert (scope, account_id, level, reason) on table public.kill_switches to authenticated;
drop policy if exists desk_insert on public.kill_switches;
create policy desk_insert on public.kill_switches for insert to authenticated with check ((select desk.my_role()) in ('Trader', 'Admin') and ((select desk.my_role()) is not null and (account_id is null or account_id in (select desk.my_accounts()))));
grant update (level, reason) on table public.kill_switches to authenticated;
drop policy if exists desk_update on public.kill_switches;
create policy desk_update on public.kill_switches for update to authenticated using ((select desk.my_role()) in ('Trader', 'Admin') and ((select desk.my_role()) is not null and (account_id is null or account_id in (select desk.my_accounts())))) with check ((select desk.my_role()) in ('Trader', 'Admin') and ((select desk.my_role()) is not null and (account_id is null or account_id in (select desk.my_accounts()))));
grant select on table public.kill_switches to service_role;
drop policy if exists desk_service on public.kill_switches;
create policy desk_service on public.kill_switches for all to service_role using (true) with check (true);
grant usage on sequence public.kill_switches_id_seq to authenticated;
alter table public.leases enable row level security;
revoke all on table public.leases from anon, authenticated, service_role;
grant select on table public.leases to authenticated;
drop policy if exists desk_read on public.leases;
create policy desk_read on public.leases for select to authenticated using ((select desk.my_role()) = 'Admin');
grant select on table public.leases to service_role;
drop policy if exists desk_service on public.leases;
create policy desk_service on public.leases for all to service_role using (true) with check (true);
alter table public.meta enable row level security;
revoke all on table public.meta from anon, authenticated, service_role;
alter table public.order_events enable row level security;
revoke all on table public.order_events from anon, authenticated, service_role;
grant select on table public.order_events to authenticated;
drop policy if exists desk_read on public.order_events;
create policy desk_read on public.order_events for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.order_events to service_role;
drop policy if exists desk_service on public.order_events;
create policy desk_service on public.order_events for all to service_role using (true) with check (true);
alter table public.orders enable row level security;
revoke all on table public.orders from anon, authenticated, service_role;
grant select on table public.orders to authenticated;
drop policy if exists desk_read on public.orders;
create policy desk_read on public.orders for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.orders to service_role;
drop policy if exists desk_service on public.orders;
create policy desk_service on public.orders for all to service_role using (true) with check (true);
alter table public.owners enable row level security;
revoke all on table public.owners from anon, authenticated, service_role;
grant select on table public.owners to authenticated;
drop policy if exists desk_read on public.owners;
create policy desk_read on public.owners for select to authenticated using (id in (select desk.my_owners()));
grant select on table public.owners to service_role;
drop policy if exists desk_service on public.owners;
create policy desk_service on public.owners for all to service_role using (true) with check (true);
alter table public.paused_jobs enable row level security;
revoke all on table public.paused_jobs from anon, authenticated, service_role;
grant select on table public.paused_jobs to authenticated;
drop policy if exists desk_read on public.paused_jobs;
create policy desk_read on public.paused_jobs for select to authenticated using ((select desk.my_role()) is not null and (account_id = 0 or account_id in (select desk.my_accounts())));
grant select on table public.paused_jobs to service_role;
drop policy if exists desk_service on public.paused_jobs;
create policy desk_service on public.paused_jobs for all to service_role using (true) with check (true);
alter table public.period_profits enable row level security;
revoke all on table public.period_profits from anon, authenticated, service_role;
grant select on table public.period_profits to authenticated;
drop policy if exists desk_read on public.period_profits;
create policy desk_read on public.period_profits for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.period_profits to service_role;
drop policy if exists desk_service on public.period_profits;
create policy desk_service on public.period_profits for all to service_role using (true) with check (true);
alter table public.positions enable row level security;
revoke all on table public.positions from anon, authenticated, service_role;
grant select on table public.positions to authenticated;
drop policy if exists desk_read on public.positions;
create policy desk_read on public.positions for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.positions to service_role;
drop policy if exists desk_service on public.positions;
create policy desk_service on public.positions for all to service_role using (true) with check (true);
alter table public.price_bars enable row level security;
revoke all on table public.price_bars from anon, authenticated, service_role;
grant select on table public.price_bars to authenticated;
drop policy if exists desk_read on public.price_bars;
create policy desk_read on public.price_bars for select to authenticated using ((select desk.my_role()) is not null);
grant select on table public.price_bars to service_role;
drop policy if exists desk_service on public.price_bars;
create policy desk_service on public.price_bars for all to service_role using (true) with check (true);
alter table public.profit_rollups enable row level security;
revoke all on table public.profit_rollups from anon, authenticated, service_role;
grant select on table public.profit_rollups to authenticated;
drop policy if exists desk_read on public.profit_rollups;
create policy desk_read on public.profit_rollups for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.profit_rollups to service_role;
drop policy if exists desk_service on public.profit_rollups;
create policy desk_service on public.profit_rollups for all to service_role using (true) with check (true);
alter table public.proposals enable row level security;
revoke all on table public.proposals from anon, authenticated, service_role;
grant select on table public.proposals to authenticated;
drop policy if exists desk_read on public.proposals;
create policy desk_read on public.proposals for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.proposals to service_role;
drop policy if exists desk_service on public.proposals;
create policy desk_service on public.proposals for all to service_role using (true) with check (true);
alter table public.quotes enable row level security;
revoke all on table public.quotes from anon, authenticated, service_role;
grant select on table public.quotes to authenticated;
drop policy if exists desk_read on public.quotes;
create policy desk_read on public.quotes for select to authenticated using ((select desk.my_role()) is not null);
grant select on table public.quotes to service_role;
drop policy if exists desk_service on public.quotes;
create policy desk_service on public.quotes for all to service_role using (true) with check (true);
alter table public.readiness enable row level security;
revoke all on table public.readiness from anon, authenticated, service_role;
grant select on table public.readiness to authenticated;
drop policy if exists desk_read on public.readiness;
create policy desk_read on public.readiness for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.readiness to service_role;
drop policy if exists desk_service on public.readiness;
create policy desk_service on public.readiness for all to service_role using (true) with check (true);
alter table public.recovery_codes enable row level security;
revoke all on table public.recovery_codes from anon, authenticated, service_role;
alter table public.rule_versions enable row level security;
revoke all on table public.rule_versions from anon, authenticated, service_role;
grant select on table public.rule_versions to authenticated;
drop policy if exists desk_read on public.rule_versions;
create policy desk_read on public.rule_versions for select to authenticated using (rule_id in (select desk.my_rules()));
grant select on table public.rule_versions to service_role;
drop policy if exists desk_service on public.rule_versions;
create policy desk_service on public.rule_versions for all to service_role using (true) with check (true);
alter table public.scheduled_jobs enable row level security;
revoke all on table public.scheduled_jobs from anon, authenticated, service_role;
grant select on table public.scheduled_jobs to authenticated;
drop policy if exists desk_read on public.scheduled_jobs;
create policy desk_read on public.scheduled_jobs for select to authenticated using ((select desk.my_role()) is not null and (account_id = 0 or account_id in (select desk.my_accounts())));
grant select on table public.scheduled_jobs to service_role;
drop policy if exists desk_service on public.scheduled_jobs;
create policy desk_service on public.scheduled_jobs for all to service_role using (true) with check (true);
alter table public.second_looks enable row level security;
revoke all on table public.second_looks from anon, authenticated, service_role;
grant select on table public.second_looks to authenticated;
drop policy if exists desk_read on public.second_looks;
create policy desk_read on public.second_looks for select to authenticated using ((select desk.my_role()) = 'Admin');
grant select on table public.second_looks to service_role;
drop policy if exists desk_service on public.second_looks;
create policy desk_service on public.second_looks for all to service_role using (true) with check (true);
alter table public.sessions enable row level security;
revoke all on table public.sessions from anon, authenticated, service_role;
alter table public.strategy_signals enable row level security;
revoke all on table public.strategy_signals from anon, authenticated, service_role;
grant select on table public.strategy_signals to authenticated;
drop policy if exists desk_read on public.strategy_signals;
create policy desk_read on public.strategy_signals for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.strategy_signals to service_role;
drop policy if exists desk_service on public.strategy_signals;
create policy desk_service on public.strategy_signals for all to service_role using (true) with check (true);
alter table public.telegram_links enable row level security;
revoke all on table public.telegram_links from anon, authenticated, service_role;
alter table public.trade_rules enable row level security;
revoke all on table public.trade_rules from anon, authenticated, service_role;
grant select on table public.trade_rules to authenticated;
drop policy if exists desk_read on public.trade_rules;
create policy desk_read on public.trade_rules for select to authenticated using (account_id in (select desk.my_accounts()));
grant select on table public.trade_rules to service_role;
drop policy if exists desk_service on public.trade_rules;
create policy desk_service on public.trade_rules for all to service_role using (true) with check (true);
alter table public.users enable row level security;
revoke all on table public.users from anon, authenticated, service_role;
grant select (id, email, name, role, lang, auth_uid, disabled_at, created_at) on table public.users to authenticated;
drop policy if exists desk_read on public.users;
create policy desk_read on public.users for select to authenticated using (id = (select desk.my_id()) or (select desk.my_role()) = 'Admin');
grant select (id, email, name, role, lang, auth_uid, disabled_at, created_at) on table public.users to service_role;
drop policy if exists desk_service on public.users;
create policy desk_service on public.users for all to service_role using (true) with check (true);
alter table public.webhooks enable row level security;
revoke all on table public.webhooks from anon, authenticated, service_role;
