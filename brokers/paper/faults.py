"""Faults. SKELETON - signatures first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from brokers.paper.accounts import ExEnv
from shared.domain.account import BrokerName
from shared.domain.order import Side


class StepKind(StrEnum):
    SEND = "send"
    KICK = "kick"  # close the socket (abort the transport when `abrupt`)
    KEY_CHANGE = "key_change"  # encrypt this and all later notices with a fresh key that the client is not told


@dataclass(frozen=True, slots=True)
class Step:
    kind: StepKind
    frame: str | bytes = ""
    delay_s: float = 0.0
    abrupt: bool = False


class FaultPlan:
    async def answer(
        self,
        request: web.Request,
        *,
        broker: BrokerName,
        env: ExEnv,
        tr: str,
        account: str,
        symbol: str,
        side: Side | None,
        act: Callable[[], Awaitable[web.Response]],
    ) -> web.StreamResponse:
        """Run `act` under the faults that match this call; without one, its answer is passed through."""
        raise NotImplementedError

    def frames(
        self,
        *,
        broker: BrokerName,
        env: ExEnv,
        tr: str,
        account: str,
        symbol: str,
        side: Side | None,
        frame: str | bytes,
        socket: object = None,
    ) -> list[Step]:
        """What to do instead of sending `frame`: usually one SEND of it. On KEY_CHANGE the wire encrypts anew itself."""
        raise NotImplementedError
