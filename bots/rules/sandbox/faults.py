"""What can be wrong with a strategy, in codes that stay and words for its author. Never what the strategy said."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class _Words:
    why: str
    now: str


_WORDS = {
    "syntax": _Words("파이썬으로 읽을 수 없습니다 · it is not Python", "이 줄을 고치십시오 · mend this line"),
    "refused_name": _Words(
        "전략에 쓸 수 없는 이름입니다 · a name that strategies cannot use",
        "ctx와 허용된 모듈만 쓰십시오 · use ctx and the offered modules (docs/strategy-guide.md)",
    ),
    "import_refused": _Words(
        "제공되지 않는 모듈입니다 · a module that is not offered",
        "허용된 모듈만 쓰십시오 · use the offered modules (docs/strategy-guide.md)",
    ),
    "forbidden": _Words(
        "파일·네트워크·프로세스에 손대려 했습니다 · it reached for a file, the network or a process",
        "전략은 ctx만 봅니다: 지우십시오 · a strategy sees ctx alone: take it out",
    ),
    "stopped": _Words(
        "금지된 일을 해서 커널이 멈췄습니다 · the kernel stopped it for something forbidden",
        "전략은 ctx만 봅니다: 지우십시오 · a strategy sees ctx alone: take it out",
    ),
    "exited": _Words("전략이 스스로 끝났습니다 · it ended its own process", "답을 돌려주십시오 · return an answer"),
    "deadline": _Words("제때 답하지 않았습니다 · it did not answer in time", "계산을 줄이십시오 · let it compute less"),
    "memory": _Words("메모리를 너무 썼습니다 · it took too much memory", "256MB 안에서 · stay below 256 MB"),
    "raised": _Words("전략에서 오류가 났습니다 · it raised an error", "이 줄을 고치십시오 · mend this line"),
    "answer": _Words(
        "답이 BUY, SELL, HOLD, Signal, None이 아닙니다 · the answer is none of BUY, SELL, HOLD, Signal, None",
        "수량은 1 이상의 정수, score는 0~1 · whole shares above 0, a score from 0 to 1",
    ),
    "answer_too_big": _Words("답이 너무 큽니다 · the answer is too big", "BUY, SELL, HOLD, Signal · or None"),
    "no_calls": _Words(
        "on_bar도 on_tick도 없습니다 · there is neither on_bar nor on_tick",
        "def on_bar(ctx)를 쓰십시오 · write def on_bar(ctx)",
    ),
}


class StrategyFault(ConfigError):
    """A strategy was refused, stopped or misbehaved. `code` is of the table above, `line` the author's own."""

    def __init__(self, code: str, line: int | None = None, kind: str = "") -> None:
        words = _WORDS[code]
        at, place = ("", "") if line is None else (f" {line}행", f", line {line}")
        why = words.why + (f": {kind}" if kind else "")
        super().__init__(f"파이썬 전략{at} · the Python strategy{place}", why, words.now, code=code)
        self.line = line


class FenceMissing(ConfigError):
    """This machine cannot fence a strategy in: it is not run."""

    code = "no_fence"

    def __init__(self, layer: str) -> None:
        super().__init__(
            "파이썬 전략을 돌릴 수 없습니다 · Python strategies cannot run here",
            f"커널 울타리가 없습니다: {layer} · the kernel's fence is missing: {layer}",
            "Linux 5.13 이상(Landlock, seccomp)에서 돌리거나 YAML 규칙을 쓰십시오"
            " · run on Linux 5.13 or later with Landlock and seccomp, or use a YAML rule",
        )
        self.layer = layer


def known(code: object) -> bool:
    return isinstance(code, str) and code in _WORDS
