"""Risk at a glance: each limit and how much of it is used, exposure over an owner's accounts, what was blocked today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session

from console.services import parts, second_looks
from console.services.accounts import put_limits
from console.services.blocked import Blocked, blocked_today
from console.services.changes import by_number, desk_only
from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Environment, Market
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict, NotFound
from shared.domain.order import Side
from shared.domain.trading_days import ZONES
from shared.models import BrokerageAccount, Heartbeat, OrderRow, Owner, PositionRow, SecondLook
from shared.store import accounts, kill, risk

EXTENDED_HOURS = ("PRE", "AFTER")


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit and what is used of it; None: not known. A limit that is not set is zero."""

    name: str  # a key of shared.words under "limit."
    used: Decimal | None
    limit: Decimal

    @property
    def share(self) -> Decimal | None:
        """Percent of the limit used; 100 where nothing may pass."""
        if self.used is None:
            return None
        return Decimal(100) if self.limit <= 0 else max(self.used, Decimal(0)) / self.limit * 100


@dataclass(frozen=True, slots=True)
class AccountRisk:
    id: int
    nickname: str
    environment: str
    market: str
    currency: str
    kill: KillLevel
    effective: KillLevel  # of all, this account, and what its bot says is in force
    meters: tuple[Meter, ...]
    minute_limit: int
    extended_hours: tuple[str, ...]
    max_account_amount: Decimal | None
    first_day_amount: Decimal | None
    armed_until: datetime | None


@dataclass(frozen=True, slots=True)
class OwnerRisk:
    """The accounts of one owner in one market and environment. `limit` None: not set, each account keeps to its own."""

    owner_id: int
    owner: str
    environment: str
    market: str
    currency: str
    accounts: int
    amount: Decimal | None
    limit: Decimal | None
    opposite: tuple[str, ...]  # symbols with open orders on both sides in different accounts


@dataclass(frozen=True, slots=True)
class RiskView:
    accounts: tuple[AccountRisk, ...]
    owners: tuple[OwnerRisk, ...]
    blocked: tuple[Blocked, ...]  # most often first
    kill: KillLevel  # of all accounts
    as_of: datetime


@dataclass(frozen=True, slots=True)
class MoreLimits:
    """Limits beside those of the account's form. None: the daily buy limit counts; no buys on the first LIVE day."""

    max_account_amount: Decimal | None
    first_day_amount: Decimal | None
    max_orders_per_minute: int
    extended_hours: tuple[str, ...] = ()


@by_number(at_most_s=2.0)
def view(wiring: Wiring, actor: Actor) -> RiskView:
    """Read the risk of the accounts this person may see."""
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        rows = [row for row in visible_accounts(session, actor) if row.id is not None]
        beats, hour = parts.beats(wiring, actor), now.replace(minute=0, second=0, microsecond=0)
        held: dict[int, list[PositionRow]] = defaultdict(list)
        for one in parts.holdings(wiring, actor):
            held[one.row.account_id].append(one.row)
        resting: dict[int, list[OrderRow]] = defaultdict(list)
        for order in parts.resting(wiring, actor):
            resting[order.account_id].append(order)
        today = {row.id or 0: _day(row, beats.get(row.id or 0), now) for row in rows}
        sent: dict[int, list[OrderRow]] = defaultdict(list)
        for order in risk.orders_of_day(session, today):
            sent[order.account_id].append(order)
        known = parts.accounts(wiring, actor, hour)
        switches = {scope: KillLevel(row.level) for scope, row in parts.switches(wiring, actor).items()}
        everybody = switches.get(kill.scope_of(None), KillLevel.RUN)
        lines = []
        for row in rows:
            key = row.id or 0
            last = known[key].equity if key in known else None
            pnl = last.realized_pnl_day if last is not None else None
            own, said = switches.get(kill.scope_of(key), KillLevel.RUN), beats.get(key)
            level = max(everybody, own, KillLevel(said.kill_level) if said is not None else KillLevel.RUN)
            lines.append(_account(row, own, level, held[key], resting[key], sent[key], pnl))
        owners = _owners(parts.owners(wiring, actor), rows, held, resting)
    return RiskView(tuple(lines), owners, blocked_today(rows, beats, now), everybody, now)


