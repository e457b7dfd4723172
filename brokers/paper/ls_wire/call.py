"""One TR call as its handler sees it, what a handler gives back, and the small formats they all share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers.paper.accounts import Account, ExEnv
from brokers.paper.exchange import Exchange
from brokers.paper.listings import Listing
from brokers.paper.ls_wire.blocks import Block, InBlock
from brokers.paper.ls_wire.refusals import Refusal
from shared.domain.account import Market
from shared.domain.instrument import InstrumentType

KST = ZoneInfo("Asia/Seoul")
ACCOUNT_NAME = "홍길동"
NO_DATA = Refusal("00009", "조회할 자료가 없습니다.")


@dataclass(frozen=True, slots=True)
class Call:
    exchange: Exchange
    account: Account
    asked: InBlock
    cont: bool  # request header tr_cont: Y
    cont_key: str

    @property
    def mock(self) -> bool:
        return self.account.env is ExEnv.MOCK

    def cursor(self, name: str) -> str:
        """Where the page begins: by the body's field, else by the header."""
        return self.asked.text(name) or (self.cont_key if self.cont else "")

    def now(self) -> datetime:
        """Market time, KST."""
        return self.exchange.clock.market_now().astimezone(KST)


Blocks = Mapping[str, Block | list[Block]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A TR's answer. A non-blank `cont_key` means more pages."""

    blocks: Blocks = field(default_factory=dict)
    code: str = "00000"
    text: str = "정상적으로 조회가 완료되었습니다."
    cont_key: str = ""


def listed(call: Call, code: str) -> Listing:
    """The Korean share that `code` names. Raises Refusal 00009 when there is none."""
    listing = call.exchange.listing(code)
    if listing is None or listing.market is not Market.KRX:
        raise NO_DATA
    return listing


def short_code(isu_no: str) -> str:
    """Return 005930 for 005930, A005930, Q… (ETN), J… (ELW) or the ISIN KR7005930003."""
    if len(isu_no) == 12:
        return isu_no[3:9]
    return isu_no[1:] if len(isu_no) == 7 else isu_no


def prefixed(code: str, listing: Listing | None) -> str:
    """Return the code as C-series and notices write it: A for shares and ETFs, Q for ETNs."""
    return ("Q" if listing is not None and listing.type is InstrumentType.ETN else "A") + code


def isin(code: str) -> str:
    """Return the 12-character ISIN of a Korean share: KR7 + code + 00 + check digit (ISO 6166)."""
    body = f"KR7{code}00"
    digits = "".join(str(int(c, 36)) for c in body)
    total = sum(sum(divmod(int(c) * 2, 10)) if i % 2 == 0 else int(c) for i, c in enumerate(reversed(digits)))
    return body + str(-total % 10)


def market_code(listing: Listing) -> str:
    return "20" if listing.board == "KOSDAQ" else "10"


def sign_of(price: Decimal, prev_close: Decimal, limits: tuple[Decimal, Decimal] | None) -> str:
    """1 upper limit, 2 up, 3 flat, 4 lower limit, 5 down."""
    if limits is not None and price in limits:
        return "4" if price == limits[0] else "1"
    return "3" if price == prev_close else "2" if price > prev_close else "5"


def percent(change: Decimal, base: Decimal) -> Decimal:
    return change / base * 100 if base else Decimal(0)


def clock9(at: datetime) -> str:
    """HHMMSSmmm in KST."""
    local = at.astimezone(KST)
    return f"{local:%H%M%S}{local.microsecond // 1000:03d}"


def clock8(at: datetime) -> str:
    """HHMMSScc in KST."""
    return clock9(at)[:8]


def clock6(at: datetime) -> str:
    return clock9(at)[:6]


def millions(amount: Decimal) -> int:
    """Amounts of market data are in million KRW."""
    return int(amount) // 1_000_000
