"""The people of the desk on the screen: each deed is asked a second time and takes a reason."""

from __future__ import annotations

from typing import Any

import streamlit as st

from console.components import confirm
from console.components.figures import UNKNOWN, Html, join, mark, span
from console.components.frame import me, t, wiring
from console.components.proof import proof_fields, proven
from console.components.table import Column, note, table
from console.services import accounts, factors, kill, policies, users
from console.services.users import UserLine
from shared.models import Role

DEEDS = ("scope", "password", "factor", "sign_out", "disable", "enable")


def people_table(rows: list[UserLine]) -> None:
    names = accounts.names(wiring(), me())
    columns = [
        Column(t("signin.email")), Column(t("people.role")), Column(t("people.sees"), wide=True),
        Column(t("people.factor")), Column(t("col.status")),
    ]  # fmt: skip
    body = [
        [
            join(row.email, span("lt-sub", row.name) if row.name else ""), t(f"role.{row.role}"), _sees(row, names),
            _factor(row), mark("off", t("people.disabled")) if row.disabled_at else mark("fine", t("people.active")),
        ]
        for row in rows
    ]  # fmt: skip
    table(columns, body, name="people", empty=UNKNOWN)


def _sees(row: UserLine, names: dict[int, str]) -> str | Html:
    if row.role == Role.ADMIN:
        return t("people.all_accounts")
    seen = [*(group_name(one) for one in row.groups), *(names.get(one, f"#{one}") for one in row.accounts)]
    return ", ".join(seen) or t("people.nothing")


def _factor(row: UserLine) -> Html | str:
    if row.service:
        return t("people.service")
    return mark("fine", t("people.factor_on")) if row.second_factor else mark("off", t("people.factor_off"))


def group_name(group: str) -> str:
    kind, _, name = group.partition(":")
    return t(f"kill.scope.{kind}", name=t(f"env.{name}") if kind == "env" else name)


def manage(rows: list[UserLine]) -> None:
    """Choose a person, then what to do; a button opens the question."""
    found = {row.id: row for row in rows}
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.selectbox(
        t("people.choose"), list(found), index=None, key="user_choice", placeholder=t("choice.none"),
        format_func=lambda one: found[one].email if one in found else f"#{one}",
    )  # fmt: skip
    right.button(
        t("people.add"), key="user_add", icon=":material/person_add:", width="stretch", on_click=confirm.open_dialog,
        args=("user_add",),
    )  # fmt: skip
    if chosen in found:
        row = found[chosen]
        offered = [one for one in DEEDS if one not in _senseless(row)]
        for deed, cell in zip(offered, st.columns(len(offered)), strict=True):
            cell.button(
                t(f"people.do.{deed}"), key=f"user_{deed}", width="stretch", on_click=confirm.open_dialog,
                args=("user_deed",), kwargs={"user_id": row.id, "email": row.email, "deed": deed},
            )  # fmt: skip
    _draw_dialogs(found)


def _senseless(row: UserLine) -> set[str]:
    without = {"enable"} if row.disabled_at is None else {"disable", "sign_out"}
    if row.service:
        without |= {"password", "factor", "sign_out"}
    return without if row.second_factor else without | {"factor"}


def _draw_dialogs(found: dict[int, UserLine]) -> None:
    if confirm.opened("user_add") is not None:
        st.dialog(t("people.add"), on_dismiss=confirm.close)(_add_dialog)()
    question = confirm.opened("user_deed")
    if question is not None and question["user_id"] in found:
        title = t(f"people.do.{question['deed']}")
        st.dialog(title, on_dismiss=confirm.close)(_deed_dialog)(found[question["user_id"]], question["deed"])
    handed = confirm.opened("user_password")
    if handed is not None:
        st.dialog(t("people.password_once"), on_dismiss=confirm.close)(_password_dialog)(**handed)


def _scope_fields(
    role: str, held: tuple[int, ...] = (), groups: tuple[str, ...] = ()
) -> tuple[Role, list[int], list[str]]:
    desk, actor = wiring(), me()
    chosen = st.segmented_control(
        t("people.role"), list(Role), default=Role(role), required=True, format_func=lambda one: t(f"role.{one}"),
        key="user_role",
    )  # fmt: skip
    names, known = accounts.names(desk, actor), kill.groups(desk, actor)
    if chosen is Role.ADMIN:
        st.caption(t("people.admin_sees_all"))
        return Role.ADMIN, [], []
    picked = st.multiselect(
        t("people.accounts"), list(names), [one for one in held if one in names], key="user_accounts",
        placeholder=t("choice.none"),
        format_func=lambda one: names.get(one, f"#{one}"),
    )  # fmt: skip
    offered = list(dict.fromkeys([*known, *groups]))
    grouped = st.multiselect(
        t("people.groups"),
        offered,
        list(groups),
        key="user_groups",
        placeholder=t("choice.none"),
        format_func=group_name,
        help=t("people.groups_help"),
    )
    return chosen or Role.VIEWER, picked, grouped


