"""A rule as a form holds it: rows of text that a person chose or typed, and the YAML they make.

What a form cannot hold (conditions two deep, code, ladders …) is named, never dropped: such a rule is for the editor of text.
Numbers stay text here, so that a slip of the hand reaches the same checks, and the same words, as a text typed by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from shared.domain.rule import model as m
from shared.domain.rule.catalogue import find_indicator
from shared.domain.rule.write import as_yaml, operand_text, to_document

BY_ATR = "risk_atr"  # risk_pct by ATR; what a share risks is not the way to its stop
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
_GUARDS = ("stop_loss", "take_profit", "trailing_stop", "time_stop")
_USUAL = {  # an order as the rule need not say it
    "order_type": m.Execution().order_type.value,
    "offset_ticks": 0,
    "time_in_force": m.Execution().time_in_force.value,
    "cooldown_sec": 0,
    "unfilled": {"action": m.Unfilled().action.value, "after_sec": m.Unfilled().after_sec},
    "approval": m.Approval.NONE.value,
}


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    id: str
    alias: str
    params: tuple[tuple[str, str], ...] = ()  # those that are not left at their default
    output: str = "value"
    source: str = m.PriceField.CLOSE.value
    shift: str = "0"
    name: str = ""


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A comparison; or a candle pattern, where `pattern` says which. `scale` and `scalar` change the right side.

    Rows of one `bundle` stand side by side and count as one condition, by `logic`; 0: a row by itself.
    """

    left: str = "close"
    operator: str = m.Operator.GREATER_THAN.value
    right: str = "0"
    upper: str = ""  # `between` alone
    scale: str = ""
    scalar: str = ""
    pattern: str = ""
    signal: str = m.PatternSignal.DETECTED.value
    bundle: int = 0
    logic: str = ""


@dataclass(frozen=True, slots=True)
class GuardRow:
    on: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True)
class SizeRow:
    kind: str = ""  # "": the rule does not say
    value: str = ""
    atr_period: str = "14"
    atr_multiple: str = "2"


@dataclass(frozen=True, slots=True)
class OrderRow:
    type: str
    offset_ticks: str
    time_in_force: str
    cooldown_sec: str
    unfilled: str
    unfilled_sec: str
    approval: bool


@dataclass(frozen=True, slots=True)
class Sketch:
    """Everything that the form shows; `base` keeps what it does not."""

    base: m.Rule
    name: str
    symbols: str
    timeframe: str
    evaluate: str
    params: tuple[tuple[str, str], ...]  # name → default
    indicators: tuple[IndicatorRow, ...]
    entry_logic: str
    entry: tuple[ConditionRow, ...]
    exit_logic: str
    exit: tuple[ConditionRow, ...]
    stop_loss: GuardRow
    take_profit: GuardRow
    trailing_stop: GuardRow
    time_stop: GuardRow
    size: SizeRow
    order: OrderRow


def unsayable(rule: m.Rule) -> tuple[str, ...]:
    """What of the rule the form has no place for, as keys of shared.words under "sketch.no."; () when it has for all."""
    found = [
        name for name in ("python", "composite", "ladder", "grid", "rebalance") if getattr(rule, name) not in ("", None)
    ]
    for group in (rule.entry, rule.exit):
        for one in group.conditions:
            found += (
                [_no_place(one)] if not isinstance(one, m.Group) else [_no_place(inner) for inner in one.conditions]
            )
    found = [word for word in found if word]
    return tuple(dict.fromkeys(found))


def _no_place(one: m.Condition) -> str:
    if isinstance(one, m.Comparison) and isinstance(one.left, m.Scaled):
        return "scaled_left"
    return {m.Group: "nested", m.Not: "negated", m.Vote: "vote"}.get(type(one), "")


