"""KIS's stream in words: registrations, acknowledgements, ticks, order notices (kis.md §5). Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

import orjson
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from brokers.kis.codec import decimal, instant, instant_near, order_id, plain_symbol, side_of
from brokers.kis.tr import KIS, KRX_BOOKS, KRX_TICKS, US_BOOKS, US_TICKS
from shared.domain.errors import WireError
from shared.domain.market import BookLevel, OrderBook, Tick
from shared.domain.order import OrderNotice

PING = "PINGPONG"


_MOST_SYMBOLS = 500
_HEAD = len("0|H0STCNT0|001|")


@dataclass(frozen=True, slots=True)
class TickFields:
    """Where a trade frame keeps what we need; `count` is the record's least length."""

    count: int
    symbol: int
    price: int
    quantity: int
    day: int  # KST
    clock: int  # KST
    cut: int = field(init=False)  # fields up to the last one that is read
    after: int = field(init=False)  # separators that must follow it
    pick: Callable[[list[str]], tuple[str, ...]] = field(init=False)  # what is read, in this order
    symbols: dict[str, str] = field(init=False, default_factory=dict)  # field as a lone record has it -> our spelling

    def __post_init__(self) -> None:
        read = (self.symbol, self.price, self.quantity, self.day, self.clock)
        object.__setattr__(self, "cut", max(read) + 1)
        object.__setattr__(self, "after", self.count - self.cut - 1)
        object.__setattr__(self, "pick", itemgetter(*read))

    def learn(self, told: str) -> str:
        """Remember our spelling of a lone record's symbol; where that is its first field, the head stands before it."""
        if len(self.symbols) >= _MOST_SYMBOLS:
            self.symbols.clear()
        found = self.symbols[told] = plain_symbol(told[_HEAD:] if self.symbol == 0 else told)
        return found


TICK_FIELDS = {  # kis.md §5.4: SYMB LAST EVOL KYMD KHMS · §5.7: MKSC_SHRN_ISCD STCK_PRPR CNTG_VOL BSOP_DATE STCK_CNTG_HOUR
    US_TICKS: TickFields(26, 1, 11, 19, 6, 7),
    **dict.fromkeys(KRX_TICKS.values(), TickFields(46, 0, 2, 12, 33, 1)),
}
_LONE = {f"0|{tr}|001|": fields for tr, fields in TICK_FIELDS.items()}  # how a message of one trade in clear begins


@dataclass(frozen=True, slots=True)
class BookFields:
    """Where a book frame keeps level 1, and how far it is to the next level; `day` None: the frame has a clock only."""

    count: int
    symbol: int
    day: int | None  # KST
    clock: int  # KST
    bid: int
    ask: int
    bid_size: int
    ask_size: int
    step: int


# kis.md §5.5: SYMB KYMD KHMS PBIDn PASKn VBIDn VASKn, one level or ten · §5.8: MKSC_SHRN_ISCD BSOP_HOUR ASKPn BIDPn …
BOOK_FIELDS = {
    US_BOOKS: BookFields(17, 1, 5, 6, 11, 12, 13, 14, 6),
    **dict.fromkeys(KRX_BOOKS.values(), BookFields(59, 0, None, 1, 13, 3, 33, 23, 1)),
}
LEVELS = 10
ACCOUNT, ORDER, ORIGINAL, SIDE, CHANGE = 1, 2, 3, 4, 5  # the same in every notice
NOTICE_FIELDS = 21
CHANGES = {"0": "accepted", "1": "amended", "2": "canceled"}  # RCTF_CLS of an order notice


@dataclass(frozen=True, slots=True)
class NoticeFields:
    """Where a notice keeps what differs between markets; `scale` is the price's implied decimals."""

    symbol: int
    quantity: int
    price: int
    refused: int
    filled: int  # CNTG_YN: 2 is a fill, 1 anything else
    accepted: int  # ACPT_YN: 3 is an IOC/FOK remainder cancelled
    scale: int


