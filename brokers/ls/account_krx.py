"""Orders, fills, holdings, cash and the trade journal of Korean shares in LS's words, both ways. Pure."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from brokers.contract import ProfitRow
from brokers.ls import tr
from brokers.ls.codec import (
    Row,
    amount,
    calendar_day,
    instant,
    one,
    positive,
    required,
    staged,
    text,
    whole,
)
from brokers.ls.codec_krx import plain_symbol
from shared.domain.errors import BadPrice, NotSupported, OrderRejected, WireError
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.money import Currency
from shared.domain.order import PRICED, BrokerOrder, Cash, OrderType, Position, Side, TimeInForce

Block = dict[str, str | int]


def issue_code(symbol: str, kind: InstrumentType = InstrumentType.STOCK) -> str:
    """A005930: 모의투자 insists on the letter, the real side accepts it. ETNs and ELWs have another one (ls.md §3.1)."""
    return tr.ISSUE_LETTERS.get(kind, "A") + symbol


def encode_order(
    code: str,
    side: Side,
    quantity: int,
    price: Decimal | None,
    order_type: OrderType,
    venue: Venue | None,
    time_in_force: TimeInForce,
) -> Block:
    """Write CSPAT00601InBlock1 for an issue_code().

    Raises:
        NotSupported: LS has no such order type or venue. BadPrice: not a whole number of won, missing or too many.
        OrderRejected: not a number of shares.
    """
    kind, member = tr.TYPE_TO_LS.get(order_type), venue or Venue.KRX
    if kind is None or member.value not in tr.VENUES:
        raise NotSupported(tr.LS, "-", f"{order_type} orders at {member} do not exist at LS")
    if (price is not None) is not (order_type in PRICED):
        raise BadPrice(tr.LS, "-", f"a {order_type} order with price {price}", "name a price for limit orders only")
    return {
        "IsuNo": code,
        "OrdQty": shares(quantity),
        "OrdPrc": 0 if price is None else won(price),
        "BnsTpCode": tr.SIDE_TO_LS[side],
        "OrdprcPtnCode": kind,
        "MgntrnCode": "000",
        "LoanDt": "",
        "OrdCndiTpCode": tr.CONDITION_TO_LS[time_in_force],
        "MbrNo": member.value,
    }


def encode_amend(code: str, original: BrokerOrder, quantity: int, price: Decimal) -> Block:
    return {
        "OrgOrdNo": int(original.broker_order_id),
        "IsuNo": code,
        "OrdQty": shares(quantity),
        "OrdprcPtnCode": tr.TYPE_TO_LS[OrderType.LIMIT],
        "OrdCndiTpCode": tr.CONDITION_TO_LS[TimeInForce.DAY],
        "OrdPrc": won(price),
    }


def encode_cancel(code: str, original: BrokerOrder, quantity: int) -> Block:
    return {"OrgOrdNo": int(original.broker_order_id), "IsuNo": code, "OrdQty": shares(quantity)}


def shares(quantity: int) -> int:
    if quantity <= 0:
        raise OrderRejected(tr.LS, "-", f"{quantity} is not a number of shares", "order one share or more")
    return quantity


def won(price: Decimal) -> int:
    if not price.is_finite() or price <= 0 or price != price.to_integral_value():
        raise BadPrice(tr.LS, "-", f"{price} is not a whole number of won", "round the price to the tick")
    return int(price)


def encode_today(*, only_open: bool, cursor: str) -> Block:
    return {
        "expcode": "",
        "chegb": "2" if only_open else "0",
        "medosu": "0",
        "sortgb": "1",
        "cts_ordno": cursor or " ",
    }


def decode_today(row: Row, today: date) -> BrokerOrder:
    """Read a row of t0425. `ordrem` is the only reliable sign of a living order (ls.md §3.6)."""
    word = text(row, "medosu")
    side = next((side for name, side in tr.WORD_TO_SIDE.items() if name in word), None)
    if side is None:
        raise WireError(tr.LS, "-", f"t0425: neither buy nor sell: {word!r}")
    quantity, filled, leaves = whole(row, "qty"), whole(row, "cheqty"), whole(row, "ordrem")
    original, status = whole(row, "orgordno"), text(row, "status")
    is_cancel = original > 0 and status.startswith("취소")
    rejected, channel = "거부" in status, text(row, "ordermtd")
    return BrokerOrder(
        broker_order_id=str(whole(row, "ordno")),
        symbol=plain_symbol(required(row, "expcode")),
        side=side,
        quantity=quantity,
        price=positive(row, "price"),
        filled_quantity=filled,
        average_fill_price=positive(row, "cheprice") if filled else None,
        leaves_quantity=0 if is_cancel or rejected else leaves,
        canceled=not rejected and not is_cancel and leaves == 0 and filled < quantity,
        rejected=rejected and not is_cancel,
        ordered_at=instant(today, required(row, "ordtime")),
        orig_order_id=str(original) if original else None,
        is_cancel=is_cancel,
        reject_reason=status if rejected else "",
        order_type=tr.LS_TO_TYPE.get(text(row, "hogagb"), OrderType.LIMIT),
        venue=tr.VENUES.get(text(row, "exchname")),
        by_hand=bool(channel) and "API" not in channel.upper(),
    )


def encode_history(on: date) -> Block:
    return {
        "OrdMktCode": "00",
        "BnsTpCode": "0",
        "IsuNo": "",
        "ExecYn": "0",
        "OrdDt": f"{on:%Y%m%d}",
        "SrtOrdNo2": 999999999,
        "BkseqTpCode": "0",
        "OrdPtnCode": "00",
    }


def decode_history(row: Row) -> BrokerOrder:
    """Read a row of CSPAQ13700."""
    side = tr.LS_TO_SIDE.get(text(row, "BnsTpCode"))
    if side is None:
        raise WireError(tr.LS, "-", f"CSPAQ13700: neither buy nor sell: {row.get('BnsTpCode')!r}")
    quantity, leaves = whole(row, "OrdQty"), whole(row, "MrcAbleQty")
    filled = max(whole(row, "ExecQty"), whole(row, "AllExecQty"))
    is_cancel = text(row, "MrcTpCode") == "2"
    result = text(row, "OrdTrxPtnNm")
    rejected = "거부" in result
    original = whole(row, "OrgOrdNo")
    return BrokerOrder(
        broker_order_id=str(whole(row, "OrdNo")),
        symbol=plain_symbol(required(row, "IsuNo")),
        side=side,
        quantity=quantity,
        price=positive(row, "OrdPrc"),
        filled_quantity=filled,
        average_fill_price=positive(row, "ExecPrc") if filled else None,
        leaves_quantity=0 if is_cancel or rejected else leaves,
        canceled=not rejected and not is_cancel and leaves == 0 and filled < quantity,
        rejected=rejected and not is_cancel,
        ordered_at=instant(calendar_day(required(row, "OrdDt")), required(row, "OrdTime")),
        orig_order_id=str(original) if original else None,
        is_cancel=is_cancel,
        reject_reason=result if rejected else "",
        order_type=tr.LS_TO_TYPE.get(text(row, "OrdprcPtnCode"), OrderType.LIMIT),
    )


def encode_holdings(cursor: str) -> Block:
    """Execution basis (chegb 2): by settlement a share sold today still shows as held (ls.md §3.6). No fees."""
    return {"prcgb": "1", "chegb": "2", "dangb": "0", "charge": "0", "cts_expcode": cursor}


def decode_positions(found: list[Row]) -> list[Position]:
    """Read the rows of t0424; several rows of one symbol are one position."""
    positions = []
    for row in found:
        quantity = whole(row, "janqty")
        if quantity == 0:
            continue
        position = Position(
            symbol=plain_symbol(required(row, "expcode")),
            quantity=quantity,
            sellable=whole(row, "mdposqt"),
            average_price=amount(row, "pamt"),
            currency=Currency.KRW,
            last_price=positive(row, "price"),
            unrealized_pnl=amount(row, "dtsunik"),
            name=text(row, "hname"),
        )
        positions.append(position)
    return merged(positions)


def merged(positions: list[Position]) -> list[Position]:
    """One position a symbol: LS lists shares of different loans or balance kinds apart."""
    found: dict[str, Position] = {}
    for one_ in positions:
        before = found.get(one_.symbol)
        found[one_.symbol] = one_ if before is None else _together(before, one_)
    return list(found.values())


def _together(a: Position, b: Position) -> Position:
    quantity = a.quantity + b.quantity
    cost = a.average_price * a.quantity + b.average_price * b.quantity
    return Position(
        symbol=a.symbol,
        quantity=quantity,
        sellable=(a.sellable or 0) + (b.sellable or 0),
        average_price=cost / quantity,
        currency=a.currency,
        last_price=b.last_price,
        unrealized_pnl=(a.unrealized_pnl or Decimal(0)) + (b.unrealized_pnl or Decimal(0)),
        name=a.name,
    )


SETTLED_HOLDINGS: Block = {"BalCreTp": "1", "CmsnAppTpCode": "0", "D2balBaseQryTp": "0", "UprcTpCode": "0"}


def decode_settled(found: list[Row]) -> list[Position]:
    """Read the rows of CSPAQ12300 by settlement (BalQty); what was bought and is not settled yet is not there."""
    positions = []
    for row in found:
        quantity = whole(row, "BalQty")
        if quantity <= 0:
            continue
        position = Position(
            symbol=plain_symbol(required(row, "IsuNo")),
            quantity=quantity,
            sellable=whole(row, "SellAbleQty"),
            average_price=amount(row, "AvrUprc"),
            currency=Currency.KRW,
            last_price=positive(row, "NowPrc"),
            unrealized_pnl=amount(row, "EvalPnl"),
            name=text(row, "IsuNm"),
        )
        positions.append(position)
    return merged(positions)


JOURNAL_CURSORS = "cts_medosu|cts_expcode|cts_price|cts_middiv"


def encode_journal(day: date | None, cursor: str) -> Block:
    """Write t0150 (no `day`: today) or t0151; `cursor` has the four values in one."""
    names = JOURNAL_CURSORS.split("|")
    block: Block = dict(zip(names, cursor.split("|") if cursor else [""] * len(names), strict=True))
    return block if day is None else {"date": f"{day:%Y%m%d}", **block}


def decode_sales(found: list[Row], day: date) -> list[ProfitRow]:
    """Read the sales of a journal day, one row a symbol. LS tells what they brought, not what they had cost."""
    sold: dict[str, tuple[int, Decimal]] = {}
    for row in found:
        symbol = plain_symbol(text(row, "expcode"))
        if symbol and tr.WORD_TO_SIDE.get(text(row, "medosu")) is Side.SELL:  # a subtotal has no symbol
            quantity, brought = sold.get(symbol, (0, Decimal(0)))
            sold[symbol] = quantity + whole(row, "qty"), brought + amount(row, "amt")
    return [ProfitRow(day, symbol, quantity, None, brought, None) for symbol, (quantity, brought) in sold.items()]


def decode_costs(body: Row, code: str) -> tuple[Decimal, Decimal]:
    """(fees, taxes) of a journal day; a day without trades has no totals at all."""
    block = body.get(f"{code}OutBlock")
    if block is None:
        return Decimal(0), Decimal(0)
    totals = one(body, f"{code}OutBlock")
    return amount(totals, "tfee"), amount(totals, "tottax") + amount(totals, "targtax")


def decode_realized(body: Row) -> Decimal:
    """Today's realised profit, from the totals of t0424."""
    return amount(one(body, "t0424OutBlock"), "dtsunik")


