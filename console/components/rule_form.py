"""Beside the text of a rule: begin with a preset, and say how much is bought, without knowing the format."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.confirm import plain
from console.components.frame import lang, t
from console.services import presets
from console.services.presets import Preset
from shared.domain.rule.model import Param, Rule, Sizing, SizingMode
from shared.domain.rule.rewrite import with_defaults, with_sizing

_BY_ATR = "risk_atr"  # risk_pct by ATR; what a share risks is not the way to its stop
_KINDS = (*(one.value for one in SizingMode), _BY_ATR)
_START: dict[str, float] = {"shares": 1, "amount": 1_000_000, "equity_pct": 10, "risk_pct": 1, _BY_ATR: 1}
_SHARE_OF_EQUITY = ("equity_pct", "risk_pct", _BY_ATR)


def choose_preset(slot: str, text_key: str) -> None:
    """Offer the presets with picture and parameters; the chosen one becomes the text of the field `text_key`."""
    with st.expander(t("rules.presets"), icon=":material/auto_stories:"):
        known = {one.name: one for one in presets.listed()}
        name = st.selectbox(
            t("rules.preset"), list(known), format_func=lambda one: known[one].title(lang()), key=f"preset_{slot}"
        )
        chosen = known[name or next(iter(known))]
        st.markdown(plain(chosen.description(lang())))
        if chosen.picture is not None:
            st.image(str(chosen.picture))
        keys = {one.name: _knob(one, f"{slot}_{chosen.name}") for one in chosen.rule.params}
        st.button(t("rules.preset_use"), key=f"preset_use_{slot}", on_click=_use, args=(chosen, keys, text_key))


def _knob(param: Param, slot: str) -> str:
    """Draw one bounded number; returns its key."""
    kind, key = (int if param.type == "int" else float), f"knob_{slot}_{param.name}"
    low, high = (None if one is None else kind(one) for one in (param.min, param.max))
    step = kind(param.step) if param.step is not None else kind(1) if kind is int else 0.5
    st.number_input(presets.label(param, lang()), low, high, kind(param.default), step, key=key)
    return key


def _use(chosen: Preset, keys: dict[str, str], text_key: str) -> None:
    """What the fields hold at the click: the page may not have been drawn since the last was typed."""
    values = {name: st.session_state[key] for name, key in keys.items() if st.session_state.get(key) is not None}
    st.session_state[text_key] = with_defaults(chosen.text, values)


def choose_sizing(rule: Rule, slot: str, text_key: str) -> None:
    """Offer the ways to size an entry, by ATR too; the text gets the chosen one, the rest stays as written."""
    now = rule.sizing
    kind_now = "shares" if now is None else _BY_ATR if now.atr_period is not None else now.mode.value
    with st.expander(t("rules.sizing"), expanded=now is None, icon=":material/scale:"):
        kind = st.selectbox(
            t("rules.sizing_mode"), _KINDS, _KINDS.index(kind_now), key=f"sizing_{slot}",
            format_func=lambda one: t(f"sizing.{one}"),
        ) or kind_now  # fmt: skip
        first, second, third = st.columns(3)
        shown, percent = _start(now, kind), kind in _SHARE_OF_EQUITY
        whole = kind == "shares"
        keys = [f"size_{kind}_{slot}"]
        first.number_input(
            t(f"sizing.unit_{'pct' if percent else kind}"), 1 if whole else 0.01, 100.0 if percent else None,
            int(shown) if whole else float(shown), key=keys[0],
        )  # fmt: skip
        if kind == _BY_ATR:
            bars, times = _atr(now)
            keys += [f"size_bars_{slot}", f"size_times_{slot}"]
            second.number_input(t("sizing.atr_period"), 1, 500, bars, key=keys[1])
            third.number_input(t("sizing.atr_multiple"), 0.1, 100.0, times, key=keys[2])
        st.caption(t(f"sizing.about_{kind}"))
        st.button(t("rules.sizing_use"), key=f"sizing_use_{slot}", on_click=_resize, args=(kind, keys, text_key))


def _start(now: Sizing | None, kind: str) -> float:
    same = now is not None and kind == (_BY_ATR if now.atr_period is not None else now.mode.value)
    return now.value if now is not None and same and isinstance(now.value, int | float) else _START[kind]


def _atr(now: Sizing | None) -> tuple[int, float]:
    period = 14 if now is None or not isinstance(now.atr_period, int | float) else int(now.atr_period)
    multiple = 2.0 if now is None or not isinstance(now.atr_multiple, int | float) else float(now.atr_multiple)
    return period, multiple


def _resize(kind: str, keys: list[str], text_key: str) -> None:
    value, *atr = (st.session_state.get(key) for key in keys)
    if value is None or None in atr:
        return  # a field was emptied
    wanted = Sizing(SizingMode.RISK_PCT if kind == _BY_ATR else SizingMode(kind), value, *atr)
    confirm.attempt(lambda: _write(text_key, wanted), t("rules.sizing_done"))


def _write(text_key: str, wanted: Sizing) -> None:
    st.session_state[text_key] = with_sizing(st.session_state[text_key], wanted)
