"""What only a person can settle, with the evidence and the safe ways out. A wish becomes a command; the bot acts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from console.services import accounts as account_services
from console.services import approvals, four_eyes, parts
from console.services import kill as kill_services
from console.services import orders as order_services
from console.services.approvals import ProposalLine
from console.services.changes import by_number
from console.services.four_eyes import LookLine
from console.services.holdings import PositionLine, positions
from console.services.nudge import nudge
from console.services.orders import OrderLine
from console.services.overview import status_of
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict, NotFound
from shared.domain.order_state import UNPROVEN
from shared.models import Alert, BrokerageAccount, Command, Heartbeat, OrderRow, Role
from shared.store import alert_lists, commands, panels, rules
from shared.store.commands import CommandKind

ANSWER_LASTS = timedelta(seconds=60)  # what a person judged by is old after that: a bot that was away asks him anew
_UNPROVEN = frozenset(status.value for status in UNPROVEN)
LAST_WORDS = 15  # lines of a log
ALERTS_READ = 400
GRAVE = ("critical", "warning")
DOWN = frozenset({"PARKED", "FATAL", "SILENT", "BLOCKED"})
DRIFT_KINDS, STOP_KINDS = frozenset({"DRIFT"}), frozenset({"ORDER_CONTRADICTION", "FILL_IMPOSSIBLE"})
HELD_KINDS = frozenset({"EXIT_HELD"})
EXPLAINED = ("drift", "frozen", "held_exits")  # what a bot says of itself that an alert dates
POST_MORTEM_KINDS = frozenset({"BOT_PARKED", "BOT_FATAL", "BOT_SILENT", "BOT_BLOCKED", "KEY_REFUSED"})


@dataclass(frozen=True, slots=True)
class Whose:
    account_id: int
    account: str
    environment: str


@dataclass(frozen=True, slots=True)
class Drift:
    """The broker holds another number of shares than our fills make."""

    whose: Whose
    symbol: str
    ours: int
    theirs: int
    rules: tuple[tuple[int, str], ...]  # running rules of the symbol: (id, name)
    at: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """A symbol that the bot stopped until a person has looked."""

    whose: Whose
    symbol: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldExit:
    """A sale that a rule wants and that does not get out."""

    whose: Whose
    rule_id: int
    symbol: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Down:
    """A bot that does not trade and will not by itself, with what was left behind."""

    whose: Whose
    status: str
    reason: str
    at: datetime | None  # its last sign of life
    log: tuple[str, ...]
    last_order: OrderLine | None
    open_orders: tuple[OrderLine, ...]
    held: tuple[PositionLine, ...]

    @property
    def unguarded(self) -> tuple[PositionLine, ...]:
        """While its bot is down nobody watches a stop: every holding is unprotected."""
        return self.held


@dataclass(frozen=True, slots=True)
class Matters:
    """Everything that waits for a person, gravest first."""

    down: tuple[Down, ...]
    unproven: tuple[OrderLine, ...]
    drifts: tuple[Drift, ...]
    stopped: tuple[Stopped, ...]
    unguarded: tuple[PositionLine, ...]
    as_of: datetime
    proposals: tuple[ProposalLine, ...] = ()  # entries that wait for a yes: they end by themselves
    held_exits: tuple[HeldExit, ...] = ()
    looks: tuple[LookLine, ...] = ()  # deeds of an Admin that wait for another one

    @property
    def count(self) -> int:
        known = (self.down, self.held_exits, self.unproven, self.drifts, self.stopped, self.unguarded)
        return sum(map(len, (*known, self.proposals, self.looks)))


@by_number(at_most_s=2.0)
def matters(wiring: Wiring, actor: Actor) -> Matters:
    """Read what waits, of the accounts this person may see."""
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        role = authorize(session, actor, Action.VIEW)
        rows = [row for row in visible_accounts(session, actor) if row.id is not None]
        known = {row.id or 0: row for row in rows}
        held, beats = positions(wiring, actor), parts.beats(wiring, actor)
        resting = parts.resting(wiring, actor)
        unproven = [order_services.order_line(one, known[one.account_id]) for one in resting if one.status in _UNPROVEN]
        fallen = [row for row in rows if status_of(row, beats.get(row.id or 0), now)[0] in DOWN]
        told = _told(session, fallen, beats)
        down = _fallen(session, now, fallen, beats, held, resting, told)
        drifts = tuple(one for row in rows for one in _drifts(session, row, beats.get(row.id or 0), told))
        stopped = tuple(one for row in rows for one in _stopped(row, beats.get(row.id or 0), told))
        stuck = tuple(one for row in rows for one in _held_exits(row, beats.get(row.id or 0), told))
        proposals = approvals.waiting_in(session, known, now)
        looks = four_eyes.waiting_in(session, actor, now) if role is Role.ADMIN else []
    dead = {one.whose.account_id for one in down}
    bare = tuple(one for one in held if one.guarded_by is None and one.account_id not in dead)
    return Matters(down, tuple(unproven), drifts, stopped, bare, now, tuple(proposals), stuck, tuple(looks))


def resolve_order(wiring: Wiring, actor: Actor, order_id: int, broker_order_id: str | None, *, key: str) -> Command:
    """Say what became of an unproven order: it is the broker's number, or (None) the broker never took it."""
    with writing(wiring.engine) as session:
        row = session.get(OrderRow, order_id)
        if row is None:
            raise refuse(NotFound, "no_order", actor.lang, order=order_id)
        if row.status not in UNPROVEN:
            raise refuse(Conflict, "not_unproven", actor.lang, order=order_id)
        payload = {"client_order_id": row.client_order_id, "broker_order_id": broker_order_id, "symbol": row.symbol}
        command = _ask(session, wiring, actor, row.account_id, CommandKind.RESOLVE_ORDER, payload, key)
        account_id = row.account_id
    nudge(wiring.settings, account_id)
    return command


