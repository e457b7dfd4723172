"""The life of one account's bot, and the kill switch levels."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from shared.domain.errors import IllegalTransition


class BotState(StrEnum):
    STARTING = "STARTING"
    RECOVERING = "RECOVERING"  # lease held; journal, token, reconcile
    READY = "READY"  # reconciled; rules may enter
    EXITS_ONLY = "EXITS_ONLY"  # data, store or reconcile in doubt: exits and cancels only
    BLOCKED = "BLOCKED"  # a person must act: key refused, config broken
    DRAINING = "DRAINING"
    STOPPED = "STOPPED"


class BotEventKind(StrEnum):
    RECOVER = "RECOVER"
    RECONCILED = "RECONCILED"
    DOUBT = "DOUBT"
    BLOCK = "BLOCK"
    DRAIN = "DRAIN"
    STOP = "STOP"


_S, _E = BotState, BotEventKind

TRANSITIONS: dict[tuple[BotState, BotEventKind], BotState] = {
    (_S.STARTING, _E.RECOVER): _S.RECOVERING,
    (_S.STARTING, _E.BLOCK): _S.BLOCKED,
    (_S.STARTING, _E.STOP): _S.STOPPED,
    (_S.RECOVERING, _E.RECONCILED): _S.READY,
    (_S.RECOVERING, _E.DOUBT): _S.EXITS_ONLY,
    (_S.RECOVERING, _E.BLOCK): _S.BLOCKED,
    (_S.RECOVERING, _E.DRAIN): _S.DRAINING,
    (_S.READY, _E.RECONCILED): _S.READY,
    (_S.READY, _E.DOUBT): _S.EXITS_ONLY,
    (_S.READY, _E.BLOCK): _S.BLOCKED,
    (_S.READY, _E.DRAIN): _S.DRAINING,
    (_S.EXITS_ONLY, _E.RECONCILED): _S.READY,
    (_S.EXITS_ONLY, _E.DOUBT): _S.EXITS_ONLY,
    (_S.EXITS_ONLY, _E.BLOCK): _S.BLOCKED,
    (_S.EXITS_ONLY, _E.DRAIN): _S.DRAINING,
    (_S.BLOCKED, _E.RECOVER): _S.RECOVERING,
    (_S.BLOCKED, _E.DRAIN): _S.DRAINING,
    (_S.BLOCKED, _E.STOP): _S.STOPPED,
    (_S.DRAINING, _E.STOP): _S.STOPPED,
}


def next_state(state: BotState, event: BotEventKind) -> BotState:
    """Return the state after `event`; an unlisted pair raises IllegalTransition."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"bot cannot go from {state} by {event}") from None


class KillLevel(IntEnum):
    """RUN < NO_NEW (no entries) < REDUCE_ONLY (only orders that shrink a position) < HALT (only cancels leave)."""

    RUN = 0
    NO_NEW = 1
    REDUCE_ONLY = 2
    HALT = 3


class KillAction(StrEnum):
    CANCEL_ALL = "CANCEL_ALL"
    FLATTEN = "FLATTEN"
