"""`order`: buy, sell, amend, cancel through the account's bot, and see them."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer

from console.cli import output
from console.cli.accounts import Account, Confirm, Reason, amount
from console.cli.desk import Desk, open_desk
from console.cli.output import AsJson
from console.services import accounts, manual_orders, orders
from console.services.manual_orders import Ticket
from shared.domain.errors import OutcomeUnknown, TradingError
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce
from shared.domain.order_state import OPEN, OrderStatus
from shared.models import Command
from shared.store.commands import CommandStatus
from shared.store.panels import OrderFilter

app = typer.Typer(help="주문 · orders", no_args_is_help=True)


class BookName(StrEnum):
    """The short words of the command line."""

    REGULAR = "regular"
    DAY = "day"
    RESERVED = "reserved"

    @property
    def order_session(self) -> OrderSession:
        return OrderSession.DAY_MARKET if self is BookName.DAY else OrderSession(self.name)


Symbol = Annotated[str, typer.Argument(help="종목코드 · symbol")]
Quantity = Annotated[int, typer.Argument(min=1, help="주 · shares")]
Price = Annotated[Decimal | None, typer.Option(parser=amount, metavar="PRICE", help="지정가 · limit price")]
Type = Annotated[OrderType, typer.Option("--type", case_sensitive=False)]
Force = Annotated[TimeInForce, typer.Option("--time-in-force", case_sensitive=False)]
Where = Annotated[Venue | None, typer.Option(case_sensitive=False, help="없으면 종목의 시장 · else the symbol's own")]
Book = Annotated[
    BookName, typer.Option("--session", case_sensitive=False, help="주간거래 day · 예약주문 reserved (US shares)")
]
Key = Annotated[str, typer.Option(help="같은 키는 같은 주문 하나 · the same key is one and the same order")]
OrderId = Annotated[int, typer.Argument(metavar="ORDER", help="주문 · order id of `order list`")]


@app.command()
def buy(
    account: Account,
    symbol: Symbol,
    quantity: Quantity,
    price: Price = None,
    order_type: Type = OrderType.LIMIT,
    time_in_force: Force = TimeInForce.DAY,
    venue: Where = None,
    session: Book = BookName.REGULAR,
    key: Key = "",
    confirm: Confirm = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """매수 주문을 냅니다 · Send a buy order."""
    ticket = Ticket(
        symbol, Side.BUY, quantity, price, order_type, time_in_force, venue, False, reason, session.order_session
    )
    _place(account, ticket, key, confirm, as_json)


@app.command()
def sell(
    account: Account,
    symbol: Symbol,
    quantity: Quantity,
    price: Price = None,
    order_type: Type = OrderType.LIMIT,
    time_in_force: Force = TimeInForce.DAY,
    venue: Where = None,
    session: Book = BookName.REGULAR,
    key: Key = "",
    confirm: Confirm = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """매도 주문을 냅니다 · Send a sell order."""
    ticket = Ticket(
        symbol, Side.SELL, quantity, price, order_type, time_in_force, venue, True, reason, session.order_session
    )
    _place(account, ticket, key, confirm, as_json)


@app.command()
def amend(
    order_id: OrderId,
    price: Annotated[Decimal, typer.Option(parser=amount, metavar="PRICE", help="새 지정가 · new limit price")],
    quantity: Annotated[int | None, typer.Option(min=1, help="없으면 잔량 전부 · all that is left")] = None,
    key: Key = "",
    confirm: Confirm = "",
    as_json: AsJson = False,
) -> None:
    """낸 주문의 값을 고칩니다 · Change the price of a resting order."""
    desk = open_desk()
    asked = manual_orders.amend(
        desk.wiring,
        desk.actor,
        order_id,
        price=price,
        quantity=quantity,
        key=key or accounts.new_key(),
        confirm=confirm,
    )
    answered(desk, asked, as_json)


@app.command()
def cancel(order_id: OrderId, key: Key = "", as_json: AsJson = False) -> None:
    """낸 주문의 잔량을 취소합니다 · Cancel what is left of a resting order."""
    desk = open_desk()
    answered(desk, orders.request_cancel(desk.wiring, desk.actor, order_id, key=key or accounts.new_key()), as_json)


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="계좌 · id or nickname")] = None,
    only_open: Annotated[bool, typer.Option("--open", help="끝나지 않은 것만 · those still open")] = False,
    status: Annotated[list[OrderStatus] | None, typer.Option(case_sensitive=False)] = None,
    symbol: Annotated[str, typer.Option(help="종목코드 · symbol")] = "",
    limit: Annotated[int, typer.Option(min=1, max=orders.LIMIT)] = 50,
    as_json: AsJson = False,
) -> None:
    """주문, 최신부터 · Orders, newest first."""
    desk = open_desk()
    statuses = frozenset(status or (OPEN if only_open else ()))
    wanted = OrderFilter(statuses=frozenset(one.value for one in statuses), symbol=symbol.upper())
    account_id = desk.account_or_all(account)
    lines = orders.listed(desk.wiring, desk.actor, account_id=account_id, wanted=wanted, limit=limit)
    output.show(output.listing([asdict(line) for line in lines], desk.now), as_json)


def _place(account: str, ticket: Ticket, key: str, confirm: str, as_json: bool) -> None:
    if (ticket.price is None) and ticket.order_type is OrderType.LIMIT:
        raise typer.BadParameter("--price, or --type MARKET")
    desk = open_desk()
    account_id = desk.account(account)
    asked = manual_orders.place(
        desk.wiring, desk.actor, account_id, ticket, key=key or accounts.new_key(), confirm=confirm
    )
    answered(desk, asked, as_json)


def answered(desk: Desk, asked: Command, as_json: bool) -> None:
    """Wait for the bot's answer. Only a command that was refused or taken back is a no; silence is unknown."""
    done = manual_orders.outcome(desk.wiring, asked.id or 0)
    result: dict[str, Any] = dict(done.result or {})
    match CommandStatus(done.status):
        case CommandStatus.DONE:
            head = {"command": done.id, "account_id": done.account_id}
            output.show({**head, **done.payload, "status": done.status, **result}, as_json)
        case CommandStatus.FAILED:
            error = result.get("error") or {}
            what = error.get("what") or "주문이 거절되었습니다 (refused)"
            raise TradingError(what, error.get("why", ""), error.get("now", ""), error.get("code", "refused"))
        case CommandStatus.EXPIRED:
            raise TradingError(
                "주문이 나가지 않았습니다 (nothing was sent)",
                "봇이 시간 안에 받지 않았습니다 (the bot did not take the command in time)",
                "letstrade bot status",
                code="expired",
            )
        case _:
            error = result.get("error") or {}
            raise OutcomeUnknown(
                "bot",
                f"command {done.id}",
                error.get("why") or result.get("note") or "봇의 답이 없습니다 (the bot has not answered)",
                "letstrade order list --open — 같은 주문을 다시 내지 마십시오 (do not send it again)",
            )
