"""LS as tables: hosts, transactions, codes. Nothing here decides anything (source: ls.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from brokers.http import HostList
from brokers.pacing import Pace, Priority
from brokers.reconnect import Patience
from shared.domain.account import Environment, Market, Wire
from shared.domain.errors import DoorClosed
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.order import OrderType, Side, TimeInForce

LS = "LS"
MOCK_WORD = "모의투자"  # the only thing that tells the side of an account (ls.md §1.1)


@dataclass(frozen=True, slots=True)
class Site:
    """One environment's addresses and manners. `mock`: what the probe must find."""

    environment: Environment
    rest: str
    stream: str
    mock: bool
    patience: Patience
    hosts: HostList


# An undocumented second budget trips below the per-TR limits (ls.md §6.1): reads stay under 4 a second in all, the rest
# is for orders, which the broker counts apart.
WHOLE_PACE = Pace(10, 1.0, reserved=6)
WINDOW_S = 1.15  # a per-TR limit is "a second" by the broker's clock, and calls take unequal time to get there
# Nothing is sent while no one trades, so silence alone means little: protocol pings find the dead connection, and
# a connection that says nothing for ten minutes is replaced anyway.
PATIENCE = Patience(silence_s=600.0, first_s=2.0, cap_s=60.0, ping_s=20.0)
SIM_PATIENCE = Patience(silence_s=60.0, first_s=0.5, cap_s=5.0, storm=200, ping_s=20.0)
STREAM_PATH = "/websocket"
SIM_REST_PORT = 18080  # design.md §9
SIM_STREAM_PORTS = {Wire.LIVE: 19443, Wire.MOCK: 29443}


def site(environment: Environment, wire: Wire, port_offset: int = 0, override: Mapping[str, str] | None = None) -> Site:
    """Return the site of an environment; `override` (rest, stream) may only repeat what its host list allows.

    LS serves both sides from one REST host: the list cannot tell them apart, the probe of auth.py does.

    Raises:
        DoorClosed: an override points anywhere else.
    """
    mock = environment is Environment.MOCK or (environment is Environment.SIM and wire is Wire.MOCK)
    if environment is Environment.SIM:
        rest = ("http", "127.0.0.1", SIM_REST_PORT + port_offset)
        stream = ("ws", "127.0.0.1", SIM_STREAM_PORTS[wire] + port_offset)
    else:
        rest = ("https", "openapi.ls-sec.co.kr", 8080)
        stream = ("wss", "openapi.ls-sec.co.kr", 29443 if mock else 9443)
    hosts = HostList(LS, environment, frozenset({rest, stream}))
    addresses = {"rest": "{}://{}:{}".format(*rest), "stream": "{}://{}:{}".format(*stream), **(override or {})}
    if unknown := set(addresses) - {"rest", "stream"}:
        raise DoorClosed(LS, "-", f"unknown address names: {', '.join(sorted(unknown))}")
    for address in addresses.values():
        hosts.check(address)
    return Site(
        environment=environment,
        rest=addresses["rest"].rstrip("/"),
        stream=addresses["stream"].rstrip("/") + STREAM_PATH,
        mock=mock,
        patience=SIM_PATIENCE if environment is Environment.SIM else PATIENCE,
        hosts=hosts,
    )


NORMAL = frozenset({"00000"})
ASKED = frozenset({"00000", "00136", "00133"})  # C-series; 00133 = more pages
EMPTY = frozenset({"00707", "00200"})  # nothing to show: a success without rows
NO_DATA = "00009"  # the symbol is not known
US_LISTED = NORMAL | EMPTY | {NO_DATA}  # an unknown US symbol is an answer without a block
US_ASKED = ASKED | EMPTY | {"00001"}  # the success of COSOQ00201


@dataclass(frozen=True, slots=True)
class Tr:
    """A transaction: code, path, personal limit a second, and its own success codes (ls.md §6.3: no list fits all)."""

    code: str
    path: str
    per_s: int
    success: frozenset[str] = NORMAL
    in_block: str = "InBlock"

    @property
    def pace(self) -> Pace:
        return Pace(self.per_s, WINDOW_S)

    @property
    def priority(self) -> Priority:
        """Of a read; orders go by what they do to the position."""
        return Priority.ACCOUNT if self.path.endswith("/accno") else Priority.READ


