"""Every TR of the wire × every code that kis.md §6 lists for it, success and the end of paging.

A code that a request or a state can bring about is brought about so; the others (the broker's own troubles, and
refusals whose state does not exist here) come from the fault plan at the admin door, for every TR they may hit.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
import pytest_asyncio

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.kis_wire.calls import Tr
from brokers.paper.kis_wire.gateway import CALLS_PER_SECOND, TRS
from shared.domain.account import Market
from tests.brokers.paper.kis_wire.desk import (
    LIVE,
    MOCK,
    SUNDAY,
    Client,
    Desk,
    documented_request,
    open_desk,
    register,
)
from tests.brokers.paper.kis_wire.test_shapes import prepare

# One exchange of each kind serves the whole table: opening one costs more than all calls of a row.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path_factory.mktemp("compat")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path_factory.mktemp("strict"), profile=Profile.STRICT) as opened:
        register(opened)
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sunday(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path_factory.mktemp("sunday"), profile=Profile.STRICT, at=SUNDAY) as opened:
        register(opened)
        yield opened


def placed(desk: Desk) -> int:
    return len(desk.exchange.ledger.events(kind="ORDER"))


KEYS = {LIVE: "PSlive", MOCK: "PSmock"}
OTHER = {LIVE: MOCK, MOCK: LIVE}
ORDERS = {tr_id for tr_id, tr in TRS.items() if tr.method == "POST"}
PLACING = {tr_id for tr_id in ORDERS if TRS[tr_id].side is not None}
RESERVED = {tr_id for tr_id in ORDERS if "resv" in TRS[tr_id].path}
DATED = {  # TRs and one of their date fields
    **dict.fromkeys(("TTTS3035R", "VTTS3035R"), "ORD_STRT_DT"),
    **dict.fromkeys([tr_id for tr_id, tr in TRS.items() if tr.path.endswith("inquire-daily-ccld")], "INQR_STRT_DT"),
    **dict.fromkeys(("TTTS3039R", "TTTC8715R", "TTTT3039R"), "INQR_STRT_DT"),
    **dict.fromkeys(("TTTT3017U", "VTTT3017U"), "RSVN_ORD_RCIT_DT"),
    "CTOS4001R": "ERLM_STRT_DT",
    "CTRP6010R": "BASS_DT",
    "TTTS6058R": "TRAD_DT",
    "TTTS6059R": "ORD_DT",
    "CTCA0903R": "BASS_DT",
    "CTOS5011R": "TRAD_DT",
    "HHDFS76240000": "BYMD",
    "FHKST03010100": "FID_INPUT_DATE_1",
    "FHKST03010230": "FID_INPUT_DATE_1",
    "FHKST03030100": "FID_INPUT_DATE_1",
}
DIVIDED = {tr_id for tr_id in TRS if tr_id.startswith(("FHKST01", "FHKST03"))}  # by market division
PAGED = {  # lists that end with tr_cont D
    *(tr_id for tr_id, tr in TRS.items() if tr.path.endswith(("inquire-balance", "inquire-nccs", "inquire-ccnl"))),
    *(tr_id for tr_id, tr in TRS.items() if tr.path.endswith(("psbl-rvsecncl", "daily-ccld", "order-resv-list"))),
    *("CTRP6504R", "VTRP6504R", "TTTS3039R", "CTOS4001R", "CTRP6010R", "TTTC2101R", "TTTS6058R", "TTTS6059R"),
    *("TTTC8715R", "CTOS5011R", "CTCA0903R", "HHDFS76200300"),
} - {"FHKST01010300"}

# -- what a request can bring about, in strict

Cause = Callable[[Client, Tr], Awaitable[httpx.Response]]


def sent(**headers: str) -> Cause:
    async def call(client: Client, tr: Tr) -> httpx.Response:
        return await client.call(tr.tr_id, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return call


async def another_keys_host(client: Client, tr: Tr) -> httpx.Response:
    return await client.call(tr.tr_id, headers={"appkey": KEYS[OTHER[client.env]]})


async def no_tr_id(client: Client, tr: Tr) -> httpx.Response:
    return await client.call(tr.tr_id, headers={"tr_id": ""})


async def no_bearer(client: Client, tr: Tr) -> httpx.Response:
    token = await client.desk.token(client.env, client.key, client.secret)
    return await client.call(tr.tr_id, headers={"authorization": token})


async def too_often(client: Client, tr: Tr) -> httpx.Response:
    await client.desk.token(client.env, client.key, client.secret)
    for _ in range(CALLS_PER_SECOND[client.env]):
        await client.call(tr.tr_id)
    return await client.call(tr.tr_id)


async def raw(client: Client, tr: Tr, method: str, path: str, **more: Any) -> httpx.Response:
    token = await client.desk.token(client.env, client.key, client.secret)
    headers = {"authorization": f"Bearer {token}", "appkey": client.key, "appsecret": client.secret, "tr_id": tr.tr_id}
    headers |= more.pop("headers", {})
    return await client.desk.http.request(method, client.desk.rest[client.env] + path, headers=headers, **more)


async def wrong_path(client: Client, tr: Tr) -> httpx.Response:
    return await raw(client, tr, tr.method, "/uapi/elsewhere", content="{}")


async def wrong_method(client: Client, tr: Tr) -> httpx.Response:
    return await raw(client, tr, "GET" if tr.method == "POST" else "POST", tr.path)


async def no_body(client: Client, tr: Tr) -> httpx.Response:
    return await raw(client, tr, "POST", tr.path, content="[1]", headers={"content-type": "application/json"})


async def a_form(client: Client, tr: Tr) -> httpx.Response:
    return await raw(client, tr, "POST", tr.path, data=documented_request(tr.tr_id))


async def other_host(client: Client, tr: Tr) -> httpx.Response:
    other = client.desk.client(OTHER[client.env], key=KEYS[OTHER[client.env]], secret="right")
    return await other.call(tr.tr_id)


def field(name: str, value: str | None) -> Cause:
    async def call(client: Client, tr: Tr) -> httpx.Response:
        return await client.call(tr.tr_id, {name: value})

    return call


def natural(tr: Tr, env: ExEnv) -> dict[str, Cause]:
    causes: dict[str, Cause] = {
        "EGW00102": sent(appkey=""),
        "EGW00103": sent(appkey="PSnobody"),
        "EGW00104": sent(appsecret=""),
        "EGW00105": sent(appsecret="wrong"),
        "EGW00121": sent(authorization="Bearer nonsense"),
        "EGW00122": sent(authorization=""),
        "EGW00205": no_bearer,
        "EGW00310": no_tr_id,
        "EGW02004": another_keys_host,
        "EGW00202": wrong_path,
        "EGW00101": wrong_method,
    }
    if tr.env is not None:
        causes["EGW02006" if env is LIVE else "OPSQ0002"] = other_host
    if tr.method == "POST":
        causes |= {"EGW00131": sent(hashkey="0" * 64), "EGW00132": a_form, "OPSQ9999": no_body}
    if tr.names_account:
        causes |= {"OPSQ2000": field("CANO", "87654321"), "OPSQ2001": field("CANO", None)}
    if tr.tr_id in DIVIDED:
        causes["OPSQ2001"] = field("FID_COND_MRKT_DIV_CODE", "Q")
    if tr.tr_id in DATED:
        causes["OPSQ2002"] = field(DATED[tr.tr_id], "2026-7-9")
    return causes


# -- what only the broker's own troubles bring about: by the fault plan

TROUBLES = {  # code -> (HTTP status, text), kis.md §6.3
    "EGW00001": (500, "일시적 오류가 발생했습니다."),
    "EGW00002": (500, "서버 에러가 발생했습니다."),
    "EGW00003": (500, "접근이 거부되었습니다."),
    "EGW00004": (500, "권한을 부여받지 않은 고객입니다."),
    "EGW00203": (500, "GW라우팅 중 오류가 발생했습니다."),
    "EGW00206": (500, "API 사용 권한이 없습니다."),
    "EGW00207": (500, "IP 주소가 유효하지 않습니다."),
    "EGW00215": (500, "원장에서 허용 가능한 초당 거래건수 초과"),
    "EGW00300": (500, "GW라우팅 중 오류가 발생했습니다."),
    "EGW00301": (500, "연결시간이 초과하였습니다. 직전 거래를 반드시 확인하시기 바랍니다."),
    "EGW00302": (500, "거래시간이 초과하였습니다. 직전 거래를 반드시 확인하시기 바랍니다."),
    "OPSQ1002": (500, "세션 오류"),
    **{f"OPSQ{code}": (500, "ERROR : BODY PARSE ERROR") for code in range(9995, 9999)},
    "MCA00124": (500, "서비스를 찾을 수 없습니다."),
    "IGW00002": (500, "계좌 불일치"),
    "IGW00007": (500, "바디 오류"),
    "IGW00027": (500, "서비스 시간이 아닙니다."),
    "": (500, ""),  # maintenance: the three fields blank (kis.md §1.4)
}
QUOTE_TROUBLES = {"MCA05918": (200, "종목코드 오류입니다.")}
ORDER_TROUBLES = {
    LIVE: {"APBK1234": (200, "보유 수량이 부족합니다."), "APAC0489": (200, "위탁계좌만 가능합니다.")},
    MOCK: {
        "40310000": (200, "모의투자 주문가능금액이 부족합니다."),
        "40910000": (200, "모의투자 신청계좌가 아닙니다."),
        "90020000": (200, "서비스가 지연되고 있습니다."),
        "IGW00009": (500, "응답 조립 오류"),
    },
}


@dataclass(frozen=True)
class Row:
    tr_id: str
    env: ExEnv
    natural: tuple[str, ...]
    troubles: tuple[str, ...]


def row(tr: Tr, env: ExEnv) -> Row:
    troubles = [*TROUBLES, *(ORDER_TROUBLES[env] if tr.tr_id in ORDERS else ())]
    troubles += [] if tr.names_account else QUOTE_TROUBLES
    return Row(tr.tr_id, env, tuple(natural(tr, env)), tuple(troubles))


TABLE = [row(tr, env) for tr in TRS.values() for env in ([tr.env] if tr.env else [LIVE, MOCK])]
IDS = [f"{one.tr_id}-{one.env}" for one in TABLE]


async def test_no_tr_of_the_wire_lacks_a_row() -> None:
    assert {one.tr_id for one in TABLE} == set(TRS)
    assert all(one.natural and one.troubles for one in TABLE)
    assert sum(len(one.natural) + len(one.troubles) for one in TABLE) > 1_800


def is_gateway(answer: httpx.Response, code: str) -> None:
    body = answer.json()
    assert body["msg_cd"] == code, f"{code}: {answer.text}"
    assert answer.status_code == 500 and body["rt_cd"] != "0" and set(body) == {"rt_cd", "msg_cd", "msg1"}


@pytest.mark.parametrize("one", TABLE, ids=IDS)
async def test_each_natural_code_comes_of_its_cause_and_places_nothing(strict: Desk, one: Row) -> None:
    tr, before = TRS[one.tr_id], placed(strict)
    client = strict.client(one.env, key=KEYS[one.env], secret="right")
    for code, cause in natural(tr, one.env).items():
        is_gateway(await cause(client, tr), code)
        strict.clock.tick(1.1)
    assert placed(strict) == before


@pytest.mark.parametrize("one", TABLE, ids=IDS)
async def test_one_call_too_many_in_a_second_is_refused(strict: Desk, one: Row) -> None:
    client = strict.client(one.env, key=KEYS[one.env], secret="right")
    strict.clock.tick(1.1)
    is_gateway(await too_often(client, TRS[one.tr_id]), "EGW00201")
    strict.clock.tick(1.1)


@pytest.mark.parametrize("one", TABLE, ids=IDS)
async def test_each_trouble_of_the_broker_comes_by_the_fault_plan_and_places_nothing(shared: Desk, one: Row) -> None:
    client, known = shared.client(one.env), TROUBLES | QUOTE_TROUBLES | ORDER_TROUBLES[one.env]
    before, told = placed(shared), len(shared.exchange.ledger.events(kind="FAULT"))
    for code in one.troubles:
        status, text = known[code]
        await shared.fault(one.tr_id, status, {"rt_cd": "1", "msg_cd": code, "msg1": text})
        answer = await client.call(one.tr_id)
        assert (answer.status_code, answer.json()["msg_cd"], answer.json()["rt_cd"]) == (status, code, "1")
    assert placed(shared) == before
    assert len(shared.exchange.ledger.events(kind="FAULT")) == told + len(one.troubles)


# -- refusals of orders, by their state (kis.md §6.4)


def fields_of(tr_id: str, quantity: object, price: object, **more: str) -> dict[str, str]:
    """The request's own names: domestic, overseas and reserved orders differ."""
    if tr_id in RESERVED:
        return {"FT_ORD_QTY": str(quantity), "FT_ORD_UNPR3": str(price), **more}
    name = "ORD_UNPR" if TRS[tr_id].market is Market.KRX else "OVRS_ORD_UNPR"
    return {"ORD_QTY": str(quantity), name: str(price), **more}


