"""Settings: read once per process from `.env` and the environment (the real environment wins)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shared import secret_sources
from shared.domain.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent

EXCHANGE_PORTS = {  # design.md §9; --port-offset moves all of them
    "kis_rest_live": 18443,
    "kis_rest_mock": 18444,
    "kis_ws_live": 18500,
    "kis_ws_mock": 18501,
    "ls_rest": 18080,
    "ls_ws_live": 19443,
    "ls_ws_mock": 29443,
    "admin": 18900,
}


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: str  # SQLAlchemy URL
    home: Path  # LETSTRADE_HOME, absolute
    master_key_file: Path
    master_key: str | None  # LETSTRADE_MASTER_KEY, when given in the environment
    lang: str
    port: int
    exchange_port_offset: int
    telegram_token: str | None
    telegram_chat_ids: str | None
    telegram_api_base: str | None
    supabase_project_url: str | None
    supabase_anon_key: str | None
    supabase_service_role_key: str | None
    direct_url: str | None = None  # SUPABASE_DIRECT_URL: past the pooler, to hear changes at once
    oidc_issuer: str | None = None  # sign-in by an OpenID provider, when given with a client id
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    oidc_name: str = "OpenID"  # what the sign-in page calls it
    supabase_sign_in: bool = False  # users of the Supabase project may sign in with its password
    host_group: str = ""  # LETSTRADE_HOST_GROUP: accounts of a group run on its hosts only
    kek: str = ""  # LETSTRADE_KEK: what the master key file is wrapped with (shared/kek.py)
    env: Mapping[str, str] = field(
        default_factory=dict, repr=False, compare=False
    )  # what these settings were read from
    public_host: str = ""  # of LETSTRADE_PUBLIC_URL: the name a reverse proxy serves the console by
    otlp_endpoint: str | None = None  # OTEL_EXPORTER_OTLP_ENDPOINT: a collector's base address
    outside_alarm: str | None = field(default=None, repr=False)  # LETSTRADE_OUTSIDE_ALARM_URL: told each minute of life

    @property
    def run_dir(self) -> Path:
        return self.home / "run"

    @property
    def supervisor_socket(self) -> Path:
        return self.run_dir / "supervisor.sock"

    def exchange_port(self, name: str) -> int:
        return EXCHANGE_PORTS[name] + self.exchange_port_offset

    def account_dir(self, account_id: int) -> Path:
        """Journal, cache, lock and kill file of one account."""
        return self.home / "accounts" / str(account_id)


def read_env_file(path: Path) -> dict[str, str]:
    """Parse KEY=VALUE lines; blank lines and # comments are skipped, quotes stripped. A bad line names itself."""
    values: dict[str, str] = {}
    if not path.exists():
        return values
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.removeprefix("export ").partition("=")
        if not separator or not name.strip().isidentifier():
            raise ConfigError(f"{path.name} line {number} is not KEY=VALUE", line, "mend the line and start again")
        value = value.strip()
        if value[:1] in {'"', "'"}:
            closing = value.find(value[0], 1)
            value = value[1:closing] if closing > 0 else value[1:]
        else:
            value = value.split(" #", 1)[0].strip()
        values[name.strip()] = value
    return values


