"""확인 필요: what only a person can settle, with the evidence and the safe ways out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from console.components import confirm
from console.components.approvals import (
    decided_table,
    entry_line,
    look_label,
    look_payload,
    settle_look,
    settle_proposal,
    waits_label,
)
from console.components.bar import bar
from console.components.choices import row_choice
from console.components.figures import UNKNOWN, Html, ago, join, mark, moment, span
from console.components.frame import allowed, in_words, lang, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.order_ticket import follow, followed
from console.components.rows import account_cell, order_label, order_status, order_table, position_table
from console.components.table import Column, link, note, table
from console.components.timeline import timeline
from console.services import inbox, orders
from console.services.accounts import new_key
from console.services.approvals import ProposalLine
from console.services.four_eyes import LookLine
from console.services.inbox import Down, Drift, HeldExit, Matters, Stopped
from console.services.orders import OrderLine
from console.services.overview import age_s
from console.services.permissions import Action
from shared.domain.account import Environment
from shared.models import Command
from shared.words import reason_text

Matter = Down | HeldExit | OrderLine | Drift | Stopped | ProposalLine | LookLine


@live(2)
def _list() -> None:
    view = inbox.matters(wiring(), me())
    columns = [
        Column(t("inbox.kind")),
        Column(t("col.account")),
        Column(t("inbox.what"), wide=True),
        Column(t("inbox.since")),
    ]
    table(columns, _rows(view), name="inbox", empty=t("empty.inbox"))


def _rows(view: Matters) -> list[list[object]]:
    rows: list[list[object]] = []
    for entry in view.proposals:
        cell = account_cell(entry.account_id, entry.account, entry.environment)
        left = max(0, int((entry.expires_at - view.as_of).total_seconds()))
        told = join(entry_line(entry), span("lt-sub", t("approval.left", seconds=left)))
        rows.append([mark("act", t("approval.waits")), cell, told, _ago(view, entry.asked_at)])
    for look in view.looks:
        told = join(look_label(look), span("lt-sub", look_payload(look)))
        rows.append([mark("act", t("look.waits")), t("look.desk"), told, _ago(view, look.asked_at)])
    for down in view.down:
        told = join(t(f"status.{down.status}"), span("lt-sub", reason_text(down.reason, lang()) if down.reason else ""))
        rows.append([mark("act", t("inbox.down")), _who(down), told, _ago(view, down.at)])
    for stuck in view.held_exits:
        told = join(_stuck_label(stuck), span("lt-sub", in_words(stuck.why)))
        rows.append([mark("act", t("inbox.held")), _who(stuck), told, _ago(view, stuck.at)])
    for one in view.unproven:
        told = join(order_label(one), span("lt-sub", reason_text(one.reason, lang()) if one.reason else ""))
        cell = account_cell(one.account_id, one.account, one.environment)
        rows.append([order_status(one.status), cell, told, _ago(view, one.updated_at)])
    for drift in view.drifts:
        told = join(t("inbox.drift_line", symbol=drift.symbol, ours=f"{drift.ours:,}", theirs=f"{drift.theirs:,}"))
        rows.append([mark("act", t("inbox.drift")), _who(drift), told, _ago(view, drift.at)])
    for stop in view.stopped:
        told = join(stop.symbol, span("lt-sub", in_words(stop.why)))
        rows.append([mark("act", t("inbox.stopped")), _who(stop), told, _ago(view, stop.at)])
    for bare in view.unguarded:
        cell = account_cell(bare.account_id, bare.account, bare.environment)
        told = join(f"{bare.symbol} {bare.qty:,}", span("lt-sub", t("position.unguarded_help")))
        rows.append([mark("watch", t("position.unguarded")), cell, told, _ago(view, bare.updated_at)])
    return rows


def _stuck_label(one: HeldExit) -> str:
    return t("inbox.held_line", rule=one.rule_id, symbol=one.symbol)


def _who(one: Down | HeldExit | Drift | Stopped) -> Html:
    return account_cell(one.whose.account_id, one.whose.account, one.whose.environment)


def _ago(view: Matters, at: object) -> Html:
    seconds = age_s(at, view.as_of)  # type: ignore[arg-type]
    return span("", ago(seconds, lang()), moment(at))  # type: ignore[arg-type]


def _choice(view: Matters) -> tuple[str, Matter] | None:
    """Outside what refreshes: the choice stays while the list moves."""
    found: Mapping[str, Matter] = {
        **{f"entry:{one.id}": one for one in view.proposals},
        **{f"look:{one.id}": one for one in view.looks},
        **{f"down:{one.whose.account_id}": one for one in view.down},
        **{f"held:{one.whose.account_id}:{one.rule_id}:{one.symbol}": one for one in view.held_exits},
        **{f"order:{one.id}": one for one in view.unproven},
        **{f"drift:{one.whose.account_id}:{one.symbol}": one for one in view.drifts},
        **{f"stop:{one.whose.account_id}:{one.symbol}": one for one in view.stopped},
    }
    words = {key: _label(one) for key, one in found.items()}
    chosen = row_choice(t("inbox.choose"), words, "matter", index=0 if len(found) == 1 else None)
    return None if chosen is None else (chosen, found[chosen])


def _label(one: Matter) -> str:
    match one:
        case ProposalLine():
            return waits_label(one)
        case LookLine():
            return look_label(one)
        case Down():
            return f"{one.whose.account} · {t(f'status.{one.status}')}"
        case Drift():
            return f"{one.whose.account} · {t('inbox.drift')} · {one.symbol}"
        case HeldExit():
            return f"{one.whose.account} · {t('inbox.held')} · {_stuck_label(one)}"
        case Stopped():
            return f"{one.whose.account} · {t('inbox.stopped')} · {one.symbol}"
    return order_label(one)


def _settle_down(one: Down) -> None:
    """The post-mortem: what it said last, what is open, what nobody guards; three safe ways on."""
    actor, desk, account_id = me(), wiring(), one.whose.account_id
    st.subheader(t("inbox.post_mortem"))
    note(t("inbox.last_sign", at=moment(one.at)))
    if one.held:
        st.markdown(t("inbox.nobody_guards", n=len(one.held)))
        position_table(one.held, desk.clock.wall_now(), with_account=False)
    shown = one.open_orders or ((one.last_order,) if one.last_order is not None else ())
    st.caption(t("inbox.open_orders") if one.open_orders else t("inbox.last_order"))
    order_table(shown, with_account=False)
    st.caption(t("inbox.last_log"))
    st.code("\n".join(map(in_words, one.log)) or UNKNOWN, language=None)
    live = one.whose.environment == Environment.LIVE
    may = allowed(actor, Action.ACCOUNT_START) and allowed(actor, Action.KILL_RAISE) and not live
    first, second, third = st.columns(3)
    first.button(
        t("inbox.exits_only"), key="exits_only", type="primary", width="stretch", disabled=not may, help=t("inbox.exits_only_help"),
        on_click=lambda: confirm.attempt(lambda: inbox.start_exits_only(desk, actor, account_id), t("account.start_asked")),
    )  # fmt: skip
    second.link_button(t("inbox.open_account"), f"/account?account={account_id}", width="stretch")
    third.link_button(t("inbox.open_logs"), "/logs", width="stretch")
    if live:
        note(t("inbox.live_by_account"))


def _settle_held(one: HeldExit) -> None:
    st.markdown(t("inbox.held_advice", rule=one.rule_id, symbol=one.symbol))
    st.code(in_words(one.why), language=None)
    left, right = st.columns(2)
    left.link_button(t("inbox.open_account"), f"/account?account={one.whose.account_id}", width="stretch")
    right.link_button(t("nav.orders"), f"/orders?account={one.whose.account_id}", width="stretch")


def _settle_order(one: OrderLine) -> None:
    """Its history as evidence; two answers, both a person's word after looking at the broker's own app."""
    actor, desk = me(), wiring()
    st.subheader(order_label(one))
    timeline(orders.history(desk, actor, one.id))
    st.markdown(t("inbox.order_advice"))
    may, key = allowed(actor, Action.MATTER_SETTLE), st.session_state.setdefault(f"settle_{one.id}", new_key())
    number = st.text_input(t("inbox.broker_number"), key="broker_number", max_chars=24).strip()
    left, right = st.columns(2)
    left.button(
        t("inbox.it_is_this"), key="adopt_order", type="primary", width="stretch", disabled=not (may and number),
        on_click=_adopt, args=(one.id, key),
    )  # fmt: skip
    sure = right.checkbox(t("inbox.not_there_sure"), key="not_there_sure")
    right.button(
        t("inbox.not_there"), key="absent_order", width="stretch", disabled=not (may and sure),
        on_click=lambda: _say(lambda: inbox.resolve_order(desk, actor, one.id, None, key=f"{key}:none")),
    )  # fmt: skip


def _adopt(order_id: int, key: str) -> None:
    """The number as it stands in the field at the click: the page may not have been drawn since it was typed."""
    actor, desk, number = me(), wiring(), str(st.session_state["broker_number"]).strip()
    if number:  # an emptied field is no word that the broker never took it
        _say(lambda: inbox.resolve_order(desk, actor, order_id, number, key=f"{key}:{number}"))


def _settle_drift(one: Drift) -> None:
    actor, desk, account_id = me(), wiring(), one.whose.account_id
    st.markdown(t("inbox.drift_advice", symbol=one.symbol, ours=f"{one.ours:,}", theirs=f"{one.theirs:,}"))
    may = allowed(actor, Action.MATTER_SETTLE)
    key = st.session_state.setdefault(f"settle_{account_id}_{one.symbol}_{one.theirs}", new_key())
    names = dict(one.rules)
    ways = ["leave", *(["adopt", "split"] if names else []), *(["rescale"] if one.ours and one.theirs else [])]
    way = st.radio(t("inbox.owner"), ways, key="drift_way", format_func=lambda name: t(f"inbox.owner_{name}"))
    owner, shares = None, dict[int, int]()
    if way == "adopt":
        owner = st.selectbox(
            t("inbox.owner_rule"), list(names), key="drift_owner", format_func=lambda rule: f"{rule} {names[rule]}"
        )
    elif way == "split":
        for rule in names:
            shares[rule] = st.number_input(
                t("inbox.owner_shares", rule=f"{rule} {names[rule]}"), 0, one.theirs, 0, key=f"drift_shares_{rule}"
            )
    answer = f"{way}:{owner}:{sorted(shares.items())}"
    asked = st.button(
        t("inbox.accept_holding", n=f"{one.theirs:,}"), key="accept_holding", type="primary", disabled=not may
    )
    if asked and may:  # here, not before the run: the shares typed last count
        _say(
            lambda: inbox.accept_holding(
                desk, actor, account_id, one.symbol, owner, key=f"{key}:{answer}", shares=shares,
                rescale=way == "rescale",
            )
        )  # fmt: skip
        st.rerun()


def _settle_stopped(one: Stopped) -> None:
    actor, desk, account_id = me(), wiring(), one.whose.account_id
    st.markdown(t("inbox.stopped_advice", symbol=one.symbol))
    st.code(in_words(one.why), language=None)
    key = st.session_state.setdefault(f"settle_{account_id}_{one.symbol}", new_key())
    st.button(
        t("inbox.lift", symbol=one.symbol), key="lift", disabled=not allowed(actor, Action.MATTER_SETTLE),
        on_click=lambda: _say(lambda: inbox.lift_symbol(desk, actor, account_id, one.symbol, key=key)),
    )  # fmt: skip


def _say(wish: Callable[[], Command]) -> None:
    confirm.attempt(lambda: follow(wish().id), t("inbox.asked"))


bar()
titled("inbox")
confirm.notice()
followed()
_list()
picked = _choice(inbox.matters(wiring(), me()))
if picked is not None:
    match picked[1]:
        case ProposalLine() as entry:
            settle_proposal(entry)
        case LookLine() as look:
            settle_look(look)
        case Down() as fallen:
            _settle_down(fallen)
        case Drift() as drift:
            _settle_drift(drift)
        case HeldExit() as stuck:
            _settle_held(stuck)
        case Stopped() as stop:
            _settle_stopped(stop)
        case _ as order:
            _settle_order(order)
decided_table()
note(join(t("inbox.alerts"), " ", link("/alerts", t("nav.alerts"))))
