"""What guards judge by: the account's limits, and one picture of account, market and owner at the moment of asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.domain.bot_state import BotState, KillLevel
from shared.domain.money import Currency
from shared.domain.order import Side


@dataclass(frozen=True, slots=True)
class Limits:
    """The account's limits. Zero means that nothing passes; nothing here is ever unlimited.

    `max_account_amount` None: no more than may be bought in a day. `max_owner_amount` None: the owner set no limit of his
    own, each of his accounts keeps to its. `first_day_amount` None: zero, the first LIVE day buys nothing.
    """

    max_order_amount: Decimal = Decimal(0)
    max_symbol_amount: Decimal = Decimal(0)
    max_daily_buy: Decimal = Decimal(0)
    max_daily_loss: Decimal = Decimal(0)
    max_trades_per_day: int = 0
    price_collar_pct: Decimal = Decimal(3)
    max_data_age_s: float = 15
    entries_on_fallback: bool = False
    store_outage_entry_s: float = 300
    max_failures: int = 3  # proven refusals in a row, then the symbol's side rests
    rule_max_shares: int | None = None  # of the rule that asks; None: no rule asks
    max_account_amount: Decimal | None = None  # holdings at market and open buys, all symbols of the account
    max_owner_amount: Decimal | None = None  # the same over all accounts of the owner in this market and environment
    max_orders_per_minute: int = 30
    max_repeats: int = 5  # filled orders of one rule, symbol and side in a minute, then it rests
    first_day_amount: Decimal | None = None  # buys on a LIVE account's first trade date


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the owner's other accounts of this market and environment have, as the store last told."""

    age_s: float  # infinite: never told
    amount: Decimal | None = None  # holdings at last prices and open buys, all symbols; None: a price is missing
    lowest_sell: Decimal | None = None  # of their open orders in the asked symbol; one without a price meets everything
    highest_buy: Decimal | None = None

    def crossing(self, side: Side) -> Decimal | None:
        return self.lowest_sell if side is Side.BUY else self.highest_buy


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a guard may look at, taken in one step of the loop. What is not known is None and refuses.

    The fields with a default are facts of a live account that a backtest does not have; `Clearance` tells each of them.
    """

    now: datetime  # market time
    kill_level: KillLevel
    bot_state: BotState
    fenced: str | None  # why this process may not act for the account
    session: str | None  # why the market takes no orders now; None when it does
    last: Decimal | None
    last_age_s: float | None
    from_fallback: bool
    tick: Decimal | None  # price step at the order's price; None when the instrument is not known
    lower_limit: Decimal | None
    upper_limit: Decimal | None
    reserve_price: Decimal | None  # what one share may cost at most: the limit price, else the day's upper bound
    store_away_s: float
    buying_power: Decimal | None  # the broker's, less what it cannot have seen yet
    free_to_sell: int | None  # what the broker lets us sell, less what our open orders already sell
    open_buy_amount: Decimal  # of this symbol, open and unknown as if filled
    held_amount: Decimal  # market value of the holding of this symbol
    rule_shares: int  # what the asking rule holds, its open buys included
    day_bought: Decimal  # filled and open buys of the trade date, all symbols
    day_pnl: Decimal | None
    day_orders: int
    in_flight: bool  # an order of this symbol and side is open
    frozen: str | None
    signal_used: bool
    failures: int
    failures_left_s: float  # of the pause after too many failures
    cooldown_left_s: float
    crossing: Decimal | None  # best price of our own open orders on the other side
    account_doubt: str | None = None  # why broker, account or environment may not be the ones configured
    account_currency: Currency | None = None
    untradable: str | None = None  # halted, or closed to orders, in the broker's word
    lot: int = 1  # shares an order must be a multiple of
    version_doubt: str | None = None  # why the deciding version is not the one in force
    account_amount: Decimal | None = Decimal(0)  # holdings at market and open buys, all symbols
    elsewhere: Elsewhere | None = None  # None: the owner has no other account in this market and environment
    minute_orders: int = 0  # sent in the last minute
    repeats: int = 0  # filled in the last minute by this rule, symbol and side
    first_day: bool = False  # a LIVE account's first trade date
    loss_halted: bool = False  # the day's loss has once reached the limit, whatever it is now
