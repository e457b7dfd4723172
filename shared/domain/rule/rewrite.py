"""One place of a rule's text changed and the rest left as a person wrote it, comments included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from shared.domain.rule.model import Number, Rule, Sizing
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid
from shared.domain.rule.write import to_json, to_yaml


def with_sizing(text: str, sizing: Sizing) -> str:
    """Return a rule's text with another sizing; it may be one that the rule's checks then refuse.

    Raises:
        RuleInvalid: `text` is no rule.
    """
    said = {"mode": sizing.mode.value, "value": sizing.value}
    if sizing.atr_period is not None:
        said |= {"atr_period": sizing.atr_period, "atr_multiple": sizing.atr_multiple}
    line = "sizing: {" + ", ".join(f"{key}: {value}" for key, value in said.items()) + "}"
    return _kept(_section(text, "sizing", line), text, replace(parse_rule(text), sizing=sizing))


def with_defaults(text: str, values: Mapping[str, Number]) -> str:
    """Return a rule's text with other defaults of its parameters; an unknown name changes nothing.

    Raises:
        RuleInvalid: `text` is no rule.
    """
    rule = parse_rule(text)
    changed = text
    for name, value in values.items():
        found = rf"(?m)^(\s*{re.escape(name)}:\s*\{{\s*default:\s*)[^,}}\s]+"
        changed = re.sub(found, lambda match, value=value: f"{match[1]}{value}", changed, count=1)  # type: ignore[misc]
    params = tuple(replace(one, default=values.get(one.name, one.default)) for one in rule.params)
    return _kept(changed, text, replace(rule, params=params))


def _section(text: str, key: str, line: str) -> str:
    """`line` in the place of a top-level section and what is indented under it; at the end where there is none."""
    lines = text.splitlines()
    begin = next((place for place, one in enumerate(lines) if one.startswith(f"{key}:")), None)
    if begin is None:
        return "\n".join([*lines, line]) + "\n"
    end = begin + 1
    while end < len(lines) and lines[end].startswith((" ", "\t")):
        end += 1
    return "\n".join([*lines[:begin], line, *lines[end:]]) + "\n"


def _kept(changed: str, text: str, wanted: Rule) -> str:
    """The changed text where it says what is wanted, else the rule written anew: JSON, or a layout nobody foresaw."""
    try:
        if parse_rule(changed) == wanted:
            return changed
    except RuleInvalid:
        pass
    return to_json(wanted) if text.lstrip().startswith("{") else to_yaml(wanted)
