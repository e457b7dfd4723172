"""What trading earned, in won: price, exchange rate, fees and taxes apart. First bought is first sold, per account.

A sale earns its price gain at the rate of the sale, and its cost moved by the rate between purchase and sale. Fees and
taxes that the broker did not tell are estimated by the published rates and marked so. A sale of shares whose purchase we
never saw, or of a day without a rate, is counted as unknown and kept out of the sums.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session

from console.services import won
from console.services.changes import by_number
from console.services.costs import CostBook, Running
from console.services.permissions import Actor, visible_accounts
from console.services.won import Rate
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Environment, Market
from shared.domain.money import Currency
from shared.domain.order import Side
from shared.domain.trading_days import ZONES
from shared.models import BrokerageAccount, ProfitRollup
from shared.store import accounts, fees, fx, trades
from shared.store.trades import Trade

_ZERO = Decimal(0)
_FIGURES = (
    "bought", "sold", "gain", "own", "fees", "sell_fees", "taxes", "price_won", "fx_won", "fees_won", "taxes_won",
)  # fmt: skip
_KEPT = "2 "  # how figures are kept in the store: what was kept otherwise is reckoned anew
FILLS_AT_ONCE = 2_000  # read in portions: a year of fills at once would cost 100 MB
AT_ONCE_BESIDE_PAGES = 250  # when nobody waits for it: a portion keeps a page waiting for as long as it takes
BREATH_S = 0.02  # between two portions at least; else as long as the portion took
ORDERS_KEPT = 3_000  # that may yet be filled further: a commission is rounded on the whole order
SAVE_TRIES = 3
SAVED_EVERY = 1_000  # fills between two savings
RECENT = 1_000  # fills among which one that a slower transaction brings late is found


@dataclass(slots=True)
class Day:
    """One account's and rule's earnings of one exchange-local day, in the account's currency and in won."""

    day: date
    account_id: int
    rule_id: int | None
    currency: str
    trades: int = 0
    bought: Decimal = _ZERO
    sold: Decimal = _ZERO
    gain: Decimal = _ZERO  # of sales whose purchase we know, before fees
    own: Decimal = _ZERO  # of sales against what the rule itself had paid, by its bot, before fees
    fees: Decimal = _ZERO
    sell_fees: Decimal = _ZERO  # of `fees`, those of the sales
    taxes: Decimal = _ZERO
    price_won: Decimal = _ZERO
    fx_won: Decimal = _ZERO
    fees_won: Decimal = _ZERO
    taxes_won: Decimal = _ZERO
    unknown: int = 0  # sales left out of the gains: purchase not seen
    own_unknown: int = 0  # sales left out of `own`: the rule had not bought those shares
    rateless: int = 0  # trades left out of the won figures: no rate
    estimated: bool = False  # fees or taxes by published rates, not by the broker's word

    @property
    def net(self) -> Decimal:
        return self.gain - self.fees - self.taxes

    @property
    def on_cost(self) -> Decimal | None:
        """What was earned as a part of what the sold shares had cost (0.045 is 4.5 %); None: nothing sold, or not known."""
        cost = self.sold - self.gain
        return self.net / cost if cost > 0 and not self.unknown else None

    @property
    def net_won(self) -> Decimal:
        return self.price_won + self.fx_won - self.fees_won - self.taxes_won


@dataclass(slots=True)
class RuleEarned:
    """What a rule realised since it exists, in its account's currency."""

    currency: str
    gain: Decimal = _ZERO  # before fees
    costs: Decimal = _ZERO  # fees and taxes of all its trades
    sold: Decimal = _ZERO
    unknown: int = 0  # sales whose gain nobody knows
    estimated: bool = False  # costs by published rates

    @property
    def net(self) -> Decimal | None:
        """None: the gain of a sale is not known, so no sum is told."""
        return None if self.unknown else self.gain - self.costs

    @property
    def on_cost(self) -> Decimal | None:
        """The same as a part of what the sold shares had cost the rule; None where that is not known."""
        cost = self.sold - self.gain
        return self.net / cost if self.net is not None and cost > 0 else None

    def add(self, day: Day, sign: int = 1) -> None:
        """Take in a day of the rule; -1 takes it out again."""
        self.gain += sign * day.own
        self.costs += sign * (day.fees + day.taxes)
        self.sold += sign * day.sold
        self.unknown += sign * day.own_unknown
        self.estimated = self.estimated or day.estimated


@dataclass(frozen=True, slots=True)
class Statement:
    """Rows of what was asked for, and what they are called."""

    days: tuple[Day, ...]
    accounts: dict[int, str]
    environments: dict[int, str]
    owners: dict[int, str]  # account → owner
    rate: Rate | None


