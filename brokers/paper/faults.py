"""Faults: a plan of what goes wrong on the wire, asked by both wires once per REST call and once per pushed frame.

A fault waits for the `nth` matching event and then fires `count` times (0: for ever). What each action does:

`match` names what the event must be: a field left out matches everything, "*" anything but nothing (side "*": orders
and their notices), "a|b" either.

REST  delay {seconds, accept, skew_s} (skew_s: the answer's Date header is so much off) · hang {seconds, accept} never answers · reset {accept} TCP reset · drop_before_accept closes
      before the call had any effect · drop_after_accept closes after it · status {status, body, accept} · body {body,
      status, content_type, accept} · garbage {accept} an unreadable 200 · cut_after_bytes {bytes} the true answer, cut
      short, after the call had its effect · visibility_lag {seconds} orders placed by the call appear in lists later ·
      stale says again what the same call was told before (a balance that is booked late; without an earlier answer: the
      true one).
      `accept: true` lets the call have its effect first; without it, it has none.
WS    delay {seconds} · duplicate {copies} · reorder swaps a frame with the next matching one · silent {seconds} drops
      what matches for so long · garbage replaces the frame · kick {abrupt} closes the socket · key_change encrypts with
      a key the client does not know.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from typing import Any

from aiohttp import web

from brokers.paper.accounts import ExEnv
from shared.domain.account import BrokerName
from shared.domain.order import Side

# Set by visibility_lag around one call: orders placed inside appear in lists only so much later.
VISIBILITY_LAG_S: ContextVar[float] = ContextVar("visibility_lag_s", default=0.0)
FOR_EVER_S = 86_400.0
GARBAGE = b'\xff\xfe{"rt_cd":\x00"'


class FaultAction(StrEnum):
    DELAY = "delay"
    HANG = "hang"
    CUT_AFTER_BYTES = "cut_after_bytes"
    RESET = "reset"
    STATUS = "status"
    BODY = "body"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    DROP_BEFORE_ACCEPT = "drop_before_accept"
    VISIBILITY_LAG = "visibility_lag"
    STALE = "stale"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    SILENT = "silent"
    GARBAGE = "garbage"
    KICK = "kick"
    KEY_CHANGE = "key_change"


_A = FaultAction
WS_ONLY = frozenset({_A.DUPLICATE, _A.REORDER, _A.SILENT, _A.KICK, _A.KEY_CHANGE})
BOTH = frozenset({_A.DELAY, _A.GARBAGE})
MATCH_FIELDS = ("broker", "env", "tr", "account", "symbol", "side", "channel")


class BadFault(ValueError):
    """The fault cannot be planned; the text says why."""


@dataclass(slots=True)
class Fault:
    id: int
    match: dict[str, str]  # MATCH_FIELDS -> wanted value; a field left out matches everything
    action: FaultAction
    args: dict[str, Any]
    nth: int = 1
    count: int = 1
    seen: int = 0
    fired: int = 0
    silent_until: datetime | None = None
    held: list[str | bytes] = field(default_factory=list)  # frames that reorder keeps back

    def seconds(self, default: float) -> float:
        return float(self.args.get("seconds", default))


class StepKind(StrEnum):
    SEND = "send"
    KICK = "kick"  # close the socket (abort the transport when `abrupt`)
    KEY_CHANGE = "key_change"  # encrypt this and all later notices with a fresh key that the client is not told


@dataclass(frozen=True, slots=True)
class Step:
    kind: StepKind
    frame: str | bytes = ""
    delay_s: float = 0.0
    abrupt: bool = False


FaultLog = Callable[[Fault, BrokerName, ExEnv, str, str], None]
Act = Callable[[], Awaitable[web.Response]]


def read_fault(fault_id: int, body: dict[str, Any]) -> Fault:
    """Read a posted fault.

    Raises:
        BadFault: a field that is unknown or cannot be used.
    """
    unknown = set(body) - {"match", "nth", "count", "action", "args"}
    match, args = body.get("match") or {}, body.get("args") or {}
    if unknown or not isinstance(match, dict) or not isinstance(args, dict):
        raise BadFault(f"unknown field {sorted(unknown)}" if unknown else "match and args must be objects")
    if set(match) - set(MATCH_FIELDS):
        raise BadFault(f"match has no field {sorted(set(match) - set(MATCH_FIELDS))}; use {', '.join(MATCH_FIELDS)}")
    try:
        action = FaultAction(str(body.get("action")))
    except ValueError:
        raise BadFault(f"action must be one of {', '.join(FaultAction)}") from None
    channel = str(match.get("channel") or ("ws" if action in WS_ONLY else "rest"))
    if channel not in {"rest", "ws"} or (action not in BOTH and (channel == "ws") is not (action in WS_ONLY)):
        raise BadFault(f"{action} does not exist on channel {channel!r}")
    nth, count = body.get("nth", 1), body.get("count", 1)
    if not isinstance(nth, int) or not isinstance(count, int) or nth < 1 or count < 0:
        raise BadFault("nth must be 1 or more, count 0 (for ever) or more")
    for name in ("seconds", "bytes", "status", "copies", "skew_s"):
        if name in args and (isinstance(args[name], bool) or not isinstance(args[name], int | float)):
            raise BadFault(f"args.{name} must be a number")
    wanted = {name: str(value) for name, value in match.items() if value not in (None, "")}
    return Fault(fault_id, {**wanted, "channel": channel}, action, args, nth, count)


class FaultPlan:
    def __init__(
        self, wall_now: Callable[[], datetime], log: FaultLog, committed: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._wall_now, self._log, self._committed = wall_now, log, committed
        self._faults: dict[int, Fault] = {}
        self._last_id = 0
        self.served: Counter[tuple[BrokerName, ExEnv, str]] = Counter()  # calls answered and frames pushed, by TR
        self._told: dict[tuple[BrokerName, ExEnv, str, str, str], web.Response] = {}  # the last true answer to a call

    def add(self, body: dict[str, Any]) -> Fault:
        fault = read_fault(self._last_id + 1, body)
        self._last_id = fault.id
        self._faults[fault.id] = fault
        return fault

    def all(self) -> list[Fault]:
        return list(self._faults.values())

    def remove(self, fault_id: int | None = None) -> int:
        """Forget one fault, or all; returns how many there were."""
        gone = [fault_id] if fault_id in self._faults else [] if fault_id is not None else list(self._faults)
        for one in gone:
            del self._faults[one]
        return len(gone)

    def match(
        self, broker: BrokerName, env: ExEnv, tr: str, account: str, symbol: str, side: Side | None, channel: str
    ) -> list[Fault]:
        """The faults that fire on this event, each counted and written to the ledger."""
        facts = (broker, env, tr, account, symbol, side or "", channel)
        event = dict(zip(MATCH_FIELDS, (str(fact) for fact in facts), strict=True))
        return [fault for fault in self._faults.values() if self._fires(fault, event, broker, env, account, symbol)]

    def _fires(
        self, fault: Fault, event: dict[str, str], broker: BrokerName, env: ExEnv, account: str, symbol: str
    ) -> bool:
        if not all(_same(name, wanted, event[name]) for name, wanted in fault.match.items()):
            return False
        if fault.silent_until is not None and self._wall_now() < fault.silent_until:
            return True
        fault.seen += 1
        if fault.seen < fault.nth or (fault.count and fault.fired >= fault.count):
            return False
        fault.fired += 1
        self._log(fault, broker, env, account, symbol)
        return True

    # -- REST

    async def answer(
        self,
        request: web.Request,
        *,
        broker: BrokerName,
        env: ExEnv,
        tr: str,
        account: str,
        symbol: str,
        side: Side | None,
        act: Act,
    ) -> web.StreamResponse:
        """Run `act` under the faults that match this call; without one, its answer is passed through.

        What the call changed is on the disk before its answer leaves.
        """
        self.served[broker, env, tr] += 1
        if self._committed is not None:
            act = self._lasting(act, self._committed)
        like = (broker, env, tr, account, request.query_string)
        act, told = self._kept(act, like), self._told.get(like)
        if not self._faults:
            return await act()
        firing = {fault.action: fault for fault in self.match(broker, env, tr, account, symbol, side, "rest")}
        if (delay := firing.get(_A.DELAY)) is not None:
            act = await self._late(delay, act)
        if _A.STALE in firing and told is not None:
            return web.Response(body=told.body, status=told.status, headers=_plain(told))
        lag = firing.get(_A.VISIBILITY_LAG)
        token = VISIBILITY_LAG_S.set(lag.seconds(2.0) if lag else 0.0)
        try:
            return await _spoil(request, firing, act)
        finally:
            VISIBILITY_LAG_S.reset(token)

    @staticmethod
    def _lasting(act: Act, committed: Callable[[], Awaitable[None]]) -> Act:
        async def answer() -> web.Response:
            response = await act()
            await committed()
            return response

        return answer

    def _kept(self, act: Act, like: tuple[BrokerName, ExEnv, str, str, str]) -> Act:
        async def answer() -> web.Response:
            response = await act()
            self._told[like] = response
            return response

        return answer

    async def _late(self, delay: Fault, act: Act) -> Act:
        """Wait; with `accept` the call has its effect before that. `skew_s` makes the answer's Date header lie."""
        done = await act() if delay.args.get("accept") else None
        await asyncio.sleep(delay.seconds(1.0))
        skew_s = float(delay.args.get("skew_s", 0))

        async def answer() -> web.Response:
            response = done or await act()
            if skew_s:
                told = (self._wall_now() + timedelta(seconds=skew_s)).astimezone(UTC)
                response.headers["Date"] = format_datetime(told, usegmt=True)
            return response

        return answer

    # -- WebSocket

    def frames(
        self,
        *,
        broker: BrokerName,
        env: ExEnv,
        tr: str,
        account: str,
        symbol: str,
        side: Side | None,
        frame: str | bytes,
        socket: object = None,
    ) -> list[Step]:
        """What to do instead of sending `frame`: usually one SEND of it. On KEY_CHANGE the wire encrypts anew itself."""
        del socket
        self.served[broker, env, tr] += 1
        if not self._faults:
            return [Step(StepKind.SEND, frame)]
        firing = {fault.action: fault for fault in self.match(broker, env, tr, account, symbol, side, "ws")}
        held = [one for one in self._faults.values() if one.held and one.action is _A.REORDER]
        if (silent := firing.get(_A.SILENT)) is not None:
            if silent.silent_until is None or self._wall_now() >= silent.silent_until:
                silent.silent_until = self._wall_now() + timedelta(seconds=silent.seconds(FOR_EVER_S))
            return []
        if (reorder := firing.get(_A.REORDER)) is not None and not reorder.held:
            reorder.held.append(frame)
            return []
        if (kick := firing.get(_A.KICK)) is not None:
            return [Step(StepKind.KICK, abrupt=bool(kick.args.get("abrupt")))]
        delay = firing.get(_A.DELAY)
        seconds = delay.seconds(1.0) if delay else 0.0
        steps = [Step(StepKind.KEY_CHANGE)] if _A.KEY_CHANGE in firing else []
        copies = int(firing[_A.DUPLICATE].args.get("copies", 2)) if _A.DUPLICATE in firing else 1
        sent = GARBAGE if _A.GARBAGE in firing else frame
        steps += [Step(StepKind.SEND, sent, seconds)] * copies
        for one in held:
            steps += [Step(StepKind.SEND, late) for late in one.held]
            one.held.clear()
        return steps


