"""The sealed box: what the public half wrote only the private half reads, and only where it was written."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import crypto
from shared.config import load_settings
from shared.crypto import KeyRing, Place, SecretError, open_sealed
from shared.domain.errors import ConfigError

PRIVATE = crypto.new_private_key()
RING = KeyRing([PRIVATE])
PLACE = Place("api_credentials", "a1", "app_key")


@given(st.text())
def test_a_sealed_text_opens_to_itself(text: str) -> None:
    assert open_sealed(RING, RING.current().seal(text, PLACE), PLACE) == text


@pytest.mark.parametrize(
    "elsewhere",
    [Place("users", "a1", "app_key"), Place("api_credentials", "a2", "app_key"), Place("api_credentials", "a1", "x")],
)
def test_a_sealed_text_moved_elsewhere_does_not_open(elsewhere: Place) -> None:
    with pytest.raises(SecretError):
        open_sealed(RING, RING.current().seal("secret", PLACE), elsewhere)


@given(st.integers(min_value=0, max_value=200), st.integers(min_value=1, max_value=255))
def test_any_changed_byte_is_refused(position: int, flip: int) -> None:
    raw = bytearray(base64.b64decode(RING.current().seal("canary-secret", PLACE)))
    raw[position % len(raw)] ^= flip
    with pytest.raises(SecretError):
        open_sealed(RING, base64.b64encode(bytes(raw)).decode(), PLACE)


@given(st.text(max_size=80))
def test_garbage_is_refused_by_name(garbage: str) -> None:
    with pytest.raises(SecretError):
        open_sealed(RING, garbage, PLACE)


def test_the_same_text_never_seals_to_the_same_bytes() -> None:
    assert RING.current().seal("x", PLACE) != RING.current().seal("x", PLACE)


def test_another_key_cannot_open() -> None:
    with pytest.raises(SecretError):
        open_sealed(KeyRing([crypto.new_private_key()]), RING.current().seal("x", PLACE), PLACE)


def test_after_a_rotation_both_keys_open_and_the_new_one_seals() -> None:
    old = RING.current().seal("x", PLACE)
    both = KeyRing([crypto.new_private_key(), PRIVATE])
    assert open_sealed(both, old, PLACE) == "x"
    assert crypto.key_id_of(both.current().seal("y", PLACE)) != crypto.key_id_of(old)


def test_setup_writes_private_files_once_and_the_console_half_cannot_open(tmp_path: Path) -> None:
    settings = load_settings({"LETSTRADE_HOME": str(tmp_path)})
    assert crypto.write_keys(settings)
    first = settings.master_key_file.read_text()
    assert not crypto.write_keys(settings)
    assert settings.master_key_file.read_text() == first
    assert settings.master_key_file.stat().st_mode & 0o777 == 0o600
    sealed = crypto.load_public(settings).seal("hello", PLACE)
    assert open_sealed(crypto.load_private(settings), sealed, PLACE) == "hello"


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = load_settings({"LETSTRADE_HOME": str(tmp_path)})
    crypto.write_keys(settings)
    settings.master_key_file.chmod(0o644)
    with pytest.raises(ConfigError, match="read by others"):
        crypto.load_private(settings)


def test_the_canary_tells_a_foreign_key() -> None:
    sealed = crypto.seal_canary(RING.current())
    crypto.check_canary(RING, sealed)
    with pytest.raises(SecretError):
        crypto.check_canary(KeyRing([crypto.new_private_key()]), sealed)