@dataclass(slots=True)
class _Ledger:
    """Grows with each fill; rebuilt when a rate came for a time already in it, or fees are reckoned otherwise."""

    last_id: int = 0
    newest_at: datetime | None = None  # of the fills in it
    rates: tuple[datetime | None, int] = (None, 0)
    basis: str = ""  # version of fee contracts and instruments
    running: Running = field(default_factory=Running)
    orders: dict[int, int] = field(default_factory=dict)  # the newest orders in `running` → account
    lots: dict[tuple[int, str], deque[list[Decimal]]] = field(default_factory=lambda: defaultdict(deque))
    days: dict[tuple[date, int, int | None], Day] = field(default_factory=dict)
    dates: dict[date, list[Day]] = field(default_factory=lambda: defaultdict(list))  # the same, to be found by date
    rules: dict[tuple[int, int], RuleEarned] = field(default_factory=dict)  # account, rule → all its days
    saved_id: int = 0  # the last fill in what the store keeps of it
    recent: deque[int] = field(default_factory=deque)  # the newest fills in it, those after `since`
    since: int = 0

    def put(self, day: Day) -> Day:
        self.days[day.day, day.account_id, day.rule_id] = day
        self.dates[day.day].append(day)
        return day

    def of_rule(self, day: Day) -> RuleEarned:
        return self.rules.setdefault((day.account_id, day.rule_id or 0), RuleEarned(day.currency))

    def holds_under(self, rates: Sequence[fx.Told], basis: str) -> bool:
        """Tell whether what was reckoned is still right: the rates it knew are there, newer ones are younger than it."""
        newest, known = self.rates
        if self.last_id and self.basis != basis:
            return False
        if known > len(rates) or (known and rates[known - 1].at != newest):
            return False
        return self.newest_at is None or all(one.at > self.newest_at for one in rates[known:])


_ledgers: dict[str, _Ledger] = {}
_lock = threading.Lock()


@by_number()
def statement(
    wiring: Wiring, actor: Actor, since: date, until: date, *, environment: Environment | None = None, owner: str = ""
) -> Statement:
    """The days `since`..`until` of the accounts this person may see."""
    with reading(wiring.engine) as session:
        mine = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        rates = won.history(session).told
        ledger = _up_to_now(session, str(wiring.engine.url), rates)
        named = trades.owners(session)
    owners = {key: named.get(row.owner_id, "") for key, row in mine.items()}
    wanted = {
        key
        for key, row in mine.items()
        if (environment is None or row.environment == environment) and (not owner or owners[key] == owner)
    }
    with _lock:  # copies: the ledger goes on growing while a page is drawn
        dates = sorted((on for on in ledger.dates if since <= on <= until), reverse=True)
        found = [replace(day) for on in dates for day in ledger.dates[on] if day.account_id in wanted]
    chosen = sorted(found, key=lambda day: (day.day, day.account_id), reverse=True)
    newest = rates[-1] if rates else None
    return Statement(
        tuple(chosen),
        {key: row.nickname for key, row in mine.items()},
        {key: row.environment for key, row in mine.items()},
        owners,
        Rate(newest.rate, newest.at, newest.source) if newest else None,
    )


@by_number()
def owners(wiring: Wiring, actor: Actor) -> list[str]:
    """Whose accounts this person may see."""
    with reading(wiring.engine) as session:
        named = trades.owners(session)
        return sorted({named.get(row.owner_id, "") for row in visible_accounts(session, actor)})


def of_rules(wiring: Wiring, actor: Actor) -> dict[tuple[int, int], RuleEarned]:
    """(account, rule) → what it realised, of the accounts this person may see; one that never traded is left out."""
    with reading(wiring.engine) as session:
        mine = {row.id for row in visible_accounts(session, actor)}
        ledger = _up_to_now(session, str(wiring.engine.url), won.history(session).told)
    with _lock:
        return {key: replace(one) for key, one in ledger.rules.items() if key[0] in mine}


def summed(days: Iterable[Day], key: str) -> list[tuple[object, Day]]:
    """Added up by `key`: day, month, account or rule; currencies never meet in one row."""
    groups: dict[tuple[object, str], Day] = {}
    for day in days:
        group = {"day": day.day, "month": f"{day.day:%Y-%m}", "account": day.account_id, "rule": day.rule_id}[key]
        at = (group, day.currency)
        groups[at] = _plus(groups[at], day) if at in groups else replace(day)
    return [(group, total) for (group, _), total in groups.items()]


