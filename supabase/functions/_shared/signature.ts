// The webhook's signature: `t=<unix seconds>,v1=<hex>`, HMAC-SHA256 over "<t>.<body>" under a shared secret.

export const TOLERANCE_S = 300; // an older call is a replay, or a clock that is wrong

export type Verdict = { ok: true } | { ok: false; why: string };

/** Tell whether `body` was signed with `secret` not long ago. Compares in constant time (the key does, not `===`). */
export async function verify(secret: string, header: string | null, body: string, nowS: number): Promise<Verdict> {
  const parts = new Map((header ?? "").split(",").map((part) => part.trim().split("=", 2) as [string, string]));
  const at = Number(parts.get("t")), told = parts.get("v1") ?? "";
  if (!Number.isInteger(at) || !/^[0-9a-f]{64}$/.test(told)) return { ok: false, why: "no signature" };
  if (Math.abs(nowS - at) > TOLERANCE_S) return { ok: false, why: "signed too long ago" };
  const bytes = Uint8Array.from(told.match(/../g)!, (pair) => parseInt(pair, 16));
  const right = await crypto.subtle.verify("HMAC", await keyOf(secret), bytes, text(`${at}.${body}`));
  return right ? { ok: true } : { ok: false, why: "wrong signature" };
}

/** Sign as the database does (supabase/migrations: letstrade.call_edge). */
export async function sign(secret: string, body: string, nowS: number): Promise<string> {
  const made = await crypto.subtle.sign("HMAC", await keyOf(secret), text(`${nowS}.${body}`));
  return `t=${nowS},v1=${[...new Uint8Array(made)].map((one) => one.toString(16).padStart(2, "0")).join("")}`;
}

function keyOf(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", text(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value) as Uint8Array<ArrayBuffer>;
}
