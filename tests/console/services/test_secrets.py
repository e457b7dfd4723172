"""Keys go in sealed and never come out: not from the database, not from the console, not from a log."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

from console.services.accounts import Keys
from shared.crypto import load_private
from shared.db import reading, writing
from shared.store import transfer
from shared.store.secrets import open_credential
from tests.conftest import store_kind
from tests.console.desks import CANARIES, Desk

ROOT = Path(__file__).resolve().parents[3]


def test_no_byte_of_a_key_or_account_number_is_in_the_store(desk: Desk) -> None:
    home = desk.wiring.settings.home
    transfer.dump(desk.wiring.engine, home / "rows.gz")  # whatever it runs on
    desk.wiring.engine.dispose()
    files = [path for path in home.rglob("*") if path.is_file()]
    assert store_kind() != "sqlite" or any(path.name == "letstrade.db" for path in files)
    for path in files:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for canary in (*CANARIES, "CANARYHTS", "20212345601"):
            assert canary.encode() not in content, f"{canary} stands in {path.name}"


def test_a_bot_with_the_private_half_reads_what_the_console_sealed(desk: Desk) -> None:
    with reading(desk.wiring.engine) as session:
        opened = open_credential(session, load_private(desk.wiring.settings), desk.accounts["미국 주식 1호"])
    assert opened is not None
    assert (opened.app_key, opened.account_no, opened.hts_id) == ("PSCANARYAPPKEY0001", "87654321-01", "CANARYHTS")


def test_the_console_holds_no_private_half(desk: Desk) -> None:
    assert not hasattr(desk.wiring.sealing, "agree")
    assert "master" not in " ".join(type(desk.wiring).__dataclass_fields__)


def test_keys_do_not_show_themselves() -> None:
    keys = Keys("APPKEYAPPKEY", "SECRETSECRET", "12345678-01", "ME")
    assert all(part not in f"{keys!r} {keys}" for part in ("APPKEY", "SECRET", "12345678", "ME"))


def test_services_never_import_streamlit() -> None:
    names = [f"console.services.{path.stem}" for path in (ROOT / "console" / "services").glob("*.py")]
    code = f"import {', '.join(names)}, sys; sys.exit(any(m.split('.')[0] in {{'streamlit', 'pandas'}} for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_failed_save_leaves_nothing(desk: Desk) -> None:
    with writing(desk.wiring.engine) as session:
        before = open_credential(session, load_private(desk.wiring.settings), desk.accounts["국내 단타"])
    assert before is not None and before.account_no == "20212345601"
