"""전략·규칙: which rules run and what they last decided; write one, see at once whether it can be read, switch it on."""

from __future__ import annotations

from functools import partial

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.figures import UNKNOWN, Html, environment_badge, join, mark, moment, span
from console.components.frame import allowed, lang, me, t, wiring
from console.components.help import titled
from console.components.live import hold, let_go, live
from console.components.rule_form import choose_preset, choose_sizing
from console.components.rule_list import rule_table
from console.components.table import Column, note, table
from console.services import accounts, rule_board, rule_evidence, rules, what_if
from console.services.permissions import Action
from console.services.rule_history import Compared, compare, effect_tone, place_words
from console.services.rules import Checked, RuleText
from console.services.what_if import Side
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


@live(3)
def _list() -> None:
    rule_table(rule_board.board(wiring(), me()), wiring().clock.wall_now())


def _switch(opened: RuleText) -> None:
    may = allowed(me(), Action.RULE_SWITCH)
    label = t("rules.disable") if opened.enabled else t("rules.enable")
    st.button(
        label, key="rule_switch", disabled=not may, type="secondary" if opened.enabled else "primary",
        on_click=confirm.open_dialog, args=("rule",), kwargs={"opened": opened},
    )  # fmt: skip


def _switch_dialog(opened: RuleText) -> None:
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
            found = _evidence(opened.id)
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


