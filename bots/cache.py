"""cache.db: what the broker told and does not change quickly, with when it was asked. A second ask inside the maximum
age makes no call. Losing the file costs calls, never correctness."""

from __future__ import annotations

import json
import sqlite3
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from brokers.contract import Broker
from shared.clock import Clock
from shared.domain.account import AccountKey, Market
from shared.domain.instrument import Instrument, InstrumentType, Venue
from shared.domain.market import Bar, Quote, Timeframe
from shared.domain.money import Currency

INSTRUMENT_AGE = timedelta(days=1)
DAY_BARS_AGE = timedelta(minutes=10)
HOLIDAY_AGE = timedelta(days=1)
QUOTE_AGE = timedelta(seconds=2)


class Cache:
    """Small reads and writes on the loop: a row is under a kilobyte, durability is not needed."""

    def __init__(self, path: Path, key: AccountKey, broker: Broker, clock: Clock) -> None:
        self._broker, self._clock = broker, clock
        self._prefix = f"{key.broker}:{key.environment}:{key.market}:"  # SIM prices are not market prices
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=TRUNCATE")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA cache_size=-128")  # KiB; the default is 2 MB a file
        self._db.execute("CREATE TABLE IF NOT EXISTS kept(name TEXT PRIMARY KEY, body TEXT, fetched_at TEXT)")
        path.chmod(0o600)

    def close(self) -> None:
        self._db.close()

    async def instrument(self, symbol: str) -> Instrument:
        """Static facts of `symbol`. Raises NotFound or BrokerError when they must be asked and cannot be had."""
        name = f"instrument:{symbol}"
        kept = self._get(name, INSTRUMENT_AGE)
        if kept is None:
            kept = _facts(await self._broker.get_instrument(symbol))
            self._put(name, kept)
        return _instrument(symbol, kept)

    async def instruments(self) -> list[Instrument]:
        """Every instrument of the market. Raises NotSupported where the broker does not list them."""
        kept = self._get("instruments", INSTRUMENT_AGE)
        if kept is None:
            found = await self._broker.list_instruments()
            self._put("instruments", {one.symbol: _facts(one) for one in found})
            return found
        return [_instrument(symbol, facts) for symbol, facts in kept.items()]

    async def quote(self, symbol: str) -> Quote:
        """A price no older than `QUOTE_AGE`."""
        name = f"quote:{symbol}"
        kept = self._get(name, QUOTE_AGE)
        if kept is not None:
            return _quote(symbol, kept)
        found = await self._broker.get_quote(symbol)
        self._put(name, _told(found))
        return found

    async def is_open_day(self, day: date) -> bool | None:
        """The broker's own calendar, asked once a day; None: it does not tell."""
        name = f"holiday:{day}"
        kept = self._get(name, HOLIDAY_AGE)
        if kept is None:
            kept = {"open": await self._broker.is_open_day(day)}
            self._put(name, kept)
        told: bool | None = kept["open"]
        return told

    async def bars(self, symbol: str, timeframe: Timeframe, count: int, *, fresh: bool = False) -> list[Bar]:
        """The broker's bars, oldest first; day bars may be `DAY_BARS_AGE` old, shorter ones are always asked."""
        name = f"bars:{symbol}:{timeframe}:{count}"
        kept = self._get(name, DAY_BARS_AGE) if timeframe is Timeframe.D1 and not fresh else None
        if kept is not None:
            return [_bar(symbol, timeframe, row) for row in kept["bars"]]
        bars = await self._broker.get_bars(symbol, timeframe, count)
        if timeframe is Timeframe.D1:
            self._put(name, {"bars": [_row(bar) for bar in bars]})
        return bars

    def kept_day_bars(self, symbol: str, count: int) -> list[Bar]:
        """The day bars as they were last told, however long ago; [] when they never were."""
        kept = self._get(f"bars:{symbol}:{Timeframe.D1}:{count}", timedelta.max)
        return [] if kept is None else [_bar(symbol, Timeframe.D1, row) for row in kept["bars"]]

    def _get(self, name: str, max_age: timedelta) -> dict[str, Any] | None:
        row = self._db.execute("SELECT body, fetched_at FROM kept WHERE name = ?", (self._prefix + name,)).fetchone()
        if row is None or self._clock.wall_now() - datetime.fromisoformat(row[1]) > max_age:
            return None
        found: dict[str, Any] = json.loads(row[0])
        return found

    def _put(self, name: str, body: object) -> None:
        values = (self._prefix + name, json.dumps(body), self._clock.wall_now().isoformat())
        self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", values)


def _facts(one: Instrument) -> dict[str, str]:
    return {
        "market": one.market, "venue": one.venue, "currency": one.currency, "type": one.type, "board": one.board,
        "name": one.name, "name_en": one.name_en,
    }  # fmt: skip


def _instrument(symbol: str, kept: dict[str, str]) -> Instrument:
    return Instrument(
        symbol, Market(kept["market"]), Venue(kept["venue"]), Currency(kept["currency"]),
        InstrumentType(kept["type"]), kept["board"], kept["name"], kept.get("name_en", ""),
    )  # fmt: skip


def _told(one: Quote) -> dict[str, Any]:
    prices = (one.last, one.bid, one.ask, one.prev_close, one.upper_limit, one.lower_limit)
    return {
        "prices": [None if price is None else str(price) for price in prices], "volume": one.volume,
        "at": one.at.isoformat(), "received_at": one.received_at.isoformat(),
    }  # fmt: skip


def _quote(symbol: str, kept: dict[str, Any]) -> Quote:
    last, *others = kept["prices"]
    bid, ask, previous, upper, lower = (None if price is None else Decimal(price) for price in others)
    at, received_at = datetime.fromisoformat(kept["at"]), datetime.fromisoformat(kept["received_at"])
    return Quote(symbol, Decimal(last), bid, ask, previous, upper, lower, kept["volume"], at, received_at)


def _row(bar: Bar) -> list[str]:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return [bar.start.isoformat(), *(str(price) for price in prices), str(bar.volume), "1" if bar.closed else ""]


def _bar(symbol: str, timeframe: Timeframe, row: list[str]) -> Bar:
    start, opened, high, low, close, volume, closed = row
    o, h, lo, c = Decimal(opened), Decimal(high), Decimal(low), Decimal(close)
    return Bar(symbol, timeframe, datetime.fromisoformat(start), o, h, lo, c, int(volume), closed=bool(closed))
