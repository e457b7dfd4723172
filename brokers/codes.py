"""Result codes as data: what each one proves of an order, and what an operator reads. One row per code and broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.errors import BrokerError, RateLimited

Words = tuple[str, str, str]  # what happened, why, what to do now


class Outcome(StrEnum):
    """What a code proves of an order that it answers. Reads are judged by CodeRow.error alone."""

    RETRYABLE = "retryable"  # nothing was placed; the same may be asked again
    REFUSED = "refused"  # nothing was placed; the same will be refused again
    UNKNOWN = "unknown"  # proves nothing: the order may be live


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One code. `error` is what it raises where nothing can be live; None: the broker is away, wait and ask again."""

    code: str
    outcome: Outcome
    error: type[BrokerError] | None
    ko: Words
    en: Words

    def raised(self, kind: type[BrokerError], broker: str, said: str, retry_after_s: float = 1.0) -> BrokerError:
        """Build the error `kind` in both languages; `said` is the broker's own text."""
        (what, why, now), (what_en, why_en, now_en) = self.ko, self.en
        message = f"{what}: {why} / {what_en}: {why_en} [{said}]"
        if issubclass(kind, RateLimited):
            limited = kind(broker, self.code, message, retry_after_s)
            limited.now = f"{now} / {now_en}"
            return limited
        return kind(broker, self.code, message, f"{now} / {now_en}")


def by_code(rows: tuple[CodeRow, ...]) -> Mapping[str, CodeRow]:
    """Index rows by code. Raises ValueError on a code that stands twice."""
    found = {row.code: row for row in rows}
    if len(found) != len(rows):
        raise ValueError("a code stands twice")
    return found
