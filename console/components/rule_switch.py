"""Switch a rule on or off: off is easy; on in LIVE and MOCK wants the account's name, and LIVE what speaks for the rule."""

from __future__ import annotations

from functools import partial

import streamlit as st

from console.components import confirm
from console.components.figures import UNKNOWN, Html, environment_badge, join, moment
from console.components.frame import allowed, lang, me, t, wiring
from console.components.rule_what_if import percent_of
from console.services import rule_evidence, rules
from console.services.permissions import Action
from console.services.rules import RuleText
from shared.domain.account import Environment


def switch_button(opened: RuleText) -> None:
    may = allowed(me(), Action.RULE_SWITCH)
    label = t("rules.disable") if opened.enabled else t("rules.enable")
    st.button(
        label, key="rule_switch", disabled=not may, type="secondary" if opened.enabled else "primary",
        on_click=confirm.open_dialog, args=("rule",), kwargs={"opened": opened},
    )  # fmt: skip


def switch_dialog(opened: RuleText) -> None:
    actor, desk = me(), wiring()
    st.html(join(Html("<strong>"), opened.name, Html("</strong> "), environment_badge(opened.environment, lang())))
    st.caption(f"{opened.nickname} · {t('rules.version', number=opened.version.number)}")
    typed, reason, waive = "", "", False
    if opened.enabled:
        st.markdown(t("rules.disable_effect"))
    elif opened.environment == Environment.MOCK:
        st.markdown(t("rules.enable_effect"))
        typed = st.text_input(t("field.confirm_name"), key="rule_confirm", live=True, autocomplete="off")
    else:
        st.markdown(t("rules.enable_effect"))
        if opened.environment == Environment.LIVE:
            st.warning(t("account.start_live"), icon=":material/warning:")
            found = evidence(opened.id)
            typed = st.text_input(t("field.confirm_name"), key="rule_confirm", live=True, autocomplete="off")
            if found.missing and not found.waived and allowed(actor, Action.RULE_WAIVE):
                waive = st.checkbox(t("rules.waive"), key="rule_waive", help=t("rules.waive_confirm"))
            reason = st.text_input(t("field.reason"), key="rule_reason")
    switch = partial(
        rules.switch, desk, actor, opened.id, enabled=not opened.enabled, confirm=typed, reason=reason, waive=waive
    )
    verb = t("rules.disable_do") if opened.enabled else t("rules.enable_do")
    named = opened.enabled or opened.environment == Environment.SIM or typed == opened.nickname
    if st.button(verb, key="rule_switch_do", type="primary", width="stretch", disabled=not named):
        confirm.in_dialog(switch, t("rules.switched"))
    confirm.cancel_button()


def evidence(rule_id: int) -> rule_evidence.Evidence:
    """What speaks for the version in force, before it meets real money."""
    found = rule_evidence.of_rule(wiring(), me(), rule_id)
    lines = [t("rules.evidence_untested")]
    if found.tested is not None:
        one = found.tested
        lines = [
            t(
                "rules.evidence_tested", at=moment(one.finished_at), gain=percent_of(one.return_pct),
                drawdown=percent_of(one.max_drawdown_pct), trades=UNKNOWN if one.trades is None else one.trades,
            )
        ]  # fmt: skip
    lines.append(t("rules.evidence_days", sim=found.sim_days, mock=found.mock_days))
    st.caption(t("rules.evidence"))
    st.markdown("\n".join(f"- {confirm.plain(line)}" for line in lines))
    if found.missing:
        st.error(t("rules.evidence_missing", missing=", ".join(found.missing)), icon=":material/rule:")
    if found.waived:
        st.info(t("rules.evidence_waived"))
    return found
