"""Orders, fills, holdings and cash of US shares in LS's words, both ways. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from brokers.ls import tr
from brokers.ls.account_krx import merged, shares
from brokers.ls.codec import Row, amount, instant, positive, required, rows, staged, text, whole
from brokers.ls.codec_us import NEW_YORK, Key, our_symbol
from shared.domain.errors import BadPrice, NotSupported, WireError
from shared.domain.money import Currency
from shared.domain.order import PRICED, BrokerOrder, Cash, OrderType, Position, Side, TimeInForce

Block = dict[str, str | int | float]
DECIMALS = 4  # of a US price order
LAST_ORDER = 999999999
NIGHT_ENDS = "090000"
CLOCKS_APART = timedelta(seconds=5)  # a row of this moment may bear a stamp that is still to come


def encode_order(
    key: Key, side: Side, quantity: int, price: Decimal | None, order_type: OrderType, time_in_force: TimeInForce
) -> Block:
    """Write COSAT00301InBlock1.

    Raises:
        NotSupported: LS has no such order type for this side, or IOC and FOK (it has neither for US shares).
        BadPrice: missing, too many, or finer than LS takes. OrderRejected: not a number of shares.
    """
    if (price is not None) is not (order_type in PRICED):
        raise BadPrice(tr.LS, "-", f"a {order_type} order with price {price}", "name a price for limit orders only")
    code = tr.US_TYPE_TO_LS.get((order_type, side))
    if code is None or time_in_force is not TimeInForce.DAY:
        raise NotSupported(
            tr.LS,
            "-",
            f"LS증권 미국주식에는 {side} {order_type} {time_in_force} 주문이 없습니다 / "
            f"LS takes no US {order_type} {time_in_force} {side}",
            "다른 주문유형을 쓰십시오. / Use another order type.",
        )
    return {
        "RecCnt": 1,
        "OrdPtnCode": tr.US_BUY if side is Side.BUY else tr.US_SELL,
        "OrdMktCode": key.exchange,
        "IsuNo": key.ticker,
        "OrdQty": shares(quantity),
        "OvrsOrdPrc": 0 if price is None else dollars(price),
        "OrdprcPtnCode": code,
        "BrkTpCode": "",
    }


def encode_amend(key: Key, original: BrokerOrder, quantity: int, price: Decimal) -> Block:
    """Write COSAT00311InBlock1. LS changes the price only, of all that is left.

    Raises:
        NotSupported: another quantity than what is left.
    """
    if quantity != original.leaves_quantity:
        raise NotSupported(
            tr.LS,
            "-",
            "LS증권 미국주식은 가격만 정정합니다 / LS amends the price of a US order only, not its quantity",
            "취소하고 다시 내십시오. / Cancel it and order anew.",
        )
    code = tr.US_TYPE_TO_LS.get((original.order_type, original.side), tr.US_TYPE_TO_LS[OrderType.LIMIT, Side.BUY])
    return {**_change(tr.US_CHANGE, key, original, 0), "OvrsOrdPrc": dollars(price), "OrdprcPtnCode": code}


def encode_cancel(key: Key, original: BrokerOrder, quantity: int) -> Block:
    return _change(tr.US_CANCEL, key, original, shares(quantity))


def _change(kind: str, key: Key, original: BrokerOrder, quantity: int) -> Block:
    return {
        "RecCnt": 1,
        "OrdPtnCode": kind,
        "OrgOrdNo": int(original.broker_order_id),
        "OrdMktCode": key.exchange,
        "IsuNo": key.ticker,
        "OrdQty": quantity,
        "OvrsOrdPrc": 0,
        "OrdprcPtnCode": tr.US_TYPE_TO_LS[OrderType.LIMIT, Side.BUY],
        "BrkTpCode": "",
    }


def dollars(price: Decimal) -> float:
    """A price as the JSON number that LS wants; four decimals survive a float unchanged."""
    if not price.is_finite() or price <= 0 or price != round(price, DECIMALS):
        raise BadPrice(tr.LS, "-", f"{price} cannot be a price in dollars", "round the price to the tick")
    return float(price)


def encode_orders(exchange: str, on: date, only_open: bool, _cursor: str = "") -> Block:
    """Write COSAQ00102: newest first; its pages follow the header alone. ExecYn 2 is open here (3 in CSPAQ13700)."""
    return {
        "RecCnt": 1,
        "QryTpCode": "1",
        "BkseqTpCode": "1",
        "OrdMktCode": exchange,
        "BnsTpCode": "0",
        "IsuNo": "",
        "SrtOrdNo": LAST_ORDER,
        "OrdDt": f"{on:%Y%m%d}",
        "ExecYn": "2" if only_open else "0",
        "CrcyCode": "000",
        "ThdayBnsAppYn": "0",
        "LoanBalHldYn": "0",
    }


def decode_order(row: Row, on: date, now: datetime, *, never_closes: bool = False) -> BrokerOrder:
    """Read a row of COSAQ00102 that was asked for the day `on`; `never_closes` is the local exchange.

    Only UnercQty tells a living order: an amended one keeps its 접수완료.
    """
    side = tr.LS_TO_SIDE.get(text(row, "BnsTpCode"))
    if side is None:
        raise WireError(tr.LS, "-", f"COSAQ00102: neither buy nor sell: {row.get('BnsTpCode')!r}")
    quantity, leaves = whole(row, "OrdQty"), whole(row, "UnercQty")
    filled = max(whole(row, "ExecQty"), whole(row, "AllExecQty"))
    is_cancel = text(row, "OrdPtnCode") == tr.US_CANCEL
    result = text(row, "OrdTrxPtnNm")
    rejected = "거부" in result
    original = whole(row, "OrgOrdNo")
    return BrokerOrder(
        broker_order_id=str(whole(row, "OrdNo")),
        symbol=our_symbol(required(row, "ShtnIsuNo")),
        side=side,
        quantity=quantity,
        price=positive(row, "OvrsOrdPrc"),
        filled_quantity=filled,
        average_fill_price=positive(row, "OvrsExecPrc") if filled else None,
        leaves_quantity=0 if is_cancel or rejected else leaves,
        canceled=not rejected and not is_cancel and leaves == 0 and filled < quantity,
        rejected=rejected and not is_cancel,
        ordered_at=_ordered_at(required(row, "OrdTime"), on, now, never_closes),
        orig_order_id=str(original) if original else None,
        is_cancel=is_cancel,
        reject_reason=result if rejected else "",
        order_type=tr.LS_TO_US_TYPE.get(text(row, "OrdprcPtnCode"), OrderType.LIMIT),
        venue=tr.US_MARKETS.get(text(row, "OrdMktCode"), (None,))[0],
        by_hand=text(row, "CommdaCode") not in ("", *tr.API_CHANNELS),
    )


def _ordered_at(clock: str, on: date, now: datetime, never_closes: bool) -> datetime:
    """A Korean time of an order day. Whether a night counts as the day it began on is not documented: before nine in
    the morning the later reading holds, unless that is still to come. The local exchange trades all day, and its days
    are New York's."""
    at = instant(on, clock)
    later = at + timedelta(days=1)
    if never_closes:
        return later if later.astimezone(NEW_YORK).date() == on else at
    return later if clock < NIGHT_ENDS and later <= now + CLOCKS_APART else at


