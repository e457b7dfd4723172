"""Text → Rule, or every problem of the text at once.

Two passes: fields typed by the tables of schema.py, then (validate.py) names that must fit together. `parse_rule` is the
only way from text to a Rule, so a Rule in hand has passed both.
"""

from __future__ import annotations

import re
from dataclasses import replace

from shared.domain.market import Timeframe
from shared.domain.order import OrderType, TimeInForce
from shared.domain.rule import model as m
from shared.domain.rule.fields import Fields, Findings
from shared.domain.rule.problem import RuleInvalid
from shared.domain.rule.python_text import is_python, settings_of
from shared.domain.rule.schema import OPERATOR_ALIASES
from shared.domain.rule.text import Node, Table, decoded, read_text
from shared.domain.rule.validate import check_references

_VERSION = re.compile(r"\d+(\.\d+)*")
_NESTED = {"all": m.Logic.ALL, "any": m.Logic.ANY}


def parse_rule(source: str | bytes) -> m.Rule:
    """Return the rule written in YAML or JSON text, or in Python with its settings in a comment block.

    Raises:
        RuleInvalid: with every problem found, each with path, reason, mend and (YAML) line.
    """
    text = decoded(source)
    return parse_python(text) if is_python(text) else _read(read_text(text))


def parse_python(source: str | bytes) -> m.Rule:
    """Return the rule of a Python text, whatever it looks like; the code itself is not looked at.

    Raises:
        RuleInvalid: too large, not UTF-8, or its settings are not those of a rule.
    """
    text = decoded(source)
    settings, problems = settings_of(text)
    if problems:
        raise RuleInvalid(problems)
    return _read(settings, python=text)


def _read(document: Table, python: str = "") -> m.Rule:
    findings = Findings()
    top = Fields.of(document, "rule", "", findings)
    rule = _rule(top, findings) if not findings.problems else None
    if findings.problems or rule is None:
        raise RuleInvalid(tuple(findings.problems))
    rule = replace(rule, python=python)
    problems = check_references(rule, findings.lines)
    if problems:
        raise RuleInvalid(problems)
    return rule


def _rule(top: Fields, findings: Findings) -> m.Rule | None:
    strategy = top.section("strategy")
    version = top.text("version", "1.0")
    if not _VERSION.fullmatch(version):
        top.complain("version", f"버전 {version!r}을 읽을 수 없습니다", f"{version!r} is no version", '"1.0"', '"1.0"')
    indicators = _indicators(strategy.sections("indicators"))
    findings.aliases.update(one.alias for one in indicators)
    rule = m.Rule(
        metadata=_metadata(top.section("metadata")),
        id=strategy.text("id", ""),
        category=strategy.text("category", "custom"),
        timeframe=Timeframe(strategy.choice("timeframe", Timeframe.D1)),
        evaluate=m.EvaluateOn(strategy.choice("evaluate", m.EvaluateOn.BAR_CLOSE)),
        params=tuple(_param(name, one) for name, one in strategy.named("params")),
        indicators=indicators,
        candlesticks=_candlesticks(strategy.sections("candlesticks")),
        entry=_group(strategy.section("entry"), m.Logic.ALL),
        exit=_group(strategy.section("exit"), m.Logic.ANY),
        composite=_composite(strategy),
        ladder=_ladder(top),
        grid=_grid(top),
        rebalance=_rebalance(top),
        risk=_risk(top.section("risk")),
        sizing=_sizing(top),
        execution=_execution(top.section("execution")),
        universe=tuple(top.texts("universe")),
        version=version,
    )
    return None if findings.problems else rule


def _metadata(fields: Fields) -> m.Metadata:
    return m.Metadata(
        name=fields.text("name", ""),
        description=fields.text("description", ""),
        author=fields.text("author", "user"),
        tags=tuple(fields.texts("tags")),
        created_at=fields.text_or_none("created_at"),
        updated_at=fields.text_or_none("updated_at"),
        name_en=fields.text("name_en", ""),
        description_en=fields.text("description_en", ""),
    )


def _param(name: str, fields: Fields) -> m.Param:
    return m.Param(
        name=name,
        default=fields.number("default") or 0,
        min=fields.number("min"),
        max=fields.number("max"),
        step=fields.number("step"),
        type=fields.text_or_none("type"),
        description=fields.text("description", ""),
        description_en=fields.text("description_en", ""),
    )


