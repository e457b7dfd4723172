"""Build a rule without its format: indicators, comparisons, stops and size as fields over the text that they make.

The text stays the rule: the form reads it when it changed elsewhere, and writes it when a field did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import streamlit as st

from console.components.frame import t
from console.components.live import hold
from console.components.table import note
from console.services.rule_sketch import (
    BY_ATR,
    ConditionRow,
    GuardRow,
    IndicatorRow,
    OrderRow,
    SizeRow,
    Sketch,
    fresh_alias,
    operands,
    sketch_of,
    text_of,
    unsayable,
)
from shared.domain.market import RULE_TIMEFRAMES
from shared.domain.order import OrderType, TimeInForce
from shared.domain.rule import model as m
from shared.domain.rule.catalogue import BUILDER, PATTERNS, TALIB, find_indicator
from shared.words import WORDS

_KNOWN = [key.removeprefix("ind.") for key in WORDS if key.startswith("ind.")]
_INDICATORS = [*_KNOWN, *sorted(({*BUILDER} | {one.lower() for one in TALIB}) - {*_KNOWN})]
_CANDLE, _A_NUMBER = "candle:", "#"
_PATTERNS = [f"{_CANDLE}{one.lower()}" for one in sorted(PATTERNS)]
_SIZES = (*(one.value for one in m.SizingMode), BY_ATR)
_MOST_ROWS = 12


@dataclass(slots=True)
class _Draft:
    """The form of one rule in one browser; rows keep their number, so that a removed one takes no other's text."""

    said: str  # the text as the form last left it
    sketch: Sketch
    field: str  # where the text stands in the session
    loaded: int  # grows when the text came from elsewhere: every field begins anew
    rows: dict[str, list[int]] = field(default_factory=dict)  # section → numbers of its rows
    next_row: int = 0

    def numbered(self, section: str, rows: Sequence[object]) -> None:
        self.rows[section] = list(range(self.next_row, self.next_row + len(rows)))
        self.next_row += len(rows)


def why_not(rule: m.Rule) -> str:
    """What of the rule the form has no place for, in words; "" when it opens it."""
    return ", ".join(t(f"sketch.no.{one}") for one in unsayable(rule))


def build(rule: m.Rule | None, text: str, slot: str, text_key: str) -> str:
    """Draw the form of `text` and put what its fields say into `text_key`; `rule` is what `text` says, if it can be read."""
    key = f"draft_{slot}"
    draft: _Draft | None = st.session_state.get(key)
    if draft is None or draft.said != text:
        if rule is None:
            note(t("rules.form_unreadable"))
            return text
        draft = st.session_state[key] = _opened(rule, text, text_key, 0 if draft is None else draft.loaded + 1)
    if any(line.lstrip().startswith("#") or " #" in line for line in draft.said.splitlines()):
        note(t("rules.form_comments"))
    sketch = _drawn(draft, f"b{draft.loaded}_{slot}")
    if sketch != draft.sketch:
        draft.sketch, draft.said = sketch, text_of(sketch)
    st.session_state[text_key] = draft.said
    return draft.said


def _opened(rule: m.Rule, text: str, text_key: str, loaded: int) -> _Draft:
    draft = _Draft(text, sketch_of(rule), text_key, loaded)
    for section in ("indicators", "entry", "exit"):
        draft.numbered(section, getattr(draft.sketch, section))
    return draft


def _drawn(draft: _Draft, name: str) -> Sketch:
    now = draft.sketch
    first, second, third, fourth = st.columns([3, 3, 2, 2])
    with first:
        title = _text("form.name", f"{name}_name", now.name)
    with second:
        symbols = _text("form.symbols", f"{name}_symbols", now.symbols)
    with third:
        timeframe = _choose(
            "form.timeframe", f"{name}_bars", now.timeframe, [one.value for one in RULE_TIMEFRAMES], "frame."
        )
    with fourth:
        evaluate = _choose(
            "form.evaluate", f"{name}_on", now.evaluate, [one.value for one in m.EvaluateOn], "evaluate."
        )
    params = _params(now, name)
    indicators = _indicators(draft, name)
    _renamed(draft, indicators, name)
    offered = operands(indicators)
    entry_logic, entry = _conditions(draft, "entry", now.entry_logic, name, offered)
    exit_logic, exit_ = _conditions(draft, "exit", now.exit_logic, name, offered)
    guards = _guards(now, name)
    size = _size(now.size, name)
    return replace(
        now, name=title, symbols=symbols, timeframe=timeframe, evaluate=evaluate, params=params, indicators=indicators,
        entry_logic=entry_logic, entry=entry, exit_logic=exit_logic, exit=exit_, **guards, size=size,
        order=_order(now.order, name),
    )  # fmt: skip