REFUSALS = {  # name -> (live code, 모의 code)
    "cash": ("APBK0952", "40250000"),
    "holding": ("APBK0400", "40240000"),
    "tick": ("APBK0506", "40030000"),
    "price": ("APBK0506", "40030000"),
    "quantity": ("APBK0400", "40240000"),
    "symbol": ("APBK0656", "40070000"),
    "type": ("APBK0963", "40070000"),
    "halted": ("APBK0918", "40070000"),
}


def asked(tr_id: str, name: str) -> dict[str, str] | None:
    """The request that is refused for this; None where this TR does not look at it."""
    korean, buys = TRS[tr_id].market is Market.KRX, TRS[tr_id].side == "BUY"
    fair = "64000" if korean else "190.00"
    if tr_id in RESERVED and name not in ("quantity", "symbol", "type"):
        return None  # looked at when it is sent
    wanted = {
        "cash": fields_of(tr_id, 1_000_000, fair) if buys else None,
        "holding": None if buys else fields_of(tr_id, 5_000, fair),
        "tick": fields_of(tr_id, 1, "64050" if korean else "190.005"),
        "price": fields_of(tr_id, 1, "500" if korean else "0"),
        "quantity": fields_of(tr_id, 0, fair),
        "symbol": fields_of(tr_id, 1, fair, PDNO="999999" if korean else "ZZZZZ"),
        "type": fields_of(tr_id, 1, fair, ORD_DVSN="99"),
        "halted": fields_of(tr_id, 1, fair),
    }
    return wanted[name]


