"""The sign-in page: one plain HTML page, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from shared.words import LANGS, say

STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1d2433, #e8ebf2); --soft: light-dark(#5b6577, #9aa5b8);
  --line: light-dark(#d9dee7, #333c4d); --card: light-dark(#ffffff, #171c26); --ground: light-dark(#f4f6f9, #0f131a);
  --deed: light-dark(#1f4f8f, #7fb0ee); --deed-ink: light-dark(#ffffff, #0f131a);
  --bad: light-dark(#a3262a, #ff9a97); --bad-ground: light-dark(#fdf0f0, #2b1719); }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--ground);
  color: var(--ink); font: 16px/1.55 system-ui, "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", sans-serif; }
main { width: 100%; max-width: 392px; }
header { margin-bottom: 20px; display: flex; align-items: center; gap: 12px; }
header svg { width: 36px; height: 36px; flex: none; }
h1 { font-size: 20px; margin: 0; letter-spacing: -0.01em; }
header p { margin: 0; color: var(--soft); font-size: 14px; }
form { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 24px; }
label { display: block; font-size: 14px; font-weight: 600; margin-bottom: 6px; }
input { width: 100%; font: inherit; color: inherit; padding: 10px 12px; border: 1px solid var(--line);
  border-radius: 8px; background: var(--ground); margin-bottom: 16px; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 2px solid var(--deed); outline-offset: 2px; }
button { width: 100%; font: inherit; font-weight: 600; padding: 11px; border: 0; border-radius: 8px;
  background: var(--deed); color: var(--deed-ink); cursor: pointer; }
.way { display: block; margin-top: 12px; padding: 10px; text-align: center; border: 1px solid var(--line);
  border-radius: 8px; color: inherit; text-decoration: none; font-weight: 600; }
.quiet { background: transparent; color: var(--ink); border: 1px solid var(--line); margin-top: 12px; }
.qr { display: block; margin: 0 auto 16px; width: 200px; max-width: 100%; background: #fff; border-radius: 8px; }
.qr svg { display: block; width: 100%; height: auto; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 15px; overflow-wrap: anywhere; }
.codes { white-space: nowrap; padding: 12px 16px; margin: 0 0 16px; list-style: none; border: 1px solid var(--line);
  border-radius: 8px; background: var(--ground); }
form p { margin: 0 0 14px; font-size: 14px; }
form + form { margin-top: 16px; }
.problem { border: 1px solid var(--bad); background: var(--bad-ground); color: var(--bad); border-radius: 8px;
  padding: 10px 12px; margin: 0 0 16px; font-size: 14px; }
footer { margin-top: 16px; color: var(--soft); font-size: 13px; display: flex; justify-content: space-between; gap: 16px; }
footer a { color: inherit; white-space: nowrap; }
"""

MARK = (
    '<svg viewBox="0 0 36 36" aria-hidden="true"><rect width="36" height="36" rx="8" fill="#1f4f8f"/>'
    '<path d="M7 24l7-8 5 5 10-12" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" '
    'stroke-linejoin="round"/></svg>'
)


def sheet(lang: str, title: str, subtitle: str, body: str, footer: str) -> str:
    """One plain page of ours around `body`, which is HTML already; the texts are escaped here."""
    return f"""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · LetsTrade</title><style>{STYLE}</style></head>
<body><main>
<header>{MARK}<div><h1>LetsTrade</h1><p>{escape(subtitle)}</p></div></header>
{body}
<footer>{footer}</footer>
</main></body></html>"""


def alert(problem: str, lang: str, wait_s: int = 0) -> str:
    """The line that says what was wrong; `problem` is a key of shared.words, "" draws nothing."""
    return f'<p class="problem" role="alert">{escape(say(problem, lang, seconds=wait_s))}</p>' if problem else ""


def known_lang(lang: str) -> str:
    return lang if lang in LANGS else LANGS[0]


def login_page(
    lang: str, target: str, problem: str = "", *, email: str = "", wait_s: int = 0,
    others: Sequence[tuple[str, str]] = (), supabase: bool = False,
) -> str:  # fmt: skip
    """Return the page in `lang`; `problem` is a key of shared.words, `target` where to go afterwards.

    `others`: further ways in, as (path, what the link says). `supabase`: the form may also be sent to Supabase Auth.
    """
    lang = known_lang(lang)
    other = LANGS[1 - LANGS.index(lang)]
    focus_password = "autofocus" if email else ""
    focus_email = "" if email else "autofocus"
    links = "".join(
        f'<a class="way" href="{escape(path, quote=True)}?next={quote(target)}&amp;lang={lang}">{escape(label)}</a>'
        for path, label in others
    )
    by_supabase = f'<button class="quiet" type="submit" name="way" value="supabase">{escape(say("signin.supabase", lang))}</button>'
    body = f"""<form method="post" action="/login">{alert(problem, lang, wait_s)}
<label for="email">{escape(say("signin.email", lang))}</label>
<input id="email" name="email" type="text" inputmode="email" autocomplete="username" required maxlength="254"
 value="{escape(email, quote=True)}" {focus_email}>
<label for="password">{escape(say("signin.password", lang))}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required {focus_password}>
<input type="hidden" name="next" value="{escape(target, quote=True)}">
<input type="hidden" name="lang" value="{lang}">
<button type="submit">{escape(say("signin.submit", lang))}</button>{by_supabase if supabase else ""}{links}
</form>"""
    footer = (
        f"<span>{escape(say('signin.note', lang))}</span>"
        f'<a href="/login?lang={other}&amp;next={quote(target)}" hreflang="{other}">'
        f"{escape(say('signin.other_language', lang))}</a>"
    )
    return sheet(lang, say("signin.title", lang), say("signin.tagline", lang), body, footer)
