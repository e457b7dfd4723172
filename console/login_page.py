"""The sign-in page: one plain HTML page, no script, nothing loaded from elsewhere."""

from __future__ import annotations

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


def login_page(lang: str, target: str, problem: str = "", *, email: str = "", wait_s: int = 0) -> str:
    """Return the page in `lang`; `problem` is a key of shared.words, `target` where to go afterwards."""
    lang = lang if lang in LANGS else LANGS[0]
    other = LANGS[1 - LANGS.index(lang)]
    alert = f'<p class="problem" role="alert">{escape(say(problem, lang, seconds=wait_s))}</p>' if problem else ""
    focus_password = "autofocus" if email else ""
    focus_email = "" if email else "autofocus"
    return f"""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(say("signin.title", lang))} · LetsTrade</title><style>{STYLE}</style></head>
<body><main>
<header>{MARK}<div><h1>LetsTrade</h1><p>{escape(say("signin.tagline", lang))}</p></div></header>
<form method="post" action="/login">{alert}
<label for="email">{escape(say("signin.email", lang))}</label>
<input id="email" name="email" type="text" inputmode="email" autocomplete="username" required maxlength="254"
 value="{escape(email, quote=True)}" {focus_email}>
<label for="password">{escape(say("signin.password", lang))}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required {focus_password}>
<input type="hidden" name="next" value="{escape(target, quote=True)}">
<input type="hidden" name="lang" value="{lang}">
<button type="submit">{escape(say("signin.submit", lang))}</button>
</form>
<footer><span>{escape(say("signin.note", lang))}</span>
<a href="/login?lang={other}&amp;next={quote(target)}" hreflang="{other}">{escape(say("signin.other_language", lang))}</a>
</footer>
</main></body></html>"""
