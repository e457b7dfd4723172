"""The codes with which a decision to trade is refused before the wire; each has words in shared/wording/reasons.py."""

from __future__ import annotations

DENIALS = frozenset(
    [
        *(
            "fenced",
            "unfit",
            "kill_halt",
            "kill_no_new",
            "account_mismatch",
            "currency",
            "bot_state",
            "session",
            "not_tradable",
        ),
        *("frozen", "in_flight", "duplicate_signal", "version", "stale_data", "fallback_data", "store_away"),
        *("quantity", "lot", "instrument_unknown", "tick", "price_limit", "no_price", "collar"),
        *("sellable", "holdings_unknown", "max_position", "max_symbol_amount", "max_order_amount"),
        *("cash", "cash_unknown", "max_daily_buy", "first_day_cap", "max_account_amount", "max_owner_amount"),
        *("exposure_unknown", "elsewhere_stale", "max_daily_loss", "pnl_unknown", "max_trades_per_day"),
        *("order_rate", "repeated", "failures", "cooldown", "self_cross", "opposite_order"),
        *("rule_off", "sizing", "no_position", "waits_for_open"),
        *("waits_for_approval", "approval_declined", "approval_expired"),
    ]
)
# What a person set and the day has used up, as opposed to a state of the market or the machine.
LIMIT_DENIALS = frozenset(
    [
        *("max_order_amount", "max_symbol_amount", "max_position", "max_daily_buy", "max_daily_loss"),
        *("max_trades_per_day", "max_account_amount", "max_owner_amount", "first_day_cap", "order_rate", "repeated"),
    ]
)
