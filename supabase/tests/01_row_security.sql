-- pg_prove -d "$DB" supabase/tests/*.sql — on a project (or a PostgreSQL with its roles) after `supabase db push`.
begin;
create extension if not exists pgtap;
select no_plan();

-- every table of ours is shut to the public key and under row-level security
select ok(c.relrowsecurity, c.relname || ' is under row-level security')
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by c.relname;
select table_privs_are('public', c.relname, 'anon', array[]::text[], 'anon holds nothing on ' || c.relname)
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by c.relname;

-- what opens accounts and doors is nobody's to read
select table_privs_are('public', name, role, array[]::text[], role || ' holds nothing on ' || name)
from unnest(array['api_credentials', 'broker_tokens', 'sessions', 'api_tokens', 'webhooks', 'meta']) name,
     unnest(array['authenticated', 'service_role']) role;
select ok(not has_column_privilege(role, 'public.users', hidden, 'select'), role || ' cannot read users.' || hidden)
from unnest(array['password_hash', 'totp_secret']) hidden, unnest(array['authenticated', 'service_role']) role;

-- a viewer sees his accounts and nobody else's
insert into public.owners (id, name, created_at) values (90001, 'o', now());
insert into public.users (id, email, name, role, must_change_password, auth_uid, created_at) values
  (90001, 'viewer@pgtap', '', 'Viewer', false, '00000000-0000-0000-0000-000000090001', now()),
  (90002, 'trader@pgtap', '', 'Trader', false, '00000000-0000-0000-0000-000000090002', now());
insert into public.brokerage_accounts (id, owner_id, nickname, broker, market, environment, wire, last4, enabled,
  desired_generation, config_version, health_status, health_reason, price_collar_pct, max_data_age_s, spike_pct,
  spike_minutes, entries_on_fallback, store_outage_entry_s, failover, host_group, created_at)
select id, 90001, 'pgtap ' || id, 'KIS', 'US', 'SIM', 'live', '', false, 0, 1, 'NEW', '', 3, 15, 3, 5, false, 300,
  'pinned', '', now() from unnest(array[90001, 90002]) id;
insert into public.account_grants (user_id, account_id, created_at) values (90001, 90001, now()), (90002, 90002, now());
insert into public.kill_switches (scope, account_id, level, reason, changed_by, changed_at) values
  ('account:90001', 90001, 0, '', '', now()), ('account:90002', 90002, 0, '', '', now());
create function pg_temp.come_as(uid text) returns void language sql as $$
  select set_config('request.jwt.claims', json_build_object('sub', uid, 'role', 'authenticated')::text, true),
         set_config('role', 'authenticated', true);
$$;
grant execute on all functions in schema pg_temp to authenticated;

do $$ begin perform pg_temp.come_as('00000000-0000-0000-0000-000000090001'); end $$;
select results_eq('select id from public.brokerage_accounts', array[90001], 'a viewer sees his account');
select is_empty('select 1 from public.audit_logs', 'a viewer reads no audit');
select throws_ok('select app_key from public.api_credentials', '42501', null, 'a viewer reads no key');
select is_empty('update public.kill_switches set level = 3 returning 1', 'a viewer raises no kill switch');
select throws_ok($$insert into public.commands (account_id, kind, key) values (90001, 'CANCEL_ALL', 'x')$$, '42501', null,
  'a viewer gives no command');
reset role;

do $$ begin perform pg_temp.come_as('00000000-0000-0000-0000-000000090002'); end $$;
select results_eq('update public.kill_switches set level = 3 where account_id is not null returning account_id',
  array[90002], 'a trader raises the kill switch of his account only');
select throws_ok('update public.kill_switches set level = 0 where account_id = 90002', '42501', null,
  'and does not lower it');
select throws_ok($$insert into public.audit_logs (actor) values ('x')$$, '42501', null, 'nor writes the audit himself');
reset role;
select isnt_empty($$select 1 from public.audit_logs where actor = 'user:90002' and action = 'kill.raise'$$,
  'what he did is in the audit');
select throws_ok('delete from public.audit_logs', '23000', null, 'which its owner does not rewrite either');

select * from finish();
rollback;
