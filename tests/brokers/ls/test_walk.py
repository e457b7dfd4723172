"""Bars page by page: the body's cursor is trusted, an echo ends the walk, a history without end is no list."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from brokers.contract import Credentials
from brokers.http import Door, HostList, Mask
from brokers.ls import base, tr
from brokers.ls.auth import Auth
from brokers.ls.codec import judge
from brokers.ls.krx import LsKrx
from brokers.ls.rest import Rest
from brokers.pacing import Pace, Pacer
from shared.clock import SystemClock
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.errors import NotFound, WireError
from shared.domain.market import Timeframe
from tests.brokers.ls.documented import RESPONSES
from tests.brokers.rig import FakeClock, MemoryTokens

NOW = datetime(2026, 3, 31, 7, 0, tzinfo=UTC)  # 16:00 in Seoul
ROW = RESPONSES["t8410"]["t8410OutBlock1"][0]


class Charts:
    """Serves t8410 pages by the cursor of the request; every header says that there is no more."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[list[str], str]] = {}  # cursor -> days, next cursor
        self.asked: list[tuple[str, str]] = []  # tr_cont, cts_date

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/oauth2/token":
            return web.json_response({**RESPONSES["token"], "expires_in": 40_000})
        if request.headers["tr_cd"] == "FOCCQ33600":
            return web.json_response(RESPONSES["FOCCQ33600"])
        at = (await request.json())["t8410InBlock"]["cts_date"]
        self.asked.append((request.headers["tr_cont"], at))
        if at not in self.pages:
            return web.json_response({"rsp_cd": "00009", "rsp_msg": "…"})
        days, cursor = self.pages[at]
        head = {**RESPONSES["t8410"]["t8410OutBlock"], "cts_date": cursor}
        body: dict[str, Any] = {"t8410OutBlock": head, "t8410OutBlock1": [{**ROW, "date": day} for day in days]}
        return web.json_response({**body, "rsp_cd": "00000", "rsp_msg": ""}, headers={"tr_cont": "N"})


@pytest.fixture
async def charts() -> AsyncIterator[tuple[Charts, LsKrx]]:
    served = Charts()
    app = web.Application()
    app.router.add_post("/{path:.*}", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    clock, wide = FakeClock(NOW), Pacer("LS", Pace(1000), SystemClock())
    hosts = HostList("LS", Environment.LIVE, frozenset({("http", "127.0.0.1", port)}))
    site = tr.Site(Environment.LIVE, f"http://127.0.0.1:{port}", "", False, tr.PATIENCE, hosts)
    door = Door("LS", site.hosts, wide, clock, judge, Mask({"x"}, ()), None)
    pacers = dict.fromkeys(tr.TRS, wide)
    auth = Auth(door, site, Credentials("k", "s", ""), clock, MemoryTokens(), wide)
    key = AccountKey(1, BrokerName.LS, Market.KRX, Environment.LIVE, 1)
    yield served, LsKrx(key, site, clock, wide, door, auth, Rest(door, auth, site, pacers))
    await door.close()
    await runner.cleanup()


async def days(broker: LsKrx, count: int, until: datetime | None = None) -> list[int]:
    bars = await broker.get_bars("005930", Timeframe.D1, count, until=until)
    return [bar.start.day for bar in bars]


async def test_pages_are_followed_by_the_bodys_cursor_though_the_header_says_no_more(
    charts: tuple[Charts, LsKrx],
) -> None:
    served, broker = charts
    served.pages = {"": (["20260330", "20260331"], "20260329"), "20260329": (["20260326", "20260327"], "")}
    assert await days(broker, 9) == [26, 27, 30, 31]
    assert served.asked == [("N", ""), ("Y", "20260329")]


async def test_no_more_pages_are_asked_than_are_wanted(charts: tuple[Charts, LsKrx]) -> None:
    served, broker = charts
    served.pages = {"": (["20260330", "20260331"], "20260329")}
    assert await days(broker, 1) == [31]
    assert len(served.asked) == 1


async def test_a_page_that_was_seen_before_ends_the_walk(charts: tuple[Charts, LsKrx]) -> None:
    served, broker = charts
    served.pages = {at: (["20260331"], cursor) for at, cursor in (("", "20260329"), ("20260329", "20260328"))}
    assert await days(broker, 9) == [31]
    assert len(served.asked) == 2


async def test_a_cursor_that_does_not_move_ends_the_walk(charts: tuple[Charts, LsKrx]) -> None:
    served, broker = charts
    served.pages = {"": (["20260331"], "20260329"), "20260329": (["20260330"], "20260329")}
    assert await days(broker, 9) == [30, 31]


async def test_bars_after_the_wanted_instant_are_passed_over(charts: tuple[Charts, LsKrx]) -> None:
    served, broker = charts
    served.pages = {"": (["20260330", "20260331"], "20260329"), "20260329": (["20260326", "20260327"], "")}
    assert await days(broker, 2, datetime(2026, 3, 28, tzinfo=UTC)) == [26, 27]


async def test_a_history_too_long_to_read_is_no_list(
    charts: tuple[Charts, LsKrx], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_BAR_PAGES", 2)
    served, broker = charts
    served.pages = {
        "": (["20260331"], "20260330"),
        "20260330": (["20260330"], "20260327"),
        "20260327": (["20260327"], ""),
    }
    with pytest.raises(WireError, match="more than 2 pages"):
        await days(broker, 9)


async def test_a_symbol_that_ls_does_not_know_has_no_bars(charts: tuple[Charts, LsKrx]) -> None:
    _, broker = charts
    with pytest.raises(NotFound):
        await days(broker, 1)
