"""The day's loss has reached its limit: entries rest until the next trade date, and a person is told once, loudly.

The mark is in the journal (and in the heartbeat, for a host that takes over) together with its alert: a restart tells nothing
twice. The alert ends by itself with the halt: on the next trade date, or when the limit was raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bots import outgoing
from bots.daybook import DayBook, PriceOf
from bots.journal import Changes, Journal
from bots.trading_hours import TradingHours
from shared.clock import Clock
from shared.domain.money import Currency

KEY = "loss:"


@dataclass(slots=True)
class LossHalt:
    daybook: DayBook
    hours: TradingHours
    journal: Journal
    clock: Clock
    price_of: PriceOf
    currency: Currency
    _told: bool | None = (
        None  # whether the halt stands, as far as people were told; None: this process does not know yet
    )

    async def watch(self, limit: Decimal) -> None:
        """Halt at the first touch, whatever prices do afterwards; take the alert back when the halt is over."""
        today, now = self.hours.trade_date(self.clock.market_now()), self.clock.wall_now()
        mark = self.daybook.lost(today, limit, self.price_of)
        if mark is not None:
            self.daybook.keep((mark,))
            most, result = self.currency.said(limit), self.daybook.pnl(today, self.price_of)
            alert = outgoing.alert(
                "LOSS_HALT", "critical", f"{KEY}{today}:{outgoing.plain(limit)}", now, limit=most,
                pnl="—" if result is None else self.currency.said(result), day=today.isoformat(),
            )  # fmt: skip
            text = f"오늘 손실 한도 {most}에 닿음: 다음 거래일까지 새 진입 없음, 청산과 손절은 계속"
            await self.journal.write(Changes(marks=(mark,), outbox=(outgoing.log("WARNING", text, now), alert)))
        halted = self.daybook.halted(today, limit)
        if self._told is not False and not halted:
            await self.journal.write(Changes(outbox=(outgoing.alert_over(f"{KEY}*", now),)))
        self._told = halted
