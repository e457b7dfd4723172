import { assertEquals, assertMatch } from "./asserts.ts";
import { type Alert, message } from "../_shared/alerts.ts";
import { loudness, type Person } from "../_shared/people.ts";
import { sign, verify } from "../_shared/signature.ts";
import type { Store } from "../_shared/store.ts";
import { type Outcome, Telegram } from "../_shared/telegram.ts";
import { type Desk, handle } from "./handler.ts";

const SECRET = "a secret of the tests";
const NOW = new Date("2026-11-21T03:00:00Z"); // noon in Seoul

function alert(id: number, kind = "ORDER_UNKNOWN", severity = "critical", account_id: number | null = 1): Alert {
  return { id, account_id, kind, severity, params: { symbol: "AAPL", side: "BUY", quantity: 3 }, count: 1 };
}

function person(chat: string, more: Partial<Person> = {}): Person {
  return { chat, lang: "ko", accounts: null, levels: {}, quiet: null, ...more };
}

class MemoryStore implements Store {
  claimed = new Map<number, string>();
  closed: number[] = [];
  delivered = new Map<number, Map<string, string>>();
  constructor(readonly alerts: Alert[], readonly everybody: Person[], readonly broken = false) {}
  claim(claimant: string): Promise<Alert[]> {
    if (this.broken) return Promise.reject(new Error("away"));
    const free = this.alerts.filter((one) => !this.claimed.has(one.id) && !this.closed.includes(one.id));
    free.forEach((one) => this.claimed.set(one.id, claimant));
    return Promise.resolve(free);
  }
  people = () => Promise.resolve(this.everybody);
  names = () => Promise.resolve(new Map([[1, "데모 <계좌>"]]));
  told = (id: number) => Promise.resolve(new Set(this.delivered.get(id)?.keys() ?? []));
  note(id: number, chat: string, outcome: string): Promise<void> {
    this.delivered.set(id, (this.delivered.get(id) ?? new Map()).set(chat, outcome));
    return Promise.resolve();
  }
  close = (id: number) => Promise.resolve(void this.closed.push(id));
  release = (id: number) => Promise.resolve(void this.claimed.delete(id));
  end = () => Promise.resolve();
}

function desk(store: Store, outcomes: Outcome[] = []): Desk & { sent: [string, string, boolean][] } {
  const sent: [string, string, boolean][] = [];
  return {
    sent,
    secret: SECRET,
    chats: [],
    lang: "ko",
    openStore: () => store,
    now: () => NOW,
    send: (chat, html, silent) => {
      const outcome = outcomes.shift() ?? "sent";
      if (outcome === "sent") sent.push([chat, html, silent]);
      return Promise.resolve(outcome);
    },
  };
}

async function call(to: Desk, body = "{}", atS = NOW.getTime() / 1000, secret = SECRET): Promise<Response> {
  const headers = { "X-LetsTrade-Signature": await sign(secret, body, atS) };
  return await handle(new Request("http://f/", { method: "POST", body, headers }), to);
}

Deno.test("a call that is not signed, signed with another secret, or old, claims nothing", async () => {
  const store = new MemoryStore([alert(1)], [person("42")]), to = desk(store), now = NOW.getTime() / 1000;
  assertEquals((await handle(new Request("http://f/", { method: "POST", body: "{}" }), to)).status, 401);
  assertEquals((await call(to, "{}", now, "another")).status, 401);
  assertEquals((await call(to, "{}", now - 301)).status, 401);
  assertEquals((await handle(new Request("http://f/"), to)).status, 405);
  assertEquals(store.claimed.size, 0);
});

Deno.test("a signature is of one body", async () => {
  const header = await sign(SECRET, '{"alert": 1}', 1000);
  assertEquals(await verify(SECRET, header, '{"alert": 1}', 1000), { ok: true });
  assertEquals((await verify(SECRET, header, '{"alert": 2}', 1000)).ok, false);
  assertEquals((await verify(SECRET, "t=1000,v1=zz", "{}", 1000)).ok, false);
});

