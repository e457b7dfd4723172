"""Sealed box: the console can write a secret and never read it (design.md §5).

X25519 agreement with an ephemeral key, HKDF-SHA256, AES-256-GCM. A sealed field is
base64(version | key id | ephemeral public key | nonce | ciphertext+tag); the additional data binds table, row, column and
key id, so a sealed field moved elsewhere does not open. The private half comes from LETSTRADE_MASTER_KEY, a 0600 file, or
anything shaped like `KeyProvider`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.config import Settings, environment
from shared.domain.errors import ConfigError, TradingError
from shared.kek import unwrap_line, wrap_line
from shared.secret_files import read_secret_file, write_secret_file

_VERSION = 1
_ID, _KEY, _NONCE = 4, 32, 12
CANARY = "letstrade canary"


class SecretError(ConfigError):
    """A sealed field cannot be opened: wrong key, or the field is not where it was sealed for."""

    code = "secret"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret stands; part of the seal."""

    table: str
    row: str
    column: str

    def bound_to(self, key_id: bytes) -> bytes:
        return "\x1f".join((self.table, self.row, self.column, key_id.hex())).encode()


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The public half: seals, cannot open."""

    public: bytes

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.public).digest()[:_ID]

    def seal(self, text: str, place: Place) -> str:
        """Return `text` sealed for `place`."""
        ephemeral = X25519PrivateKey.generate()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.public))
        own = ephemeral.public_key().public_bytes_raw()
        nonce = secrets.token_bytes(_NONCE)
        box = AESGCM(_derive(shared, own, self.public)).encrypt(nonce, text.encode(), place.bound_to(self.key_id))
        return base64.b64encode(bytes([_VERSION]) + self.key_id + own + nonce + box).decode()


class KeyProvider(Protocol):
    """Where private halves come from. A KMS-backed one agrees on the secret without handing the key out."""

    def agree(self, key_id: bytes, ephemeral_public: bytes) -> tuple[bytes, bytes]:
        """Return (shared secret, our public key) for the private half named `key_id`; KeyError when unknown."""
        ...

    def current(self) -> SealingKey: ...


class KeyRing:
    """Private halves in memory: the first is current, older ones still open what they sealed (rotation)."""

    def __init__(self, privates: list[bytes]) -> None:
        if not privates:
            raise ConfigError("there is no master key", "the key list is empty", "run `letstrade setup`")
        self._keys: dict[bytes, X25519PrivateKey] = {}
        for raw in privates:
            key = X25519PrivateKey.from_private_bytes(raw)
            self._keys[SealingKey(key.public_key().public_bytes_raw()).key_id] = key
        self._current = SealingKey(X25519PrivateKey.from_private_bytes(privates[0]).public_key().public_bytes_raw())

    def agree(self, key_id: bytes, ephemeral_public: bytes) -> tuple[bytes, bytes]:
        key = self._keys[key_id]
        return key.exchange(X25519PublicKey.from_public_bytes(ephemeral_public)), key.public_key().public_bytes_raw()

    def current(self) -> SealingKey:
        return self._current

    def privates(self) -> list[bytes]:
        """The private halves, the current one first: for writing the key file again."""
        current = self._current.key_id
        ids = [current, *(one for one in self._keys if one != current)]
        return [self._keys[one].private_bytes_raw() for one in ids]

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read base64 keys separated by commas or lines; raises ConfigError without echoing them."""
        try:
            return cls([base64.b64decode(part, validate=True) for part in text.replace(",", "\n").split()])
        except ValueError as error:
            raise ConfigError(
                "the master key cannot be read",
                "it is not a list of base64 X25519 keys",
                "restore the key file from its backup; without it sealed keys cannot be opened",
            ) from error


class KeyFile:
    """The key file as it is now: read again whenever it was replaced, so that a rotation reaches running programs."""

    def __init__(self, path: Path, unwrap: Callable[[str], str]) -> None:
        self._path, self._unwrap = path, unwrap
        self._ring = KeyRing.parse(unwrap(read_secret_file(path)))
        self._stamp: tuple[int, int, int] | None = None  # read once more at the first use

    def agree(self, key_id: bytes, ephemeral_public: bytes) -> tuple[bytes, bytes]:
        return self._now().agree(key_id, ephemeral_public)

    def current(self) -> SealingKey:
        return self._now().current()

    def _now(self) -> KeyRing:
        try:
            stamp = _stamp(self._path)  # before the text: a file replaced between the two is read again next time
            if stamp != self._stamp:
                self._ring = KeyRing.parse(self._unwrap(read_secret_file(self._path)))
                self._stamp = stamp
        except (TradingError, OSError):
            pass  # moved away, or not to be unwrapped now: the keys in memory still open and seal, exits must not end here
        return self._ring