def _plus(one: Day, other: Day) -> Day:
    for name in ("trades", "own_unknown", *_FIGURES):
        setattr(one, name, getattr(one, name) + getattr(other, name))
    one.unknown, one.rateless = one.unknown + other.unknown, one.rateless + other.rateless
    one.estimated = one.estimated or other.estimated
    return one


def keep(wiring: Wiring) -> None:
    """Bring the ledger up to now, and keep it in the store when much has been added: the next process goes on there."""
    store, grows = str(wiring.engine.url), True
    while grows:
        with reading(wiring.engine) as session:
            began = wiring.clock.monotonic()
            grows = _grow(session, store, won.history(session).told, most=AT_ONCE_BESIDE_PAGES)
            worked_s = wiring.clock.monotonic() - began
        time.sleep(max(BREATH_S, worked_s))  # pages are served in between
    with _lock:
        ledger = _ledgers[store]
        if ledger.last_id - ledger.saved_id < SAVED_EVERY:
            return
    for _ in range(SAVE_TRIES):
        if _saved(wiring, store):
            return


def _saved(wiring: Wiring, store: str) -> bool:
    """Write all accounts in one transaction, one in memory at a time; False, and nothing written, when a fill came between."""
    with _lock:
        ledger = _ledgers[store]
        last_id = ledger.last_id
        accounts_in = sorted({key[1] for key in ledger.days} | {key[0] for key in ledger.lots})
    with writing(wiring.engine) as session:
        for account in accounts_in:
            with _lock:
                still = _ledgers[store] is ledger and ledger.last_id == last_id
                row = _packed(ledger, account, wiring.clock.wall_now()) if still else None
            if row is None:
                session.rollback()
                return False
            session.merge(row)
            session.flush()
            session.expunge_all()
    ledger.saved_id = last_id
    return True


def _packed(ledger: _Ledger, account: int, now: datetime) -> ProfitRollup:
    """The account's row; figures as text, to the digit."""
    rates_at, rates = ledger.rates
    return ProfitRollup(
        account_id=account,
        last_fill_id=ledger.last_id,
        newest_at=ledger.newest_at,
        rates=rates,
        rates_at=rates_at,
        days=[_pack(day) for day in ledger.days.values() if day.account_id == account],
        lots={
            symbol: [[f"{part:f}" for part in lot] for lot in lots]
            for (owner, symbol), lots in ledger.lots.items()
            if owner == account and lots
        },
        orders={
            str(order): [f"{ledger.running.amounts[order]:f}", f"{ledger.running.charged[order]:f}"]
            for order, owner in ledger.orders.items()
            if owner == account
        },
        basis=ledger.basis,
        updated_at=now,
    )


def _pack(day: Day) -> list[object]:
    head: list[object] = [day.day.isoformat(), day.rule_id, day.currency, day.trades, day.unknown, day.rateless]
    return [*head, day.own_unknown, day.estimated, *(f"{getattr(day, name):f}" for name in _FIGURES)]


def _restored(session: Session) -> _Ledger:
    """What an earlier process kept, when its rows belong together; else an empty ledger."""
    heads = trades.rollup_heads(session)
    if not heads or len(set(heads.values())) > 1 or not all(head.basis.startswith(_KEPT) for head in heads.values()):
        return _Ledger()
    first = next(iter(heads.values()))
    ledger = _Ledger(first.last_fill_id, first.newest_at, (first.rates_at, first.rates), first.basis)
    ledger.saved_id = ledger.since = first.last_fill_id
    for row in trades.rollups(session, heads):
        for order, (amount, charged) in row.orders.items():
            ledger.orders[int(order)] = row.account_id
            ledger.running.amounts[int(order)] = Decimal(amount)
            ledger.running.charged[int(order)] = Decimal(charged)
        for symbol, lots in row.lots.items():
            ledger.lots[row.account_id, symbol] = deque([[Decimal(part) for part in lot] for lot in lots])
        for said in row.days:
            on, rule_id, currency, many, unknown, rateless, own_unknown, estimated = said[:8]
            day = Day(date.fromisoformat(on), row.account_id, rule_id, currency, many)
            day.unknown, day.rateless, day.estimated = unknown, rateless, estimated
            day.own_unknown = own_unknown
            for name, figure in zip(_FIGURES, said[8:], strict=True):
                setattr(day, name, Decimal(figure))
            ledger.put(day)
            ledger.of_rule(day).add(day)
    return ledger


def _up_to_now(session: Session, store: str, rates: Sequence[fx.Told]) -> _Ledger:
    while _grow(session, store, rates):
        pass
    return _ledgers[store]