@pytest.mark.parametrize("tr_id", sorted(PLACING))
async def test_each_refusal_of_an_order_has_its_code(shared: Desk, tr_id: str) -> None:
    env = TRS[tr_id].env or LIVE
    client, market = shared.client(env), TRS[tr_id].market
    before, symbol = placed(shared), "005930" if market is Market.KRX else "AAPL"
    for name, codes in REFUSALS.items():
        wanted = asked(tr_id, name)
        if wanted is None:
            continue
        if name == "halted":
            shared.exchange.tape.halt(symbol, True)
        answer = await client.call(tr_id, wanted)
        body = answer.json()
        expected = codes[0] if env is LIVE else codes[1]
        assert (answer.status_code, body["msg_cd"], "output" in body) == (200, expected, False), (name, answer.text)
        assert body["rt_cd"] != "0"
    shared.exchange.tape.halt(symbol, False)
    assert placed(shared) == before


CLOSED = {  # on a Sunday, before the open and after the close: (live, 모의)
    Market.US: ("APBK1664", "40100000"),
    Market.KRX: ("APBK0919", "40100000"),
}


@pytest.mark.parametrize("tr_id", sorted(PLACING - RESERVED))
async def test_a_closed_day_has_its_code(sunday: Desk, tr_id: str) -> None:
    env = TRS[tr_id].env or LIVE
    sunday.clock.tick(1.1)
    client = sunday.client(env, key=KEYS[env], secret="right")
    price = "64000" if TRS[tr_id].market is Market.KRX else "190.00"
    body = (await client.call(tr_id, fields_of(tr_id, 1, price))).json()
    day_market = TRS[tr_id].path.endswith("daytime-order")
    live, mock = CLOSED[TRS[tr_id].market]
    assert body["msg_cd"] in ((live, "APBK0918") if day_market else (live if env is LIVE else mock,)), body


