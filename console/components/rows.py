"""Rows that several pages show the same way: orders, fills, positions, logs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from console.components.figures import (
    UNKNOWN,
    Html,
    age,
    amount,
    clock,
    environment_badge,
    join,
    mark,
    moment,
    moved,
    part_told,
    percent,
    price,
    span,
)
from console.components.frame import in_words, lang, t, wiring
from console.components.table import Column, link, table
from console.services import symbols
from console.services.holdings import CashLine, PositionLine
from console.services.logs import LogLine
from console.services.orders import FillLine, OrderLine
from console.services.overview import AccountLine
from shared.domain.order_state import OrderStatus
from shared.words import reason_text

_ORDER_TONES = {
    OrderStatus.UNKNOWN: "act",
    OrderStatus.NEEDS_OPERATOR: "act",
    OrderStatus.REJECTED: "watch",
    OrderStatus.DENIED: "watch",
    OrderStatus.NOT_ACCEPTED: "watch",
    OrderStatus.FILLED: "fine",
    OrderStatus.PARTIAL: "fine",
    OrderStatus.ACCEPTED: "fine",
}
SHORT = 14  # letters of a name that a column has room for
_LOG_TONES = {"ERROR": "act", "CRITICAL": "act", "WARNING": "watch"}


def _of_account(row: OrderLine | FillLine | PositionLine | CashLine | LogLine, wanted: bool) -> list[object]:
    return [account_cell(row.account_id, row.account, row.environment)] if wanted else []


def _account_column(wanted: bool) -> list[Column]:
    return [Column(t("col.account"))] if wanted else []


def account_cell(account_id: int, nickname: str, environment: str) -> Html:
    """Name and environment: on one line unless the name is long, then the badge goes below it."""
    named = link(f"/account?account={account_id}", nickname)
    return span(
        "lt-who lt-short" if len(nickname) <= SHORT else "lt-who",
        join(named, " ", environment_badge(environment, lang())),
    )


def unknown_pnl(line: AccountLine) -> Html:
    """A dash, and why."""
    return span("lt-unknown", UNKNOWN, t("pnl.first") if line.first_today else t("pnl.none_today"))


def called(symbol: str, currency: str, known: str = "") -> str:
    """The symbol's name in the reader's language, for the small line below it; `known`: what a broker calls it."""
    return symbols.name(wiring(), symbol, currency, lang(), known)


def on_cost(part: Decimal | None) -> Html:
    """A small line: what was earned for what the sold shares had cost."""
    return span("lt-sub", join(t("profit.on_cost"), " ", part_told(part)))


def below(*parts: str) -> Html:
    """What is said below, of what there is to say."""
    said = " · ".join(part for part in parts if part)
    return span("lt-sub", said) if said else Html("")


def side_word(side: str) -> Html:
    return span("lt-up" if side == "BUY" else "lt-down", t(f"side.{side}"))


def order_status(status: str, reason: str = "") -> Html:
    return mark(_ORDER_TONES.get(OrderStatus(status), "off"), t(f"order.{status}"), reason)


def order_table(rows: Sequence[OrderLine], *, with_account: bool = True) -> None:
    columns = [
        *_account_column(with_account),
        Column(t("col.order")),
        Column(t("col.status")),
        Column(t("col.filled"), numeric=True),
        Column(t("col.price"), numeric=True),
        Column(t("col.average"), numeric=True),
        Column(t("col.reason"), wide=True),
        Column(t("col.placed")),
    ]
    body = [
        [
            *_of_account(row, with_account),
            join(row.symbol, " ", side_word(row.side), below(called(row.symbol, row.currency), order_note(row))),
            order_status(row.status, reason_text(row.reason, lang()) if row.reason else ""),
            f"{row.filled_qty:,} / {row.qty:,}",
            price(row.price, row.currency) if row.price is not None else t(f"type.{row.order_type}"),
            price(row.avg_fill_price, row.currency),
            reason_text(row.reason, lang()) if row.reason else UNKNOWN,
            moment(row.placed_at),
        ]
        for row in rows
    ]
    table(columns, body, name="orders", empty=t("empty.orders"))


def order_note(row: OrderLine) -> str:
    origin = t("order.rule", rule=row.rule_id) if row.rule_id is not None else t(f"origin.{row.origin}")
    return f"#{row.broker_order_id or UNKNOWN} · {origin}"


def order_label(row: OrderLine) -> str:
    """One order in words, for a choice or a question."""
    what = f"{row.symbol} {t(f'side.{row.side}')} {row.qty - row.filled_qty:,}"
    at = price(row.price, row.currency) if row.price is not None else t(f"type.{row.order_type}")
    return f"{row.account} · {what} @ {at} · {t(f'order.{row.status}')} · #{row.broker_order_id or UNKNOWN}"


def fill_table(rows: Sequence[FillLine], *, with_account: bool = True) -> None:
    columns = [
        *_account_column(with_account),
        Column(t("col.symbol")),
        Column(t("col.side")),
        Column(t("col.quantity"), numeric=True),
        Column(t("col.price"), numeric=True),
        Column(t("col.cost"), numeric=True),
        Column(t("col.realized"), numeric=True),
        Column(t("col.at")),
    ]
    body = [
        [
            *_of_account(row, with_account),
            join(row.symbol, below(called(row.symbol, row.currency))),
            side_word(row.side),
            f"{row.qty:,}",
            price(row.price, row.currency),
            _cost(row),
            moved(row.realized_pnl, amount(row.realized_pnl, row.currency)),
            moment(row.filled_at),
        ]
        for row in rows
    ]
    table(columns, body, name="fills", empty=t("empty.fills"))


def _cost(row: FillLine) -> str:
    if row.commission is None and row.tax is None:
        return UNKNOWN
    return amount((row.commission or Decimal(0)) + (row.tax or Decimal(0)), row.currency)


def position_table(rows: Sequence[PositionLine], now: datetime, *, with_account: bool = True) -> None:
    columns = [
        *_account_column(with_account),
        Column(t("col.symbol")),
        Column(t("col.quantity"), numeric=True),
        Column(t("col.average"), numeric=True),
        Column(t("col.last"), numeric=True),
        Column(t("col.value"), numeric=True),
        Column(t("col.unrealized"), numeric=True),
        Column(t("col.guard")),
        Column(t("col.age")),
    ]
    body = [
        [
            *_of_account(row, with_account),
            join(row.symbol, span("lt-sub lt-wrap", called(row.symbol, row.currency, row.name))),
            join(f"{row.qty:,}", span("lt-sub", t("position.sellable", n=_known(row.sellable)))),
            price(row.avg_price, row.currency),
            join(price(row.last_price, row.currency), span("lt-sub", age(row.priced_at, now, lang()))),
            amount(row.value, row.currency),
            join(
                moved(row.unrealized_pnl, amount(row.unrealized_pnl, row.currency)),
                span("lt-sub", percent(row.pnl_pct)),
            ),
            _guard(row, now),
            age(row.updated_at, now, lang()),
        ]
        for row in rows
    ]
    table(columns, body, name="positions", empty=t("empty.positions"))


def _guard(row: PositionLine, now: datetime) -> Html:
    """Who watches it, at what price it would be sold, when that was last looked at; red when nobody does."""
    if row.guarded_by is None:
        return mark("act", t("position.unguarded"), t("position.unguarded_help"))
    kind = t(f"reason_short.{row.stop_kind}") if row.stop_kind else ""
    stop = " ".join(part for part in (kind, price(row.stop_price, row.currency)) if part)
    checked = t("position.checked", age=age(row.stop_checked_at, now, lang()))
    who = t("position.guarded", rule=row.guarded_by)
    if row.guard_version is not None:
        who = f"{who} · {t('rules.version', number=row.guard_version)}"
    if row.bare_qty:
        first = mark("act", t("position.partly", n=row.bare_qty), t("position.unguarded_help"))
        return join(first, span("lt-sub", f"{who} · {stop} · {checked}"))
    if row.stale(now):
        return join(
            mark("act", t("position.stale"), t("guard.stale_help")), span("lt-sub", f"{who} · {stop} · {checked}")
        )
    return join(mark("fine", who), span("lt-sub", f"{stop} · {checked}"))


def _known(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def cash_table(rows: Sequence[CashLine], now: datetime, *, with_account: bool = True) -> None:
    columns = [
        *_account_column(with_account),
        Column(t("col.currency")),
        Column(t("col.cash"), numeric=True),
        Column(t("col.buying_power"), numeric=True),
        Column(t("col.equity"), numeric=True),
        Column(t("col.age")),
    ]
    body = [
        [
            *_of_account(row, with_account),
            row.currency,
            amount(row.total, row.currency),
            amount(row.buying_power, row.currency),
            join(amount(row.equity, row.currency), below(_older(row, now))),
            age(row.as_of, now, lang()),
        ]
        for row in rows
    ]
    table(columns, body, name="cash", empty=t("empty.cash"))


def _older(row: CashLine, now: datetime) -> str:
    """The age of an equity that is not as new as the cash beside it."""
    return "" if row.equity_at >= row.as_of else age(row.equity_at, now, lang())


def log_table(rows: Sequence[LogLine], *, with_account: bool = True) -> None:
    columns = [
        Column(t("col.at")),
        Column(t("col.level")),
        *_account_column(with_account),
        Column(t("col.message"), wide=True),
    ]
    body = [
        [
            span("lt-log", clock(row.created_at), moment(row.created_at)),
            mark(_LOG_TONES.get(row.level, "off"), row.level),
            *_of_account(row, with_account),
            span("lt-log", in_words(row.message)),
        ]
        for row in rows
    ]
    table(columns, body, name="logs", empty=t("empty.logs"))