def _indicators(all_fields: list[Fields]) -> tuple[m.Indicator, ...]:
    """Indicators in file order; one without an alias gets `id_1`, `id_2` … as the official builder does."""
    counters: dict[str, int] = {}
    found = []
    for fields in all_fields:
        identity = fields.text("id", "")
        found.append(
            m.Indicator(
                id=identity,
                alias=fields.text_or_none("alias") or _numbered(identity, counters),
                params=tuple(fields.values("params")),
                output=fields.text("output", "value"),
                name=fields.text("name", ""),
                source=m.PriceField(fields.choice("source", m.PriceField.CLOSE)),
                shift=fields.integer("shift", 0),
            )
        )
    return tuple(found)


def _candlesticks(all_fields: list[Fields]) -> tuple[m.Candlestick, ...]:
    counters: dict[str, int] = {}
    found = []
    for fields in all_fields:
        identity = fields.text("id", "")
        found.append(m.Candlestick(identity, fields.text_or_none("alias") or _numbered(identity, counters)))
    return tuple(found)


def _numbered(identity: str, counters: dict[str, int]) -> str:
    counters[identity] = counters.get(identity, 0) + 1
    return f"{identity}_{counters[identity]}"


# -- conditions -------------------------------------------------------------------------------------------------------


def _group(fields: Fields, default: m.Logic) -> m.Group:
    logic = m.Logic(fields.choice("logic", default).upper())
    return m.Group(logic, _conditions(fields, "conditions"))


def _conditions(fields: Fields, key: str) -> tuple[m.Condition, ...]:
    read = (_condition(node, path, fields.findings) for path, node in fields.nodes(key))
    return tuple(one for one in read if one is not None)


def _condition(node: Node, path: str, findings: Findings) -> m.Condition | None:
    if not isinstance(node, Table):
        findings.add(
            path, node.line, "조건이 아닙니다", "not a condition", "indicator: … 로 쓰세요", "write indicator: …"
        )
        return None
    if "candlestick" in node.values:
        fields = Fields.of(node, "pattern", path, findings)
        signal = fields.choice("signal", m.PatternSignal.DETECTED)
        return m.Pattern(fields.text("candlestick", ""), m.PatternSignal(signal))
    if "conditions" in node.values:
        return _group(Fields.of(node, "group", path, findings), m.Logic.ALL)
    for word, logic in _NESTED.items():
        if word in node.values:
            return m.Group(logic, _conditions(Fields.of(node, word, path, findings), word))
    if "vote" in node.values:
        return _vote(Fields.of(node, "vote", path, findings).section("vote"))
    if "not" in node.values:
        Fields.of(node, "not", path, findings)
        inner = _condition(node.values["not"], f"{path}.not", findings)
        return None if inner is None else m.Not(inner)
    return _comparison(Fields.of(node, "comparison", path, findings))


def _vote(fields: Fields) -> m.Vote:
    at_least = fields.number_or_param("at_least")
    return m.Vote(_conditions(fields, "of"), 1 if at_least is None else at_least, tuple(fields.numbers("weights")))


def _comparison(fields: Fields) -> m.Comparison | None:
    word = fields.text_or_none("operator")
    left = fields.operand("indicator", "output")
    rights = fields.operands("value", None) or fields.operands("compare_to", "compare_output")
    if word is None:
        if not fields.has("operator"):
            fields.complain(
                "operator",
                "비교 방법이 없습니다",
                "the operator is missing",
                "operator: greater_than",
                "operator: greater_than",
            )
        return None
    operator = OPERATOR_ALIASES.get(word) or m.Operator(word)
    wanted = 2 if operator is m.Operator.BETWEEN else 1
    if len(rights) != wanted:
        ko = f"{operator.value}에는 오른쪽 값이 {wanted}개 필요합니다"
        en = f"{operator.value} needs {wanted} value(s) on the right"
        fields.complain("value", ko, en, *(2 * ("value: [30, 70]" if wanted == 2 else "value: 30 / compare_to: slow",)))
        return None
    if left is None:
        return None
    return m.Comparison(left, operator, _scaled(fields, rights[0]), rights[1] if wanted == 2 else None)


def _scaled(fields: Fields, right: m.Operand) -> m.Operand:
    scalar = fields.number_or_param("compare_scalar")
    operation = m.Scaling(fields.choice("compare_operation", m.Scaling.MUL))
    if scalar is None:
        return right
    if not isinstance(right, m.Price | m.IndicatorRef | m.FactRef):
        fields.complain(
            "compare_scalar",
            "수에는 적용할 수 없습니다",
            "cannot be applied to a number",
            "compare_to에 지표를 쓰거나 지우세요",
            "name an indicator in compare_to, or remove it",
        )
        return right
    return m.Scaled(right, operation, scalar)


