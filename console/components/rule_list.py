"""The rules in one table: on or off, last judgement and signal, what they earned, what they guard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.components.figures import UNKNOWN, Html, age, amount, join, mark, moment, moved, span
from console.components.frame import in_words, lang, t
from console.components.reasons import decided
from console.components.rows import account_cell, on_cost
from console.components.table import Column, table
from console.services.profit import RuleEarned
from console.services.rule_board import BoardLine, Guarding, RuleGuard
from shared.models import StrategySignal
from shared.words import reason_text

_TONES = {
    Guarding.PARKED: "act",
    Guarding.FROZEN: "act",
    Guarding.STALE: "act",
    Guarding.PARTLY: "act",
    Guarding.WATCHED: "fine",
    Guarding.NOTHING: "off",
}


def rule_table(rows: Sequence[BoardLine], now: datetime) -> None:
    columns = [
        Column(t("col.account")),
        Column(t("rules.rule")),
        Column(t("rules.on")),
        Column(t("col.last_decision"), wide=True),
        Column(t("rules.signal")),
        Column(t("rules.earned"), numeric=True),
        Column(t("col.guard")),
    ]
    table(columns, [_row(one, now) for one in rows], name="rules", empty=t("empty.rules"))


def _row(one: BoardLine, now: datetime) -> list[object]:
    line = one.line
    version = t("rules.version", number=line.version) if line.version is not None else UNKNOWN
    return [
        account_cell(line.account_id, line.account, line.environment),
        join(line.name, span("lt-sub", f"#{line.id} · {line.symbol} · {version}", moment(line.updated_at))),
        mark("fine" if line.enabled else "off", t("rules.is_on") if line.enabled else t("rules.is_off")),
        decided(line.decision, now) if line.decision else span("lt-soft", t("decision.none")),
        _signal(one.signal, now),
        _earned(one.earned),
        _guard(one.guard),
    ]


def _signal(signal: StrategySignal | None, now: datetime) -> Html:
    if signal is None:
        return span("lt-soft", t("rules.no_signal"))
    side = "BUY" if signal.type == "ENTRY" else "SELL"
    word = span("lt-up" if side == "BUY" else "lt-down", t(f"side.{side}"))
    symbol, why = str(signal.payload.get("symbol", "")), str(signal.payload.get("reason", ""))
    told = [reason_text(why, lang()) if why else "", age(signal.created_at, now, lang())]
    return join(symbol, " ", word, span("lt-sub", " · ".join(part for part in told if part), moment(signal.created_at)))


def _earned(earned: RuleEarned | None) -> Html:
    """What sales brought after fees and taxes; a sale whose gain nobody knows leaves the sum unknown, never smaller."""
    if earned is None or not earned.sold:
        return span("lt-soft", t("rules.nothing_sold"))
    if earned.net is None:
        return join(span("lt-unknown", t("rules.unknown")), span("lt-sub", t("rules.unknown_sales", n=earned.unknown)))
    costs = t("rules.costs", costs=amount(earned.costs, earned.currency)) + (" *" if earned.estimated else "")
    return join(
        moved(earned.net, amount(earned.net, earned.currency)),
        on_cost(earned.on_cost),
        span("lt-sub", costs),
    )


def _guard(guard: RuleGuard) -> Html:
    told = ", ".join(guard.symbols)
    if guard.why:
        told = f"{told} · {in_words(guard.why)}"
    return join(mark(_TONES[guard.state], t(f"rule_guard.{guard.state}")), span("lt-sub", told) if told else "")
