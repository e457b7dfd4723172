"""The two doors to a broker: read() may retry, send_once() never does. No host outside the list is even looked up."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from brokers.contract import CallLog, CallRecord
from brokers.last_look import why_not
from brokers.lean import httpx
from brokers.pacing import Pacer, Priority
from brokers.transport import SENDING, KeepAliveTransport
from shared.clock import Clock
from shared.domain.account import Environment
from shared.domain.errors import (
    BrokerError,
    BrokerUnavailable,
    DoorClosed,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
    WireError,
)

Host = tuple[str, str, int]  # scheme, host, port

CONNECT_S, READ_S = 3.0, 10.0  # kis.md §7.6
TIME_OUTS = {"connect": CONNECT_S, "read": READ_S}
WHOLE_CALL_S = 15.0  # bounds one call with its body: an answer may trickle
READ_DEADLINE_S = 20.0  # all tries of one read together
FIRST_RETRY_S, LONGEST_RETRY_S = 0.25, 4.0
LONGEST_BACK_OFF_S = 10.0
READ_KEEPALIVE_S = 600.0
# An order must not meet a connection that the far side is just closing: that answer would be unknown for nothing.
# Idle longer than this, the connection is dropped and the order opens a fresh one, whose failure is proven not sent.
ORDER_KEEPALIVE_S = 4.0
MAX_CONNECTIONS = 20
LOGGED_CHARS = 2000
# What stops a call before it reaches the broker, by the error of the system: code, why, now.
ON_THE_WAY: dict[type[BaseException], tuple[str, str, str]] = {
    socket.gaierror: (
        "DNS",
        "증권사 주소를 찾지 못했습니다 / the broker's name cannot be looked up",
        "이 컴퓨터의 네트워크와 DNS를 확인하십시오 / check network and DNS of this machine",
    ),
    ssl.SSLError: (
        "TLS",
        "보안 연결을 맺지 못했습니다 (인증서) / no secure connection, the certificate is not theirs",
        "이 컴퓨터의 시계와 사이에 낀 보안 장비를 확인하십시오 / check the clock and what stands between",
    ),
}
OPEN_HEADERS = frozenset({"tr_id", "tr_cd", "tr_cont", "tr_cont_key", "content-type", "custtype"})  # others are masked


@lru_cache(maxsize=256)  # a broker has a few dozen addresses, each asked for ever again
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


@dataclass(frozen=True, slots=True)
class HostList:
    """The only (scheme, host, port) one environment may talk to."""

    broker: str
    environment: Environment
    allowed: frozenset[Host]

    def check(self, url: str) -> httpx.URL:
        """Return the parsed `url` (use this value, not the text, to connect).

        Raises:
            DoorClosed: not on the list; raised before any name is resolved.
        """
        try:
            parsed = _parsed(url)
        except httpx.InvalidURL as e:
            raise self._closed(url, str(e)) from e
        default = {"https": 443, "wss": 443}.get(parsed.scheme, 80)
        host = (parsed.scheme, parsed.host, parsed.port or default)
        if parsed.userinfo or host not in self.allowed:
            raise self._closed("{}://{}:{}".format(*host), f"not a host of {self.broker} {self.environment}")
        return parsed

    def _closed(self, where: str, why: str) -> DoorClosed:
        return DoorClosed(self.broker, "-", f"{where}: {why}", "use the address of this account's own environment")


@dataclass(frozen=True, slots=True)
class Call:
    """One request before it has a connection. `tr` names it in logs and errors."""

    tr: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] | None = None
    body: bytes | None = None
    priority: Priority = Priority.READ
    correlation_id: str | None = None
    budget: Pacer | None = None  # the call's own, where the broker counts by transaction; beside the app key's


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. Header names are case-insensitive."""

    tr: str
    status: int
    headers: httpx.Headers
    content: bytes
    received_at: datetime

    def json(self, broker: str) -> dict[str, Any]:
        """Return the JSON object; anything else is a WireError."""
        try:
            value = orjson.loads(self.content)
        except orjson.JSONDecodeError as e:
            raise WireError(broker, str(self.status), f"{self.tr}: the answer is not JSON ({e})") from e
        if not isinstance(value, dict):
            raise WireError(broker, str(self.status), f"{self.tr}: the answer is not a JSON object")
        return value


# The broker's own judgement of an answer: returns when it is a success, raises a BrokerError otherwise. The flag says
# whether the call was an order: then only listed codes may become Refused.
Judge = Callable[[Answer, bool], None]