# -- sections ---------------------------------------------------------------------------------------------------------


def _params(now: Sketch, name: str) -> tuple[tuple[str, str], ...]:
    if not now.params:
        return ()
    note(t("form.params"))
    found = []
    columns = st.columns(4)
    for place, (one, default) in enumerate(now.params):
        with columns[place % 4]:
            found.append((one, _typed(f"${one}", f"{name}_p_{one}", default)))
    return tuple(found)


def _indicators(draft: _Draft, name: str) -> tuple[IndicatorRow, ...]:
    st.markdown(f"**{t('form.indicators')}**")
    found = []
    for number, row in zip(draft.rows["indicators"], draft.sketch.indicators, strict=True):
        found.append(_indicator(draft, number, row, f"{name}_i{number}"))
    st.button(
        t("form.add_indicator"), key=f"{name}_add_i", icon=":material/add:", on_click=_add_indicator, args=(draft,),
        disabled=len(found) >= _MOST_ROWS,
    )  # fmt: skip
    return tuple(found)


def _indicator(draft: _Draft, number: int, row: IndicatorRow, name: str) -> IndicatorRow:
    first, second, rest, more, last = st.columns([12, 5, 9, 3, 2], vertical_alignment="bottom", gap="xsmall")
    with first:
        identity = _choose("form.indicator", f"{name}_id", row.id, _INDICATORS, "ind.")
    with second:
        alias = _text("form.alias", f"{name}_alias", row.alias)
    spec = find_indicator(identity)
    said = dict(row.params) if identity == row.id else {}
    params: dict[str, str] = {}
    with rest:
        knobs = spec.knobs[:6] if spec is not None else ()
        columns = st.columns(max(len(knobs), 1) + 1)
        for column, knob in zip(columns, knobs, strict=False):
            usual_name = "period" if knob.name == "timeperiod" else knob.name
            written = next((key for key in said if spec is not None and spec.knob(key) is knob), usual_name)
            usual = knob.choices[0] if knob.choices else f"{knob.default}"
            with column:
                value = _typed(_word(written, "knob."), f"{name}_{identity}_{knob.name}", said.get(written, usual))
            if written in said or value != usual:
                params[written] = value
        params = {key: params.get(key, value) for key, value in said.items()} | params  # in the order they were written
        with columns[-1]:
            shift = _text("form.shift", f"{name}_shift", row.shift)
    output = row.output if identity == row.id else "value"
    with more.popover("⋯", help=t("form.more"), type="tertiary"):
        source = _choose("form.source", f"{name}_source", row.source, [one.value for one in m.PriceField], "operand.")
        outputs = ["value", *(spec.outputs if spec is not None else ())]
        output = _choose("form.output", f"{name}_{identity}_output", output, [*dict.fromkeys(outputs)])
    _remove(draft, "indicators", number, last, name)
    return IndicatorRow(identity, alias, tuple(params.items()), output, source, shift, row.name)


def _renamed(draft: _Draft, rows: tuple[IndicatorRow, ...], name: str) -> None:
    """An indicator with another name keeps its conditions."""
    for before, after in zip(draft.sketch.indicators, rows, strict=True):
        if before.alias == after.alias or not after.alias:
            continue
        for section in ("entry", "exit"):
            for number in draft.rows[section]:
                for side in ("left", "right"):
                    key = f"{name}_{section}{number}_{side}"
                    head, dot, output = str(st.session_state.get(key, "")).partition(".")
                    if head == before.alias:
                        st.session_state[key] = f"{after.alias}{dot}{output}"


def _conditions(
    draft: _Draft, section: str, logic: str, name: str, offered: list[str]
) -> tuple[str, tuple[ConditionRow, ...]]:
    first, second = st.columns([3, 2], vertical_alignment="bottom")
    first.markdown(f"**{t(f'form.{section}')}**")
    rows: tuple[ConditionRow, ...] = getattr(draft.sketch, section)
    with second:
        logic = _choose("form.logic", f"{name}_{section}_logic", logic, [one.value for one in m.Logic], "logic.")
    found: list[ConditionRow] = []
    for bundle, some in groupby(zip(draft.rows[section], rows, strict=True), key=lambda one: one[1].bundle):
        if bundle:
            with st.container(border=True):
                found += _bundle(draft, section, bundle, list(some), name, offered)
        else:
            found += [_condition(draft, section, no, row, f"{name}_{section}{no}", offered) for no, row in some]
    first, second, _ = st.columns([3, 3, 6])
    full = len(rows) >= _MOST_ROWS
    first.button(
        t("form.add_condition"), key=f"{name}_add_{section}", icon=":material/add:", on_click=_add_condition,
        args=(draft, section), disabled=full, width="stretch",
    )  # fmt: skip
    second.button(
        t("form.add_bundle"), key=f"{name}_add_{section}_bundle", icon=":material/playlist_add:", help=t("form.bundle_help"),
        on_click=_add_condition, args=(draft, section, max((row.bundle for row in rows), default=0) + 1), disabled=full,
        width="stretch",
    )  # fmt: skip
    return logic, tuple(found)


