"""KIS as tables: hosts, transaction ids, codes. Nothing here decides anything (source: kis.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from brokers.http import HostList
from brokers.pacing import Pace
from brokers.reconnect import Patience
from shared.domain.account import Environment, Wire
from shared.domain.errors import (
    AuthExpired,
    AuthRefused,
    BadPrice,
    DoorClosed,
    InsufficientFunds,
    MarketClosed,
    NotSupported,
    OrderRejected,
    RateLimited,
    Refused,
    UnknownSymbol,
)
from shared.domain.instrument import Venue
from shared.domain.order import OrderType, Side, TimeInForce

KIS = "KIS"


@dataclass(frozen=True, slots=True)
class Site:
    """One environment's addresses and manners. `mock` selects the V… transaction ids."""

    environment: Environment
    rest: str
    stream: str
    mock: bool
    pace: Pace
    patience: Patience
    hosts: HostList


# kis.md §6.1: 18 a second (1 on 모의투자) by the notice of 2026-04-20; "calls inside the limit may still be refused", so
# less is asked. 모의투자 counts so coarsely that 1.1 s apart is what works.
LIVE_PACE = Pace(15, 1.0, reserved=6)
MOCK_PACE = Pace(1, 1.1)
# The server's PINGPONG comes every 100 s or so: 150 s of nothing is death (kis.md §7.6).
PATIENCE = Patience(silence_s=150.0, first_s=5.0)
SIM_PATIENCE = Patience(silence_s=150.0, first_s=0.5, cap_s=5.0, storm=200)
STREAM_PATH = "/tryitout"
SIM_PORTS = {Wire.LIVE: (18443, 18500), Wire.MOCK: (18444, 18501)}  # design.md §9: REST, stream


def site(environment: Environment, wire: Wire, port_offset: int = 0, override: Mapping[str, str] | None = None) -> Site:
    """Return the site of an environment; `override` (rest, stream) may only repeat what its host list allows.

    Raises:
        DoorClosed: an override points anywhere else.
    """
    if environment is Environment.LIVE:
        rest, stream = ("https", "openapi.koreainvestment.com", 9443), ("ws", "ops.koreainvestment.com", 21000)
    elif environment is Environment.MOCK:
        rest, stream = ("https", "openapivts.koreainvestment.com", 29443), ("ws", "ops.koreainvestment.com", 31000)
    else:
        rest_port, stream_port = SIM_PORTS[wire]
        rest, stream = ("http", "127.0.0.1", rest_port + port_offset), ("ws", "127.0.0.1", stream_port + port_offset)
    hosts = HostList(KIS, environment, frozenset({rest, stream}))
    addresses = {"rest": "{}://{}:{}".format(*rest), "stream": "{}://{}:{}".format(*stream), **(override or {})}
    if unknown := set(addresses) - {"rest", "stream"}:
        raise DoorClosed(KIS, "-", f"unknown address names: {', '.join(sorted(unknown))}")
    for address in addresses.values():
        hosts.check(address)
    mock = environment is Environment.MOCK or (environment is Environment.SIM and wire is Wire.MOCK)
    return Site(
        environment=environment,
        rest=addresses["rest"].rstrip("/"),
        stream=addresses["stream"].rstrip("/") + STREAM_PATH,
        mock=mock,
        pace=MOCK_PACE if mock else LIVE_PACE,
        patience=SIM_PATIENCE if environment is Environment.SIM else PATIENCE,
        hosts=hosts,
    )


@dataclass(frozen=True, slots=True)
class Tr:
    """A transaction: its path and its id in each environment; `mock` None means 모의투자 does not offer it."""

    path: str
    live: str
    mock: str | None

    def id(self, mock: bool) -> str:
        if not mock:
            return self.live
        if self.mock is None:
            raise NotSupported(KIS, self.live, "모의투자에서는 지원하지 않습니다 / not supported in mock trading")
        return self.mock


TOKEN = "/oauth2/tokenP"
APPROVAL = "/oauth2/Approval"
HASHKEY = "/uapi/hashkey"
NO_ENVELOPE = frozenset({"tokenP", "Approval", "hashkey"})  # answers without rt_cd

