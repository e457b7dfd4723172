"""The official samples' calls in their exact request form, read the way the samples read the answers.

What a sample needs of an answer: a namedtuple of the body's keys, a namedtuple of every lower-case response header,
`tr_cont` M or F while there are more pages, and the ctx_area texts to send back (kis.md §1.3).
"""

from __future__ import annotations

import json
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from brokers.paper.kis_wire.notices import CipherKey
from tests.brokers.paper.kis_wire.desk import ACCOUNTS, LIVE, MOCK, Desk, resting_price
from tests.brokers.paper.kis_wire.test_notices import decrypt

BASE_HEADERS = {"Content-Type": "application/json", "Accept": "text/plain", "charset": "UTF-8", "User-Agent": "agent"}
SERVERS = {"prod": LIVE, "vps": MOCK}


class Answer:
    """An answer as the samples hold it: `header` and `body` are namedtuples."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        received = [name.decode() for name, _ in answer.headers.raw]
        lower = {name: answer.headers[name] for name in received if name.islower()}
        self.header: Any = namedtuple("header", lower.keys())(**lower)  # a hyphen in a name raises here
        self.body: Any = namedtuple("body", answer.json().keys())(**answer.json())
        assert isinstance(self.body.msg_cd, str) and isinstance(self.body.msg1, str)

    @property
    def ok(self) -> bool:
        return bool(self.body.rt_cd == "0")


@dataclass
class Sample:
    """The samples' session: one server, one account, one set of base headers."""

    desk: Desk
    server: str
    headers: dict[str, str]

    async def fetch(self, url: str, tr_id: str, tr_cont: str, params: dict[str, str], *, post: bool = False) -> Answer:
        if self.server == "vps" and tr_id[0] in "TJC":
            tr_id = "V" + tr_id[1:]
        headers = {**self.headers, "tr_id": tr_id, "custtype": "P", "tr_cont": tr_cont}
        whole = self.desk.rest[SERVERS[self.server]] + url
        if post:
            return Answer(await self.desk.http.post(whole, headers=headers, content=json.dumps(params)))
        return Answer(await self.desk.http.get(whole, headers=headers, params=params))

    @property
    def account(self) -> dict[str, str]:
        cano, product = ACCOUNTS[SERVERS[self.server]].split("-")
        return {"CANO": cano, "ACNT_PRDT_CD": product}

    async def pages(self, url: str, tr_id: str, params: dict[str, str], area: str, rows: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        tr_cont, fk, nk = "", "", ""
        for _ in range(10):  # the samples give up after ten pages
            ctx = {f"CTX_AREA_FK{area}": fk, f"CTX_AREA_NK{area}": nk}
            answer = await self.fetch(url, tr_id, tr_cont, {**self.account, **params, **ctx})
            assert answer.ok, answer.body
            found += getattr(answer.body, rows)
            fk = getattr(answer.body, f"ctx_area_fk{area}")
            nk = getattr(answer.body, f"ctx_area_nk{area}")
            if answer.header.tr_cont not in ("M", "F"):
                return found
            tr_cont = "N"
        raise AssertionError("more than ten pages")


@pytest.fixture(params=["prod", "vps"])
async def sample(desk: Desk, request: pytest.FixtureRequest) -> Sample:
    """Authenticated exactly as the samples do it."""
    p = {"grant_type": "client_credentials", "appkey": "PSsample", "appsecret": "secret"}
    url = f"{desk.rest[SERVERS[request.param]]}/oauth2/tokenP"
    res = await desk.http.post(url, content=json.dumps(p), headers=BASE_HEADERS)
    assert res.status_code == 200
    token = namedtuple("res", res.json().keys())(**res.json())
    assert token.access_token_token_expired == "2026-07-10 23:15:30"
    keys = {"authorization": f"Bearer {token.access_token}", "appkey": "PSsample", "appsecret": "secret"}
    return Sample(desk, request.param, {**BASE_HEADERS, **keys})


async def us_order(sample: Sample, side: str, quantity: str, price: str) -> Answer:
    params = {
        **sample.account,
        "OVRS_EXCG_CD": "NASD",
        "PDNO": "AAPL",
        "ORD_QTY": quantity,
        "OVRS_ORD_UNPR": price,
        "CTAC_TLNO": "",
        "MGCO_APTM_ODNO": "",
        "SLL_TYPE": "" if side == "buy" else "00",
        "ORD_SVR_DVSN_CD": "0",
        "ORD_DVSN": "00",
    }
    tr_id = "TTTT1002U" if side == "buy" else "TTTT1006U"  # on vps the sample's V form is VTTT1006U
    return await sample.fetch("/uapi/overseas-stock/v1/trading/order", tr_id, "", params, post=True)


async def test_a_us_round_trip_of_the_samples(sample: Sample) -> None:
    desk = sample.desk
    bought = await us_order(sample, "buy", "3", f"{desk.exchange.quote('AAPL').price * 2:.2f}")
    assert bought.ok
    assert set(bought.body.output) == {"KRX_FWDG_ORD_ORGNO", "ODNO", "ORD_TMD"}
    desk.pass_time(10)
    query = {"OVRS_EXCG_CD": "NASD", "TR_CRCY_CD": "USD"}
    held = await sample.pages("/uapi/overseas-stock/v1/trading/inquire-balance", "TTTS3012R", query, "200", "output1")
    assert [(row["ovrs_pdno"], row["ovrs_cblc_qty"]) for row in held] == [("AAPL", "3")]
    assert (await us_order(sample, "sell", "3", "100.00")).ok
    desk.pass_time(10)
    present = await sample.fetch(
        "/uapi/overseas-stock/v1/trading/inquire-present-balance",
        "CTRP6504R",
        "",
        {
            **sample.account,
            "WCRC_FRCR_DVSN_CD": "02",
            "NATN_CD": "000",
            "TR_MKET_CD": "00",
            "INQR_DVSN_CD": "00",
        },
    )
    assert present.ok and present.body.output1 == [] and present.body.output2[0]["crcy_cd"] == "USD"
    assert present.header.tr_cont in ("D", "")


async def test_the_samples_page_through_open_orders_and_executions(sample: Sample) -> None:
    price = str(resting_price(sample.desk.exchange, "AAPL", True))
    placed = {(await us_order(sample, "buy", "1", price)).body.output["ODNO"] for _ in range(22)}
    base = "/uapi/overseas-stock/v1/trading/"
    query = {"OVRS_EXCG_CD": "NASD", "SORT_SQN": "DS"}
    rows = await sample.pages(base + "inquire-nccs", "TTTS3018R", query, "200", "output")
    assert {row["odno"] for row in rows} == placed and len(rows) == 22
    query = {
        "PDNO": "%" if sample.server == "prod" else "",
        "ORD_STRT_DT": "20260708",
        "ORD_END_DT": "20260709",
        "SLL_BUY_DVSN": "00",
        "CCLD_NCCS_DVSN": "00",
        "OVRS_EXCG_CD": "NASD" if sample.server == "prod" else "",
        "SORT_SQN": "DS",
        "ORD_DT": "",
        "ORD_GNO_BRNO": "",
        "ODNO": "",
    }
    rows = await sample.pages(base + "inquire-ccnl", "TTTS3035R", query, "200", "output")
    assert {row["odno"] for row in rows} == placed and len(rows) == 22


async def test_a_cancel_of_the_samples(sample: Sample) -> None:
    price = str(resting_price(sample.desk.exchange, "AAPL", True))
    number = (await us_order(sample, "buy", "1", price)).body.output["ODNO"]
    params = {
        **sample.account,
        "OVRS_EXCG_CD": "NASD",
        "PDNO": "AAPL",
        "ORGN_ODNO": number,
        "RVSE_CNCL_DVSN_CD": "02",
        "ORD_QTY": "1",
        "OVRS_ORD_UNPR": "0",
        "MGCO_APTM_ODNO": "",
        "ORD_SVR_DVSN_CD": "0",
    }
    url = "/uapi/overseas-stock/v1/trading/order-rvsecncl"
    assert (await sample.fetch(url, "TTTT1004U", "", params, post=True)).ok
    again = await sample.fetch(url, "TTTT1004U", "", params, post=True)
    assert not again.ok  # a refusal is a namedtuple too: HTTP 200 with the envelope


async def test_a_krx_order_and_balance_of_the_samples(sample: Sample) -> None:
    params = {
        **sample.account,
        "PDNO": "005930",
        "ORD_DVSN": "01",
        "ORD_QTY": "2",
        "ORD_UNPR": "0",
        "EXCG_ID_DVSN_CD": "KRX",
        "SLL_TYPE": "",
        "CNDT_PRIC": "",
    }
    base = "/uapi/domestic-stock/v1/trading/"
    assert (await sample.fetch(base + "order-cash", "TTTC0012U", "", params, post=True)).ok
    sample.desk.pass_time(10)
    query = {
        "AFHR_FLPR_YN": "N",
        "OFL_YN": "",
        "INQR_DVSN": "01",
        "UNPR_DVSN": "01",
        "FUND_STTL_ICLD_YN": "N",
        "FNCG_AMT_AUTO_RDPT_YN": "N",
        "PRCS_DVSN": "00",
    }
    held = await sample.pages(base + "inquire-balance", "TTTC8434R", query, "100", "output1")
    assert [(row["pdno"], row["hldg_qty"]) for row in held] == [("005930", "2")]


async def test_a_quote_of_the_samples(sample: Sample) -> None:
    params = {"AUTH": "", "EXCD": "NAS", "SYMB": "AAPL"}
    answer = await sample.fetch("/uapi/overseas-price/v1/quotations/price", "HHDFS00000300", "", params)
    assert answer.ok and answer.header.tr_cont == ""
    assert float(answer.body.output["last"]) > 0


async def test_the_hash_of_the_samples_comes_back_as_a_field(sample: Sample) -> None:
    body = {**sample.account, "PDNO": "AAPL"}
    url = f"{sample.desk.rest[SERVERS[sample.server]]}/uapi/hashkey"
    res = await sample.desk.http.post(url, content=json.dumps(body), headers=sample.headers)
    assert res.status_code == 200
    assert namedtuple("res", res.json().keys())(**res.json()).HASH


async def test_the_samples_socket_reads_acks_frames_notices_and_pings(sample: Sample) -> None:
    desk, env = sample.desk, SERVERS[sample.server]
    p = {"grant_type": "client_credentials", "appkey": "PSsample", "secretkey": "secret"}
    res = await desk.http.post(f"{desk.rest[env]}/oauth2/Approval", content=json.dumps(p), headers=BASE_HEADERS)
    approval = namedtuple("res", res.json().keys())(**res.json()).approval_key
    notice = "H0GSCNI0" if env is LIVE else "H0GSCNI9"
    known: dict[str, CipherKey | None] = {}
    async with connect(f"{desk.ws[env]}/tryitout") as socket:
        for tr_id, tr_key in ((notice, "HTSID01"), ("HDFSCNT0", "DNASAAPL")):
            header = {"content-type": "utf-8", "approval_key": approval, "tr_type": "1", "custtype": "P"}
            await socket.send(json.dumps({"header": header, "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}}}))
            ack = json.loads(await socket.recv())
            assert ack["body"]["rt_cd"] == "0" and ack["body"]["msg1"][:5] != "UNSUB"
            key = CipherKey(ack["body"]["output"]["key"], ack["body"]["output"]["iv"])
            known[ack["header"]["tr_id"]] = key if ack["header"]["encrypt"] == "Y" else None
        number = (await us_order(sample, "buy", "1", f"{desk.exchange.quote('AAPL').price * 2:.2f}")).body.output[
            "ODNO"
        ]
        desk.pass_time(10)
        kinds: set[str] = set()
        while not {"trade", "accepted", "filled"} <= kinds:
            raw = str(await socket.recv())
            parts = raw.split("|")
            key = known[parts[1]]  # the sample raises on a TR it did not register
            fields = (decrypt(parts[3], key) if key else parts[3]).split("^")
            if parts[1] == "HDFSCNT0":
                kinds.add("trade")
            else:
                assert int(fields[2]) == int(number)
                kinds.add("filled" if fields[12] == "2" else "accepted")