def open_sealed(provider: KeyProvider, sealed: str, place: Place) -> str:
    """Open a sealed field.

    Raises:
        SecretError: the key is not ours, or the field was moved, cut or changed.
    """
    try:
        raw = base64.b64decode(sealed, validate=True)
        version, key_id, rest = raw[0], raw[1 : 1 + _ID], raw[1 + _ID :]
        ephemeral, nonce, box = rest[:_KEY], rest[_KEY : _KEY + _NONCE], rest[_KEY + _NONCE :]
        if version != _VERSION:
            raise ValueError(f"sealed field version {version}")
        shared, public = provider.agree(key_id, ephemeral)
        return AESGCM(_derive(shared, ephemeral, public)).decrypt(nonce, box, place.bound_to(key_id)).decode()
    except (ValueError, IndexError, KeyError, InvalidTag) as error:
        raise SecretError(
            f"a secret in {place.table}.{place.column} cannot be opened",
            "it was sealed under another master key, or the row was changed by hand",
            "restore the master key file, or enter the keys of this account again",
        ) from error


def _derive(shared: bytes, ephemeral: bytes, public: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"letstrade sealed box" + ephemeral + public).derive(
        shared
    )


def new_private_key() -> bytes:
    return X25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> SealingKey:
    return SealingKey(X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw())


def load_private(settings: Settings) -> KeyRing:
    """The private half: LETSTRADE_MASTER_KEY, else the key file. Bots and the CLI's Admin only."""
    if settings.master_key:
        return KeyRing.parse(settings.master_key)
    return KeyRing.parse(_unwrapping(settings)(read_secret_file(settings.master_key_file)))


def load_keys(settings: Settings) -> KeyProvider:
    """The private half for a program that runs on while keys are rotated: `load_private`, kept up to date."""
    if settings.master_key:
        return KeyRing.parse(settings.master_key)
    return KeyFile(settings.master_key_file, _unwrapping(settings))


def _unwrapping(settings: Settings) -> Callable[[str], str]:
    """How the lines of the master key file become keys; a provider named since we started is asked too."""

    def unwrap(text: str) -> str:
        try:
            return "\n".join(unwrap_line(line, settings.kek, settings.env) for line in text.split())
        except ConfigError:
            env = environment()
            named = env.get("LETSTRADE_KEK", "")
            if named in ("", settings.kek):
                raise
            return "\n".join(unwrap_line(line, named, env) for line in text.split())

    return unwrap


def key_line(settings: Settings, private: bytes) -> str:
    """A private half as a line of the master key file."""
    return wrap_line(private, settings.kek, settings.env)


def load_public(settings: Settings) -> SealingKey:
    """The public half, written by setup: all that the console and the API hold."""
    try:
        return SealingKey(base64.b64decode(read_secret_file(public_key_file(settings)), validate=True))
    except ValueError as error:
        raise ConfigError(
            "the public key file cannot be read", "it is not base64", "run `letstrade setup` again"
        ) from error


def load_lookup(settings: Settings) -> LookupKey:
    """The HMAC key that makes 'already registered' answerable without opening anything."""
    return LookupKey(bytes.fromhex(read_secret_file(lookup_key_file(settings)).strip()))


def public_key_file(settings: Settings) -> Path:
    return settings.home / "secrets" / "public.key"


def lookup_key_file(settings: Settings) -> Path:
    return settings.home / "secrets" / "lookup.key"


@dataclass(frozen=True, slots=True, repr=False)
class LookupKey:
    key: bytes

    def fingerprint(self, *parts: str) -> str:
        """HMAC-SHA256 over the parts: equal inputs, equal text; says nothing about them."""
        return hmac.new(self.key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def write_keys(settings: Settings) -> bool:
    """Make the master key, its public half and the lookup key where they are missing; True when a master key was made.

    An existing master key is never replaced: losing it loses every sealed credential.
    """
    made = False
    if settings.master_key is None and not settings.master_key_file.exists():
        write_secret_file(settings.master_key_file, key_line(settings, new_private_key()) + "\n")
        made = True
    if not lookup_key_file(settings).exists():
        write_secret_file(lookup_key_file(settings), secrets.token_hex(32) + "\n")
    write_public(settings, load_private(settings).current())
    return made


def write_public(settings: Settings, public: SealingKey) -> None:
    write_secret_file(public_key_file(settings), base64.b64encode(public.public).decode() + "\n")


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def seal_canary(key: SealingKey) -> str:
    return key.seal(CANARY, Place("meta", "key_canary", "value"))


def check_canary(provider: KeyProvider, sealed: str) -> None:
    """Prove at start that this master key opens what this store holds; raises SecretError otherwise."""
    if open_sealed(provider, sealed, Place("meta", "key_canary", "value")) != CANARY:
        raise SecretError(
            "the key canary is wrong", "the store belongs to another installation", "check LETSTRADE_HOME"
        )


def key_id_of(sealed: str) -> str:
    """Hex id of the key a field was sealed under."""
    return base64.b64decode(sealed)[1 : 1 + _ID].hex()


def seal_row(key: SealingKey, table: str, row: str, values: Mapping[str, str]) -> dict[str, str]:
    """Seal several columns of one row."""
    return {column: key.seal(text, Place(table, row, column)) for column, text in values.items()}
