"""Why each rule did or did not trade: a row when its answer changes, counts per reason and day, never a row per tick."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bots import outgoing
from bots.journal import Outgoing
from shared.clock import Clock
from shared.domain.denials import DENIALS
from shared.domain.order import Side
from shared.domain.signal import Allowed, Decision, Denied, SignalType, Verdict

REPEAT_S = 60.0  # an unchanged answer is told again this often, with its counts
STOPS = frozenset({"stop_loss", "trailing_stop"})  # a person hears of these at once
LEAST_S = 1.0  # an answer that flickers is told this often at most


@dataclass(slots=True)
class _Told:
    verdict: Verdict | None = None
    reason: str = ""
    told: float = -REPEAT_S
    day: date | None = None
    counts: Counter[str] = field(default_factory=Counter)
    denied_at: dict[str, datetime] = field(default_factory=dict)  # reason → wall time of its last refusal that day


class DecisionLog:
    def __init__(self, clock: Clock, least_s: float = LEAST_S) -> None:
        self._clock, self._least_s = clock, least_s
        self._told: dict[tuple[int, str], _Told] = {}

    def take(self, decision: Decision, outcome: Allowed | Denied | None, today: date) -> tuple[Outgoing, ...]:
        """Count one decision; returns the rows to write: often none."""
        judged = (decision.rule_id, decision.symbol)
        told = self._told.get(judged)
        if told is None:
            told = self._told[judged] = _Told()
        if told.day != today:
            told.day, told.counts, told.denied_at = today, Counter(), {}
        reason = outcome.code if isinstance(outcome, Denied) else decision.reason
        told.counts[reason] += 1
        if reason in DENIALS:
            told.denied_at[reason] = self._clock.wall_now()
        changed = decision.verdict is not told.verdict or reason != told.reason
        now = self._clock.monotonic()
        quiet_s = now - told.told
        acted = isinstance(outcome, Allowed)
        if not acted and quiet_s < (self._least_s if changed else REPEAT_S):
            return ()
        told.verdict, told.reason, told.told = decision.verdict, reason, now
        rows = [self._row(decision, outcome, reason, told.counts)]
        if decision.verdict is not Verdict.HOLD and (acted or changed):
            kind = SignalType.ENTRY if decision.verdict is Verdict.BUY else SignalType.EXIT
            rows.append(outgoing.signal(decision, kind, self._clock.wall_now()))
        if acted and reason in STOPS:
            key = f"stop:{decision.rule_id}:{decision.symbol}:{decision.signal_key or today.isoformat()}"
            rows.append(
                outgoing.alert(
                    "STOP_HIT", "warning", key, self._clock.wall_now(), symbol=decision.symbol, rule=decision.rule_id,
                    reason=reason,
                )
            )  # fmt: skip
        elif acted and decision.verdict is not Verdict.HOLD:
            key = f"signal:{decision.rule_id}:{decision.symbol}:{decision.signal_key or decision.at.isoformat()}"
            side = Side.BUY if decision.verdict is Verdict.BUY else Side.SELL
            rows.append(
                outgoing.alert(
                    "SIGNAL", "info", key, self._clock.wall_now(), symbol=decision.symbol, side=side,
                    rule=decision.rule_id, reason=reason,
                )
            )  # fmt: skip
        return tuple(rows)

    def amend(self, decision: Decision, outcome: Denied, today: date) -> tuple[Outgoing, ...]:
        """Tell another outcome of a decision that was counted as acted on: still one evaluation, one count."""
        told = self._told.get((decision.rule_id, decision.symbol))
        if told is not None and told.day == today and told.counts[decision.reason] > 0:
            told.counts[decision.reason] -= 1
        return self.take(decision, outcome, today)

    def blocked(self) -> dict[str, tuple[int, int, str]]:
        """What kept rules from trading on their last day: reason → how often, of how many rules, when last (ISO)."""
        times: Counter[str] = Counter()
        whose: dict[str, set[int]] = {}
        last: dict[str, datetime] = {}
        for (rule_id, _), told in self._told.items():
            for reason, at in told.denied_at.items():
                times[reason] += told.counts[reason]
                whose.setdefault(reason, set()).add(rule_id)
                last[reason] = max(last.get(reason, at), at)
        return {reason: (often, len(whose[reason]), last[reason].isoformat()) for reason, often in times.items()}

    def forget(self, rule_ids: set[int]) -> None:
        """Drop rules that are no longer in force."""
        self._told = {key: told for key, told in self._told.items() if key[0] in rule_ids}

    def _row(self, decision: Decision, outcome: Allowed | Denied | None, reason: str, counts: Counter[str]) -> Outgoing:
        gates: list[dict[str, Any]] = []
        if isinstance(outcome, Denied):
            gates = [{"code": name, "passed": True} for name in outcome.passed]
            gates.append({"code": outcome.code, "passed": False, "text": outcome.text})
        elif isinstance(outcome, Allowed):
            gates = [{"code": name, "passed": True} for name in outcome.guards]
        values = {
            "rule_id": decision.rule_id, "version_id": decision.version_id, "symbol": decision.symbol,
            "verdict": decision.verdict, "reason": reason, "text": outcome.text if isinstance(outcome, Denied) else "",
            "steps": outgoing.steps(decision), "gates": gates, "counts": dict(+counts), "at": decision.at,
            "updated_at": self._clock.wall_now(),
        }  # fmt: skip
        return Outgoing(outgoing.DECISIONS, f"{decision.rule_id}:{decision.symbol}", outgoing.encode(values))
