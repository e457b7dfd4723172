"""Errors, named by what the caller must do (style.md §7)."""

from __future__ import annotations


class TradingError(Exception):
    """Base of every error of ours. `code` is stable; an operator reads what/why/now."""

    code = "error"

    def __init__(self, what: str, why: str = "", now: str = "", code: str | None = None) -> None:
        super().__init__(what if not why else f"{what}: {why}")
        self.what, self.why, self.now = what, why, now
        if code is not None:
            self.code = code


class ConfigError(TradingError):
    """Settings, rule or input must be mended by a person; exit 78, no restart."""

    code = "config"


class NotFound(TradingError):
    """What was named does not exist (or is not visible to the caller)."""

    code = "not_found"


class Forbidden(TradingError):
    """The caller's current role does not allow this."""

    code = "forbidden"


class Conflict(TradingError):
    """The request needs a confirmation or clashes with the present state; `now` says what to send."""

    code = "conflict"


class BrokerError(TradingError):
    """A broker's answer, in the broker's words."""

    code = "broker"

    def __init__(self, broker: str, broker_code: str, message: str, now: str = "") -> None:
        super().__init__(f"{broker} {broker_code}", message, now)
        self.broker, self.broker_code, self.message = broker, broker_code, message


class BrokerUnavailable(BrokerError):
    """Wait and ask again; raised by reads only."""

    code = "broker_unavailable"


class Refused(BrokerError):
    """Proven no: nothing was placed. Only codes listed in the broker's tr.py become this on an order."""

    code = "refused"


class OrderRejected(Refused):
    """The broker or exchange will not take this order; do not repeat it."""

    code = "order_rejected"


class InsufficientFunds(OrderRejected):
    code = "insufficient_funds"


class MarketClosed(OrderRejected):
    code = "market_closed"


class BadPrice(OrderRejected):
    code = "bad_price"


class UnknownSymbol(OrderRejected):
    code = "unknown_symbol"


class RateLimited(Refused):
    """Too many calls; nothing was done. Reads may repeat after `retry_after_s`."""

    code = "rate_limited"

    def __init__(self, broker: str, broker_code: str, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(broker, broker_code, message)
        self.retry_after_s = retry_after_s


class AuthExpired(Refused):
    """Renew the token once; reads may repeat."""

    code = "auth_expired"


class AuthRefused(Refused):
    """The key, account or environment is not accepted; a person must act, no new entries."""

    code = "auth_refused"


class NotSupported(Refused):
    """The broker does not offer this in this environment; known before anything is sent."""

    code = "not_supported"


class StreamFull(NotSupported):
    """Every registration of the stream is in use: free one first, or ask by REST."""

    code = "stream_full"


class NotSent(Refused):
    """No byte left this machine: a connection could not be made, or the order could not be signed."""

    code = "not_sent"


class DoorClosed(Refused):
    """The host is not on the environment's list; refused before DNS."""

    code = "door_closed"


class OutcomeUnknown(BrokerError):
    """Sent and unproven: the order may be live. Never resend; reconcile asks."""

    code = "outcome_unknown"


class WireError(BrokerError):
    """The message is not as documented."""

    code = "wire"


class IllegalTransition(TradingError):
    """Our bug or an unmodelled broker: stop the symbol, tell a person."""

    code = "illegal_transition"


class LeaseLost(TradingError):
    """Another process owns the account; stop sending at once."""

    code = "lease_lost"
