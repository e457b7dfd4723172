"""What an order written by hand would be: its price on the tick, its amount, what it costs. Pure figures, no market."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from shared.calendars import load
from shared.domain.account import BrokerName, Market
from shared.domain.fees import default_contract, trade_costs
from shared.domain.instrument import InstrumentType
from shared.domain.order import Side
from shared.domain.venue_rules import round_to_tick, step_price, tick_size
from shared.models import Command
from shared.store.commands import CommandStatus


@dataclass(frozen=True, slots=True)
class Level:
    price: Decimal
    quantity: int | None  # None: a step of the tick table, not of a book


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade in the market."""

    at: datetime
    price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The bot's answer about a ticket. What it could not learn is None."""

    symbol: str
    name: str
    name_en: str  # "" where the broker does not tell it
    kind: InstrumentType
    board: str
    denied: str  # reason code, "" when the guards would let it pass
    denied_text: str
    last: Decimal | None
    lower_limit: Decimal | None
    upper_limit: Decimal | None
    sellable: int | None
    buying_power: Decimal | None
    buyable: int | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    trades: tuple[Trade, ...]  # newest first
    at: datetime
    asked: dict[str, Any]  # the payload it answers: another ticket needs another answer


@dataclass(frozen=True, slots=True)
class Cost:
    """`amount` in the market's currency; fee and tax by the published rates, an estimate."""

    amount: Decimal
    commission: Decimal
    tax: Decimal


def preview_of(command: Command) -> Preview | None:
    """The answer of a finished PREVIEW_ORDER; None when it did not come."""
    told = command.result
    if command.status != CommandStatus.DONE or not told:
        return None
    denied = told.get("denied") or {}
    return Preview(
        symbol=str(told["symbol"]),
        name=str(told.get("name") or ""),
        name_en=str(told.get("name_en") or ""),
        kind=InstrumentType(told.get("type") or InstrumentType.STOCK),
        board=str(told.get("board") or "KOSPI"),
        denied=str(denied.get("code", "")),
        denied_text=str(denied.get("text", "")),
        last=_decimal(told.get("last")),
        lower_limit=_decimal(told.get("lower_limit")),
        upper_limit=_decimal(told.get("upper_limit")),
        sellable=told.get("sellable"),
        buying_power=_decimal(told.get("buying_power")),
        buyable=told.get("buyable"),
        bids=_levels(told.get("bids")),
        asks=_levels(told.get("asks")),
        trades=tuple(Trade(datetime.fromisoformat(at), Decimal(price), n) for at, price, n in told.get("trades") or ()),
        at=datetime.fromisoformat(told["at"]),
        asked=command.payload,
    )


def on_grid(market: Market, price: Decimal, side: Side, on: date, known: Preview | None) -> tuple[Decimal, Decimal]:
    """(the price on the tick, the tick): a buy goes down to it, a sale up, so that no promise is exceeded."""
    kind, board = (known.kind, known.board or "KOSPI") if known else (InstrumentType.STOCK, "KOSPI")
    tick = tick_size(market, price, on, instrument_type=kind, board=board)
    return round_to_tick(price, tick, side), tick


def ladder(market: Market, last: Decimal, on: date, steps: int = 5) -> tuple[Level, ...]:
    """Prices around the last one, dearest first: to click on where there is no book."""
    return tuple(Level(step_price(market, last, n, on), None) for n in range(steps, -steps - 1, -1))


def cost(broker: BrokerName, market: Market, side: Side, quantity: int, price: Decimal, on: date) -> Cost:
    """What the order takes or brings, by the published rates."""
    calendars = load()
    costs = trade_costs(
        market,
        side,
        quantity,
        price,
        on,
        contract=default_contract(broker, market),
        days=calendars.days(market),
        rates=calendars.rates,
    )
    return Cost(price * quantity, costs.commission, costs.tax)


def _levels(rows: Any) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), int(quantity)) for price, quantity in rows or ())


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