def sketch_of(rule: m.Rule) -> Sketch:
    """Put a rule into the form that `unsayable` has nothing against."""
    unfilled = rule.execution.unfilled
    stop = rule.risk.time_stop
    return Sketch(
        base=rule,
        name=rule.metadata.name,
        symbols=", ".join(rule.universe),
        timeframe=rule.timeframe.value,
        evaluate=rule.evaluate.value,
        params=tuple((one.name, str(one.default)) for one in rule.params),
        indicators=tuple(_indicator(one) for one in rule.indicators),
        entry_logic=rule.entry.logic.value,
        entry=_rows(rule.entry),
        exit_logic=rule.exit.logic.value,
        exit=_rows(rule.exit),
        stop_loss=_guard(rule.risk.stop_loss),
        take_profit=_guard(rule.risk.take_profit),
        trailing_stop=_guard(rule.risk.trailing_stop),
        time_stop=GuardRow() if stop is None else GuardRow(stop.enabled, _said(stop.bars)),
        size=_size(rule.sizing),
        order=OrderRow(
            rule.execution.order_type.value, str(rule.execution.offset_ticks), rule.execution.time_in_force.value,
            str(rule.execution.cooldown_sec), unfilled.action.value, str(unfilled.after_sec),
            rule.execution.approval is m.Approval.REQUIRED,
        ),
    )  # fmt: skip


def text_of(sketch: Sketch) -> str:
    """The YAML of the form, right or wrong: the checks of a text judge it."""
    return as_yaml(_document(sketch))


def fresh_alias(identity: str, taken: list[str]) -> str:
    """A name for a new indicator that no other has."""
    stem, number = identity.lower(), 2
    if stem not in taken and stem not in {one.value for one in m.PriceField}:
        return stem
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"


def operands(rows: tuple[IndicatorRow, ...]) -> list[str]:
    """What a condition may look at: prices, each indicator and each of its outputs, facts of the position."""
    found = [one.value for one in m.PriceField]
    for row in rows:
        found.append(row.alias)
        spec = find_indicator(row.id)
        if spec is not None:
            found += [f"{row.alias}.{output}" for output in spec.outputs if output not in ("value", "real")]
    return [*dict.fromkeys(found), *(one.value for one in m.Fact)]


# -- rule → rows ------------------------------------------------------------------------------------------------------


def _said(value: object) -> str:
    return "" if value is None else str(value)


def _indicator(one: m.Indicator) -> IndicatorRow:
    params = tuple((key, str(value)) for key, value in one.params)
    return IndicatorRow(one.id, one.alias, params, one.output, one.source.value, str(one.shift), one.name)


def _rows(group: m.Group) -> tuple[ConditionRow, ...]:
    found: list[ConditionRow] = []
    for bundle, one in enumerate(group.conditions, 1):
        if isinstance(one, m.Group):
            found += [replace(_row(inner), bundle=bundle, logic=one.logic.value) for inner in one.conditions]
        else:
            found.append(_row(one))
    return tuple(found)


def _row(one: m.Condition) -> ConditionRow:
    if isinstance(one, m.Pattern):
        return ConditionRow(pattern=one.candlestick, signal=one.signal.value)
    assert isinstance(one, m.Comparison)
    left, operator = operand_text(one.left), one.operator.value
    if isinstance(one.right, m.Scaled):
        base = operand_text(one.right.base)
        return ConditionRow(left, operator, base, scale=one.right.operation.value, scalar=str(one.right.scalar))
    upper = "" if one.upper is None else operand_text(one.upper)
    return ConditionRow(left, operator, operand_text(one.right), upper)


def _guard(guard: m.Guard | None) -> GuardRow:
    return GuardRow() if guard is None else GuardRow(guard.enabled, _said(guard.percent))


def _size(sizing: m.Sizing | None) -> SizeRow:
    if sizing is None:
        return SizeRow()
    if sizing.atr_period is None:
        return SizeRow(sizing.mode.value, str(sizing.value))
    return SizeRow(BY_ATR, str(sizing.value), str(sizing.atr_period), str(sizing.atr_multiple))


# -- rows → document --------------------------------------------------------------------------------------------------


