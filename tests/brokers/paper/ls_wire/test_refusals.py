"""Every refusal of ls.md §6 that our exchange can give: its code, its HTTP status, and that nothing was placed."""

from decimal import Decimal

import pytest

from brokers.paper.accounts import ExEnv
from brokers.paper.ls_wire.refusals import rejected
from brokers.paper.orders import Reject, RejectReason
from shared.domain.account import BrokerName, Market
from tests.brokers.ls.documented import REQUESTS
from tests.brokers.paper.ls_wire.bench import LIVE_KEY, MOCK_KEY, Bench

T1102 = REQUESTS["t1102"]


def placed(bench: Bench, key: str = LIVE_KEY) -> int:
    return len(bench.exchange.open_orders(bench.account(key), Market.KRX))


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": None}, "IGW00205"),
        ({"authorization": "nobearer"}, "IGW00205"),
        ({"authorization": "Bearer unknown"}, "IGW00121"),
        ({"tr_cd": None}, "IGW00214"),
        ({"tr_cd": "t9999"}, "IGW00215"),
        ({"tr_cd": "T1102"}, "IGW00215"),
        ({"tr_cont": None}, "IGW40010"),
        ({"tr_cont": "X"}, "IGW40010"),
    ],
)
async def test_the_gateway_refuses_before_the_tr_runs(bench: Bench, headers: dict[str, str | None], code: str) -> None:
    said = await bench.call("t1102", T1102, headers=headers)
    assert (said.status, said.code) == (500, code)


async def test_a_known_tr_on_a_wrong_path_cannot_be_routed(bench: Bench) -> None:
    said = await bench.call("t1102", T1102, path="/stock/accno")
    assert (said.status, said.code) == (500, "IGW50008")


async def test_an_expired_token_is_told_apart_from_an_unknown_one(bench: Bench) -> None:
    token = bench.exchange.issue_token(BrokerName.LS, ExEnv.LIVE, LIVE_KEY, -1.0)
    said = await bench.call("t1102", T1102, headers={"authorization": f"Bearer {token.value}"})
    assert (said.status, said.code) == (500, "IGW00123")


@pytest.mark.parametrize(
    ("tr", "body", "code"),
    [
        ("t1102", {}, "IGW40013"),
        ("t0425", {"t0425InBlock": {"expcode": "", "chegb": "0", "medosu": "0", "cts_ordno": ""}}, "IGW40013"),
        ("t8407", {"t8407InBlock": {"nrec": 1, "shcode": "005930000660"}}, "IGW40011"),
    ],
)
async def test_a_request_that_lacks_something_is_refused(bench: Bench, tr: str, body: object, code: str) -> None:
    said = await bench.call(tr, body)
    assert (said.status, said.code) == (500, code)


async def test_an_unknown_symbol_has_no_data(bench: Bench) -> None:
    for symbol in ("999999", "AAPL"):
        said = await bench.call("t1102", {"t1102InBlock": {"shcode": symbol, "exchgubun": "K"}})
        assert (said.status, said.code) == (200, "00009")
        assert "t1102OutBlock" not in said.body


@pytest.mark.parametrize(
    ("changed", "live", "mock"),
    [
        ({"IsuNo": "A999999"}, "01407", "01407"),
        ({"IsuNo": ""}, "01407", "01407"),
        ({"BnsTpCode": None}, "01580", "01580"),
        ({"OrdQty": 0}, "02706", "02706"),
        ({"OrdPrc": 0}, "02705", "02705"),
        ({"OrdPrc": 70001}, "02705", "02705"),
        ({"OrdPrc": 900000}, "03180", "01427"),
        ({"OrdPrc": 100}, "03181", "01427"),
        ({"OrdprcPtnCode": "12"}, "02030", "02030"),
        ({"OrdCndiTpCode": ""}, "01401", "01401"),
        ({"MgntrnCode": "003"}, "01389", "01389"),
        ({"OrdQty": 100_000}, "02752", "01425"),
        ({"BnsTpCode": "1"}, "01584", "01222"),
    ],
)
async def test_a_refused_order_echoes_the_input_and_places_nothing(
    bench: Bench, changed: dict[str, object], live: str, mock: str
) -> None:
    for key, code in ((LIVE_KEY, live), (MOCK_KEY, mock)):
        said = await bench.order(key, **changed)
        assert (said.status, said.code) == (200, code)
        assert said.body["CSPAT00601OutBlock2"]["OrdNo"] == 0
        assert said.body["CSPAT00601OutBlock2"]["OrdTime"] == ""
        assert said.body["CSPAT00601OutBlock1"]["AcntNo"] == bench.account(key).number
        assert said.body["rsp_msg"].startswith("모의투자 ") is (key == MOCK_KEY)
        assert placed(bench, key) == 0


async def test_mock_trading_takes_prefixed_codes_only(bench: Bench) -> None:
    assert (await bench.order(MOCK_KEY, IsuNo="005930")).code == "01407"
    assert (await bench.order(LIVE_KEY, IsuNo="005930")).code == "00040"


async def test_a_halted_share_takes_no_orders(bench: Bench) -> None:
    bench.exchange.tape.halt("005930", True)
    assert (await bench.order()).code == "01069"


@pytest.mark.parametrize(("key", "unknown", "over"), [(LIVE_KEY, "02259", "02662"), (MOCK_KEY, "01433", "01442")])
async def test_amend_and_cancel_name_a_living_order_and_no_more_than_is_left(
    bench: Bench, key: str, unknown: str, over: str
) -> None:
    lower = int(bench.exchange.price_limits("005930")[0])  # type: ignore[index]
    number = await bench.rest_order(key)
    assert (await bench.cancel(number + 7, key=key)).code == unknown
    assert (await bench.amend(number + 7, lower + 100, key=key)).code == unknown
    assert (await bench.cancel(number, 11, key=key)).code == over
    assert (await bench.amend(number, lower + 100, 11, key=key)).code == over
    assert (await bench.cancel(number, key=key, isu_no="A000660")).code == "02263"
    assert (await bench.cancel(number, 0, key=key)).code == "02706"
    assert placed(bench, key) == 1


@pytest.mark.parametrize(("key", "code"), [(LIVE_KEY, "02265"), (MOCK_KEY, "01433")])
async def test_the_parent_of_an_amended_order_is_dead(bench: Bench, key: str, code: str) -> None:
    lower = int(bench.exchange.price_limits("005930")[0])  # type: ignore[index]
    number = await bench.rest_order(key)
    await bench.amend(number, lower + 100, key=key)
    said = await bench.cancel(number, key=key)
    assert said.code == code
    assert said.body["CSPAT00801OutBlock2"]["OrdNo"] == 0


async def test_an_amendment_must_change_a_limit_order_into_another_limit(bench: Bench) -> None:
    lower = int(bench.exchange.price_limits("005930")[0])  # type: ignore[index]
    number = await bench.rest_order()
    assert (await bench.amend(number, lower)).code == "02257"
    assert (await bench.amend(number, 0)).code == "02705"
    assert (await bench.amend(number, lower + 100, OrdprcPtnCode="03")).code == "02030"
    assert (await bench.amend(number, lower + 100, OrdCndiTpCode="")).code == "01401"
    said = await bench.amend(number, lower + 100, OrdprcPtnCode="")
    assert (said.status, said.code) == (500, "IGW00000")


async def test_nobody_touches_the_order_of_another_account(bench: Bench) -> None:
    number = await bench.rest_order(LIVE_KEY)
    assert (await bench.cancel(number, key="PSother0000000000001")).code == "02259"
    assert placed(bench) == 1


def test_a_closed_market_says_which_end_of_the_day_it_is() -> None:
    reject = Reject(RejectReason.MARKET_CLOSED, "closed")

    def code(env: ExEnv, before_open: bool) -> str:
        return rejected(reject, env, price=None, limits=None, before_open=before_open).code

    assert (code(ExEnv.LIVE, True), code(ExEnv.LIVE, False), code(ExEnv.MOCK, True)) == ("03589", "03590", "01458")


@pytest.mark.parametrize("env", list(ExEnv))
@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize("reason", list(RejectReason))
def test_every_reason_of_the_engine_has_a_code(reason: RejectReason, market: Market, env: ExEnv) -> None:
    limits = (Decimal(50), Decimal(150))
    said = rejected(Reject(reason, ""), env, price=Decimal(200), limits=limits, before_open=True, market=market)
    assert len(said.code) == 5
    assert said.status == 200
