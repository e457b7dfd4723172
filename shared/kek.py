"""Key-encryption keys: what the master key file is wrapped with, so that a copy of the file alone opens nothing.

LETSTRADE_KEK names one: `file:/path` (32 random bytes kept elsewhere than the file), `env` (the same in LETSTRADE_KEK_KEY),
`aws-kms:<key id or alias>` (the key never leaves Amazon, or whatever speaks its protocol at LETSTRADE_AWS_ENDPOINT). A line
of the master key file is then `kek:<provider>:<what it made>`; without LETSTRADE_KEK it is the key itself.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.errors import ConfigError
from shared.secret_files import read_secret_file, write_secret_file

if TYPE_CHECKING:
    from shared.aws import Aws

MARK = "kek:"
_ID, _NONCE = 4, 12
_BOUND_TO = b"letstrade master key"
_CONTEXT = {
    "app": "letstrade",
    "purpose": "master-key",
}  # part of the cipher text: another use of the key does not open it


class KekError(ConfigError):
    """The master key cannot be unwrapped."""

    code = "kek"


class Kek(Protocol):
    """One provider: hands bytes to be kept, and gets them back."""

    def wrap(self, key: bytes) -> str: ...

    def unwrap(self, text: str) -> bytes:
        """The bytes that `wrap` was given; ConfigError when this key does not open it."""
        ...


class LocalKek:
    """AES-256-GCM under keys of ours: the first wraps, all of them unwrap (rotation)."""

    def __init__(self, text: str, where: str) -> None:
        try:
            self._keys = [base64.b64decode(part, validate=True) for part in text.replace(",", "\n").split()]
        except ValueError:
            self._keys = []
        if not self._keys or any(len(key) != 32 for key in self._keys):
            raise KekError(
                f"the key-encryption key in {where} cannot be used", "it is not 32 bytes in base64", MAKE_ONE
            )

    def wrap(self, key: bytes) -> str:
        own, nonce = self._keys[0], secrets.token_bytes(_NONCE)
        return base64.b64encode(_id(own) + nonce + AESGCM(own).encrypt(nonce, key, _BOUND_TO)).decode()

    def unwrap(self, text: str) -> bytes:
        try:
            raw = base64.b64decode(text, validate=True)
            own = next(key for key in self._keys if _id(key) == raw[:_ID])
            return AESGCM(own).decrypt(raw[_ID : _ID + _NONCE], raw[_ID + _NONCE :], _BOUND_TO)
        except (ValueError, StopIteration, InvalidTag) as error:
            raise KekError(
                "the master key cannot be unwrapped", "it was wrapped with another key-encryption key", RESTORE
            ) from error


class KmsKek:
    """A key of AWS KMS, or of a service that speaks its protocol."""

    def __init__(self, aws: Aws, key_id: str) -> None:
        self._aws, self._key_id = aws, key_id

    def wrap(self, key: bytes) -> str:
        body = {"KeyId": self._key_id, "Plaintext": base64.b64encode(key).decode(), "EncryptionContext": _CONTEXT}
        return str(self._aws.call("kms", "TrentService.Encrypt", body)["CiphertextBlob"])

    def unwrap(self, text: str) -> bytes:
        from shared.aws import AwsRefused

        # The cipher text names its key; saying which we expect refuses one of a stranger's account.
        body = {
            "CiphertextBlob": text,
            "EncryptionContext": _CONTEXT,
            **({"KeyId": self._key_id} if self._key_id else {}),
        }
        try:
            return base64.b64decode(self._aws.call("kms", "TrentService.Decrypt", body)["Plaintext"])
        except AwsRefused as error:
            if error.kind == "IncorrectKeyException" and self._key_id:
                return KmsKek(self._aws, "").unwrap(
                    text
                )  # wrapped with the key before: `keys rotate-kek` goes on from it
            raise


MAKE_ONE = "make one: python -c 'import os,base64;print(base64.b64encode(os.urandom(32)).decode())'"
RESTORE = "put the key back that LETSTRADE_KEK named when the master key was written; doctor says when it opens"


def open_kek(named: str, env: Mapping[str, str]) -> Kek:
    """The provider that `named` (the form of LETSTRADE_KEK) means; nothing is asked of it yet."""
    kind, _, where = named.partition(":")
    if kind == "file" and where:
        return LocalKek(read_secret_file(Path(where).expanduser()), where)
    if kind == "env":
        return LocalKek(env.get("LETSTRADE_KEK_KEY", ""), "LETSTRADE_KEK_KEY")
    if kind == "aws-kms":
        from shared.aws import Aws  # only who asks Amazon pays for it

        return KmsKek(Aws.from_env(env), where)
    raise KekError("LETSTRADE_KEK cannot be used", f"{named!r} is no provider", "use file:/path, env or aws-kms:<key>")


def wrap_line(key: bytes, named: str, env: Mapping[str, str]) -> str:
    """One line of the master key file; the key itself where no provider is named."""
    if not named:
        return base64.b64encode(key).decode()
    return f"{MARK}{named.partition(':')[0]}:{open_kek(named, env).wrap(key)}"


def unwrap_line(line: str, named: str, env: Mapping[str, str]) -> str:
    """A line as the key in base64. A provider other than the one now named is asked too: it may have wrapped it."""
    if not line.startswith(MARK):
        return line
    kind, _, text = line.removeprefix(MARK).partition(":")
    if named.partition(":")[0] == kind:
        return base64.b64encode(open_kek(named, env).unwrap(text)).decode()
    before = env.get("LETSTRADE_KEK_BEFORE", "")
    if before.partition(":")[0] == kind:
        return base64.b64encode(open_kek(before, env).unwrap(text)).decode()
    raise KekError(
        "the master key cannot be unwrapped",
        f"it was wrapped by {kind}, LETSTRADE_KEK names {named.partition(':')[0] or 'nothing'}",
        f"set LETSTRADE_KEK_BEFORE={kind}:… beside the new one and run `letstrade keys rotate-kek`",
    )


def renew_local(named: str, rewrap: Callable[[], None]) -> None:
    """Make a new key in the file that `named` means, let `rewrap` use it, drop the old; any other provider: rewrap only.

    Cut in between, both keys are in the file and both open.
    """
    kind, _, where = named.partition(":")
    if kind != "file":
        rewrap()
        return
    path = Path(where).expanduser()
    old = read_secret_file(path).split()
    fresh = old if len(old) > 1 else [base64.b64encode(os.urandom(32)).decode(), *old]
    write_secret_file(path, "\n".join(fresh) + "\n")
    rewrap()
    write_secret_file(path, fresh[0] + "\n")


def _id(key: bytes) -> bytes:
    return hashlib.sha256(b"kek" + key).digest()[:_ID]
