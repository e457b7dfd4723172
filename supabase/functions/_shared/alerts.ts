// An alert as Telegram HTML: the sentences are the desk's own (words.json is written by tools/make_edge_words.py).

import words from "./words.json" with { type: "json" };

export type Lang = "ko" | "en";

export interface Alert {
  id: number;
  account_id: number | null;
  kind: string;
  severity: string;
  params: Record<string, unknown>;
  count: number;
}

const table = words as unknown as {
  marks: Record<string, string>;
  one: string;
  templates: Record<string, string>;
  texts: Record<string, [string, string]>;
  advice: Record<string, [string, string]>;
  words: Record<string, [string, string]>;
};

/** The alert as a message of its own; everything that came from outside is escaped. */
export function message(alert: Alert, account: string, lang: Lang): string {
  const advice = clip(said(table.advice[alert.kind], lang) ?? "", 600);
  return fill(table.templates[alert.kind] ?? table.one, {
    mark: table.marks[alert.severity] ?? "⚪",
    account: account ? `<b>${clip(account, 200)}</b>\n` : "",
    text: clip(sentence(alert, lang), 2500),
    count: alert.count > 1 ? ` ×${alert.count}` : "",
    advice: advice ? `\n${advice}` : "",
  });
}

/** One sentence; a kind without words shows its name and parameters. */
export function sentence(alert: Alert, lang: Lang): string {
  const template = said(table.texts[alert.kind], lang);
  const params = Object.entries(alert.params);
  if (template === undefined) return `${alert.kind} ${params.map(([k, v]) => `${k}=${v}`).join(", ")}`.trim();
  return fill(template, Object.fromEntries(params.map(([k, v]) => [k, said(table.words[`${k}.${v}`], lang) ?? v])));
}

function said(both: [string, string] | undefined, lang: Lang): string | undefined {
  return both?.[lang === "en" ? 1 : 0];
}

function fill(template: string, values: Record<string, unknown>): string {
  return template.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? "—"));
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };

/** Escape and keep at most `most` characters; an entity is never cut in two. */
export function clip(text: string, most: number): string {
  let kept = "";
  for (const sign of text) {
    const piece = ENTITIES[sign] ?? sign;
    if (kept.length + piece.length > most - 1) return kept + "…";
    kept += piece;
  }
  return kept;
}
