"""Sign in and out: the password check, the second factor, the throttle, the session row and its audit."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlmodel import Session

from console.oidc import Vouched
from console.passwords import check_password, fits, hash_password
from console.services import factors
from console.wiring import Wiring
from shared.clock import Clock
from shared.db import reading, writing
from shared.models import User
from shared.store import audit
from shared.store.people import active_user, user_by_email, user_by_subject
from shared.store.sessions import SignedIn, revoke_all, start_session
from shared.words import LANGS

# A bcrypt hash nobody knows the password of: an unknown name costs the same time as a known one.
_NOBODY = hash_password("a name that does not exist")
_BCRYPT_AT_ONCE = asyncio.Semaphore(2)
SHORTEST = 10  # characters of a new password
STEP_LIFE_S = 300.0  # a right password waits so long for its second factor


Ask = Callable[[], Awaitable[Vouched | None]]  # None: the provider says the password is wrong


class Throttle:
    """Counts sign-ins not known to be right per key in a sliding window; lives in the one console process."""

    def __init__(self, clock: Clock, *, limit: int, window_s: float) -> None:
        self._clock, self._limit, self._window_s = clock, limit, window_s
        self._failures: dict[str, deque[float]] = defaultdict(deque)  # key → times of failures

    def wait_s(self, key: str) -> float:
        """Seconds until `key` may try again; 0 when it may now."""
        times, now = self._failures.get(key), self._clock.monotonic()
        while times and now - times[0] >= self._window_s:
            times.popleft()
        if not times:
            self._failures.pop(key, None)
            return 0.0
        return self._window_s - (now - times[0]) if len(times) >= self._limit else 0.0

    def count(self, key: str) -> None:
        if len(self._failures) > 10_000:  # a flood of invented names must not fill the memory
            self._failures.clear()
        self._failures[key].append(self._clock.monotonic())

    def forgive(self, key: str) -> None:
        """Take back the last count: that attempt was right."""
        if self._failures.get(key):
            self._failures[key].pop()

    def clear(self, key: str) -> None:
        self._failures.pop(key, None)


def unusable(current: str, new: str, repeat: str) -> str:
    """Why `new` cannot become the password (a key of shared.words); "" when it can."""
    if new != repeat:
        return "password.differ"
    if len(new) < SHORTEST:
        return "password.short"
    if not fits(new):
        return "password.long"
    return "password.same" if new == current else ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The answer to one sign-in: a session id, or why not (a key of shared.words)."""

    token: str | None
    problem: str = ""
    wait_s: int = 0
    step: str = ""  # a ticket: the first half was right, the second factor is still to come


@dataclass(frozen=True, slots=True)
class Caller:
    """Who knocks: address, browser, language of the page."""

    ip: str
    user_agent: str
    lang: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """A person who has proven the first half."""

    user_id: int
    method: str
    until: float  # monotonic


