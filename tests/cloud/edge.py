"""An Edge Function run by Deno beside a real PostgreSQL; pg_net, pg_cron and Vault are stand-ins of the same names."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx
import psycopg
import pytest
from sqlalchemy import Engine

from shared.config import ROOT

FUNCTIONS = ROOT / "supabase" / "functions"
MIGRATION = ROOT / "supabase" / "migrations" / "20261122000000_urgent_alerts.sql"
SECRET = "the webhook's secret of the tests"  # pragma: allowlist secret
DENO = os.environ.get("LETSTRADE_DENO") or shutil.which("deno")
NO_DENO = "no Deno: npm install deno outside of the checkout, then LETSTRADE_DENO=…/node_modules/.bin/deno"

STAND_INS = """
create schema vault; create table vault.decrypted_secrets (name text, decrypted_secret text);
create schema net; create table net.http_request_queue (id bigserial, url text, headers jsonb, body bytea);
create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}',
    headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds integer default 5000)
returns bigint language sql as $$
    insert into net.http_request_queue (url, headers, body) values (url, headers, convert_to(body::text, 'UTF8'))
    returning id
$$;
create schema if not exists extensions; create extension if not exists pgcrypto with schema extensions;
"""


def deno(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1", **(env or {})}
    return subprocess.run(
        [str(DENO), *words], cwd=FUNCTIONS, env=given, capture_output=True, text=True, timeout=240, check=False
    )


def install(engine: Engine, url: str | None) -> None:
    """The stand-ins, then the migration as a project would get it; `url` None: Vault knows no function yet."""
    with psycopg.connect(plain_url(engine)) as connection:
        if not connection.execute("select 1 from pg_available_extensions where name = 'pgcrypto'").fetchone():
            pytest.skip("this PostgreSQL comes without pgcrypto")
        connection.execute(STAND_INS)
        for name, value in {"letstrade_edge_url": url, "letstrade_edge_secret": SECRET}.items():
            if value is not None:
                connection.execute("insert into vault.decrypted_secrets values (%s, %s)", (name, value))
        connection.execute(MIGRATION.read_bytes())


def plain_url(engine: Engine) -> str:
    """The address as libpq takes it."""
    return engine.url.render_as_string(hide_password=False).replace("postgresql+psycopg://", "postgresql://")


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def function(database: str, bot_api: str, token: str, port: int) -> Iterator[str]:
    """Serve `urgent-alerts`; yields its address."""
    env = {
        **os.environ,
        "DENO_NO_UPDATE_CHECK": "1",
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "SUPABASE_DB_URL": database,
        "TELEGRAM_BOT_TOKEN": token,
        "TELEGRAM_API_BASE": bot_api,
        "TELEGRAM_CHAT_IDS": "42",
        "LETSTRADE_WEBHOOK_SECRET": SECRET,
    }
    served = subprocess.Popen(
        [str(DENO), "run", "--allow-net=127.0.0.1", "--allow-env", "--allow-read", "urgent-alerts/index.ts"],
        cwd=FUNCTIONS,
        env=env,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                httpx.get(url, timeout=2)
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline and served.poll() is None, "the function does not answer"
                time.sleep(0.05)
        yield url
    finally:
        served.terminate()
        served.wait(120)


@dataclass
class Network:
    """What pg_net does: sends what is queued, in the background, once each. `look` is what pg_cron does."""

    database: str
    answers: list[tuple[int, str]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Network:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join(120)

    def look(self) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("select letstrade.look()")

    def _run(self) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection, httpx.Client(timeout=60) as client:
            while not self._stop.wait(0.02):
                taken = connection.execute("delete from net.http_request_queue returning url, headers, body").fetchall()
                for url, headers, body in taken:
                    answer = client.post(url, headers=headers, content=bytes(body))
                    self.answers.append((answer.status_code, answer.text))
