// One message to one chat, once. What Telegram did not take for certain is tried again by a later call.

export type Outcome = "sent" | "refused" | "again";

const TIMEOUT_MS = 8000;
const PATIENCE_S = 3; // a longer "retry after" is left to the next look

export class Telegram {
  constructor(private readonly token: string, private readonly base = "https://api.telegram.org") {}

  /** "refused": this chat will never take it (blocked, unreadable); "again": nobody knows, or too many at once. */
  async send(chat: string, html: string, silent: boolean): Promise<Outcome> {
    const body = new URLSearchParams({
      chat_id: chat,
      text: html,
      parse_mode: "HTML",
      disable_notification: String(silent),
    });
    for (let attempt = 0; attempt < 2; attempt++) {
      let answer: Response;
      try {
        answer = await fetch(`${this.base.replace(/\/$/, "")}/bot${this.token}/sendMessage`, {
          method: "POST",
          body,
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
      } catch {
        return "again"; // the address holds the token: the error's text is not shown
      }
      const told = await answer.json().catch(() => ({}));
      if (answer.ok && told.ok) return "sent";
      if (answer.status === 400 || answer.status === 403) return "refused";
      const wait = Number(told?.parameters?.retry_after ?? NaN);
      if (answer.status !== 429 || !(wait <= PATIENCE_S)) return "again";
      await new Promise((done) => setTimeout(done, wait * 1000));
    }
    return "again";
  }
}
