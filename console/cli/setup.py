"""`setup`: secrets, database, admin, and a demo desk that trades on the local exchange. Run again, it changes nothing."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import typer

from bots.rules.presets import preset_text
from console import wiring
from console.cli.output import AsJson, show, tell
from console.services import accounts, rules
from console.services.permissions import Actor
from console.wiring import Wiring
from shared import crypto, schema
from shared.config import ROOT, Settings, load_settings
from shared.db import open_engine, reading, writing
from shared.domain.account import BrokerName, Environment, Market
from shared.domain.errors import ConfigError
from shared.models import Role, User
from shared.store import audit, heartbeats
from shared.store import secrets as sealed
from shared.store.people import user_by_email

ADMIN_EMAIL = "admin@localhost"
UNIX_SOCKET_MAX = 103 if sys.platform == "darwin" else 107  # bytes of sun_path, without its end
SETUP = Actor(None, Role.ADMIN, "setup", "setup")


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One SIM account of a fresh desk: named limits, two tick-evaluated rules."""

    new: accounts.NewAccount
    account_no: str
    limits: accounts.Limits
    max_position: int  # shares per rule
    presets: tuple[str, ...]


DEMO = (
    DemoAccount(
        accounts.NewAccount("데모 미국주식 KIS", BrokerName.KIS, Market.US, Environment.SIM),
        "12345678-01",
        accounts.Limits(Decimal(5_000), Decimal(20_000), Decimal(200_000), Decimal(3_000), 2_000),
        60,
        ("demo_us_ma_cross", "demo_us_rsi"),
    ),
    DemoAccount(
        accounts.NewAccount("데모 국내주식 LS", BrokerName.LS, Market.KRX, Environment.SIM),
        "20012345601",
        accounts.Limits(Decimal(5_000_000), Decimal(20_000_000), Decimal(200_000_000), Decimal(3_000_000), 2_000),
        200,
        ("demo_krx_ma_cross", "demo_krx_bollinger"),
    ),
)


def setup(as_json: AsJson = False, demo: bool = typer.Option(True, help="Make the two demo accounts.")) -> None:
    """Prepare this machine: folders, keys, database, admin, demo desk."""
    settings = load_settings()
    check_place()
    make_folders(settings)
    new_keys = crypto.write_keys(settings)
    password = prepare_store(settings)
    wired = wiring.wire(settings)
    made = make_demo(wired) if demo else []
    url = f"http://127.0.0.1:{settings.port}"
    if as_json:
        show(
            {"url": url, "admin": ADMIN_EMAIL, "password": password, "new_keys": new_keys, "demo_accounts": made}, True
        )
    else:
        _tell(url, password, made)


def check_place() -> None:
    """Refuse a checkout so deep that supervisord could not open its socket, before anything is made."""
    socket = ROOT / "var" / "run" / "supervisor.sock.1234567"  # supervisord binds it under its pid first
    over = len(os.fsencode(socket)) - UNIX_SOCKET_MAX
    if over > 0:
        raise ConfigError(
            "이 폴더에서는 시작할 수 없습니다 (the desk cannot run from this folder)",
            f"경로가 {over}바이트 깁니다: 유닉스 소켓 주소는 {UNIX_SOCKET_MAX}바이트까지입니다 "
            f"(its path is {over} bytes too long for a unix socket)",
            "더 짧은 경로로 옮기십시오 (move the checkout to a shorter path)",
        )


def make_folders(settings: Settings) -> None:
    for folder in (settings.home, settings.run_dir, settings.home / "secrets", settings.home / "accounts"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("run", "log", "supervisor.d"):  # supervisord's own, fixed to the checkout
        (ROOT / "var" / name).mkdir(parents=True, exist_ok=True, mode=0o700)


def prepare_store(settings: Settings) -> str | None:
    """Migrate, check that the keys belong to this store, make the admin; the new password, or None when one exists."""
    engine = open_engine(settings.database_url)
    schema.upgrade(engine)
    _close_to_others(settings)
    ring = crypto.load_private(settings)
    with reading(engine) as session:
        planted = sealed.canary(session)
    if planted is not None:
        crypto.check_canary(ring, planted)
    password = secrets.token_urlsafe(12)
    with writing(engine) as session:
        if planted is None:
            sealed.plant_canary(session, ring.current())
        if user_by_email(session, ADMIN_EMAIL) is not None:
            return None
        from console.passwords import hash_password  # loads streamlit: only where a password is made

        now = wiring.wire(settings).clock.wall_now()
        session.add(
            User(
                email=ADMIN_EMAIL,
                name="admin",
                role=Role.ADMIN.value,
                password_hash=hash_password(password),
                must_change_password=False,  # drawn at random and shown once: two minutes to the first fill, no detour
                created_at=now,
            )
        )
        audit.record(session, now, actor=SETUP.label, action="user.add", source="setup", target=ADMIN_EMAIL)
    return password


def _close_to_others(settings: Settings) -> None:
    """The database file holds positions and sealed keys: nobody else's to read."""
    prefix = "sqlite:///"
    if settings.database_url.startswith(prefix):
        Path(settings.database_url.removeprefix(prefix)).chmod(0o600)


def make_demo(wired: Wiring) -> list[str]:
    """Make the demo accounts once per store; archived ones do not come back."""
    with reading(wired.engine) as session:
        if heartbeats.fact(session, "demo_made") is not None:
            return []
    made = []
    for demo in DEMO:
        keys = accounts.Keys(_demo_key(demo.new.broker), secrets.token_urlsafe(120), demo.account_no, "HTSID01")
        account_id = accounts.add_account(wired, SETUP, demo.new, keys, demo.limits)
        for preset in demo.presets:
            rule_id = rules.add_rule(wired, SETUP, account_id, preset_text(preset), max_position=demo.max_position)
            rules.switch(wired, SETUP, rule_id, enabled=True)
        accounts.start(wired, SETUP, account_id)
        made.append(demo.new.nickname)
    with writing(wired.engine) as session:
        heartbeats.set_fact(session, "demo_made", wired.clock.wall_now().isoformat())
    return made


def _demo_key(broker: BrokerName) -> str:
    """A key of the local exchange: it opens nothing anywhere else."""
    return ("PS" if broker is BrokerName.KIS else "PL") + secrets.token_hex(17)


def _tell(url: str, password: str | None, made: list[str]) -> None:
    if made:
        tell("데모 계좌 (demo accounts): " + ", ".join(made))
    tell(f"콘솔 (console):  {url}")
    if password is not None:
        tell(f"로그인 (sign in): {ADMIN_EMAIL}")
        tell(f"비밀번호 (password, 한 번만 표시 / shown once): {password}")
