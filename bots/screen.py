"""What the console is shown of this account: last-wins rows each second, equity and lots each minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bots import outgoing
from bots.daybook import DayBook
from bots.feed import Feed
from bots.journal import Changes, Outgoing
from bots.own_orders import OwnOrders
from bots.portfolio import Portfolio
from bots.stop_watch import Guard, StopWatch
from bots.sync import Snapshots
from bots.trader import Trader
from bots.trading_hours import TradingHours
from shared.clock import Clock
from shared.domain.order import Position

RATE_AGAIN = timedelta(hours=6)


@dataclass(slots=True)
class Screen:
    portfolio: Portfolio
    orders: OwnOrders
    feed: Feed
    trader: Trader
    daybook: DayBook
    hours: TradingHours
    clock: Clock
    snapshots: Callable[[], Snapshots]
    stops: StopWatch
    rate_source: str = ""  # "LIVE KIS": who tells the exchange rate, as its rows name him
    _rate: tuple[Decimal, datetime] | None = None  # the rate last told, and when
    _shown: dict[str, dict[str, Any]] = field(default_factory=dict)  # stream:key → what the store has
    _symbols: set[str] = field(default_factory=set)

    def show(self) -> None:
        """Put what changed since the last second."""
        if self.portfolio.known():
            self._show_positions()
            self._show_cash()
        for symbol in self.feed.wanted:
            self._show_quote(symbol)

    def minute(self) -> Changes:
        """Equity, and the lots whose high-water marks and bar counts live in memory only."""
        return Changes(lots=self.trader.lots.all(), outbox=self._equity())

    def _show_positions(self) -> None:
        now = self.clock.wall_now().isoformat()
        positions = self.portfolio.positions()
        guards = self.stops.look(positions)
        for position in positions:
            last = self.feed.last(position.symbol)
            values = {**self._position(position, guards), "priced_at": last.at.isoformat() if last else None}
            self._put("positions", position.symbol, values, {"updated_at": now})
        held = {position.symbol for position in positions}
        for symbol in self._symbols - held:
            gone = {"symbol": symbol, "qty": 0, "avg_price": "0", "updated_at": now}
            self._shown.pop(f"positions:{symbol}", None)
            self.snapshots().put("positions", symbol, gone)
        if held != self._symbols or not self._shown.get("held"):
            self.snapshots().held = held
            self._shown["held"] = {"symbols": held}
        self._symbols = held

    def _position(self, one: Position, guards: dict[str, Guard]) -> dict[str, Any]:
        guard = guards.get(one.symbol)
        instrument = self.trader.clearance.instruments.get(one.symbol)
        return {
            "symbol": one.symbol, "name": one.name or (instrument.name if instrument else ""), "qty": one.quantity,
            "sellable": one.sellable, "avg_price": _text(one.average_price), "last_price": _text(one.last_price),
            "unrealized_pnl": _text(one.unrealized_pnl), "currency": one.currency,
            "guarded_by": guard.rule_id if guard else None, "guard_version_id": guard.version_id if guard else None,
            "stop_kind": guard.kind if guard else "", "stop_price": _text(guard.level) if guard else None,
            "guarded_qty": guard.quantity if guard else 0, "stop_checked_at": _rounded(guard),
        }  # fmt: skip

    def _show_cash(self) -> None:
        cash = self.portfolio.cash
        if cash is not None:
            values = {
                "currency": cash.currency, "total": _text(cash.total), "buying_power": _text(cash.buying_power),
                "equity": _text(self.portfolio.equity()), "as_of": cash.as_of.isoformat(),
                "stages": {name: _text(value) for name, value in cash.stages.items()} or None,
            }  # fmt: skip
            self._put("cash", cash.currency, values, {})
            if cash.krw_rate is not None:
                self._show_rate(cash.currency, cash.krw_rate)

    def _show_rate(self, base: str, rate: Decimal) -> None:
        """The broker's base rate, when it is another one, and every few hours so that its age says something."""
        now, told = self.clock.wall_now(), self._rate
        if told is None or told[0] != rate or now - told[1] >= RATE_AGAIN:
            self._rate = (rate, now)
            values = {"base": base, "quote": "KRW", "rate": _text(rate), "source": self.rate_source}
            self.snapshots().put("fx", base, {**values, "at": now.isoformat()})

    def _show_quote(self, symbol: str) -> None:
        last, quote = self.feed.last(symbol), self.feed.quotes.get(symbol)
        if last is None:
            return
        best = self.feed.best(symbol)
        values = {
            "symbol": symbol, "last": _text(last.price), "bid": _text(best.bid) if best else None,
            "ask": _text(best.ask) if best else None, "prev_close": _text(quote.prev_close) if quote else None,
            "source": last.source, "at": last.at.isoformat(),
        }  # fmt: skip
        self._put("quotes", symbol, values, {"received_at": self.clock.wall_now().isoformat()})

    def _equity(self) -> tuple[Outgoing, ...]:
        equity, cash = self.portfolio.equity(), self.portfolio.cash
        if equity is None or cash is None:
            return ()
        now = self.clock.wall_now().replace(second=0, microsecond=0)
        pnl = self.daybook.pnl(self.hours.trade_date(self.clock.market_now()), self.feed.price)
        values = {
            "at": now, "currency": cash.currency, "equity": equity, "cash": cash.total, "realized_pnl_day": pnl,
        }  # fmt: skip
        return (Outgoing(outgoing.EQUITY, now.isoformat(), outgoing.encode(values)),)

    def _put(self, stream: str, key: str, values: dict[str, Any], stamps: dict[str, Any]) -> None:
        """Write a row only when something other than its stamps changed."""
        if self._shown.get(f"{stream}:{key}") != values:
            self._shown[f"{stream}:{key}"] = values
            self.snapshots().put(stream, key, {**values, **stamps})


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _rounded(guard: Guard | None) -> str | None:
    """When the stop was last judged, to five seconds: a finer figure would write a row each tick."""
    at = guard.checked_at if guard is not None else None
    return None if at is None else at.replace(second=at.second // 5 * 5, microsecond=0).isoformat()
