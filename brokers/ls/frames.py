"""LS's WebSocket messages: registrations, acknowledgements, trades, order notices. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from brokers.ls import tr
from brokers.ls.codec import KST, Row, amount, instant_near, plain_symbol, required, text, whole
from shared.domain.errors import WireError
from shared.domain.market import Tick
from shared.domain.order import Fill, OrderNotice

ACCOUNT_TYPES, QUOTE_TYPES = ("1", "2"), ("3", "4")  # register, unregister
ORDER_RECEIVED = "01"  # SC0 of a new order; 02 and 03 only say that a change was asked for
KINDS = {"SC1": "filled", "SC2": "amended", "SC3": "canceled", "SC4": "rejected"}


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
    types = ACCOUNT_TYPES if code in tr.NOTICES else QUOTE_TYPES
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


def decode_tick(body: Row, now: datetime, received_at: datetime) -> Tick:
    """Read S3_ or K3_; the frame has a time of day only, its date is the one nearest to `now` (market time)."""
    return Tick(
        symbol=required(body, "shcode"),
        price=amount(body, "price"),
        quantity=whole(body, "cvolume"),
        at=instant_near(required(body, "chetime"), now),
        received_at=received_at,
    )


def decode_notice(code: str, body: Row, now: datetime, received_at: datetime) -> OrderNotice | None:
    """Read SC0 to SC4. None: a change was received but not confirmed yet, which changes nothing.

    SC1 is one execution and carries its Fill; (day, order, execution number) is unique per account.
    """
    if code == "SC0":
        if required(body, "ordchegb") != ORDER_RECEIVED:
            return None
        symbol, kind = plain_symbol(required(body, "shtcode")), "accepted"
    elif code in KINDS:
        symbol, kind = plain_symbol(required(body, "shtnIsuno")), KINDS[code]
    else:
        raise WireError(tr.LS, "-", f"not an order notice: {code}")
    number, parent = whole(body, "ordno"), whole(body, "orgordno")
    return OrderNotice(
        broker_order_id=str(number),
        symbol=symbol,
        kind=kind,
        received_at=received_at,
        fill=_fill(body, str(number), symbol, now) if code == "SC1" else None,
        orig_order_id=str(parent) if parent else None,
        text=f"msgcode {text(body, 'msgcode')}" if code == "SC4" else "",
    )


def _fill(body: Row, number: str, symbol: str, now: datetime) -> Fill:
    side = tr.LS_TO_SIDE.get(text(body, "bnstp"))
    if side is None:
        raise WireError(tr.LS, "-", f"SC1: neither buy nor sell: {body.get('bnstp')!r}")
    filled_at = instant_near(required(body, "exectime"), now)
    quantity, price = whole(body, "execqty"), amount(body, "execprc")
    if quantity <= 0 or price <= 0:
        raise WireError(tr.LS, "-", f"SC1: {quantity} shares at {price} are no execution")
    return Fill(
        execution_id=f"{filled_at.astimezone(KST):%Y%m%d}-{number}-{required(body, 'execno')}",
        broker_order_id=number,
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        filled_at=filled_at,
    )
