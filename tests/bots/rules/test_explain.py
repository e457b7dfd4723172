"""Explanations name the verdict, the reason and every value, in both languages."""

import pytest

from bots.rules.evaluate import evaluate
from bots.rules.explain import explain, reason_text, step_text
from shared.domain.rule.parse import parse_rule
from shared.domain.signal import Step
from tests.bots.rules.markets import bars_of, view
from tests.bots.rules.test_evaluate import CROSS
from tests.domain.rule.rules import SMALL


def test_a_decision_is_told_in_korean_and_english():
    decision = evaluate(parse_rule(SMALL), view(bars_of(CROSS)))
    assert explain(decision) == [
        "AAPL 매수: 매수 조건이 맞았습니다",
        "✓ entry.conditions[0]: fast cross_above slow (7.5 → 8.5 ↔ 8 → 8.3333 상향 돌파) — 맞음",
    ]
    assert explain(decision, "en") == [
        "AAPL BUY: the entry conditions hold",
        "✓ entry.conditions[0]: fast cross_above slow (7.5 → 8.5 crosses above 8 → 8.3333) — true",
    ]


def test_what_is_not_known_is_called_so():
    step = Step("entry.conditions[0]", "rsi less_than 30", "nan", "less_than", "30.0", None)
    assert step_text(step, "en") == "… entry.conditions[0]: rsi less_than 30 (? < 30) — not known"
    assert step_text(step).endswith("모름")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_reason_of_evaluate_has_words(language):
    reasons = (
        "entry exit stop_loss take_profit trailing_stop time_stop no_entry no_exit warming_up waiting_for_bar_close"
    )
    for reason in reasons.split():
        assert reason_text(reason, language) != reason