def _add_dialog() -> None:
    actor, desk = me(), wiring()
    email = st.text_input(t("signin.email"), key="user_email", max_chars=200, autocomplete="off").strip()
    name = st.text_input(t("people.name"), key="user_name", max_chars=60, autocomplete="off").strip()
    role, picked, groups = _scope_fields(Role.VIEWER)
    reason = st.text_input(t("field.reason"), key="user_reason")
    if st.button(
        t("people.add_do"), key="user_add_do", type="primary", width="stretch", disabled=not (email and reason)
    ):
        _hand_out(
            lambda: users.add(desk, actor, email, role, name=name, granted=picked, groups=groups, reason=reason)[1]
        )
    confirm.cancel_button()


def _deed_dialog(row: UserLine, deed: str) -> None:
    actor, desk = me(), wiring()
    st.html(join(Html("<strong>"), row.email, Html("</strong> "), t(f"role.{row.role}")))
    st.markdown(t(f"people.effect.{deed}"))
    scope = _scope_fields(row.role, row.accounts, row.groups) if deed == "scope" else None
    reason = st.text_input(t("field.reason"), key="user_reason")
    if st.button(t(f"people.do.{deed}"), key="user_do", type="primary", width="stretch", disabled=not reason.strip()):
        if deed == "password":
            _hand_out(lambda: users.reset_password(desk, actor, row.id, reason=reason))
        else:
            confirm.in_dialog(lambda: _do(deed, row.id, reason, scope), t("people.done"))
    confirm.cancel_button()


def _do(deed: str, user_id: int, reason: str, scope: tuple[Role, list[int], list[str]] | None) -> None:
    actor, desk = me(), wiring()
    if scope is not None:
        users.set_scope(desk, actor, user_id, *scope, reason=reason)
    elif deed == "factor":
        factors.reset(desk, actor, user_id, reason=reason)
    elif deed == "sign_out":
        users.sign_out(desk, actor, user_id, reason=reason)
    elif deed == "disable":
        users.disable(desk, actor, user_id, reason=reason)
    else:
        users.enable(desk, actor, user_id, reason=reason)


def _hand_out(deed: Any) -> None:
    """Do what makes a password, and show that once."""
    handed: list[str] = []

    def done() -> None:
        handed.append(deed() or "")
        confirm.open_dialog("user_password", password=handed[0])

    confirm.instead(done)


def _password_dialog(password: str) -> None:
    st.markdown(t("people.password_help"))
    st.html(join(Html('<p class="lt-once"><code data-table="password">'), password, Html("</code></p>")))
    if st.button(t("factor.kept"), key="user_password_kept", type="primary", width="stretch"):
        confirm.close()
        st.rerun()


def policy_panel() -> None:
    """What the desk demands of its people; every change is signed again."""
    desk, actor = wiring(), me()
    now = policies.standing(desk, actor)
    with st.expander(t("policy.title")):
        note(t("policy.help"))
        roles = st.multiselect(
            t("policy.factor_of"), [Role.ADMIN, Role.TRADER, Role.VIEWER], sorted(now.factor_of), key="policy_roles",
            placeholder=t("choice.none"),
            format_func=lambda one: t(f"role.{one}"),
        )  # fmt: skip
        eyes = st.toggle(t("policy.four_eyes"), now.four_eyes, key="policy_eyes", help=t("policy.four_eyes_help"))
        reason = st.text_input(t("field.reason"), key="policy_reason")
        proof_fields("policy")
        changed = frozenset(roles) != now.factor_of or eyes != now.four_eyes
        st.button(t("policy.save"), key="policy_save", disabled=not (changed and reason.strip()), on_click=_save_policy)


def _save_policy() -> None:
    """What the fields hold at the click."""
    desk, actor, proof, state = wiring(), me(), proven("policy"), st.session_state
    roles, eyes, reason = frozenset(state["policy_roles"]), bool(state["policy_eyes"]), str(state["policy_reason"])
    now = policies.standing(desk, actor)
    if roles != now.factor_of:
        confirm.attempt(lambda: policies.demand_factor(desk, actor, roles, reason=reason, **proof), t("policy.saved"))
    elif eyes != now.four_eyes:
        confirm.attempt(lambda: policies.demand_four_eyes(desk, actor, eyes, reason=reason, **proof), t("policy.saved"))