class Mask:
    """Blank the named fields (of JSON or of a form) and the given secret values in a text bound for a log."""

    def __init__(self, fields: Iterable[str], secrets: Iterable[str]) -> None:
        names = "|".join(sorted(map(re.escape, fields)))
        self._field = re.compile(rf'("(?:{names})"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^",}}\]\s]+)', re.IGNORECASE)
        self._form = re.compile(rf"((?:^|&)(?:{names})=)[^&]*", re.IGNORECASE)
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        text = self._form.sub(r"\1***", self._field.sub(r'\1"***"', text))
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:LOGGED_CHARS]


class Door:
    """Every REST call of one account: host check, pacing, time-outs, judgement, masked log."""

    def __init__(
        self, broker: str, hosts: HostList, pacer: Pacer, clock: Clock, judge: Judge, mask: Mask, log: CallLog | None
    ) -> None:
        self._broker, self._hosts, self._pacer, self._clock = broker, hosts, pacer, clock
        self._judge, self._mask, self._log = judge, mask, log
        context = tls_context(hosts)
        self._reads = KeepAliveTransport(context, READ_KEEPALIVE_S, MAX_CONNECTIONS)
        self._orders = KeepAliveTransport(context, ORDER_KEEPALIVE_S, MAX_CONNECTIONS)

    async def close(self) -> None:
        await self._reads.aclose()
        await self._orders.aclose()

    async def read(self, call: Call, deadline_s: float | None = None) -> Answer:
        """Return a successful answer, trying again while the broker is away or says "too many".

        For calls without effect only.

        Raises:
            BrokerUnavailable, RateLimited: still so after `deadline_s`.
            DoorClosed: the host is not on the list, or the answer points elsewhere.
            Refused, WireError: the broker's judgement; not repeated.
        """
        give_up_at = self._clock.monotonic() + (READ_DEADLINE_S if deadline_s is None else deadline_s)
        attempt = 0
        while True:
            try:
                return await self._read(call, max(0.0, give_up_at - self._clock.monotonic()))
            except (BrokerUnavailable, RateLimited) as e:
                wait_s = retry_wait_s(attempt, e)
                if self._clock.monotonic() + wait_s >= give_up_at:
                    raise
                await asyncio.sleep(wait_s)
                attempt += 1

    async def send_once(self, call: Call, max_wait_s: float = 5.0) -> Answer:
        """Send an order command exactly once; never repeats it, whatever happens.

        Raises:
            NotSent: no byte left this machine (refused host, no connection, the sender's last look said no).
            Refused (and subclasses): the broker's answer is listed as a refusal, or our own budget said no.
            OutcomeUnknown: anything else; the order may be live.
        """
        url = self._hosts.check(call.url)
        await self._turn(call, max_wait_s)
        wire = _Wire(self._broker, call.tr)
        started = self._clock.monotonic()
        answer: Answer | None = None
        outcome = "CancelledError"
        try:
            try:
                answer = await self._exchange(self._orders, call, url, wire)
            except (httpx.HTTPError, httpx.StreamError, OSError) as e:
                code, why, now = described(e)
                if not wire.touched:
                    raise NotSent(self._broker, code, f"{call.tr}: {why}", now) from e
                raise OutcomeUnknown(self._broker, "-", f"{call.tr}: {why}") from e
            self._judge_order(call, answer)
            outcome = "ok"
            return answer
        except BrokerError as e:
            outcome = type(e).__name__
            raise
        finally:
            self._record(call, started, answer, outcome)

    def _judge_order(self, call: Call, answer: Answer) -> None:
        """Let Refused through; every other doubt about an order's answer is OutcomeUnknown."""
        try:
            self._judge(answer, True)
        except Refused as e:
            self._slow_down(call, e)
            raise
        except BrokerError as e:
            self._hear_too_many(call, answer)
            raise OutcomeUnknown(self._broker, e.broker_code, e.message, e.now) from e
        if not 200 <= answer.status < 300:
            raise OutcomeUnknown(self._broker, str(answer.status), f"{call.tr}: {answer.content[:200]!r}")

    async def _read(self, call: Call, max_wait_s: float) -> Answer:
        url = self._hosts.check(call.url)
        await self._turn(call, max_wait_s)
        started = self._clock.monotonic()
        answer: Answer | None = None
        outcome = "CancelledError"
        try:
            try:
                answer = await self._exchange(self._reads, call, url)
            except (httpx.HTTPError, httpx.StreamError, OSError) as e:
                code, why, now = described(e)
                raise BrokerUnavailable(self._broker, code, f"{call.tr}: {why}", now) from e
            self._judge_read(call, answer)
            outcome = "ok"
            return answer
        except BrokerError as e:
            outcome = type(e).__name__
            raise
        finally:
            self._record(call, started, answer, outcome)

    def _judge_read(self, call: Call, answer: Answer) -> None:
        if 300 <= answer.status < 400:
            where = answer.headers.get("location", "?")
            raise DoorClosed(self._broker, str(answer.status), f"{call.tr}: redirected to {where}; never followed")
        try:
            self._judge(answer, False)
        except Refused as e:
            self._slow_down(call, e)
            raise
        if not 200 <= answer.status < 300:
            raise BrokerUnavailable(self._broker, str(answer.status), f"{call.tr}: {answer.content[:200]!r}")

    async def _turn(self, call: Call, max_wait_s: float) -> None:
        """Wait for the call's turn in its own budget, then in the app key's; RateLimited when it would not come."""
        give_up_at = self._clock.monotonic() + max_wait_s
        if call.budget is not None:
            await call.budget.acquire(call.priority, max_wait_s)
        await self._pacer.acquire(call.priority, max(0.0, give_up_at - self._clock.monotonic()))

    def _hear_too_many(self, call: Call, answer: Answer) -> None:
        """An order answered "too many" may prove nothing about the order; that the pace was too high it does prove."""
        try:
            self._judge(answer, False)
        except RateLimited as e:
            self._slow_down(call, e)
        except BrokerError:
            return

    def _slow_down(self, call: Call, error: Refused) -> None:
        """A long wait (a token once a minute) concerns that one call, not the budget of all."""
        if isinstance(error, RateLimited) and error.retry_after_s <= LONGEST_BACK_OFF_S:
            (call.budget or self._pacer).back_off(error.retry_after_s)

    async def _exchange(
        self, http: KeepAliveTransport, call: Call, url: httpx.URL, wire: _Wire | None = None
    ) -> Answer:
        """One request, one answer: no redirect, proxy, cookie or retry exists on this road."""
        request = httpx.Request(
            call.method,
            url,
            params=call.query,
            headers={**call.headers, "accept-encoding": "identity"},
            content=call.body,
            extensions={"timeout": TIME_OUTS, SENDING: None if wire is None else wire.touch},
        )
        async with asyncio.timeout(WHOLE_CALL_S):
            response = await http.handle_async_request(request)
            content = await response.aread()
        return Answer(call.tr, response.status_code, response.headers, content, self._clock.wall_now())

    def _record(self, call: Call, started: float, answer: Answer | None, outcome: str) -> None:
        if self._log is None:
            return
        request = (call.body or orjson.dumps(dict(call.query or {}))).decode("utf-8", "replace")
        response = answer.content.decode("utf-8", "replace") if answer else ""
        budget = self._pacer.budget()
        self._log(
            CallRecord(
                at=self._clock.wall_now(),
                broker=self._broker,
                tr=call.tr,
                latency_ms=(self._clock.monotonic() - started) * 1000,
                status=answer.status if answer else None,
                code=code_of(response),
                outcome=outcome,
                correlation_id=call.correlation_id,
                request=self._mask(request),
                response=self._mask(response),
                headers={
                    name: value if name.lower() in OPEN_HEADERS else "***" for name, value in call.headers.items()
                },
                rate_used=budget.used_last_s,
                rate_limit=budget.limit_per_s,
            )
        )


