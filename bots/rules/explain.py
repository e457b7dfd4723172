"""Decision → lines a person reads: the verdict, then every compared value, the one that decided marked."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.signal import Decision, Step, Verdict
from shared.words import reason_text as refusal_text


@dataclass(frozen=True, slots=True)
class Words:
    ko: str
    en: str

    def say(self, language: str) -> str:
        return self.ko if language == "ko" else self.en


_REASONS: dict[str, Words] = {
    "entry": Words("매수 조건이 맞았습니다", "the entry conditions hold"),
    "exit": Words("매도 조건이 맞았습니다", "the exit conditions hold"),
    "stop_loss": Words("손절 가격에 닿았습니다", "the stop loss was reached"),
    "take_profit": Words("익절 가격에 닿았습니다", "the take profit was reached"),
    "trailing_stop": Words("추적 손절 가격에 닿았습니다", "the trailing stop was reached"),
    "time_stop": Words("보유 기간이 끝났습니다", "the holding time is over"),
    "no_entry": Words("매수 조건이 아직 아닙니다", "the entry conditions do not hold"),
    "no_exit": Words("보유 중, 매도 조건이 아직 아닙니다", "holding; the exit conditions do not hold"),
    "ladder_buy": Words("분할매수 한 몫을 삽니다", "one part of the split buying"),
    "grid_buy": Words("그리드 한 칸 아래로 내려왔습니다", "the price came down a grid step"),
    "grid_sell": Words("그리드 한 칸 위로 올라왔습니다", "the price went up a grid step"),
    "rebalance_buy": Words("목표 비중보다 적습니다", "below the target weight"),
    "rebalance_sell": Words("목표 비중보다 많습니다", "above the target weight"),
    "no_step": Words("목표 수량까지 더 살 것도 팔 것도 없습니다", "nothing to trade towards the target"),
    "equity_unknown": Words("계좌 평가액을 모릅니다", "the account's worth is not known"),
    "warming_up": Words("지표 계산에 필요한 봉이 아직 모자랍니다", "not enough bars for the indicators yet"),
    "asks_code": Words("파이썬 코드에 묻습니다", "the Python code is asked"),
    "quarantined": Words(
        "파이썬 코드가 격리되어 묻지 않습니다; 손절은 계속됩니다", "the Python code is quarantined; stops go on"
    ),
    "waiting_for_bar_close": Words("봉 마감을 기다립니다", "waiting for the bar to close"),
}
_VERDICTS = {
    Verdict.BUY: Words("매수", "BUY"),
    Verdict.SELL: Words("매도", "SELL"),
    Verdict.HOLD: Words("대기", "HOLD"),
}
_OPERATORS: dict[str, Words] = {
    "greater_than": Words("보다 큼", ">"),
    "breaks": Words("돌파", "breaks"),
    "less_than": Words("보다 작음", "<"),
    "greater_equal": Words("이상", "≥"),
    "less_equal": Words("이하", "≤"),
    "equal": Words("같음", "="),
    "not_equal": Words("다름", "≠"),
    "cross_above": Words("상향 돌파", "crosses above"),
    "cross_below": Words("하향 돌파", "crosses below"),
    "between": Words("사이", "between"),
}
_TRUTHS = {True: Words("맞음", "true"), False: Words("아님", "false"), None: Words("모름", "not known")}


def reason_text(reason: str, language: str = "ko") -> str:
    """Return a decision's reason code in words, a refusal's too; a code without words is shown as it is."""
    words = _REASONS.get(reason)
    return refusal_text(reason, language) if words is None else words.say(language)


def explain(decision: Decision, language: str = "ko") -> list[str]:
    """Return the verdict with its reason, then one line per compared value; `language` is ko or en."""
    head = f"{decision.symbol} {_VERDICTS[decision.verdict].say(language)}: {reason_text(decision.reason, language)}"
    return [head, *(step_text(step, language) for step in decision.steps)]


def step_text(step: Step, language: str = "ko") -> str:
    """Return one comparison as a line: mark, path, values, truth."""
    if not step.operator:
        return f"· {step.label} = {_short(step.left)}"  # what a Python rule looked at; only its code knows what for
    mark = {True: "✓", False: "✗", None: "…"}[step.truth]
    operator = _OPERATORS.get(step.operator)
    word = step.operator if operator is None else operator.say(language)
    values = f"{_short(step.left)} {word} {_short(step.right)}"
    if language == "ko":
        values = f"{_short(step.left)} ↔ {_short(step.right)} {word}"
    return f"{mark} {step.path}: {step.label} ({values}) — {_TRUTHS[step.truth].say(language)}"


def _short(text: str) -> str:
    """Numbers as stored are exact; shown with at most four decimals."""
    return " ".join(_short_number(word) for word in text.split(" "))


def _short_number(word: str) -> str:
    try:
        number = float(word)
    except ValueError:
        return word
    if number != number:
        return "?"
    shown = f"{number:,.4f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown
