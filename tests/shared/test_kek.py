"""The master key file wrapped by a file, an environment variable, or KMS: what it holds, and how it changes hands."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared import crypto, schema
from shared.config import Settings, load_settings
from shared.crypto import Place, open_sealed
from shared.db import open_engine
from shared.domain.errors import ConfigError
from shared.kek import KekError, LocalKek
from shared.secret_files import write_secret_file
from shared.store.rotation import rewrap, rotate
from tests.cloud.aws import Amazon, amazon

PLACE = Place("t", "r", "c")


def new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def account() -> Iterator[Amazon]:
    with amazon() as found:
        yield found


@pytest.fixture(params=["file", "env", "aws-kms"])
def env(request: pytest.FixtureRequest, tmp_path: Path, account: Amazon) -> dict[str, str]:
    if request.param == "file":
        write_secret_file(tmp_path / "elsewhere" / "kek.key", new_key())
        more = {"LETSTRADE_KEK": f"file:{tmp_path / 'elsewhere' / 'kek.key'}"}
    elif request.param == "env":
        more = {"LETSTRADE_KEK": "env", "LETSTRADE_KEK_KEY": new_key()}
    else:
        more = {"LETSTRADE_KEK": "aws-kms:alias/desk", **account.env}
    return {"LETSTRADE_HOME": str(tmp_path / "home"), **more}


def opened(settings: Settings, sealed: str) -> str:
    return open_sealed(crypto.load_private(settings), sealed, PLACE)


def test_a_wrapped_file_shows_no_key_and_opens_what_was_sealed(env: dict[str, str]) -> None:
    settings = load_settings(env)
    assert crypto.write_keys(settings)
    text = settings.master_key_file.read_text()
    private = crypto.load_private(settings).privates()[0]
    assert text.startswith("kek:") and base64.b64encode(private).decode() not in text
    sealed = crypto.load_public(settings).seal("app key", PLACE)
    assert opened(settings, sealed) == "app key"
    with pytest.raises(ConfigError):  # the file alone, as a thief of the backup has it
        crypto.load_private(load_settings({"LETSTRADE_HOME": env["LETSTRADE_HOME"]}))


def test_both_kinds_of_key_are_rotated_beside_a_running_program(env: dict[str, str]) -> None:
    settings = load_settings(env)
    crypto.write_keys(settings)
    engine = open_engine(settings.database_url)
    schema.upgrade(engine)
    running = crypto.load_keys(settings)
    sealed, before = running.current().seal("app key", PLACE), settings.master_key_file.read_text()
    assert rewrap(settings) == 1  # the key-encryption key
    assert settings.master_key_file.read_text() != before
    assert open_sealed(running, sealed, PLACE) == opened(settings, sealed) == "app key"
    old = running.current()
    rotate(settings, engine, lambda session, key, fields: None, lambda step: None)  # the data key
    assert running.current() == crypto.load_public(settings) != old
    assert settings.master_key_file.read_text().startswith("kek:")


def test_a_desk_moves_from_a_plain_file_to_kms_and_to_another_key(tmp_path: Path, account: Amazon) -> None:
    home = {"LETSTRADE_HOME": str(tmp_path)}
    plain = load_settings(home)
    crypto.write_keys(plain)
    sealed = crypto.load_public(plain).seal("app key", PLACE)
    wrapped = load_settings({**home, **account.env, "LETSTRADE_KEK": "aws-kms:alias/desk"})
    rewrap(wrapped)
    assert opened(wrapped, sealed) == "app key"
    account.aliases["alias/desk"] = "key-2"  # the alias moves on: what key-1 wrapped still opens, then is wrapped again
    assert opened(wrapped, sealed) == "app key"
    rewrap(wrapped)
    account.disabled.add("key-1")
    assert opened(wrapped, sealed) == "app key"
    other = {**home, "LETSTRADE_KEK": "env", "LETSTRADE_KEK_KEY": new_key()}
    with pytest.raises(KekError, match="wrapped by aws-kms"):
        crypto.load_private(load_settings(other))
    rewrap(load_settings({**other, **account.env, "LETSTRADE_KEK_BEFORE": "aws-kms:alias/desk"}))
    assert opened(load_settings(other), sealed) == "app key"


def test_a_running_program_lives_through_a_kms_that_is_away_or_says_no(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("shared.aws.PAUSES_S", ())
    with amazon() as account:
        env = {"LETSTRADE_HOME": str(tmp_path), **account.env, "LETSTRADE_KEK": "aws-kms:alias/desk"}
        settings = load_settings(env)
        crypto.write_keys(settings)
        running = crypto.load_keys(settings)
        sealed = running.current().seal("app key", PLACE)
        account.disabled.add("key-1")
        os.utime(settings.master_key_file)
        assert open_sealed(running, sealed, PLACE) == "app key"
        with pytest.raises(ConfigError, match="DisabledException"):
            crypto.load_private(settings)
    os.utime(settings.master_key_file)
    assert open_sealed(running, sealed, PLACE) == "app key"


def test_a_changed_byte_and_a_strangers_key_do_not_unwrap() -> None:
    one, other = LocalKek(new_key(), "here"), LocalKek(new_key(), "there")
    wrapped = one.wrap(b"k" * 32)
    with pytest.raises(KekError):
        other.unwrap(wrapped)
    raw = bytearray(base64.b64decode(wrapped))
    raw[20] ^= 1
    with pytest.raises(KekError):
        one.unwrap(base64.b64encode(raw).decode())
    with pytest.raises(KekError, match="32 bytes"):
        LocalKek("c2hvcnQ=", "here")