class Doorkeeper:
    """Checks names, passwords and second factors; slow on purpose after failures."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring, self._engine, self._clock = wiring, wiring.engine, wiring.clock
        # Per name *and* address, so that a stranger elsewhere cannot lock a person out; per address against lists.
        self._pair = Throttle(self._clock, limit=5, window_s=300)
        self._address = Throttle(self._clock, limit=30, window_s=300)
        self._codes = Throttle(self._clock, limit=5, window_s=300)  # per person: only who knows his password gets here
        self._steps: dict[str, _Step] = {}  # ticket → the first half

    async def sign_in(self, email: str, password: str, caller: Caller) -> Attempt:
        """Check and open a session, or hand out a ticket where a second factor stands; one bcrypt unless throttled."""
        name = email.strip().lower()
        pair = f"{name}|{caller.ip}"
        wait = max(self._pair.wait_s(pair), self._address.wait_s(caller.ip))
        if wait > 0:
            return Attempt(None, "signin.throttled", int(wait) + 1)
        # Counted before the check: guesses sent at once do not all slip past the limit while bcrypt runs.
        self._pair.count(pair)
        self._address.count(caller.ip)
        user_id = await self._check(name, password)
        if user_id is None:
            await asyncio.to_thread(self._note_failure, name, caller.ip)
            return Attempt(None, "signin.wrong")
        self._pair.clear(pair)
        self._address.forgive(caller.ip)
        return await asyncio.to_thread(self._enter, user_id, "password", caller)

    async def second_step(self, ticket: str, code: str, caller: Caller) -> Attempt:
        """Take the second factor of a ticket and open the session; a wrong code counts, a right one counts once."""
        step = self._steps.get(ticket)
        if step is None or self._clock.monotonic() > step.until:
            self._steps.pop(ticket, None)
            return Attempt(None, "factor.late")
        name = f"user:{step.user_id}"
        wait = self._codes.wait_s(name)
        if wait > 0:
            return Attempt(None, "signin.throttled", int(wait) + 1, step=ticket)
        self._codes.count(name)
        token = await asyncio.to_thread(self._prove, step, code, caller)
        if token is None:
            await asyncio.to_thread(self._note_failure, name, caller.ip, "second factor")
            return Attempt(None, "factor.wrong", step=ticket)
        self._codes.clear(name)
        self._steps.pop(ticket, None)
        return Attempt(token)

    async def vouched(self, subject: str, email: str, method: str, caller: Caller) -> Attempt:
        """Let somebody in for whom a provider vouches, when he has a row here; a row is never made."""
        user_id = await asyncio.to_thread(self._known, subject, email.strip().lower())
        if user_id is None:
            await asyncio.to_thread(self._note_failure, email, caller.ip, method)
            return Attempt(None, "signin.no_row")
        return await asyncio.to_thread(self._enter, user_id, method, caller)

    async def by_provider(self, email: str, method: str, caller: Caller, ask: Ask) -> Attempt:
        """Ask a provider that takes a password here; its refusals are throttled and noted like our own."""
        pair = f"{email.strip().lower()}|{caller.ip}"
        wait = max(self._pair.wait_s(pair), self._address.wait_s(caller.ip))
        if wait > 0:
            return Attempt(None, "signin.throttled", int(wait) + 1)
        self._pair.count(pair)
        self._address.count(caller.ip)
        who = await ask()
        if who is None:
            await asyncio.to_thread(self._note_failure, email, caller.ip, method)
            return Attempt(None, "signin.wrong")
        self._pair.clear(pair)
        self._address.forgive(caller.ip)
        return await self.vouched(who.subject, who.email, method, caller)

    def factor_wait_s(self, user_id: int) -> int:
        """Seconds until this person's codes are looked at again; 0 now."""
        wait = self._codes.wait_s(f"user:{user_id}")
        return int(wait) + 1 if wait > 0 else 0

    def count_factor(self, user_id: int) -> None:
        self._codes.count(f"user:{user_id}")

    def clear_factor(self, user_id: int) -> None:
        self._codes.clear(f"user:{user_id}")

    def waits(self, ticket: str) -> bool:
        """True while the ticket may still be answered."""
        step = self._steps.get(ticket)
        return step is not None and self._clock.monotonic() <= step.until

    async def change_password(self, who: SignedIn, current: str, new: str, repeat: str, caller: Caller) -> Attempt:
        """Change the password of a signed-in person, end all sessions of his and open a fresh one.

        Wrong guesses of the current password count like wrong sign-ins.
        """
        pair = f"{who.email}|{caller.ip}"
        wait = self._pair.wait_s(pair)
        if wait > 0:
            return Attempt(None, "signin.throttled", int(wait) + 1)
        problem = unusable(current, new, repeat)
        if problem:
            return Attempt(None, problem)
        self._pair.count(pair)
        if await self._check(who.email, current) is None:
            await asyncio.to_thread(self._note_failure, who.email, caller.ip)
            return Attempt(None, "password.wrong")
        self._pair.clear(pair)
        async with _BCRYPT_AT_ONCE:
            hashed = await asyncio.to_thread(hash_password, new)
        return Attempt(await asyncio.to_thread(self._replace, who.user_id, hashed, caller))

    def _replace(self, user_id: int, hashed: str, caller: Caller) -> str | None:
        with writing(self._engine) as session:
            now = self._clock.wall_now()
            user = active_user(session, user_id)
            if user is None:
                return None
            user.password_hash, user.must_change_password = hashed, False
            session.add(user)
            revoke_all(session, user_id, now)
            self._note(session, user_id, "user.password", caller)
            return start_session(session, user_id, now, ip=caller.ip, user_agent=caller.user_agent)

    async def _check(self, name: str, password: str) -> int | None:
        user = await asyncio.to_thread(self._find, name)
        known = user is not None and user[1] is not None
        stored = user[1] if known and user is not None and user[1] is not None else _NOBODY
        async with _BCRYPT_AT_ONCE:
            right = await asyncio.to_thread(check_password, password, stored)
        return user[0] if right and known and user is not None else None

    def _find(self, name: str) -> tuple[int, str | None] | None:
        with reading(self._engine) as session:
            user = user_by_email(session, name)
            if user is None or user.disabled_at is not None or user.id is None:
                return None
            return user.id, user.password_hash

    def _known(self, subject: str, email: str) -> int | None:
        """The row of a vouched person: by subject, the first time by e-mail. Service users never enter here."""
        with writing(self._engine) as session:
            user = user_by_subject(session, subject) or user_by_email(session, email)
            if user is None or user.disabled_at is not None or user.password_hash is None:
                return None
            if user.subject not in (None, subject):
                return None  # the e-mail now belongs to somebody else at the provider
            user.subject = subject
            session.add(user)
            return user.id

    def _enter(self, user_id: int, method: str, caller: Caller) -> Attempt:
        with writing(self._engine) as session:
            user = active_user(session, user_id)
            if user is None:
                return Attempt(None, "signin.wrong")
            if user.totp_since is None:
                return Attempt(self._open(session, user, method, caller))
        ticket, now = secrets.token_urlsafe(32), self._clock.monotonic()
        self._steps = {kept: step for kept, step in self._steps.items() if step.until >= now}
        self._steps[ticket] = _Step(user_id, method, now + STEP_LIFE_S)
        return Attempt(None, step=ticket)

    def _prove(self, step: _Step, code: str, caller: Caller) -> str | None:
        with writing(self._engine) as session:
            user = active_user(session, step.user_id)
            if user is None or not factors.accepts(session, self._wiring, user, code):
                return None
            return self._open(session, user, step.method, caller)

    def _open(self, session: Session, user: User, method: str, caller: Caller) -> str:
        if user.lang is None and caller.lang in LANGS:
            user.lang = caller.lang  # the language of the first sign-in stays until changed
        user_id, now = user.id or 0, self._clock.wall_now()
        session.add(user)
        token = start_session(session, user_id, now, ip=caller.ip, user_agent=caller.user_agent, method=method)
        self._note(session, user_id, "session.start", caller, method=method)
        return token

    def _note(self, session: Session, user_id: int, action: str, caller: Caller, **after: str) -> None:
        audit.record(
            session, self._clock.wall_now(), actor=f"user:{user_id}", actor_user_id=user_id, action=action,
            target=f"user:{user_id}", source="console", after={"ip": caller.ip, **after},
        )  # fmt: skip

    def _note_failure(self, name: str, ip: str, what: str = "password") -> None:
        with writing(self._engine) as session:
            audit.record(
                session, self._clock.wall_now(), actor="anonymous", action="session.refused", target=name[:120],
                source="console", after={"ip": ip, "what": what},
            )  # fmt: skip
