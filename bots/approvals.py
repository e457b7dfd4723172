"""Entries of semi-automatic rules that wait for a person: kept in the journal, shown in the store, over by themselves.

A rule with `execution.approval: required` sends no entry without a yes. What is approved is what was shown: this quantity,
this price; every guard is asked again. Left alone it expires and nothing is sent. Exits never come here.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import structs

from bots import outgoing
from bots.journal import Changes, Journal, Outgoing
from bots.kept_decisions import keep, read
from shared.clock import Clock
from shared.domain.errors import NotFound
from shared.domain.order import OrderRequest, Side
from shared.domain.rule.model import Approval, Execution, Rule
from shared.domain.signal import Decision, Denied, Verdict

if TYPE_CHECKING:
    from bots.trader import Trader

FACT = "approval:"  # facts of the journal: entries that wait, by proposal key


class ProposalStatus(StrEnum):
    WAITING = "WAITING"
    SENT = "SENT"
    DENIED = "DENIED"  # approved, and a guard said no
    DECLINED = "DECLINED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One entry and until when it may be approved. `decision` carries the quantity and price that were shown."""

    decision: Decision
    currency: str
    asked_at: datetime  # wall
    expires_at: datetime  # wall

    @property
    def key(self) -> str:
        return self.decision.signal_key or ""