TOKEN, REVOKE = "token", "revoke"  # names of the OAuth calls in logs and errors
TOKEN_PATH, REVOKE_PATH = "/oauth2/token", "/oauth2/revoke"

_ORDER, _ACCOUNT, _DATA, _CHART = "/stock/order", "/stock/accno", "/stock/market-data", "/stock/chart"
NEW = Tr("CSPAT00601", _ORDER, 10, in_block="InBlock1")
AMEND = Tr("CSPAT00701", _ORDER, 3, in_block="InBlock1")
CANCEL = Tr("CSPAT00801", _ORDER, 3, in_block="InBlock1")
HOLDINGS = Tr("t0424", _ACCOUNT, 2)
SETTLED = Tr("CSPAQ12300", _ACCOUNT, 1, ASKED | EMPTY, "InBlock1")
TODAY = Tr("t0425", _ACCOUNT, 2)
HEADED = frozenset({HOLDINGS.code, TODAY.code})  # lists that carry their totals even when they are empty
CASH = Tr("CSPAQ12200", _ACCOUNT, 1, ASKED, "InBlock1")
HISTORY = Tr("CSPAQ13700", _ACCOUNT, 1, ASKED | EMPTY, "InBlock1")
POWER = Tr("CSPBQ00200", _ACCOUNT, 1, ASKED, "InBlock1")
JOURNAL = Tr("t0150", _ACCOUNT, 1)
JOURNAL_OF = Tr("t0151", _ACCOUNT, 1)
PROBE = Tr("FOCCQ33600", _ACCOUNT, 1, ASKED | EMPTY, "InBlock1")
BOOK = Tr("t1101", _DATA, 10)
VENUE_BOOK = Tr("t8450", _DATA, 10)
DETAIL = Tr("t1102", _DATA, 10)
QUOTES = Tr("t8407", _DATA, 5)
TRADES = Tr("t1301", _DATA, 2)
VENUE_TRADES = Tr("t8454", _DATA, 1)
DAYS = Tr("t8410", _CHART, 1)
MINUTES = Tr("t8412", _CHART, 1)
VENUE_DAYS = Tr("t8451", _CHART, 1)
VENUE_MINUTES = Tr("t8452", _CHART, 1)
MASTER = Tr("t8436", "/stock/etc", 2)

_US_ORDER, _US_ACCOUNT = "/overseas-stock/order", "/overseas-stock/accno"
_US_DATA, _US_CHART = "/overseas-stock/market-data", "/overseas-stock/chart"
US_NEW = Tr("COSAT00301", _US_ORDER, 10, in_block="InBlock1")  # cancels too
US_AMEND = Tr("COSAT00311", _US_ORDER, 10, in_block="InBlock1")
# One a second for a person, as for their Korean twins; the charts are assumed to be alike.
US_ORDERS = Tr("COSAQ00102", _US_ACCOUNT, 1, US_ASKED, "InBlock1")
US_BALANCE = Tr("COSOQ00201", _US_ACCOUNT, 1, US_ASKED, "InBlock1")
US_CASH = Tr("COSOQ02701", _US_ACCOUNT, 1, US_ASKED, "InBlock1")
US_PRICE = Tr("g3101", _US_DATA, 10, US_LISTED)
US_LISTING = Tr("g3104", _US_DATA, 10, US_LISTED)
US_BOOK = Tr("g3106", _US_DATA, 10, US_LISTED)
US_TRADES = Tr("g3102", _US_DATA, 10, US_LISTED)
US_MASTER = Tr("g3190", _US_DATA, 10, US_LISTED)
US_MINUTES = Tr("g3203", _US_CHART, 1)
US_DAYS = Tr("g3204", _US_CHART, 1)
US_TABLE = Tr("g3103", _US_CHART, 1)  # days, weeks, months as a plain table: where the chart does not answer
US_TICK_CHART = Tr("g3202", _US_CHART, 1)  # bars of n trades; of one trade each, the trades themselves
TRS = {
    tr.code: tr
    for tr in (
        *(NEW, AMEND, CANCEL, HOLDINGS, SETTLED, TODAY, CASH, HISTORY, POWER, JOURNAL, JOURNAL_OF, PROBE),
        *(BOOK, VENUE_BOOK, DETAIL, QUOTES, TRADES, VENUE_TRADES, DAYS, MINUTES, VENUE_DAYS, VENUE_MINUTES, MASTER),
        *(US_NEW, US_AMEND, US_ORDERS, US_BALANCE, US_CASH, US_PRICE, US_LISTING, US_BOOK, US_TRADES, US_MASTER),
        *(US_MINUTES, US_DAYS, US_TABLE, US_TICK_CHART),
    )
}