def _same(name: str, wanted: str, seen: str) -> bool:
    if wanted == "*":
        return bool(seen)
    return any(_same_one(name, one, seen) for one in wanted.split("|"))


def _same_one(name: str, wanted: str, seen: str) -> bool:
    if name == "account":  # "12345678-01", "1234567801" and "12345678" are one account
        wanted, seen = ("".join(c for c in text if c.isalnum()) for text in (wanted, seen))
        return seen == wanted or (len(wanted) == 8 and seen.startswith(wanted))
    return wanted.casefold() == seen.casefold()


def _plain(told: web.Response) -> dict[str, str]:
    """The headers of an answer without those that a second sending writes anew."""
    anew = {"content-length", "date", "server", "transfer-encoding", "connection"}
    return {name: value for name, value in told.headers.items() if name.lower() not in anew}


async def _spoil(request: web.Request, firing: dict[FaultAction, Fault], act: Act) -> web.StreamResponse:
    """Do what the firing faults say to the call; the first of these wins."""
    if _A.DROP_BEFORE_ACCEPT in firing:
        return _gone(request)
    if _A.DROP_AFTER_ACCEPT in firing:
        await act()
        return _gone(request)
    if (cut := firing.get(_A.CUT_AFTER_BYTES)) is not None:
        return await _cut(request, await act(), int(cut.args.get("bytes", 0)))
    for action in (_A.RESET, _A.HANG, _A.STATUS, _A.BODY, _A.GARBAGE):
        fault = firing.get(action)
        if fault is not None:
            if fault.args.get("accept"):
                await act()
            return await _instead(request, fault)
    return await act()


