"""HTTP/1.1 keep-alive under httpx: one write per request, a third of the processor time of its own transport.

Only what a broker's REST needs: no proxies, no HTTP/2, no upgrade, whole bodies. Speaks plain TCP and TLS, IPv6 and IPv4.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from brokers.lean import httpx

HEAD_BYTES, BODY_BYTES = 64 * 1024, 32 * 1024 * 1024  # an answer beyond them is not one of a broker
OTHER_FAMILY_AFTER_S = 0.25  # a dead IPv6 route must not cost the connect time-out
SENDING = "sending"  # request extension: called when the next thing that happens is the socket write; may raise

Origin = tuple[str, str, int]


class KeepAliveTransport(httpx.AsyncBaseTransport):
    """Connections by origin, reused while idle for less than `keepalive_s` seconds.

    Raises httpx's own errors: ConnectError and ConnectTimeout before the write, anything else after it.
    """

    def __init__(self, context: ssl.SSLContext, keepalive_s: float, max_connections: int) -> None:
        self._context, self._keepalive_s = context, keepalive_s
        self._free = asyncio.Semaphore(max_connections)
        self._idle: dict[Origin, list[_Connection]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits = request.extensions.get("timeout", {})
        async with self._free:
            origin = _origin(request.url)
            connection = self._reusable(origin) or await self._connect(origin, limits.get("connect"), request)
            try:
                status, headers, body = await connection.ask(_bytes_of(request), limits.get("read"), request)
            except BaseException:  # whatever was cut short, nobody may read its remains as the next answer
                connection.abort()
                raise
            if connection.reusable:
                self._idle.setdefault(origin, []).append(connection)
            else:
                connection.abort()
        if any(name.lower() == b"content-encoding" for name, _ in headers):
            return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), request=request)
        return httpx.Response(status, headers=headers, content=body, request=request)  # read already: nothing to decode

    async def aclose(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    def _reusable(self, origin: Origin) -> _Connection | None:
        idle = self._idle.get(origin, [])
        while idle:
            connection = idle.pop()
            if connection.reusable and connection.idle_s() < self._keepalive_s:
                return connection
            connection.abort()
        return None

    async def _connect(self, origin: Origin, limit_s: float | None, request: httpx.Request) -> _Connection:
        scheme, host, port = origin
        try:
            async with asyncio.timeout(limit_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection,
                    host,
                    port,
                    ssl=self._context if scheme == "https" else None,
                    happy_eyeballs_delay=OTHER_FAMILY_AFTER_S,
                )
        except TimeoutError as e:
            raise httpx.ConnectTimeout(f"no connection to {host}:{port}", request=request) from e
        except OSError as e:  # refused, unreachable, unknown name, a certificate that is not theirs
            raise httpx.ConnectError(f"{host}:{port}: {e}", request=request) from e
        return connection


class _Connection(asyncio.Protocol):
    """One socket; answers one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._reader: _Reader | None = None
        self._answer: asyncio.Future[tuple[int, list[tuple[bytes, bytes]], bytes]] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._heard_at = self._loop.time()
        self.reusable = True

    def idle_s(self) -> float:
        return self._loop.time() - self._heard_at

    async def ask(
        self, sent: bytes, silence_s: float | None, request: httpx.Request
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Write the request in one piece and return (status, headers, body) of its answer."""
        self._reader = _Reader(request.method)
        self._answer = self._loop.create_future()
        self._heard_at = self._loop.time()
        sending = request.extensions.get(SENDING)
        try:
            if sending is not None:
                sending()
            self._transport.write(sent)
            if silence_s is not None:
                self._watch = self._loop.call_later(silence_s, self._silent, silence_s)
            return await self._answer
        except httpx.TransportError as e:
            e.request = request
            raise
        finally:
            self._answer = None
            if self._watch is not None:
                self._watch.cancel()
                self._watch = None

    def abort(self) -> None:
        self.reusable = False
        self._transport.abort()

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        if self._answer is None or self._reader is None:
            self.abort()  # an answer that nobody asked for: whose would it be?
            return
        self._buffer += data
        self._read(ended=False)

    def connection_lost(self, error: Exception | None) -> None:
        self.reusable = False
        if self._answer is None:
            return
        if error is None:
            self._read(ended=True)
        else:
            self._fail(httpx.ReadError(str(error) or type(error).__name__))

    def _read(self, ended: bool) -> None:
        assert self._reader is not None
        try:
            answer = self._reader.feed(self._buffer, ended)
        except ValueError as e:
            self._fail(httpx.RemoteProtocolError(str(e)))
            return
        if answer is None:
            if ended:
                self._fail(httpx.RemoteProtocolError("the server closed the connection before its answer was whole"))
            return
        self.reusable = self.reusable and not ended and self._reader.keeps_open and not self._buffer
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _fail(self, error: httpx.TransportError) -> None:
        self.reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _silent(self, silence_s: float) -> None:
        """Time out when nothing was heard for `silence_s`; an answer that still trickles in is given more."""
        left = self._heard_at + silence_s - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._silent, silence_s)
        elif self._answer is not None:
            self._fail(httpx.ReadTimeout(f"no answer for {silence_s:g} s"))


class _Reader:
    """Takes one answer off the front of a buffer as its bytes arrive."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._head: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._body: Callable[[bytearray, bool], bytes | None] = _until_close
        self.keeps_open = True

    def feed(self, buffer: bytearray, ended: bool) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
        """Return the whole answer, or None while more must come.

        Raises:
            ValueError: this is not HTTP/1.
        """
        if self._head is None and not self._take_head(buffer):
            return None
        assert self._head is not None
        if len(buffer) > BODY_BYTES:
            raise ValueError(f"an answer of more than {BODY_BYTES} bytes")
        body = self._body(buffer, ended)
        return None if body is None else (*self._head, body)

    def _take_head(self, buffer: bytearray) -> bool:
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            first, *lines = bytes(buffer[:end]).split(b"\r\n")
            del buffer[: end + 4]
            version, _, rest = first.partition(b" ")
            if version not in (b"HTTP/1.1", b"HTTP/1.0") or not rest[:3].isdigit():
                raise ValueError(f"not an HTTP answer: {first[:80]!r}")
            status = int(rest[:3])
            if status >= 200:  # 1xx are only announcements
                headers = [_header(line) for line in lines]
                self._head = (status, headers)
                self._choose_body(version, status, {name.lower(): value.strip().lower() for name, value in headers})
                return True
        if len(buffer) > HEAD_BYTES:
            raise ValueError(f"headers of more than {HEAD_BYTES} bytes")
        return False

    def _choose_body(self, version: bytes, status: int, headers: dict[bytes, bytes]) -> None:
        said = headers.get(b"connection", b"keep-alive" if version == b"HTTP/1.1" else b"close")
        self.keeps_open = b"close" not in said
        if self._method == "HEAD" or status in (204, 304):
            self._body = _Length(0)
        elif b"chunked" in headers.get(b"transfer-encoding", b""):
            self._body = _Chunks()
        elif b"content-length" in headers:
            length = headers[b"content-length"]
            if not length.isdigit():
                raise ValueError(f"Content-Length {length[:40]!r} is not a number")
            self._body = _Length(int(length))
        else:
            self.keeps_open = False


def _until_close(buffer: bytearray, ended: bool) -> bytes | None:
    if not ended:
        return None
    body = bytes(buffer)
    buffer.clear()
    return body


class _Length:
    def __init__(self, length: int) -> None:
        self._length = length

    def __call__(self, buffer: bytearray, ended: bool) -> bytes | None:
        if len(buffer) < self._length:
            return None
        body = bytes(buffer[: self._length])
        del buffer[: self._length]
        return body


class _Chunks:
    """Chunked transfer coding (RFC 9112 §7.1); extensions and trailers are read and dropped."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._last = False

    def __call__(self, buffer: bytearray, ended: bool) -> bytes | None:
        while (end := buffer.find(b"\r\n")) >= 0:
            line = bytes(buffer[:end])
            if self._last:
                del buffer[: end + 2]
                if not line:
                    return bytes(self._body)
                continue
            size = _hex(line.partition(b";")[0].strip())
            if size == 0:
                self._last = True
            elif len(buffer) < end + 2 + size + 2:
                return None
            else:
                self._body += buffer[end + 2 : end + 2 + size]
                if buffer[end + 2 + size : end + 4 + size] != b"\r\n" or len(self._body) > BODY_BYTES:
                    raise ValueError("a chunk that does not end where it said")
            del buffer[: end + 2 + (size + 2 if size else 0)]
        return None


def _hex(text: bytes) -> int:
    if not text or any(one not in b"0123456789abcdefABCDEF" for one in text):
        raise ValueError(f"chunk size {text[:40]!r} is not a number")
    return int(text, 16)


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or name != name.strip():
        raise ValueError(f"not a header: {line[:80]!r}")
    return name, value.strip()


def _origin(url: Any) -> Origin:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _bytes_of(request: httpx.Request) -> bytes:
    """The whole request: brokers' calls have their body in memory."""
    head = b"".join(b"%b: %b\r\n" % pair for pair in request.headers.raw)
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (request.method.encode(), request.url.raw_path, head, request.content)