US_NOTICE = NoticeFields(7, 8, 9, 11, 12, 13, scale=4)  # kis.md §5.6
KRX_NOTICE = NoticeFields(8, 9, 10, 12, 13, 14, scale=0)  # kis.md §5.9
NOTICE_LAYOUT = {"H0GSCNI0": US_NOTICE, "H0GSCNI9": US_NOTICE, "H0STCNI0": KRX_NOTICE, "H0STCNI9": KRX_NOTICE}


@dataclass(frozen=True, slots=True)
class Frame:
    """A data frame, its payload still as it came."""

    encrypted: bool
    tr: str
    count: int
    payload: str


@dataclass(frozen=True, slots=True)
class Ack:
    """The server's answer to a registration."""

    tr: str
    key: str
    code: str
    message: str
    cipher_key: str
    cipher_iv: str


def encode_registration(approval_key: str, tr: str, key: str, register: bool) -> str:
    header = {
        "approval_key": approval_key,
        "custtype": "P",
        "tr_type": "1" if register else "2",
        "content-type": "utf-8",
    }
    return orjson.dumps({"header": header, "body": {"input": {"tr_id": tr, "tr_key": key}}}).decode()


def is_ping(message: str) -> bool:
    return message.startswith("{") and f'"{PING}"' in message


