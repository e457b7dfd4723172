"""The streams beyond the first: NXT and unified, US, auctions, VIs and breakers, and the notices of a US order's life."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brokers.paper.accounts import CashView, Profile
from brokers.paper.ls_wire.channels import keys_of
from brokers.paper.ls_wire.notices import Told, notices
from brokers.paper.ls_wire.registry import Client, Registry
from brokers.paper.ls_wire.us_notices import us_notices
from brokers.paper.ls_wire.watch import Watch
from brokers.paper.orders import EventKind, ExKind, ExOrder, ExStatus, OrderEvent
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import OrderType, Side, TimeInForce
from tests.brokers.paper.floor_rig import HandClock
from tests.brokers.paper.ls_wire.bench import MOCK_KEY, Bench, open_bench
from tests.brokers.paper.ls_wire.cases import body
from tests.brokers.paper.ls_wire.listening import hear, playing, pushed, register
from tests.brokers.paper.ls_wire.push_keys import KEYS

NAMED = {  # TR -> (key, keys as documented)
    "S3_": ("005930", "S3_"),
    "K3_": ("247540", "S3_"),
    "US3": ("U005930   ", "US3"),
    "NS3": ("N005930   ", "US3"),
    "H1_": ("005930", "H1_"),
    "HA_": ("247540", "H1_"),
    "UH1": ("U005930   ", "UH1"),
    "NH1": ("N005930   ", "NH1"),
    "GSC": ("82TSLA            ", "GSC"),
    "GSH": ("82TSLA            ", "GSH"),
}


@pytest.mark.parametrize("tr", sorted(NAMED))
async def test_every_market_stream_pushes_its_documented_keys(bench: Bench, tr: str) -> None:
    key, documented = NAMED[tr]
    socket = await bench.listen()
    await register(socket, await bench.token(), tr, key)
    async with playing(bench):
        frame = await hear(socket, pushed(tr))
    assert frame["header"] == {"tr_cd": tr, "tr_key": key}
    assert set(frame["body"]) == set(KEYS[documented])
    assert all(isinstance(value, str) for value in frame["body"].values())


@pytest.mark.parametrize(("tr", "key"), [("US3", "U005930"), ("GSC", "82TSLA"), ("GSC", "82AAPL            82TSLA")])
async def test_a_key_without_its_padding_is_understood_and_answered_with_it(bench: Bench, tr: str, key: str) -> None:
    assert all(len(one) == (10 if tr == "US3" else 18) for one in keys_of(tr, key))
    socket = await bench.listen()
    await register(socket, await bench.token(), tr, key)
    async with playing(bench):
        frame = await hear(socket, pushed(tr))
    assert frame["header"]["tr_key"] in keys_of(tr, key)


def test_codes_written_together_come_apart() -> None:
    assert keys_of("S3_", "005930000660") == ["005930", "000660"]
    assert keys_of("NS3", "N005930   N000660   ") == ["N005930   ", "N000660   "]
    assert keys_of("JIF", "whatever") == ["0"]


async def test_nxt_calls_its_trades_its_own_and_has_no_funds(bench: Bench) -> None:
    socket = await bench.listen()
    for key in ("N069500   ", "N005930   "):
        await register(socket, await bench.token(), "NS3", key)
    async with playing(bench):
        frames = [await hear(socket, pushed("NS3")) for _ in range(3)]
    assert {frame["header"]["tr_key"] for frame in frames} == {"N005930   "}
    assert {(frame["body"]["exchname"], frame["body"]["ex_shcode"]) for frame in frames} == {("NXT", "N005930")}


@pytest.mark.parametrize("tr", ["GSC", "GSH", "AS0"])
async def test_mock_trading_has_no_us_streams(bench: Bench, tr: str) -> None:
    socket = await bench.listen()
    ack = await register(socket, await bench.token(MOCK_KEY), tr, "82TSLA", "1" if tr == "AS0" else "3")
    assert ack["header"]["rsp_cd"] == "01900"


async def test_compat_takes_an_account_registration_that_names_no_notice(bench: Bench) -> None:
    socket = await bench.listen()
    assert (await register(socket, await bench.token(), "", "", "1"))["header"]["rsp_cd"] == "00000"
    assert (await register(socket, await bench.token(), "", "", "3"))["header"]["rsp_cd"] == "IGW00215"
    number = await bench.rest_order()
    async with playing(bench):
        assert (await hear(socket, pushed("SC0")))["body"]["ordno"] == str(number)


# -- the life of a US order


async def us_order(bench: Bench, tr: str = "COSAT00301", **changed: Any) -> int:
    said = await bench.call(tr, body(bench, tr, **changed))
    assert said.body["rsp_cd"].startswith("00"), said.body
    return int(said.body[f"{tr}OutBlock2"]["OrdNo"])


@pytest.mark.parametrize("registered", ["AS0", "AS1", "AS2", "AS3", "AS4"])
async def test_any_us_notice_registers_all(bench: Bench, registered: str) -> None:
    socket = await bench.listen()
    await register(socket, await bench.token(), registered, "", "1")
    blank = {"OrdMktCode": "", "IsuNo": "", "OrdQty": 0}
    async with playing(bench):
        resting = await us_order(bench)
        received = await hear(socket, pushed("AS0"))
        child = await us_order(bench, "COSAT00311", OrgOrdNo=resting, **blank)
        amended = await hear(socket, pushed("AS2"))
        request = await us_order(bench, OrdPtnCode="08", OrgOrdNo=child, **blank)
        canceled = await hear(socket, pushed("AS3"))
        bought = await us_order(bench, IsuNo="TSLA", OvrsOrdPrc=float(bench.last("TSLA") + 20), OrdQty=1)
        filled = await hear(socket, pushed("AS1"))
    assert "tr_key" not in received["header"]
    assert (received["body"]["sOrdNo"], received["body"]["sOrdxctPtnCode"]) == (str(resting), "01")
    assert (amended["body"]["sOrdNo"], amended["body"]["sOrgOrdNo"]) == (str(child), str(resting))
    assert Decimal(amended["body"]["sMdfyCnfPrc"]) == Decimal("101")
    assert (canceled["body"]["sOrdNo"], canceled["body"]["sOrgOrdNo"]) == (str(request), str(child))
    assert canceled["body"]["sCancCnfQty"] == "3"
    (execution,) = bench.exchange.executions(bench.account(), bought)
    assert (filled["body"]["sOrdNo"], filled["body"]["sExecQty"]) == (str(bought), "1")
    assert Decimal(filled["body"]["sExecPrc"]) == execution.price
    assert set(received["body"]) == set(KEYS["AS0"])
    for frame in (amended, canceled, filled):
        assert set(frame["body"]) == set(KEYS["AS1"])
        assert all(isinstance(value, str) for value in frame["body"].values())


@pytest.mark.parametrize(("symbol", "market", "tr"), [("005930", Market.KRX, "SC4"), ("TSLA", Market.US, "AS4")])
async def test_a_day_order_that_the_exchange_throws_out_is_told_as_rejected(
    bench: Bench, symbol: str, market: Market, tr: str
) -> None:
    account, now = bench.account(), datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
    order = ExOrder(
        7, None, account.id, market, symbol, Venue.KRX, Side.BUY, 10, Decimal(100), OrderType.LIMIT, TimeInForce.DAY,
        ExKind.NEW, ExStatus.CANCELED, now, now, now, canceled=10,
    )  # fmt: skip
    listing = bench.exchange.listing(symbol)
    assert listing is not None
    cash = CashView(Currency.KRW, Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    told = Told(OrderEvent(EventKind.CANCELED, account, order, now), listing, cash, [], "00")
    ((name, said),) = (notices if market is Market.KRX else us_notices)(told)
    assert name == tr
    kind, quantity = ("ordxctptncode", "rjtqty") if market is Market.KRX else ("sOrdxctPtnCode", "sRjtQty")
    assert (said[kind], said[quantity]) == ("14", "10")
    documented = KEYS["SC1" if market is Market.KRX else "AS1"]
    assert set(said) <= set(documented)


# -- what no trade tells


class Ear:
    """A registry with one listener that is not a socket."""

    def __init__(self, *channels: tuple[str, str]) -> None:
        self.registry = Registry()
        self.client = Client(None, None)  # type: ignore[arg-type]
        self.registry.enter(self.client)
        for channel in channels:
            self.registry.add(self.client, channel)

    def heard(self) -> list[str]:
        return [self.client.queue.get_nowait().frame for _ in range(self.client.queue.qsize())]


async def test_a_vi_is_told_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    clock = HandClock()
    async with open_bench(tmp_path, clock=clock) as bench:
        ear = Ear(("VI_", "005930"), ("YS3", "005930"))
        watch = Watch(bench.exchange, ear.registry)
        watch.look(clock.at, clock.at)
        assert ear.heard() == []
        bench.exchange.interrupt("005930")
        clock.at += timedelta(seconds=30)
        bench.exchange.advance()
        watch.look(clock.at, clock.at)
        frames = ear.heard()
        assert '"vi_gubun": "2"' in frames[0]
        clock.at += timedelta(minutes=5)
        bench.exchange.advance()
        watch.look(clock.at, clock.at)
        assert any('"vi_gubun": "0"' in frame for frame in ear.heard())


async def test_a_circuit_breaker_is_told_in_its_steps(tmp_path: Path) -> None:
    clock = HandClock()
    async with open_bench(tmp_path, clock=clock) as bench:
        ear = Ear(("JIF", "0"), ("VI_", "005930"))
        watch = Watch(bench.exchange, ear.registry)
        said = []
        bench.exchange.break_circuit(Market.KRX, True)
        for minutes in (1, 20, 11):
            clock.at += timedelta(minutes=minutes)
            bench.exchange.advance()
            watch.look(clock.at, clock.at)
            said.append([frame.partition('"jstatus": "')[2][:2] for frame in ear.heard() if '"JIF"' in frame])
        assert said == [["61", "61"], ["62", "62"], ["63", "63"]]


async def test_an_auction_shows_what_it_would_trade(tmp_path: Path) -> None:
    clock = HandClock()
    async with open_bench(tmp_path, clock=clock) as bench:
        ear = Ear(("YS3", "005930"), ("UYS", "U005930   "), ("YK3", "005930"))
        watch = Watch(bench.exchange, ear.registry)
        bench.exchange.interrupt("005930")
        clock.at += timedelta(seconds=30)
        await bench.order(OrdPrc=0, OrdprcPtnCode="03", OrdQty=10)
        watch.look(clock.at, clock.at)
        expected = bench.exchange.expected("005930")
        frames = ear.heard()
        assert expected is not None
        assert len(frames) == 2
        assert f'"yeprice": "{int(expected[0])}"' in frames[0]
        quote = (await bench.call("t1101", body(bench, "t1101"))).body["t1101OutBlock"]
        assert (quote["yeprice"], quote["yevolume"]) == (int(expected[0]), expected[1])


async def test_strict_tells_the_days_hours_by_the_exchanges_clock(tmp_path: Path) -> None:
    before = datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC)  # 08:59:59 in Seoul
    async with open_bench(tmp_path, Profile.STRICT, HandClock(before)) as bench:
        ear = Ear(("JIF", "0"))
        watch = Watch(bench.exchange, ear.registry)
        watch.look(before, before + timedelta(seconds=2))
        assert [
            f'"jangubun": "{board}", "jstatus": "21"' in frame for board, frame in zip("12", ear.heard(), strict=True)
        ]
        opening = datetime(2026, 3, 10, 13, 29, 59, tzinfo=UTC)  # New York, summer time
        watch.look(opening, opening + timedelta(seconds=2))
        assert '"jangubun": "9", "jstatus": "21"' in ear.heard()[0]


async def test_compat_without_sessions_tells_no_hours(bench: Bench) -> None:
    ear = Ear(("JIF", "0"))
    before = datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC)
    Watch(bench.exchange, ear.registry).look(before, before + timedelta(seconds=2))
    assert ear.heard() == []


def test_nobody_is_sent_what_the_last_listener_left() -> None:
    ear = Ear(("S3_", "005930"))
    ear.registry.leave(ear.client)
    assert ear.registry.wanted([("S3_", "005930")]) == []