@by_number(of=desk_only)
def owner_of(wiring: Wiring, actor: Actor, account_id: int) -> Owner:
    """Whose account it is, with the limits of all his accounts."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, account_id)
        row = accounts.find(session, account_id)
        owner = None if row is None else session.get(Owner, row.owner_id)
        if owner is None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        return owner


def set_more_limits(wiring: Wiring, actor: Actor, account_id: int, limits: MoreLimits, *, reason: str) -> None:
    """Change the further limits; the bot applies them within its next poll."""
    if not reason.strip():
        raise refuse(Conflict, "reason_missing", actor.lang)
    for name in ("max_account_amount", "first_day_amount", "max_orders_per_minute"):
        value = getattr(limits, name)
        if value is not None and (not Decimal(value).is_finite() or value < 0):
            raise refuse(Conflict, "bad_limit", actor.lang, name=name)
    if not set(limits.extended_hours) <= set(EXTENDED_HOURS):
        raise refuse(Conflict, "bad_limit", actor.lang, name="extended_hours")
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ACCOUNT_LIMITS, account_id)
        row = accounts.find(session, account_id)
        if row is None or row.archived_at is not None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        before, wish = _said(row), _wished(limits)
        look = second_looks.wanted(
            session, wiring, actor, Action.ACCOUNT_LIMITS, f"account:{account_id}", wish, reason, account_id=account_id,
            riskier=second_looks.raises(before, wish),
        )  # fmt: skip
        if look is None:
            put_limits(session, wiring, actor, row, wish, reason)
    second_looks.tell(actor, look)
    nudge(wiring.settings, account_id)


def set_owner_limits(
    wiring: Wiring, actor: Actor, owner_id: int, krw: Decimal | None, usd: Decimal | None, *, reason: str
) -> None:
    """Set what an owner's accounts may have in the market together, per currency; bots read it each second."""
    if not reason.strip():
        raise refuse(Conflict, "reason_missing", actor.lang)
    for name, value in (("max_exposure_krw", krw), ("max_exposure_usd", usd)):
        if value is not None and (not value.is_finite() or value < 0):
            raise refuse(Conflict, "bad_limit", actor.lang, name=name)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.OWNER_LIMITS)
        owner = session.get(Owner, owner_id)
        if owner is None:
            raise refuse(NotFound, "no_owner", actor.lang, owner=owner_id)
        before = {"krw": _text(owner.max_exposure_krw), "usd": _text(owner.max_exposure_usd)}
        wish = {"krw": _text(krw), "usd": _text(usd)}
        look = second_looks.wanted(
            session, wiring, actor, Action.OWNER_LIMITS, f"owner:{owner_id}", wish, reason,
            riskier=second_looks.raises(before, wish),
        )  # fmt: skip
        if look is None:
            _put_owner(session, wiring, actor, owner, wish, reason)
    second_looks.tell(actor, look)


def owner_limited(session: Session, wiring: Wiring, asker: Actor, look: SecondLook) -> Callable[[], None]:
    """Put an owner's limits in force that a second Admin has agreed to."""
    owner_id = int(look.target.partition(":")[2])
    owner = session.get(Owner, owner_id)
    if owner is None:
        raise refuse(NotFound, "no_owner", asker.lang, owner=owner_id)
    _put_owner(session, wiring, asker, owner, look.payload, look.reason)
    return lambda: nudge(wiring.settings, None)


def _put_owner(
    session: Session, wiring: Wiring, actor: Actor, owner: Owner, wish: Mapping[str, str | None], reason: str
) -> None:
    before = {"krw": _text(owner.max_exposure_krw), "usd": _text(owner.max_exposure_usd)}
    owner.max_exposure_krw, owner.max_exposure_usd = (
        None if wish[name] is None else Decimal(str(wish[name])) for name in ("krw", "usd")
    )
    session.add(owner)
    note(
        session, wiring, actor, Action.OWNER_LIMITS, f"owner:{owner.id}", before=before, after=wish, reason=reason
    )  # fmt: skip