_US, _US_PRICE = "/uapi/overseas-stock/v1/trading/", "/uapi/overseas-price/v1/quotations/"
_KRX, _KRX_PRICE = "/uapi/domestic-stock/v1/trading/", "/uapi/domestic-stock/v1/quotations/"

US_BUY = Tr(_US + "order", "TTTT1002U", "VTTT1002U")
US_SELL = Tr(_US + "order", "TTTT1006U", "VTTT1001U")  # the exception to T → V
US_CHANGE = Tr(_US + "order-rvsecncl", "TTTT1004U", "VTTT1004U")
US_OPEN = Tr(_US + "inquire-nccs", "TTTS3018R", None)
US_ORDERS = Tr(_US + "inquire-ccnl", "TTTS3035R", "VTTS3035R")
US_BALANCE = Tr(_US + "inquire-present-balance", "CTRP6504R", "VTRP6504R")
US_POWER = Tr(_US + "inquire-psamount", "TTTS3007R", "VTTS3007R")
US_PRICE = Tr(_US_PRICE + "price", "HHDFS00000300", "HHDFS00000300")
US_BOOK = Tr(_US_PRICE + "inquire-asking-price", "HHDFS76200100", None)
US_DAILY = Tr(_US_PRICE + "dailyprice", "HHDFS76240000", "HHDFS76240000")
US_MINUTE = Tr(_US_PRICE + "inquire-time-itemchartprice", "HHDFS76950200", None)
US_PRODUCT = Tr(_US_PRICE + "search-info", "CTPF1702R", None)

KRX_BUY = Tr(_KRX + "order-cash", "TTTC0012U", "VTTC0012U")
KRX_SELL = Tr(_KRX + "order-cash", "TTTC0011U", "VTTC0011U")
KRX_CHANGE = Tr(_KRX + "order-rvsecncl", "TTTC0013U", "VTTC0013U")
KRX_OPEN = Tr(_KRX + "inquire-psbl-rvsecncl", "TTTC0084R", None)
KRX_ORDERS = Tr(_KRX + "inquire-daily-ccld", "TTTC0081R", "VTTC0081R")
KRX_BALANCE = Tr(_KRX + "inquire-balance", "TTTC8434R", "VTTC8434R")
KRX_POWER = Tr(_KRX + "inquire-psbl-order", "TTTC8908R", "VTTC8908R")
KRX_PRICE = Tr(_KRX_PRICE + "inquire-price", "FHKST01010100", "FHKST01010100")
KRX_BOOK = Tr(_KRX_PRICE + "inquire-asking-price-exp-ccn", "FHKST01010200", "FHKST01010200")
KRX_DAILY = Tr(_KRX_PRICE + "inquire-daily-itemchartprice", "FHKST03010100", "FHKST03010100")
KRX_MINUTE_TODAY = Tr(_KRX_PRICE + "inquire-time-itemchartprice", "FHKST03010200", "FHKST03010200")
KRX_MINUTE_PAST = Tr(_KRX_PRICE + "inquire-time-dailychartprice", "FHKST03010230", None)
KRX_PRODUCT = Tr(_KRX_PRICE + "search-info", "CTPF1604R", None)

SIDE_TO_KIS = {Side.SELL: "01", Side.BUY: "02"}
KIS_TO_SIDE = {code: side for side, code in SIDE_TO_KIS.items()}

VENUE_TO_ORDER = {Venue.NASDAQ: "NASD", Venue.NYSE: "NYSE", Venue.AMEX: "AMEX"}  # OVRS_EXCG_CD
ORDER_TO_VENUE = {code: venue for venue, code in VENUE_TO_ORDER.items()}
VENUE_TO_QUOTE = {Venue.NASDAQ: "NAS", Venue.NYSE: "NYS", Venue.AMEX: "AMS"}  # EXCD and the stream's tr_key
VENUE_TO_PRODUCT = {Venue.NASDAQ: "512", Venue.NYSE: "513", Venue.AMEX: "529"}  # PRDT_TYPE_CD

