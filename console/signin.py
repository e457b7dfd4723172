"""Sign in and out: the password check, the throttle, the session row and its audit."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass

from sqlalchemy import Engine

from console.passwords import check_password, fits, hash_password
from shared.clock import Clock
from shared.db import reading, writing
from shared.store import audit
from shared.store.people import active_user, user_by_email
from shared.store.sessions import SignedIn, revoke_all, start_session
from shared.words import LANGS

# A bcrypt hash nobody knows the password of: an unknown name costs the same time as a known one.
_NOBODY = hash_password("a name that does not exist")
_BCRYPT_AT_ONCE = asyncio.Semaphore(2)
SHORTEST = 10  # characters of a new password


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


class Doorkeeper:
    """Checks names and passwords; slow on purpose after failures."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        # Per name *and* address, so that a stranger elsewhere cannot lock a person out; per address against lists.
        self._pair = Throttle(clock, limit=5, window_s=300)
        self._address = Throttle(clock, limit=30, window_s=300)

    async def sign_in(self, email: str, password: str, *, ip: str, user_agent: str, lang: str) -> Attempt:
        """Check and open a session; every outcome but a throttled one takes one bcrypt."""
        name = email.strip().lower()
        pair = f"{name}|{ip}"
        wait = max(self._pair.wait_s(pair), self._address.wait_s(ip))
        if wait > 0:
            return Attempt(None, "signin.throttled", int(wait) + 1)
        # Counted before the check: guesses sent at once do not all slip past the limit while bcrypt runs.
        self._pair.count(pair)
        self._address.count(ip)
        user_id = await self._check(name, password)
        if user_id is None:
            await asyncio.to_thread(self._note_failure, name, ip)
            return Attempt(None, "signin.wrong")
        self._pair.clear(pair)
        self._address.forgive(ip)
        return Attempt(await asyncio.to_thread(self._open, user_id, ip, user_agent, lang))

    async def change_password(
        self, who: SignedIn, current: str, new: str, repeat: str, *, ip: str, user_agent: str
    ) -> Attempt:
        """Change the password of a signed-in person, end all sessions of his and open a fresh one.

        Wrong guesses of the current password count like wrong sign-ins.
        """
        pair = f"{who.email}|{ip}"
        wait = self._pair.wait_s(pair)
        if wait > 0:
            return Attempt(None, "signin.throttled", int(wait) + 1)
        problem = unusable(current, new, repeat)
        if problem:
            return Attempt(None, problem)
        self._pair.count(pair)
        if await self._check(who.email, current) is None:
            await asyncio.to_thread(self._note_failure, who.email, ip)
            return Attempt(None, "password.wrong")
        self._pair.clear(pair)
        async with _BCRYPT_AT_ONCE:
            hashed = await asyncio.to_thread(hash_password, new)
        return Attempt(await asyncio.to_thread(self._replace, who.user_id, hashed, ip, user_agent))

    def _replace(self, user_id: int, hashed: str, ip: str, user_agent: str) -> str | None:
        with writing(self._engine) as session:
            now = self._clock.wall_now()
            user = active_user(session, user_id)
            if user is None:
                return None
            user.password_hash, user.must_change_password = hashed, False
            session.add(user)
            revoke_all(session, user_id, now)
            audit.record(
                session,
                now,
                actor=f"user:{user_id}",
                actor_user_id=user_id,
                action="user.password",
                target=f"user:{user_id}",
                source="console",
                after={"ip": ip},
            )
            return start_session(session, user_id, now, ip=ip, user_agent=user_agent)

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

    def _open(self, user_id: int, ip: str, user_agent: str, lang: str) -> str:
        with writing(self._engine) as session:
            now = self._clock.wall_now()
            user = active_user(session, user_id)
            if user is not None and user.lang is None and lang in LANGS:
                user.lang = lang  # the language of the first sign-in stays until changed
            token = start_session(session, user_id, now, ip=ip, user_agent=user_agent)
            audit.record(
                session,
                now,
                actor=f"user:{user_id}",
                actor_user_id=user_id,
                action="session.start",
                target=f"user:{user_id}",
                source="console",
                after={"ip": ip},
            )
            return token

    def _note_failure(self, name: str, ip: str) -> None:
        with writing(self._engine) as session:
            audit.record(
                session,
                self._clock.wall_now(),
                actor="anonymous",
                action="session.refused",
                target=name[:120],
                source="console",
                after={"ip": ip},
            )
