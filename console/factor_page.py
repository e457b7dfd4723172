"""The pages of the second factor: the code at sign-in, enrolling, the recovery codes, and what stands."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import segno

from console.login_page import alert, known_lang, sheet
from console.services.factors import Enrolment, Standing
from shared.words import say


def code_page(lang: str, target: str, problem: str = "", wait_s: int = 0) -> str:
    """Ask for the second factor of somebody whose password was right."""
    lang = known_lang(lang)
    body = f"""<form method="post" action="/login/code">{alert(problem, lang, wait_s)}
<p>{escape(say("factor.ask_help", lang))}</p>{_code_field(lang)}
<input type="hidden" name="next" value="{escape(target, quote=True)}">
<input type="hidden" name="lang" value="{lang}">
<button type="submit">{escape(say("signin.submit", lang))}</button>
</form>"""
    back = f'<a href="/login?next={quote(target)}&amp;lang={lang}">{escape(say("factor.back", lang))}</a>'
    return sheet(lang, say("factor.ask", lang), say("factor.ask", lang), body, back)


def enrol_page(lang: str, enrolment: Enrolment, *, must: bool, problem: str = "", wait_s: int = 0) -> str:
    """Show the secret as a picture and as text, and ask for its first code."""
    lang = known_lang(lang)
    grouped = " ".join(enrolment.secret[at : at + 4] for at in range(0, len(enrolment.secret), 4))
    body = f"""<form method="post" action="/factor">{alert(problem, lang, wait_s)}
<p>{escape(say("factor.scan", lang))}</p>
<div class="qr">{_picture(enrolment.uri)}</div>
<p>{escape(say("factor.by_hand", lang))}<br><code>{escape(grouped)}</code></p>{_code_field(lang)}
<input type="hidden" name="do" value="prove">
<button type="submit">{escape(say("factor.prove", lang))}</button>
</form>"""
    subtitle = say("factor.must" if must else "factor.title", lang)
    return sheet(lang, say("factor.title", lang), subtitle, body, _home(lang, away=must))


def codes_page(lang: str, codes: Sequence[str]) -> str:
    """Show fresh recovery codes: never again."""
    lang = known_lang(lang)
    listed = "".join(f"<li><code>{escape(one)}</code></li>" for one in codes)
    body = f"""<form method="get" action="/">
<p>{escape(say("factor.keep", lang))}</p><ul class="codes">{listed}</ul>
<button type="submit">{escape(say("factor.kept", lang))}</button>
</form>"""
    return sheet(lang, say("factor.codes", lang), say("factor.codes", lang), body, "")


def standing_page(lang: str, standing: Standing, problem: str = "", wait_s: int = 0) -> str:
    """What stands, and what a code of now may change of it."""
    lang = known_lang(lang)
    since = standing.since.date().isoformat() if standing.since else ""
    off = "" if standing.required else (
        f'<button class="quiet" type="submit" name="do" value="off">{escape(say("factor.off", lang))}</button>'
    )  # fmt: skip
    body = f"""<form method="post" action="/factor">{alert(problem, lang, wait_s)}
<p>{escape(say("factor.stands", lang, since=since, left=standing.recovery_left))}</p>{_code_field(lang)}
<button type="submit" name="do" value="codes">{escape(say("factor.renew", lang))}</button>{off}
</form>"""
    return sheet(lang, say("factor.title", lang), say("factor.title", lang), body, _home(lang, away=False))


def _code_field(lang: str) -> str:
    return f"""<label for="code">{escape(say("factor.code", lang))}</label>
<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" required maxlength="24" autofocus>"""


def _home(lang: str, *, away: bool) -> str:
    return "" if away else f'<a href="/">{escape(say("factor.to_desk", lang))}</a>'


def _picture(uri: str) -> str:
    drawn = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(drawn, kind="svg", scale=4, border=3, xmldecl=False, svgns=True)
    return drawn.getvalue().decode()
