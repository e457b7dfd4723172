"""TLS: a client that trusts the exchange's own authority is served, another is not, and the certificate is kept."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from brokers.paper.tls import AUTHORITY, CERTIFICATE, KEY, server_context
from shared.domain.errors import ConfigError

NOW = datetime.now(UTC)


async def ok(_request: web.Request) -> web.Response:
    return web.json_response({"rt_cd": "0"})


async def test_httpx_verifies_the_exchange_with_its_authority_and_nothing_else(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/", ok)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(tmp_path, NOW)).start()
    port = runner.addresses[0][1]
    trusting = ssl.create_default_context(cafile=str(tmp_path / AUTHORITY))
    async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
        for host in ("127.0.0.1", "localhost"):
            assert (await client.get(f"https://{host}:{port}/")).json() == {"rt_cd": "0"}
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"https://127.0.0.1:{port}/")
    await runner.cleanup()


def test_the_certificate_is_kept_until_it_runs_out_and_its_key_is_private(tmp_path: Path) -> None:
    server_context(tmp_path, NOW)
    made = (tmp_path / CERTIFICATE).read_bytes()
    server_context(tmp_path, NOW + timedelta(days=300))
    assert (tmp_path / CERTIFICATE).read_bytes() == made
    server_context(tmp_path, NOW + timedelta(days=364))
    assert (tmp_path / CERTIFICATE).read_bytes() != made
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_serve_is_refused_by_name(tmp_path: Path) -> None:
    server_context(tmp_path, NOW)
    (tmp_path / KEY).write_text("no key", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        server_context(tmp_path, NOW)
    assert str(tmp_path) in refused.value.why
