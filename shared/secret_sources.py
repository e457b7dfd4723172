"""Where a secret setting may stand instead of in `.env`: in a file, in another variable, in a secrets manager.

The value of a setting in SECRETS may be a reference, and is replaced by what it names when settings are read:
`file:/run/secrets/db`, `env:DB_PASSWORD_URL`, `aws-secret:prod/letstrade`, `aws-secret:prod/letstrade#db_url` (one field
of a JSON secret). Another manager is one more function in SOURCES.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from shared.domain.errors import ConfigError
from shared.secret_files import read_secret_file

SECRETS = (
    "DATABASE_URL",
    "SUPABASE_DB_URL",
    "DATABASE_DIRECT_URL",
    "SUPABASE_DIRECT_URL",
    "SUPABASE_SERVICE_ROLE_KEY",
    "TELEGRAM_BOT_TOKEN",
    "LETSTRADE_MASTER_KEY",
    "LETSTRADE_KEK_KEY",
    "LETSTRADE_WEBHOOK_SECRET",
    "LETSTRADE_BACKUP_PASSPHRASE",
    "LETSTRADE_OUTSIDE_ALARM_URL",
)
Source = Callable[[str, Mapping[str, str]], str]

_known: dict[str, str] = {}  # reference → secret, for this process: settings are read more than once


def resolve(env: Mapping[str, str]) -> Mapping[str, str]:
    """`env` with every reference in SECRETS replaced by its secret; `env` itself when there is none.

    Raises:
        ConfigError: the file, variable or secret is not there; the setting is named, nothing of its value is.
        AwsAway: the secrets manager does not answer.
    """
    said = {name: value for name in SECRETS if (value := env.get(name)) and value.partition(":")[0] in SOURCES}
    return {**env, **{name: _secret(name, value, env) for name, value in said.items()}} if said else env


def _secret(name: str, value: str, env: Mapping[str, str]) -> str:
    kind, _, where = value.partition(":")
    try:
        found = SOURCES[kind](where, env)
    except ConfigError as error:
        raise ConfigError(f"{name} cannot be read from {kind}", f"{error.what}: {error.why}", error.now) from error
    if not found:
        raise ConfigError(f"{name} cannot be read from {kind}", f"{where} is empty", f"fill it, or mend {name} in .env")
    return found


def _from_file(where: str, env: Mapping[str, str]) -> str:
    return read_secret_file(Path(where).expanduser())


def _from_env(where: str, env: Mapping[str, str]) -> str:
    return env.get(where, "")


def _from_aws(where: str, env: Mapping[str, str]) -> str:
    from shared.aws import Aws  # only who asks Amazon pays for it

    if where not in _known:
        secret_id, _, field = where.partition("#")
        text = str(
            Aws.from_env(env)
            .call("secretsmanager", "secretsmanager.GetSecretValue", {"SecretId": secret_id})
            .get("SecretString", "")
        )
        _known[where] = str(_fields(text).get(field, "")) if field else text
    return _known[where]


def _fields(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError("the secret has no fields", "it is not a JSON object", "leave out the part after #")
    return found


SOURCES: dict[str, Source] = {"file": _from_file, "env": _from_env, "aws-secret": _from_aws}
