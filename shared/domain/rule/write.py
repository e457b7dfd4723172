"""Rule → text: the same rule as YAML or JSON. Reading either back gives an equal Rule (the round trip is lossless)."""

from __future__ import annotations

import json
from dataclasses import fields
from enum import StrEnum
from typing import Any

import yaml

from shared.domain.rule import model as m

Document = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Writes text with control characters in double quotes; elsewhere they would be read back as line breaks."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        odd = not text.replace("\n", "").isprintable()
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if odd else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def to_yaml(rule: m.Rule) -> str:
    """Return the rule as YAML in our key order; Korean stays readable."""
    return as_yaml(to_document(rule))


def as_yaml(document: Document) -> str:
    """Return a document as YAML; it need not be a rule yet."""
    return yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


def to_json(rule: m.Rule) -> str:
    """Return the rule as indented JSON."""
    return json.dumps(to_document(rule), ensure_ascii=False, indent=2) + "\n"


def to_document(rule: m.Rule) -> Document:
    """Return plain tables and lists in the order a person would write them; what is at its default is left out."""
    document: Document = {
        "version": rule.version,
        "metadata": _plain(rule.metadata),
        "strategy": {"id": rule.id} | _strategy(rule),
    }
    if rule.risk != m.Risk():
        document["risk"] = _plain(rule.risk)
    if rule.sizing is not None:
        document["sizing"] = _plain(rule.sizing)
    if rule.execution != m.Execution():
        document["execution"] = _execution(rule.execution)
    for key in ("ladder", "grid"):
        if (section := getattr(rule, key)) is not None:
            document[key] = _plain(section)
    if rule.rebalance is not None:
        document["rebalance"] = {"weights": dict(rule.rebalance.weights), "band_pct": _plain(rule.rebalance.band_pct)}
    if rule.universe:
        document["universe"] = list(rule.universe)
    return document


def _strategy(rule: m.Rule) -> Document:
    found: Document = {"category": rule.category, "timeframe": rule.timeframe.value, "evaluate": rule.evaluate.value}
    if rule.params:
        found["params"] = {one.name: {k: v for k, v in _plain(one).items() if k != "name"} for one in rule.params}
    if rule.indicators:
        found["indicators"] = [_indicator(one) for one in rule.indicators]
    if rule.candlesticks:
        found["candlesticks"] = [{"id": one.id, "alias": one.alias} for one in rule.candlesticks]
    if rule.composite is not None:
        found["composite"] = _composite(rule.composite)
    if rule.entry != m.Group(m.Logic.ALL):
        found["entry"] = _top_group(rule.entry)
    if rule.exit != m.Group(m.Logic.ANY):
        found["exit"] = _top_group(rule.exit)
    return found


def _composite(composite: m.Composite) -> Document:
    found: Document = {"mode": composite.mode.value}
    if composite.at_least is not None:
        found["at_least"] = _plain(composite.at_least)
    members = []
    for one in composite.members:
        member: Document = {"name": one.name, "entry": _top_group(one.entry), "exit": _top_group(one.exit)}
        members.append(member if one.weight == 1 else member | {"weight": one.weight})
    return found | {"members": members}


def _plain(value: Any) -> Any:
    """A dataclass as a table of its fields that are not at their default, parameters as `$name`."""
    if isinstance(value, m.ParamRef):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value.value if isinstance(value, StrEnum) else value
    pairs = ((one.name, getattr(value, one.name), one.default) for one in fields(value))
    return {name: _plain(found) for name, found, default in pairs if found != default or name == "name"}


def _execution(execution: m.Execution) -> Document:
    found: Document = _plain(execution)
    if execution.unfilled != m.Unfilled():
        found["unfilled"] = {
            "action": execution.unfilled.action.value,
            "after_sec": execution.unfilled.after_sec,
        }
    return found


def _indicator(one: m.Indicator) -> Document:
    found: Document = {"id": one.id, "alias": one.alias}
    if one.name:
        found["name"] = one.name
    if one.params:
        found["params"] = {key: _plain(value) for key, value in one.params}
    if one.output != "value":
        found["output"] = one.output
    if one.source is not m.PriceField.CLOSE:
        found["source"] = one.source.value
    return found | {"shift": one.shift} if one.shift else found


def _top_group(group: m.Group) -> Document:
    return {"logic": group.logic.value, "conditions": [_condition(one) for one in group.conditions]}


def _condition(one: m.Condition) -> Document:
    if isinstance(one, m.Group):
        word = "all" if one.logic is m.Logic.ALL else "any"
        return {word: [_condition(inner) for inner in one.conditions]}
    if isinstance(one, m.Vote):
        vote: Document = {"at_least": _plain(one.at_least), "of": [_condition(inner) for inner in one.conditions]}
        return {"vote": vote | {"weights": list(one.weights)} if one.weights else vote}
    if isinstance(one, m.Not):
        return {"not": _condition(one.condition)}
    if isinstance(one, m.Pattern):
        return {"candlestick": one.candlestick, "signal": one.signal.value}
    return _comparison(one)


def _comparison(one: m.Comparison) -> Document:
    found: Document = {"indicator": operand_text(one.left), "operator": one.operator.value}
    if one.upper is not None:
        return found | {"value": [_operand(one.right), _operand(one.upper)]}
    if isinstance(one.right, m.Scaled):
        return found | {
            "compare_to": operand_text(one.right.base),
            "compare_scalar": _plain(one.right.scalar),
            "compare_operation": one.right.operation.value,
        }
    key = "value" if isinstance(one.right, m.Constant | m.ParamRef) else "compare_to"
    return found | {key: _operand(one.right)}


def _operand(one: m.Operand) -> m.Number | str:
    return one.value if isinstance(one, m.Constant) else operand_text(one)


_SIGNS = {m.Scaling.MUL: "×", m.Scaling.DIV: "÷", m.Scaling.ADD: "+", m.Scaling.SUB: "−"}


def operand_text(one: m.Operand) -> str:
    """Return an operand as it is written in a rule; a scaled one as a person would say it (`slow × 0.9`)."""
    match one:
        case m.Constant(value):
            return f"{value}"
        case m.ParamRef():
            return str(one)
        case m.Price(field):
            return field.value
        case m.FactRef(fact):
            return fact.value
        case m.IndicatorRef(alias, output):
            return alias if output is None else f"{alias}.{output}"
        case m.Scaled(base, operation, scalar):
            return f"{operand_text(base)} {_SIGNS[operation]} {scalar}"
