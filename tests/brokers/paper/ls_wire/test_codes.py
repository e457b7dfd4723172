"""TR × code: every code that ls.md §6 lists, from every TR it can come from.

What a state or a request can bring about is brought about; the rest is said by the fault plan, as on the admin door.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.ls_wire.blocks import BLOCKS
from brokers.paper.ls_wire.trs import TRS
from shared.domain.account import BrokerName, Market
from tests.brokers.paper.floor_rig import HandClock
from tests.brokers.paper.ls_wire.bench import LIVE_KEY, MOCK_KEY, Bench, Said, open_bench
from tests.brokers.paper.ls_wire.cases import CASES, body

Produce = Callable[[Bench], Awaitable[Said]]
GATEWAY = [
    "IGW00121", "IGW00123", "IGW00205", "IGW00201", "IGW00214", "IGW00215", "IGW40010", "IGW40011", "IGW40013",
    "IGW40014", "IGW50008", "IGW00000",
]  # fmt: skip
BUSINESS = [
    "01401",
    "01407",
    "01425",
    "01427",
    "01433",
    "01442",
    "01458",
    "01491",
    "01715",
    "01900",
    "02611",
    "02752",
    "03181",
    "03180",
    "904",
    "405",
    "80001",
    "01219",
    "01221",
    "01222",
    "01584",
    "01264",
    "02714",
    "02705",
    "02706",
    "01065",
    "01589",
    "01604",
    "01069",
    "01072",
    "01590",
    "01832",
    "01586",
    "01612",
    "01149",
    "01150",
    "01151",
    "01152",
    "01153",
    "01154",
    "03570",
    "01888",
    "01891",
    "01892",
    "01890",
    "01893",
    "01580",
    "01581",
    "01582",
    "01606",
    "01983",
    "02030",
    "04389",
    "04390",
    "04391",
    "04392",
    "04393",
    "04394",
    "04395",
    "02031",
    "02257",
    "02258",
    "02259",
    "02263",
    "02265",
    "02453",
    "01081",
    "02662",
    "03563",
    "03589",
    "03590",
    "03561",
    "03564",
    "03688",
    "03689",
    "04386",
    "01389",
    "02046",
    "02098",
    "03076",
    *(f"{code:05}" for code in range(4055, 4063)),
]
READ_BUSINESS = ["00009", "00200", "00707", "01715", "01900", "904", "405", "80001"]
ORDERS = sorted(tr for tr, row in TRS.items() if row.is_order)
READS = sorted(set(TRS) - set(ORDERS))


# -- what a request or a state brings about


def ask(tr: str, key: str = LIVE_KEY, **changed: Any) -> Produce:
    return lambda bench: bench.call(tr, body(bench, tr, **changed), key=key)


def new(key: str = LIVE_KEY, **changed: Any) -> Produce:
    return ask("CSPAT00601", key, **changed)


def child(tr: str, key: str = LIVE_KEY, *, after: str = "", **changed: Any) -> Produce:
    """Amend or cancel a resting order, after it was `cancelled` where that is said."""

    async def produce(bench: Bench) -> Said:
        number = await bench.rest_order(key)
        if after == "cancel":
            await bench.cancel(number, key=key)
        return await bench.call(tr, body(bench, tr, **{"OrgOrdNo": number, **changed}), key=key)

    return produce


def us_child(tr: str, *, after: str = "", **changed: Any) -> Produce:
    async def produce(bench: Bench) -> Said:
        said = await bench.call("COSAT00301", body(bench, "COSAT00301"))
        number = said.body["COSAT00301OutBlock2"]["OrdNo"]
        if after == "cancel":
            await bench.call("COSAT00301", body(bench, "COSAT00301", OrdPtnCode="08", OrgOrdNo=number, OrdQty=0))
        more = {"OrdPtnCode": "08"} if tr == "COSAT00301" else {}
        return await bench.call(tr, body(bench, tr, **{"OrgOrdNo": number, **more, **changed}))

    return produce


def halted(symbol: str, produce: Produce) -> Produce:
    def with_halt(bench: Bench) -> Awaitable[Said]:
        bench.exchange.move(symbol, halted=True)
        return produce(bench)

    return with_halt


CHILD_CODES = {
    "01433": {"OrgOrdNo": 999_999, "key": MOCK_KEY},
    "02259": {"OrgOrdNo": 999_999},
    "02263": {"IsuNo": "A000660"},
    "02265": {"after": "cancel"},
    "02662": {"OrdQty": 11},
    "01442": {"OrdQty": 11, "key": MOCK_KEY},
    "02706": {"OrdQty": 0},
}
NATURAL: dict[str, dict[str, Produce]] = {
    "CSPAT00601": {
        "01401": new(OrdCndiTpCode=""),
        "01407": new(MOCK_KEY, IsuNo="005930"),
        "01580": new(BnsTpCode=None),
        "02706": new(OrdQty=0),
        "02705": new(OrdPrc=60_001),
        "03180": new(OrdPrc=900_000),
        "03181": new(OrdPrc=100),
        "01427": new(MOCK_KEY, OrdPrc=900_000),
        "02030": new(OrdprcPtnCode="61"),
        "01389": new(MgntrnCode="003"),
        "02752": new(OrdQty=100_000),
        "01425": new(MOCK_KEY, OrdQty=100_000),
        "01584": new(BnsTpCode="1"),
        "01222": new(MOCK_KEY, BnsTpCode="1"),
        "01069": halted("005930", new()),
        "01065": new(IsuNo="A069500", OrdPrc=36_000, MbrNo="NXT"),
        "01219": new(MOCK_KEY, IsuNo="A069500", OrdPrc=36_000, MbrNo="NXT"),
    },
    "CSPAT00701": {code: child("CSPAT00701", **how) for code, how in CHILD_CODES.items()}  # type: ignore[arg-type]
    | {
        "01401": child("CSPAT00701", OrdCndiTpCode=""),
        "02030": child("CSPAT00701", OrdprcPtnCode="61"),
        "02705": child("CSPAT00701", OrdPrc=60_001),
        "03180": child("CSPAT00701", OrdPrc=900_000),
        "03181": child("CSPAT00701", OrdPrc=100),
        "01427": child("CSPAT00701", MOCK_KEY, OrdPrc=900_000),
    },
    "CSPAT00801": {code: child("CSPAT00801", **how) for code, how in CHILD_CODES.items()},  # type: ignore[arg-type]
    "COSAT00301": {
        "01407": ask("COSAT00301", IsuNo="NOSUCH"),
        "01580": ask("COSAT00301", OrdPtnCode="07"),
        "02706": ask("COSAT00301", OrdQty=0),
        "02705": ask("COSAT00301", OvrsOrdPrc=0.0),
        "02030": ask("COSAT00301", OrdprcPtnCode="M3"),
        "02752": ask("COSAT00301", OrdQty=100_000),
        "01584": ask("COSAT00301", OrdPtnCode="01"),
        "01069": halted("TSLA", ask("COSAT00301")),
        "01900": ask("COSAT00301", MOCK_KEY),
        "02259": us_child("COSAT00301", OrgOrdNo=999_999),
        "02263": us_child("COSAT00301", IsuNo="AAPL"),
        "02265": us_child("COSAT00301", after="cancel"),
        "02662": us_child("COSAT00301", OrdQty=99),
    },
    "COSAT00311": {
        "01580": us_child("COSAT00311", OrdPtnCode="02"),
        "01900": ask("COSAT00311", MOCK_KEY),
        "02257": us_child("COSAT00311", OvrsOrdPrc=100.0),
        "02259": us_child("COSAT00311", OrgOrdNo=999_999),
        "02263": us_child("COSAT00311", IsuNo="AAPL"),
        "02265": us_child("COSAT00311", after="cancel"),
        "02705": us_child("COSAT00311", OvrsOrdPrc=0.0),
        "02706": us_child("COSAT00311", OrdQty=1),
    },
    **{
        tr: {"00009": ask(tr, shcode="999999")}
        for tr in ("t1101", "t1102", "t8450", "t1301", "t8454", "t1302", "t1305", "t8410", "t8451", "t8412", "t8452")
    },
    **{tr: {"00009": ask(tr, gubun="9")} for tr in ("t8436", "t8430", "t9945")},
    "t8407": {"00009": ask("t8407", shcode="005930999999")},
    "CSPBQ00200": {"00009": ask("CSPBQ00200", IsuNo="A999999")},
    "CSPAQ13700": {
        "00200": ask("CSPAQ13700", OrdDt="20200102"),
        "00707": ask("CSPAQ13700", MOCK_KEY),
        "01715": ask("CSPAQ13700", OrdDt="someday"),
    },
    "t0151": {"01715": ask("t0151", date="")},
    "FOCCQ33600": {"01900": ask("FOCCQ33600", MOCK_KEY)},
    "COSAQ00102": {
        "00200": ask("COSAQ00102", OrdDt="20200102"),
        "01715": ask("COSAQ00102", OrdDt="someday"),
        "01900": ask("COSAQ00102", MOCK_KEY),
    },
    "COSOQ02701": {"01900": ask("COSOQ02701", MOCK_KEY)},
    **{
        tr: {"00009": ask(tr, keysymbol="81TSLA", exchcd="81"), "00707": ask(tr, MOCK_KEY)}
        for tr in ("g3101", "g3102", "g3104", "g3106", "g3202", "g3203", "g3204")
    },
    "g3103": {"00009": ask("g3103", MOCK_KEY)},
    "g3190": {"00009": ask("g3190", natcode="JP"), "00707": ask("g3190", MOCK_KEY)},
}


def longest(tr: str) -> dict[str, Any]:
    """The TR's first text field, one character too long."""
    one = next(one for one in BLOCKS[f"{tr}{CASES[tr].block}"] if one.kind == "S")
    return {one.name: "0" * (one.length + 1)}


