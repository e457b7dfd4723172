"""The drill: keys rotated and a backup made beside trading bots, the machine lost, the desk trading again elsewhere."""

from __future__ import annotations

import base64
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from shared.secret_files import write_secret_file
from tests.e2e.desk import Desk, wait_until
from tests.e2e.test_first_light import ready

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(600)]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_lost_machine_is_replaced_from_its_backup(
    kind: str, new_desk: Callable[..., Desk], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    kek = tmp_path / "safe" / "kek.key"  # kept elsewhere than the desk
    write_secret_file(kek, base64.b64encode(os.urandom(32)).decode())
    secrets = {"LETSTRADE_KEK": f"file:{kek}", "LETSTRADE_BACKUP_PASSPHRASE": "of the drill"}
    old = new_desk(request.getfixturevalue("postgres_url") if kind == "postgres" else None, **secrets)
    old.setup()
    old.start()
    wait_until("both bots are ready", lambda: ready(old, 1) and ready(old, 2))
    wait_until("a fill at each broker", lambda: len({e["broker"] for e in old.ledger("FILL")}) == 2)

    old.cli("keys", "rotate-kek")
    rotated = old.cli("keys", "rotate")
    assert rotated["sealed_again"] >= 8
    fills = len(old.ledger("FILL"))
    wait_until("trading goes on under the new keys", lambda: len(old.ledger("FILL")) > fills)

    folder = str(tmp_path / "backup")
    made = old.cli("backup", "create", "--to", folder)
    assert made["verified"] and made["keys"] and made["kind"] == ("sqlite" if kind == "sqlite" else "pg_dump")
    held = len(old.ledger("ORDER"))
    wait_until("orders that the backup does not know", lambda: len(old.ledger("ORDER")) > held)
    old.stop()

    database = fresh_database(old.database_url) if old.database_url else None
    new = new_desk(database, **secrets)
    shutil.copytree(old.folder / "var" / "exchange", new.folder / "var" / "exchange")  # the broker lives on
    shutil.rmtree(old.folder / "var" / "secrets")
    restored = new.cli("backup", "restore", folder, "--old-desk-is-off", "--trade")
    assert restored["rows"] == made["rows"]
    new.setup()
    before = len(new.ledger("FILL")) if new.exchange_answers() else None
    new.start()
    before = len(new.ledger("FILL")) if before is None else before
    wait_until("both bots are ready on the new machine", lambda: ready(new, 1) and ready(new, 2))
    wait_until("the desk trades", lambda: len(new.ledger("FILL")) > before, 120)
    numbers = [e["order_id"] for e in new.ledger("ORDER")]
    stored = [
        row["broker_order_id"] for row in new.rows("SELECT broker_order_id FROM orders") if row["broker_order_id"]
    ]
    assert len(stored) == len(set(stored)) and set(stored) <= set(numbers)
    assert not new.rows("SELECT id FROM orders WHERE status IN ('UNKNOWN', 'NEEDS_OPERATOR')")
    assert {one["check"]: one["ok"] for one in new.cli("doctor")["items"]}["database"]
    new.stop()


def fresh_database(url: str) -> str:
    """An empty database on the same server, for the new machine."""
    name = f"t{uuid.uuid4().hex[:12]}"
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    head, _, query = url.partition("?")
    return head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
