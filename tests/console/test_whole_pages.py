"""A page arrives whole however its panels' timers fall: told over the wire, as a browser gets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from console.doorway import cookie_name
from shared.models import Role
from tests.console import desks
from tests.console.desks import Desk
from tests.console.served import console_on, free_port

ROUNDS = 5
STANDING_STILL = """
import time
from streamlit.runtime.app_session import AppSession
ask = AppSession.request_rerun
def then_stand_still(session, state):
    ask(session, state)
    time.sleep(0.1)  # nothing is taken in or sent meanwhile, and the run that was asked for goes on to its end
AppSession.request_rerun = then_stand_still
from console.asgi import main
main()
"""
Place = tuple[int, ...]


@pytest.fixture(scope="module", params=[(), ("-c", STANDING_STILL)], ids=["as-it-is", "standing-still"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    desk = desks.normal_desk(tmp_path_factory.mktemp("whole"), free_port())
    with console_on(desk, program=request.param or ("-m", "console.asgi")) as url:
        yield desk, url


@dataclass(slots=True)
class Tab:
    """A browser's side of the wire: asks for a page and its panels, and notes where each run drew."""

    socket: ClientConnection
    panels: list[str] = field(default_factory=list)
    _page: str = ""

    async def ask(self, panel: str = "") -> None:
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        asked.rerun_script.page_script_hash = self._page
        asked.rerun_script.fragment_id = panel
        asked.rerun_script.is_auto_rerun = bool(panel)
        await self.socket.send(asked.SerializeToString())

    async def turn_to(self, name: str) -> frozenset[Place]:
        asked = BackMsg()
        asked.rerun_script.page_name = name
        await self.socket.send(asked.SerializeToString())
        return await self.drawn()

    async def drawn(self) -> frozenset[Place]:
        """The places that the next whole run of the page drew at."""
        places: set[Place] | None = None
        async with asyncio.timeout(150):
            while True:
                message = ForwardMsg()
                message.ParseFromString(await self.socket.recv(decode=False))
                kind = message.WhichOneof("type")
                if kind == "navigation":
                    self._page = message.navigation.page_script_hash
                elif kind == "new_session":
                    places = None if message.metadata.run.fragment_ids else set()
                elif kind == "auto_rerun" and message.auto_rerun.fragment_id not in self.panels:
                    self.panels.append(message.auto_rerun.fragment_id)
                elif kind in {"delta", "ref_hash"} and places is not None:
                    places.add(tuple(message.metadata.delta_path))
                elif message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY and kind == "script_finished":
                    assert places is not None
                    return frozenset(places)


@asynccontextmanager
async def tab(served: tuple[Desk, str]) -> AsyncIterator[Tab]:
    desk, url = served
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=150) as client:
        form = {"email": "admin@desk.local", "password": desks.PASSWORDS[Role.ADMIN]}
        token = (await client.post("/login", data=form)).cookies[cookie_name(desk.wiring.settings.port, secure=False)]
    cookie = f"{cookie_name(desk.wiring.settings.port, secure=False)}={token}"
    async with connect(
        f"{url.replace('http', 'ws')}/_stcore/stream", subprotocols=["streamlit"],  # type: ignore[list-item]
        additional_headers={"Cookie": cookie, "Origin": url}, max_size=None, proxy=None,
    ) as socket:  # fmt: skip
        yield Tab(socket)


@pytest.mark.parametrize("page", ["positions", "orders", "control", "risk"])
async def test_a_page_is_sent_whole_though_its_panels_ask_while_it_is_drawn(
    served: tuple[Desk, str], page: str
) -> None:
    async with tab(served) as mine:
        whole = await mine.turn_to(page)
        assert len(mine.panels) >= 2 and len(whole) > 20
        for _ in range(ROUNDS):
            await mine.ask()
            for panel in mine.panels:  # a slow network: the timers go on until the page's beginning has come
                await mine.ask(panel)
            assert not whole - await mine.drawn()
