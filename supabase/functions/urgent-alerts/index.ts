// Edge Function `urgent-alerts`: called by the database (supabase/migrations/*_urgent_alerts.sql), never by a browser.
// Deploy with --no-verify-jwt: the call carries a signature of its own.

import { openStore } from "../_shared/store.ts";
import { Telegram } from "../_shared/telegram.ts";
import { type Desk, handle } from "./handler.ts";

/** Read the function's secrets; an absent one is named. */
export function deskFromEnvironment(env: (name: string) => string | undefined): Desk {
  const need = (name: string): string => {
    const value = env(name);
    if (!value) throw new Error(`${name} is not set: supabase secrets set ${name}=…`);
    return value;
  };
  const url = need("SUPABASE_DB_URL"), telegram = new Telegram(need("TELEGRAM_BOT_TOKEN"), env("TELEGRAM_API_BASE"));
  return {
    secret: need("LETSTRADE_WEBHOOK_SECRET"),
    chats: (env("TELEGRAM_CHAT_IDS") ?? "").split(",").map((one) => one.trim()).filter((one) => /^-?\d+$/.test(one)),
    lang: env("LETSTRADE_LANG") === "en" ? "en" : "ko",
    openStore: () => openStore(url),
    send: (chat, html, silent) => telegram.send(chat, html, silent),
    now: () => new Date(),
  };
}

if (import.meta.main) {
  const desk = deskFromEnvironment((name) => Deno.env.get(name));
  const port = Number(Deno.env.get("PORT") ?? "8000");
  Deno.serve({ port, hostname: Deno.env.get("HOST") ?? "0.0.0.0" }, (request) => handle(request, desk));
}
