"""전략·규칙: which rules run and what they last decided; write one, see at once whether it can be read, switch it on."""

from __future__ import annotations

import difflib
from functools import partial

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.figures import UNKNOWN, Html, environment_badge, join, mark, moment, span
from console.components.frame import allowed, lang, me, t, wiring
from console.components.reasons import decided
from console.components.rows import account_cell
from console.components.table import Column, note, table
from console.services import accounts, rules
from console.services.permissions import Action
from console.services.rules import Checked, RuleLine, RuleText
from shared.domain.account import Environment, Market

NEW = 0
_STARTER = """version: "1.0"
metadata:
  name: {name}
strategy:
  id: ma_cross
  timeframe: 1m
  evaluate: tick
  indicators:
    - {{id: sma, alias: fast, params: {{period: 5}}}}
    - {{id: sma, alias: slow, params: {{period: 20}}}}
  entry:
    logic: AND
    conditions:
      - {{indicator: fast, operator: cross_above, compare_to: slow}}
  exit:
    logic: OR
    conditions:
      - {{indicator: fast, operator: cross_below, compare_to: slow}}
risk:
  stop_loss: {{enabled: true, percent: 2.0}}
  take_profit: {{enabled: true, percent: 4.0}}
sizing: {{mode: shares, value: 1}}
execution: {{order_type: limit, offset_ticks: 1, cooldown_sec: 60}}
universe: ["{symbol}"]
"""


@st.fragment(run_every="3s")
def _list() -> None:
    columns = [
        Column(t("col.account")),
        Column(t("rules.rule")),
        Column(t("rules.on")),
        Column(t("col.symbol")),
        Column(t("col.last_decision"), wide=True),
        Column(t("rules.saved")),
    ]
    rows = rules.listed(wiring(), me())
    table(columns, [_row(line) for line in rows], name="rules", empty=t("empty.rules"))


def _row(line: RuleLine) -> list[object]:
    now = wiring().clock.wall_now()
    version = t("rules.version", number=line.version) if line.version is not None else UNKNOWN
    return [
        account_cell(line.account_id, line.account, line.environment),
        join(line.name, span("lt-sub", f"#{line.id} · {version}")),
        mark("fine" if line.enabled else "off", t("rules.is_on") if line.enabled else t("rules.is_off")),
        line.symbol,
        decided(line.decision, now) if line.decision else span("lt-soft", t("decision.none")),
        moment(line.updated_at),
    ]


def _switch(opened: RuleText) -> None:
    may = allowed(me(), Action.RULE_SWITCH)
    label = t("rules.disable") if opened.enabled else t("rules.enable")
    if st.button(label, key="rule_switch", disabled=not may, type="secondary" if opened.enabled else "primary"):
        confirm.open_dialog("rule", opened=opened)


def _switch_dialog(opened: RuleText) -> None:
    actor, desk = me(), wiring()
    st.html(join(Html("<strong>"), opened.name, Html("</strong> "), environment_badge(opened.environment, lang())))
    st.caption(f"{opened.nickname} · {t('rules.version', number=opened.version.number)}")
    typed, reason, waive = "", "", False
    if opened.enabled:
        st.markdown(t("rules.disable_effect"))
    else:
        st.markdown(t("rules.enable_effect"))
        if opened.environment == Environment.LIVE:
            st.warning(t("account.start_live"), icon=":material/warning:")
            typed = st.text_input(t("field.confirm_name"), key="rule_confirm", live=True, autocomplete="off")
            waive = st.checkbox(t("rules.waive"), key="rule_waive")
            reason = st.text_input(t("field.reason"), key="rule_reason")
    switch = partial(
        rules.switch, desk, actor, opened.id, enabled=not opened.enabled, confirm=typed, reason=reason, waive=waive
    )
    verb = t("rules.disable_do") if opened.enabled else t("rules.enable_do")
    if st.button(verb, key="rule_switch_do", type="primary", width="stretch"):
        confirm.in_dialog(switch, t("rules.switched"))
    confirm.cancel_button()