def encode_balance(on: date) -> Block:
    return {"RecCnt": 1, "BaseDt": f"{on:%Y%m%d}", "CrcyCode": "ALL", "AstkBalTpCode": "00"}


def decode_positions(found: list[Row], *, settled: bool) -> list[Position]:
    """Read the holdings of COSOQ00201. A holding of fractions counts its whole shares: orders here take no others."""
    field = "AstkSettQty" if settled else "AstkBalQty"
    positions = []
    for row in found:
        quantity = int(amount(row, field))
        if quantity <= 0 or text(row, "CrcyCode") != Currency.USD:
            continue
        positions.append(
            Position(
                symbol=our_symbol(required(row, "ShtnIsuNo")),
                quantity=quantity,
                sellable=int(amount(row, "AstkSellAbleQty")),
                average_price=amount(row, "FcstckUprc"),
                currency=Currency.USD,
                last_price=positive(row, "OvrsScrtsCurpri"),
                unrealized_pnl=amount(row, "FcurrEvalPnlAmt"),
                name=text(row, "JpnMktHanglIsuNm"),
            )
        )
    return merged(positions)


ASK_CASH: Block = {"RecCnt": 1, "CrcyCode": "ALL"}


def decode_cash(body: Row, now: datetime) -> Cash:
    """Read COSOQ02701: `total` is the cash after every execution so far has settled (T+4)."""
    row = next((r for r in rows(body, "COSOQ02701OutBlock3") if text(r, "CrcyCode") == Currency.USD), None)
    if row is None:
        return Cash(Currency.USD, Decimal(0), Decimal(0), now)
    names = ("FcurrDps", "T4FcurrDps", "FcurrOrdAmt", "PrexchOrdAbleAmt", "BaseXchrat")
    return Cash(
        currency=Currency.USD,
        total=amount(row, "T4FcurrDps"),
        buying_power=amount(row, "FcurrOrdAbleAmt"),
        as_of=now,
        details={name: text(row, name) for name in names},
        stages=staged(row, d0="FcurrDps", d4="T4FcurrDps", locked="FcurrOrdAmt"),
        krw_rate=positive(row, "BaseXchrat"),
    )


def affordable(cash: Decimal, price: Decimal, fee_pct: Decimal) -> int:
    """Whole shares that `cash` buys at `price` with the fee; LS has no call that says it for US shares."""
    each = price * (1 + fee_pct / 100)
    return max(0, int((cash / each).to_integral_value(rounding=ROUND_FLOOR)))
