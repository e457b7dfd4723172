"""Prices, candles, programs and a few earlier trades for a desk to look at."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session

from shared.models import BotVitals, EquitySnapshot, FillRow, Host, OrderRow, PriceBar, QuoteRow

_SYMBOLS = (("US", "AAPL", "211.50"), ("US", "MSFT", "429.10"), ("KRX", "005930", "71200"), ("KRX", "000660", "180100"))


def add_market(session: Session, now: datetime) -> None:
    """Quotes of four symbols of the SIM exchange and four hours of one-minute bars each."""
    minute = now.replace(second=0, microsecond=0)
    for market, symbol, near in _SYMBOLS:
        base, step = Decimal(near), Decimal("0.01") if market == "US" else Decimal(100)
        prices = [
            (base * Decimal(str(round(1 + math.sin(n / 17) * 0.006 + math.sin(n / 5) * 0.0015, 6)))).quantize(step)
            if market == "US"
            else (base * Decimal(str(1 + math.sin(n / 17) * 0.006)) / step).quantize(Decimal(1)) * step
            for n in range(241)
        ]
        for n in range(240):
            opened, closed = prices[n], prices[n + 1]
            session.add(
                PriceBar(
                    environment="SIM",
                    market=market,
                    symbol=symbol,
                    timeframe="1m",
                    start=minute - timedelta(minutes=240 - n),
                    open=opened,
                    high=max(opened, closed) + step,
                    low=min(opened, closed) - step,
                    close=closed,
                    volume=900 + (n * 37) % 400,
                )
            )
        session.add(
            QuoteRow(
                environment="SIM",
                market=market,
                symbol=symbol,
                last=prices[-1],
                bid=prices[-1] - step,
                ask=prices[-1] + step,
                prev_close=base,
                source="stream",
                at=now,
                received_at=now,
            )
        )


def add_programs(session: Session, now: datetime) -> None:
    names = ("console", "exchange", "fleet", "research", "telegram", "watchdog", "bot-1", "bot-2", "bot-3")
    programs = {name: {"state": "RUNNING", "pid": 4100 + n, "text": "uptime 2:03:11"} for n, name in enumerate(names)}
    session.add(Host(name="desk", seen_at=now, programs=programs))


def add_round_trip(session: Session, account: int, at: datetime) -> None:
    """Bought on one day, sold on the next, by a rule."""
    for number, (side, price, days) in enumerate((("BUY", "128.40", 1), ("SELL", "131.90", 0))):
        when = at - timedelta(days=days, hours=1)
        row = OrderRow(
            account_id=account,
            rule_id=1,
            client_order_id=f"rt{account}-{number}",
            broker_order_id=f"9{account}{number:06d}",
            symbol="NVDA",
            side=side,
            qty=20,
            price=Decimal(price),
            currency="USD",
            status="FILLED",
            filled_qty=20,
            avg_fill_price=Decimal(price),
            reason="entry" if side == "BUY" else "take_profit",
            placed_at=when,
            updated_at=when,
        )
        session.add(row)
        session.flush()
        session.add(
            FillRow(
                order_id=row.id or 0,
                account_id=account,
                execution_id=f"rte{account}-{number}",
                symbol="NVDA",
                side=side,
                qty=20,
                price=Decimal(price),
                currency="USD",
                realized_pnl=Decimal("70.00") if side == "SELL" else None,
                filled_at=when,
                recorded_at=when,
            )
        )


def add_equity(session: Session, account: int, now: datetime, currency: str) -> None:
    start = Decimal(100_000) if currency == "USD" else Decimal(100_000_000)
    for step in range(120):
        wave = Decimal(
            str(round(math.sin(step / 9 + account) * 0.004 + step * 0.00006 * (1 if account != 2 else -1), 6))
        )
        session.add(
            EquitySnapshot(
                account_id=account,
                at=now - timedelta(minutes=(119 - step) * 6),
                currency=currency,
                equity=(start * (1 + wave)).quantize(Decimal("0.01")),
                cash=start,
            )
        )


def add_vitals(session: Session, account: int, now: datetime, *, silent_from: int = 0, silent_to: int = 0) -> None:
    """Twenty-four hours in five minutes each; between two of them (counted back from now) nobody heard of the bot."""
    end = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
    for back in range(1, 288):
        if silent_from <= back < silent_to:
            continue
        slow = back % 61 == 0
        session.add(
            BotVitals(
                account_id=account, at=end - timedelta(minutes=5 * back), beats=150,
                gap_s=24.0 if slow else 2.1, lag_ms=410.0 if slow else 3.0 + back % 7, feed_age_s=1.0,
            )
        )  # fmt: skip