def decode_cash(body: Row, now: datetime) -> Cash:
    """Read CSPAQ12200: `total` is D+2 cash, every execution so far settled."""
    block = one(body, "CSPAQ12200OutBlock2")
    total = amount(block, "D2Dps")
    names = ("Dps", "D1Dps", "D2Dps", "MnyoutAbleAmt", "BalEvalAmt", "DpsastTotamt")
    return Cash(
        currency=Currency.KRW,
        total=total,
        buying_power=amount(block, "MnyOrdAbleAmt"),
        as_of=now,
        equity=total + amount(block, "BalEvalAmt"),
        details={name: text(block, name) for name in names},
        stages=staged(block, d0="Dps", d1="D1Dps", d2="D2Dps", withdrawable="MnyoutAbleAmt"),
    )


def encode_power(isin: str, price: Decimal) -> Block:
    return {"BnsTpCode": tr.SIDE_TO_LS[Side.BUY], "IsuNo": isin, "OrdPrc": won(price)}


def decode_power(body: Row) -> tuple[Decimal, int]:
    """Read CSPBQ00200: what cash alone buys, no margin."""
    block = one(body, "CSPBQ00200OutBlock2")
    return amount(block, "MgnRat100MnyOrdAbleAmt"), whole(block, "MgnRat100MnyOrdAbleQty")


def account_named(body: Row, code: str) -> str:
    """The account number an answer of the C-series repeats; "" when it has none."""
    block = body.get(f"{code}OutBlock1")
    return text(block, "AcntNo") if isinstance(block, dict) else ""
