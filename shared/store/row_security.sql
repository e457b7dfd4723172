-- What the policies ask and the triggers do. PostgREST does not expose the schema `desk`.
create schema if not exists desk;
revoke all on schema desk from public;
grant usage on schema desk to authenticated;

-- The desk's user behind this request; null for a stranger and for one who is shut out.
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

-- Append to the audit chain as shared/store/audit.py does: same lock, same hash. `after` has one key.
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

-- "Seen": the first one to say so stays named, and nothing else of the alert changes.
create or replace function desk.acknowledge() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if old.acknowledged_at is not null or new.acknowledged_at is null then return null; end if;
  new := old;
  new.acknowledged_at := clock_timestamp();
  new.acknowledged_by := 'user:' || desk.my_id();
  perform desk.record('alert.ack', 'alert:' || old.id, old.account_id, jsonb_build_object('kind', old.kind), '');
  return new;
end $$;

-- Raising is easy; lowering needs the console, where an Admin proves himself again.
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

-- One command may be given here: cancel everything that is open in the account. It lives a minute.
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
