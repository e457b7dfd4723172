"""What waits for a yes: entries of semi-automatic rules and deeds of another Admin, with both answers beside them."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.figures import UNKNOWN, Html, join, mark, moment, price, span
from console.components.frame import allowed, in_words, lang, me, t, wiring
from console.components.order_ticket import follow
from console.components.proof import proof_fields, proven
from console.components.rows import account_cell
from console.components.table import Column, note, table
from console.services import approvals, four_eyes
from console.services.approvals import ProposalLine
from console.services.four_eyes import LookLine
from console.services.permissions import Action
from shared.domain.account import Environment
from shared.store.commands import OPEN_COMMANDS
from shared.words import reason_text


def waits_label(one: ProposalLine) -> str:
    """The entry in one line, as a person would say it."""
    at = t("approval.market") if one.price is None else f"@ {price(one.price, one.currency)}"
    return f"{one.account} · {one.symbol} {t(f'side.{one.side}')} {one.qty:,} {at}"


def look_label(one: LookLine) -> str:
    return f"{one.asked_by} · {t(f'look.{one.action}')} · {one.where}"


def look_payload(one: LookLine) -> str:
    return " · ".join(f"{name}: {UNKNOWN if value is None else value}" for name, value in one.payload.items())


def settle_proposal(one: ProposalLine) -> None:
    """Yes or no to one entry. A LIVE account's yes takes its typed name."""
    actor, desk = me(), wiring()
    st.subheader(waits_label(one))
    reason = reason_text(one.reason, lang())
    st.markdown(t("approval.advice", rule=confirm.plain(one.rule), reason=reason, until=moment(one.expires_at)))
    if one.command is not None:
        note(t("approval.answered", what=t(f"command.{one.command.kind}"), status=t(f"command.{one.command.status}")))
    typed = ""
    if one.environment == Environment.LIVE:
        typed = st.text_input(t("confirm.name", name=one.account), key=f"approve_name_{one.id}", autocomplete="off")
    may = allowed(actor, Action.PROPOSAL_DECIDE) and (one.command is None or one.command.status not in OPEN_COMMANDS)
    yes, no = st.columns(2)
    yes.button(
        t("approval.approve"), key="approve", type="primary", width="stretch", disabled=not may,
        on_click=lambda: confirm.attempt(
            lambda: follow(approvals.approve(desk, actor, one.id, confirm=typed).id), t("approval.asked")
        ),
    )  # fmt: skip
    no.button(
        t("approval.decline"), key="decline", width="stretch", disabled=not may,
        on_click=lambda: confirm.attempt(
            lambda: follow(approvals.decline(desk, actor, one.id).id), t("approval.declined")
        ),
    )  # fmt: skip


def settle_look(one: LookLine) -> None:
    """A second Admin signs and agrees, or says no; who asked can only take it back."""
    actor, desk = me(), wiring()
    st.subheader(look_label(one))
    st.markdown(t("look.advice", reason=confirm.plain(one.reason), until=moment(one.expires_at)))
    st.code(look_payload(one), language=None)
    if one.mine:
        note(t("look.mine"))
        st.button(
            t("look.take_back"), key="look_back",
            on_click=lambda: confirm.attempt(lambda: four_eyes.decline(desk, actor, one.id), t("look.declined")),
        )  # fmt: skip
        return
    proof_fields("look")
    yes, no = st.columns(2)
    yes.button(
        t("look.agree"), key="look_agree", type="primary", width="stretch",
        on_click=lambda: confirm.attempt(lambda: four_eyes.agree(desk, actor, one.id, **proven("look")), t("look.done")),
    )  # fmt: skip
    no.button(
        t("look.decline"), key="look_decline", width="stretch",
        on_click=lambda: confirm.attempt(lambda: four_eyes.decline(desk, actor, one.id), t("look.declined")),
    )  # fmt: skip


def decided_table() -> None:
    """What became of the last entries that were asked about."""
    rows = approvals.decided(wiring(), me())
    if not rows:
        return
    st.subheader(t("approval.history"))
    columns = [
        Column(t("col.account")), Column(t("inbox.what")), Column(t("col.status")), Column(t("col.reason"), wide=True),
        Column(t("command.by")), Column(t("col.at")),
    ]  # fmt: skip
    body = [
        [
            account_cell(one.account_id, one.account, one.environment), entry_line(one),
            mark("fine" if one.status == "SENT" else "off", t(f"approval.{one.status}")), in_words(one.outcome) or UNKNOWN,
            one.decided_by or UNKNOWN, moment(one.asked_at),
        ]
        for one in rows
    ]  # fmt: skip
    table(columns, body, name="approvals", empty=UNKNOWN)


def entry_line(one: ProposalLine) -> Html:
    at = t("approval.market") if one.price is None else price(one.price, one.currency)
    return join(f"{one.symbol} {t(f'side.{one.side}')} {one.qty:,}", span("lt-sub", at))
