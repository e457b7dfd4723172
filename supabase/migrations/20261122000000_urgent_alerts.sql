-- Urgent alerts leave by an Edge Function when the desk's own notifier does not send them.
-- One claim per alert row: the notifier claims what it is about to send (shared/store/alerts.py:claim); what it has not
-- claimed after ten seconds, or at once when it or the bots are silent, is claimed here. Needs the tables of the store.
--
-- pg_net sends the signed webhook, pg_cron looks again every ten seconds (so a call that failed is repeated); where they
-- are absent nothing is sent and nothing fails. Vault holds the function's address and the webhook's secret:
--   select vault.create_secret('https://<project>.supabase.co/functions/v1/urgent-alerts', 'letstrade_edge_url');
--   select vault.create_secret('<the same text as the function''s LETSTRADE_WEBHOOK_SECRET>', 'letstrade_edge_secret');

create schema if not exists letstrade;
revoke all on schema letstrade from public;

do $$
declare
    wanted text;
begin
    foreach wanted in array array['pg_net', 'pg_cron', 'pgcrypto', 'supabase_vault'] loop
        if exists (select from pg_available_extensions where name = wanted) then
            execute format('create extension if not exists %I', wanted);
        end if;
    end loop;
exception when insufficient_privilege then
    raise notice 'extensions are left to the owner of the database';
end
$$;

-- What cannot wait for a person to look at the screen.
create or replace function letstrade.urgent(kind text, severity text) returns boolean
language sql immutable set search_path = '' as $$
    select severity = 'critical'
        or kind in ('STOP_HIT', 'PRICE_SPIKE', 'ORDER_UNKNOWN', 'KILL_RAISED', 'BOT_SILENT', 'HOST_SILENT')
$$;

create or replace function letstrade.notifier_alive() returns boolean
language sql stable set search_path = '' as $$
    select coalesce(max(value::timestamptz) > clock_timestamp() - interval '15 seconds', false)
    from public.meta where name like 'beat:telegram@%'
$$;

-- Every bot that should run has been silent for half a minute: the machine is gone, whatever its notifier said last.
create or replace function letstrade.bots_silent() returns boolean
language sql stable set search_path = '' as $$
    select coalesce(max(h.at) < clock_timestamp() - interval '30 seconds', false)
    from public.heartbeats h join public.brokerage_accounts a on a.id = h.account_id
    where a.enabled and a.archived_at is null
$$;

create or replace function letstrade.due_alerts() returns setof public.alerts
language sql stable set search_path = '' as $$
    select a.* from public.alerts a
    where a.delivered_at is null
        and letstrade.urgent(a.kind, a.severity)
        and a.last_at > clock_timestamp() - interval '6 hours'
        and (a.claimed_by = '' or a.claimed_at < clock_timestamp() - interval '60 seconds')
        and (
            a.last_at < clock_timestamp() - interval '10 seconds'
            or not letstrade.notifier_alive()
            or letstrade.bots_silent()
        )
    order by a.id
$$;

-- Claim what is due, for one caller: the row lock and the condition make it one claim, whoever asks at the same time.
create or replace function letstrade.claim_alerts(claimant text, most integer) returns setof public.alerts
language plpgsql volatile set search_path = '' as $$
begin
    return query
    update public.alerts a set claimed_by = claimant, claimed_at = clock_timestamp()
    where a.id in (
        select b.id from public.alerts b
        where b.id in (select d.id from letstrade.due_alerts() d)
            and (b.claimed_by = '' or b.claimed_at < clock_timestamp() - interval '60 seconds')
        order by b.id limit most for update skip locked
    )
    returning a.*;
end
$$;

-- One signed call of the function: HMAC-SHA256 over "<unix time>.<body>", as hex, with its time beside it.
create or replace function letstrade.call_edge(body jsonb) returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
    url text;
    secret text;
    at text := floor(extract(epoch from clock_timestamp()))::bigint::text;
    signature text;
    request bigint;
