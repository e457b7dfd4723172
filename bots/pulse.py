"""What a bot says of itself with each heartbeat, gathered from its parts."""

from __future__ import annotations

from bots.parts import Parts
from shared.domain.bot_state import KillLevel


def feel(p: Parts, level: KillLevel, lag_ms: float) -> None:
    """Refresh the vitals; the sync takes them to the store."""
    v, budget, token = p.vitals, p.broker.rate_budget(), p.tokens.current
    v.state, v.reason, v.kill_level = p.state.state, p.state.reason, level
    v.market_at, v.feed_at, v.feed_source = p.clock.market_now(), p.feed.last_at, p.feed.last_source
    if p.clearance.in_fallback() and p.feed.last_source:
        v.feed_source = "rest"
    v.token_expires_at = token.expires_at if token else None
    v.rate_used, v.rate_limit = budget.used_last_s, budget.limit_per_s
    v.rate_waiting, v.rate_limited = budget.waiting, budget.limited_total
    v.loop_lag_ms = round(lag_ms, 1)
    v.detail |= {"epoch": p.lease.epoch, "open_orders": len(p.orders.open()), "frozen": dict(p.orders.stopped)}
    v.detail |= {"stream": p.feed.stream_up, "no_entries": p.clearance.no_entries or ""}
    v.detail |= {"polled": sorted(p.feed.polled), "blocked": p.trader.decisions.blocked()}
    v.detail |= {"parked": {f"{rule_id}:{symbol}": why for (rule_id, symbol), why in p.trader.parking.why.items()}}
    v.detail |= {"held_exits": p.trader.held_exits.told()}
