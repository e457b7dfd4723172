"""The line on top of every page: environments, clocks, age of what is shown, kill switch."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.drawn import once
from console.components.figures import Html, age, ago, clock, environment_badge, join, length, mark, moment, safe, span
from console.components.fill_toasts import fill_toasts
from console.components.frame import allowed, lang, me, t, wiring
from console.components.proof import proof_fields, proven
from console.services import kill, overview, watch
from console.services.accounts import new_key
from console.services.kill import Scope
from console.services.market_clock import MarketHour, market_hours
from console.services.overview import Overview
from console.services.permissions import Action
from shared.domain.account import Environment, Market
from shared.domain.bot_state import KillLevel


def bar() -> None:
    """Draw the line and its one button; the button stands outside what refreshes."""
    left, right = st.columns([5, 1], vertical_alignment="top")
    with left:
        _status()
    actor = me()
    with right:
        may = allowed(actor, Action.KILL_RAISE)
        st.button(
            t("kill.button"), key="kill_open", icon=":material/emergency_home:", disabled=not may, width="stretch",
            on_click=confirm.open_dialog, args=("kill",),
        )  # fmt: skip
    confirm.notice()
    if confirm.opened("kill") is not None:
        st.dialog(t("kill.title"), on_dismiss=confirm.close)(_kill_dialog)()


@st.fragment(run_every=3)
def _status() -> None:
    view = overview.overview(wiring(), me())
    st.html(once(view, "bar", lambda: _line(view)))
    if view.kill > KillLevel.RUN:
        st.html(_kill_line(view))
    if (level := kill.host_level(wiring().settings)) > KillLevel.RUN:
        words = t("kill.host_file", level=t(f"kill.{level.name}"))
        st.html(Html(f'<div class="lt-kill" role="alert">{safe(words)}</div>'))
    for one in kill.raised_groups(wiring(), me()):
        words = t("kill.now_group", group=_group_name(one.scope), level=t(f"kill.{KillLevel(one.level).name}"))
        st.html(Html(f'<div class="lt-kill" role="alert">{safe(words)}</div>'))
    _silent_programs()
    fill_toasts()


def _line(view: Overview) -> Html:
    return join(
        Html('<div class="lt-bar" data-table="bar">'), _counts(view), _clocks(view), _freshness(view), Html("</div>")
    )


def _silent_programs() -> None:
    """Silence of those who watch is itself an alarm."""
    names = watch.silent_programs(wiring())
    if names:
        words = t("watch.silent", names=", ".join(names))
        st.html(Html(f'<div class="lt-kill" role="alert" data-table="watch">{safe(words)}</div>'))


def _counts(view: Overview) -> Html:
    parts: list[object] = []
    for environment in (Environment.LIVE, Environment.MOCK, Environment.SIM):
        if any(line.environment == environment for line in view.lines):
            parts += [environment_badge(environment, lang()), Html(f" {view.running(environment)} &nbsp;")]
    parts.append(span("lt-soft", t("bar.stopped", n=view.stopped)))
    return join(Html("<span>"), *parts, Html("</span>"))


def _clocks(view: Overview) -> Html:
    shown = " · ".join(_hour(one) for one in market_hours(view.as_of))
    if view.market_at is not None and any(line.environment == Environment.SIM for line in view.lines):
        # The local exchange keeps its own time and hours: "closed" above must not puzzle whoever watches it trade.
        shown += " · " + t("bar.sim_clock", at=clock(view.market_at))
    return span("lt-soft", shown, t("bar.clock_help"))


def _hour(one: MarketHour) -> str:
    """Open or closed, until when in the market's own time, and how long that is."""
    key = "bar.open" if one.is_open else "bar.closed"
    same_day = one.until.date() == one.local.date()
    zone = "KST" if one.market is Market.KRX else "ET"
    until = f"{one.until:%H:%M}" if same_day else f"{one.until:%m-%d %H:%M}"
    left = length((one.until - one.local).total_seconds(), lang())
    return f"{t(key, market=one.market, until=until, zone=zone)} ({left})"


