"""The KIS side of the local exchange: the real wire of 한국투자증권 as kis.md documents it."""

from brokers.paper.kis_wire.gateway import rest_app
from brokers.paper.kis_wire.stream import ws_app

__all__ = ["rest_app", "ws_app"]