def accept_holding(
    wiring: Wiring, actor: Actor, account_id: int, symbol: str, rule_id: int | None, *, key: str,
    shares: Mapping[int, int] | None = None, rescale: bool = False,
) -> Command:  # fmt: skip
    """Say that the broker's holding is right; the shares go to a rule, or stay a person's own (None).

    `shares` splits them: rule → number, the rest stays a person's own. `rescale`: a corporate action changed the number,
    each rule keeps its part of it.
    """
    payload: dict[str, Any] = {"symbol": symbol, "rule_id": rule_id}
    if shares:
        payload["shares"] = {str(rule): number for rule, number in shares.items() if number}
    if rescale:
        payload["rescale"] = True
    return _asked(wiring, actor, account_id, CommandKind.ACCEPT_HOLDING, payload, key)


def lift_symbol(wiring: Wiring, actor: Actor, account_id: int, symbol: str, *, key: str) -> Command:
    """Say that one has looked: the symbol may be traded again."""
    return _asked(wiring, actor, account_id, CommandKind.LIFT_SYMBOL, {"symbol": symbol}, key)


def start_exits_only(wiring: Wiring, actor: Actor, account_id: int, *, confirm: str = "", reason: str = "") -> None:
    """Start a fallen bot so that it guards what is held and enters nothing."""
    kill_services.raise_level(wiring, actor, KillLevel.NO_NEW, account_id=account_id, reason=reason)
    account_services.start(wiring, actor, account_id, confirm=confirm, reason=reason)


def _asked(
    wiring: Wiring, actor: Actor, account_id: int, kind: CommandKind, payload: dict[str, Any], key: str
) -> Command:
    with writing(wiring.engine) as session:
        command = _ask(session, wiring, actor, account_id, kind, payload, key)
    nudge(wiring.settings, account_id)
    return command


def _ask(
    session: Session, wiring: Wiring, actor: Actor, account_id: int, kind: CommandKind, payload: dict[str, Any], key: str
) -> Command:  # fmt: skip
    authorize(session, actor, Action.MATTER_SETTLE, account_id)
    now = wiring.clock.wall_now()
    command, new = commands.request(
        session, now, account_id=account_id, kind=kind, key=key, requested_by=actor.label, payload=payload,
        expires_at=now + ANSWER_LASTS,
    )  # fmt: skip
    if new:
        note(
            session, wiring, actor, Action.MATTER_SETTLE, f"account:{account_id}", account_id=account_id,
            after={"command": command.id, "kind": kind.value, **payload},
        )  # fmt: skip
    return command


def _whose(row: BrokerageAccount) -> Whose:
    return Whose(row.id or 0, row.nickname, row.environment)