def expired(bench: Bench) -> dict[str, str | None]:
    token = bench.exchange.issue_token(BrokerName.LS, ExEnv.LIVE, LIVE_KEY, -1.0)
    return {"authorization": f"Bearer {token.value}"}


async def refused_at_the_gateway(bench: Bench, tr: str, code: str) -> Said | None:
    """Bring `code` about, or None where no request and no state of ours can."""
    headers: dict[str, dict[str, str | None]] = {
        "IGW00121": {"authorization": "Bearer no-such-token"},
        "IGW00205": {"authorization": "no-bearer"},
        "IGW00214": {"tr_cd": None},
        "IGW00215": {"tr_cd": tr.swapcase()},
        "IGW40010": {"tr_cont": None},
    }
    if code in headers:
        return await bench.call(tr, body(bench, tr), path=TRS[tr].path, headers=headers[code])
    if code == "IGW00123":
        return await bench.call(tr, body(bench, tr), headers=expired(bench))
    if code == "IGW40011":
        return await bench.call(tr, body(bench, tr, **longest(tr)))
    if code == "IGW40013" and not TRS[tr].may_be_empty:
        return await bench.call(tr, {})
    if code == "IGW50008":
        return await bench.call(tr, body(bench, tr), path="/stock/nowhere")
    if (code, tr) == ("IGW40014", "COSOQ00201"):
        return await bench.call(tr, body(bench, tr), key=MOCK_KEY)
    if (code, tr) == ("IGW00000", "CSPAT00701"):
        return await child(tr, OrdprcPtnCode="")(bench)
    return None


