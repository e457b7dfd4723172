// A signed call becomes messages: verify, claim, tell each person once, close. Calling it again changes nothing.

import { message } from "../_shared/alerts.ts";
import type { Lang } from "../_shared/alerts.ts";
import { loudness } from "../_shared/people.ts";
import { verify } from "../_shared/signature.ts";
import type { Store } from "../_shared/store.ts";
import type { Outcome } from "../_shared/telegram.ts";

export const MOST = 20; // alerts of one call; the next look takes the rest

export interface Desk {
  secret: string;
  chats: string[];
  lang: Lang;
  openStore(): Store;
  send(chat: string, html: string, silent: boolean): Promise<Outcome>;
  now(): Date;
}

export interface Told {
  claimed: number;
  sent: number;
  again: number;
}

/** 200 with what was done; 401 for a call that is not the database's; 503 when the store is away (call again). */
export async function handle(request: Request, desk: Desk): Promise<Response> {
  if (request.method !== "POST") return answer(405, { error: "POST only" });
  const body = await request.text();
  const header = request.headers.get("X-LetsTrade-Signature");
  const verdict = await verify(desk.secret, header, body, Math.floor(desk.now().getTime() / 1000));
  if (!verdict.ok) return answer(401, { error: verdict.why });
  const store = desk.openStore();
  try {
    return answer(200, await deliver(desk, store));
  } catch (error) {
    console.error("urgent-alerts: store away:", error instanceof Error ? error.name : "unknown");
    return answer(503, { error: "store away" });
  } finally {
    await store.end().catch(() => {});
  }
}

/** Send what nobody else has claimed; an alert that did not reach everybody is released and claimed again later. */
export async function deliver(desk: Desk, store: Store): Promise<Told> {
  const claimant = `edge:${crypto.randomUUID().slice(0, 8)}`;
  const alerts = await store.claim(claimant, MOST);
  const told: Told = { claimed: alerts.length, sent: 0, again: 0 };
  if (alerts.length === 0) return told;
  const people = await store.people(desk.chats, desk.lang), names = await store.names();
  for (const alert of alerts.sort((one, other) => one.id - other.id)) {
    if (told.again > 0) { // Telegram does not take messages now: keep the order, try none of the later ones
      await store.release(alert.id, claimant);
      continue;
    }
    const done = await store.told(alert.id);
    let left = people.length === 0 ? 1 : 0; // nobody to tell: the alert stays open for whoever comes
    for (const person of people.filter((one) => !done.has(one.chat))) {
      const level = loudness(person, alert, desk.now());
      const account = alert.account_id === null ? "" : names.get(alert.account_id) ?? "";
      const outcome = level === "off"
        ? "off"
        : await desk.send(person.chat, message(alert, account, person.lang), level === "silent");
      if (outcome === "again") left++;
      else await store.note(alert.id, person.chat, outcome);
      if (outcome === "sent") told.sent++;
    }
    told.again += left > 0 ? 1 : 0;
    await (left > 0 ? store.release(alert.id, claimant) : store.close(alert.id, claimant));
  }
  return told;
}

function answer(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}
