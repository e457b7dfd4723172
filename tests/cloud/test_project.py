"""The real client against services of ours that speak their wire: what works, and what is said when a part is away."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.cloud import files, functions, signin
from console.cloud.changes import Changes, Line
from console.cloud.project import CloudAway, CloudRefused
from shared.config import ROOT, Settings, load_settings
from shared.domain.errors import ConfigError, Forbidden
from shared.store import realtime
from tests.cloud.project import FakeProject, Person, project
from tests.console.cli.terminal import Terminal

PASSWORD = "a long password"  # pragma: allowlist secret


@pytest.fixture(scope="module")
def served() -> Iterator[FakeProject]:
    with project() as found:
        found.people["one@desk.kr"] = Person("0f1e2d3c-0000-4000-8000-000000000001", PASSWORD, aal="aal2")
        found.people["new@desk.kr"] = Person("0f1e2d3c-0000-4000-8000-000000000002", PASSWORD, confirmed=False)
        found.people["bad@desk.kr"] = Person("0f1e2d3c-0000-4000-8000-000000000003", PASSWORD, banned=True)
        yield found


@pytest.fixture
def cloud(served: FakeProject) -> Iterator[FakeProject]:
    yield served
    served.down = served.mute = served.silent = False
    served.published = set(realtime.TABLES)
    served.buckets.clear()
    served.objects.clear()


def settings(cloud: FakeProject, home: Path, **more: str) -> Settings:
    return load_settings({"LETSTRADE_HOME": str(home), **cloud.env, **more})


def test_auth_vouches_for_a_confirmed_person_and_for_nobody_else(cloud: FakeProject, tmp_path: Path) -> None:
    found = signin.by_password(settings(cloud, tmp_path), "one@desk.kr", PASSWORD)
    assert (found.email, found.user_id[-1]) == ("one@desk.kr", "1")
    assert cloud.ended  # its session there was ended again: the desk's own is the one of record
    for email, word in (
        ("one@desk.kr", "wrong"), ("none@desk.kr", PASSWORD), ("new@desk.kr", PASSWORD), ("bad@desk.kr", PASSWORD),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            signin.by_password(settings(cloud, tmp_path), email, word)


def test_a_token_is_asked_about_and_not_only_read(cloud: FakeProject, tmp_path: Path) -> None:
    token = cloud.token("one@desk.kr")
    assert signin.by_token(settings(cloud, tmp_path), token).second_factor
    cloud.ended.add(token)
    with pytest.raises(Forbidden):
        signin.by_token(settings(cloud, tmp_path), token)
    with pytest.raises(Forbidden):
        signin.by_token(settings(cloud, tmp_path), "eyJhbGciOiJIUzI1NiJ9.e30.x")


def test_a_report_is_kept_in_a_private_bucket_behind_a_link(cloud: FakeProject, tmp_path: Path) -> None:
    done = files.upload(settings(cloud, tmp_path), files.REPORTS, "r.html", b"<html>1</html>", "text/html")
    assert cloud.buckets[files.BUCKET]["public"] is False
    assert httpx.get(done.url).content == b"<html>1</html>"
    assert httpx.get(done.url.split("?")[0]).status_code == 400
    files.upload(settings(cloud, tmp_path), files.REPORTS, "r.html", b"2", "text/html")  # the same name: the newer one
    assert httpx.get(done.url).content == b"2"
    with pytest.raises(CloudRefused, match="row-level security"):
        as_anon = settings(cloud, tmp_path, SUPABASE_SERVICE_ROLE_KEY=cloud.anon)
        files.upload(as_anon, files.REPORTS, "x", b"", "text/plain")
    with pytest.raises(ConfigError, match="SUPABASE_SERVICE_ROLE_KEY"):
        files.upload(settings(cloud, tmp_path, SUPABASE_SERVICE_ROLE_KEY=""), files.REPORTS, "x", b"", "text/plain")


def test_a_function_is_called_with_a_signature_of_its_very_body(cloud: FakeProject, tmp_path: Path) -> None:
    import hashlib
    import hmac

    assert functions.look_now(settings(cloud, tmp_path), "s", datetime.now(UTC)) == {
        "claimed": 0,
        "sent": 0,
        "again": 0,
    }
    _, body, headers = cloud.called[-1]
    at, told = (part.split("=")[1] for part in headers["X-LetsTrade-Signature"].split(","))
    assert told == hmac.new(b"s", at.encode() + b"." + body, hashlib.sha256).hexdigest()
    with pytest.raises(CloudRefused):
        functions.invoke(settings(cloud, tmp_path), "no-such-function", {})


ASKS: dict[str, Callable[[Settings], Any]] = {
    "Auth": lambda s: signin.by_password(s, "one@desk.kr", PASSWORD),
    "token": lambda s: signin.by_token(s, "eyJhbGciOiJIUzI1NiJ9.e30.x"),
    "Storage": lambda s: files.upload(s, files.REPORTS, "x", b"", "text/plain"),
    "function": lambda s: functions.invoke(s, "urgent-alerts", {}),
}


@pytest.mark.parametrize("part", ASKS)
@pytest.mark.parametrize("how", ["failing", "gone", "another server"])
def test_what_is_away_says_what_why_and_what_stands_in(cloud: FakeProject, tmp_path: Path, part: str, how: str) -> None:
    given = settings(cloud, tmp_path)
    if how == "failing":
        cloud.down = True
    elif how == "gone":
        given = settings(cloud, tmp_path, SUPABASE_PROJECT_URL="http://127.0.0.1:9")
    else:
        given = settings(cloud, tmp_path, SUPABASE_PROJECT_URL=cloud.url + "/auth/v1/health?")
    with pytest.raises((CloudAway, CloudRefused, Forbidden) if how == "another server" else CloudAway) as error:
        ASKS[part](given)
    assert error.value.what and error.value.why and error.value.now


def test_without_a_project_each_part_says_so(tmp_path: Path) -> None:
    for ask in ASKS.values():
        with pytest.raises(ConfigError, match="SUPABASE_PROJECT_URL"):
            ask(load_settings({"LETSTRADE_HOME": str(tmp_path)}))


async def until(check: Callable[[], Any]) -> None:
    async with asyncio.timeout(120):
        while not check():
            await asyncio.sleep(0.02)


async def test_realtime_wakes_survives_a_cut_line_and_degrades_to_polling(
    cloud: FakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.cloud.changes.PAUSES_S", (0.05,))
    woken: list[int] = []
    changes = Changes(settings(cloud, tmp_path), ("orders", "alerts"), lambda: woken.append(1))
    stop = asyncio.Event()
    running = asyncio.create_task(changes.run(stop))
    await until(lambda: changes.line is Line.LIVE)
    before = len(woken)
    await asyncio.to_thread(cloud.changed, "alerts")
    await asyncio.to_thread(cloud.changed, "quotes")  # nobody asked for these
    await until(lambda: len(woken) == before + 1)
    cloud.mute = True
    await asyncio.to_thread(cloud.cut)
    await until(lambda: changes.line is Line.POLLING and changes.why)
    cloud.mute = False
    await until(lambda: changes.line is Line.LIVE)
    assert len(woken) > before + 1  # what was missed meanwhile is looked for
    before = len(woken)
    await asyncio.to_thread(cloud.changed, "orders", "UPDATE")
    await until(lambda: len(woken) > before)
    stop.set()
    await running


@pytest.mark.parametrize("lack", ["a table that the project does not tell", "no word at all"])
async def test_a_project_that_tells_nothing_is_not_called_live(
    cloud: FakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lack: str
) -> None:
    monkeypatch.setattr("console.cloud.changes.PAUSES_S", (0.05,))
    monkeypatch.setattr("console.cloud.changes.CONFIRMED_S", 0.2)
    if lack == "no word at all":
        cloud.silent = True
    else:
        cloud.published.discard("orders")
    woken: list[int] = []
    changes = Changes(settings(cloud, tmp_path), realtime.TABLES, lambda: woken.append(1))
    stop = asyncio.Event()
    running = asyncio.create_task(changes.run(stop))
    await until(lambda: changes.line is Line.POLLING)
    assert woken == [] and ("orders" in changes.why or "no word" in changes.why)
    cloud.silent = False
    cloud.published.add("orders")
    await until(lambda: changes.line is Line.LIVE and woken)
    stop.set()
    await running


async def test_realtime_without_project_or_key_is_polling_and_ends(cloud: FakeProject, tmp_path: Path) -> None:
    off = Changes(load_settings({"LETSTRADE_HOME": str(tmp_path)}), ("alerts",), lambda: None)
    await off.run(asyncio.Event())
    assert off.line is Line.OFF
    keyless = Changes(settings(cloud, tmp_path, SUPABASE_SERVICE_ROLE_KEY=""), ("alerts",), lambda: None)
    await keyless.run(asyncio.Event())
    assert keyless.line is Line.POLLING and "SUPABASE_SERVICE_ROLE_KEY" in keyless.why


def test_the_terminal_says_part_by_part_what_answers(cloud: FakeProject, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "home")
    terminal.set_up()
    items = terminal.json("cloud", "status", **cloud.env)["items"]
    assert {row["part"]: row["ok"] for row in items} == dict.fromkeys(
        ("Auth", "REST", "Realtime", "Storage", "Functions"), True
    ), items
    unsigned = terminal.run("cloud", "alerts", "--json", **cloud.env)
    assert unsigned.code == 1 and "LETSTRADE_WEBHOOK_SECRET" in unsigned.json["error"]["what"]
    assert terminal.json("cloud", "alerts", LETSTRADE_WEBHOOK_SECRET="s", **cloud.env)
    cloud.down = True
    said = terminal.run("cloud", "status", "--json", **cloud.env)
    assert said.code == 1 and all(row["instead"] and not row["ok"] for row in json.loads(said.out)["items"])
    cloud.down = False
    report = tmp_path / "report.html"
    report.write_text("<html>")
    assert httpx.get(terminal.json("cloud", "upload", str(report), **cloud.env)["url"]).text == "<html>"
    bundle = terminal.json("support-bundle", "--to", str(tmp_path / "s.zip"), "--upload", **cloud.env)
    assert bundle["path"] == "support/s.zip" and (tmp_path / "s.zip").exists()
    away = terminal.run("support-bundle", "--to", str(tmp_path / "t.zip"), "--upload", SUPABASE_PROJECT_URL="")
    assert away.code == 1 and (tmp_path / "t.zip").exists() and "SUPABASE_PROJECT_URL" in away.err


def test_the_messenger_does_not_load_supabase_without_a_project() -> None:
    code = (
        "import sys, console.telegram.__main__; sys.exit(bool({'supabase', 'realtime', 'storage3'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_backtests_report_goes_up_with_the_run(cloud: FakeProject, tmp_path: Path) -> None:
    from datetime import date, timedelta

    terminal = Terminal(tmp_path / "home")
    bars = tmp_path / "bars.csv"
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(120)]
    lines = [f"{day},{100 + n % 9},{103 + n % 9},{98 + n % 9},{101 + n % 9},1000" for n, day in enumerate(days)]
    bars.write_text("date,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
    rule, page = ROOT / "bots" / "rules" / "presets" / "golden_cross.yaml", tmp_path / "page.html"
    words = (
        "backtest",
        "run",
        "--rule",
        str(rule),
        "--data",
        str(bars),
        "--symbol",
        "AAPL",
        "--market",
        "US",
        "--cash",
        "10000",
    )
    told = terminal.json(*words, "--html", str(page), "--upload", **cloud.env)
    assert httpx.get(told["uploaded"]["url"]).content == page.read_bytes()
    page.unlink()
    cloud.down = True
    away = terminal.run(*words, "--html", str(page), "--upload", **cloud.env)
    assert (
        away.code == 1 and page.exists() and "cloud upload" in away.err
    )  # the report is here, and how to send it later