# -- success and the end of paging


async def ready(desk: Desk, client: Client, tr: Tr) -> dict[str, Any]:
    """The state a TR needs to succeed, and the fields that name it."""
    live = "T" + tr.tr_id[1:] if tr.tr_id[0] == "V" else tr.tr_id
    korean = tr.market is Market.KRX
    if tr.side is not None:
        if tr.side == "SELL" and tr.tr_id not in RESERVED:
            await client.fill("005930" if korean else "AAPL", 2)
        return fields_of(tr.tr_id, 1, "64000" if korean else "190.00")
    if "rvsecncl" in tr.path and tr.method == "POST":
        if tr.tr_id == "TTTS6038U":
            return await prepare(desk, tr.tr_id)
        number = await client.buy("005930" if korean else "AAPL", 2)
        return {"ORGN_ODNO": number, "ORD_QTY": "0"}
    if tr.path.endswith("order-resv-ccnl"):
        made = await client.call(tr.tr_id[:4] + "3014U", {"FT_ORD_UNPR3": "190.00"})
        return {"OVRS_RSVN_ODNO": made.json()["output"]["ODNO"]}
    return await prepare(desk, live) if tr.env is not MOCK else {}


@pytest.mark.parametrize("one", TABLE, ids=IDS)
async def test_each_tr_succeeds_and_ends_its_pages(shared: Desk, one: Row) -> None:
    tr = TRS[one.tr_id]
    client = shared.client(one.env)
    answer = await client.call(one.tr_id, await ready(shared, client, tr))
    body = answer.json()
    assert (answer.status_code, body["rt_cd"]) == (200, "0"), answer.text
    pages, cont = [answer], answer.headers["tr_cont"]
    while cont == "M":
        assert len(pages) < 200
        keys = {name.upper(): text for name, text in pages[-1].json().items() if name.startswith(("ctx_area", "keyb"))}
        pages.append(await client.call(one.tr_id, keys, cont="N"))
        cont = pages[-1].headers["tr_cont"]
    assert cont == ("D" if one.tr_id in PAGED else "")
    if one.tr_id in PAGED and any(name.startswith("ctx_area_nk") for name in body):
        assert not next(text for name, text in pages[-1].json().items() if name.startswith("ctx_area_nk")).strip()


