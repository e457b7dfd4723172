"""One TR call as its handler sees it, and what a handler gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from brokers.paper.accounts import Account, ExEnv
from brokers.paper.exchange import Exchange
from brokers.paper.listings import Listing
from brokers.paper.ls_wire.blocks import Block, InBlock
from brokers.paper.ls_wire.formats import KST
from brokers.paper.ls_wire.memory import Memory
from brokers.paper.ls_wire.refusals import Refusal
from shared.domain.account import Market


@dataclass(frozen=True, slots=True)
class Call:
    exchange: Exchange
    account: Account
    asked: InBlock
    cont: bool  # request header tr_cont: Y
    cont_key: str
    memory: Memory

    @property
    def mock(self) -> bool:
        return self.account.env is ExEnv.MOCK

    def cursor(self, name: str) -> str:
        """Where the page begins: by the body's field, else by the header."""
        return self.asked.text(name) or (self.cont_key if self.cont else "")

    def now(self) -> datetime:
        """Market time, KST."""
        return self.exchange.clock.market_now().astimezone(KST)


Blocks = Mapping[str, Block | list[Block]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A TR's answer. A non-blank `cont_key` means more pages."""

    blocks: Blocks = field(default_factory=dict)
    code: str = "00000"
    text: str = "정상적으로 조회가 완료되었습니다."
    cont_key: str = ""


def no_data() -> Refusal:
    return Refusal("00009", "조회할 자료가 없습니다.")


def listed(call: Call, code: str) -> Listing:
    """The Korean share that `code` names. Raises Refusal 00009 when there is none."""
    listing = call.exchange.listing(code)
    if listing is None or listing.market is not Market.KRX:
        raise no_data()
    return listing
