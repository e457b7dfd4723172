"""Who listens to what: the sockets of one side, and the frames that wait for each."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import web

from brokers.paper.accounts import AccountId
from brokers.paper.ls_wire.pushes import Body
from shared.domain.order import Side


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A frame waiting for its socket, with what faults may match it by."""

    tr: str
    frame: str
    account: str = ""
    symbol: str = ""
    side: Side | None = None


@dataclass(eq=False, slots=True)
class Client:
    """One socket and what it registered."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None  # for the fault that cuts without a word
    wanted: set[tuple[str, str]] = field(default_factory=set)  # (tr, key)
    notices: set[tuple[str, AccountId]] = field(default_factory=set)  # ("SC" or "AS", whose)
    queue: asyncio.Queue[Outgoing] = field(default_factory=asyncio.Queue)
    account: str = ""

    def put(self, out: Outgoing) -> None:
        self.queue.put_nowait(out)


class Registry:
    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._wanting: dict[tuple[str, str], set[Client]] = {}

    def enter(self, client: Client) -> None:
        self._clients.add(client)

    def leave(self, client: Client) -> None:
        self._clients.discard(client)
        for channel in list(client.wanted):
            self.drop(client, channel)

    def add(self, client: Client, channel: tuple[str, str]) -> None:
        client.wanted.add(channel)
        self._wanting.setdefault(channel, set()).add(client)

    def drop(self, client: Client, channel: tuple[str, str]) -> None:
        client.wanted.discard(channel)
        listeners = self._wanting.get(channel)
        if listeners is not None:
            listeners.discard(client)
            if not listeners:
                del self._wanting[channel]

    def wanted(self, channels: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those that somebody listens to."""
        return [channel for channel in channels if channel in self._wanting]

    def push(self, channel: tuple[str, str], body: Body, symbol: str = "") -> None:
        tr, key = channel
        frame = json.dumps({"header": {"tr_cd": tr, "tr_key": key}, "body": body}, ensure_ascii=False)
        for client in self._wanting.get(channel, ()):
            client.put(Outgoing(tr, frame, client.account, symbol))

    def listeners(self, kind: str, account: AccountId) -> list[Client]:
        """Who gets the notices ("SC" or "AS") of an account."""
        return [client for client in self._clients if (kind, account) in client.notices]
