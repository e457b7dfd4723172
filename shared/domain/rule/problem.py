"""What is wrong with a rule file: where, why, and how to mend it, for the person who wrote it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence in both languages of the product."""

    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding at `path` (for example `strategy.entry.conditions[0].operator`); `line` is known for YAML only."""

    path: str
    reason: Said
    mend: Said
    line: int | None = None

    def text(self, language: str = "ko") -> str:
        """Return where, why and how to mend it on one line; `language` is ko or en."""
        where = self.path or ("파일" if language == "ko" else "file")
        if self.line is not None:
            where += f" ({self.line}번째 줄)" if language == "ko" else f" (line {self.line})"
        reason, mend = (self.reason.ko, self.mend.ko) if language == "ko" else (self.reason.en, self.mend.en)
        return f"{where}: {reason} → {mend}"


class RuleInvalid(ConfigError):
    """The text is not a rule. `problems` holds every finding of the pass that failed, in file order."""

    code = "rule_invalid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            f"규칙을 읽을 수 없습니다 ({len(problems)}곳) · the rule cannot be read ({len(problems)} places)",
            "\n".join(f"{one.text('ko')} · {one.text('en')}" for one in problems),
            f"{problems[0].mend.ko} · {problems[0].mend.en}",
        )
        self.problems = problems


def one_problem(path: str, line: int | None, ko: str, en: str, mend_ko: str, mend_en: str) -> Problem:
    """Return a Problem from its four sentences."""
    return Problem(path, Said(ko, en), Said(mend_ko, mend_en), line)