def _told(session: Session, fallen: list[BrokerageAccount], beats: Mapping[int, Heartbeat]) -> dict[int, list[Alert]]:
    """The alerts nobody has seen yet, of the accounts with something to explain: how long it has been so."""
    explained = {key for key, beat in beats.items() if any(beat.detail.get(name) for name in EXPLAINED)}
    of = {row.id or 0 for row in fallen} | explained
    found: dict[int, list[Alert]] = defaultdict(list)
    for one in alert_lists.waiting(session, of, limit=ALERTS_READ, severities=GRAVE) if of else []:
        if one.account_id is not None:
            found[one.account_id].append(one)
    return found


def _drifts(
    session: Session, row: BrokerageAccount, beat: Heartbeat | None, alerted: Mapping[int, list[Alert]]
) -> list[Drift]:
    told = beat.detail.get("drift") if beat is not None else None
    if beat is None or not told:
        return []
    running = [one for one in rules.live_rules(session, row.id or 0) if one.enabled]
    return [
        Drift(
            _whose(row), symbol, int(ours), int(theirs),
            tuple((one.id or 0, one.name) for one in running if one.symbol == symbol),
            _since(alerted.get(row.id or 0, []), DRIFT_KINDS, symbol) or beat.at,
        )
        for symbol, (ours, theirs) in told.items()
    ]  # fmt: skip


def _stopped(row: BrokerageAccount, beat: Heartbeat | None, alerted: Mapping[int, list[Alert]]) -> list[Stopped]:
    told = beat.detail.get("frozen") if beat is not None else None
    if beat is None or not told:
        return []
    return [
        Stopped(_whose(row), symbol, why, _since(alerted.get(row.id or 0, []), STOP_KINDS, symbol) or beat.at)
        for symbol, why in told.items()
    ]


def _held_exits(row: BrokerageAccount, beat: Heartbeat | None, alerted: Mapping[int, list[Alert]]) -> list[HeldExit]:
    told = beat.detail.get("held_exits") if beat is not None else None
    if beat is None or not told:
        return []
    parts_of = ((name.partition(":"), why) for name, why in told.items())
    return [
        HeldExit(
            _whose(row), int(rule), symbol, why, _since(alerted.get(row.id or 0, []), HELD_KINDS, symbol) or beat.at
        )
        for (rule, _, symbol), why in parts_of
    ]


def _since(rows: list[Alert], kinds: frozenset[str], symbol: str) -> datetime | None:
    """When it was first told, while nobody has acknowledged that."""
    return min(
        (row.created_at for row in rows if row.kind in kinds and row.params.get("symbol") == symbol), default=None
    )


def _fallen(
    session: Session, now: datetime, rows: list[BrokerageAccount], beats: Mapping[int, Heartbeat],
    held: list[PositionLine], live: Iterable[OrderRow], alerted: Mapping[int, list[Alert]],
) -> tuple[Down, ...]:  # fmt: skip
    """The post-mortem of each, read together: as many statements for twenty accounts as for one."""
    known = {row.id or 0: row for row in rows}
    last = panels.newest_order_of_each(session, known)
    resting: dict[int, list[OrderLine]] = defaultdict(list)
    for order in live:
        if order.account_id in known:
            resting[order.account_id].append(order_services.order_line(order, known[order.account_id]))
    words = {key: _kept_log(alerted.get(key, [])) for key in known}
    lines = panels.last_logs_of_each(session, [key for key, kept in words.items() if not kept], LAST_WORDS)
    return tuple(
        Down(
            whose=_whose(row),
            status=status_of(row, beats.get(key), now)[0],
            reason=row.health_reason or (beats[key].reason if key in beats else ""),
            at=beats[key].at if key in beats else None,
            log=words[key] or tuple(f"{one.created_at:%H:%M:%S} {one.level} {one.message}" for one in lines[key][::-1]),
            last_order=order_services.order_line(last[key], row) if key in last else None,
            open_orders=tuple(resting[key]),
            held=tuple(one for one in held if one.account_id == key),
        )
        for key, row in known.items()
    )


def _kept_log(rows: list[Alert]) -> tuple[str, ...]:
    """The end of the log that watchdog kept when it put the bot down; () when it kept none."""
    for row in rows:
        if row.kind in POST_MORTEM_KINDS and row.params.get("log"):
            return tuple(str(line) for line in row.params["log"])
    return ()
