"""일정: how ready the accounts were before the open, what is due next, what became of the last turn, run now, pause."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.choices import account_filter
from console.components.figures import UNKNOWN, Html, join, length, mark, moment, span
from console.components.frame import allowed, in_words, lang, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.rows import account_cell
from console.components.table import Column, note, table
from console.services import schedule
from console.services.accounts import names, new_key
from console.services.permissions import Action
from console.services.schedule import AT_CLOSE, JobLine, ReadyLine

_TONES = {"ok": "fine", "failed": "act", "skipped": "watch", "paused": "off", "n/a": "off", "running": "watch"}


@live(10)
def _ready() -> None:
    columns = [Column(t("col.account")), Column(t("schedule.ready")), Column(t("schedule.lacking"), wide=True),
               Column(t("schedule.opens")), Column(t("schedule.checked"))]  # fmt: skip
    rows = schedule.readiness(wiring(), me())
    table(columns, [_ready_row(row) for row in rows], name="readiness", empty=t("empty.readiness"))


def _ready_row(row: ReadyLine) -> list[object]:
    lacking = [one for one in row.checks if not one["ok"]]
    told: list[object] = []
    for one in lacking:
        told += [t(f"ready.{one['name']}"), span("lt-sub", in_words(one["told"])) if one["told"] else "", " "]
    held = span("lt-sub", t("schedule.checks_hold", n=len(row.checks)))
    return [
        account_cell(row.account_id, row.account, row.environment),
        mark("fine", t("schedule.is_ready")) if row.ready else mark("act", t("schedule.not_ready", n=len(lacking))),
        join(*told) if told else held,
        moment(row.opens_at),
        moment(row.checked_at),
    ]


@live(5)
def _jobs(chosen: int | None) -> None:
    rows = schedule.listed(wiring(), me(), account_id=chosen)
    columns = [Column(t("schedule.job"), wide=True), Column(t("col.account")), Column(t("schedule.next")),
               Column(t("schedule.last")), Column(t("schedule.outcome"), wide=True),
               Column(t("schedule.missed"))]  # fmt: skip
    table(columns, [_job_row(row) for row in rows], name="jobs", empty=t("empty.jobs"))
    if any(row.environment == "SIM" for row in rows):
        note(t("schedule.sim_time"))


def _job_row(row: JobLine) -> list[object]:
    outcome = mark(_TONES.get(row.outcome, "watch"), t(f"outcome.{row.outcome}")) if row.outcome else UNKNOWN
    return [
        join(t(f"job.{row.job}"), span("lt-sub", row.job)),
        _whose(row),
        _next(row),
        moment(row.last_due) if row.last_due else UNKNOWN,
        join(outcome, span("lt-sub", in_words(row.note)) if row.note else ""),
        t(f"missed.{row.missed}"),
    ]


def _whose(row: JobLine) -> Html | str:
    return account_cell(row.account_id, row.account, row.environment) if row.account_id else t("schedule.desk")


def _next(row: JobLine) -> Html | str:
    if row.paused:
        return mark("off", t("outcome.paused"))
    if row.next_at is None:
        return UNKNOWN
    if row.silent:
        return join(mark("act", t("schedule.silent")), span("lt-sub", moment(row.next_at)))
    left = (row.next_at - wiring().clock.wall_now()).total_seconds()
    soon = span("lt-sub", t("schedule.in", left=length(left, lang()))) if left > 0 else ""
    return join(moment(row.next_at), soon)


def _act(chosen: int | None) -> None:
    """Run or pause one job."""
    rows = {f"{row.account_id}:{row.job}": row for row in schedule.listed(wiring(), me(), account_id=chosen)}
    first, second, third = st.columns([4, 1, 1], vertical_alignment="bottom")
    picked = first.selectbox(
        t("schedule.choose"), list(rows), index=None, key="job", placeholder=t("choice.none"),
        format_func=lambda one: _label(rows[one]) if one in rows else one,
    )  # fmt: skip
    row = rows.get(picked or "")
    second.button(
        t("schedule.run"), key="job_run", width="stretch", on_click=_run, args=(row,),
        disabled=row is None or not allowed(me(), Action.JOB_RUN),
    )  # fmt: skip
    third.button(
        t("schedule.resume") if row is not None and row.paused else t("schedule.pause"), key="job_switch",
        width="stretch", on_click=_switch, args=(row,), disabled=row is None or not allowed(me(), Action.JOB_SWITCH),
    )  # fmt: skip


def _label(row: JobLine) -> str:
    return f"{row.account or t('schedule.desk')} · {t(f'job.{row.job}')}"


def _run(row: JobLine) -> None:
    actor, desk = me(), wiring()
    confirm.attempt(lambda: schedule.run_now(desk, actor, row.account_id, row.job, key=new_key()), t("schedule.asked"))


def _switch(row: JobLine) -> None:
    actor, desk = me(), wiring()
    confirm.attempt(
        lambda: schedule.switch(desk, actor, row.account_id, row.job, on=row.paused),
        t("schedule.resumed") if row.paused else t("schedule.paused"),
    )


def _at_close() -> None:
    """What becomes of unfilled orders before the close, per account."""
    known, now = names(wiring(), me()), schedule.at_close(wiring(), me())
    if not known:
        return
    st.caption(t("schedule.at_close_help"))
    first, second, third, fourth = st.columns([3, 3, 2, 1], vertical_alignment="bottom")
    account = first.selectbox(t("col.account"), list(known), format_func=lambda one: known[one], key="close_account")
    action, minutes = now.get(account, ("keep", 10))
    second.selectbox(
        t("schedule.at_close"), AT_CLOSE, index=AT_CLOSE.index(action), key=f"close_action_{account}",
        format_func=lambda one: t(f"at_close.{one}"),
    )  # fmt: skip
    third.number_input(t("schedule.minutes"), 1, 120, minutes, key=f"close_minutes_{account}")
    fourth.button(
        t("schedule.save"), key="close_save", width="stretch", on_click=_save, args=(account,),
        disabled=not allowed(me(), Action.ACCOUNT_LIMITS),
    )  # fmt: skip


def _save(account: int) -> None:
    actor, desk = me(), wiring()
    action = str(st.session_state[f"close_action_{account}"])
    minutes = int(st.session_state[f"close_minutes_{account}"])
    confirm.attempt(lambda: schedule.set_at_close(desk, actor, account, action, minutes), t("schedule.saved"))


def _past(chosen: int | None) -> None:
    columns = [Column(t("schedule.job")), Column(t("col.account")), Column(t("schedule.due")),
               Column(t("schedule.outcome")), Column(t("schedule.note"), wide=True)]  # fmt: skip
    body = [
        [
            t(f"job.{row.job}"),
            row.account or t("schedule.desk"),
            moment(row.due_at),
            mark(_TONES.get(row.outcome, "watch"), t(f"outcome.{row.outcome}")),
            in_words(row.note),
        ]
        for row in schedule.runs(wiring(), me(), account_id=chosen)
    ]
    table(columns, body, name="runs", empty=t("empty.runs"))


bar()
titled("schedule")
confirm.notice()
st.subheader(t("schedule.readiness"))
_ready()
st.subheader(t("schedule.jobs"))
chosen_account = account_filter()
_jobs(chosen_account)
_act(chosen_account)
with st.expander(t("schedule.past")):
    _past(chosen_account)
with st.expander(t("schedule.at_close_title")):
    _at_close()
