"""What only LS has: the key decides the side, executions have numbers, mock trading has no US shares."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers import open_broker
from brokers.contract import Credentials, StreamUp
from brokers.ls.krx import LsKrx
from shared.clock import SystemClock
from shared.domain.account import AccountKey, BrokerName, Environment, Market, Wire
from shared.domain.errors import AuthRefused, ConfigError, DoorClosed, OutcomeUnknown
from shared.domain.order import OrderNotice, OrderType, Side
from tests.brokers.exchange import Exchange
from tests.brokers.ls.conftest import LIVE_LIKE, MOCK_LIKE, Open, broker_of, notices
from tests.brokers.rig import MemoryTokens, until


@pytest.mark.parametrize(("app_key", "wire"), [(MOCK_LIKE, Wire.LIVE), (LIVE_LIKE, Wire.MOCK)])
async def test_a_key_of_the_other_side_starts_nothing(exchange: Exchange, app_key: str, wire: Wire) -> None:
    mark = exchange.mark()
    broker = broker_of(app_key, wire, exchange.offset)
    with pytest.raises(AuthRefused):
        await broker.start()
    with pytest.raises(AuthRefused):
        await broker.place_order("005930", Side.BUY, 1, Decimal(60000))
    await broker.close()
    assert exchange.events(mark, "ORDER") == []


async def test_mock_trading_trades_with_its_own_codes(started: Open) -> None:
    broker, heard = await started(MOCK_LIKE, Wire.MOCK)
    ack = await broker.place_order("005930", Side.BUY, 2, None, order_type=OrderType.MARKET)
    await until(lambda: bool(notices(heard, ack.broker_order_id, "filled")))
    resting = await broker.place_order("005930", Side.BUY, 2, Decimal(60000))
    order = next(o for o in await broker.get_open_orders() if o.broker_order_id == resting.broker_order_id)
    amended = await broker.amend_order(order, 2, Decimal(60100))
    (child,) = await broker.get_open_orders()
    await broker.cancel_order(child, 2)
    await until(lambda: any(isinstance(e, OrderNotice) and e.kind == "canceled" for e in heard))
    assert notices(heard, amended.broker_order_id, "amended")
    assert await broker.get_open_orders() == []


async def test_mock_trading_tells_todays_orders_only(started: Open) -> None:
    broker, heard = await started(MOCK_LIKE, Wire.MOCK)
    ack = await broker.place_order("005930", Side.BUY, 1, None, order_type=OrderType.MARKET)
    await until(lambda: bool(notices(heard, ack.broker_order_id, "filled")))
    today = SystemClock().market_now().date()
    listed = await broker.get_executions(today - timedelta(days=3), today + timedelta(days=1))
    assert ack.broker_order_id in [order.broker_order_id for order in listed]


async def test_every_execution_has_its_own_number_and_they_add_up(started: Open) -> None:
    broker, heard = await started(LIVE_LIKE)
    ack = await broker.place_order("005930", Side.BUY, 1000, None, order_type=OrderType.MARKET)

    def fills() -> list[OrderNotice]:
        return notices(heard, ack.broker_order_id, "filled")

    await until(lambda: sum(n.fill.quantity for n in fills() if n.fill) == 1000)
    ids = [n.fill.execution_id for n in fills() if n.fill]
    assert len(ids) == len(set(ids)) > 1
    today = SystemClock().market_now().date()
    listed = await broker.get_executions(today - timedelta(days=1), today + timedelta(days=1))
    order = next(o for o in listed if o.broker_order_id == ack.broker_order_id)
    paid = sum((n.fill.price * n.fill.quantity for n in fills() if n.fill), Decimal(0))
    assert order.filled_quantity == 1000
    assert order.average_fill_price is not None
    assert abs(order.average_fill_price - paid / 1000) < 1  # t0425 gives whole won


async def test_a_notice_told_twice_has_one_execution_id(started: Open, exchange: Exchange) -> None:
    broker, heard = await started(LIVE_LIKE)
    exchange.fault("duplicate", {"broker": "LS", "channel": "ws", "tr": "SC1"})
    ack = await broker.place_order("005930", Side.BUY, 1, None, order_type=OrderType.MARKET)
    await until(lambda: len(notices(heard, ack.broker_order_id, "filled")) == 2)
    assert len({n.fill.execution_id for n in notices(heard, ack.broker_order_id, "filled") if n.fill}) == 1


async def test_a_throttled_order_is_unknown_and_not_sent_again(started: Open, exchange: Exchange) -> None:
    broker, _ = await started(LIVE_LIKE)
    await broker.get_instrument("005930")
    body = {"rsp_cd": "IGW00201", "rsp_msg": "호출 거래건수를 초과하였습니다."}
    exchange.fault("status", {"broker": "LS", "channel": "rest", "tr": "CSPAT00601"}, {"status": 500, "body": body})
    mark = exchange.mark()
    with pytest.raises(OutcomeUnknown):
        await broker.place_order("005930", Side.BUY, 1, Decimal(60000))
    assert exchange.events(mark, "ORDER") == []
    await broker.place_order("005930", Side.BUY, 1, Decimal(60000))
    assert len(exchange.events(mark, "ORDER")) == 1


async def test_an_order_goes_unchecked_when_the_master_cannot_be_had(started: Open, exchange: Exchange) -> None:
    broker, _ = await started(LIVE_LIKE)
    body = {"rsp_cd": "IGW40013", "rsp_msg": "…"}
    exchange.fault("status", {"broker": "LS", "channel": "rest", "tr": "t8436"}, {"status": 500, "body": body})
    mark = exchange.mark()
    await broker.place_order("005930", Side.BUY, 1, Decimal(60000))
    assert len(exchange.events(mark, "ORDER")) == 1


async def test_an_exit_does_not_wait_for_a_master_that_hangs(
    started: Open, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brokers.ls.krx.LIST_WAIT_S", 0.2)
    broker, _ = await started("PShang0000000000000")
    exchange.fault("hang", {"broker": "LS", "channel": "rest", "tr": "t8436"}, {"seconds": 30})
    mark = exchange.mark()
    await broker.place_order("005930", Side.BUY, 1, Decimal(60000))
    assert len(exchange.events(mark, "ORDER")) == 1


async def test_the_stream_comes_back_with_a_new_token(started: Open) -> None:
    broker, heard = await started(LIVE_LIKE)
    assert isinstance(broker, LsKrx)
    await broker.subscribe("005930")
    heard.clear()
    await broker._stream.reconnect()
    await until(lambda: any(isinstance(event, StreamUp) for event in heard))
    await until(lambda: any(type(event).__name__ == "Tick" for event in heard))


def test_us_shares_in_mock_trading_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="LS US has no MOCK"):
        AccountKey(1, BrokerName.LS, Market.US, Environment.MOCK, 1)
    with pytest.raises(ConfigError, match="미국주식이 없습니다"):
        broker_of(LIVE_LIKE, Wire.MOCK, market=Market.US)


def test_credentials_without_a_key_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="app key"):
        broker_of("")


@pytest.mark.parametrize("environment", [Environment.SIM, Environment.MOCK, Environment.LIVE])
def test_an_unknown_address_name_is_refused(environment: Environment) -> None:
    with pytest.raises(DoorClosed):
        open_broker(
            AccountKey(1, BrokerName.LS, Market.KRX, environment, 1),
            Credentials("k", "s", ""),
            clock=SystemClock(),
            token_store=MemoryTokens(),
            call_log=None,
            host_override={"proxy": "http://127.0.0.1:18080"},
        )
