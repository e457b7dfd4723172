"""Market data rows the console draws. SIM prices are not market prices: the environment is part of every key."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import ExactDecimal, Instant


class PriceBar(SQLModel, table=True):
    __tablename__ = "price_bars"
    __table_args__ = (UniqueConstraint("environment", "market", "symbol", "timeframe", "start"),)

    id: int | None = Field(default=None, primary_key=True)
    environment: str
    market: str
    symbol: str
    timeframe: str
    start: datetime = Field(sa_type=Instant)
    open: Decimal = Field(sa_type=ExactDecimal)
    high: Decimal = Field(sa_type=ExactDecimal)
    low: Decimal = Field(sa_type=ExactDecimal)
    close: Decimal = Field(sa_type=ExactDecimal)
    volume: int


class QuoteRow(SQLModel, table=True):
    __tablename__ = "quotes"
    __table_args__ = (UniqueConstraint("environment", "market", "symbol"),)

    id: int | None = Field(default=None, primary_key=True)
    environment: str
    market: str
    symbol: str
    last: Decimal = Field(sa_type=ExactDecimal)
    bid: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    ask: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    prev_close: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    source: str = "stream"
    at: datetime = Field(sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)


class InstrumentRow(SQLModel, table=True):
    __tablename__ = "instruments"
    __table_args__ = (UniqueConstraint("market", "symbol"),)

    id: int | None = Field(default=None, primary_key=True)
    market: str
    symbol: str
    venue: str
    currency: str
    type: str = "stock"
    board: str = ""
    name: str = ""
    name_en: str = ""
    fetched_at: datetime = Field(sa_type=Instant)


class FxRate(SQLModel, table=True):
    __tablename__ = "fx_rates"
    __table_args__ = (UniqueConstraint("base", "quote", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    base: str
    quote: str
    rate: Decimal = Field(sa_type=ExactDecimal)
    source: str = ""
    at: datetime = Field(sa_type=Instant)
