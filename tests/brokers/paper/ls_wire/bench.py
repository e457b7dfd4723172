"""A local exchange with its LS wire on real sockets, one client, and the market moved by hand."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient, TestServer

from brokers.paper import ls_wire
from brokers.paper.accounts import Account, ExEnv, Profile
from brokers.paper.clock import ExchangeClock
from brokers.paper.exchange import Exchange
from brokers.paper.ls_wire.trs import TRS
from brokers.paper.state import State
from brokers.paper.synthetic import SyntheticSource
from shared.clock import Clock, SystemClock
from shared.domain.account import BrokerName
from shared.domain.money import Currency

LIVE_KEY, MOCK_KEY = "PSlive00000000000001", "Vmock000000000000001"
SECRET = "secret-of-a-test"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

SEOUL = ZoneInfo("Asia/Seoul")


@dataclass(frozen=True)
class Said:
    status: int
    headers: Mapping[str, str]
    raw_names: list[str]
    body: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.body["rsp_cd"])


class Bench:
    def __init__(
        self, exchange: Exchange, rest: TestClient[Any, Any], streams: dict[ExEnv, TestClient[Any, Any]]
    ) -> None:
        self.exchange, self.rest, self._streams = exchange, rest, streams
        self.tokens: dict[str, str] = {}

    def account(self, app_key: str = LIVE_KEY) -> Account:
        return self.exchange.account_of_key(BrokerName.LS, app_key)

    def open_account(self, app_key: str = LIVE_KEY, number: str = "20000000001", **more: Any) -> Account:
        """Register what the strict profile does not make by itself."""
        env = ExEnv.MOCK if app_key.startswith("V") else ExEnv.LIVE
        cash = {Currency.KRW: Decimal(1_000_000_000), Currency.USD: Decimal(1_000_000)}
        return self.exchange.register(
            broker=BrokerName.LS, env=env, app_key=app_key, secret=SECRET, account=number, hts_id="tester01",
            cash=cash, holdings=[], **more,
        )  # fmt: skip

    def last(self, symbol: str = "005930") -> Decimal:
        self.exchange.advance()
        return self.exchange.quote(symbol).price

    async def oauth(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] = FORM) -> tuple[int, Any]:
        text = "&".join(f"{name}={value}" for name, value in form.items())
        async with self.rest.post(path, data=text, headers=headers) as answer:
            return answer.status, await answer.json()

    async def token(self, app_key: str = LIVE_KEY, secret: str = SECRET) -> str:
        if app_key not in self.tokens:
            form = {"grant_type": "client_credentials", "appkey": app_key, "appsecretkey": secret, "scope": "oob"}
            status, body = await self.oauth("/oauth2/token", form)
            assert status == 200, body
            self.tokens[app_key] = body["access_token"]
        return self.tokens[app_key]

    async def call(
        self,
        tr: str,
        body: Any,
        *,
        key: str = LIVE_KEY,
        path: str | None = None,
        cont_key: str | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Said:
        """Call a TR; `headers` replace the usual ones, None leaves one out."""
        sent: dict[str, str | None] = {
            "Content-Type": "application/json; charset=utf-8",
            "authorization": f"Bearer {await self.token(key)}",
            "tr_cd": tr,
            "tr_cont": "N" if cont_key is None else "Y",
            "tr_cont_key": cont_key or "",
            **(headers or {}),
        }
        given = {name: value for name, value in sent.items() if value is not None}
        where = path or (TRS[tr].path if tr in TRS else "/stock/market-data")
        async with self.rest.post(where, json=body, headers=given) as answer:
            names = [name.decode() for name, _ in answer.raw_headers]
            return Said(answer.status, answer.headers, names, await answer.json())

    async def order(self, key: str = LIVE_KEY, **changed: Any) -> Said:
        """Send CSPAT00601: a buy of ten at the last price, with `changed` fields."""
        fields = {
            "IsuNo": "A005930",
            "OrdQty": 10,
            "OrdPrc": int(self.last()),
            "BnsTpCode": "2",
            "OrdprcPtnCode": "00",
            "MgntrnCode": "000",
            "LoanDt": "",
            "OrdCndiTpCode": "0",
            "MbrNo": "KRX",
        }
        wanted = {name: value for name, value in {**fields, **changed}.items() if value is not None}
        return await self.call("CSPAT00601", {"CSPAT00601InBlock1": wanted}, key=key)

    async def rest_order(self, key: str = LIVE_KEY, quantity: int = 10) -> int:
        """Place a buy that rests far below the market; returns its number."""
        lower, _ = self.exchange.price_limits("005930") or (Decimal(0), Decimal(0))
        said = await self.order(key, OrdPrc=int(lower), OrdQty=quantity)
        assert said.code == "00040", said.body
        return int(said.body["CSPAT00601OutBlock2"]["OrdNo"])

    async def fill(self, key: str = LIVE_KEY, quantity: int = 10) -> int:
        """Buy at market and let it fill; returns the order's number."""
        said = await self.order(key, OrdPrc=0, OrdprcPtnCode="03", OrdQty=quantity)
        assert said.code == "00040", said.body
        self.exchange.advance()
        return int(said.body["CSPAT00601OutBlock2"]["OrdNo"])

    async def amend(self, number: int, price: int, quantity: int = 10, key: str = LIVE_KEY, **changed: Any) -> Said:
        fields = {
            "OrgOrdNo": number,
            "IsuNo": "A005930",
            "OrdQty": quantity,
            "OrdprcPtnCode": "00",
            "OrdCndiTpCode": "0",
            "OrdPrc": price,
            **changed,
        }
        return await self.call("CSPAT00701", {"CSPAT00701InBlock1": fields}, key=key)

    async def cancel(self, number: int, quantity: int = 10, key: str = LIVE_KEY, isu_no: str = "A005930") -> Said:
        fields = {"OrgOrdNo": number, "IsuNo": isu_no, "OrdQty": quantity}
        return await self.call("CSPAT00801", {"CSPAT00801InBlock1": fields}, key=key)

    async def listen(self, env: ExEnv = ExEnv.LIVE, path: str = "/websocket") -> ClientWebSocketResponse:
        return await self._streams[env].ws_connect(path)


class AfternoonClock(SystemClock):
    """It is one in the afternoon in Seoul when the bench opens: today's lists have pages at whatever hour we test.

    In the middle of a minute, which has traded by then and does not end while a test runs.
    """

    def __init__(self) -> None:
        super().__init__()
        opened = datetime.now(SEOUL)
        self._ahead = opened.replace(hour=13, minute=0, second=20, microsecond=0) - opened

    def wall_now(self) -> datetime:
        return super().wall_now() + self._ahead


@asynccontextmanager
async def open_bench(
    folder: Path, profile: Profile = Profile.COMPAT, clock: Clock | None = None
) -> AsyncIterator[Bench]:
    state = State(folder)
    exchange = Exchange(state, ExchangeClock(clock or AfternoonClock()), SyntheticSource("1"), profile=profile)
    exchange.advance()
    streams = {env: TestClient(TestServer(ls_wire.ws_app(exchange, env))) for env in ExEnv}
    rest = TestClient(TestServer(ls_wire.rest_app(exchange)))
    try:
        for client in (rest, *streams.values()):
            await client.start_server()
        yield Bench(exchange, rest, streams)
    finally:
        for client in (rest, *streams.values()):
            await client.close()
        state.close()