def _account(
    row: BrokerageAccount, own: KillLevel, level: KillLevel, held: list[PositionRow], resting: list[OrderRow],
    sent: list[OrderRow], pnl: Decimal | None,
) -> AccountRisk:  # fmt: skip
    buys = [one for one in sent if one.side == Side.BUY]
    by_symbol: dict[str, list[Decimal | None]] = defaultdict(list)
    for position in held:
        by_symbol[position.symbol].append((position.last_price or position.avg_price) * position.qty)
    for order in resting:
        if order.side == Side.BUY:
            by_symbol[order.symbol].append(risk.left_to_buy(order))
    symbols = [_sum(parts) for parts in by_symbol.values()]
    whole = _sum(symbols)
    largest = None if None in symbols else max((one for one in symbols if one is not None), default=Decimal(0))
    cap = row.max_daily_buy if row.max_account_amount is None else row.max_account_amount
    zero = Decimal(0)
    meters = (
        Meter("max_account_amount", whole, cap or zero),
        Meter("max_symbol_amount", largest, row.max_symbol_amount or zero),
        Meter("max_daily_buy", _sum([risk.bought(one) for one in buys]), row.max_daily_buy or zero),
        Meter("max_daily_loss", None if pnl is None else max(-pnl, zero), row.max_daily_loss or zero),
        Meter("max_trades_per_day", Decimal(len(sent)), Decimal(row.max_trades_per_day or 0)),
    )
    return AccountRisk(
        id=row.id or 0, nickname=row.nickname, environment=row.environment, market=row.market,
        currency=Market(row.market).currency.value, kill=own, effective=level, meters=meters,
        minute_limit=row.max_orders_per_minute, extended_hours=tuple(filter(None, row.extended_hours.split(","))),
        max_account_amount=row.max_account_amount, first_day_amount=row.first_day_amount,
        armed_until=row.armed_until,
    )  # fmt: skip


def _owners(
    known: Mapping[int, Owner],
    rows: list[BrokerageAccount],
    held: dict[int, list[PositionRow]],
    resting: dict[int, list[OrderRow]],
) -> tuple[OwnerRisk, ...]:
    groups: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    for row in rows:
        groups[row.owner_id, row.environment, row.market].append(row.id or 0)
    found = []
    for (owner_id, environment, market), ids in groups.items():
        parts: list[Decimal | None] = [(p.last_price or p.avg_price) * p.qty for key in ids for p in held[key]]
        parts += [risk.left_to_buy(one) for key in ids for one in resting[key] if one.side == Side.BUY]
        owner = known.get(owner_id)
        limit = None
        if owner is not None:
            limit = owner.max_exposure_krw if market == Market.KRX else owner.max_exposure_usd
        found.append(
            OwnerRisk(
                owner_id, owner.name if owner else str(owner_id), environment, market,
                Market(market).currency.value, len(ids), _sum(parts), limit, _opposite(ids, resting),
            )
        )  # fmt: skip
    order = [Environment.LIVE, Environment.MOCK, Environment.SIM]
    return tuple(sorted(found, key=lambda one: (order.index(Environment(one.environment)), one.market, one.owner_id)))


def _opposite(ids: list[int], resting: dict[int, list[OrderRow]]) -> tuple[str, ...]:
    """Symbols that one account bids for while another one offers them."""
    sides: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for key in ids:
        for one in resting[key]:
            sides[one.symbol][one.side].add(key)
    return tuple(
        sorted(
            symbol
            for symbol, by in sides.items()
            if any(buyer != seller for buyer in by[Side.BUY] for seller in by[Side.SELL])
        )
    )


def _day(row: BrokerageAccount, beat: Heartbeat | None, now: datetime) -> str:
    """The account's date by its bot's market clock: a replayed exchange has a day of its own."""
    at = beat.market_at if beat is not None and beat.market_at is not None else now
    return at.astimezone(ZONES[Market(row.market)]).date().isoformat()


def _sum(parts: list[Decimal | None]) -> Decimal | None:
    """None when a part is not known: unknown is never zero."""
    return None if None in parts else sum((part for part in parts if part is not None), Decimal(0))


def _said(row: BrokerageAccount) -> dict[str, str | None]:
    return {
        "max_account_amount": _text(row.max_account_amount), "first_day_amount": _text(row.first_day_amount),
        "max_orders_per_minute": str(row.max_orders_per_minute), "extended_hours": row.extended_hours,
    }  # fmt: skip


def _wished(limits: MoreLimits) -> dict[str, str | None]:
    return {
        "max_account_amount": _text(limits.max_account_amount), "first_day_amount": _text(limits.first_day_amount),
        "max_orders_per_minute": str(limits.max_orders_per_minute), "extended_hours": ",".join(limits.extended_hours),
    }  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
