"""PgBouncer in transaction mode before a PostgreSQL: what a hosted pooler does to whoever relies on a session."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

# Two server connections for everybody: whoever kept one to himself would stop the others.
SETTINGS = """
[databases]
* = host={host} port={port} user={user}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 2000
server_idle_timeout = 5
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


@contextmanager
def pooler_before(server: str, folder: Path, servers: int = 2) -> Iterator[int]:
    """Run PgBouncer before the server; yields its port. Needs the binary (apt install pgbouncer)."""
    binary = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    parts = urlsplit(server)
    host = parts.hostname or parse_qs(parts.query).get("host", ["127.0.0.1"])[0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = probe.getsockname()[1]
    password = f" password={parts.password}" if parts.password else ""  # an empty one it cannot read
    ini = folder / "pgbouncer.ini"
    ini.write_text(
        SETTINGS.format(
            host=host, port=parts.port or 5432, user=parts.username or "postgres", password=password,
            listen=listen, folder=folder, servers=servers,
        )
    )  # fmt: skip
    words = [binary, str(ini)]
    if os.geteuid() == 0:  # it refuses to be root
        words = [binary, "-u", "nobody", str(ini)]
        for one in (folder, ini):
            shutil.chown(one, "nobody")
    with (folder / "out.log").open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", listen)) == 0:
                    break
            assert process.poll() is None, (folder / "out.log").read_text()
            time.sleep(0.05)
        yield listen
    finally:
        process.terminate()
        process.wait(120)


def through(address: str, port: int) -> str:
    """The address of the same database by way of the pooler."""
    parts = urlsplit(address)
    return parts._replace(netloc=f"{parts.username or 'postgres'}:x@127.0.0.1:{port}", query="").geturl()


def installed() -> bool:
    return shutil.which("pgbouncer") is not None or Path("/usr/sbin/pgbouncer").exists()
