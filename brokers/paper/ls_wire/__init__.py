"""LS증권 as its clients see it: the REST and WebSocket formats of ls.md, from the server's side."""

from brokers.paper.ls_wire.rest import rest_app
from brokers.paper.ls_wire.ws import ws_app

__all__ = ["rest_app", "ws_app"]
