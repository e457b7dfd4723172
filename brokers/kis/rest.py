"""KIS's REST calls: headers, pages, one renewal of a refused token. No meaning is given to the rows here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson

from brokers.http import Call, Door
from brokers.kis.auth import Auth
from brokers.kis.codec import Row, rows
from brokers.kis.dialect import Ask
from brokers.kis.tr import KIS, Site
from brokers.pacing import Priority
from shared.domain.errors import (
    AuthExpired,
    BrokerError,
    BrokerUnavailable,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Refused,
    UnknownSymbol,
    WireError,
)

MAX_PAGES = 200
MORE = frozenset({"F", "M"})
PREPARE_S = 10.0  # an order older than this when it could leave is not sent: its sender's gates are stale


@asynccontextmanager
async def nothing_sent_yet() -> AsyncIterator[None]:
    """What goes wrong while an order is being prepared is a refusal: the order never left."""
    try:
        async with asyncio.timeout(PREPARE_S):
            yield
    except NotFound as e:
        raise UnknownSymbol(KIS, "-", e.what, e.now) from e
    except Refused:
        raise
    except BrokerError as e:
        raise NotSent(KIS, e.broker_code, f"보내기 전에 멈췄습니다 / before sending: {e.message}", e.now) from e
    except TimeoutError as e:
        raise NotSent(
            KIS, "-", f"{PREPARE_S:g}초 안에 준비하지 못해 보내지 않았습니다 / not prepared within {PREPARE_S:g} s"
        ) from e


class Rest:
    def __init__(self, door: Door, auth: Auth, site: Site, page_suffix: str) -> None:
        self._door, self._auth, self._site = door, auth, site
        self._suffix = page_suffix

    async def get(self, ask: Ask, priority: Priority | None = None) -> Row:
        """Return one unpaged answer; `priority` None is the transaction's own."""
        body, _ = await self._get(
            ask, ask.fields, first=True, priority=ask.tr.priority if priority is None else priority
        )
        return body

    async def pages(self, ask: Ask) -> list[Row]:
        """Return every page of a list; a page that cannot be had fails the whole.

        Raises:
            WireError: the pages do not advance or never end.
        """
        suffix = self._suffix if ask.suffix is None else ask.suffix
        fk_name, nk_name = f"ctx_area_fk{suffix}", f"ctx_area_nk{suffix}"
        fields = ask.fields | ({fk_name.upper(): "", nk_name.upper(): ""} if ask.cursor else {})
        found: list[Row] = []
        seen: set[str] = set()
        while True:
            body, more = await self._get(ask, fields, first=not found, priority=ask.tr.priority)
            found.append(body)
            if not more:
                return found
            fk, nk = str(body.get(fk_name) or ""), str(body.get(nk_name) or "")
            place = f"{fk}|{nk}" if ask.cursor else repr(rows(body, ask.output))
            if (ask.cursor and not nk.strip()) or place in seen or len(found) >= MAX_PAGES:
                raise WireError(KIS, "-", f"{ask.tr.live}: page {len(found)} says there are more but leads nowhere new")
            seen.add(place)
            if ask.cursor:
                fields = {**ask.fields, fk_name.upper(): fk, nk_name.upper(): nk}

    async def list(self, ask: Ask) -> list[Row]:
        """Return the rows of every page."""
        return [row for page in await self.pages(ask) for row in rows(page, ask.output)]

    async def order(self, ask: Ask, priority: Priority, correlation_id: str | None) -> Row:
        """Send an order command once and return its answer.

        A refused token is renewed for the next call, but the order is not sent again here: its sender must check its
        own gates anew.

        Raises:
            NotSent, Refused: proven not placed. OutcomeUnknown: anything else.
        """
        content = orjson.dumps(ask.fields)
        tr_id = ask.tr.id(self._site.mock)
        async with nothing_sent_yet():
            token = await self._auth.ensure_token()
            headers = {**self._auth.headers(token), "tr_id": tr_id, "tr_cont": ""}
            headers["hashkey"] = await self._auth.sign_order(content, priority)
        url = self._site.rest + ask.tr.path
        call = Call(tr_id, "POST", url, headers, body=content, priority=priority, correlation_id=correlation_id)
        try:
            answer = await self._door.send_once(call)
            return answer.json(KIS)
        except AuthExpired:
            self._auth.drop(token)  # the refusal is heard at once: a renewal may have to wait a minute
            raise
        except WireError as e:
            raise OutcomeUnknown(KIS, e.broker_code, e.message) from e

    async def _get(self, ask: Ask, fields: dict[str, str], first: bool, priority: Priority) -> tuple[Row, bool]:
        """One page and whether more follow; a refused token is renewed once."""
        tr_id = ask.tr.id(self._site.mock)
        for last_try in (False, True):
            token = await self._auth.ensure_token()
            headers = {**self._auth.headers(token), "tr_id": tr_id, "tr_cont": "" if first else "N"}
            call = Call(tr_id, "GET", self._site.rest + ask.tr.path, headers, fields, priority=priority)
            try:
                answer = await self._door.read(call)
            except AuthExpired:
                if last_try:
                    raise
                await self._auth.renew(token)
            else:
                return answer.json(KIS), answer.headers.get("tr_cont", "").strip() in MORE
        raise BrokerUnavailable(KIS, "-", f"{tr_id}: no answer")
