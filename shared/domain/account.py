"""Account: whose orders, at which broker, in which market, in which environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.money import Currency


class BrokerName(StrEnum):
    KIS = "KIS"
    LS = "LS"


class Environment(StrEnum):
    """SIM = our local exchange, MOCK = the broker's 모의투자, LIVE = real money. LIVE is never a default."""

    SIM = "SIM"
    MOCK = "MOCK"
    LIVE = "LIVE"


class Market(StrEnum):
    """The market an account trades: one account, one market, one currency."""

    US = "US"
    KRX = "KRX"

    @property
    def currency(self) -> Currency:
        return Currency.USD if self is Market.US else Currency.KRW


# broker × market × environment that an account may be. LS offers no US shares in its mock trading (ls.md §1.6).
SUPPORTED: frozenset[tuple[BrokerName, Market, Environment]] = frozenset(
    (broker, market, env)
    for broker in BrokerName
    for market in Market
    for env in Environment
    if (broker, market, env) != (BrokerName.LS, Market.US, Environment.MOCK)
)


class Wire(StrEnum):
    """Which ports and TR ids a SIM account uses at the local exchange (`live` by default)."""

    LIVE = "live"
    MOCK = "mock"


@dataclass(frozen=True, slots=True)
class AccountNumber:
    """A KIS account number: 8 digits (CANO) and a 2-digit product code. LS numbers are 11 digits, no product."""

    cano: str
    product: str

    @classmethod
    def parse(cls, text: str) -> AccountNumber:
        """Read `12345678-01` or `1234567801`; a missing product code is a ValueError that says so."""
        digits = re.sub(r"[\s-]", "", text)
        if re.fullmatch(r"[0-9]{8}", digits):
            raise ValueError("account number lacks its 2-digit product code (for example 12345678-01)")
        if not re.fullmatch(r"[0-9]{10}", digits):
            raise ValueError("account number must be 8+2 digits (for example 12345678-01)")
        return cls(digits[:8], digits[8:])

    def __str__(self) -> str:
        return f"{self.cano}-{self.product}"

    @property
    def last4(self) -> str:
        """The last four digits of the CANO: the only part that may stand in clear."""
        return self.cano[-4:]


@dataclass(frozen=True, slots=True)
class AccountKey:
    """What every token, cache, journal, ledger row and command is keyed by."""

    account_id: int
    broker: BrokerName
    market: Market
    environment: Environment
    owner_id: int

    def __post_init__(self) -> None:
        if (self.broker, self.market, self.environment) not in SUPPORTED:
            raise ValueError(f"{self.broker} {self.market} has no {self.environment} environment")