US_ORDER_TYPE = {
    (OrderType.LIMIT, Side.BUY): "00",
    (OrderType.LIMIT, Side.SELL): "00",
    (OrderType.MOO, Side.SELL): "31",
    (OrderType.LOO, Side.BUY): "32",
    (OrderType.LOO, Side.SELL): "32",
    (OrderType.MOC, Side.SELL): "33",
    (OrderType.LOC, Side.BUY): "34",
    (OrderType.LOC, Side.SELL): "34",
}
KRX_ORDER_TYPE = {
    (OrderType.LIMIT, TimeInForce.DAY): "00",
    (OrderType.MARKET, TimeInForce.DAY): "01",
    (OrderType.LIMIT, TimeInForce.IOC): "11",
    (OrderType.LIMIT, TimeInForce.FOK): "12",
    (OrderType.MARKET, TimeInForce.IOC): "13",
    (OrderType.MARKET, TimeInForce.FOK): "14",
}
KIS_TO_KRX_ORDER_TYPE = {code: order_type for (order_type, _), code in KRX_ORDER_TYPE.items()}

# Proven refusals: nothing was placed. Only codes that kis.md §6.3–6.4 documents or reports as seen; a code that is not
# here makes an order's outcome unknown (40250000 / 40310000 are "code uncertain" and stay out on purpose).
REFUSALS: dict[str, type[Refused]] = {
    **dict.fromkeys(("EGW00201", "EGW00215", "EGW00133"), RateLimited),
    **dict.fromkeys(("EGW00121", "EGW00122", "EGW00123"), AuthExpired),
    **dict.fromkeys(("EGW00003", "EGW00004", "EGW00205", "EGW00206", "EGW00207", "EGW02004"), AuthRefused),
    **dict.fromkeys((f"EGW{number:05d}" for number in range(102, 121)), AuthRefused),
    **dict.fromkeys(("OPSQ2000", "IGW00002", "APAC0489", "40910000"), AuthRefused),
    **dict.fromkeys(("EGW00310", "EGW02006", "OPSQ0002", "MCA00124"), NotSupported),
    **dict.fromkeys(("EGW00101", "EGW00131", "EGW00132", "OPSQ2001", "OPSQ2002", "IGW00007"), Refused),
    **dict.fromkeys((f"OPSQ{number}" for number in range(9995, 10000)), Refused),
    "APBK0952": InsufficientFunds,
    **dict.fromkeys(("APBK0400", "APBK1234", "40070000"), OrderRejected),
    **dict.fromkeys(("APBK0918", "APBK0919", "APBK1664", "40570000", "40580000", "40100000", "APAM3099"), MarketClosed),
    **dict.fromkeys(("APBK0656", "MCA05918"), UnknownSymbol),
    "40030000": BadPrice,
}
RETRY_AFTER_S = {"EGW00201": 1.0, "EGW00215": 1.0, "EGW00133": 61.0}
# The broker is away: reads ask again; for orders these are unknown outcomes (class U).
AWAY = frozenset(
    {"", "EGW00001", "EGW00002", "EGW00202", "EGW00203", "EGW00300", "EGW00301", "EGW00302"}
    | {"90020000", "OPSQ1002", "IGW00009", "IGW00027"}
)

# What never reaches a log (kis.md §1.2, §2), beside the account's own values.
MASKED_FIELDS = frozenset(
    {"appkey", "appsecret", "secretkey", "access_token", "token", "approval_key", "cano", "acnt_no"}
)

# Stream
US_TICKS, KRX_TICKS = "HDFSCNT0", "H0STCNT0"
US_NOTICES = {False: "H0GSCNI0", True: "H0GSCNI9"}  # by `mock`
KRX_NOTICES = {False: "H0STCNI0", True: "H0STCNI9"}
MAX_REGISTRATIONS = 41
REGISTERED = frozenset({"OPSP0000", "OPSP0002"})
UNREGISTERED = frozenset({"OPSP0001", "OPSP0003"})