Deno.test("an alert is told once however often the call comes", async () => {
  const to = desk(new MemoryStore([alert(1)], [person("42"), person("7")]));
  assertEquals(await (await call(to)).json(), { claimed: 1, sent: 2, again: 0 });
  assertEquals(await (await call(to)).json(), { claimed: 0, sent: 0, again: 0 });
  assertEquals(to.sent.map(([chat]) => chat), ["42", "7"]);
});

Deno.test("an outage between two people doubles nothing, and nothing overtakes it", async () => {
  const store = new MemoryStore([alert(1), alert(2)], [person("42"), person("7")]);
  const to = desk(store, ["sent", "again"]);
  assertEquals(await (await call(to)).json(), { claimed: 2, sent: 1, again: 1 });
  assertEquals(store.claimed.size, 0);
  await call(to);
  assertEquals(to.sent.map(([chat]) => chat), ["42", "7", "42", "7"]);
  assertEquals(store.closed, [1, 2]);
});

Deno.test("a chat that blocked us does not keep the alert open", async () => {
  const store = new MemoryStore([alert(1)], [person("42"), person("7")]);
  const to = desk(store, ["refused"]);
  await call(to);
  assertEquals([store.closed, store.delivered.get(1)?.get("42")], [[1], "refused"]);
});

Deno.test("with nobody to tell an alert stays open", async () => {
  const store = new MemoryStore([alert(1)], []);
  await call(desk(store));
  assertEquals([store.closed, store.claimed.size], [[], 0]);
});

Deno.test("a store that is away is a call to repeat", async () => {
  assertEquals((await call(desk(new MemoryStore([], [], true)))).status, 503);
});

Deno.test("grants, levels and quiet hours are the notifier's", () => {
  const spike = alert(1, "PRICE_SPIKE", "warning"), quiet = { from: "11:00", to: "13:00", zone: "Asia/Seoul" };
  assertEquals(loudness(person("1", { accounts: [2] }), spike, NOW), "off");
  assertEquals(loudness(person("1", { accounts: [1] }), spike, NOW), "loud");
  assertEquals(loudness(person("1", { levels: { PRICE_SPIKE: "off" } }), spike, NOW), "off");
  assertEquals(loudness(person("1", { quiet }), spike, NOW), "silent");
  assertEquals(loudness(person("1", { quiet }), alert(1), NOW), "loud");
  assertEquals(loudness(person("1", { quiet: { ...quiet, from: "22:00", to: "12:30" } }), spike, NOW), "silent");
});

Deno.test("a message speaks the desk's words and cannot carry markup", () => {
  const told = message({ ...alert(1), params: { symbol: "<b>&", side: "SELL", quantity: 5 } }, "<i>", "ko");
  assertMatch(told, /^❓ <b>&lt;i&gt;<\/b>\n주문 결과 미확인: &lt;b&gt;&amp; 매도 5주\n/);
  assertMatch(message(alert(1, "NO_SUCH_KIND"), "", "en"), /^🔴 NO_SUCH_KIND symbol=AAPL/);
});

Deno.test("Telegram: taken, refused, and unknown are three things", async () => {
  const answers = [
    Response.json({ ok: true, result: {} }),
    Response.json({ ok: false, description: "blocked" }, { status: 403 }),
    new Response("<html>", { status: 502 }),
    Response.json({ ok: false, parameters: { retry_after: 0 } }, { status: 429 }),
    Response.json({ ok: true, result: {} }),
    Response.json({ ok: false, parameters: { retry_after: 60 } }, { status: 429 }),
  ];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => answers.shift()!);
  const telegram = new Telegram("1:T", `http://127.0.0.1:${server.addr.port}`);
  const outcomes = [];
  for (let n = 0; n < 5; n++) outcomes.push(await telegram.send("42", "x", false));
  assertEquals(outcomes, ["sent", "refused", "again", "sent", "again"]);
  await server.shutdown();
  assertEquals(await telegram.send("42", "x", false), "again");
});
