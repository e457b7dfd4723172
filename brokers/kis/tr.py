"""KIS as tables: hosts, transaction ids, codes. Nothing here decides anything (source: kis.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from brokers.http import HostList
from brokers.pacing import Pace, Priority
from brokers.reconnect import Patience
from shared.domain.account import Environment, Wire
from shared.domain.errors import DoorClosed, NotSupported
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
SIM_PATIENCE = Patience(silence_s=150.0, first_s=0.5, cap_s=5.0, storm=200, taken_s=2.0)
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

    @property
    def priority(self) -> Priority:
        """Of a read; orders go by what they do to the position."""
        return Priority.ACCOUNT if "/trading/" in self.path else Priority.READ

    def id(self, mock: bool) -> str:
        if not mock:
            return self.live
        if self.mock is None:
            name = self.path.rsplit("/", 1)[-1]
            raise NotSupported(
                KIS, self.live, f"모의투자에서는 지원하지 않습니다 ({name}) / not supported in mock trading ({name})"
            )
        return self.mock


TOKEN = "/oauth2/tokenP"
REVOKE = "/oauth2/revokeP"
APPROVAL = "/oauth2/Approval"
HASHKEY = "/uapi/hashkey"
NO_ENVELOPE = frozenset({"tokenP", "revokeP", "Approval", "hashkey"})  # answers without rt_cd

_US, _US_PRICE = "/uapi/overseas-stock/v1/trading/", "/uapi/overseas-price/v1/quotations/"
_KRX, _KRX_PRICE = "/uapi/domestic-stock/v1/trading/", "/uapi/domestic-stock/v1/quotations/"

US_BUY = Tr(_US + "order", "TTTT1002U", "VTTT1002U")
US_SELL = Tr(_US + "order", "TTTT1006U", "VTTT1001U")  # the exception to T → V
US_CHANGE = Tr(_US + "order-rvsecncl", "TTTT1004U", "VTTT1004U")
US_DAY_BUY = Tr(_US + "daytime-order", "TTTS6036U", None)
US_DAY_SELL = Tr(_US + "daytime-order", "TTTS6037U", None)
US_DAY_CHANGE = Tr(_US + "daytime-order-rvsecncl", "TTTS6038U", None)
US_RESERVE_BUY = Tr(_US + "order-resv", "TTTT3014U", "VTTT3014U")
US_RESERVE_SELL = Tr(_US + "order-resv", "TTTT3016U", "VTTT3016U")
US_RESERVE_CANCEL = Tr(_US + "order-resv-ccnl", "TTTT3017U", "VTTT3017U")
US_RESERVED = Tr(_US + "order-resv-list", "TTTT3039R", None)
US_OPEN = Tr(_US + "inquire-nccs", "TTTS3018R", None)
US_ORDERS = Tr(_US + "inquire-ccnl", "TTTS3035R", "VTTS3035R")
US_BALANCE = Tr(_US + "inquire-present-balance", "CTRP6504R", "VTRP6504R")
US_SETTLED = Tr(_US + "inquire-balance", "TTTS3012R", "VTTS3012R")
US_PROFIT = Tr(_US + "inquire-period-profit", "TTTS3039R", None)
US_POWER = Tr(_US + "inquire-psamount", "TTTS3007R", "VTTS3007R")
US_PRICE = Tr(_US_PRICE + "price", "HHDFS00000300", "HHDFS00000300")
US_PRICES = Tr(_US_PRICE + "multprice", "HHDFS76220000", None)
US_DETAIL = Tr(_US_PRICE + "price-detail", "HHDFS76200200", None)
US_BOOK = Tr(_US_PRICE + "inquire-asking-price", "HHDFS76200100", None)
US_TRADES = Tr(_US_PRICE + "inquire-ccnl", "HHDFS76200300", None)
US_DAILY = Tr(_US_PRICE + "dailyprice", "HHDFS76240000", "HHDFS76240000")
US_MINUTE = Tr(_US_PRICE + "inquire-time-itemchartprice", "HHDFS76950200", None)
US_SEARCH = Tr(_US_PRICE + "inquire-search", "HHDFS76410000", "HHDFS76410000")
US_PRODUCT = Tr(_US_PRICE + "search-info", "CTPF1702R", None)
US_SETTLEMENT_DAYS = Tr("/uapi/overseas-stock/v1/quotations/countries-holiday", "CTOS5011R", None)

KRX_BUY = Tr(_KRX + "order-cash", "TTTC0012U", "VTTC0012U")
KRX_SELL = Tr(_KRX + "order-cash", "TTTC0011U", "VTTC0011U")
KRX_CHANGE = Tr(_KRX + "order-rvsecncl", "TTTC0013U", "VTTC0013U")
KRX_OPEN = Tr(_KRX + "inquire-psbl-rvsecncl", "TTTC0084R", None)
KRX_ORDERS = Tr(_KRX + "inquire-daily-ccld", "TTTC0081R", "VTTC0081R")
KRX_OLD_ORDERS = Tr(_KRX + "inquire-daily-ccld", "CTSC9215R", "VTSC9215R")  # before the last three months
KRX_BALANCE = Tr(_KRX + "inquire-balance", "TTTC8434R", "VTTC8434R")
KRX_PROFIT = Tr(_KRX + "inquire-period-trade-profit", "TTTC8715R", None)
KRX_POWER = Tr(_KRX + "inquire-psbl-order", "TTTC8908R", "VTTC8908R")
KRX_PRICE = Tr(_KRX_PRICE + "inquire-price", "FHKST01010100", "FHKST01010100")
KRX_BOOK = Tr(_KRX_PRICE + "inquire-asking-price-exp-ccn", "FHKST01010200", "FHKST01010200")
KRX_TRADES = Tr(_KRX_PRICE + "inquire-ccnl", "FHKST01010300", "FHKST01010300")  # the last 30
KRX_PERIOD = Tr(_KRX_PRICE + "inquire-daily-itemchartprice", "FHKST03010100", "FHKST03010100")
KRX_MINUTE_TODAY = Tr(_KRX_PRICE + "inquire-time-itemchartprice", "FHKST03010200", "FHKST03010200")
KRX_MINUTE_PAST = Tr(_KRX_PRICE + "inquire-time-dailychartprice", "FHKST03010230", None)
KRX_PRODUCT = Tr(_KRX_PRICE + "search-info", "CTPF1604R", None)
KRX_SHARE = Tr(_KRX_PRICE + "search-stock-info", "CTPF1002R", None)
KRX_HOLIDAYS = Tr(_KRX_PRICE + "chk-holiday", "CTCA0903R", None)

SIDE_TO_KIS = {Side.SELL: "01", Side.BUY: "02"}
KIS_TO_SIDE = {code: side for side, code in SIDE_TO_KIS.items()}

VENUE_TO_ORDER = {Venue.NASDAQ: "NASD", Venue.NYSE: "NYSE", Venue.AMEX: "AMEX"}  # OVRS_EXCG_CD
ORDER_TO_VENUE = {code: venue for venue, code in VENUE_TO_ORDER.items()}
VENUE_TO_QUOTE = {Venue.NASDAQ: "NAS", Venue.NYSE: "NYS", Venue.AMEX: "AMS"}  # EXCD and the stream's tr_key
VENUE_TO_DAY_QUOTE = {Venue.NASDAQ: "BAQ", Venue.NYSE: "BAY", Venue.AMEX: "BAA"}  # the same in the day market
VENUE_TO_DIVISION = {Venue.KRX: "J", Venue.NXT: "NX", Venue.SOR: "UN"}  # FID_COND_MRKT_DIV_CODE
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

# What never reaches a log (kis.md §1.2, §2), beside the account's own values.
MASKED_FIELDS = frozenset(
    {"appkey", "appsecret", "secretkey", "access_token", "token", "approval_key", "cano", "acnt_no"}
)

# Stream (kis.md §5). US_TICKS and US_BOOKS serve both sessions: the key tells which (§5.3).
US_TICKS, US_BOOKS = "HDFSCNT0", "HDFSASP0"
KRX_TICKS = {Venue.KRX: "H0STCNT0", Venue.SOR: "H0UNCNT0", Venue.NXT: "H0NXCNT0"}
KRX_BOOKS = {Venue.KRX: "H0STASP0", Venue.SOR: "H0UNASP0", Venue.NXT: "H0NXASP0"}
US_NOTICES = {False: "H0GSCNI0", True: "H0GSCNI9"}  # by `mock`
KRX_NOTICES = {False: "H0STCNI0", True: "H0STCNI9"}
MAX_REGISTRATIONS = 41
TAKEN = "OPSP8996"  # one session per app key
REGISTERED = frozenset({"OPSP0000", "OPSP0002"})
UNREGISTERED = frozenset({"OPSP0001", "OPSP0003"})
