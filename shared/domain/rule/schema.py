"""What may be written in a rule file: one table per section, read by the parser and printed as JSON Schema.

The tables hold design.md §7: the official `.kis.yaml` v1.0 with our additions. `python -m shared.domain.rule.schema`
prints docs/rule.schema.json; a test compares the two.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain.market import RULE_TIMEFRAMES
from shared.domain.order import OrderType, TimeInForce
from shared.domain.rule.model import (
    Approval,
    CompositeMode,
    EvaluateOn,
    Logic,
    Operator,
    PatternSignal,
    PriceField,
    Scaling,
    SizingMode,
    UnfilledAction,
)

OPERATOR_ALIASES: dict[str, Operator] = {
    "indicator_cross_above": Operator.CROSS_ABOVE,
    "indicator_cross_below": Operator.CROSS_BELOW,
    "crosses_above": Operator.CROSS_ABOVE,
    "crosses_below": Operator.CROSS_BELOW,
    "crossover": Operator.CROSS_ABOVE,
    "crossunder": Operator.CROSS_BELOW,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
    ">=": Operator.GREATER_EQUAL,
    "<=": Operator.LESS_EQUAL,
    "==": Operator.EQUAL,
    "!=": Operator.NOT_EQUAL,
    "gt": Operator.GREATER_THAN,
    "lt": Operator.LESS_THAN,
    "gte": Operator.GREATER_EQUAL,
    "lte": Operator.LESS_EQUAL,
    "eq": Operator.EQUAL,
    "equals": Operator.EQUAL,
}


class Kind(StrEnum):
    """How a field is written and typed."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"  # true or false
    CHOICE = "choice"
    NUMBER_OR_PARAM = "number_or_param"  # a number or $name
    TEXTS = "texts"  # a list of texts
    NUMBERS = "numbers"  # a list of numbers
    OPERAND = "operand"  # alias[.output], price, fact, number or $name
    OPERANDS = "operands"  # one of those, or a list of two (between)
    SECTION = "section"
    SECTIONS = "sections"  # a list of sections
    NAMED = "named"  # free keys, each a section
    VALUES = "values"  # free keys, each a number, text or $name
    CONDITION = "condition"
    CONDITIONS = "conditions"


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a section; `least` and `most` count for numbers (`above` is an open lower end)."""

    kind: Kind
    doc: str
    required: bool = False
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    above: float | None = None
    section: str = ""


def _choice(doc: str, values: Iterable[StrEnum], more: tuple[str, ...] = ()) -> Field:
    return Field(Kind.CHOICE, doc, choices=tuple(one.value for one in values) + more)


_NAME = Field(Kind.TEXT, "이름 · name", required=True)
_PERCENT = Field(Kind.NUMBER_OR_PARAM, "퍼센트 · percent", above=0, most=1000)
_ENABLED = Field(Kind.FLAG, "켜짐 · switched on", required=True)
_GUARD = {"enabled": _ENABLED, "percent": _PERCENT}
_CONDITIONS = Field(Kind.CONDITIONS, "조건들 · conditions")
_GROUP = {"logic": _choice("AND 또는 OR · all or any", Logic, ("and", "or")), "conditions": _CONDITIONS}

SECTIONS: dict[str, dict[str, Field]] = {
    "rule": {
        "version": Field(Kind.TEXT, "형식 버전 · format version (1.0)"),
        "metadata": Field(Kind.SECTION, "설명 · who and what", required=True, section="metadata"),
        "strategy": Field(Kind.SECTION, "조건 · conditions", required=True, section="strategy"),
        "risk": Field(Kind.SECTION, "손절·익절 · stops", section="risk"),
        "sizing": Field(Kind.SECTION, "수량 · how much", section="sizing"),
        "execution": Field(Kind.SECTION, "주문 방법 · how to order", section="execution"),
        "ladder": Field(Kind.SECTION, "분할매수 · split buying", section="ladder"),
        "grid": Field(Kind.SECTION, "그리드 · buy each step down, sell each step up", section="grid"),
        "rebalance": Field(Kind.SECTION, "목표 비중 · target weights", section="rebalance"),
        "universe": Field(Kind.TEXTS, '종목코드들 (따옴표 권장) · symbols, e.g. ["005930"]'),
    },
    "metadata": {
        "name": _NAME,
        "description": Field(Kind.TEXT, "설명 · description"),
        "author": Field(Kind.TEXT, "작성자 · author"),
        "tags": Field(Kind.TEXTS, "태그 · tags"),
        "created_at": Field(Kind.TEXT, "만든 때 · created"),
        "updated_at": Field(Kind.TEXT, "고친 때 · changed"),
        "name_en": Field(Kind.TEXT, "영어 이름 · English name"),
        "description_en": Field(Kind.TEXT, "영어 설명 · English description"),
    },
    "strategy": {
        "id": Field(Kind.TEXT, "전략 ID · id", required=True),
        "category": Field(Kind.TEXT, "분류 · category"),
        "timeframe": _choice("봉 단위 · bar length (default 1d)", RULE_TIMEFRAMES),
        "evaluate": _choice("봉 마감 또는 틱 · on bar close (default) or on every tick", EvaluateOn),
        "params": Field(Kind.NAMED, "조절값, $이름으로 씀 · knobs, used as $name", section="param"),
        "indicators": Field(Kind.SECTIONS, "지표들 · indicators", section="indicator"),
        "candlesticks": Field(Kind.SECTIONS, "캔들 패턴들 · candle patterns", section="candlestick"),
        "entry": Field(Kind.SECTION, "매수 조건 · when to buy", section="group"),
        "exit": Field(Kind.SECTION, "매도 조건 · when to sell", section="group"),
        "composite": Field(Kind.SECTION, "여러 규칙을 하나로 · several rules, one decision", section="composite"),
    },
    "composite": {
        "mode": Field(
            Kind.CHOICE, "and, or, vote, weights", required=True, choices=tuple(one.value for one in CompositeMode)
        ),
        "at_least": Field(Kind.NUMBER_OR_PARAM, "몇 개·얼마 이상 · how many or how much weight", above=0),
        "members": Field(Kind.SECTIONS, "규칙들 · the rules", required=True, section="member"),
    },
    "member": {
        "name": _NAME,
        "weight": Field(Kind.NUMBER, "무게 · weight (default 1)", above=0),
        "entry": Field(Kind.SECTION, "매수 조건 · when to buy", required=True, section="group"),
        "exit": Field(Kind.SECTION, "매도 조건 · when to sell", section="group"),
    },
    "param": {
        "default": Field(Kind.NUMBER, "기본값 · default", required=True),
        "min": Field(Kind.NUMBER, "최소 · least"),
        "max": Field(Kind.NUMBER, "최대 · most"),
        "step": Field(Kind.NUMBER, "간격 · step", above=0),
        "type": Field(Kind.CHOICE, "int 또는 float · int or float", choices=("int", "float")),
        "description": Field(Kind.TEXT, "설명 · description"),
        "description_en": Field(Kind.TEXT, "영어 설명 · English description"),
    },
    "indicator": {
        "id": Field(Kind.TEXT, "지표 이름 · indicator, e.g. sma, rsi, bollinger", required=True),
        "alias": Field(Kind.TEXT, "조건에서 쓰는 이름 · name used in conditions"),
        "name": Field(Kind.TEXT, "화면 이름 · shown name"),
        "params": Field(Kind.VALUES, "지표 값 · parameters, e.g. period: 20"),
        "output": Field(Kind.TEXT, "기본 출력 · default output, e.g. upper"),
        "source": _choice("볼 가격 · price looked at (default close)", PriceField),
        "shift": Field(Kind.INTEGER, "몇 봉 앞의 값 · the value so many bars earlier", least=0, most=1000),
    },
    "candlestick": {
        "id": Field(Kind.TEXT, "패턴 이름 · pattern, e.g. engulfing", required=True),
        "alias": Field(Kind.TEXT, "조건에서 쓰는 이름 · name used in conditions"),
    },
    "group": _GROUP,
    "comparison": {
        "indicator": Field(Kind.OPERAND, "왼쪽 값 · left value", required=True),
        "output": Field(Kind.TEXT, "왼쪽 출력 · output of the left value"),
        "operator": _choice("비교 · how to compare", Operator, tuple(OPERATOR_ALIASES)),
        "compare_to": Field(Kind.OPERANDS, "오른쪽 값 · right value"),
        "value": Field(Kind.OPERANDS, "오른쪽 수 · right number; two for between"),
        "compare_output": Field(Kind.TEXT, "오른쪽 출력 · output of the right value"),
        "compare_scalar": Field(Kind.NUMBER_OR_PARAM, "오른쪽에 적용할 수 · number applied to the right value"),
        "compare_operation": _choice("적용 방법 · how (default mul)", Scaling),
    },
    "pattern": {
        "candlestick": Field(Kind.TEXT, "패턴 · pattern", required=True),
        "signal": _choice("방향 · direction (default detected)", PatternSignal),
    },
    "all": {"all": Field(Kind.CONDITIONS, "모두 · all of them", required=True)},
    "any": {"any": Field(Kind.CONDITIONS, "하나라도 · any of them", required=True)},
    "vote": {"vote": Field(Kind.SECTION, "표결 · a vote", required=True, section="vote_of")},
    "vote_of": {
        "at_least": Field(Kind.NUMBER_OR_PARAM, "이 무게 이상 · weight to reach", required=True, above=0),
        "of": Field(Kind.CONDITIONS, "조건들 · conditions", required=True),
        "weights": Field(Kind.NUMBERS, "무게들 (기본 1) · weights (default 1 each)"),
    },
    "not": {"not": Field(Kind.CONDITION, "아님 · not", required=True)},
    "risk": {
        "stop_loss": Field(Kind.SECTION, "손절 · stop loss", section="stop"),
        "take_profit": Field(Kind.SECTION, "익절 · take profit", section="guard"),
        "trailing_stop": Field(Kind.SECTION, "추적 손절 · trailing stop", section="stop"),
        "time_stop": Field(Kind.SECTION, "시간 청산 · leave after so many bars", section="time_stop"),
        "max_position_size": Field(Kind.NUMBER, "최대 비중 0~1 · largest share of equity", above=0, most=1),
    },
    "guard": _GUARD,
    "stop": {"enabled": _ENABLED, "percent": Field(Kind.NUMBER_OR_PARAM, "퍼센트 · percent", above=0, most=99)},
    "time_stop": {"enabled": _ENABLED, "bars": Field(Kind.NUMBER_OR_PARAM, "봉 수 · bars", least=1)},
    "sizing": {
        "mode": Field(
            Kind.CHOICE, "수량 방식 · how much", required=True, choices=tuple(one.value for one in SizingMode)
        ),
        "value": Field(Kind.NUMBER_OR_PARAM, "값 · value", required=True, above=0),
        "atr_period": Field(
            Kind.NUMBER_OR_PARAM,
            "risk_pct: 주당 위험을 ATR로, 그 기간 · risk of a share by ATR, its bars",
            least=1,
            most=1000,
        ),
        "atr_multiple": Field(
            Kind.NUMBER_OR_PARAM, "ATR의 몇 배(기본 2) · how many ATR (default 2)", above=0, most=100
        ),
    },
    "ladder": {
        "splits": Field(Kind.NUMBER_OR_PARAM, "나눌 수 · equal parts", required=True, least=2, most=1000),
        "order_type": _choice("LOC(기본), LIMIT, MARKET · how to buy", OrderType),
        "first_pct": Field(
            Kind.NUMBER_OR_PARAM, "첫 매수 한도, 종가 위 % · first limit over the close", least=-50, most=100
        ),
        "limit_pct": Field(Kind.NUMBER_OR_PARAM, "매수 한도, 평단 위 % · limit over the average", least=-50, most=100),
        "early_splits": Field(Kind.NUMBER_OR_PARAM, "초반 회차 수 · parts counted as early", least=0, most=1000),
        "early_pct": Field(
            Kind.NUMBER_OR_PARAM, "초반 한도, 평단 위 % · early limit over the average", least=-50, most=100
        ),
    },
    "grid": {
        "upper": Field(Kind.NUMBER_OR_PARAM, "위 가격 · top price", required=True, above=0),
        "lower": Field(Kind.NUMBER_OR_PARAM, "아래 가격 · bottom price", required=True, above=0),
        "levels": Field(Kind.NUMBER_OR_PARAM, "칸 수 · steps", required=True, least=1, most=500),
    },
    "rebalance": {
        "weights": Field(Kind.VALUES, "종목별 % · percent of equity, e.g. {SPY: 60}", required=True),
        "band_pct": Field(Kind.NUMBER_OR_PARAM, "허용 오차(%p) · points off before acting", least=0, most=100),
    },
    "execution": {
        "order_type": _choice("주문 종류 · order type (default LIMIT)", OrderType, tuple(o.lower() for o in OrderType)),
        "offset_ticks": Field(Kind.INTEGER, "호가 몇 칸 더 (체결 쪽 +) · ticks towards filling", least=-100, most=100),
        "time_in_force": _choice("DAY, IOC, FOK", TimeInForce),
        "cooldown_sec": Field(Kind.INTEGER, "재진입 대기(초) · seconds before the next entry", least=0, most=864_000),
        "unfilled": Field(Kind.SECTION, "미체결 처리 · what to do when unfilled", section="unfilled"),
        "approval": _choice("none(기본), required: 진입마다 사람이 승인 · a person approves each entry", Approval),
        "approval_sec": Field(
            Kind.INTEGER, "승인을 기다릴 초 (기본 120) · seconds to wait for approval", least=10, most=3_600
        ),
    },
    "unfilled": {
        "action": Field(
            Kind.CHOICE, "keep, cancel, reprice", required=True, choices=tuple(one.value for one in UnfilledAction)
        ),
        "after_sec": Field(Kind.INTEGER, "초 · seconds", least=0, most=86_400),
    },
}

_PARAM_TEXT = {"type": "string", "pattern": r"^\$[A-Za-z_][A-Za-z0-9_]*$"}
_CONDITION_REFS = [
    {"$ref": f"#/$defs/{name}"} for name in ("comparison", "pattern", "all", "any", "not", "vote", "group")
]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a rule, for editors: completion and first checks."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "LetsTrade rule (superset of .kis.yaml 1.0)",
        **_section_schema("rule"),
        "$defs": {
            "condition": {"anyOf": _CONDITION_REFS},
            **{name: _section_schema(name) for name in SECTIONS if name != "rule"},
        },
    }


def _section_schema(name: str) -> dict[str, Any]:
    fields = SECTIONS[name]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key for key, field in fields.items() if field.required],
        "properties": {key: _field_schema(field) | {"description": field.doc} for key, field in fields.items()},
    }


def _field_schema(field: Field) -> dict[str, Any]:
    number: dict[str, Any] = {"type": "integer" if field.kind is Kind.INTEGER else "number"} | {
        word: value
        for word, value in (("minimum", field.least), ("maximum", field.most), ("exclusiveMinimum", field.above))
        if value is not None
    }
    operand = {"type": ["string", "number"]}
    section = {"$ref": f"#/$defs/{field.section}"}
    schemas: dict[Kind, dict[str, Any]] = {
        Kind.TEXT: {"type": "string"},
        Kind.NUMBER: number,
        Kind.INTEGER: number,
        Kind.FLAG: {"type": "boolean"},
        Kind.CHOICE: {"enum": list(field.choices)},
        Kind.NUMBER_OR_PARAM: {"anyOf": [number, _PARAM_TEXT]},
        Kind.TEXTS: {"type": "array", "items": {"type": "string"}},
        Kind.NUMBERS: {"type": "array", "items": {"type": "number"}},
        Kind.OPERAND: operand,
        Kind.OPERANDS: {"anyOf": [operand, {"type": "array", "items": operand, "minItems": 2, "maxItems": 2}]},
        Kind.SECTION: section,
        Kind.SECTIONS: {"type": "array", "items": section},
        Kind.NAMED: {"type": "object", "additionalProperties": section},
        Kind.VALUES: {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
        Kind.CONDITION: {"$ref": "#/$defs/condition"},
        Kind.CONDITIONS: {"type": "array", "items": {"$ref": "#/$defs/condition"}},
    }
    return schemas[field.kind]


def schema_text() -> str:
    """Return docs/rule.schema.json as it must stand in the repository."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
