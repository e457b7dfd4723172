"""The keep-alive transport: an answer is read the same however it is cut, and no connection is trusted twice too long."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from brokers.transport import HEAD_BYTES, SENDING, KeepAliveTransport, _Reader

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
OK = b"HTTP/1.1 200 OK\r\nTR_CONT: M\r\nContent-Length: 4\r\n\r\nbody"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;note=x\r\nbod\r\nA\r\nyybodybody\r\n0\r\nTrailer: 1\r\n\r\n"
ANSWERS = {
    OK: b"body",
    CHUNKED: b"bodyybodybody"[:3] + b"yybodybody",
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK: b"body",
    b"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n": b"",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n": b"",
}
CLOSED_BODY = b"HTTP/1.1 200 OK\r\n\r\nuntil the end"


def read_in_pieces(raw: bytes, cuts: list[int], ended: bool = False) -> tuple[int, bytes] | None:
    reader, buffer, found = _Reader("GET"), bytearray(), None
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    for begin, end in pairwise(edges):
        buffer += raw[begin:end]
        found = found or reader.feed(buffer, ended and end == len(raw))
    return None if found is None else (found[0], found[2])


@given(raw=st.sampled_from(sorted(ANSWERS)), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_an_answer_is_the_same_however_it_is_cut(raw: bytes, cuts: list[int]) -> None:
    found = read_in_pieces(raw, cuts)
    assert found is not None and found[1] == ANSWERS[raw]


@given(raw=st.sampled_from(sorted(ANSWERS)), data=st.data())
def test_an_answer_cut_short_is_never_an_answer(raw: bytes, data: st.DataObject) -> None:
    short = raw[: data.draw(st.integers(0, len(raw) - 1))]
    assert read_in_pieces(short, []) is None


@given(st.binary(max_size=300))
def test_noise_is_refused_or_waited_for_but_never_taken_for_a_success(noise: bytes) -> None:
    try:
        found = read_in_pieces(noise, [])
    except ValueError:
        return
    assert found is None


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * HEAD_BYTES,
    ],
)
def test_what_is_not_http_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_in_pieces(raw, [])


def test_a_body_without_length_ends_with_the_connection() -> None:
    assert read_in_pieces(CLOSED_BODY, []) is None
    assert read_in_pieces(CLOSED_BODY, [], ended=True) == (200, b"until the end")


class Server:
    """Answers request n with the n-th text of the script (the last repeats); b"" hangs up."""

    def __init__(self, *script: bytes) -> None:
        self.script, self.requests, self.connections, self.port = list(script), [], 0, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if not answer:
                    return
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    *script: bytes, keepalive_s: float = 60.0, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None,
    trust: ssl.SSLContext = PLAIN,
) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:  # fmt: skip
    server = Server(*script)
    listening = await asyncio.start_server(server.serve, host, 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    name = "[::1]" if host == "::1" else "localhost" if tls else host
    base = f"{'https' if tls else 'http'}://{name}:{server.port}"
    transport = KeepAliveTransport(trust, keepalive_s, 4)
    async with listening, httpx.AsyncClient(transport=transport, base_url=base, timeout=60, trust_env=False) as client:
        yield server, client


def run(coroutine: object) -> None:
    asyncio.run(coroutine)  # type: ignore[arg-type]


def test_requests_share_a_connection_and_arrive_whole() -> None:
    async def go() -> None:
        async with serving(OK) as (server, client):
            for _ in range(3):
                answer = await client.get("/a", params={"b": "1 2"}, headers={"tr_id": "X"})
                assert (answer.status_code, answer.content, answer.headers["tr_cont"]) == (200, b"body", "M")
            assert server.connections == 1
            assert server.requests[0].startswith(b"GET /a?b=1+2 HTTP/1.1\r\n") and b"tr_id: X\r\n" in server.requests[0]

    run(go())


def test_side_by_side_requests_have_connections_of_their_own() -> None:
    async def go() -> None:
        async with serving(OK) as (server, client):
            answers = await asyncio.gather(*(client.get("/") for _ in range(9)))
            assert [one.content for one in answers] == [b"body"] * 9
            assert 1 <= server.connections <= 4

    run(go())


def test_an_idle_connection_is_dropped_when_its_time_is_over() -> None:
    async def go() -> None:
        async with serving(OK, keepalive_s=0.0) as (server, client):
            await client.get("/")
            await client.get("/")
            assert server.connections == 2

    run(go())


@pytest.mark.parametrize("answer", [OK + b"surplus", OK.replace(b"200 OK", b"200 OK\r\nConnection: close")])
def test_a_connection_that_said_too_much_or_goodbye_is_not_used_again(answer: bytes) -> None:
    async def go() -> None:
        async with serving(answer) as (server, client):
            await client.get("/")
            await client.get("/")
            assert server.connections == 2

    run(go())


def test_hanging_up_is_a_protocol_error_after_the_write() -> None:
    async def go() -> None:
        touched: list[bool] = []
        async with serving(b"") as (_, client):
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post("/", content=b"x", extensions={SENDING: lambda: touched.append(True)})
        assert touched == [True]

    run(go())


def test_a_refused_connection_is_an_error_before_the_write() -> None:
    async def go() -> None:
        touched: list[bool] = []
        async with serving(OK) as (server, _):
            port = server.port
        async with httpx.AsyncClient(transport=KeepAliveTransport(PLAIN, 1.0, 1), trust_env=False) as client:
            with pytest.raises(httpx.ConnectError):
                await client.post(f"http://127.0.0.1:{port}/", extensions={SENDING: lambda: touched.append(True)})
        assert touched == []

    run(go())


def test_silence_is_a_read_time_out_and_the_connection_is_gone() -> None:
    async def go() -> None:
        async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo", OK) as (server, client):
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/", timeout=0.2)
            assert (await client.get("/")).content == b"body"
            assert server.connections == 2

    run(go())


def test_a_cancelled_call_leaves_no_answer_for_the_next_one() -> None:
    async def go() -> None:
        async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo", OK) as (server, client):
            call = asyncio.create_task(client.get("/first"))
            while not server.requests:
                await asyncio.sleep(0.01)
            call.cancel()
            assert (await client.get("/second")).content == b"body"
            assert server.connections == 2

    run(go())


def test_ipv6_is_spoken() -> None:
    async def go() -> None:
        async with serving(OK, host="::1") as (_, client):
            assert (await client.get("/")).content == b"body"

    try:
        run(go())
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate of its own for localhost, and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return theirs, ssl.create_default_context(cadata=pem.decode())


def test_tls_is_spoken_with_a_trusted_certificate_only(tmp_path: Path) -> None:
    theirs, trusting = certificate(tmp_path)

    async def go() -> None:
        async with serving(OK, tls=theirs, trust=trusting) as (server, client):
            assert [(await client.get("/")).content for _ in range(2)] == [b"body"] * 2
            assert server.connections == 1
        async with serving(OK, tls=theirs, trust=ssl.create_default_context()) as (server, client):
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await client.get("/")
            assert server.requests == []

    run(go())