begin
    if to_regclass('vault.decrypted_secrets') is null or not exists (
        select from pg_catalog.pg_proc where proname = 'http_post' and pronamespace = to_regnamespace('net')
    ) then
        return null;
    end if;
    execute 'select decrypted_secret from vault.decrypted_secrets where name = $1' into url using 'letstrade_edge_url';
    execute 'select decrypted_secret from vault.decrypted_secrets where name = $1' into secret
        using 'letstrade_edge_secret';
    if url is null or secret is null then
        return null;
    end if;
    execute format('select encode(%s(convert_to($1, ''UTF8''), convert_to($2, ''UTF8''), ''sha256''), ''hex'')',
        case when to_regprocedure('extensions.hmac(bytea,bytea,text)') is null then 'public.hmac'
            else 'extensions.hmac' end)
        into signature using at || '.' || body::text, secret;
    execute 'select net.http_post(url := $1, body := $2, headers := $3, timeout_milliseconds := 20000)'
        into request
        using url, body, jsonb_build_object(
            'Content-Type', 'application/json', 'X-LetsTrade-Signature', 't=' || at || ',v1=' || signature);
    return request;
end
$$;

-- A new urgent alert calls at once when nobody else will send it; the desk's own transaction never fails by it.
create or replace function letstrade.on_alert() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
    if exists (select from letstrade.due_alerts() d where d.id = new.id) then
        perform letstrade.call_edge(jsonb_build_object('alert', new.id));
    end if;
    return null;
exception when others then
    raise warning 'letstrade: the edge function was not called: %', sqlerrm;
    return null;
end
$$;

drop trigger if exists urgent_alert on public.alerts;
create trigger urgent_alert after insert on public.alerts
    for each row when (letstrade.urgent(new.kind, new.severity)) execute function letstrade.on_alert();

-- A host that says nothing more while its accounts are wanted: nobody of the desk is left to say it. The key is the one
-- that another host's fleet would use (bots/fleet.py), so that both together raise one alert.
create or replace function letstrade.watch_hosts() returns void
language sql volatile set search_path = '' as $$
    insert into public.alerts
        (account_id, kind, severity, dedup_key, params, count, created_at, last_at, acknowledged_by, claimed_by)
    select null, 'HOST_SILENT', 'critical', key,
        jsonb_build_object('host', name, 'accounts', theirs,
            'silent_s', round(extract(epoch from clock_timestamp() - seen_at))::bigint),
        1, clock_timestamp(), clock_timestamp(), '', ''
    from (
        select h.name, h.seen_at, string_agg(a.nickname, ', ' order by a.id) as theirs,
            'HOST_SILENT:' || h.name || ':'
                || to_char(h.seen_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00' as key
        from public.hosts h
        join public.leases l on left(l.holder, length(h.name) + 1) = h.name || ':'
        join public.brokerage_accounts a on l.name = 'account:' || a.id and a.enabled and a.archived_at is null
        where h.seen_at < clock_timestamp() - interval '60 seconds'
            and h.seen_at > clock_timestamp() - interval '7 days'
        group by h.name, h.seen_at
    ) silent
    where not exists (select from public.alerts b where b.dedup_key = silent.key)
$$;

-- What pg_cron does every ten seconds: costs one look while nothing is due.
create or replace function letstrade.look() returns bigint
language plpgsql volatile security definer set search_path = '' as $$
begin
    perform letstrade.watch_hosts();
    if exists (select from letstrade.due_alerts()) then
        return letstrade.call_edge(jsonb_build_object('look', true));
    end if;
    return null;
end
$$;

revoke all on all functions in schema letstrade from public;

do $$
begin
    if to_regnamespace('cron') is not null then
        perform cron.schedule('letstrade-urgent-alerts', '10 seconds', 'select letstrade.look()');
    end if;
end
$$;
