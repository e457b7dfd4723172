"""The page that Streamlit draws into: its own, in the reader's language, drawn anew by itself when it has turned white.

A browser that is late can be handed a change to something it never got; Streamlit then takes down all it had drawn.
A white page must not pass for a calm one: it says so, and loads again. Nothing is sent by that.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from html import escape
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from console.login_page import known_lang
from shared.store.sessions import SignedIn
from shared.words import LANGS, say

_ROOT = '<div id="root"></div>'
_ICON = Path(__file__).with_name("mark.png")
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.S)
# Twice in ten seconds would go on for ever: then it stays, says so, and a person loads it.
_WATCH = """
(() => {
  const root = document.getElementById("root"), told = document.getElementById("white");
  const begun = Date.now();
  let drawn = false;
  setInterval(() => {
    const empty = root.childElementCount === 0;
    if (!empty) { drawn = true; told.hidden = true; return; }
    if (!told.hidden || (!drawn && Date.now() - begun < 20000)) return;
    told.hidden = false;
    let last = 0;
    try {
      last = Number(sessionStorage.getItem("letstrade-redrawn"));
      sessionStorage.setItem("letstrade-redrawn", Date.now());
    } catch (refused) { last = Date.now(); }
    if (Date.now() - last > 10000) location.reload();
  }, 500);
})()
"""


class Shell:
    """ASGI middleware behind the gate: answers with the page who opens one; files, routes and programs pass."""

    def __init__(self, app: ASGIApp, lang: str, routes: frozenset[str]) -> None:
        """`lang` for who has chosen none; `routes` are answered by somebody else."""
        self._app, self._lang, self._routes = app, lang, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        who: SignedIn | None = scope.get("letstrade.user")
        if scope["type"] != "http" or who is None or not self._opens_a_page(Request(scope)):
            await self._app(scope, receive, send)
            return
        page = _page(known_lang(who.lang or self._lang))
        await HTMLResponse(page, headers={"cache-control": "no-cache"})(scope, receive, send)

    def _opens_a_page(self, request: Request) -> bool:
        path = request.scope["path"]
        by_hand = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        return by_hand and path.count("/") == 1 and "." not in path and path not in self._routes


@cache
def _page(lang: str) -> str:
    page = Path(str(streamlit.__file__)).with_name("static").joinpath("index.html").read_text(encoding="utf-8")
    told = (
        f'<p id="white" role="alert" hidden style="font: 16px/1.6 system-ui, sans-serif; padding: 24px">'
        f'{escape(say("page.white", lang))} <a href="">{escape(say("page.again", lang))}</a></p>'
    )
    icon = "data:image/png;base64," + base64.b64encode(_ICON.read_bytes()).decode()
    for theirs, ours in (
        ('<html lang="en">', f'<html lang="{lang}">'),
        ("<title>Streamlit</title>", "<title>LetsTrade</title>"),
        ('href="./favicon.png"', f'href="{icon}"'),
        (r'<link rel="service-desc".*?/>', ""),
        (r"<noscript>.*?</noscript>", f"<noscript><p>{escape(say('page.no_script', lang))}</p></noscript>"),
        (_ROOT, f"{_ROOT}\n    {told}\n    <script>{_WATCH}</script>"),
    ):
        page, found = re.subn(theirs, lambda _, ours=ours: ours, page, count=1, flags=re.S)  # type: ignore[misc]
        assert found, f"Streamlit's page has no {theirs}"
    return page


def script_hashes() -> str:
    """Of the scripts inside the page: those run, no other inline script does."""
    digests = (hashlib.sha256(one.encode()).digest() for one in _SCRIPT.findall(_page(LANGS[0])))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
