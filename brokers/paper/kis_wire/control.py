"""Control messages of the WebSocket: what a client may ask, and how it is acknowledged (kis.md §5.1). Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.kis_wire import feeds
from brokers.paper.kis_wire.answers import Json
from brokers.paper.kis_wire.fields import KST
from brokers.paper.kis_wire.notices import CipherKey
from shared.domain.account import Market

PINGPONG = "PINGPONG"
REGISTER, UNREGISTER = "1", "2"  # tr_type
MAX_REGISTRATIONS = 41

NOTICES = {
    (Market.US, ExEnv.LIVE): "H0GSCNI0",
    (Market.US, ExEnv.MOCK): "H0GSCNI9",
    (Market.KRX, ExEnv.LIVE): "H0STCNI0",
    (Market.KRX, ExEnv.MOCK): "H0STCNI9",
}
_KRX_TRS = (
    *(feeds.KRX_TRADE, feeds.KRX_BOOK, feeds.KRX_EXPECTED, feeds.KRX_AFTER_HOURS),
    *(feeds.NXT_TRADE, feeds.NXT_BOOK, feeds.NXT_EXPECTED),
    *(feeds.BOTH_TRADE, feeds.BOTH_BOOK, feeds.BOTH_EXPECTED),
)
_US_KEY, _ASIA_KEY = r"(D(NAS|NYS|AMS)|R(BAQ|BAY|BAA))\S{1,16}", r"D(HKS|TSE|SHS|SZS|HNX|HSX)\S{1,16}"
_KRX_KEY, _HTS_ID = r"[0-9A-Z]{6,7}", r"\S+"
KEY_FORMS = {
    feeds.US_TRADE: f"{_US_KEY}|{_ASIA_KEY}",
    feeds.US_BOOK: _US_KEY,
    feeds.US_BOOK_ONE: _ASIA_KEY,
    **dict.fromkeys(_KRX_TRS, _KRX_KEY),
    **dict.fromkeys(NOTICES.values(), _HTS_ID),
}
_MOCK_QUOTES = {feeds.KRX_TRADE, feeds.KRX_BOOK}  # all that 모의 streams besides its notices (kis.md §5.10)

TEXTS = {
    "OPSP0000": "SUBSCRIBE SUCCESS",
    "OPSP0001": "UNSUBSCRIBE SUCCESS",
    "OPSP0002": "ALREADY IN SUBSCRIBE",
    "OPSP0003": "UNSUBSCRIBE ERROR(not found!)",
    "OPSP0008": "MAX SUBSCRIBE OVER",
    "OPSP0011": "invalid approval : NOT FOUND",
    "OPSP8991": "INVALID tr_id",
    "OPSP8992": "INVALID tr_key",
    "OPSP8996": "ALREADY IN USE appkey",
    "OPSP8997": "INVALID tr_type",
    "OPSP8998": "INVALID custtype",
    "OPSP9990": "tr_key NOT FOUND",
    "OPSP9991": "input NOT FOUND",
    "OPSP9992": "body NOT FOUND",
    "OPSP9996": "INVALID appkey : NOT FOUND",
    "OPSP9997": "custtype NOT FOUND",
    "OPSP9998": "header NOT FOUND",
    "OPSP9999": "JSON PARSING ERROR",
}


class ControlRefusal(Exception):
    """The message is answered with this code and changes nothing."""

    def __init__(self, code: str, tr_id: str = "(null)", tr_key: str = "") -> None:
        super().__init__(code)
        self.code, self.tr_id, self.tr_key = code, tr_id, tr_key


@dataclass(frozen=True, slots=True)
class Ask:
    """A well-formed request to register or unregister."""

    approval_key: str
    tr_type: str
    tr_id: str
    tr_key: str


def read(text: str) -> Ask | None:
    """Read a client's message; None for the echo of a PINGPONG.

    Raises:
        ControlRefusal: the message lacks something or holds something that is not allowed.
    """
    try:
        message = json.loads(text)
    except ValueError:
        raise ControlRefusal("OPSP9999") from None
    header = message.get("header") if isinstance(message, dict) else None
    if not isinstance(header, dict):
        raise ControlRefusal("OPSP9998")
    if header.get("tr_id") == PINGPONG:
        return None
    tr_id, tr_key = _target(message)
    if not header.get("approval_key"):
        raise ControlRefusal("OPSP9996", tr_id, tr_key)
    if not header.get("custtype"):
        raise ControlRefusal("OPSP9997", tr_id, tr_key)
    if header["custtype"] not in ("P", "B"):
        raise ControlRefusal("OPSP8998", tr_id, tr_key)
    if header.get("tr_type") not in (REGISTER, UNREGISTER):
        raise ControlRefusal("OPSP8997", tr_id, tr_key)
    return Ask(str(header["approval_key"]), header["tr_type"], tr_id, tr_key)


def _target(message: Json) -> tuple[str, str]:
    body = message.get("body")
    if not isinstance(body, dict):
        raise ControlRefusal("OPSP9992")
    wanted = body.get("input")
    if not isinstance(wanted, dict):
        raise ControlRefusal("OPSP9991")
    tr_id = str(wanted.get("tr_id", ""))
    if not wanted.get("tr_key"):
        raise ControlRefusal("OPSP9990", tr_id or "(null)")
    return tr_id, str(wanted["tr_key"])


def check_target(ask: Ask, env: ExEnv, profile: Profile) -> None:
    """Refuse a TR that this host does not stream and a key that is not of the TR's form.

    compat streams everything on both ports: published clients register notices and US quotes on either (kis.md §5.10),
    and the one-level book (HDFSASP1, delayed Asia) also for US keys: the 17 fields that the official sample reads.
    """
    if ask.tr_id not in KEY_FORMS or (profile is Profile.STRICT and ask.tr_id not in _own(env)):
        raise ControlRefusal("OPSP8991", ask.tr_id, ask.tr_key)
    form = KEY_FORMS[ask.tr_id]
    if profile is Profile.COMPAT and ask.tr_id == feeds.US_BOOK_ONE:
        form = f"{form}|{_US_KEY}"
    if not re.fullmatch(form, ask.tr_key, re.ASCII):
        raise ControlRefusal("OPSP8992", ask.tr_id, ask.tr_key)


def _own(env: ExEnv) -> set[str]:
    """What a host streams: 모의 has KRX trades and books and its notices only."""
    quotes = set(KEY_FORMS) - set(NOTICES.values()) if env is ExEnv.LIVE else _MOCK_QUOTES
    return quotes | {tr for (_, side), tr in NOTICES.items() if side is env}


def symbol_of(tr_key: str) -> str:
    """The symbol in a key: US keys have four letters of session and exchange before it."""
    return tr_key[4:] if re.match(r"[DR][A-Z]{3}", tr_key) else tr_key


def acknowledged(ask: Ask, code: str, key: CipherKey) -> str:
    """The reply to a request that was done. `encrypt` Y for notices: the official client decrypts only then."""
    encrypt = "Y" if ask.tr_id in NOTICES.values() else "N"
    body = {"rt_cd": "0", "msg_cd": code, "msg1": TEXTS[code], "output": {"iv": key.iv, "key": key.key}}
    return _dump({"header": {"tr_id": ask.tr_id, "tr_key": ask.tr_key, "encrypt": encrypt}, "body": body})


def refused(refusal: ControlRefusal) -> str:
    body = {"rt_cd": "9" if refusal.code == "OPSP8996" else "1", "msg_cd": refusal.code, "msg1": TEXTS[refusal.code]}
    return _dump({"header": {"tr_id": refusal.tr_id, "tr_key": refusal.tr_key, "encrypt": "N"}, "body": body})


def pingpong(now: datetime) -> str:
    """The server's keep-alive: a header alone, no body; short enough for a pong frame."""
    return _dump({"header": {"tr_id": PINGPONG, "datetime": now.astimezone(KST).strftime("%Y%m%d%H%M%S")}})


def _dump(message: Json) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
