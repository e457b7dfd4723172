"""Parity: a day's recorded inputs judged again by the very rules, against what the bot decided; differences by cause.

Judged again at each close of the rule's bars, with the position that the account's fills made by then, so that one difference
is one difference and does not drag others behind it. What a rule says on ticks has no tick record: of those signals the stored
numbers are judged again, and their price must lie in its minute's bar. Gates are the account's own state and are not replayed:
a proposal that the bot also made and a gate refused is no difference.

Causes: `config_edit` the rule was saved anew that day; `missed_bar` a minute has no recorded bar; `late_tick` a bar is not what
the decision saw, or not what the broker says of that minute; `unexplained` none of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine

from bots.backtest import library
from bots.backtest.recorded import bar_at, bars_of, merged, ohlc, part, utc
from bots.bars import KEPT, bar_start
from bots.rules.evaluate import evaluate
from bots.rules.plan import plan_of
from bots.rules.recompute import verdict_of
from bots.rules.series import Bars, Holding, MarketView
from shared.db import reading
from shared.domain.account import Environment, Market
from shared.domain.errors import ConfigError, NotFound
from shared.domain.market import Timeframe
from shared.domain.rule.model import EvaluateOn, Rule
from shared.domain.rule.parse import parse_rule
from shared.domain.signal import Decision, Step, Verdict
from shared.domain.trading_days import ZONES
from shared.models import FillRow, OrderRow, RuleVersion, StrategySignal, TradeRule
from shared.store import accounts, parity
from shared.store import rules as stored_rules

STOPS = frozenset({"stop_loss", "trailing_stop", "take_profit"})
_DENSE = 0.9  # a symbol with a bar in so many of its minutes trades every minute: a hole is a loss, not a quiet minute
_CLOSE = 1e-5  # two values of one operand that differ by less are the same: histories of other lengths were smoothed
_SIDES = {"ENTRY": Verdict.BUY, "EXIT": Verdict.SELL}


@dataclass(frozen=True, slots=True)
class Difference:
    """`at` is the end of the bar (or the minute's start, where the input itself is at fault)."""

    cause: str  # config_edit | missed_bar | late_tick | unexplained
    rule_id: int | None
    symbol: str
    at: datetime
    live: str
    replayed: str
    text: str


@dataclass(frozen=True, slots=True)
class Parity:
    """`unjudged` bars lacked the history that the rule's indicators need."""

    account_id: int
    day: date
    rules: int
    bars: int
    judged: int
    unjudged: int
    signals: int
    differences: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        rows = [{**asdict(one), "at": one.at.isoformat()} for one in self.differences]
        counts: dict[str, int] = defaultdict(int)
        for one in self.differences:
            counts[one.cause] += 1
        return {**asdict(self), "day": self.day.isoformat(), "differences": rows, "causes": dict(counts)}


def compare(engine: Engine, home: Path, account_id: int, day: date | None = None) -> Parity:
    """Judge the account's `day` (exchange-local; None: the last one with a recorded signal or bar before today's) again.

    Raises:
        NotFound: no such account.
        ConfigError: nothing was recorded that day.
    """
    return _Day(engine, home, account_id, day).compare()


class _Day:
    def __init__(self, engine: Engine, home: Path, account_id: int, day: date | None) -> None:
        with reading(engine) as session:
            account = accounts.find(session, account_id)
            if account is None:
                raise NotFound(
                    f"계좌 {account_id}이(가) 없습니다 · no account {account_id}", "", "letstrade account list"
                )
            self.account_id, self.market = account_id, Market(account.market)
            self.zone = ZONES[self.market]
            self.home = library.home_of(home, Environment(account.environment))
            signals = parity.signals(session, account_id)
            self.day = day or _last_day([_market_at(one) for one in signals], self.zone)
            self.since = datetime.combine(self.day, time(), self.zone).astimezone(UTC)
            self.until = datetime.combine(self.day + timedelta(days=1), time(), self.zone).astimezone(UTC)
            self.signals = [one for one in signals if self.since <= _market_at(one) < self.until]
            self.before = [one for one in signals if _market_at(one) < self.since]
            self.decisions = parity.decisions(session, account_id, self.since, self.until + timedelta(hours=1))
            self.fills = parity.rule_fills(session, account_id, self.until)
            self.equity = parity.equity(session, account_id, self.since - timedelta(days=3), self.until)
            self.rows = parity.rules(session, account_id)
            self.versions = {one.id or 0: stored_rules.versions(session, one.id or 0)[::-1] for one in self.rows}
            self.versions = {key: sorted(rows, key=lambda one: one.number) for key, rows in self.versions.items()}
            self.recorded: dict[tuple[str, Timeframe], Bars] = {}
            for symbol in self._symbols():
                for frame in (Timeframe.M1, Timeframe.D1):
                    rows = parity.bars(
                        session, account.environment, account.market, symbol, frame, self.until, 3 * KEPT
                    )
                    self.recorded[symbol, frame] = bars_of([ohlc(one) for one in rows])
        self.found: list[Difference] = []
        self.judged = self.unjudged = 0
        self.faults: dict[str, list[tuple[int, str]]] = defaultdict(list)  # symbol -> (minute, cause)

    def _symbols(self) -> set[str]:
        named = {str(one.payload.get("symbol")) for one in self.signals}
        return named | {symbol for row in self.rows for symbol in _symbols_of(row, self.versions[row.id or 0])}

    def compare(self) -> Parity:
        minutes = 0
        for (symbol, frame), bars in self.recorded.items():
            if frame is Timeframe.M1:
                minutes += int(self._today(bars).sum())
                self._check_inputs(symbol, bars)
        if not minutes and not self.signals:
            raise ConfigError(
                f"{self.account_id} {self.day}", "그 날의 기록이 없습니다 · nothing was recorded that day",
                "--day YYYY-MM-DD", code="no_record",
            )  # fmt: skip
        for row in self.rows:
            self._check_rule(row)
        self.found.sort(key=lambda one: (one.at, one.symbol, one.rule_id or 0))
        return Parity(
            self.account_id, self.day, len(self.rows), minutes, self.judged, self.unjudged, len(self.signals),
            tuple(self.found),
        )  # fmt: skip

    def _today(self, bars: Bars) -> Any:
        return (bars.starts >= self.since.timestamp()) & (bars.starts < self.until.timestamp())

    # -- inputs --------------------------------------------------------------------------------------------------------

    def _check_inputs(self, symbol: str, bars: Bars) -> None:
        """Name minutes without a bar, and bars that are not the broker's."""
        mine = bars.starts[self._today(bars)]
        if len(mine) < 2:
            return
        told = self._reference(symbol)
        if told is None:
            span = np.arange(mine[0], mine[-1] + 60, 60)
            expected = span if len(mine) >= _DENSE * len(span) else mine
        else:
            expected = told.starts[(told.starts >= mine[0]) & (told.starts <= mine[-1])]
        for start in np.setdiff1d(expected, mine):
            self._fault("missed_bar", symbol, int(start), "", "분봉이 기록에 없음 · no bar recorded for this minute")
        if told is None:
            return
        for start in np.intersect1d(mine, told.starts):
            one, other = bar_at(bars, int(start)), bar_at(told, int(start))
            if one is not None and other is not None and one[:4] != other[:4]:
                text = "기록한 봉이 증권사의 봉과 다름 · the recorded bar is not the broker's"
                self._fault("late_tick", symbol, int(start), f"{one[:4]}", text, f"{other[:4]}")

    def _reference(self, symbol: str) -> Bars | None:
        try:
            bars = library.kept(self.home, self.market, symbol, Timeframe.M1).bars
        except ConfigError:
            return None
        today = self._today(bars)
        return part(bars, today) if today.any() else None

    def _fault(self, cause: str, symbol: str, minute: int, live: str, text: str, replayed: str = "") -> None:
        self.faults[symbol].append((minute, cause))
        self.found.append(Difference(cause, None, symbol, utc(minute), live, replayed, text))

    # -- rules ---------------------------------------------------------------------------------------------------------

    def _check_rule(self, row: TradeRule) -> None:
        rule_id = row.id or 0
        versions = self.versions[rule_id]
        rules = {
            one.id or 0: replace(parse_rule(one.text), rule_id=rule_id, version_id=one.id or 0) for one in versions
        }
        if not rules:
            return
        edits = [one for one in versions[1:] if self.since <= one.created_at < self.until]
        for edit in edits:
            text = f"판 {edit.number} 저장 · version {edit.number} was saved"
            self.found.append(
                Difference("config_edit", rule_id, row.symbol, edit.created_at, f"v{edit.number}", "", text)
            )
        old = [one for one in versions if one.created_at < self.since] or versions[:1]
        base = rules[old[-1].id or 0]
        mine = [one for one in self.signals if one.rule_id == rule_id]
        switched = row.enabled or bool(mine) or any(one.rule_id == rule_id for one in self.decisions)
        for symbol in _symbols_of(row, versions) if switched else ():
            _Judge(self, row, rules, base, symbol, [one for one in mine if one.payload.get("symbol") == symbol]).run()


class _Judge:
    """One rule on one symbol through the day."""

    def __init__(
        self, day: _Day, row: TradeRule, rules: dict[int, Rule], base: Rule, symbol: str, live: list[StrategySignal]
    ) -> None:
        self.day, self.rules, self.base, self.symbol, self.live = day, rules, base, symbol, live
        self.rule_id = row.id or 0
        self.told = [one for one in day.decisions if one.rule_id == self.rule_id and one.symbol == symbol]
        self.fills = [(f, o) for f, o in day.fills if o.rule_id == self.rule_id and f.symbol == symbol]
        self.stopped: set[int] = set()  # bar ends at whose close a stop sold

    def run(self) -> None:
        for signal in self.live:
            self._check_numbers(signal)
        on_bars = self.base.evaluate is EvaluateOn.BAR_CLOSE
        if not on_bars:
            return
        bars = self._bars()
        decided = [(_bar_end(one), one) for one in self.live]
        by_end = {end: one for end, one in decided if end is not None and one.payload.get("reason") not in STOPS}
        self.stopped = {end for end, one in decided if end is not None and one.payload.get("reason") in STOPS}
        seconds = self.base.timeframe.seconds
        for place in np.flatnonzero(self.day._today(bars)):
            end = int(bars.starts[place]) + seconds
            self._check_bar(bars, int(place), end, by_end.pop(end, None))
        for end, signal in by_end.items():
            said, text = str(signal.payload.get("reason")), "봉이 기록에 없음 · its bar was not recorded"
            self._differs(bars, end, said, "", text, signal)

    def _bars(self) -> Bars:
        frame = self.base.timeframe
        if frame is Timeframe.D1:
            return self.day.recorded[self.symbol, Timeframe.D1]
        minutes = self.day.recorded[self.symbol, Timeframe.M1]
        return minutes if frame is Timeframe.M1 else merged(minutes, frame, self.day.zone)

    def _check_bar(self, bars: Bars, place: int, end: int, signal: StrategySignal | None) -> None:
        rule = self._in_force(end)
        if place + 1 < plan_of(rule).warm_up:
            self.day.unjudged += 1
            return
        self.day.judged += 1
        decision = self._decide(rule, bars, place, end)
        live = _SIDES[signal.type] if signal is not None else self._told(end)
        replayed = decision.verdict
        if decision.reason in STOPS:
            if not self._left_near(end):
                self._differs(
                    bars, end, live.value, decision.reason, "보호 매도가 없었음 · no protective sale", signal, place
                )
            return
        if live is replayed:
            if signal is not None and signal.payload.get("version_id") == rule.version_id:
                self._check_steps(signal, decision, end)
            return
        if live is Verdict.HOLD and signal is None and self._busy(end):
            return  # an order of the rule was on its way: the desk takes one at a time
        if replayed is Verdict.SELL and end in self.stopped:
            return  # sold at this close all the same: the trade that closed the bar had reached a stop, and stops come first
        said = live.value if signal is None else f"{live} {signal.payload.get('reason')}"
        self._differs(
            bars, end, said, f"{replayed} {decision.reason}", "판단이 다름 · the decisions differ", signal, place
        )

    def _decide(self, rule: Rule, bars: Bars, place: int, end: int) -> Decision:
        seen = part(bars, slice(max(place + 1 - KEPT, 0), place + 1))
        return evaluate(
            rule,
            MarketView(
                symbol=self.symbol, at=utc(end), bars=seen, bar_closed=True, last_price=float(seen.close[-1]),
                holding=self._holding(bars, end), minutes_to_close=None, equity=self._equity(end),
            ),
        )  # fmt: skip

    def _in_force(self, end: int) -> Rule:
        """The version the day began with; a position is judged by the one that opened it."""
        if self._holding_quantity(end) > 0:
            entries = [one for one in (*self.day.before, *self.live) if self._is_entry(one, end)]
            if entries:
                return self.rules.get(int(entries[-1].payload.get("version_id") or 0), self.base)
        return self.base

    def _is_entry(self, one: StrategySignal, end: int) -> bool:
        mine = one.rule_id == self.rule_id and one.payload.get("symbol") == self.symbol
        return mine and one.type == "ENTRY" and _market_at(one).timestamp() <= end

    def _until(self, end: int) -> list[tuple[FillRow, OrderRow]]:
        # At the very end of the bar: by a decision of that close, or by the trade that closed it; neither was held before.
        return [(fill, order) for fill, order in self.fills if fill.filled_at.timestamp() < end]

    def _holding_quantity(self, end: int) -> int:
        return sum(fill.qty if fill.side == "BUY" else -fill.qty for fill, _ in self._until(end))

    def _holding(self, bars: Bars, end: int) -> Holding | None:
        quantity, cost, opened = 0, 0.0, 0.0
        for fill, _ in self._until(end):
            if fill.side == "BUY":
                opened = fill.filled_at.timestamp() if quantity == 0 else opened
                quantity, cost = quantity + fill.qty, cost + float(fill.price) * fill.qty
            elif quantity > 0:
                left = max(quantity - fill.qty, 0)
                quantity, cost = left, cost * left / quantity
        if quantity <= 0:
            return None
        since = bars.starts + self.base.timeframe.seconds > opened
        inside = since & (bars.starts < end)
        average = cost / quantity
        high = float(bars.high[inside].max()) if inside.any() else average
        return Holding(quantity, average, max(int(inside.sum()) - 1, 0), high)

    def _equity(self, end: int) -> float | None:
        known = [float(one.equity) for one in self.day.equity if one.at.timestamp() <= end]
        return known[-1] if known else None

    def _told(self, end: int) -> Verdict:
        """What the bot last said by then without trading: a refused proposal keeps its row while nothing changes."""
        limit = end + self.base.timeframe.seconds
        rows = [one for one in self.told if one.at.timestamp() < limit]
        if not rows or not any(gate.get("passed") is False for gate in rows[-1].gates):
            return Verdict.HOLD
        return Verdict(rows[-1].verdict)

    def _left_near(self, end: int) -> bool:
        seconds = self.base.timeframe.seconds
        near = (one for one in self.live if one.type == "EXIT")
        return any(end - 2 * seconds <= _market_at(one).timestamp() < end + seconds for one in near)

    def _busy(self, end: int) -> bool:
        """Whether an order of this rule had been decided before and was not yet filled."""
        seconds = self.base.timeframe.seconds
        sent = [
            _market_at(one).timestamp() for one in self.live if end - 3 * seconds <= _market_at(one).timestamp() < end
        ]
        return any(not any(one <= fill.filled_at.timestamp() < end for fill, _ in self.fills) for one in sent)

    # -- what is wrong -------------------------------------------------------------------------------------------------

    def _check_numbers(self, signal: StrategySignal) -> None:
        """The stored numbers lead to the stored verdict, and the price is one that its minute had."""
        rule = self.rules.get(int(signal.payload.get("version_id") or 0), self.base)
        steps = [Step(**one) for one in signal.payload.get("steps", ())]
        at = int(_market_at(signal).timestamp())
        if steps and verdict_of(rule, steps) is not _SIDES[signal.type]:
            said = str(signal.payload.get("reason"))
            self._add(
                "unexplained", at, said, "", "저장된 수치가 그 판단이 되지 않음 · the stored numbers do not lead to it"
            )
        minute = int(bar_start(_market_at(signal), Timeframe.M1, self.day.zone).timestamp())
        bar = bar_at(self.day.recorded[self.symbol, Timeframe.M1], minute)
        price = next(
            (float(one.left) for one in steps if one.path.startswith("risk.") and one.label.startswith("price")), None
        )
        if bar is not None and price is not None and not bar[2] <= price <= bar[1]:
            text = "그 가격이 분봉에 없음 · the minute's bar does not hold that price"
            self._add("late_tick", at, repr(price), f"{bar[2]} ~ {bar[1]}", text)

    def _check_steps(self, signal: StrategySignal, decision: Decision, end: int) -> None:
        """The same verdict from other numbers: the bar changed after the decision."""
        now = {one.path: one for one in decision.steps}
        for stored in signal.payload.get("steps", ()):
            one = now.get(stored["path"])
            if stored["label"].startswith("price "):
                continue  # a stop looks at the last trade, which at a close may be the next bar's first
            if one is not None and not _alike(stored["left"], one.left):
                text = f"{stored['label']}: 판단 뒤에 봉이 바뀜 · the bar changed after the decision"
                self._add("late_tick", end, stored["left"], one.left, text)
                return

    def _differs(
        self, bars: Bars, end: int, live: str, replayed: str, text: str, signal: StrategySignal | None, place: int = -1
    ) -> None:
        self._add(self._cause(bars, end, signal, place), end, live, replayed, text)

    def _cause(self, bars: Bars, end: int, signal: StrategySignal | None, place: int) -> str:
        base = self._in_force(end)
        if signal is not None and signal.payload.get("version_id") != base.version_id:
            return "config_edit"
        others = [one for one in self.rules.values() if one is not base]
        if (
            signal is None
            and place >= 0
            and any(self._decide(one, bars, place, end).verdict is self._told(end) for one in others)
        ):
            return "config_edit"
        begin = end - (plan_of(base).warm_up + 1) * base.timeframe.seconds
        near = [cause for minute, cause in self.day.faults[self.symbol] if begin <= minute < end]
        if near:
            return near[-1]
        if signal is not None and place < 0:
            return "missed_bar"
        if signal is not None and self._numbers_moved(base, bars, place, end, signal):
            return "late_tick"
        return "unexplained"

    def _numbers_moved(self, rule: Rule, bars: Bars, place: int, end: int, signal: StrategySignal) -> bool:
        now = {one.path: one.left for one in self._decide(rule, bars, place, end).steps}
        return any(
            one["path"] in now and not one["label"].startswith("price ") and not _alike(one["left"], now[one["path"]])
            for one in signal.payload.get("steps", ())
        )

    def _add(self, cause: str, at: int, live: str, replayed: str, text: str) -> None:
        self.day.found.append(Difference(cause, self.rule_id, self.symbol, utc(at), live, replayed, text))


def _market_at(signal: StrategySignal) -> datetime:
    return datetime.fromisoformat(str(signal.payload["market_at"]))


def _last_day(times: Sequence[datetime], zone: Any) -> date:
    if not times:
        raise ConfigError(
            "--day", "기록된 신호가 없습니다 · no signal was recorded", "--day YYYY-MM-DD", code="no_record"
        )
    return max(times).astimezone(zone).date()


def _bar_end(signal: StrategySignal) -> int | None:
    instant = signal.signal_key.split(":")[3]
    return int(instant) if instant.isdigit() else None


def _symbols_of(row: TradeRule, versions: Sequence[RuleVersion]) -> list[str]:
    if row.symbol:
        return [one.strip() for one in row.symbol.split(",") if one.strip()]
    return list(parse_rule(versions[-1].text).universe) if versions else []


def _alike(one: str, other: str) -> bool:
    """Whether two told values of an operand are the same number (the newest, where a cross tells two)."""
    a, b = (float(text.split(" → ")[-1]) for text in (one, other))
    return (a != a and b != b) or abs(a - b) <= _CLOSE * max(abs(a), abs(b), 1e-9)