def _grow(session: Session, store: str, rates: Sequence[fx.Told], *, most: int = FILLS_AT_ONCE) -> bool:
    """Take the next portion of fills into the ledger; False when there was none."""
    with _lock:
        basis = f"{_KEPT}{fees.version(session)}"
        ledger = _ledgers.get(store) or _restored(session)
        if not ledger.holds_under(rates, basis) or _overtook(session, ledger):
            ledger = _Ledger()
        ledger.basis = basis
        ledger.rates = (rates[-1].at if rates else None, len(rates))
        _ledgers[store] = ledger
        fresh = trades.after(session, ledger.last_id, limit=most)
        if not fresh:
            return False
        known = {row.id: row for row in accounts.every(session) if row.id is not None}
        costs = CostBook(session, ledger.running)
        book = _Book(ledger, known, [row.at for row in rates], [row.rate for row in rates], costs)
        for trade in fresh:
            book.take(trade)
            ledger.orders[trade.order_id] = trade.account_id
            ledger.recent.append(trade.id)
        while len(ledger.recent) > RECENT:
            ledger.since = ledger.recent.popleft()
        for order_id in list(ledger.orders)[:-ORDERS_KEPT]:
            del ledger.orders[order_id]
        ledger.last_id = fresh[-1].id
        newest = max(trade.filled_at for trade in fresh)
        ledger.newest_at = newest if ledger.newest_at is None else max(newest, ledger.newest_at)
        return True


def _overtook(session: Session, ledger: _Ledger) -> bool:
    """Tell whether a fill was committed after one with a higher number, and so is missing: two bots write at once."""
    return trades.count_between(session, ledger.since + 1, ledger.last_id) > len(ledger.recent)


@dataclass(slots=True)
class _Book:
    ledger: _Ledger
    accounts: dict[int, BrokerageAccount]
    rate_times: list[datetime]
    rate_values: list[Decimal]
    costs: CostBook

    def take(self, trade: Trade) -> None:
        account = self.accounts.get(trade.account_id)
        if account is None:
            return
        market = Market(account.market)
        local = trade.filled_at.astimezone(ZONES[market]).date()
        key = (local, trade.account_id, trade.rule_id)
        day = self.ledger.days.get(key)
        if day is None:
            day = self.ledger.put(Day(local, trade.account_id, trade.rule_id, trade.currency or market.currency))
        total = self.ledger.of_rule(day)
        total.add(day, -1)
        self._enter(day, trade, account, local, self._rate(market, trade.filled_at))
        total.add(day)

    def _enter(self, day: Day, trade: Trade, account: BrokerageAccount, local: date, rate: Decimal | None) -> None:
        day.trades += 1
        day.rateless += rate is None
        self._costs(day, trade, account, local, rate)
        lots = self.ledger.lots[(trade.account_id, trade.symbol)]
        if trade.side == Side.BUY:
            day.bought += trade.price * trade.qty
            lots.append([Decimal(trade.qty), trade.price, rate if rate is not None else Decimal(-1)])
            return
        day.sold += trade.price * trade.qty
        day.own_unknown += trade.realized_pnl is None
        day.own += trade.realized_pnl or _ZERO
        self._sell(day, trade, lots, rate)

    def _sell(self, day: Day, trade: Trade, lots: deque[list[Decimal]], rate: Decimal | None) -> None:
        left = Decimal(trade.qty)
        while left > 0 and lots:
            lot = lots[0]
            taken = min(left, lot[0])
            gain = (trade.price - lot[1]) * taken
            day.gain += gain
            if rate is not None and lot[2] > 0:
                day.price_won += gain * rate
                day.fx_won += lot[1] * taken * (rate - lot[2])
            elif rate is not None:
                day.rateless += 1
            left -= taken
            lot[0] -= taken
            if not lot[0]:
                lots.popleft()
        day.unknown += left > 0

    def _costs(self, day: Day, trade: Trade, account: BrokerageAccount, local: date, rate: Decimal | None) -> None:
        cost = self.costs.of(trade, account, local)
        day.estimated = day.estimated or cost.estimated
        fee, tax = cost.commission, cost.tax
        day.fees += fee
        day.sell_fees += fee if trade.side == Side.SELL else _ZERO
        day.taxes += tax
        if rate is not None:
            day.fees_won += fee * rate
            day.taxes_won += tax * rate

    def _rate(self, market: Market, at: datetime) -> Decimal | None:
        """Won for one unit of the market's currency at `at`."""
        if market.currency is Currency.KRW:
            return Decimal(1)
        index = bisect_right(self.rate_times, at)
        return self.rate_values[index - 1] if index else None