def write_env_value(path: Path, name: str, value: str) -> None:
    """Set one value of a file that `read_env_file` reads; every other line stays as it is, the file is its owner's alone."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.strip().removeprefix("export ").partition("=")[0].strip() != name]
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text("\n".join([*kept, f'{name}="{value}"', ""]), encoding="utf-8")
    fresh.replace(path)


def environment(root: Path = ROOT) -> dict[str, str]:
    """Return `.env` overlaid by the real environment; empty values count as absent."""
    merged = {**read_env_file(root / ".env"), **os.environ}
    return {name: value for name, value in merged.items() if value != ""}


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Build Settings. Relative paths start at the repo root.

    Raises:
        ConfigError: a value that cannot be used, by name.
    """
    env = secret_sources.resolve(environment() if env is None else env)
    home = (ROOT / env.get("LETSTRADE_HOME", "var")).resolve()
    return Settings(
        database_url=database_url(env, home),
        home=home,
        master_key_file=(ROOT / env.get("LETSTRADE_MASTER_KEY_FILE", str(home / "secrets" / "master.key"))).resolve(),
        master_key=env.get("LETSTRADE_MASTER_KEY"),
        lang=_one_of(env, "LETSTRADE_LANG", "ko", ("ko", "en")),
        port=_port(env, "LETSTRADE_PORT", 8501),
        exchange_port_offset=_number(env, "LETSTRADE_EXCHANGE_PORT_OFFSET", 0, 0, 30000),
        telegram_token=env.get("TELEGRAM_BOT_TOKEN"),
        telegram_chat_ids=env.get("TELEGRAM_CHAT_IDS"),
        telegram_api_base=env.get("TELEGRAM_API_BASE"),
        supabase_project_url=env.get("SUPABASE_PROJECT_URL"),
        supabase_anon_key=env.get("SUPABASE_ANON_KEY"),
        supabase_service_role_key=env.get("SUPABASE_SERVICE_ROLE_KEY"),
        direct_url=_direct_url(env, home),
        host_group=env.get("LETSTRADE_HOST_GROUP", ""),
        kek=env.get("LETSTRADE_KEK", ""),
        env=env,
        public_host=_public_host(env, "LETSTRADE_PUBLIC_URL"),
        otlp_endpoint=_web_address(env, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        outside_alarm=_web_address(env, "LETSTRADE_OUTSIDE_ALARM_URL"),
        **_sign_in(env),
    )


def _sign_in(env: Mapping[str, str]) -> dict[str, Any]:
    """The optional ways to sign in: whole or not at all."""
    given = {name: env.get(f"OIDC_{name}") for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")}
    missing = [f"OIDC_{name}" for name in ("ISSUER", "CLIENT_ID") if not given[name]]
    if any(given.values()) and missing:
        raise ConfigError(
            "sign-in by OpenID is half configured",
            f"{', '.join(missing)} is missing",
            "fill it in, or remove the others",
        )
    supabase = _one_of(env, "SUPABASE_SIGN_IN", "false", ("true", "false")) == "true"
    if supabase and not (env.get("SUPABASE_PROJECT_URL") and env.get("SUPABASE_ANON_KEY")):
        raise ConfigError(
            "SUPABASE_SIGN_IN cannot work", "SUPABASE_PROJECT_URL or SUPABASE_ANON_KEY is missing",
            "fill both in, or remove SUPABASE_SIGN_IN",
        )  # fmt: skip
    return {
        "oidc_issuer": given["ISSUER"], "oidc_client_id": given["CLIENT_ID"],
        "oidc_client_secret": given["CLIENT_SECRET"], "oidc_name": env.get("OIDC_NAME", "OpenID"),
        "supabase_sign_in": supabase,
    }  # fmt: skip


def database_url(env: Mapping[str, str], home: Path) -> str:
    """DATABASE_URL, else SUPABASE_DB_URL, else SQLite under home; `postgresql://` means psycopg 3."""
    url = env.get("DATABASE_URL") or env.get("SUPABASE_DB_URL") or f"sqlite:///{home / 'letstrade.db'}"
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            url = "postgresql+psycopg://" + url.removeprefix(prefix)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        scheme = url.split(":", 1)[0]
        raise ConfigError(
            "the database address cannot be used",
            f"DATABASE_URL or SUPABASE_DB_URL begins with {scheme!r}",
            "use postgresql://… or sqlite:///path",
        )
    return url


def _direct_url(env: Mapping[str, str], home: Path) -> str | None:
    given = env.get("DATABASE_DIRECT_URL") or env.get("SUPABASE_DIRECT_URL")
    return None if given is None else database_url({"DATABASE_URL": given}, home)


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not text.isdigit() or not low <= int(text) <= high:
        raise ConfigError(
            f"{name} cannot be used", f"{text!r} is not a number from {low} to {high}", f"mend {name} in .env"
        )
    return int(text)


def _public_host(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    found = urlsplit(value)
    if value and (found.scheme != "https" or not found.hostname or found.path not in ("", "/")):
        why = "it is not https://NAME: a session must not travel in clear"
        raise ConfigError(f"{name} cannot be used", why, f"{name}=https://desk.example.com")
    return found.hostname or ""


def _web_address(env: Mapping[str, str], name: str) -> str | None:
    value = env.get(name)
    if value is not None and not value.startswith(("http://", "https://")):
        raise ConfigError(f"{name} cannot be used", "it is no http:// or https:// address", f"mend {name} in .env")
    return value


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    return _number(env, name, default, 1, 65535)


def _one_of(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise ConfigError(
            f"{name} cannot be used", f"{value!r} is not one of {', '.join(allowed)}", f"mend {name} in .env"
        )
    return value
