"""Give a rule to many accounts: who gets what, with a size of its own each, seen before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from console.components import confirm
from console.components.figures import UNKNOWN, amount, environment_badge, join, mark, span
from console.components.frame import allowed, lang, me, t, wiring
from console.components.table import Column, note, table
from console.services import rule_copies
from console.services.permissions import Action
from console.services.rule_copies import Choice, Planned, Target
from console.services.rules import RuleText
from shared.domain.account import Environment, Market
from shared.domain.rule.model import Sizing, SizingMode
from shared.domain.rule.parse import parse_rule

_AS_WRITTEN = "as_written"
_WHOLE = 10_000_000


def copy_button(opened: RuleText) -> None:
    st.button(
        t("copy.open"), key="rule_copy", icon=":material/content_copy:", disabled=not allowed(me(), Action.RULE_SAVE),
        on_click=confirm.open_dialog, args=("rule_copy",), kwargs={"opened": opened},
    )  # fmt: skip


def copy_dialog(opened: RuleText) -> None:
    actor, desk = me(), wiring()
    known = {one.account_id: one for one in rule_copies.choices(desk, actor, opened.id)}
    st.html(join(opened.name, span("lt-sub", f"#{opened.id} · {t('rules.version', number=opened.version.number)}")))
    if not known:
        st.info(t("copy.nobody"))
        confirm.cancel_button()
        return
    chosen = st.multiselect(
        t("copy.accounts"), list(known), key="copy_to", placeholder=t("choice.none"),
        format_func=lambda one: f"{known[one].nickname} · {t(f'env.{known[one].environment}')}",
    )  # fmt: skip
    enable = st.checkbox(t("copy.enable"), key="copy_on", disabled=not allowed(actor, Action.RULE_SWITCH))
    targets = _targets(opened, [known[one] for one in chosen])
    planned = rule_copies.plan(desk, actor, opened.id, targets, enable=enable)
    _preview(planned, enable)
    typed = _names(planned)
    reason, waive = _for_live(planned, enable)
    ready = bool(planned) and not any(one.problems for one in planned)
    ready = ready and all(typed.get(one.account_id) == one.nickname for one in planned if one.typed)
    wanted = [
        Target(one.account_id, one.max_position, one.size, typed.get(one.account_id, "")) for one in targets
    ]  # fmt: skip
    verb = t("copy.do_on" if enable else "copy.do", n=len(planned))
    if st.button(verb, key="copy_do", type="primary", width="stretch", disabled=not ready):
        confirm.in_dialog(
            lambda: rule_copies.copy(
                desk, actor, opened.id, wanted, expected_version=opened.version.number, enable=enable, reason=reason,
                waive=waive,
            ),
            t("copy.done", n=len(planned)),
        )  # fmt: skip
    confirm.cancel_button()


def _targets(opened: RuleText, chosen: Sequence[Choice]) -> list[Target]:
    """One row of fields per account. Code says its own size, and so does a `$name`."""
    rule = parse_rule(opened.version.text)
    now = rule.sizing
    kinds = [_AS_WRITTEN, *(() if rule.python else (one.value for one in SizingMode))]
    plain = now is not None and isinstance(now.value, int | float) and now.atr_period is None and not rule.python
    kind = st.selectbox(
        t("rules.sizing_mode"), kinds, kinds.index(now.mode.value) if now is not None and plain else 0, key="copy_kind",
        format_func=lambda one: t(f"sizing.{one}"),
    )  # fmt: skip
    found = []
    for one in chosen:
        first, second, third = st.columns([3, 2, 2], vertical_alignment="center")
        first.html(join(one.nickname, " ", environment_badge(one.environment, lang())))
        size = None
        if kind != _AS_WRITTEN:
            same = plain and now is not None and kind == now.mode.value
            whole, percent = kind == SizingMode.SHARES, kind in (SizingMode.EQUITY_PCT, SizingMode.RISK_PCT)
            start = now.value if same and now is not None and isinstance(now.value, int | float) else 1
            value = second.number_input(
                t(f"sizing.unit_{'pct' if percent else kind}"), 1 if whole else 0.01, 100.0 if percent else None,
                int(start) if whole else float(start), key=f"copy_{kind}_{one.account_id}",
            )  # fmt: skip
            size = Sizing(SizingMode(kind), value or 1)
        held = third.number_input(
            t("rules.max_position"), 0, _WHOLE, opened.max_position or 0, key=f"copy_max_{one.account_id}"
        )
        found.append(Target(one.account_id, int(held), size))
    return found


def _preview(planned: Sequence[Planned], enable: bool) -> None:
    columns = [
        Column(t("col.account")), Column(t("copy.what")), Column(t("copy.size"), numeric=True),
        Column(t("rules.max_position"), numeric=True), Column(t("copy.after"), wide=True),
    ]  # fmt: skip
    rows: list[list[object]] = []
    for one in planned:
        what = t("copy.new") if one.rule_id is None else t("copy.version", rule=one.rule_id, number=one.version)
        after = mark("fine", t("rules.is_on")) if enable or one.running else mark("off", t("rules.is_off"))
        if one.problems:
            after = mark("act", " / ".join(one.problems))
        badge = environment_badge(one.environment, lang())
        rows.append([join(one.nickname, " ", badge), what, _size(one), f"{one.max_position:,}", after])
    table(columns, rows, name="copy", empty=t("copy.choose"))
    if any(one.rule_id is not None for one in planned):
        note(t("copy.version_help"))


def _size(one: Planned) -> str:
    if one.sizing is None:
        return UNKNOWN
    value, mode = one.sizing.value, one.sizing.mode
    if mode is SizingMode.AMOUNT and isinstance(value, int | float):
        return amount(Decimal(str(value)), Market(one.market).currency.value)
    return f"{value} {t('copy.shares') if mode is SizingMode.SHARES else '%'} · {t(f'sizing.{mode.value}')}"


def _names(planned: Sequence[Planned]) -> dict[int, str]:
    """The name of each LIVE or MOCK account where the rule will run."""
    found = {}
    for one in planned:
        if one.typed and not one.problems:
            found[one.account_id] = st.text_input(
                t("copy.confirm", nickname=one.nickname), key=f"copy_name_{one.account_id}", live=True, autocomplete="off"
            )  # fmt: skip
    return found


def _for_live(planned: Sequence[Planned], enable: bool) -> tuple[str, bool]:
    if not enable or not any(one.environment == Environment.LIVE for one in planned):
        return "", False
    st.warning(t("account.start_live"), icon=":material/warning:")
    waive = False
    if allowed(me(), Action.RULE_WAIVE):
        waive = st.checkbox(t("rules.waive"), key="copy_waive", help=t("rules.waive_confirm"))
    return st.text_input(t("field.reason"), key="copy_reason"), waive