def _document(sketch: Sketch) -> dict[str, Any]:
    kept = to_document(replace(sketch.base, universe=(), sizing=None))
    strategy = kept["strategy"]
    params = strategy.get("params", {})
    for name, default in sketch.params:
        if name in params:
            params[name] = {**params[name], "default": _value(default)}
    top: dict[str, Any] = {
        "version": kept["version"],
        "metadata": {**kept["metadata"], "name": sketch.name},
        "strategy": {
            "id": strategy["id"], "category": strategy["category"], "timeframe": sketch.timeframe,
            "evaluate": sketch.evaluate, "params": params,
            "indicators": [_indicator_document(one) for one in sketch.indicators],
            "candlesticks": strategy.get("candlesticks", []), "entry": _group(sketch.entry_logic, sketch.entry),
            "exit": _group(sketch.exit_logic, sketch.exit),
        },
        "risk": _risk(sketch, kept.get("risk", {})),
        "sizing": _sizing(sketch.size),
        "execution": _execution(sketch, kept.get("execution", {})),
        "universe": [one.strip().upper() for one in sketch.symbols.split(",") if one.strip()],
    }  # fmt: skip
    top["strategy"] = {key: value for key, value in top["strategy"].items() if value not in ({}, [])}
    return {key: value for key, value in top.items() if value not in ({}, [])}


def _value(text: str) -> int | float | str:
    """A number where it is one; anything else stays as typed, for the checks to refuse by name."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _indicator_document(row: IndicatorRow) -> dict[str, Any]:
    found: dict[str, Any] = {"id": row.id, "alias": row.alias}
    if row.name:
        found["name"] = row.name
    if params := {key: _value(value) for key, value in row.params if value.strip()}:
        found["params"] = params
    if row.output != "value":
        found["output"] = row.output
    if row.source != m.PriceField.CLOSE:
        found["source"] = row.source
    return found | ({"shift": _value(row.shift)} if row.shift.strip() not in ("", "0") else {})


def _group(logic: str, rows: tuple[ConditionRow, ...]) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = []
    for bundle, some in groupby(rows, key=lambda one: one.bundle):
        of = list(some)
        if bundle:
            word = "all" if of[0].logic == m.Logic.ALL else "any"
            conditions.append({word: [_condition(one) for one in of]})
        else:
            conditions += [_condition(one) for one in of]
    return {"logic": logic, "conditions": conditions} if rows else {}


def _condition(row: ConditionRow) -> dict[str, Any]:
    if row.pattern:
        return {"candlestick": row.pattern, "signal": row.signal}
    found = {"indicator": _value(row.left), "operator": row.operator}
    if row.operator == m.Operator.BETWEEN:
        return found | {"value": [_value(row.right), _value(row.upper)]}
    right = _value(row.right)
    if row.scale:
        return found | {"compare_to": right, "compare_scalar": _value(row.scalar), "compare_operation": row.scale}
    return found | {"value" if not isinstance(right, str) or right.startswith("$") else "compare_to": right}


def _risk(sketch: Sketch, kept: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name in _GUARDS:
        row: GuardRow = getattr(sketch, name)
        if row == GuardRow():
            if name in kept and not kept[name].get("enabled"):
                found[name] = kept[name]
            continue
        found[name] = {"enabled": row.on} | (
            {"bars" if name == "time_stop" else "percent": _value(row.value)} if row.value.strip() else {}
        )
    return found | {key: value for key, value in kept.items() if key == "max_position_size"}


def _sizing(row: SizeRow) -> dict[str, Any]:
    if not row.kind:
        return {}
    if row.kind != BY_ATR:
        return {"mode": row.kind, "value": _value(row.value)}
    atr = {"atr_period": _value(row.atr_period), "atr_multiple": _value(row.atr_multiple)}
    return {"mode": m.SizingMode.RISK_PCT.value, "value": _value(row.value)} | atr


def _execution(sketch: Sketch, kept: dict[str, Any]) -> dict[str, Any]:
    row = sketch.order
    found = {
        "order_type": row.type, "offset_ticks": _value(row.offset_ticks), "time_in_force": row.time_in_force,
        "cooldown_sec": _value(row.cooldown_sec),
        "unfilled": {"action": row.unfilled, "after_sec": _value(row.unfilled_sec)},
        "approval": (m.Approval.REQUIRED if row.approval else m.Approval.NONE).value,
    }  # fmt: skip
    changed = {key: value for key, value in found.items() if value != _USUAL[key]}
    return changed | {key: value for key, value in kept.items() if key == "approval_sec"}
