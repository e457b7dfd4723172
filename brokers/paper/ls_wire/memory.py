"""What the wire itself remembers of an exchange, for its REST and its WebSocket side alike."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from brokers.paper.exchange import Exchange
from brokers.paper.ls_wire.price_types import PriceTypes
from brokers.paper.ls_wire.tally import Tallies


class Memory:
    def __init__(self, exchange: Exchange) -> None:
        self.tallies = Tallies(exchange)
        self.types = PriceTypes()


_MEMORIES: WeakKeyDictionary[Exchange, Memory] = WeakKeyDictionary()


def memory_of(exchange: Exchange) -> Memory:
    """The one memory of this exchange."""
    if exchange not in _MEMORIES:
        _MEMORIES[exchange] = Memory(exchange)
    return _MEMORIES[exchange]