def _bundle(
    draft: _Draft, section: str, bundle: int, rows: list[tuple[int, ConditionRow]], name: str, offered: list[str]
) -> list[ConditionRow]:
    """Conditions that count as one, in a frame of their own."""
    key = f"{name}_{section}_bundle{bundle}"
    logic = _choose("form.bundle", f"{key}_logic", rows[0][1].logic, [one.value for one in m.Logic], "logic.")
    found = [_condition(draft, section, number, row, f"{name}_{section}{number}", offered) for number, row in rows]
    st.button(
        t("form.add_to_bundle"), key=f"{key}_add", icon=":material/add:", on_click=_add_condition,
        args=(draft, section, bundle), disabled=len(draft.rows[section]) >= _MOST_ROWS,
    )  # fmt: skip
    return [replace(row, logic=logic) for row in found]


def _condition(
    draft: _Draft, section: str, number: int, row: ConditionRow, name: str, offered: list[str]
) -> ConditionRow:
    first, second, third, fourth, fifth, last = st.columns(
        [6, 8, 6, 6, 3, 2], vertical_alignment="bottom", gap="xsmall"
    )
    with first:
        left = _choose(
            "form.left", f"{name}_left", f"{_CANDLE}{row.pattern}" if row.pattern else row.left,
            [*offered, *_PATTERNS], "operand.",
        )  # fmt: skip
    _remove(draft, section, number, last, name)
    if left.startswith(_CANDLE):
        with second:
            signals = [one.value for one in m.PatternSignal]
            signal = _choose("form.signal", f"{name}_signal", row.signal, signals, "candle.")
        return replace(row, pattern=left.removeprefix(_CANDLE), signal=signal)
    with second:
        operator = _choose("form.operator", f"{name}_op", row.operator, [one.value for one in m.Operator], "op.")
    plain = replace(row, left=left, operator=operator, pattern="", scale="", scalar="", upper="")
    if operator == m.Operator.BETWEEN:
        with third:
            right = _text("form.number", f"{name}_from", row.right)
        with fourth:
            return replace(plain, right=right, upper=_text("form.upper", f"{name}_to", row.upper))
    with third:
        chosen = _choose(
            "form.right", f"{name}_right", row.right if row.right in offered else _A_NUMBER, [_A_NUMBER, *offered],
            "operand.",
        )  # fmt: skip
    if chosen == _A_NUMBER:
        with fourth:
            typed = _text("form.number", f"{name}_number", "0" if row.right in offered else row.right)
        return replace(plain, right=typed)
    with fourth:
        scale = _choose("form.scale", f"{name}_scale", row.scale, ["", *(one.value for one in m.Scaling)], "scale.")
    if not scale:
        return replace(plain, right=chosen)
    with fifth:
        return replace(plain, right=chosen, scale=scale, scalar=_text("form.number", f"{name}_by", row.scalar or "1"))


def _guards(now: Sketch, name: str) -> dict[str, GuardRow]:
    st.markdown(f"**{t('form.exits')}**")
    found = {}
    for column, one in zip(st.columns(4), ("stop_loss", "take_profit", "trailing_stop", "time_stop"), strict=True):
        row: GuardRow = getattr(now, one)
        with column:
            on = _flag(f"form.{one}", f"{name}_{one}_on", row.on)
            value = _typed(t(f"form.{one}"), f"{name}_{one}", row.value, shown=False)
        found[one] = GuardRow(on, value)
    return found


def _size(now: SizeRow, name: str) -> SizeRow:
    st.markdown(f"**{t('form.size')}**")
    first, second, third, fourth = st.columns(4)
    with first:
        kinds = _SIZES if now.kind else ("", *_SIZES)
        kind = _choose("rules.sizing_mode", f"{name}_size", now.kind, list(kinds), "sizing.")
    if not kind:
        return now
    unit = "pct" if kind not in ("shares", "amount") else kind
    with second:
        value = _text(f"sizing.unit_{unit}", f"{name}_size_value", now.value or "1")
    if kind != BY_ATR:
        return SizeRow(kind, value)
    with third:
        period = _text("sizing.atr_period", f"{name}_atr", now.atr_period)
    with fourth:
        return SizeRow(kind, value, period, _text("sizing.atr_multiple", f"{name}_atr_x", now.atr_multiple))


