"""Accounts: who trades at the exchange, and what an account holds as its broker would tell it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from shared.domain.account import BrokerName
from shared.domain.money import Currency

DEFAULT_HTS_ID = "HTSID01"


class Profile(StrEnum):
    COMPAT = "compat"  # the tolerances that published clients need; any key
    STRICT = "strict"  # the brokers' real limits; registered keys and accounts only


class Frames(StrEnum):
    """How many fields KIS's Korean frames and its notices have."""

    DOCUMENTED = "documented"  # kis.md §5: 46, 59 and 65; notices by the profile
    EXTENDED = "2026-09"  # with the fields a published client found appended when KRX began its after-market


class ExEnv(StrEnum):
    """Which side of the exchange: live-like or 모의-like ports. Not our Environment."""

    LIVE = "live"
    MOCK = "mock"


class UnknownAccount(Exception):
    """The account or key was never registered (strict profile)."""


@dataclass(frozen=True, slots=True)
class AccountId:
    """What everything of an account is kept under: the same number may exist on both sides."""

    broker: BrokerName
    env: ExEnv
    number: str  # KIS "12345678-01", LS 11 digits

    @property
    def side(self) -> tuple[BrokerName, ExEnv]:
        """Numbers of orders and reservations run for each broker and side."""
        return self.broker, self.env


@dataclass(frozen=True, slots=True)
class Account:
    broker: BrokerName
    env: ExEnv
    number: str
    key_id: str | None = None  # fingerprint of the registered app key; None for an account made by its first use
    secret_id: str | None = None  # fingerprint of its secret
    hts_id: str = DEFAULT_HTS_ID

    @property
    def id(self) -> AccountId:
        return AccountId(self.broker, self.env, self.number)


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of one symbol. `average_price` is the moving average of the buys, fees excluded."""

    symbol: str
    quantity: int
    sellable: int  # quantity minus open sell orders
    average_price: Decimal
    cost: Decimal  # average_price × quantity
    bought_today: int = 0
    sold_today: int = 0


@dataclass(frozen=True, slots=True)
class CashView:
    """Cash in one currency. Proceeds of a sale can be used at once; nothing here is borrowed."""

    currency: Currency
    total: Decimal  # all executions counted, whatever their settlement date
    reserved: Decimal  # locked by open buy orders
    bought_today: Decimal
    sold_today: Decimal
    due: tuple[tuple[date, Decimal], ...] = ()  # (settlement date, net amount) of what is traded and not settled

    @property
    def unsettled(self) -> Decimal:
        """What trades not yet settled will add (negative: take)."""
        return sum((amount for _, amount in self.due), Decimal(0))

    @property
    def settled(self) -> Decimal:
        """Cash there today (D+0); `total` is what is there once everything has settled (KRX D+2, US D+1)."""
        return self.total - self.unsettled

    @property
    def orderable(self) -> Decimal:
        return self.total - self.reserved


@dataclass(frozen=True, slots=True)
class IssuedToken:
    broker: BrokerName
    env: ExEnv
    key_id: str
    value: str = field(repr=False)
    issued_at: datetime  # wall time, aware
    expires_at: datetime


def kis_number(text: str) -> str:
    """Return "12345678-01" for any way of writing a KIS account; digits after the tenth are dropped."""
    digits = "".join(c for c in text if c.isdigit())
    return f"{digits[:8]}-{digits[8:10] or '01'}"


def fingerprint(secret: str) -> str:
    """Return what the exchange remembers of a key, secret or token: never the text itself."""
    return hashlib.sha256(secret.encode()).hexdigest()


def ls_number(key_id: str) -> str:
    """Return the 11-digit account that belongs to the fingerprint of an LS app key nobody registered."""
    return f"2{int(key_id, 16) % 10**10:010d}"


def ls_env(app_key: str) -> ExEnv:
    """LS tells the sides apart by the key alone; here keys that begin with V are 모의투자."""
    return ExEnv.MOCK if app_key.startswith("V") else ExEnv.LIVE
