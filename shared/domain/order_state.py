"""The life of an order: the only place where a status may change."""

from __future__ import annotations

from enum import StrEnum

from shared.domain.errors import IllegalTransition


class OrderStatus(StrEnum):
    PENDING = "PENDING"  # intent on disk, nothing sent
    SUBMITTED = "SUBMITTED"  # SENDING on disk; the socket write may have happened
    ACCEPTED = "ACCEPTED"  # 접수
    PARTIAL = "PARTIAL"  # 부분체결
    FILLED = "FILLED"  # 전량체결
    CANCELED = "CANCELED"  # 취소 (may hold fills)
    EXPIRED = "EXPIRED"  # the session ended it
    REJECTED = "REJECTED"  # 거부: proven no from the broker
    DENIED = "DENIED"  # 우리 거절: our own guard
    UNKNOWN = "UNKNOWN"  # 확인중: sent, unproven
    NOT_ACCEPTED = "NOT_ACCEPTED"  # proven absent after an UNKNOWN
    NEEDS_OPERATOR = "NEEDS_OPERATOR"  # several candidates or no proof: a person decides


class OrderEventKind(StrEnum):
    SEND = "SEND"
    DENY = "DENY"
    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    LOSE_ANSWER = "LOSE_ANSWER"
    FILL_PART = "FILL_PART"
    FILL_ALL = "FILL_ALL"
    CANCEL = "CANCEL"
    EXPIRE = "EXPIRE"
    ADOPT = "ADOPT"  # an UNKNOWN was found at the broker
    PROVE_ABSENT = "PROVE_ABSENT"
    GIVE_UP = "GIVE_UP"  # the resolver hands over to a person
    NOT_SENT = "NOT_SENT"  # recovery: a crash before SENDING, proven not sent


_S, _E = OrderStatus, OrderEventKind

TRANSITIONS: dict[tuple[OrderStatus, OrderEventKind], OrderStatus] = {
    (_S.PENDING, _E.SEND): _S.SUBMITTED,
    (_S.PENDING, _E.DENY): _S.DENIED,
    (_S.PENDING, _E.NOT_SENT): _S.NOT_ACCEPTED,
    (_S.SUBMITTED, _E.ACCEPT): _S.ACCEPTED,
    (_S.SUBMITTED, _E.REJECT): _S.REJECTED,
    (_S.SUBMITTED, _E.LOSE_ANSWER): _S.UNKNOWN,
    (_S.SUBMITTED, _E.DENY): _S.DENIED,  # the last-line gate (fencing, kill switch) stopped it before the socket write
    # The fill notice can outrun the acknowledgement.
    (_S.SUBMITTED, _E.FILL_PART): _S.PARTIAL,
    (_S.SUBMITTED, _E.FILL_ALL): _S.FILLED,
    (_S.ACCEPTED, _E.FILL_PART): _S.PARTIAL,
    (_S.ACCEPTED, _E.FILL_ALL): _S.FILLED,
    (_S.ACCEPTED, _E.CANCEL): _S.CANCELED,
    (_S.ACCEPTED, _E.EXPIRE): _S.EXPIRED,
    (_S.ACCEPTED, _E.GIVE_UP): _S.NEEDS_OPERATOR,  # no complete list shows its number: it may be wrong
    (_S.ACCEPTED, _E.REJECT): _S.REJECTED,  # acknowledged by the broker, refused later by the exchange (LS SC4)
    (_S.PARTIAL, _E.ACCEPT): _S.PARTIAL,  # the late acknowledgement of an order that already fills
    (_S.PARTIAL, _E.FILL_PART): _S.PARTIAL,
    (_S.PARTIAL, _E.FILL_ALL): _S.FILLED,
    (_S.PARTIAL, _E.CANCEL): _S.CANCELED,
    (_S.PARTIAL, _E.EXPIRE): _S.EXPIRED,
    (_S.FILLED, _E.ACCEPT): _S.FILLED,
    # A fill that crossed the cancel on the wire still counts.
    (_S.CANCELED, _E.FILL_PART): _S.CANCELED,
    (_S.CANCELED, _E.FILL_ALL): _S.FILLED,
    (_S.EXPIRED, _E.FILL_PART): _S.EXPIRED,
    (_S.EXPIRED, _E.FILL_ALL): _S.FILLED,
    (_S.UNKNOWN, _E.ADOPT): _S.ACCEPTED,
    (_S.UNKNOWN, _E.ACCEPT): _S.ACCEPTED,  # the answer came after all
    (_S.UNKNOWN, _E.PROVE_ABSENT): _S.NOT_ACCEPTED,
    (_S.UNKNOWN, _E.GIVE_UP): _S.NEEDS_OPERATOR,
    (_S.NEEDS_OPERATOR, _E.ADOPT): _S.ACCEPTED,
    (_S.NEEDS_OPERATOR, _E.PROVE_ABSENT): _S.NOT_ACCEPTED,
}

TERMINAL = frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED, _S.DENIED, _S.NOT_ACCEPTED})
OPEN = frozenset({_S.SUBMITTED, _S.ACCEPTED, _S.PARTIAL, _S.UNKNOWN, _S.NEEDS_OPERATOR})
UNPROVEN = frozenset({_S.SUBMITTED, _S.UNKNOWN, _S.NEEDS_OPERATOR})


def next_status(status: OrderStatus, event: OrderEventKind) -> OrderStatus:
    """Return the status after `event`; an unlisted pair raises IllegalTransition."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise IllegalTransition(
            f"order cannot go from {status} by {event}",
            "the broker reported something our state table does not allow",
            "the symbol is frozen; look at the order's events and reconcile",
        ) from None
