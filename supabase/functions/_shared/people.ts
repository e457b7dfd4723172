// Who hears an alert, and how loud: the same levels, grants and quiet hours as the desk's notifier.

import type { Alert, Lang } from "./alerts.ts";

export interface Person {
  chat: string; // Telegram ids are larger than a JavaScript integer may be
  lang: Lang;
  accounts: number[] | null; // null: sees every account
  levels: Record<string, string>;
  quiet: { from: string; to: string; zone: string } | null; // HH:MM
}

export type Loudness = "loud" | "silent" | "off";

const BY_SEVERITY: Record<string, Loudness> = { critical: "loud", warning: "loud", info: "silent" };

/** Quiet hours make an urgent alert that is not critical silent; here nothing waits for the morning. */
export function loudness(person: Person, alert: Alert, now: Date): Loudness {
  if (alert.account_id !== null && person.accounts !== null && !person.accounts.includes(alert.account_id)) {
    return "off";
  }
  const level = (person.levels[alert.kind] || person.levels[alert.severity] || BY_SEVERITY[alert.severity] ||
    "loud") as Loudness;
  return level === "loud" && alert.severity !== "critical" && isQuiet(person, now) ? "silent" : level;
}

/** Whether `now` lies in his quiet hours, which may span midnight. */
export function isQuiet(person: Person, now: Date): boolean {
  if (person.quiet === null) return false;
  const { from, to, zone } = person.quiet;
  const at = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
    .format(now);
  return from <= to ? from <= at && at < to : at >= from || at < to;
}