@pytest.mark.parametrize("custtype", ["P", "B", None, "X"])
async def test_a_customer_is_a_person_or_a_company(strict: Desk, custtype: str | None) -> None:
    client = strict.client(LIVE, key="PSlive", secret="right")
    strict.clock.tick(2)
    headers = {"custtype": custtype} if custtype else {}
    tr = TRS["HHDFS00000300"]
    answer = await raw(client, tr, "GET", tr.path, headers=headers, params=documented_request(tr.tr_id))
    assert answer.json()["msg_cd"] == ("EGW00101" if custtype == "X" else "MCA00000")


async def test_a_hash_of_the_same_body_is_taken_however_it_was_written(strict: Desk) -> None:
    client = strict.client(LIVE, key="PSlive", secret="right")
    strict.clock.tick(2)
    body = {**documented_request("TTTT1002U"), "OVRS_ORD_UNPR": "190.00"}
    keys = {"appkey": "PSlive", "appsecret": "right"}
    url = f"{strict.rest[LIVE]}/uapi/hashkey"
    made = (await strict.http.post(url, content=json.dumps(body, indent=2), headers=keys)).json()["HASH"]
    answer = await client.call("TTTT1002U", body, headers={"hashkey": made})
    assert answer.json()["rt_cd"] == "0", answer.text
    changed = await client.call("TTTT1002U", {**body, "ORD_QTY": "11"}, headers={"hashkey": made})
    assert changed.json()["msg_cd"] == "EGW00131"


async def test_a_client_that_sends_half_the_price_for_a_market_sell_is_understood(shared: Desk, strict: Desk) -> None:
    strict.clock.tick(2)
    half = round(shared.exchange.quote("AAPL").price / 2, 2) + Decimal("0.005")
    await shared.client().fill("AAPL", 1)
    assert (await shared.client().call("TTTT1006U", fields_of("TTTT1006U", 1, half))).json()["rt_cd"] == "0"
    there = strict.client(LIVE, key="PSlive", secret="right")
    refused = await there.call("TTTT1006U", fields_of("TTTT1006U", 1, half))
    assert refused.json()["msg_cd"] == "APBK0506"


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_an_expired_token_is_told_to_every_tr(strict: Desk, env: ExEnv) -> None:
    """The last one: the day is over after it."""
    client = strict.client(env, key=KEYS[env], secret="right")
    await client.desk.token(env, client.key, client.secret)
    strict.clock.tick(24 * 3600)
    for one in TABLE:
        if one.env is env:
            is_gateway(await client.call(one.tr_id), "EGW00123")
