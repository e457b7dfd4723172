"""시스템: programs, bots, budgets, database, versions; from rows, never by asking supervisord on a viewer's path."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.drill import fire_drill
from console.components.figures import UNKNOWN, Html, age, join, length, mark, span, token_left
from console.components.frame import lang, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.rows import account_cell
from console.components.store_sizes import store_sizes_panel
from console.components.table import Column, facts, note, table
from console.components.vitals_charts import CHOICES, LAG_WATCH_MS, day_chart, day_table, latency_chart, latency_table
from console.services import system, vitals
from console.services.system import BotLine, ProgramLine

_TONES = {"RUNNING": "fine", "STARTING": "watch", "BACKOFF": "act", "FATAL": "act", "EXITED": "act", "UNKNOWN": "act"}
_ENDED = "EXITED"


@live(5)
def _programs() -> None:
    now = wiring().clock.wall_now()
    rows = system.programs(wiring(), me())
    columns = [
        Column(t("system.program")),
        Column(t("col.status")),
        Column(t("system.host")),
        Column(t("system.told"), wide=True),
        Column(t("col.age"), numeric=True),
    ]
    body = [
        [
            join(row.name, span("lt-sub", f"pid {row.pid}") if row.pid else ""),
            mark("watch", t("system.stale")) if row.stale else _program_state(row),
            row.host,
            "" if row.state == _ENDED else row.told.replace(f"pid {row.pid}, uptime ", f"{t('system.up')} "),
            age(row.seen_at, now, lang()),
        ]
        for row in rows
    ]
    table(columns, body, name="programs", empty=t("empty.programs"))


def _program_state(row: ProgramLine) -> Html:
    """Telegram without a token says so and ends: nothing is wrong with it."""
    if row.state == _ENDED and row.name == "telegram" and not wiring().settings.telegram_token:
        return mark("off", t("program.unset"))
    return mark(_TONES.get(row.state, "off"), t(f"program.{row.state}"))


@live(5)
def _bots() -> None:
    now = wiring().clock.wall_now()
    rows = system.bots(wiring(), me())
    columns = [
        Column(t("col.account")),
        Column(t("col.status")),
        Column(t("col.heartbeat"), numeric=True),
        Column(t("system.up"), numeric=True),
        Column(t("system.lag"), numeric=True),
        Column(t("system.memory"), numeric=True),
        Column(t("system.budget"), numeric=True),
        Column(t("system.outbox"), numeric=True),
        Column(t("col.token"), numeric=True),
        Column(t("system.code")),
    ]
    body = [
        [
            account_cell(row.account_id, row.account, row.environment),
            t(f"status.{row.state}"),
            age(row.beat_at, now, lang()),
            length((now - row.started_at).total_seconds(), lang()),
            mark("watch", f"{row.loop_lag_ms:.0f} ms")
            if row.loop_lag_ms > LAG_WATCH_MS
            else f"{row.loop_lag_ms:.0f} ms",
            f"{row.rss_mb:.0f} MB" if row.rss_mb else UNKNOWN,
            _budget(row),
            mark("watch", f"{row.outbox_depth:,}") if row.outbox_depth > 100 else f"{row.outbox_depth:,}",
            token_left(row.token_expires_at, now, lang()),
            row.code_hash or UNKNOWN,
        ]
        for row in rows
    ]
    table(columns, body, name="bots", empty=t("empty.bots"))
    codes = {row.code_hash for row in rows if row.code_hash}
    if len(codes) > 1:
        st.html(mark("act", t("system.codes_differ", n=len(codes))))


def _budget(row: BotLine) -> str:
    return f"{row.rate_used} / {row.rate_limit:g}" if row.rate_limit else UNKNOWN


def _store() -> None:
    told = system.store_facts(wiring(), me())
    size = UNKNOWN if told.size_bytes is None else f"{told.size_bytes / 1e6:,.1f} MB"
    facts(
        [(t("system.database"), told.kind), (t("system.size"), size), (t("system.revision"), told.revision or UNKNOWN)],
        name="store",
    )
    columns = [Column(t("system.table")), Column(t("system.written"), numeric=True)]
    table(columns, [[name, f"{count:,}"] for name, count in told.rows], name="store_tables", empty="")
    note(t("system.written_help"))


@live(60)
def _day(chosen: str) -> None:
    days = vitals.day(wiring(), me())
    if any(day.silent_min is not None for day in days):
        day_chart(days, chosen)
        note(t("vitals.help"))
    elif days:
        note(t("vitals.soon"))
    day_table(days)


@live(60)
def _latency() -> None:
    found = vitals.latency(wiring(), me())
    if found:
        latency_chart(found)
        note(t("latency.help", n=f"{sum(len(one.points) for one in found):,}"))
    latency_table(found)


bar()
titled("system")
confirm.notice()
st.subheader(t("system.bots"))
_bots()
head, choice = st.columns([3, 2], vertical_alignment="bottom")
head.subheader(t("vitals.title"))
what = choice.segmented_control(
    t("vitals.title"), CHOICES, default="gaps", required=True, key="vitals",
    format_func=lambda one: t(f"vitals.{one}"), label_visibility="collapsed",
)  # fmt: skip
_day(what or "gaps")
st.subheader(t("latency.title"))
_latency()
fire_drill()
st.subheader(t("system.programs"))
_programs()
left, right = st.columns(2, gap="medium")
with left:
    st.subheader(t("system.store"))
    _store()
    st.subheader(t("sizes.title"))
    store_sizes_panel()
with right:
    st.subheader(t("system.versions"))
    columns = [Column(t("system.package")), Column(t("system.version"))]
    table(columns, [list(pair) for pair in system.versions()], name="versions", empty="")