async def _instead(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.action is _A.RESET:
        return _gone(request, reset=True)
    if fault.action is _A.HANG:
        await asyncio.sleep(fault.seconds(FOR_EVER_S))  # ends earlier when the client goes or the server stops
        return _gone(request)
    if fault.action is _A.GARBAGE:
        return web.Response(body=GARBAGE, headers={"Content-Type": "application/json"})
    body, kind = fault.args.get("body", ""), str(fault.args.get("content_type", "application/json"))
    status = int(fault.args.get("status", 500 if fault.action is _A.STATUS else 200))
    if not isinstance(body, str):
        return web.json_response(body, status=status)
    return web.Response(text=body, status=status, headers={"Content-Type": f"{kind}; charset=utf-8"})


def _gone(request: web.Request, *, reset: bool = False) -> web.Response:
    """Close the connection under the client; what is returned reaches nobody."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if reset and raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort() if reset else transport.close()
    return web.Response(status=500)


async def _cut(request: web.Request, whole: web.Response, size: int) -> web.StreamResponse:
    """Send the headers of the whole answer and only the first `size` bytes of it."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    answer = web.StreamResponse(status=whole.status, headers=whole.headers)
    answer.content_length = len(body)
    await answer.prepare(request)
    await answer.write(body[:size])
    return _gone(request)
