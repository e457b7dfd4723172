"""The control page: every account at a glance, sorted by trouble. Unknown is None, never zero."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from console.services import parts, won
from console.services.blocked import blocked_today
from console.services.changes import by_number
from console.services.holdings import equity_of, stop_is_stale
from console.services.permissions import Action, Actor, authorize, visible_accounts
from console.services.won import Rate
from console.wiring import Wiring
from shared.db import reading
from shared.domain.account import Environment
from shared.domain.bot_state import BotState, KillLevel
from shared.domain.money import Currency, Money
from shared.models import (
    BrokerageAccount,
    CashBalance,
    CashFlow,
    DecisionRow,
    EquitySnapshot,
    Heartbeat,
    PositionRow,
)
from shared.store import kill
from shared.store.standings import Standing

SILENT_S = 15.0  # watchdog's bar: a bot that says nothing this long is not trusted
STALE_FEED_S = 30.0


class Trouble(IntEnum):
    """Sorts the account table: a person is needed first, calm last."""

    ACT = 0
    WATCH = 1
    FINE = 2
    OFF = 3


@dataclass(frozen=True, slots=True)
class AccountLine:
    id: int
    nickname: str
    broker: str
    market: str
    environment: str
    last4: str
    enabled: bool
    status: str  # a key of shared.words under "status."
    trouble: Trouble
    why: str  # the program's own reason, may be empty
    heartbeat_age_s: float | None
    feed_age_s: float | None
    feed_source: str
    token_expires_at: datetime | None
    equity: Money | None
    equity_at: datetime | None
    cash: Money | None
    pnl_today: Money | None
    positions: int
    unguarded: int  # positions with shares that no stop watches
    stale_stops: int  # positions whose stop nobody has judged for a while
    open_orders: int
    decision: DecisionRow | None
    kill: KillLevel
    has_keys: bool
    armed_until: datetime | None
    exposure_pct: Decimal | None = None  # holdings at their last price, in per cent of the equity
    equity_open: Money | None = None  # what today's P&L is counted from
    first_today: bool = False  # today's P&L is not known yet: its first record is all there is


@dataclass(frozen=True, slots=True)
class Sums:
    """Money of one environment: play money and real money never meet in one figure, nor do currencies."""

    environment: Environment
    equity: tuple[Money, ...]  # one sum per currency
    pnl_today: tuple[Money, ...]
    equity_unknown: int  # accounts whose equity is not known and not in the sums
    pnl_unknown: int
    pnl_first: bool = False  # and for one of them its first record of today is all there is
    equity_won: Decimal | None = None  # None: a foreign amount is in it and no rate is known
    price_won: Decimal | None = None  # today's P&L at the rate of now
    fx_won: Decimal | None = None  # what the rate alone did to this morning's foreign equity


@dataclass(frozen=True, slots=True)
class Overview:
    lines: tuple[AccountLine, ...]
    kill: KillLevel  # of all accounts
    kill_reason: str
    kill_by: str
    kill_at: datetime | None
    sums: tuple[Sums, ...]  # LIVE first
    market_at: datetime | None  # the exchange's clock, from the newest heartbeat
    as_of: datetime
    rate: Rate | None = None
    blocked: tuple[tuple[str, int], ...] = ()  # reason → how often it kept a rule from trading today, most first

    def running(self, environment: Environment) -> int:
        return sum(line.environment == environment and line.enabled for line in self.lines)

    @property
    def stopped(self) -> int:
        return sum(not line.enabled for line in self.lines)


_UNKNOWN = Standing(None, None, None, None)


@by_number(at_most_s=1.0)
def overview(wiring: Wiring, actor: Actor, only: int | None = None) -> Overview:
    """The desk, or one account of it: put together from parts that are each held until their own numbers move."""
    now = wiring.clock.wall_now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    with reading(wiring.engine) as session:
        rows = visible_accounts(session, actor)
        if only is not None:
            authorize(session, actor, Action.VIEW, only)
            rows = [row for row in rows if row.id == only]
    desk, beats = parts.desk(wiring, actor, hour), parts.beats(wiring, actor)
    known, switches = parts.accounts(wiring, actor, hour), parts.switches(wiring, actor)
    held: dict[int, list[PositionRow]] = defaultdict(list)
    for one in parts.holdings(wiring, actor):
        held[one.row.account_id].append(one.row)
    resting = Counter(order.account_id for order in parts.resting(wiring, actor))
    lines = []
    for row in rows:
        key = row.id or 0
        switch = switches.get(kill.scope_of(key))
        lines.append(
            _line(
                row,
                now,
                beat=beats.get(key),
                standing=known.get(key, _UNKNOWN),
                flows=desk.flows,
                held=held[key],
                open_orders=resting[key],
                level=KillLevel(switch.level) if switch else KillLevel.RUN,
                has_keys=key in desk.keyed,
            )
        )
    lines.sort(key=lambda line: (line.trouble, line.environment != Environment.LIVE, line.id))
    mine = {row.id or 0: beats[row.id or 0] for row in rows if row.id in beats}
    everybody = switches.get(kill.scope_of(None))
    return Overview(
        lines=tuple(lines),
        kill=KillLevel(everybody.level) if everybody else KillLevel.RUN,
        kill_reason=everybody.reason if everybody else "",
        kill_by=desk.names.get(everybody.changed_by, everybody.changed_by) if everybody else "",
        kill_at=everybody.changed_at if everybody else None,
        sums=_sums(lines, desk.rate, desk.rate_then),
        market_at=max((beat.market_at for beat in mine.values() if beat.market_at), default=None),
        as_of=now,
        rate=desk.rate,
        blocked=tuple((one.code, one.times) for one in blocked_today(rows, mine, now)),
    )


def _line(
    row: BrokerageAccount,
    now: datetime,
    *,
    beat: Heartbeat | None,
    standing: Standing,
    flows: Iterable[CashFlow],
    held: list[PositionRow],
    open_orders: int,
    level: KillLevel,
    has_keys: bool,
) -> AccountLine:
    cash, latest, baseline = standing.cash, standing.equity, standing.opening
    status, trouble = status_of(row, beat, now)
    feed_age = age_s(beat.feed_at if beat else None, now)
    unguarded = sum(
        position.guarded_by is None or (position.guarded_qty is not None and position.guarded_qty < position.qty)
        for position in held
    )
    stale = sum(position.guarded_by is not None and stop_is_stale(position.stop_checked_at, now) for position in held)
    first = latest is not None and baseline is not None and latest.id == baseline.id
    if first:
        baseline = None  # one look at the equity tells no difference
    if trouble is Trouble.FINE and (level > KillLevel.RUN or unguarded or stale or (feed_age or 0) > STALE_FEED_S):
        trouble = Trouble.WATCH
    return AccountLine(
        id=row.id or 0,
        nickname=row.nickname,
        broker=row.broker,
        market=row.market,
        environment=row.environment,
        last4=row.last4,
        enabled=row.enabled,
        status=status,
        trouble=trouble,
        why=(beat.reason if beat else "") or row.health_reason,
        heartbeat_age_s=age_s(beat.at if beat else None, now),
        feed_age_s=feed_age,
        feed_source=beat.feed_source if beat else "",
        token_expires_at=beat.token_expires_at if beat else None,
        equity=_money(latest.equity, latest.currency) if latest else _equity_of(cash, held),
        equity_at=latest.at if latest else (cash.as_of if cash else None),
        cash=_money(cash.total, cash.currency) if cash else None,
        pnl_today=_money(gained(baseline, latest, flows), latest.currency) if latest and baseline else None,
        positions=len(held),
        unguarded=unguarded,
        stale_stops=stale,
        open_orders=open_orders,
        decision=standing.decision,
        kill=level,
        has_keys=has_keys,
        armed_until=row.armed_until,
        exposure_pct=_exposure_pct(latest.equity if latest else None, held),
        equity_open=_money(baseline.equity, baseline.currency) if baseline else None,
        first_today=first,
    )


def startable(wiring: Wiring, actor: Actor, row: BrokerageAccount) -> bool:
    """True when pressing start would do something: it is off, held, parked, silent or blocked."""
    status = overview(wiring, actor, only=row.id).lines[0].status
    return not row.enabled or status in {"HELD", "PARKED", "FATAL", "SILENT", BotState.BLOCKED}


def status_of(row: BrokerageAccount, beat: Heartbeat | None, now: datetime) -> tuple[str, Trouble]:
    """What the account is really doing, from its last sign of life; desired state alone proves nothing."""
    if row.enabled and row.health_status in {"PARKED", "FATAL"}:
        return row.health_status, Trouble.ACT
    if row.enabled and row.health_status == "HELD":
        return "HELD", Trouble.WATCH
    age = age_s(beat.at if beat else None, now)
    alive = beat is not None and age is not None and age <= SILENT_S and beat.state != BotState.STOPPED
    if not row.enabled:
        return ("STOPPING", Trouble.WATCH) if alive else ("OFF", Trouble.OFF)
    if beat is None:
        return "WAITING", Trouble.WATCH
    if not alive:
        return "SILENT", Trouble.ACT
    trouble = {
        BotState.READY: Trouble.FINE,
        BotState.BLOCKED: Trouble.ACT,
    }.get(BotState(beat.state), Trouble.WATCH)
    return beat.state, trouble


def gained(before: EquitySnapshot, latest: EquitySnapshot, flows: Iterable[CashFlow]) -> Decimal:
    """What an account earned between two looks at its equity: money that people paid in or took out is no profit."""
    moved = (flow.amount for flow in flows if flow.account_id == latest.account_id and before.at < flow.at <= latest.at)
    return latest.equity - before.equity - sum(moved, Decimal(0))


def _sums(lines: list[AccountLine], rate: Rate | None, rate_then: Rate | None) -> tuple[Sums, ...]:
    """One entry per environment in which an account runs or money is known."""
    found = []
    for environment in (Environment.LIVE, Environment.MOCK, Environment.SIM):
        mine = [line for line in lines if line.environment == environment]
        if any(line.enabled or line.equity is not None for line in mine):
            equity = sum_by_currency(line.equity for line in mine)
            pnl = sum_by_currency(line.pnl_today for line in mine)
            opened = sum_by_currency(line.equity_open for line in mine)
            found.append(
                Sums(
                    environment,
                    equity=equity,
                    pnl_today=pnl,
                    equity_unknown=sum(line.equity is None for line in mine),
                    pnl_unknown=sum(line.pnl_today is None for line in mine),
                    pnl_first=any(line.first_today for line in mine),
                    equity_won=won.sum_in_won(equity, rate) if equity else None,
                    price_won=won.sum_in_won(pnl, rate) if pnl else None,
                    fx_won=_moved_by_rate(opened, rate, rate_then),
                )
            )
    return tuple(found)


def _moved_by_rate(opened: tuple[Money, ...], rate: Rate | None, then: Rate | None) -> Decimal | None:
    """None when a foreign amount is in it and either rate is missing."""
    foreign = [one.amount for one in opened if one.currency is not Currency.KRW]
    if not foreign:
        return Decimal(0)
    return None if rate is None or then is None else sum(foreign, Decimal(0)) * (rate.won - then.won)


def _exposure_pct(equity: Decimal | None, held: list[PositionRow]) -> Decimal | None:
    if not equity or any(position.last_price is None for position in held):
        return None
    value = sum((one.last_price * one.qty for one in held if one.last_price is not None), Decimal(0))
    return value / equity * 100


def sum_by_currency(amounts: Iterable[Money | None]) -> tuple[Money, ...]:
    """One sum per currency; unknown amounts are left out, unlike currencies never meet."""
    sums: dict[Currency, Money] = {}
    for amount in amounts:
        if amount is not None:
            sums[amount.currency] = sums[amount.currency] + amount if amount.currency in sums else amount
    return tuple(sums[currency] for currency in Currency if currency in sums)


def age_s(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())


def _equity_of(cash: CashBalance | None, held: list[PositionRow]) -> Money | None:
    equity = None if cash is None else equity_of(cash, held)
    return None if cash is None or equity is None else _money(equity, cash.currency)


def _money(amount: Decimal, currency: str) -> Money:
    return Money(amount, Currency(currency))
