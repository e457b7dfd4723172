"""The page to change one's password: plain HTML like the sign-in page, open to those who must not see more yet."""

from __future__ import annotations

from html import escape

from console.login_page import MARK, STYLE
from shared.words import LANGS, say

_FIELDS = (("current", "current-password"), ("new", "new-password"), ("repeat", "new-password"))


def password_page(lang: str, target: str, *, must: bool, problem: str = "", wait_s: int = 0) -> str:
    """Return the page in `lang`; `must`: nothing else is served until it is done. `target`: where to go afterwards."""
    lang = lang if lang in LANGS else LANGS[0]
    alert = f'<p class="problem" role="alert">{escape(say(problem, lang, seconds=wait_s))}</p>' if problem else ""
    fields = "".join(
        f'<label for="{name}">{escape(say(f"password.{name}", lang))}</label>'
        f'<input id="{name}" name="{name}" type="password" autocomplete="{kind}" required'
        f"{' autofocus' if name == 'current' else ''}>"
        for name, kind in _FIELDS
    )
    return f"""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(say("password.title", lang))} · LetsTrade</title><style>{STYLE}</style></head>
<body><main>
<header>{MARK}<div><h1>LetsTrade</h1><p>{escape(say("password.must" if must else "password.title", lang))}</p></div></header>
<form method="post" action="/password">{alert}{fields}
<input type="hidden" name="next" value="{escape(target, quote=True)}">
<button type="submit">{escape(say("password.submit", lang))}</button>
</form>
<footer><span>{escape(say("password.note", lang))}</span></footer>
</main></body></html>"""
