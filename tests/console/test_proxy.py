"""The console behind the nginx of docs/deploy.md: TLS, the Secure cookie, the page's WebSocket, event streams.

Runs where nginx is installed (apt): python -m pytest -m soak tests/console/test_proxy.py
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import websockets

from console.services import tokens
from console.services.tokens import Scope
from shared.config import ROOT, load_settings
from shared.models import Role
from tests.console import desks
from tests.console.desks import Desk
from tests.console.served import free_port, start_console, wait_healthy

NAME = "desk.example.com"
NGINX = os.environ.get("NGINX") or shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def configured(folder: Path, https: int, http: int, console: int) -> Path:
    """The shipped file with its ports and certificate paths mended, as the document tells; nothing else is changed."""
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{https} ssl"),
        ("listen 80", f"listen 127.0.0.1:{http}"),
        ("127.0.0.1:8501", f"127.0.0.1:{console}"),
        (f"/etc/letsencrypt/live/{NAME}/fullchain.pem", str(folder / "cert.pem")),
        (f"/etc/letsencrypt/live/{NAME}/privkey.pem", str(folder / "key.pem")),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text, encoding="utf-8")
    temporary = "".join(f"{one}_temp_path {folder}/{one};" for one in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
    main = (
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{ worker_connections 64; }}\n"
        f"http {{ access_log off; {temporary} include {folder}/site.conf; }}\n"
    )
    (folder / "main.conf").write_text(main, encoding="utf-8")
    return folder / "main.conf"


@contextmanager
def proxied(folder: Path) -> Iterator[tuple[Desk, int]]:
    desk = desks.normal_desk(folder / "home", port=free_port())
    settings = desk.wiring.settings
    https, http = free_port(), free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext",
         f"subjectAltName=DNS:{NAME}", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    before = os.environ.get("LETSTRADE_PUBLIC_URL")
    os.environ["LETSTRADE_PUBLIC_URL"] = f"https://{NAME}"
    console = start_console(desk, folder / "console.log")
    main = configured(folder, https, http, settings.port)
    proxy = subprocess.Popen([str(NGINX), "-e", str(folder / "start.log"), "-c", str(main), "-p", str(folder)])
    try:
        wait_healthy(f"http://127.0.0.1:{settings.port}", console)
        yield desk, https
    finally:
        for process in (proxy, console):
            process.terminate()
            process.wait(120)
        os.environ.pop("LETSTRADE_PUBLIC_URL")
        if before is not None:
            os.environ["LETSTRADE_PUBLIC_URL"] = before


class Resolved(httpx.HTTPTransport):
    """Speaks TLS to `NAME` at loopback, as a phone's resolver would have told."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        super().__init__(verify=trust)
        self._port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": NAME}
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return super().handle_request(request)


@pytest.mark.soak
@pytest.mark.skipif(NGINX is None, reason="no nginx: apt install nginx")
def test_the_desk_is_whole_behind_nginx(tmp_path: Path) -> None:
    with proxied(tmp_path) as (desk, port):
        trust = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        with httpx.Client(transport=Resolved(port, trust), base_url=f"https://{NAME}", timeout=60) as client:
            assert client.get("/healthz").status_code == 200
            cookie = signed_in(client)
            streamed(client, desk)
        asyncio.run(page_socket(port, trust, cookie))


def signed_in(client: httpx.Client) -> str:
    form = {"email": "admin@desk.local", "password": desks.PASSWORDS[Role.ADMIN], "next": "/"}
    foreign = client.post("/login", data=form, headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert client.get("/login", headers={"host": "evil.example"}).status_code in {400, 404}
    answer = client.post("/login", data=form, headers={"origin": f"https://{NAME}"})
    given = answer.headers["set-cookie"]
    assert answer.status_code == 303 and given.startswith("__Host-letstrade-")
    assert "Secure" in given and "HttpOnly" in given and "SameSite=strict" in given
    cookie = given.split(";", 1)[0]
    page = client.get("/", headers={"cookie": cookie, "accept": "text/html"})
    assert page.status_code == 200 and "<title>" in page.text
    return cookie


def streamed(client: httpx.Client, desk: Desk) -> None:
    """An event arrives while the answer is still open: nothing in between collects it."""
    token = tokens.add(desk.wiring, desk.actor(Role.ADMIN), desk.users[Role.ADMIN], "t", [Scope.READ], days=1)[1]
    headers = {"authorization": f"Bearer {token}"}
    with client.stream("GET", "/api/v1/stream?topics=heartbeats", headers=headers) as answer:
        data = next(line for line in answer.iter_lines() if line.startswith("data:"))
    assert json.loads(data[5:])["items"]


async def page_socket(port: int, trust: ssl.SSLContext, cookie: str) -> None:
    async def opened(origin: str) -> str:
        async with websockets.connect(
            f"wss://{NAME}/_stcore/stream", host="127.0.0.1", port=port, ssl=trust, server_hostname=NAME,
            origin=origin, additional_headers={"cookie": cookie}, subprotocols=["streamlit"], proxy=None,
        ) as socket:  # fmt: skip
            return socket.subprotocol or ""

    assert await opened(f"https://{NAME}") == "streamlit"
    with pytest.raises(websockets.exceptions.InvalidStatus):
        await opened("https://evil.example")


def test_the_public_name_must_be_https_and_nothing_else() -> None:
    base = {"LETSTRADE_HOME": "var"}
    assert load_settings({**base, "LETSTRADE_PUBLIC_URL": f"https://{NAME}"}).public_host == NAME
    for wrong in ("http://desk.example.com", "desk.example.com", "https://desk.example.com/desk", "https://"):
        with pytest.raises(Exception, match="LETSTRADE_PUBLIC_URL"):
            load_settings({**base, "LETSTRADE_PUBLIC_URL": wrong})


def test_without_a_public_name_only_loopback_is_served(desk: Desk) -> None:
    from starlette.datastructures import Headers

    from console.gate import host_allowed

    foreign = Headers({"host": NAME})
    assert not host_allowed(foreign, desk.wiring.settings.public_host)
    named = replace(desk.wiring.settings, public_host=NAME)
    assert host_allowed(foreign, named.public_host) and not host_allowed(Headers({"host": "x" + NAME}), NAME)


def test_the_unit_starts_what_make_run_starts() -> None:
    unit = (ROOT / "deploy" / "letstrade.service").read_text(encoding="utf-8")
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    started = re.findall(r"^ExecStart(?:Pre)?=/opt/letstrade/\.venv/bin/(.+)$", unit, re.M)
    assert len(started) == 2 and all(f"$(BIN)/{command}" in make for command in started)


ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze: apt install systemd")
def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    """Linted by systemd itself; what it would start is not installed here, so any program stands for it."""
    text = (ROOT / "deploy" / "letstrade.service").read_text(encoding="utf-8")
    unit = tmp_path / "letstrade.service"
    for line, mistaken in (("", False), ("UMasq=0077", True), ("KillMode=mixedd", True)):
        mended = text.replace("UMask=0077", line or "UMask=0077")
        unit.write_text(re.sub(r"/opt/letstrade/\.venv/bin/\S+", "/bin/true", mended), encoding="utf-8")
        said = subprocess.run([str(ANALYZE), "verify", str(unit)], capture_output=True, text=True)
        about_us = [one for one in said.stderr.splitlines() if str(unit) in one or unit.name in one]
        assert bool(about_us) is mistaken, said.stderr
