"""The watchdog tells a service outside that all is well, and stops telling when it is not."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from bots.lease import host_name
from bots.outside_alarm import EVERY_S, OutsideAlarm
from bots.supervision import Program, Supervisor
from bots.watchdog import FLEET_SILENT_S, SILENT_S, Watchdog
from shared.config import load_settings
from shared.db import writing
from shared.domain.errors import ConfigError
from shared.models import BrokerageAccount
from shared.store import accounts, heartbeats
from tests.fakes import FakeClock

pytestmark = pytest.mark.usefixtures("shared_clock")


class OneBot(Supervisor):
    """A supervisord with one bot that has run for an hour."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.killed: list[int] = []

    def programs(self) -> dict[str, Program]:
        started = int(self._clock.wall_now().timestamp()) - 3600
        return {"bot-1": Program("bot-1", "RUNNING", 1, started, 0, "")}

    def kill(self, account_id: int) -> None:
        self.killed.append(account_id)


class Outside:
    """A service that counts the signs it is given, over a real socket; `status` is what it answers."""

    def __init__(self) -> None:
        self.signs, self.status = 0, 200
        outside = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.signs += self.path == "/ping/secret-id"
                self.send_response(outside.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/ping/secret-id"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    opened = Outside()
    yield opened
    opened.close()


class Host:
    """One machine: its watchdog, the sign of life of its bot and of its fleet."""

    def __init__(self, home: Path, store: Engine, outside: Outside) -> None:
        self.home, self.store, self.clock = home, store, FakeClock()
        (home / "run").mkdir()
        with writing(store) as session:
            owner = accounts.first_owner(session, self.clock.wall_now())
            session.add(
                BrokerageAccount(
                    id=1, owner_id=owner.id, nickname="US", broker="KIS", market="US", environment="SIM",
                    created_at=self.clock.wall_now(),
                )
            )  # fmt: skip
        self.alarm = OutsideAlarm(outside.url, self.clock)
        self.supervisor = OneBot(self.clock)
        self.watchdog = Watchdog(store, self.clock, self.supervisor, home, self.alarm)

    def live(self, *, bot: bool = True, fleet: bool = True) -> None:
        now = self.clock.wall_now()
        if bot:
            sign = self.home / "run" / "bot-1.alive"
            sign.touch()
            os.utime(sign, (now.timestamp(), now.timestamp()))
        if fleet:
            with writing(self.store) as session:
                heartbeats.see_host(session, now, name=host_name(self.home), group="", programs={}, revision="")

    def minute(self, *, bot: bool = True, fleet: bool = True) -> None:
        """A minute passes, and supervisord's clock ticks; comes back when what it asked outside is over."""
        self.clock.pass_s(EVERY_S)
        self.live(bot=bot, fleet=fleet)
        self.watchdog.on_event("TICK_5", "when:0")
        if (asking := self.alarm._thread) is not None:
            asking.join()


@pytest.fixture
def host(tmp_path: Path, store: Engine, outside: Outside) -> Host:
    return Host(tmp_path, store, outside)


def test_while_all_is_well_a_sign_goes_out_each_minute_and_no_oftener(host: Host, outside: Outside) -> None:
    host.minute()
    host.watchdog.on_event("TICK_5", "when:5")
    host.minute()
    assert outside.signs == 2


def test_a_silent_bot_or_fleet_or_a_store_that_is_away_ends_the_signs(
    host: Host, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert EVERY_S > FLEET_SILENT_S > SILENT_S  # a minute without a sign is silence for both
    host.minute()
    host.minute(bot=False)
    assert (outside.signs, host.supervisor.killed) == (1, [1])
    host.minute(fleet=False)
    assert outside.signs == 1
    host.minute()
    assert outside.signs == 2

    def away(*_: object, **__: object) -> None:
        raise OperationalError("", None, OSError("gone"))

    monkeypatch.setattr(heartbeats, "say_alive", away)
    with pytest.raises(OperationalError):
        host.minute()
    assert outside.signs == 2


def test_a_service_that_refuses_or_is_gone_is_told_once_and_its_address_never(
    host: Host, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    outside.status = 404
    host.minute()
    host.minute()
    outside.close()
    host.minute()
    told = [record for record in caplog.records if record.name == "letstrade.watchdog"]
    assert [record.message for record in told] == ["outside alarm not reached"]
    assert "secret-id" not in str([vars(record) for record in told])


def test_the_address_may_stand_in_a_file_and_is_not_shown(tmp_path: Path) -> None:
    kept = tmp_path / "address"
    kept.write_text("https://alarm.example.com/ping/secret-id")
    kept.chmod(0o600)
    settings = load_settings({"LETSTRADE_HOME": str(tmp_path), "LETSTRADE_OUTSIDE_ALARM_URL": f"file:{kept}"})
    assert settings.outside_alarm == "https://alarm.example.com/ping/secret-id"
    assert "secret-id" not in repr(settings)
    with pytest.raises(ConfigError, match="LETSTRADE_OUTSIDE_ALARM_URL"):
        load_settings({"LETSTRADE_HOME": str(tmp_path), "LETSTRADE_OUTSIDE_ALARM_URL": "alarm.example.com"})
