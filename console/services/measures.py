"""The desk in figures for machines that watch it: the same names for Prometheus and OTLP. What is unknown is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from console.services import overview, profit
from console.services.overview import AccountLine
from console.services.permissions import Actor
from console.wiring import Wiring
from shared.db import reading
from shared.models import Heartbeat
from shared.store import alert_lists, measures, panels

WINDOW = timedelta(hours=24)
QUANTILES = (0.5, 0.95, 0.99)
PLACED = frozenset({"ACCEPTED", "PARTIAL", "FILLED", "CANCELED", "EXPIRED"})  # the broker took it
REFUSED = frozenset({"REJECTED", "UNKNOWN", "NOT_ACCEPTED", "NEEDS_OPERATOR"})  # DENIED never left us


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure by name; each sample has a value for every label."""

    name: str
    about: str
    labels: tuple[str, ...]
    samples: tuple[tuple[tuple[str, ...], float], ...]


def measured(wiring: Wiring, actor: Actor) -> list[Measure]:
    """Everything measured now, of the accounts this person may see."""
    view = overview.overview(wiring, actor)
    ids = [line.id for line in view.lines]
    found = _of_lines(view.lines, view.kill)
    since = wiring.clock.wall_now() - WINDOW
    with reading(wiring.engine) as session:
        beats = panels.heartbeats(session, ids)
        counted = panels.order_counts(session, ids)
        courses = measures.courses(session, ids, since)
        wrong = measures.errors(session, ids, since)
        waiting = alert_lists.waiting_counts(session, ids)
    found += _of_beats(beats)
    found += _of_orders(courses)
    by_status = (((str(account), status), float(count)) for (account, status), count in sorted(counted.items()))
    found.append(Measure("letstrade_orders", "orders by status", ("account", "status"), tuple(by_status)))
    lines = (((str(account), level), float(count)) for (account, level), count in sorted(wrong.items()))
    found.append(Measure("letstrade_errors_24h", "log lines of 24 h", ("account", "level"), tuple(lines)))
    found.append(_by_rule(wiring, actor))
    open_alerts = tuple(((severity,), float(count)) for severity, count in waiting.items())
    found.append(Measure("letstrade_open_alerts", "alerts nobody has seen", ("severity",), open_alerts))
    return found


def _of_lines(lines: Sequence[AccountLine], desk_kill: int) -> list[Measure]:
    wanted: dict[str, tuple[str, Callable[[AccountLine], float | None]]] = {
        "letstrade_bot_wanted": ("1 when the account's bot should run", lambda line: float(line.enabled)),
        "letstrade_bot_ready": ("1 when the bot trades", lambda line: float(line.status == "READY")),
        "letstrade_heartbeat_age_seconds": ("age of the last sign of life", lambda line: line.heartbeat_age_s),
        "letstrade_feed_age_seconds": ("age of the last market data", lambda line: line.feed_age_s),
        "letstrade_open_orders": ("orders that may still be live", lambda line: float(line.open_orders)),
        "letstrade_positions": ("symbols held", lambda line: float(line.positions)),
        "letstrade_unguarded_positions": ("held without a stop", lambda line: float(line.unguarded)),
        "letstrade_kill_level": (
            "0 RUN, 1 NO_NEW, 2 REDUCE_ONLY, 3 HALT",
            lambda line: float(max(line.kill, desk_kill)),
        ),
        "letstrade_equity": ("in the account's currency", _equity),
        "letstrade_pnl_today": ("since the market's midnight, in the account's currency", _pnl),
    }
    labels = ("account", "environment", "broker")
    return [
        Measure(name, about, labels, _samples(((str(one.id), one.environment, one.broker), of(one)) for one in lines))
        for name, (about, of) in wanted.items()
    ]


def _of_beats(beats: dict[int, Heartbeat]) -> list[Measure]:
    columns = {
        "letstrade_loop_lag_ms": ("how late the bot's loop runs", "loop_lag_ms"),
        "letstrade_outbox_depth": ("rows that wait for the store", "outbox_depth"),
        "letstrade_rate_used": ("calls of the last second", "rate_used"),
        "letstrade_rate_limit": ("calls a second the broker allows", "rate_limit"),
        "letstrade_rate_waiting": ("calls that wait for their turn", "rate_waiting"),
        "letstrade_rate_refused": ("times the broker said too many", "rate_limited"),
        "letstrade_rss_mb": ("memory of the bot", "rss_mb"),
    }
    return [
        Measure(
            name,
            about,
            ("account",),
            tuple(((str(account),), float(getattr(beat, column))) for account, beat in sorted(beats.items())),
        )
        for name, (about, column) in columns.items()
    ]


def _of_orders(courses: list[measures.Course]) -> list[Measure]:
    ids = sorted({one.account_id for one in courses})
    success, acks, fills = [], [], []
    for account in ids:
        mine = [one for one in courses if one.account_id == account]
        taken, lost = (sum(one.status in group for one in mine) for group in (PLACED, REFUSED))
        if taken + lost:
            success.append(((str(account),), taken / (taken + lost)))
        acks += _quantiles(str(account), [one.ack_s for one in mine if one.ack_s is not None])
        fills += _quantiles(str(account), [one.fill_s for one in mine if one.fill_s is not None])
    labels = ("account", "quantile")
    return [
        Measure("letstrade_order_success_ratio", "orders of 24 h that the broker took", ("account",), tuple(success)),
        Measure("letstrade_order_ack_seconds", "send to the broker's answer, 24 h", labels, tuple(acks)),
        Measure("letstrade_order_fill_seconds", "send to the first fill, 24 h", labels, tuple(fills)),
    ]


def _by_rule(wiring: Wiring, actor: Actor) -> Measure:
    """Today's realised result of each rule, by the market's own date, fees and taxes off."""
    today = wiring.clock.wall_now().date()
    told = profit.statement(wiring, actor, today - timedelta(days=1), today + timedelta(days=1))
    newest = {
        day.account_id: max(one.day for one in told.days if one.account_id == day.account_id) for day in told.days
    }
    samples = [
        ((str(day.account_id), str(day.rule_id or ""), day.currency), float(day.net))
        for day in told.days
        if day.day == newest[day.account_id] and not day.unknown
    ]
    about = "realised on the newest trade date, after fees and taxes"
    return Measure("letstrade_rule_pnl", about, ("account", "rule", "currency"), tuple(sorted(samples)))


def _quantiles(account: str, seconds: list[float]) -> list[tuple[tuple[str, ...], float]]:
    """Nearest rank; nothing measured is no sample."""
    ranked = sorted(seconds)
    if not ranked:
        return []
    last = len(ranked) - 1
    return [((account, str(part)), ranked[min(int(part * len(ranked)), last)]) for part in QUANTILES]


def _samples(
    values: Iterable[tuple[tuple[str, ...], float | None]],
) -> tuple[tuple[tuple[str, ...], float], ...]:
    return tuple((labels, value) for labels, value in values if value is not None)


def _equity(line: AccountLine) -> float | None:
    return None if line.equity is None else float(line.equity.amount)


def _pnl(line: AccountLine) -> float | None:
    return None if line.pnl_today is None else float(line.pnl_today.amount)
