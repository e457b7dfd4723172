"""What kept rules from trading today, by reason: counted by each account's bot and told with its heartbeat."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.account import Market
from shared.domain.denials import DENIALS
from shared.domain.trading_days import ZONES
from shared.models import BrokerageAccount, Heartbeat

ACTED_ON = frozenset({"duplicate_signal"})  # the order of this signal is made: nothing was kept from trading


@dataclass(frozen=True, slots=True)
class Blocked:
    """How often a reason stopped an order today."""

    code: str
    times: int
    accounts: tuple[str, ...]
    rules: int
    last_at: datetime


def blocked_today(
    rows: Iterable[BrokerageAccount], beats: Mapping[int, Heartbeat], now: datetime
) -> tuple[Blocked, ...]:
    """Today's refusals, most often first; each market counts from its own midnight.

    A bot that started anew counts anew, as its decisions do.
    """
    times: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    where: dict[str, set[str]] = defaultdict(set)
    last: dict[str, datetime] = {}
    for row in rows:
        beat = beats.get(row.id or 0)
        for code, (often, mine, said) in (beat.detail.get("blocked", {}) if beat is not None else {}).items():
            at = datetime.fromisoformat(said)
            if code not in DENIALS - ACTED_ON or at < midnight(Market(row.market), now):
                continue
            times[code] += often
            rules[code] += mine
            where[code].add(row.nickname)
            last[code] = max(last.get(code, at), at)
    return tuple(
        Blocked(code, often, tuple(sorted(where[code])), rules[code], last[code]) for code, often in times.most_common()
    )


def midnight(market: Market, now: datetime) -> datetime:
    """When the market's own day began."""
    return now.astimezone(ZONES[market]).replace(hour=0, minute=0, second=0, microsecond=0)