class Approvals:
    """The entries of one account that wait, and what a person's answer makes of them."""

    def __init__(self, trader: Trader, journal: Journal, clock: Clock) -> None:
        self._trader, self._journal, self._clock = trader, journal, clock
        self._waiting: dict[str, Waiting] = {}  # proposal key → the entry
        self._answered: set[str] = set()  # proposal keys that had their answer, or none in time

    def held(self, decision: Decision) -> Denied | None:
        """Refuse an entry that was answered already, or comes while an earlier one waits: one question at a time."""
        if decision.verdict is not Verdict.BUY:
            return None
        if decision.signal_key in self._answered:
            return Denied("duplicate_signal", "이미 승인 여부를 물은 신호")
        key = (decision.rule_id, decision.symbol)
        waits = any((one.decision.rule_id, one.decision.symbol) == key for one in self._waiting.values())
        return Denied("waits_for_approval", "앞선 진입이 승인을 기다림") if waits else None

    def asks(self, decision: Decision, request: OrderRequest) -> bool:
        """Tell whether a person must say yes to this entry first."""
        rule = self._rule(decision)
        required = rule is not None and rule.execution.approval is Approval.REQUIRED
        return required and request.side is Side.BUY and decision.signal_key is not None

    def _rule(self, decision: Decision) -> Rule | None:
        return self._trader.rule_for(decision.rule_id, self._trader.lots.get(decision.rule_id, decision.symbol))

    async def ask(self, decision: Decision, request: OrderRequest) -> Denied:
        """Put an entry, cleared by the guards, before people; returns what is told of it meanwhile."""
        rule, now = self._rule(decision), self._clock.wall_now()
        within_s = Execution().approval_sec if rule is None else rule.execution.approval_sec
        shown = structs.replace(
            decision, quantity=request.quantity, limit_price=request.price, order_type=request.order_type
        )
        one = Waiting(shown, request.currency, now, now + timedelta(seconds=within_s))
        self._waiting[one.key] = one
        alert = outgoing.alert(
            "APPROVAL_WAITING", "warning", f"approval:{one.key}", now, symbol=request.symbol, side=request.side,
            quantity=request.quantity, price="-" if request.price is None else outgoing.plain(request.price),
        )  # fmt: skip
        rows = (self._row(one, ProposalStatus.WAITING), alert)
        await self._journal.write(Changes(facts=((FACT + one.key, _kept(one)),), outbox=rows))
        return Denied("waits_for_approval", f"{within_s}초 동안 승인을 기다림")

    async def approve(self, key: str, by: str) -> Denied | None:
        """Send an entry that a person said yes to, as it was shown, when every guard lets it pass now.

        None: it became an order. NotFound: it does not wait (any more).
        """
        one = self._take(key)
        denied = await self._trader.order(structs.replace(one.decision, at=self._clock.market_now()), approved=True)
        status = ProposalStatus.SENT if denied is None else ProposalStatus.DENIED
        await self._close(one, status, outcome="" if denied is None else denied.text, by=by)
        return denied

    async def decline(self, key: str, by: str) -> None:
        """Drop an entry that a person said no to. NotFound: it does not wait (any more)."""
        one = self._take(key)
        self._tell(one, Denied("approval_declined", f"거절: {by}"))
        await self._close(one, ProposalStatus.DECLINED, by=by)

    async def drop_late(self) -> None:
        """Drop the entries that nobody approved in time, and say so in their decisions."""
        now = self._clock.wall_now()
        for one in [one for one in self._waiting.values() if one.expires_at <= now]:
            del self._waiting[one.key]
            denied = Denied("approval_expired", "시간 안에 승인이 없어 주문하지 않음")
            self._tell(one, denied)
            await self._close(one, ProposalStatus.EXPIRED, outcome=denied.text)

    async def recall(self, facts: dict[str, str], used: Collection[str | None]) -> None:
        """Take back what waited when the last process ended; what had become an order by then (`used`) was sent."""
        for name, body in facts.items():
            if name.startswith(FACT) and not body:
                self._answered.add(name.removeprefix(FACT))
            elif name.startswith(FACT):
                one = _read(body)
                if one.key in used:
                    await self._close(one, ProposalStatus.SENT)
                else:
                    self._waiting[one.key] = one

    def _take(self, key: str) -> Waiting:
        """Take an entry out to decide about it, once; in one step of the loop, so that two answers cannot both have it."""
        one = self._waiting.get(key)
        if one is None or one.expires_at <= self._clock.wall_now():
            raise NotFound(
                "승인을 기다리는 진입이 아닙니다",
                "이미 답했거나 시간이 지났습니다",
                "화면을 새로 고치십시오",
                "not_waiting",
            )
        return self._waiting.pop(key)

    def _tell(self, one: Waiting, denied: Denied) -> None:
        self._trader.write(self._trader.decisions.take(one.decision, denied, self._trader.today()))

    async def _close(self, one: Waiting, status: ProposalStatus, *, outcome: str = "", by: str = "") -> None:
        """Write down what became of it; its alert is over."""
        self._answered.add(one.key)
        over = outgoing.alert_over(f"approval:{one.key}", self._clock.wall_now())
        rows = (self._row(one, status, outcome, by), over)
        await self._journal.write(Changes(facts=((FACT + one.key, ""),), outbox=rows))

    def _row(self, one: Waiting, status: ProposalStatus, outcome: str = "", by: str = "") -> Outgoing:
        said, now = one.decision, self._clock.wall_now()
        values = {
            "proposal_key": one.key, "rule_id": said.rule_id, "version_id": said.version_id, "symbol": said.symbol,
            "side": Side.BUY, "qty": said.quantity, "price": said.limit_price, "order_type": said.order_type,
            "currency": one.currency, "reason": said.reason, "score": said.score, "status": status,
            "outcome": outcome, "decided_by": by, "asked_at": one.asked_at, "expires_at": one.expires_at,
            "decided_at": None if status is ProposalStatus.WAITING else now, "updated_at": now,
        }  # fmt: skip
        return Outgoing(outgoing.PROPOSALS, one.key, outgoing.encode(values))


def _kept(one: Waiting) -> str:
    return keep(one.decision, currency=one.currency, asked_at=one.asked_at, expires_at=one.expires_at)


def _read(body: str) -> Waiting:
    whose = json.loads(body)
    decision, kept = read(whose["rule_id"], whose["symbol"], body)
    asked_at, expires_at = (datetime.fromisoformat(kept[name]) for name in ("asked_at", "expires_at"))
    return Waiting(decision, kept["currency"], asked_at, expires_at)