def _evidence(rule_id: int) -> rule_evidence.Evidence:
    """What speaks for the version in force, before it meets real money."""
    found = rule_evidence.of_rule(wiring(), me(), rule_id)
    lines = [t("rules.evidence_untested")]
    if found.tested is not None:
        one = found.tested
        lines = [
            t(
                "rules.evidence_tested", at=moment(one.finished_at), gain=_percent(one.return_pct),
                drawdown=_percent(one.max_drawdown_pct), trades=UNKNOWN if one.trades is None else one.trades,
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


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.2f}%"


def _editor(account_id: int, rule_id: int) -> None:
    """The text stays in this browser until saved; what refreshes above does not touch it."""
    opened = rules.opened(wiring(), me(), rule_id) if rule_id else None
    market = rules.market_of(wiring(), me(), account_id)
    slot = f"{account_id}_{rule_id}_{opened.version.number if opened else 0}"
    field = f"rule_text_{slot}"
    text = opened.version.text if opened else _STARTER.format(name=t("rules.starter"), symbol=_example(market))
    left, right = st.columns([3, 2], gap="large")
    with left:
        if opened is None:
            choose_preset(slot, field)
        st.session_state.setdefault(field, text)  # not as a default: the forms beside it write it too
        written = st.text_area(
            t("rules.text"), height=430, key=field, help=t("rules.text_help"), on_change=_edited, args=(field, text)
        )
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
    with left:
        if checked.read is not None and not checked.read.python:
            choose_sizing(checked.read, slot, field)
    with right:
        _findings(checked)
        if opened is not None and checked.rule is not None and checked.text != opened.version.text:
            _edit(opened, checked.text, slot)
        st.button(
            t("rules.save") if opened is None else t("rules.save_version"),
            key="rule_save",
            type="primary",
            disabled=checked.rule is None or not allowed(me(), Action.RULE_SAVE),
            on_click=_save,
            args=(account_id, opened, written, symbols, int(held), f"also_open_{slot}"),
        )
        _what_if(account_id, opened, checked, slot)
        if opened is not None:
            _switch(opened)
    if opened is not None:
        _versions(opened)


def _edited(field: str, saved: str) -> None:
    """While the text differs from what is saved the list above stands still."""
    (let_go if st.session_state[field] == saved else hold)("rule")


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


def _edit(opened: RuleText, text: str, slot: str) -> None:
    """What the edit means, and whether open positions follow it."""
    compared = compare(opened.version.text, text)
    _meaning(compared)
    if f"also_open_{slot}" not in st.session_state or st.session_state.get(f"default_{slot}") != compared.lowers_risk:
        st.session_state[f"also_open_{slot}"] = st.session_state[f"default_{slot}"] = compared.lowers_risk
    st.checkbox(t("rules.also_open"), key=f"also_open_{slot}", help=t("rules.also_open_help"))


def _meaning(compared: Compared) -> None:
    if compared.meaning is None:
        note(t("rules.unreadable"))
        return
    columns = [Column(t("rules.place"), wide=True), Column(t("rules.change"), wide=True), Column(t("rules.effect"))]
    rows = [
        [
            place_words(one.path, lang()),
            f"{UNKNOWN if one.before is None else one.before} → {UNKNOWN if one.after is None else one.after}",
            mark(effect_tone(one.effect), t(f"effect.{one.effect}")),
        ]
        for one in compared.meaning
    ]
    table(columns, rows, name="meaning", empty=t("rules.same_meaning"))


def _what_if(account_id: int, opened: RuleText | None, checked: Checked, slot: str) -> None:
    """Queue the runs; their result appears below while the page stays."""
    edited = opened is None or checked.text != opened.version.text
    st.button(
        t("rules.whatif", days=what_if.DAYS), key="rule_whatif", icon=":material/history:", help=t("rules.whatif_help"),
        disabled=checked.rule is None or not allowed(me(), Action.BACKTEST), on_click=_ask_what_if,
        args=(account_id, opened.version.text if opened else None, checked.text if edited else None, slot),
    )  # fmt: skip
    asked = st.session_state.get("whatif")
    if asked is not None and asked[0] == slot:
        _what_if_result(asked[1], asked[2])


def _ask_what_if(account_id: int, older: str | None, newer: str | None, slot: str) -> None:
    actor, desk = me(), wiring()
    texts = [text for text in (older, newer) if text is not None]

    def ask() -> None:
        ids = what_if.ask(desk, actor, account_id, texts[0] if len(texts) > 1 else None, texts[-1])
        names = ("now", "edit") if len(texts) > 1 else ("now",) if newer is None else ("edit",)
        st.session_state["whatif"] = (slot, ids, names)

    confirm.attempt(ask, t("rules.whatif_asked"))


@st.fragment(run_every=2)
def _what_if_result(ids: tuple[int, ...], names: tuple[str, ...]) -> None:
    sides = what_if.result(wiring(), me(), ids)
    columns = [
        Column(""), Column(t("rules.whatif_return"), numeric=True), Column(t("rules.whatif_drawdown"), numeric=True),
        Column(t("rules.whatif_trades"), numeric=True), Column(t("rules.whatif_bars"), numeric=True),
    ]  # fmt: skip
    rows = [[t(f"rules.whatif_{name}"), *_side(side)] for name, side in zip(names, sides, strict=True)]
    table(columns, rows, name="whatif", empty=UNKNOWN)
    for problem in dict.fromkeys(side.problem for side in sides if side.problem):
        st.warning(confirm.plain(problem), icon=":material/help:")


def _side(side: Side) -> list[object]:
    if side.open:
        return [span("lt-soft", t("rules.whatif_waiting", percent=round(side.progress * 100))), "", "", ""]
    counts = [UNKNOWN if one is None else f"{one:,}" for one in (side.trades, side.bars)]
    return [_percent(side.return_pct), _percent(side.max_drawdown_pct), *counts]


def _save(
    account_id: int, opened: RuleText | None, text: str, symbols: str, held: int, also_open: str
) -> None:  # fmt: skip
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
        st.session_state["rule"] = made[0]
        if any(off):
            st.toast(t("rules.switched_off"), icon=":material/warning:")


def _versions(opened: RuleText) -> None:
    with st.expander(t("rules.versions", n=len(opened.versions))):
        columns = [
            Column(t("rules.number"), numeric=True), Column(t("command.by"), wide=True), Column(t("rules.saved")),
            Column(t("rules.follows")), Column(t("rules.note"), wide=True),
        ]  # fmt: skip
        body = [
            [
                one.number, opened.names.get(one.created_by, one.created_by), moment(one.created_at),
                "✓" if one.also_open else "", one.note,
            ]
            for one in opened.versions[:20]
        ]  # fmt: skip
        table(columns, body, name="versions", empty=UNKNOWN)
        if len(opened.versions) > 1:
            _compare_versions(opened)


def _compare_versions(opened: RuleText) -> None:
    """Any two versions in text and meaning; the older one can come back as a new version."""
    texts = {one.number: one.text for one in opened.versions}
    numbers = list(texts)
    one, two = st.columns(2)
    key = f"{opened.id}_{numbers[0]}"  # a new version starts the choice afresh
    older = one.selectbox(t("rules.compare_older"), numbers, index=1, key=f"older_{key}")
    newer = two.selectbox(t("rules.compare_newer"), numbers, index=0, key=f"newer_{key}")
    compared = compare(texts[older], texts[newer])
    if not compared.text:
        note(t("rules.same"))
    else:
        note(t("rules.diff", older=older, newer=newer))
        _meaning(compared)
        st.code(compared.text, language="diff")
    st.button(
        t("rules.revert", number=older), key="rule_revert", icon=":material/undo:", help=t("rules.revert_help"),
        disabled=texts[older] == opened.version.text or not allowed(me(), Action.RULE_SAVE), on_click=_revert,
        args=(opened, older),
    )  # fmt: skip


def _revert(opened: RuleText, number: int) -> None:
    actor, desk = me(), wiring()
    confirm.attempt(
        lambda: rules.revert(desk, actor, opened.id, number, expected_version=opened.version.number),
        t("rules.reverted"),
    )


def _chosen_rule(account_id: int) -> int:
    known = {line.id: line for line in rules.listed(wiring(), me(), account_id=account_id)}
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
    st.dialog(t("rules.switch"), on_dismiss=confirm.close)(_switch_dialog)(**question)
