"""What stands open at the door: signing in by each way, the second factor, one's own password, signing out."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from console.factor_page import code_page, codes_page, enrol_page, standing_page
from console.login_page import known_lang, login_page
from console.oidc import NotVouched, Provider
from console.password_page import password_page
from console.services import factors
from console.services.people import sign_out
from console.services.permissions import Actor
from console.signin import Attempt, Caller, Doorkeeper
from console.supabase_door import vouch
from console.wiring import Wiring
from shared.domain.errors import TradingError
from shared.logs import log
from shared.models import Role
from shared.store.sessions import ABSOLUTE, SignedIn
from shared.words import say

MAX_FORM_BYTES = 4096
_NOT_KEPT = {"cache-control": "no-store"}
OIDC_BACK = "/login/oidc/callback"


def cookie_name(port: int, *, secure: bool, what: str = "") -> str:
    """Cookies do not know ports: the port is in the name, so that two desks on one host do not sign each other out."""
    name = f"letstrade-{port}{what}"
    return f"__Host-{name}" if secure else name


def safe_target(path: str) -> str:
    """A path of ours to go to after sign-in; anything else becomes the first page."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain and not path.startswith(("/login", "/logout", "/password", "/factor")) else "/"


class Doorway:
    """The forms at the door, each answered with a page of plain HTML."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring, self._settings = wiring, wiring.settings
        self._keeper = Doorkeeper(wiring)
        self._provider = Provider(wiring.settings, wiring.clock) if wiring.settings.oidc_issuer else None

    async def open_to_all(self, request: Request) -> Response | None:
        """Answer what needs no session; None when the path is none of that."""
        path = request.scope["path"]
        if path == "/login":
            return await self._login(request)
        if path == "/login/code":
            return await self._code(request)
        if self._provider is not None and path == "/login/oidc":
            return await self._to_provider(request, self._provider)
        if self._provider is not None and path == OIDC_BACK:
            return await self._from_provider(request, self._provider)
        return None

    async def own(self, request: Request, who: SignedIn) -> Response | None:
        """Answer what a signed-in person does about himself; None when the path is none of that."""
        if request.scope["path"] == "/password":
            return await self._password(request, who)
        if request.scope["path"] == "/factor" and not who.must_change_password:
            return await self._factor(request, who)
        return None

    async def sign_out(self, request: Request, token: str | None) -> Response:
        if token:
            await asyncio.to_thread(sign_out, self._wiring.engine, self._wiring.clock, token)
        response = RedirectResponse("/login", 303)
        self._set_cookie(response, request, "", 0)
        return response

    async def _login(self, request: Request) -> Response:
        lang, target = self._asked(request)
        if request.method != "POST":
            return self._login_page(lang, target)
        form = await read_form(request)
        if form is None:
            return PlainTextResponse("form too large", 413)
        target, lang = safe_target(form.get("next", "/")), known_lang(form.get("lang", lang))
        email, caller = form.get("email", "")[:254], self._caller(request, lang)
        if form.get("way") == "supabase" and self._settings.supabase_sign_in:
            attempt = await self._by_supabase(email, form.get("password", ""), caller)
        else:
            attempt = await self._keeper.sign_in(email, form.get("password", ""), caller)
        if attempt.token is None and not attempt.step:
            return self._login_page(lang, target, attempt, email)
        return self._entered(request, attempt, target, lang)

    def _login_page(self, lang: str, target: str, attempt: Attempt | None = None, email: str = "") -> Response:
        others = []
        if self._provider is not None:
            label = say("signin.oidc", lang, name=self._settings.oidc_name)
            others.append(("/login/oidc", label))
        page = login_page(
            lang, target, attempt.problem if attempt else "", email=email, wait_s=attempt.wait_s if attempt else 0,
            others=others, supabase=self._settings.supabase_sign_in,
        )  # fmt: skip
        if attempt is None:
            return HTMLResponse(page, headers=_NOT_KEPT)
        waits = {"retry-after": str(attempt.wait_s)} if attempt.wait_s else {}
        return HTMLResponse(page, 429 if attempt.wait_s else 401, _NOT_KEPT | waits)

    async def _by_supabase(self, email: str, password: str, caller: Caller) -> Attempt:
        try:
            return await self._keeper.by_provider(
                email, "supabase", caller, lambda: vouch(self._settings, email, password)
            )
        except NotVouched as error:
            log("console", "nobody vouched", level="warning", why=str(error))
            return Attempt(None, "signin.provider_away")

    async def _code(self, request: Request) -> Response:
        lang, target = self._asked(request)
        ticket = self._cookie(request, "-step")
        if request.method != "POST":
            if not self._keeper.waits(ticket):
                return RedirectResponse(f"/login?next={quote(target)}&lang={lang}", 303)
            return HTMLResponse(code_page(lang, target), headers=_NOT_KEPT)
        form = await read_form(request)
        if form is None:
            return PlainTextResponse("form too large", 413)
        target, lang = safe_target(form.get("next", "/")), known_lang(form.get("lang", lang))
        attempt = await self._keeper.second_step(ticket, form.get("code", "")[:64], self._caller(request, lang))
        if attempt.token is not None:
            return self._entered(request, attempt, target, lang)
        if not attempt.step:
            return self._login_page(lang, target, attempt)
        page = code_page(lang, target, attempt.problem, attempt.wait_s)
        return HTMLResponse(page, 429 if attempt.wait_s else 401, _NOT_KEPT)

    def _entered(self, request: Request, attempt: Attempt, target: str, lang: str) -> Response:
        """To the desk with a session, or to the second step with its ticket."""
        if attempt.token is None:
            response = RedirectResponse(f"/login/code?next={quote(target)}&lang={lang}", 303)
            self._set_cookie(response, request, attempt.step, 300, "-step")
            return response
        response = RedirectResponse(target, 303)
        self._set_cookie(response, request, attempt.token, int(ABSOLUTE.total_seconds()))
        if self._cookie(request, "-step"):
            self._set_cookie(response, request, "", 0, "-step")
        return response

    async def _to_provider(self, request: Request, provider: Provider) -> Response:
        lang, target = self._asked(request)
        try:
            address, state = await provider.begin(self._back(request), target, lang)
        except NotVouched as error:
            log("console", "nobody vouched", level="warning", why=str(error))
            return self._login_page(lang, target, Attempt(None, "signin.provider_away"))
        response = RedirectResponse(address, 303, _NOT_KEPT)
        self._set_cookie(response, request, state, 600, "-oidc", samesite="lax")  # he comes back from another site
        return response

    async def _from_provider(self, request: Request, provider: Provider) -> Response:
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        flight = provider.landed(state) if state and state == self._cookie(request, "-oidc") else None
        if flight is None or not code:
            lang, target = (flight.lang, flight.target) if flight else self._asked(request)
            return self._login_page(lang, target, Attempt(None, "signin.provider_no"))
        try:
            who = await provider.vouch(flight, code, self._back(request))
            attempt = await self._keeper.vouched(who.subject, who.email, "oidc", self._caller(request, flight.lang))
        except NotVouched as error:
            log("console", "nobody vouched", level="warning", why=str(error))
            attempt = Attempt(None, "signin.provider_no")
        if attempt.token is None and not attempt.step:
            return self._login_page(flight.lang, flight.target, attempt)
        # A Strict cookie is not sent along a redirect that began at another site: a page of ours goes on instead.
        onward = self._entered(request, attempt, flight.target, flight.lang)
        address = onward.headers["location"].replace("&", "&amp;").replace('"', "%22")
        page = HTMLResponse(
            f'<!doctype html><meta http-equiv="refresh" content="0;url={address}"><a href="{address}">LetsTrade</a>',
            headers=_NOT_KEPT,
        )
        page.raw_headers.extend((name, value) for name, value in onward.raw_headers if name == b"set-cookie")
        self._set_cookie(page, request, "", 0, "-oidc", samesite="lax")
        return page

    async def _password(self, request: Request, who: SignedIn) -> Response:
        lang = known_lang(who.lang or self._settings.lang)
        target, must = safe_target(request.query_params.get("next", "/")), who.must_change_password
        if request.method != "POST":
            return HTMLResponse(password_page(lang, target, must=must, enrolled=who.enrolled), headers=_NOT_KEPT)
        form = await read_form(request)
        if form is None:
            return PlainTextResponse("form too large", 413)
        target, caller = safe_target(form.get("next", "/")), self._caller(request, lang)
        attempt = await self._keeper.change_password(
            who, form.get("current", ""), form.get("new", ""), form.get("repeat", ""), caller
        )
        if attempt.token is None:
            page = password_page(lang, target, must=must, problem=attempt.problem, wait_s=attempt.wait_s)
            return HTMLResponse(page, 429 if attempt.wait_s else 400, _NOT_KEPT)
        return self._entered(request, attempt, target, lang)

    async def _factor(self, request: Request, who: SignedIn) -> Response:
        lang = known_lang(who.lang or self._settings.lang)
        actor = Actor(who.user_id, Role(who.role), "console", who.email, lang)
        if request.method != "POST":
            return HTMLResponse(await asyncio.to_thread(self._factor_page, actor, who), headers=_NOT_KEPT)
        form = await read_form(request)
        if form is None:
            return PlainTextResponse("form too large", 413)
        wait = self._keeper.factor_wait_s(who.user_id)
        if wait:
            page = await asyncio.to_thread(self._factor_page, actor, who, "signin.throttled", wait)
            return HTMLResponse(page, 429, _NOT_KEPT)
        self._keeper.count_factor(who.user_id)
        try:
            done = await asyncio.to_thread(self._change_factor, actor, form.get("do", ""), form.get("code", "")[:64])
        except TradingError as refusal:
            problem = "factor.wrong" if refusal.code == "factor_wrong" else f"refuse.{refusal.code}.what"
            return HTMLResponse(await asyncio.to_thread(self._factor_page, actor, who, problem), 400, _NOT_KEPT)
        self._keeper.clear_factor(who.user_id)
        return HTMLResponse(codes_page(lang, done), headers=_NOT_KEPT) if done else RedirectResponse("/factor", 303)

    def _factor_page(self, actor: Actor, who: SignedIn, problem: str = "", wait_s: int = 0) -> str:
        standing = factors.standing(self._wiring, who.user_id)
        if standing.since is not None:
            return standing_page(actor.lang, standing, problem, wait_s)
        enrolment = factors.begin(self._wiring, actor)
        return enrol_page(actor.lang, enrolment, must=who.must_enrol, problem=problem, wait_s=wait_s)

    def _change_factor(self, actor: Actor, wish: str, code: str) -> tuple[str, ...]:
        if wish == "prove":
            return factors.prove(self._wiring, actor, code)
        if wish == "codes":
            return factors.renew_codes(self._wiring, actor, code)
        factors.turn_off(self._wiring, actor, code)
        return ()

    def _asked(self, request: Request) -> tuple[str, str]:
        lang = known_lang(request.query_params.get("lang") or self._settings.lang)
        return lang, safe_target(request.query_params.get("next", "/"))

    def _caller(self, request: Request, lang: str) -> Caller:
        return Caller(_address(request), request.headers.get("user-agent", ""), lang)

    def _back(self, request: Request) -> str:
        """Where the provider sends him back to: the host he came by, which the gate has allowed."""
        return f"{request.url.scheme}://{request.headers['host']}{OIDC_BACK}"

    def _cookie(self, request: Request, what: str) -> str:
        name = cookie_name(self._settings.port, secure=request.url.scheme == "https", what=what)
        return request.cookies.get(name, "")

    def _set_cookie(
        self, response: Response, request: Request, value: str, max_age: int, what: str = "", samesite: str = "strict"
    ) -> None:
        secure = request.url.scheme == "https"
        response.set_cookie(
            cookie_name(self._settings.port, secure=secure, what=what), value, max_age=max_age, path="/", secure=secure,
            httponly=True, samesite="lax" if samesite == "lax" else "strict",
        )  # fmt: skip


def held_back(wiring: Wiring, request: Request, who: SignedIn) -> Response:
    """Who must first change his password or enrol sees nothing but the page where that is done."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"{who.held_at}?next={quote(request.scope['path'])}", 303)
    word = "password.first" if who.must_change_password else "factor.first"
    return PlainTextResponse(say(word, who.lang or wiring.settings.lang), 403)


def _address(request: Request) -> str:
    client = request.scope.get("client")
    return str(client[0]) if client else ""


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields of a small urlencoded form; None when it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}
