"""Order and fill notices, encrypted with the session's key (kis.md §5.2, §5.6, §5.9). Pure."""

from __future__ import annotations

import base64
import secrets
import string
from dataclasses import dataclass
from decimal import Decimal

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from brokers.paper.accounts import Frames, Profile
from brokers.paper.kis_wire.domestic import BRANCH as KRX_BRANCH
from brokers.paper.kis_wire.fields import SIDE_TO_KIS, hms
from brokers.paper.kis_wire.kinds_krx import type_code
from brokers.paper.kis_wire.overseas import BRANCH as US_BRANCH
from brokers.paper.kis_wire.symbols import US_EXCHANGES
from brokers.paper.orders import EventKind, OrderEvent
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderType

# Fields per notice: published clients take the older layouts only (kis.md §8 point 11).
US_FIELDS = {Profile.COMPAT: 21, Profile.STRICT: 25}
KRX_FIELDS = {Profile.COMPAT: 23, Profile.STRICT: 26}

US_KINDS = {  # ODER_KIND2
    OrderType.MARKET: "1",
    OrderType.LIMIT: "2",
    OrderType.MOO: "A",
    OrderType.LOO: "B",
    OrderType.MOC: "C",
    OrderType.LOC: "D",
}
KRX_VENUES = {Venue.KRX: "1", Venue.NXT: "2", Venue.SOR: "3"}  # ORD_EXG_GB
CHANGES = {EventKind.AMENDED: "1", EventKind.CANCELED: "2"}  # RCTF_CLS; 0 is a new order
OWNER = "홍길동"


@dataclass(frozen=True, slots=True)
class CipherKey:
    """AES-256-CBC key and iv as the acknowledgement names them: text, used as its UTF-8 bytes."""

    key: str  # 32 characters
    iv: str  # 16 characters

    @classmethod
    def fresh(cls) -> CipherKey:
        def text(length: int) -> str:
            return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))

        return cls(text(32), text(16))

    def encrypt(self, plain: str) -> str:
        padder = padding.PKCS7(128).padder()
        padded = padder.update(plain.encode()) + padder.finalize()
        encryptor = Cipher(algorithms.AES(self.key.encode()), modes.CBC(self.iv.encode())).encryptor()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def encrypted_frame(tr_id: str, plain: str, key: CipherKey) -> str:
    return f"1|{tr_id}|001|{key.encrypt(plain)}"


def notice(
    event: OrderEvent, hts_id: str, name: str, profile: Profile, frames: Frames = Frames.DOCUMENTED
) -> str | None:
    """Write an event as the plain text of a notice; None for what the broker does not tell (a day order's expiry).

    `hts_id` is the customer's, `name` the symbol's Korean one. The longer layout is that of `strict`.
    """
    profile = Profile.STRICT if frames is Frames.EXTENDED else profile
    if event.kind is EventKind.EXPIRED:
        return None
    if event.order.market is Market.US:
        return "^".join(_us(event, hts_id, name)[: US_FIELDS[profile]])
    return "^".join(_krx(event, hts_id, name, profile))


def _head(event: OrderEvent, hts_id: str) -> list[str]:
    order = event.order
    original = event.original.order_no if event.original else order.orig_order_no
    return [
        hts_id,
        event.account.number.replace("-", ""),
        f"{order.order_no:010d}",
        "" if original is None or event.kind is EventKind.FILLED else f"{original:010d}",
        SIDE_TO_KIS[order.side],
        CHANGES.get(event.kind, "0") if event.original is not None else "0",
    ]


def _quantity_and_price(event: OrderEvent, price: Decimal | None, scale: int) -> list[str]:
    """CNTG_QTY is the fill's, or the order's in notices that are no fill; the price has implied decimals."""
    fill = event.execution
    quantity = fill.quantity if fill else event.order.quantity
    shown = fill.price if fill else Decimal(0) if event.kind is EventKind.CANCELED else price or Decimal(0)
    return [f"{quantity:010d}", f"{int(shown.scaleb(scale)):09d}", hms(event.at)]


def _flags(event: OrderEvent) -> list[str]:
    """RFUS_YN, CNTG_YN (1 notice of an order, 2 fill), ACPT_YN (1 accepted, 2 confirmed, 3 taken back by IOC/FOK)."""
    if event.kind is EventKind.FILLED:
        return ["0", "2", "2"]
    if event.kind is EventKind.ACCEPTED:
        return ["0", "1", "1"]
    return ["0", "1", "3" if event.original is None else "2"]


def _us(event: OrderEvent, hts_id: str, name: str) -> list[str]:
    order = event.order
    filled = event.kind is EventKind.FILLED
    price = _quantity_and_price(event, order.price, 4)
    return [
        *_head(event, hts_id),
        US_KINDS[order.order_type],
        order.symbol,
        *price,
        *_flags(event),
        US_BRANCH[event.account.env],
        f"{order.quantity:09d}" if filled else "",  # ODER_QTY
        OWNER,
        name,
        US_EXCHANGES[order.venue].notice,
        "10",  # DEBT_GB: cash
        "",  # DEBT_DATE
        "",  # START_TM
        "",  # END_TM
        "",  # TM_DIV_TP
        price[1].zfill(12),  # CNTG_UNPR12
    ]


def _krx(event: OrderEvent, hts_id: str, name: str, profile: Profile) -> list[str]:
    order = event.order
    filled = event.kind is EventKind.FILLED
    head = [
        *_head(event, hts_id),
        type_code(order),
        "0",  # ODER_COND
        order.symbol,
        *_quantity_and_price(event, order.price, 0),
        *_flags(event),
        KRX_BRANCH[event.account.env],
        f"{order.quantity:09d}" if filled else "",
        OWNER,
    ]
    tail = ["10", "", name, str(int(order.price or 0))]  # CRDT_CLS CRDT_LOAN_DATE CNTG_ISNM40 ODER_PRC
    if KRX_FIELDS[profile] == 23:
        return [*head, name, *tail]
    return [*head, "0", KRX_VENUES[order.venue], "N", "", *tail]  # ORD_COND_PRC ORD_EXG_GB POPUP_YN FILLER
