"""What the exchange's news becomes on the streams: trades, books, order notices (ls.md §5)."""

from __future__ import annotations

import json
from decimal import Decimal

from brokers.paper.exchange import Exchange
from brokers.paper.ls_wire.channels import BOOKS, TRADES
from brokers.paper.ls_wire.memory import memory_of
from brokers.paper.ls_wire.notices import Told, notices
from brokers.paper.ls_wire.pushes import (
    Body,
    book_body,
    nxt_book_body,
    trade_body,
    unified_book_body,
    venue_trade_body,
)
from brokers.paper.ls_wire.registry import Outgoing, Registry
from brokers.paper.ls_wire.us_notices import us_notices
from brokers.paper.ls_wire.us_pushes import us_book_body, us_trade_body
from brokers.paper.orders import OrderEvent
from brokers.paper.tape import Trade
from shared.domain.account import BrokerName, Market
from shared.domain.market import OrderBook, Timeframe


class Broadcast:
    """Of one side: what `registry` has listeners for is written once and queued for each."""

    def __init__(self, exchange: Exchange, registry: Registry) -> None:
        self._exchange, self._registry = exchange, registry
        self._memory = memory_of(exchange)  # its tallies hear each trade before we do
        self._years: dict[str, tuple[Decimal, Decimal]] = {}  # US symbol -> (low, high) of 52 weeks
        exchange.subscribe_trades(self._on_trade)
        exchange.subscribe_books(self._on_book)
        exchange.subscribe_orders(self._on_order)

    def _on_trade(self, trade: Trade) -> None:
        listing = self._exchange.listing(trade.symbol)
        wanted = self._registry.wanted(TRADES.channels(listing)) if listing else []
        if not wanted or listing is None:
            return
        if listing.market is Market.US:
            self._push(wanted, us_trade_body(trade, self._year(trade.symbol)), trade.symbol)
            return
        day = self._memory.tallies.of(trade.symbol)
        if day is None:
            return
        krx = trade_body(trade, day, self._exchange.price_limits(trade.symbol))
        for channel in wanted:
            body = krx if channel[0] in {TRADES.kospi, TRADES.kosdaq} else venue_trade_body(krx, channel[1])
            self._registry.push(channel, body, trade.symbol)

    def _on_book(self, book: OrderBook) -> None:
        listing = self._exchange.listing(book.symbol)
        if listing is None:
            return
        wanted = self._registry.wanted(BOOKS.channels(listing))
        if wanted and listing.market is Market.US:
            self._push(wanted, us_book_body(book), book.symbol)
        elif wanted:
            self._push_books(wanted, book)

    def _push_books(self, wanted: list[tuple[str, str]], book: OrderBook) -> None:
        volume = self._exchange.quote(book.symbol).cum_volume
        krx = book_body(book, volume)
        for channel in wanted:
            tr, key = channel
            if tr == BOOKS.unified:
                body = unified_book_body(book, volume, key)
            else:
                body = nxt_book_body(krx, key) if tr == BOOKS.nxt else krx
            self._registry.push(channel, body, book.symbol)

    def _push(self, channels: list[tuple[str, str]], body: Body, symbol: str = "") -> None:
        for channel in channels:
            self._registry.push(channel, body, symbol)

    def _year(self, symbol: str) -> tuple[Decimal, Decimal]:
        if symbol not in self._years:
            days = self._exchange.bars(symbol, Timeframe.D1, 250)
            last = self._exchange.quote(symbol)
            lows, highs = [bar.low for bar in days] + [last.low], [bar.high for bar in days] + [last.high]
            self._years[symbol] = (min(lows), max(highs))
        return self._years[symbol]

    def _on_order(self, event: OrderEvent) -> None:
        if event.account.broker is not BrokerName.LS:
            return
        korean = event.order.market is Market.KRX
        clients = self._registry.listeners("SC" if korean else "AS", event.account.id)
        listing = self._exchange.listing(event.order.symbol)
        if not clients or listing is None:
            return
        told = Told(
            event,
            listing,
            self._exchange.cash(event.account, event.order.market.currency),
            self._exchange.executions(event.account, event.order.order_no),
            self._memory.types.code(event.order),
        )
        for tr, body in (notices if korean else us_notices)(told):
            # Account notices carry no tr_key.
            frame = json.dumps({"header": {"tr_cd": tr}, "body": body}, ensure_ascii=False)
            out = Outgoing(tr, frame, event.account.number, event.order.symbol, event.order.side)
            for client in clients:
                client.put(out)
