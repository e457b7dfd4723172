"""LS's WebSocket messages: registrations, acknowledgements, order notices of both markets, market phases. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from brokers.ls import tr
from brokers.ls.codec import KST, Row, amount, instant_near, required, text, whole
from brokers.ls.codec_krx import plain_symbol
from brokers.ls.codec_us import our_symbol
from shared.domain.account import Market
from shared.domain.errors import WireError
from shared.domain.order import Fill, OrderNotice

ACCOUNT_TYPES, QUOTE_TYPES = ("1", "2"), ("3", "4")  # register, unregister
ORDER_RECEIVED = "01"  # of a new order; other codes of SC0 and AS0 only say that a change was asked for
KINDS = {"1": "filled", "2": "amended", "3": "canceled", "4": "rejected"}  # by the notice's last character
ALL_NOTICES = frozenset(code for codes in tr.NOTICES.values() for code in codes)


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a notice keeps what we read; the two markets spell it differently."""

    received: str
    symbol: str  # of an acknowledgement that the order was received
    traded: str  # of the other notices
    number: str
    parent: str
    side: str
    execution: str
    quantity: str
    price: str
    at: str
    reason: str


FIELDS = {
    "SC": Fields(
        "ordchegb", "shtcode", "shtnIsuno", "ordno", "orgordno", "bnstp", "execno", "execqty", "execprc", "exectime",
        "msgcode",
    ),
    "AS": Fields(
        "sOrdxctPtnCode", "sShtnIsuNo", "sShtnIsuNo", "sOrdNo", "sOrgOrdNo", "sBnsTp", "sExecNO", "sExecQty",
        "sExecPrc", "sExecTime", "sRjtRsn",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """A message taken apart. `code` is not blank in an acknowledgement."""

    tr: str
    kind: str  # tr_type of an acknowledgement
    code: str
    message: str
    body: Row | None


def encode_registration(token: str, code: str, key: str, register: bool) -> str:
    """The token travels in every frame, without "Bearer "."""
    types = ACCOUNT_TYPES if code in ALL_NOTICES else QUOTE_TYPES
    header = {"token": token, "tr_type": types[0] if register else types[1]}
    return orjson.dumps({"header": header, "body": {"tr_cd": code, "tr_key": key}}).decode()


def decode_frame(message: str) -> Frame:
    try:
        parsed: Any = orjson.loads(message)
        header, body = parsed["header"], parsed.get("body")
        if body is not None and not isinstance(body, dict):
            raise TypeError("body is not an object")
        return Frame(
            text(header, "tr_cd"), text(header, "tr_type"), text(header, "rsp_cd"), text(header, "rsp_msg"), body
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as e:
        raise WireError(tr.LS, "-", f"not a frame: {message[:100]!r}") from e


def decode_notice(market: Market, code: str, body: Row, now: datetime, received_at: datetime) -> OrderNotice | None:
    """Read SC0 to SC4 or AS0 to AS4. None: a change was received but not confirmed yet, which changes nothing.

    A fill is one execution; (day, order, execution number) is unique per account.
    """
    if code not in tr.NOTICES[market]:
        raise WireError(tr.LS, "-", f"not an order notice: {code}")
    names, ours = FIELDS[code[:2]], plain_symbol if market is Market.KRX else our_symbol
    kind = KINDS.get(code[-1], "accepted")
    if kind == "accepted" and required(body, names.received) != ORDER_RECEIVED:
        return None
    symbol = ours(required(body, names.symbol if kind == "accepted" else names.traded))
    number, parent = whole(body, names.number), whole(body, names.parent)
    return OrderNotice(
        broker_order_id=str(number),
        symbol=symbol,
        kind=kind,
        received_at=received_at,
        fill=_fill(body, names, str(number), symbol, now) if kind == "filled" else None,
        orig_order_id=str(parent) if parent else None,
        text=f"{names.reason} {text(body, names.reason)}" if kind == "rejected" else "",
    )


def _fill(body: Row, names: Fields, number: str, symbol: str, now: datetime) -> Fill:
    side = tr.LS_TO_SIDE.get(text(body, names.side))
    if side is None:
        raise WireError(tr.LS, "-", f"neither buy nor sell: {body.get(names.side)!r}")
    filled_at = instant_near(required(body, names.at), now)
    quantity, price = whole(body, names.quantity), amount(body, names.price)
    if quantity <= 0 or price <= 0:
        raise WireError(tr.LS, "-", f"{quantity} shares at {price} are no execution")
    return Fill(
        execution_id=f"{filled_at.astimezone(KST):%Y%m%d}-{number}-{required(body, names.execution)}",
        broker_order_id=number,
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        filled_at=filled_at,
    )
