"""The page to change one's password: plain HTML like the sign-in page, open to those who must not see more yet."""

from __future__ import annotations

from html import escape

from console.login_page import alert, known_lang, sheet
from shared.words import say

_FIELDS = (("current", "current-password"), ("new", "new-password"), ("repeat", "new-password"))


def password_page(
    lang: str, target: str, *, must: bool, problem: str = "", wait_s: int = 0, enrolled: bool = False
) -> str:
    """Return the page in `lang`; `must`: nothing else is served until it is done. `target`: where to go afterwards."""
    lang = known_lang(lang)
    fields = "".join(
        f'<label for="{name}">{escape(say(f"password.{name}", lang))}</label>'
        f'<input id="{name}" name="{name}" type="password" autocomplete="{kind}" required'
        f"{' autofocus' if name == 'current' else ''}>"
        for name, kind in _FIELDS
    )
    factor = "" if must else (
        f'<a class="way" href="/factor">{escape(say("factor.manage" if enrolled else "factor.begin", lang))}</a>'
    )  # fmt: skip
    body = f"""<form method="post" action="/password">{alert(problem, lang, wait_s)}{fields}
<input type="hidden" name="next" value="{escape(target, quote=True)}">
<button type="submit">{escape(say("password.submit", lang))}</button>{factor}
</form>"""
    subtitle = say("password.must" if must else "password.title", lang)
    return sheet(
        lang, say("password.title", lang), subtitle, body, f"<span>{escape(say('password.note', lang))}</span>"
    )
