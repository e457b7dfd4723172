"""A local exchange behind real sockets, with a clock that only moves when told, and a client that speaks KIS."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from brokers.paper.accounts import Account, ExEnv, Profile
from brokers.paper.admin import admin_app
from brokers.paper.clock import ExchangeClock
from brokers.paper.exchange import Exchange
from brokers.paper.kis_wire import rest_app, ws_app
from brokers.paper.kis_wire.gateway import TRS
from brokers.paper.state import State
from brokers.paper.synthetic import SyntheticSource
from shared.domain.account import BrokerName
from shared.domain.money import Currency
from tests.brokers.paper.kis_wire.documented import REQUESTS

THURSDAY = datetime(2026, 7, 9, 14, 15, 30, tzinfo=UTC)  # 10:15:30 in New York, 23:15:30 in Seoul
SUNDAY = datetime(2026, 7, 12, 3, 0, tzinfo=UTC)
LIVE, MOCK = ExEnv.LIVE, ExEnv.MOCK
ACCOUNTS = {LIVE: "12345678-01", MOCK: "50001234-01"}


class HandClock:
    """Wall time that moves only by `tick`."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def wall_now(self) -> datetime:
        return self.at

    def market_now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def tick(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Desk:
    exchange: Exchange
    clock: HandClock
    rest: dict[ExEnv, str]  # base URLs
    ws: dict[ExEnv, str]
    http: httpx.AsyncClient
    admin: str
    tokens: dict[tuple[ExEnv, str], str] = field(default_factory=dict)

    def pass_time(self, seconds: float) -> None:
        """Let market and wall time pass in half-second steps, as the exchange's own loop would."""
        for _ in range(round(seconds * 2)):
            self.clock.tick(0.5)
            self.exchange.advance()

    async def fault(self, tr_id: str, status: int, body: dict[str, str]) -> None:
        """Plan one answer by the admin door's fault plan."""
        plan = {"match": {"tr": tr_id}, "action": "status", "args": {"status": status, "body": body}}
        answer = await self.http.post(f"{self.admin}/faults", json=plan)
        assert answer.status_code == 201, answer.text

    async def token(self, env: ExEnv, key: str, secret: str = "secret") -> str:
        if (env, key) not in self.tokens:
            body = {"grant_type": "client_credentials", "appkey": key, "appsecret": secret}
            answer = await self.http.post(f"{self.rest[env]}/oauth2/tokenP", json=body)
            assert answer.status_code == 200, answer.text
            self.tokens[env, key] = answer.json()["access_token"]
        return self.tokens[env, key]

    def account(self, env: ExEnv = LIVE, number: str = "") -> Account:
        return self.exchange.account(BrokerName.KIS, env, number or ACCOUNTS[env])

    def client(self, env: ExEnv = LIVE, *, key: str = "PSkey", secret: str = "secret", account: str = "") -> Client:
        return Client(self, env, key, secret, account or ACCOUNTS[env])


@dataclass
class Client:
    desk: Desk
    env: ExEnv
    key: str
    secret: str
    account: str

    async def call(
        self, tr_id: str, fields: dict[str, Any] | None = None, *, cont: str = "", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Call a TR in its documented form, with `fields` over the documented request; a None field is left out."""
        tr = TRS[tr_id]
        cano, product = self.account.split("-")
        own = {"CANO": cano, "ACNT_PRDT_CD": product} if tr.names_account else {}
        whole = {**documented_request(tr_id), **own, **(fields or {})}
        params = {name: value for name, value in whole.items() if value is not None}
        sent = {
            "content-type": "application/json",
            "authorization": f"Bearer {await self.desk.token(self.env, self.key, self.secret)}",
            "appkey": self.key,
            "appsecret": self.secret,
            "tr_id": tr_id,
            "tr_cont": cont,
            "custtype": "P",
            **(headers or {}),
        }
        url = self.desk.rest[self.env] + tr.path
        if tr.method == "POST":
            return await self.desk.http.post(url, headers=sent, content=json.dumps(params))
        return await self.desk.http.get(url, headers=sent, params=params)

    async def buy(self, symbol: str = "AAPL", quantity: int = 10, price: Decimal | None = None, **more: Any) -> str:
        """Buy and return the order number as answered; without a price far below the market, so that it rests."""
        return await self._order(True, symbol, quantity, price, more)

    async def sell(self, symbol: str = "AAPL", quantity: int = 10, price: Decimal | None = None, **more: Any) -> str:
        return await self._order(False, symbol, quantity, price, more)

    async def _order(self, buys: bool, symbol: str, quantity: int, price: Decimal | None, more: dict[str, Any]) -> str:
        answer = await self.order(buys, symbol, quantity, price, **more)
        assert answer.json()["rt_cd"] == "0", answer.text
        return str(answer.json()["output"]["ODNO"])

    async def order(
        self, buys: bool, symbol: str, quantity: Any, price: Decimal | str | None, **more: Any
    ) -> httpx.Response:
        korean = symbol[:1].isdigit()
        names = ("ORD_UNPR", "ORD_QTY") if korean else ("OVRS_ORD_UNPR", "ORD_QTY")
        if price is None:
            price = resting_price(self.desk.exchange, symbol, buys)
        fields = {"PDNO": symbol, names[0]: str(price), names[1]: str(quantity), **more}
        if symbol == "SPY":
            fields["OVRS_EXCG_CD"] = "AMEX"
        return await self.call(order_tr(self.env, korean, buys), fields)

    async def fill(self, symbol: str = "AAPL", quantity: int = 10) -> str:
        """Buy at once at the ask's far side and wait until the exchange has filled it all."""
        limit = crossing_price(self.desk.exchange, symbol)
        number = await self.buy(symbol, quantity, limit)
        order = self.desk.exchange.order(self.desk.account(self.env, self.account), int(number))
        for _ in range(40):
            if order is not None and not order.leaves:
                return number
            self.desk.pass_time(0.5)
        raise AssertionError(f"{order} did not fill within 20 s of market time")


def register(desk: Desk) -> None:
    """One live and one 모의 account with keys of their own, for the strict profile."""
    for env, key, account in ((ExEnv.LIVE, "PSlive", "12345678-01"), (ExEnv.MOCK, "PSmock", "50001234-01")):
        desk.exchange.register(
            broker=BrokerName.KIS,
            env=env,
            app_key=key,
            secret="right",
            account=account,
            hts_id=f"HTS{env}",
            cash={Currency.USD: Decimal(100_000), Currency.KRW: Decimal(100_000_000)},
            holdings=[("AAPL", 10, Decimal(200)), ("005930", 10, Decimal(70_000))],
        )


def order_tr(env: ExEnv, korean: bool, buys: bool) -> str:
    if korean:
        return ("TTTC" if env is LIVE else "VTTC") + ("0012U" if buys else "0011U")
    return {
        (LIVE, True): "TTTT1002U",
        (LIVE, False): "TTTT1006U",
        (MOCK, True): "VTTT1002U",
        (MOCK, False): "VTTT1001U",
    }[env, buys]


def resting_price(exchange: Exchange, symbol: str, buys: bool) -> Decimal:
    """A price ten percent away on the safe side, on the tick."""
    price = exchange.quote(symbol).price * (Decimal("0.9") if buys else Decimal("1.1"))
    return price // exchange.tick_size(symbol, price) * exchange.tick_size(symbol, price)


def crossing_price(exchange: Exchange, symbol: str) -> Decimal:
    price = exchange.quote(symbol).price * Decimal("1.02")
    return price // exchange.tick_size(symbol, price) * exchange.tick_size(symbol, price)


_LIKE = {  # TRs whose request has the form of another one's example
    "TTTT1006U": "TTTT1002U",
    "JTTT1002U": "TTTT1002U",
    "JTTT1006U": "TTTT1002U",
    "VTTT1006U": "VTTT1001U",
    "JTTT3012R": "TTTS3012R",
    "VTTT3012R": "TTTS3012R",
    "TTTC0011U": "TTTC0012U",
    "TTTC0801U": "TTTC0012U",
    "TTTC0802U": "TTTC0012U",
    "TTTC0803U": "TTTC0013U",
    "TTTC8036R": "TTTC0084R",
    "TTTC8001R": "TTTC0081R",
    "CTSC9215R": "TTTC0081R",
    "CTSC9115R": "TTTC0081R",
    "FHKST01010300": "FHKST01010100",
    "FHKST01010400": "FHKST03010100",
    "FHKST03010230": "own",
    "JTTT3010R": "none",
    "TTTS6037U": "TTTS6036U",
    "TTTS6038U": "TTTT1004U",
    "TTTT3016U": "TTTT3014U",
    "TTTC8408R": "own",
    "CTOS4001R": "own",
    "CTRP6010R": "own",
    "TTTC2101R": "own",
    "TTTS6058R": "own",
    "TTTS6059R": "own",
    "HHDFS76220000": "own",
    "HHDFS76200300": "own",
    "FHKST03030100": "own",
    "CTPF1002R": "own",
}


_OWN: dict[str, dict[str, str]] = {  # TRs whose request the documents name field by field, without an example
    "FHKST03010230": {
        "FID_COND_MRKT_DIV_CODE": "J",
        "FID_INPUT_ISCD": "005930",
        "FID_INPUT_HOUR_1": "150000",
        "FID_INPUT_DATE_1": "20260708",
        "FID_PW_DATA_INCU_YN": "N",
        "FID_FAKE_TICK_INCU_YN": "",
    },
    "TTTC8408R": {"PDNO": "005930"},
    "CTOS4001R": {
        "ERLM_STRT_DT": "20260701",
        "ERLM_END_DT": "20260709",
        "OVRS_EXCG_CD": "NASD",
        "PDNO": "",
        "SLL_BUY_DVSN_CD": "00",
        "LOAN_DVSN_CD": "",
        "CTX_AREA_FK100": "",
        "CTX_AREA_NK100": "",
    },
    "CTRP6010R": {"BASS_DT": "20260709", "WCRC_FRCR_DVSN_CD": "02", "INQR_DVSN_CD": "00"},
    "TTTC2101R": {},
    "TTTS6058R": {"TRAD_DT": "20260709", "CTX_AREA_FK200": "", "CTX_AREA_NK200": ""},
    "TTTS6059R": {
        "ORD_DT": "20260709",
        "ORD_GNO_BRNO": "01790",
        "ODNO": "0030001000",
        "TTLZ_ICLD_YN": "",
        "CTX_AREA_FK200": "",
        "CTX_AREA_NK200": "",
    },
    "HHDFS76220000": {"AUTH": "", "NREC": "2", "EXCD_01": "NAS", "SYMB_01": "AAPL", "EXCD_02": "AMS", "SYMB_02": "SPY"},
    "HHDFS76200300": {"EXCD": "NAS", "TDAY": "1", "SYMB": "AAPL", "AUTH": "", "KEYB": ""},
    "FHKST03030100": {
        "FID_COND_MRKT_DIV_CODE": "N",
        "FID_INPUT_ISCD": "AAPL",
        "FID_INPUT_DATE_1": "20260601",
        "FID_INPUT_DATE_2": "20260709",
        "FID_PERIOD_DIV_CODE": "D",
    },
    "CTPF1002R": {"PRDT_TYPE_CD": "300", "PDNO": "005930"},
}


def documented_request(tr_id: str) -> dict[str, Any]:
    if tr_id in _OWN:
        return dict(_OWN[tr_id])
    if tr_id in REQUESTS:
        return dict(REQUESTS[tr_id])
    if tr_id in _LIKE:
        return dict(REQUESTS.get(_LIKE[tr_id], {}))
    for first in "TC":  # the 모의 form of a live id
        live = first + tr_id[1:]
        if live in REQUESTS or live in _LIKE:
            return documented_request(live)
    raise KeyError(tr_id)


@asynccontextmanager
async def open_desk(
    home: Path, *, profile: Profile = Profile.COMPAT, at: datetime = THURSDAY, ping_every_s: float = 100.0
) -> AsyncIterator[Desk]:
    clock = HandClock(at)
    state = State(home)
    exchange = Exchange(state, ExchangeClock(clock), SyntheticSource("kis"), profile=profile)
    async with AsyncExitStack() as stack:
        stack.callback(state.close)
        rest = {env: await _serve(stack, rest_app(exchange, env)) for env in ExEnv}
        ws = {env: await _serve(stack, ws_app(exchange, env, ping_every_s=ping_every_s)) for env in ExEnv}
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=60, verify=False))
        admin = await _serve(stack, admin_app(exchange))
        yield Desk(exchange, clock, rest, {env: url.replace("http", "ws") for env, url in ws.items()}, http, admin)


async def _serve(stack: AsyncExitStack, app: web.Application) -> str:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    return f"http://127.0.0.1:{port}"