def _freshness(view: Overview) -> Html:
    """The age of the oldest sign of life among accounts that should run: the screen is as old as that."""
    ages = [line.heartbeat_age_s for line in view.lines if line.enabled]
    if not ages:
        return span("lt-soft", t("bar.nobody_runs"))
    if any(one is None for one in ages):
        return mark("watch", t("bar.some_unheard"))
    oldest = max(one for one in ages if one is not None)
    if oldest > overview.SILENT_S:
        return mark("act", t("bar.data_age", age=ago(oldest, lang())))
    return span("lt-soft", t("bar.data_age", age=ago(oldest, lang())))


def _kill_line(view: Overview) -> Html:
    words = t("kill.now", level=t(f"kill.{view.kill.name}"), by=view.kill_by, age=age(view.kill_at, view.as_of, lang()))
    return Html(f'<div class="lt-kill" role="alert" title="{safe(moment(view.kill_at))}">{safe(words)}</div>')


def _kill_dialog() -> None:
    """Two clicks from anywhere to stop everything; a narrower stop takes a choice, releasing takes a proof."""
    actor, desk = me(), wiring()
    view = overview.overview(desk, actor)
    scope, where = _kill_scope(view)
    present = kill.level_now(desk, actor, scope)
    st.markdown(t("kill.explain", where=where))
    for level in (KillLevel.NO_NEW, KillLevel.REDUCE_ONLY, KillLevel.HALT):
        if st.button(
            t(f"kill.do.{level.name}"),
            key=f"kill_{level.name}",
            type="primary" if level is KillLevel.HALT else "secondary",
            width="stretch",
            disabled=level <= present,
            help=t(f"kill.help.{level.name}"),
        ):
            confirm.in_dialog(
                lambda chosen=level: kill.raise_level(
                    desk, actor, chosen, account_id=scope.account_id, group=scope.group
                ),
                t("kill.raised"),
            )
    _kill_actions(scope)
    if present > KillLevel.RUN and allowed(actor, Action.KILL_LOWER):
        _kill_release(scope)
    confirm.cancel_button()


def _kill_scope(view: Overview) -> tuple[Scope, str]:
    """Everything unless a person narrows it."""
    names = {Scope(): t("kill.scope.all")}
    names |= {Scope(group=one): _group_name(one) for one in kill.groups(wiring(), me())}
    names |= {Scope(account_id=line.id): f"{line.nickname} · {t(f'env.{line.environment}')}" for line in view.lines}
    chosen = st.selectbox(t("kill.scope"), list(names), format_func=lambda one: names[one], key="kill_scope")
    return chosen or Scope(), names[chosen or Scope()]


def _group_name(group: str) -> str:
    kind, _, name = group.partition(":")
    return t(f"kill.scope.{kind}", name=t(f"env.{name}") if kind == "env" else name)


def _kill_actions(scope: Scope) -> None:
    """What to do with what is open: cancel it, or sell it; asked twice, for it cannot be taken back."""
    desk, actor = wiring(), me()
    with st.expander(t("kill.actions")):
        st.caption(t("kill.actions_help"))
        sure = st.checkbox(t("kill.sure"), key="kill_sure")
        for kind, column in zip(kill.ACTIONS, st.columns(2), strict=True):
            if column.button(t(f"command.{kind}"), key=f"kill_{kind}", width="stretch", disabled=not sure):
                key = new_key()
                confirm.in_dialog(
                    lambda kind=kind, key=key: kill.order_everywhere(
                        desk, actor, kind, key=key, account_id=scope.account_id, group=scope.group
                    ),
                    t("kill.action_asked"),
                )


def _kill_release(scope: Scope) -> None:
    desk, actor = wiring(), me()
    st.divider()
    reason = st.text_input(t("field.reason"), key="kill_reason")
    typed = st.text_input(t("kill.word"), key="kill_word", placeholder=KillLevel.RUN.name, autocomplete="off")
    proof_fields("kill")
    if st.button(t("kill.release"), key="kill_release", width="stretch"):
        confirm.in_dialog(
            lambda: kill.lower_level(
                desk, actor, KillLevel.RUN, reason=reason, typed=typed, **proven("kill"),
                account_id=scope.account_id, group=scope.group,
            ),
            t("kill.released"),
        )  # fmt: skip