def _order(now: OrderRow, name: str) -> OrderRow:
    with st.expander(t("form.order"), icon=":material/tune:"):
        first, second, third, fourth = st.columns(4)
        with first:
            kind = _choose("form.order_type", f"{name}_type", now.type, [one.value for one in OrderType], "type.")
            unfilled = _choose(
                "form.unfilled", f"{name}_unfilled", now.unfilled, [one.value for one in m.UnfilledAction], "unfilled."
            )
        with second:
            offset = _text("form.offset", f"{name}_offset", now.offset_ticks)
            after = _text("form.unfilled_sec", f"{name}_after", now.unfilled_sec)
        with third:
            tif = _choose("form.tif", f"{name}_tif", now.time_in_force, [one.value for one in TimeInForce])
        with fourth:
            cooldown = _text("form.cooldown", f"{name}_cooldown", now.cooldown_sec)
        approval = _flag("form.approval", f"{name}_approval", now.approval)
    return OrderRow(kind, offset, tif, cooldown, unfilled, after, approval)


# -- rows that come and go --------------------------------------------------------------------------------------------


def _add_indicator(draft: _Draft) -> None:
    row = IndicatorRow("sma", fresh_alias("sma", [one.alias for one in draft.sketch.indicators]), (("period", "20"),))
    rows = draft.sketch.indicators
    _put(draft, "indicators", rows, row, len(rows))


def _add_condition(draft: _Draft, section: str, bundle: int = 0) -> None:
    """One more by itself; or of a bundle, behind its last one. A new bundle is by the other logic than its section."""
    rows: tuple[ConditionRow, ...] = getattr(draft.sketch, section)
    aliases = [one.alias for one in draft.sketch.indicators]
    beside = [place for place, row in enumerate(rows) if bundle and row.bundle == bundle]
    if beside:
        logic = rows[beside[0]].logic
    else:
        mine = draft.sketch.entry_logic if section == "entry" else draft.sketch.exit_logic
        logic = m.Logic.ANY.value if mine == m.Logic.ALL else m.Logic.ALL.value
    row = ConditionRow(
        aliases[0] if aliases else "close",
        m.Operator.GREATER_THAN.value,
        "0",
        bundle=bundle,
        logic=logic if bundle else "",
    )
    _put(draft, section, rows, row, beside[-1] + 1 if beside else len(rows))


def _put(draft: _Draft, section: str, rows: tuple[object, ...], row: object, place: int) -> None:
    draft.rows[section].insert(place, draft.next_row)
    draft.next_row += 1
    _say(draft, section, (*rows[:place], row, *rows[place:]))


def _take(draft: _Draft, section: str, number: int) -> None:
    place = draft.rows[section].index(number)
    rows = getattr(draft.sketch, section)
    del draft.rows[section][place]
    _say(draft, section, (*rows[:place], *rows[place + 1 :]))


def _say(draft: _Draft, section: str, rows: tuple[object, ...]) -> None:
    draft.sketch = replace(draft.sketch, **{section: rows})
    draft.said = st.session_state[draft.field] = text_of(draft.sketch)
    hold("rule")


def _remove(draft: _Draft, section: str, number: int, column: object, name: str) -> None:
    with column:  # type: ignore[attr-defined]
        st.button(
            "✕", key=f"{name}_x", help=t("form.remove"), on_click=_take, args=(draft, section, number), type="tertiary"
        )


# -- fields: what a field holds outlives a change of its choices ------------------------------------------------------


def _kept(key: str, initial: object) -> None:
    st.session_state[key] = st.session_state.get(key, initial)


def _text(label: str, key: str, initial: str) -> str:
    return _typed(t(label), key, initial)


def _typed(label: str, key: str, initial: str, *, shown: bool = True) -> str:
    _kept(key, initial)
    said = st.text_input(
        label, key=key, on_change=hold, args=("rule",), label_visibility="visible" if shown else "collapsed"
    )
    return (said or "").strip()


def _flag(label: str, key: str, initial: bool) -> bool:
    _kept(key, initial)
    return st.checkbox(t(label), key=key, on_change=hold, args=("rule",))


def _choose(label: str, key: str, initial: str, options: list[str], words: str = "") -> str:
    """One of the options, or what the rule says beside them: it is shown, and the checks say what they think of it."""
    _kept(key, initial)
    held = str(st.session_state[key])
    if held not in options:
        options = [held, *options]
    chosen = st.selectbox(
        t(label), options, key=key, on_change=hold, args=("rule",), format_func=lambda one: _word(one, words)
    )
    return held if chosen is None else chosen


def _word(one: str, words: str) -> str:
    if one == _A_NUMBER:
        return t("form.a_number")
    if one.startswith(_CANDLE):
        return t("form.candle", name=one.removeprefix(_CANDLE))
    return t(f"{words}{one}") if words and f"{words}{one}" in WORDS else one