SIDE_TO_LS = {Side.SELL: "1", Side.BUY: "2"}
LS_TO_SIDE = {code: side for side, code in SIDE_TO_LS.items()}
WORD_TO_SIDE = {"매도": Side.SELL, "매수": Side.BUY}
TYPE_TO_LS = {OrderType.LIMIT: "00", OrderType.MARKET: "03"}
LS_TO_TYPE = {code: order_type for order_type, code in TYPE_TO_LS.items()}
CONDITION_TO_LS = {TimeInForce.DAY: "0", TimeInForce.IOC: "1", TimeInForce.FOK: "2"}
# At a US exchange (COSAT00301): a market order is a sell only.
US_TYPE_TO_LS = {
    **{(OrderType.LIMIT, side): "00" for side in Side},
    **{(OrderType.LOO, side): "M1" for side in Side},
    **{(OrderType.LOC, side): "M2" for side in Side},
    (OrderType.MARKET, Side.SELL): "03",
    (OrderType.MOO, Side.SELL): "M3",
    (OrderType.MOC, Side.SELL): "M4",
}
LS_TO_US_TYPE = {code: order_type for (order_type, _), code in US_TYPE_TO_LS.items()}
API_CHANNELS = ("40", "41")  # CommdaCode
US_SELL, US_BUY, US_CHANGE, US_CANCEL = "01", "02", "07", "08"  # OrdPtnCode
US_MARKETS = {"82": (Venue.NASDAQ,), "81": (Venue.NYSE, Venue.AMEX)}  # exchcd, OrdMktCode, FcurrMktCode
VENUES = {"KRX": Venue.KRX, "NXT": Venue.NXT}  # no SOR; anything else would silently become KRX (ls.md §3.1)
ISSUE_LETTERS = {InstrumentType.ETN: "Q", InstrumentType.ELW: "J"}  # of an order's IsuNo; "A" for the others
VENUE_PREFIX = {Venue.KRX: "", Venue.NXT: "N", Venue.SOR: "U"}  # of symbols in feeds by venue
VENUE_CODE = {Venue.KRX: "K", Venue.NXT: "N", Venue.SOR: "U"}  # exchgubun; anything else would silently be KRX
KINDS = {"0": InstrumentType.STOCK, "1": InstrumentType.ETF, "2": InstrumentType.ETN}
BOARDS = {"1": "KOSPI", "2": "KOSDAQ"}

NEVER_EXECUTED = "IGW40011"  # the one gateway code of which that was seen (ls.md §6.5)
TOKEN_DEAD = frozenset({"IGW00121", "IGW00123"})
RETRY_AFTER_S = 1.0

# What never reaches a log, beside the account's own values.
MASKED_FIELDS = frozenset(
    {"appkey", "appsecretkey", "access_token", "token", "AcntNo", "AcntNm", "accno", "accno1", "ordacntno", "acntnm"}
    | {"sAcntNo", "sAcntNm", "sOrdAcntNo"}
    | {"Pwd", "InptPwd", "passwd"}
)

# Stream. Where a channel is of one board, the other board's symbol is silently without data.
TICKS = {"KOSPI": "S3_", "KOSDAQ": "K3_", Venue.NXT: "NS3", Venue.SOR: "US3"}
BOOKS = {"KOSPI": "H1_", "KOSDAQ": "HA_", Venue.NXT: "NH1", Venue.SOR: "UH1"}
US_TICKS, US_BOOKS = "GSC", "GSH"
PHASES, PHASES_KEY = "JIF", "0"
NOTICES = {Market.KRX: ("SC0", "SC1", "SC2", "SC3", "SC4"), Market.US: ("AS0", "AS1", "AS2", "AS3", "AS4")}
REGISTERED = "00000"
MAX_REGISTRATIONS = 200  # beyond it acknowledgements come but no data (ls.md §5.1)