def plan(bench: Bench, tr: str, code: str, status: int) -> None:
    """Let the next call of `tr` be answered with `code` and have no effect."""
    said = {"rsp_cd": code, "rsp_msg": "정해진 대답입니다."}
    action = "status" if status != 200 else "body"
    bench.exchange.faults.add(
        {"match": {"broker": "LS", "tr": tr}, "action": action, "args": {"status": status, "body": said}}
    )


def placed(bench: Bench) -> int:
    return sum(
        len(bench.exchange.open_orders(bench.account(key), market)) for key in (LIVE_KEY, MOCK_KEY) for market in Market
    )


@pytest.mark.parametrize("tr", sorted(TRS))
async def test_every_gateway_code_from_every_tr(bench: Bench, tr: str) -> None:
    for code in GATEWAY:
        said = await refused_at_the_gateway(bench, tr, code)
        if said is None:
            plan(bench, tr, code, 500)
            before = placed(bench)
            said = await bench.call(tr, body(bench, tr))
            assert placed(bench) == before
        assert (said.status, said.code) == (500, code), code
        assert not [name for name in said.body if "Block" in name]


@pytest.mark.parametrize("tr", ORDERS)
async def test_every_business_code_from_every_order_tr(bench: Bench, tr: str) -> None:
    for code in BUSINESS:
        natural = NATURAL[tr].get(code)
        if natural is None:
            plan(bench, tr, code, 200)
            before = placed(bench)
            said = await bench.call(tr, body(bench, tr))
            assert placed(bench) == before
        else:
            said = await natural(bench)
            for symbol in ("005930", "TSLA"):
                bench.exchange.move(symbol, halted=False)
            assert said.body.get(f"{tr}OutBlock2", {"OrdNo": 0})["OrdNo"] == 0
        assert (said.status, said.code) == (200, code), said.body