def _editor(account_id: int, rule_id: int) -> None:
    """The text stays in this browser until saved; what refreshes above does not touch it."""
    opened = rules.opened(wiring(), me(), rule_id) if rule_id else None
    market = rules.market_of(wiring(), me(), account_id)
    slot = f"{account_id}_{rule_id}_{opened.version.number if opened else 0}"
    text = opened.version.text if opened else _STARTER.format(name=t("rules.starter"), symbol=_example(market))
    left, right = st.columns([3, 2], gap="large")
    with left:
        written = st.text_area(t("rules.text"), text, height=430, key=f"rule_text_{slot}", help=t("rules.text_help"))
        one, two = st.columns(2)
        symbols = one.text_input(t("rules.symbols"), key=f"rule_symbols_{slot}", help=t("rules.symbols_help"))
        held = two.number_input(
            t("rules.max_position"),
            min_value=0,
            max_value=10_000_000,
            value=100 if opened is None else (opened.max_position or 0),
            key=f"rule_max_{slot}",
            help=t("rules.max_position_help"),
        )
    checked = rules.check(written or "", market, symbols or "", lang())
    with right:
        _findings(checked)
        st.button(
            t("rules.save") if opened is None else t("rules.save_version"),
            key="rule_save",
            type="primary",
            disabled=checked.rule is None or not allowed(me(), Action.RULE_SAVE),
            on_click=_save,
            args=(account_id, opened, written, symbols, int(held)),
        )
        if opened is not None:
            _switch(opened)
            _versions(opened)


def _example(market: Market) -> str:
    return "AAPL" if market is Market.US else "005930"


def _findings(checked: Checked) -> None:
    if checked.problems:
        body = "\n".join(f"- {confirm.plain(problem)}" for problem in checked.problems)
        st.error(f"**{t('rules.invalid', n=len(checked.problems))}**\n\n{body}", icon=":material/edit_note:")
        return
    st.success(t("rules.valid", name=confirm.plain(checked.rule.metadata.name if checked.rule else "")))
    if checked.warnings:
        st.warning("\n".join(f"- {confirm.plain(warning)}" for warning in checked.warnings), icon=":material/help:")


def _save(account_id: int, opened: RuleText | None, text: str, symbols: str, held: int) -> None:
    actor, desk = me(), wiring()
    made: list[int] = []

    def save() -> None:
        if opened is None:
            made.append(rules.add_rule(desk, actor, account_id, text, symbols=symbols, max_position=held))
            return
        number = opened.version.number
        rules.save_version(desk, actor, opened.id, text, symbols=symbols, max_position=held, expected_version=number)
        made.append(opened.id)

    if confirm.attempt(save, t("rules.done")):
        st.session_state["rule"] = made[0]


def _versions(opened: RuleText) -> None:
    with st.expander(t("rules.versions", n=len(opened.versions))):
        columns = [Column(t("rules.number"), numeric=True), Column(t("command.by")), Column(t("rules.saved"))]
        body = [
            [one.number, opened.names.get(one.created_by, one.created_by), moment(one.created_at)]
            for one in opened.versions[:20]
        ]
        table(columns, body, name="versions", empty=UNKNOWN)
        if len(opened.versions) > 1:
            note(t("rules.diff", older=opened.versions[1].number, newer=opened.versions[0].number))
            older, newer = opened.versions[1].text.splitlines(), opened.versions[0].text.splitlines()
            st.code("\n".join(difflib.unified_diff(older, newer, lineterm="", n=1)), language="diff")


def _chosen_rule(account_id: int) -> int:
    known = {line.id: line for line in rules.listed(wiring(), me(), account_id=account_id)}
    if st.session_state.get("rule", NEW) not in (NEW, *known):
        st.session_state["rule"] = NEW
    chosen = st.selectbox(
        t("rules.edit"),
        [NEW, *known],
        format_func=lambda one: f"#{one} {known[one].name}" if one in known else t("rules.new"),
        key="rule",
    )
    return int(chosen or NEW)


bar()
st.title(t("nav.rules"))
confirm.notice()
_list()
names = accounts.names(wiring(), me())
if names:
    st.subheader(t("rules.editor"))
    first, second = st.columns(2)
    with first:
        account = st.selectbox(
            t("col.account"), list(names), format_func=lambda one: names.get(one, f"#{one}"), key="rule_account"
        )
    with second:
        rule = _chosen_rule(account)
    _editor(account, rule)
question = confirm.opened("rule")
if question is not None:
    st.dialog(t("rules.switch"), on_dismiss=confirm.close)(_switch_dialog)(**question)
