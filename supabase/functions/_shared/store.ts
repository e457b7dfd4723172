// What the function asks of the store: claims, people, deliveries. One connection a call, safe behind the pooler.

import postgres from "postgres";
import type { Alert, Lang } from "./alerts.ts";
import type { Person } from "./people.ts";

export interface Store {
  claim(claimant: string, most: number): Promise<Alert[]>;
  people(chats: string[], lang: Lang): Promise<Person[]>;
  names(): Promise<Map<number, string>>;
  told(alertId: number): Promise<Set<string>>;
  note(alertId: number, chat: string, outcome: string): Promise<void>;
  close(alertId: number, claimant: string): Promise<void>;
  release(alertId: number, claimant: string): Promise<void>;
  end(): Promise<void>;
}

interface LinkRow {
  user_id: number;
  telegram_id: string;
  role: string;
  lang: string | null;
  levels: Record<string, string>;
  quiet_from: string;
  quiet_to: string;
  zone: string;
}

/** The store behind `url` (SUPABASE_DB_URL of the project). */
export function openStore(url: string): Store {
  const sql = postgres(url.replace("postgresql+psycopg://", "postgresql://"), {
    prepare: false,
    max: 1,
    connect_timeout: 10,
    idle_timeout: 5,
    onnotice: () => {},
  });
  return {
    claim: async (
      claimant,
      most,
    ) => [...await sql<Alert[]>`select * from letstrade.claim_alerts(${claimant}, ${most})`],
    people: async (chats, lang) => {
      const links = await sql<LinkRow[]>`
        select l.user_id, l.telegram_id::text, u.role, u.lang, l.levels, l.quiet_from, l.quiet_to, l.zone
        from telegram_links l join users u on u.id = l.user_id where u.disabled_at is null order by l.id`;
      const grants = await sql<{ user_id: number; account_id: number }[]>`
        select user_id, account_id from account_grants
        union
        select g.user_id, a.id from group_grants g join brokerage_accounts a
          on g.scope in ('env:' || a.environment, 'owner:' || a.owner_id)`;
      const linked = links.map((row): Person => ({
        chat: row.telegram_id,
        lang: row.lang === "ko" || row.lang === "en" ? row.lang : lang,
        accounts: row.role === "Admin"
          ? null
          : grants.filter((one) => one.user_id === row.user_id).map((one) => one.account_id),
        levels: row.levels ?? {},
        quiet: row.quiet_from && row.quiet_to ? { from: row.quiet_from, to: row.quiet_to, zone: row.zone } : null,
      }));
      const known = new Set(linked.map((one) => one.chat));
      const others = chats.filter((chat) => !known.has(chat));
      return [...linked, ...others.map((chat) => ({ chat, lang, accounts: null, levels: {}, quiet: null }))];
    },
    names: async () => {
      const rows = await sql<{ id: number; nickname: string }[]>`select id, nickname from brokerage_accounts`;
      return new Map(rows.map((row) => [row.id, row.nickname]));
    },
    told: async (alertId) => {
      const rows = await sql<{ recipient: string }[]>`
        select recipient::text from alert_deliveries where alert_id = ${alertId}`;
      return new Set(rows.map((row) => row.recipient));
    },
    note: async (alertId, chat, outcome) => {
      await sql`insert into alert_deliveries (alert_id, recipient, outcome, at)
        values (${alertId}, ${chat}::bigint, ${outcome}, now()) on conflict (alert_id, recipient) do nothing`;
    },
    close: async (alertId, claimant) => {
      await sql`update alerts set delivered_at = now()
        where id = ${alertId} and claimed_by = ${claimant} and delivered_at is null`;
    },
    release: async (alertId, claimant) => {
      await sql`update alerts set claimed_by = '', claimed_at = null
        where id = ${alertId} and claimed_by = ${claimant} and delivered_at is null`;
    },
    end: () => sql.end({ timeout: 5 }),
  };
}
