"""Secrets as a person types or pipes them; never on the command line, where others could read them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import typer

from console.services.accounts import Keys
from shared.domain.account import BrokerName, Environment
from shared.domain.errors import ConfigError

FIELDS = ("app_key", "app_secret", "account_no", "hts_id")
REQUIRED = FIELDS[:3]


def keys_from_stdin() -> Keys:
    """Read keys from a pipe as one JSON object or NAME=VALUE lines; at a terminal, ask for each without echo.

    Raises:
        ConfigError: a field is missing or has no name we know; the value is not repeated.
    """
    if sys.stdin.isatty():
        typed = {name: typer.prompt(name, hide_input=True, default="", show_default=False, err=True) for name in FIELDS}
    else:
        typed = _parse(sys.stdin.read())
    return _keys(typed, "stdin")


def keys_from_environment(env: Mapping[str, str], broker: BrokerName) -> Keys | None:
    """The keys of `broker` in the environment or .env; None when its app key is not set."""
    if f"{broker}_APP_KEY" not in env:
        return None
    return _keys({name: env.get(f"{broker}_{name.upper()}", "") for name in FIELDS}, f"{broker}_*")


def environment_named(env: Mapping[str, str], broker: BrokerName) -> Environment:
    """MOCK unless KIS_USE_SANDBOX (LS_USE_SANDBOX) says false: real money is never the default."""
    name = f"{broker}_USE_SANDBOX"
    said = env.get(name, "true").strip().lower()
    if said not in {"true", "1", "yes", "false", "0", "no"}:
        raise ConfigError(f"{name} is neither true nor false", repr(said), f"{name}=true")
    return Environment.MOCK if said in {"true", "1", "yes"} else Environment.LIVE


def _parse(text: str) -> dict[str, str]:
    if text.lstrip().startswith("{"):
        try:
            read = json.loads(text)
        except ValueError:
            raise _refuse("not JSON") from None
        pairs = {str(name): str(value) for name, value in read.items()}
    else:
        pairs = {}
        for number, line in enumerate(text.splitlines(), 1):
            name, separator, value = line.partition("=")
            if line.strip() and not separator:
                raise _refuse(f"line {number} is not NAME=VALUE")
            pairs[name.strip()] = value.strip().strip("\"'")
    known = {name.lower().removeprefix("kis_").removeprefix("ls_"): value for name, value in pairs.items() if name}
    if unknown := sorted(known.keys() - set(FIELDS)):
        raise _refuse(f"{unknown[0]!r} is not one of {', '.join(FIELDS)}")
    return known


def _keys(typed: Mapping[str, str], source: str) -> Keys:
    if missing := [name for name in REQUIRED if not typed.get(name, "").strip()]:
        raise _refuse(f"{source}: {', '.join(missing)} missing")
    return Keys(**{name: typed.get(name, "") for name in FIELDS})


def _refuse(why: str) -> ConfigError:
    return ConfigError(
        "키를 읽을 수 없습니다 · the keys cannot be read",
        why,
        'printf "app_key=…\\napp_secret=…\\naccount_no=12345678-01\\n" | letstrade credential set ACCOUNT',
        code="bad_keys",
    )