class _Wire:
    """Knows whether the request's first byte may have left: the border between "not sent" and "unknown"."""

    def __init__(self, broker: str, tr: str) -> None:
        self._broker, self._tr = broker, tr
        self.touched = False

    def touch(self) -> None:
        """The socket write is next. Raises NotSent when the sender's last look says no."""
        why = why_not()
        if why is not None:
            raise NotSent(self._broker, "last_look", f"{self._tr}: {why}")
        self.touched = True


def tls_context(hosts: HostList) -> ssl.SSLContext:
    """Trust the usual authorities; where every host is plain loopback trust none (and load no certificates)."""
    if any(scheme in {"https", "wss"} for scheme, _, _ in hosts.allowed):
        return httpx.create_ssl_context(trust_env=False)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def retry_wait_s(attempt: int, error: BrokerError) -> float:
    """Exponential with jitter; never sooner than the broker asked for."""
    wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0**attempt) * (0.5 + random.random() / 2)
    return max(wait_s, error.retry_after_s) if isinstance(error, RateLimited) else wait_s


def code_of(text: str) -> str:
    """The broker's result code in an answer, for the log; "" when there is none."""
    found = re.search(r'"(?:msg_cd|rsp_cd|error_code)"\s*:\s*"([^"]*)"', text)
    return found.group(1) if found else ""


def described(error: BaseException) -> tuple[str, str, str]:
    """(code, why, what to do now) of what went wrong on the way, Korean before English; code "-" for the rest."""
    cause: BaseException | None = error
    while cause is not None:
        for kind, (code, why, now) in ON_THE_WAY.items():
            if isinstance(cause, kind):
                return code, f"{why} — {error}", now
        cause = cause.__cause__
    return "-", f"{type(error).__name__} {error}".strip(), ""