@pytest.mark.parametrize("tr", READS)
async def test_every_business_code_from_every_reading_tr(bench: Bench, tr: str) -> None:
    for code in READ_BUSINESS:
        natural = NATURAL.get(tr, {}).get(code)
        if natural is None:
            plan(bench, tr, code, 200)
            natural = ask(tr)
        said = await natural(bench)
        assert (said.status, said.code) == (200, code), said.body


def test_what_can_be_brought_about_is_of_a_listed_code() -> None:
    for tr, codes in NATURAL.items():
        assert set(codes) <= set(BUSINESS if tr in ORDERS else READ_BUSINESS), tr


NIGHT, MORNING = datetime(2026, 3, 10, 12, 30, tzinfo=UTC), datetime(2026, 3, 9, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "at", "code"),
    [
        (LIVE_KEY, MORNING, "03589"),
        (LIVE_KEY, NIGHT, "03590"),
        (MOCK_KEY, MORNING, "01458"),
        (MOCK_KEY, NIGHT, "01458"),
    ],
)
async def test_strict_keeps_the_hours_of_the_market(tmp_path: Path, key: str, at: datetime, code: str) -> None:
    async with open_bench(tmp_path, Profile.STRICT, HandClock(at)) as bench:
        bench.open_account(key)
        assert (await new(key)(bench)).code == code


async def test_strict_keeps_the_hours_of_the_us_market(tmp_path: Path) -> None:
    async with open_bench(tmp_path, Profile.STRICT, HandClock(datetime(2026, 3, 10, 2, 0, tzinfo=UTC))) as bench:
        bench.open_account()
        assert (await ask("COSAT00301")(bench)).code == "02611"


@pytest.mark.parametrize("tr", sorted(TRS))
async def test_strict_counts_the_calls_of_a_second(tmp_path: Path, tr: str) -> None:
    clock = HandClock(datetime(2026, 3, 10, 2, 0, tzinfo=UTC))
    async with open_bench(tmp_path, Profile.STRICT, clock) as bench:
        bench.open_account()
        codes = [(await bench.call(tr, body(bench, tr))).code for _ in range(TRS[tr].per_s + 1)]
        assert "IGW00201" not in codes[:-1]
        assert codes[-1] == "IGW00201"
        clock.at = datetime(2026, 3, 10, 2, 0, 1, tzinfo=UTC)
        assert (await bench.call(tr, body(bench, tr))).code != "IGW00201"


async def test_compat_counts_nothing(bench: Bench) -> None:
    codes = {(await bench.call("CSPAQ12200", body(bench, "CSPAQ12200"))).code for _ in range(5)}
    assert codes == {"00136"}


async def test_a_refusal_of_a_real_price_band_names_its_side(bench: Bench) -> None:
    lower, upper = bench.exchange.price_limits("005930") or (Decimal(0), Decimal(0))
    assert (await new(OrdPrc=int(upper) + 100)(bench)).code == "03180"
    assert (await new(OrdPrc=int(lower) - 100)(bench)).code == "03181"
