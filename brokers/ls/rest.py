"""LS's REST calls: headers, one budget per TR, pages, one renewal of a refused token. Rows get no meaning here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import orjson

from brokers.contract import RateBudget
from brokers.http import Answer, Call, Door
from brokers.ls import tr
from brokers.ls.auth import Auth
from brokers.ls.codec import Row, one, rows, whole
from brokers.pacing import Pacer, Priority
from shared.domain.errors import (
    AuthExpired,
    BrokerError,
    BrokerUnavailable,
    NotSent,
    OutcomeUnknown,
    Refused,
    WireError,
)

MAX_PAGES = 100
ORDER_WAIT_S = 5.0
Block = Mapping[str, str | int | float]


class Page:
    """One answer and where the next one begins."""

    def __init__(self, answer: Answer) -> None:
        self.body: Row = answer.json(tr.LS)
        self.more = answer.headers.get("tr_cont", "").strip() == "Y"
        self.key = answer.headers.get("tr_cont_key", "").strip()


@dataclass(frozen=True, slots=True)
class Whole:
    """A list read to its end, and its first page, which carries the totals."""

    rows: list[Row]
    first: Row


class Rest:
    def __init__(self, door: Door, auth: Auth, site: tr.Site, pacers: Mapping[str, Pacer]) -> None:
        self._door, self._auth, self._site, self._pacers = door, auth, site, pacers

    def budget(self, whole: RateBudget) -> RateBudget:
        """The app key's budget with what waits and what was refused in the budgets of single transactions."""
        parts = [pacer.budget() for pacer in self._pacers.values()]
        return replace(
            whole,
            waiting=whole.waiting + sum(one.waiting for one in parts),
            limited_total=whole.limited_total + sum(one.limited_total for one in parts),
        )

    async def get(self, asked: tr.Tr, block: Block) -> Row:
        """Return one unpaged answer."""
        return (await self._get(asked, block, cont=False, key="")).body

    async def page(self, asked: tr.Tr, block: Block, *, cont: bool, key: str) -> Page:
        """Return one page; with `cont` the one that `key` and the block's own cursor lead to."""
        return await self._get(asked, block, cont=cont, key=key)

    async def list(
        self,
        asked: tr.Tr,
        block: Callable[[str], Block],
        name: str,
        *,
        cursor: str = "",
        ident: str = "",
        total: tuple[str, str] | None = None,
    ) -> list[Row]:
        """Return the rows of every page; see whole()."""
        return (await self.whole(asked, block, name, cursor=cursor, ident=ident, total=total)).rows

    async def whole(
        self,
        asked: tr.Tr,
        block: Callable[[str], Block],
        name: str,
        *,
        cursor: str = "",
        ident: str = "",
        total: tuple[str, str] | None = None,
    ) -> Whole:
        """Return the rows of every page of array block `name`; a page that cannot be had fails the whole.

        `cursor` is the OutBlock field that a body cursor comes in ("" where only the header counts; several are joined
        by "|", and so are their values), `ident` the row
        field that tells rows apart, `total` the (OutBlock, row) fields whose sums agree when nothing is missing: an
        account-wide t0425 may serve its pages for ever (ls.md §1.5).

        Raises:
            WireError: the pages lead nowhere new, so that what was read cannot be called complete.
        """
        found: list[Row] = []
        first: Row = {}
        seen: set[str] = set()
        followed: set[tuple[str, str]] = set()
        at, key, cont = "", "", False
        for _ in range(MAX_PAGES):
            page = await self._get(asked, block(at), cont=cont, key=key)
            first = first or page.body
            if asked.code in tr.HEADED and not _tells_something(page.body, asked.code):
                raise WireError(tr.LS, "-", f"{asked.code}: a success without any of its blocks")
            new = [row for row in rows(page.body, name) if not ident or str(row.get(ident)) not in seen]
            seen |= {str(row.get(ident)) for row in new}
            found += new
            at = _cursor(page.body, asked.code, cursor)
            if not at and not page.more:
                return Whole(found, first)
            if (cont and not new) or (at, page.key) in followed:  # an echo: the cursor leads nowhere
                if total is not None and _adds_up(page.body, asked.code, found, total):
                    return Whole(found, first)
                break
            followed.add((at, page.key))
            key, cont = page.key, True
        raise WireError(tr.LS, "-", f"{asked.code}: the pages lead nowhere new after {len(found)} rows")

    async def order(self, asked: tr.Tr, block: Block, priority: Priority, correlation_id: str | None) -> Row:
        """Send an order command once and return its answer.

        A token that LS calls dead leaves the outcome unknown (ls.md §6.5); it is renewed for the next call.

        Raises:
            NotSent, Refused: proven not placed. OutcomeUnknown: anything else.
        """
        try:
            token = await self._auth.ensure_token()
        except Refused:
            raise
        except BrokerError as e:
            raise NotSent(tr.LS, e.broker_code, e.message, e.now) from e
        call = Call(
            asked.code,
            "POST",
            self._site.rest + asked.path,
            self._auth.headers(token, asked.code),
            body=_body(asked, block),
            priority=priority,
            correlation_id=correlation_id,
            budget=self._pacers[asked.code],
        )
        try:
            return (await self._door.send_once(call, ORDER_WAIT_S)).json(tr.LS)
        except OutcomeUnknown as e:
            if e.broker_code in tr.TOKEN_DEAD:
                await self._renew_quietly(token)
            raise
        except WireError as e:
            raise OutcomeUnknown(tr.LS, e.broker_code, e.message) from e

    async def _renew_quietly(self, token: str) -> None:
        try:
            await self._auth.renew(token)
        except BrokerError:
            return  # what became of the order is what the caller must hear

    async def _get(self, asked: tr.Tr, block: Block, *, cont: bool, key: str) -> Page:
        """One page; a refused token is renewed once."""
        for last_try in (False, True):
            token = await self._auth.ensure_token()
            call = Call(
                asked.code,
                "POST",
                self._site.rest + asked.path,
                self._auth.headers(token, asked.code, cont=cont, cont_key=key),
                body=_body(asked, block),
                priority=asked.priority,
                budget=self._pacers[asked.code],
            )
            try:
                return Page(await self._door.read(call))
            except AuthExpired:
                if last_try:
                    raise
                await self._auth.renew(token)
        raise BrokerUnavailable(tr.LS, "-", f"{asked.code}: no answer")


def _body(asked: tr.Tr, block: Block) -> bytes:
    return orjson.dumps({f"{asked.code}{asked.in_block}": dict(block)})


def _tells_something(body: Row, code: str) -> bool:
    """An empty array block is left out, the block of totals is not, but where the code itself says "nothing"."""
    return any(name.startswith(code) for name in body) or str(body.get("rsp_cd")) not in tr.ASKED


def _cursor(body: Row, code: str, field: str) -> str:
    head = body.get(f"{code}OutBlock")
    if not field or not isinstance(head, dict):
        return ""
    values = [str(head.get(name) or "").strip() for name in field.split("|")]
    return "|".join(values) if any(values) else ""


def _adds_up(body: Row, code: str, found: list[Row], total: tuple[str, str]) -> bool:
    return sum(whole(row, total[1]) for row in found) == whole(one(body, f"{code}OutBlock"), total[0])