def decode_control(message: str) -> Ack:
    try:
        parsed: Any = orjson.loads(message)
        header, body = parsed["header"], parsed["body"]
        output = body.get("output") or {}
        return Ack(
            tr=str(header.get("tr_id") or ""),
            key=str(header.get("tr_key") or ""),
            code=str(body.get("msg_cd") or ""),
            message=str(body.get("msg1") or "").strip(),
            cipher_key=str(output.get("key") or ""),
            cipher_iv=str(output.get("iv") or ""),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as e:
        raise WireError(KIS, "-", f"not a control message: {message[:100]!r}") from e


_ENCRYPTED = {"0": False, "1": True}


def decode_frame(message: str) -> Frame:
    try:
        kind, tr, records_told, payload = message.split("|", 3)
        encrypted, count = _ENCRYPTED[kind], 1 if records_told == "001" else int(records_told)
    except (ValueError, KeyError) as e:
        raise WireError(KIS, "-", f"not a data frame: {message[:100]!r}") from e
    if count < 1:
        raise WireError(KIS, "-", f"not a data frame: {message[:100]!r}")
    return Frame(encrypted, tr, count, payload)


def records(payload: str, count: int, least: int) -> Iterator[list[str]]:
    """Cut a payload into its records; newer servers append fields, so the length is counted, not assumed."""
    values = payload.split("^")
    size = len(values) // count
    if size < least or len(values) % count:
        raise WireError(KIS, "-", f"{len(values)} fields are not {count} records of {least} or more")
    for start in range(0, len(values), size):
        yield values[start : start + size]


def lone_tick(message: str, received_at: datetime) -> Tick | None:
    """Read a message of one trade in clear, as nearly every one is, in one cut; None: it is something else.

    The same answer as decode_ticks of decode_frame gives. WireError when it is not as documented.
    """
    at = _LONE.get(message[:_HEAD])
    if at is None:
        return None
    values = message.split("^", at.cut)  # what is not read is counted, not cut
    if len(values) <= at.cut or values[-1].count("^") < at.after:
        raise WireError(KIS, "-", f"{message.count('^') + 1} fields are not a record of {at.count} or more")
    symbol, price, quantity, day, clock = at.pick(values)
    exact, at_time = _price(price), instant(day, clock)
    return Tick(at.symbols.get(symbol) or at.learn(symbol), exact, _whole(quantity), at_time, received_at)


def decode_ticks(frame: Frame, received_at: datetime) -> list[Tick]:
    """Read every trade of a frame; WireError when it is not as documented."""
    at = TICK_FIELDS[frame.tr]
    return [_tick(at.pick(record), received_at) for record in records(frame.payload, frame.count, at.count)]


def _tick(read: tuple[str, ...], received_at: datetime) -> Tick:
    symbol, price, quantity, day, clock = read
    return Tick(plain_symbol(symbol), _price(price), _whole(quantity), instant(day, clock), received_at)


@lru_cache(maxsize=512)
def _price(price: str) -> Decimal:
    return decimal(price, "price")


@lru_cache(maxsize=512)
def _whole(quantity: str) -> int:
    return int(decimal(quantity, "quantity"))


def decode_books(frame: Frame, received_at: datetime) -> list[OrderBook]:
    """Read every order book of a frame, empty levels left out; WireError when it is not as documented."""
    at = BOOK_FIELDS[frame.tr]
    found = []
    for record in records(frame.payload, frame.count, at.count):
        depth = min(LEVELS, 1 + (len(record) - at.count) // at.step) if frame.tr == US_BOOKS else LEVELS
        clock = record[at.clock]
        found.append(
            OrderBook(
                symbol=plain_symbol(record[at.symbol]),
                bids=_side(record, at.bid, at.bid_size, at.step, depth),
                asks=_side(record, at.ask, at.ask_size, at.step, depth),
                at=instant_near(clock, received_at) if at.day is None else instant(record[at.day], clock),
                received_at=received_at,
            )
        )
    return found


def _side(record: list[str], price: int, size: int, step: int, depth: int) -> tuple[BookLevel, ...]:
    levels = (
        BookLevel(decimal(record[price + n * step], "price"), int(decimal(record[size + n * step], "size")))
        for n in range(depth)
    )
    return tuple(level for level in levels if level.price > 0)


def decrypt(payload: str, cipher_key: str, cipher_iv: str) -> str:
    """AES-256-CBC with the key and iv of the notice's acknowledgement; WireError when they do not fit."""
    try:
        cipher = Cipher(algorithms.AES(cipher_key.encode()), modes.CBC(cipher_iv.encode()))
        decryptor, unpadder = cipher.decryptor(), padding.PKCS7(128).unpadder()
        padded = decryptor.update(base64.b64decode(payload, validate=True)) + decryptor.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode("utf-8", "replace")
    except (ValueError, binascii.Error) as e:
        raise WireError(KIS, "-", f"the notice cannot be decrypted ({e})") from e


def decode_notices(frame: Frame, plain: str, account: str, received_at: datetime) -> list[OrderNotice]:
    """Read the notices of `account` (10 digits); those of the customer's other accounts are left out.

    KIS gives no execution number, so a notice never carries a Fill: it says "ask".
    """
    at = NOTICE_LAYOUT[frame.tr]
    found = []
    for record in records(plain, frame.count, NOTICE_FIELDS):
        if record[ACCOUNT].strip() != account:
            continue
        original = record[ORIGINAL].strip().lstrip("0")
        price = decimal(record[at.price], "price").scaleb(-at.scale)
        found.append(
            OrderNotice(
                broker_order_id=order_id(record[ORDER]),
                symbol=plain_symbol(record[at.symbol]),
                kind=notice_kind(record, at),
                received_at=received_at,
                orig_order_id=order_id(original) if original else None,
                text=f"{side_of(record[SIDE].strip())} {int(decimal(record[at.quantity], 'quantity'))} @ {price}",
            )
        )
    return found


def notice_kind(record: list[str], at: NoticeFields) -> str:
    if record[at.refused].strip() == "1":
        return "rejected"
    if record[at.filled].strip() == "2":
        return "filled"
    if record[at.accepted].strip() == "3":
        return "canceled"
    change = record[CHANGE].strip()
    if change not in CHANGES:
        raise WireError(KIS, "-", f"not a kind of order notice: {change!r}")
    return CHANGES[change]
