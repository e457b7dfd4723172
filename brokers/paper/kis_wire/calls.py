"""One REST call as a handler sees it, the row that says which handler serves which TR, and paging."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, NoReturn, TypeVar

from brokers.paper.accounts import Account, ExEnv
from brokers.paper.exchange import Exchange
from brokers.paper.kis_wire.answers import Answer, bad_field, missing_field
from brokers.paper.kis_wire.fields import parse_decimal, parse_quantity
from brokers.paper.orders import RejectReason, order_id
from shared.domain.account import BrokerName, Market
from shared.domain.order import Side

EARLIEST, LATEST = 1900, 2100  # years


@dataclass(frozen=True, slots=True)
class Call:
    """A checked request: token, keys and TR are in order. `params` has upper-case names and text values."""

    exchange: Exchange
    env: ExEnv
    tr: Tr
    params: Mapping[str, str]
    owner: Account | None  # None for TRs that name no account
    continues: bool  # the client sent tr_cont N: it wants the page after its ctx_area keys

    @property
    def account(self) -> Account:
        if self.owner is None:
            raise missing_field("CANO")
        return self.owner

    def refuse(self, reason: RejectReason, text: str) -> NoReturn:
        """Refuse the order this call asks for, and have it written to the exchange's ledger."""
        self.exchange.refuse(
            self.account,
            reason,
            text,
            symbol=self.get(self.tr.symbol_field) or None,
            side=self.tr.side,
            quantity=parse_quantity(self.get("ORD_QTY")),
            price=parse_decimal(self.get("ORD_UNPR") or self.get("OVRS_ORD_UNPR")),
        )

    def get(self, name: str) -> str:
        """The value of an optional field; blank when absent."""
        return self.params.get(name, "").strip()

    def need(self, name: str) -> str:
        """The value of a field that must be there, though it may be blank."""
        if name not in self.params:
            raise missing_field(name)
        return self.get(name)

    def day(self, name: str) -> date:
        """Read a YYYYMMDD field; a year before 1900 counts as 1900: clients write 00000101 for "from the beginning".

        Raises:
            Refusal: OPSQ2002, it is not a date.
        """
        text = self.need(name)
        try:
            day = date(max(int(text[:4]), EARLIEST), int(text[4:6]), int(text[6:8]))
        except ValueError:
            raise bad_field(name) from None
        if day.year > LATEST or not text.isdigit():
            raise bad_field(name)
        return day

    def order_id(self, order_no: int | None) -> str:
        """An order number as this side shows it: padded to ten live-like, plain 모의-like (kis.md §3.2)."""
        return "" if order_no is None else order_id(BrokerName.KIS, self.env, order_no)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Tr:
    """One transaction id: where it lives and who serves it."""

    tr_id: str
    method: str
    path: str
    handler: Handler
    market: Market
    side: Side | None = None
    env: ExEnv | None = None  # the only side that serves it; None: both
    names_account: bool = False
    symbol_field: str = "PDNO"  # where the symbol stands, for the fault plan


def account_trs(
    market: Market,
    method: str,
    path: str,
    handler: Handler,
    *,
    live: Sequence[str],
    mock: Sequence[str],
    side: Side | None = None,
    symbol_field: str = "PDNO",
) -> list[Tr]:
    """Rows of an account TR under all its ids: new and old ones are served alike (kis.md §8 point 4)."""
    ids = [*((one, ExEnv.LIVE) for one in live), *((one, ExEnv.MOCK) for one in mock)]
    return [Tr(one, method, path, handler, market, side, env, True, symbol_field) for one, env in ids]


Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    rows: list[Row]
    next_key: str  # blank on the last page

    @property
    def more(self) -> bool:
        return bool(self.next_key)


def page(
    rows: Sequence[Row], key: Callable[[Row], int | str], call: Call, *, size: int, area: str, descending: bool = False
) -> Page[Row]:
    """Cut the page that `call` asks for out of `rows`, which must stand in the order of `key`.

    The cursor is the key of the last row shown, so rows that come or go between two pages neither repeat nor hide one.
    Without tr_cont N the first page comes again, whatever ctx_area says (kis.md §7.5).
    """
    cursor = call.get(f"CTX_AREA_NK{area}") if call.continues else ""
    left = list(rows)
    if cursor:
        last: int | str = int(cursor) if rows and isinstance(key(rows[0]), int) and cursor.isdigit() else cursor
        left = [row for row in rows if (_before(key(row), last) if descending else _before(last, key(row)))]
    shown = left[:size]
    return Page(shown, str(key(shown[-1])) if len(left) > size else "")


def _before(one: int | str, other: int | str) -> bool:
    if isinstance(one, int) and isinstance(other, int):
        return one < other
    return str(one) < str(other)


def ctx_area(call: Call, size: int, key: str, *conditions: str) -> dict[str, str]:
    """The paging keys of a reply, blank padded: `fk` echoes the search conditions, `nk` is the cursor (kis.md §1.4)."""
    account = call.account.number.split("-")
    fk = "^".join([*account, *conditions]) + "^"
    return {f"ctx_area_fk{size}": fk.ljust(size), f"ctx_area_nk{size}": key.ljust(size)}