def _composite(strategy: Fields) -> m.Composite | None:
    if not strategy.has("composite"):
        return None
    fields = strategy.section("composite")
    members = []
    for one in fields.sections("members"):
        weight = one.number("weight")
        entry, leave = _group(one.section("entry"), m.Logic.ALL), _group(one.section("exit"), m.Logic.ANY)
        members.append(m.Member(one.text("name", ""), entry, leave, 1 if weight is None else weight))
    mode = m.CompositeMode(fields.choice("mode", m.CompositeMode.AND))
    return m.Composite(mode, tuple(members), fields.number_or_param("at_least"))


# -- risk, sizing, execution ------------------------------------------------------------------------------------------


def _risk(fields: Fields) -> m.Risk:
    return m.Risk(
        stop_loss=_guard(fields, "stop_loss"),
        take_profit=_guard(fields, "take_profit"),
        trailing_stop=_guard(fields, "trailing_stop"),
        time_stop=_time_stop(fields),
        max_position_size=fields.number("max_position_size"),
    )


def _guard(risk: Fields, key: str) -> m.Guard | None:
    if not risk.has(key):
        return None
    fields = risk.section(key)
    guard = m.Guard(fields.flag("enabled"), fields.number_or_param("percent"))
    if guard.enabled and guard.percent is None:
        fields.complain(
            "percent", "켜졌지만 퍼센트가 없습니다", "on, but without a percent", "percent: 5.0", "percent: 5.0"
        )
    return guard


def _time_stop(risk: Fields) -> m.TimeStop | None:
    if not risk.has("time_stop"):
        return None
    fields = risk.section("time_stop")
    stop = m.TimeStop(fields.flag("enabled"), fields.number_or_param("bars"))
    if stop.enabled and stop.bars is None:
        fields.complain("bars", "켜졌지만 봉 수가 없습니다", "on, but without bars", "bars: 20", "bars: 20")
    return stop


def _sizing(top: Fields) -> m.Sizing | None:
    if not top.has("sizing"):
        return None
    fields = top.section("sizing")
    value = fields.number_or_param("value")
    mode = m.SizingMode(fields.choice("mode", m.SizingMode.SHARES))
    period, multiple = fields.number_or_param("atr_period"), fields.number_or_param("atr_multiple")
    return m.Sizing(mode, 1 if value is None else value, period, 2 if multiple is None else multiple)


def _ladder(top: Fields) -> m.Ladder | None:
    if not top.has("ladder"):
        return None
    fields, usual = top.section("ladder"), m.Ladder(2)

    def number(key: str, default: m.NumberOrParam) -> m.NumberOrParam:
        found = fields.number_or_param(key)
        return default if found is None else found

    return m.Ladder(
        splits=number("splits", 2),
        order_type=OrderType(fields.choice("order_type", usual.order_type)),
        first_pct=number("first_pct", usual.first_pct),
        limit_pct=number("limit_pct", usual.limit_pct),
        early_splits=number("early_splits", usual.early_splits),
        early_pct=number("early_pct", usual.early_pct),
    )


def _grid(top: Fields) -> m.Grid | None:
    if not top.has("grid"):
        return None
    fields = top.section("grid")
    upper, lower, levels = (fields.number_or_param(key) for key in ("upper", "lower", "levels"))
    return None if upper is None or lower is None or levels is None else m.Grid(upper, lower, levels)


def _rebalance(top: Fields) -> m.Rebalance | None:
    if not top.has("rebalance"):
        return None
    fields = top.section("rebalance")
    weights: list[tuple[str, m.Number]] = []
    for symbol, value in fields.values("weights"):
        if isinstance(value, int | float) and 0 <= value <= 100:
            weights.append((symbol, value))
        else:
            fields.complain(
                "weights", f"{symbol}의 비중이 0~100의 수가 아닙니다", f"{symbol} has no weight from 0 to 100",
                f"{symbol}: 50", f"{symbol}: 50",
            )  # fmt: skip
    band = fields.number_or_param("band_pct")
    return m.Rebalance(tuple(weights), 5 if band is None else band)


def _execution(fields: Fields) -> m.Execution:
    unfilled = fields.section("unfilled")
    return m.Execution(
        order_type=OrderType(fields.choice("order_type", OrderType.LIMIT).upper()),
        offset_ticks=fields.integer("offset_ticks", 0),
        time_in_force=TimeInForce(fields.choice("time_in_force", TimeInForce.DAY)),
        cooldown_sec=fields.integer("cooldown_sec", 0),
        unfilled=m.Unfilled(
            m.UnfilledAction(unfilled.choice("action", m.UnfilledAction.KEEP)), unfilled.integer("after_sec", 0)
        ),
        approval=m.Approval(fields.choice("approval", m.Approval.NONE)),
        approval_sec=fields.integer("approval_sec", 120),
    )
