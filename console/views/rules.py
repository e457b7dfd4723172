"""전략·규칙: which rules run and what they last decided; write one, see at once whether it can be read, switch it on."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.frame import allowed, in_words, lang, me, t, wiring
from console.components.help import titled
from console.components.live import hold, let_go, live
from console.components.rule_builder import build, why_not
from console.components.rule_copy import copy_button, copy_dialog
from console.components.rule_form import choose_preset, choose_sizing
from console.components.rule_history import edit_meaning, version_table
from console.components.rule_list import rule_table
from console.components.rule_switch import switch_button, switch_dialog
from console.components.rule_what_if import what_if_button
from console.services import accounts, rule_board, rules
from console.services.permissions import Action
from console.services.rules import Checked, RuleText
from shared.domain.account import Market
from shared.domain.rule.model import Rule

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


@live(3)
def _list() -> None:
    rule_table(rule_board.board(wiring(), me()), wiring().clock.wall_now())


def _editor(account_id: int, rule_id: int) -> None:
    """The text stays in this browser until saved; what refreshes above does not touch it."""
    opened = rules.opened(wiring(), me(), rule_id) if rule_id else None
    market = rules.market_of(wiring(), me(), account_id)
    slot = f"{account_id}_{rule_id}_{opened.version.number if opened else 0}"
    field = f"rule_text_{slot}"
    text = opened.version.text if opened else _STARTER.format(name=t("rules.starter"), symbol=_example(market))
    st.session_state[field] = st.session_state.get(field, text)  # whichever way it is written, and not as a default
    now = str(st.session_state[field] or "")
    read = rules.check(now, market, "", lang()).read
    form = _by_form(read)
    left, right = st.columns([5, 3], gap="large")
    with left:
        if opened is None:
            choose_preset(slot, field)
        if form:
            now, symbols = build(read, now, slot, field), ""
        else:
            now = st.text_area(
                t("rules.text"), height=430, key=field, help=t("rules.text_help"), on_change=_edited, args=(field, text)
            ) or ""  # fmt: skip
            symbols = st.text_input(t("rules.symbols"), key=f"rule_symbols_{slot}", help=t("rules.symbols_help")) or ""
        held = st.number_input(
            t("rules.max_position"),
            min_value=0,
            max_value=10_000_000,
            value=100 if opened is None else (opened.max_position or 0),
            key=f"rule_max_{slot}",
            help=t("rules.max_position_help"),
        )
    checked = rules.check(now, market, symbols, lang())
    with left:
        if not form and checked.read is not None and not checked.read.python:
            choose_sizing(checked.read, slot, field)
    with right:
        _findings(checked)
        if opened is not None and checked.rule is not None and checked.text != opened.version.text:
            edit_meaning(opened, checked.text, slot)
        if _save_button(opened, checked) and checked.rule is not None:
            _save(account_id, opened, now, symbols, int(held), f"also_open_{slot}")
        what_if_button(account_id, opened, checked, slot)
        if opened is not None:
            switch_button(opened)
            copy_button(opened)
        if form:
            st.caption(t("rules.preview"))
            st.code(now, language="yaml")
    if opened is not None:
        version_table(opened)


def _by_form(read: Rule | None) -> bool:
    """How the rule is written; what the form has no place for is said, and the text remains."""
    cannot = why_not(read) if read is not None else ""
    st.session_state["rule_way"] = st.session_state.get("rule_way", "form")
    way = st.segmented_control(
        t("rules.way"), ["form", "text"], required=True, key="rule_way", label_visibility="collapsed",
        format_func=lambda one: t(f"rules.way.{one}"),
    )  # fmt: skip
    if way == "form" and cannot:
        st.info(t("rules.form_cannot", what=confirm.plain(cannot)), icon=":material/data_object:")
    return way == "form" and not cannot


def _save_button(opened: RuleText | None, checked: Checked) -> bool:
    """Answered where it is drawn, after every field: what was typed a moment before the click is in the text."""
    return st.button(
        t("rules.save") if opened is None else t("rules.save_version"), key="rule_save", type="primary",
        disabled=checked.rule is None or not allowed(me(), Action.RULE_SAVE),
    )  # fmt: skip


def _edited(field: str, saved: str) -> None:
    """While the text differs from what is saved the list above stands still."""
    (let_go if st.session_state[field] == saved else hold)("rule")


def _example(market: Market) -> str:
    return "AAPL" if market is Market.US else "005930"


def _findings(checked: Checked) -> None:
    if checked.problems:
        body = "\n".join(f"- {confirm.plain(in_words(problem))}" for problem in checked.problems)
        st.error(f"**{t('rules.invalid', n=len(checked.problems))}**\n\n{body}", icon=":material/edit_note:")
        return
    st.success(t("rules.valid", name=confirm.plain(checked.rule.metadata.name if checked.rule else "")))
    if checked.warnings:
        st.warning(
            "\n".join(f"- {confirm.plain(in_words(warning))}" for warning in checked.warnings), icon=":material/help:"
        )


def _save(account_id: int, opened: RuleText | None, text: str, symbols: str, held: int, also_open: str) -> None:
    actor, desk = me(), wiring()
    made: list[int] = []
    off: list[bool] = []

    def save() -> None:
        if opened is None:
            made.append(rules.add_rule(desk, actor, account_id, text, symbols=symbols, max_position=held))
            return
        number = opened.version.number
        saved = rules.save_version(
            desk, actor, opened.id, text, symbols=symbols, max_position=held, expected_version=number,
            also_open=st.session_state.get(also_open),
        )  # fmt: skip
        made.append(opened.id)
        off.append(saved.switched_off)

    if confirm.attempt(save, t("rules.done")):
        let_go("rule")
        st.session_state["rule_next"] = made[0]
        if any(off):
            st.toast(t("rules.switched_off"), icon=":material/warning:")
    st.rerun()


def _chosen_rule(account_id: int) -> int:
    known = {line.id: line for line in rules.shown(wiring(), me(), account_id=account_id)}
    if (saved := st.session_state.pop("rule_next", None)) is not None:
        st.session_state["rule"] = saved
    if st.session_state.get("rule", NEW) not in (NEW, *known):
        st.session_state["rule"] = NEW
    chosen = st.selectbox(
        t("rules.edit"),
        [NEW, *known],
        on_change=let_go,
        args=("rule",),
        format_func=lambda one: f"#{one} {known[one].name}" if one in known else t("rules.new"),
        key="rule",
    )
    return int(chosen or NEW)


bar()
titled("rules")
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
    st.dialog(t("rules.switch"), on_dismiss=confirm.close)(switch_dialog)(**question)
wish = confirm.opened("rule_copy")
if wish is not None:
    st.dialog(t("copy.title"), width="large", on_dismiss=confirm.close)(copy_dialog)(**wish)
