"""Orders a person gives by hand: asked of the account's bot as commands, and what became of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from console.services.nudge import nudge
from console.services.orders import CANCELABLE
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Environment, Market
from shared.domain.errors import Conflict, NotFound
from shared.domain.instrument import Venue, check_symbol
from shared.domain.order import OrderRequest, OrderSession, OrderType, Side, TimeInForce
from shared.models import BrokerageAccount, Command, OrderRow
from shared.store import accounts, commands, panels
from shared.store.commands import OPEN_COMMANDS, CommandKind
from shared.words import say

ORDER_LIFE = timedelta(seconds=5)  # a bot that has not taken it by then never will
ANSWER_GRACE_S = 15.0  # how long a bot that has taken it may ask its broker
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order as a person writes it. `price` None is a market order."""

    symbol: str
    side: Side
    quantity: int
    price: Decimal | None
    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.DAY
    venue: Venue | None = None  # None: KRX, or Nasdaq until the bot knows the listing
    reduces: bool = False
    reason: str = ""
    session: OrderSession = OrderSession.REGULAR


def place(wiring: Wiring, actor: Actor, account_id: int, ticket: Ticket, *, key: str, confirm: str = "") -> Command:
    """Ask the account's bot for an order; the same key is the same order, however often it is asked.

    Raises:
        Conflict: it cannot be an order of this account, or a LIVE account without its typed name.
    """
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ORDER_PLACE, account_id)
        account = _account(session, actor, account_id)
        if account.environment == Environment.LIVE and confirm != account.nickname:
            raise refuse(Conflict, "confirm_live", actor.lang, nickname=account.nickname)
        payload = _payload(actor, Market(account.market), ticket, f"op-{key}")
        command = _ask(session, wiring, actor, account_id, CommandKind.PLACE_ORDER, Action.ORDER_PLACE, key, payload)
    nudge(wiring.settings, account_id)
    return command


def preview(wiring: Wiring, actor: Actor, account_id: int, ticket: Ticket, *, key: str) -> Command:
    """Ask what would become of the order now: guards, book, buying power. Nothing is sent to the market."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ORDER_PLACE, account_id)
        account = _account(session, actor, account_id)
        payload = _payload(actor, Market(account.market), ticket, f"pv-{key}")
        command, _ = commands.request(
            session,
            wiring.clock.wall_now(),
            account_id=account_id,
            kind=CommandKind.PREVIEW_ORDER,
            key=key,
            requested_by=actor.label,
            payload=payload,
            expires_at=wiring.clock.wall_now() + ORDER_LIFE,
        )
    nudge(wiring.settings, account_id)
    return command


def close(wiring: Wiring, actor: Actor, account_id: int, symbol: str, *, key: str, confirm: str = "") -> Command:
    """Ask the bot to sell, at the market, all it may sell of `symbol`; the same key is the same command.

    Raises:
        Conflict: a LIVE account without its typed name.
        NotFound: nothing of it is held.
    """
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ORDER_PLACE, account_id)
        account = _account(session, actor, account_id)
        if account.environment == Environment.LIVE and confirm != account.nickname:
            raise refuse(Conflict, "confirm_live", actor.lang, nickname=account.nickname)
        if not any(row.symbol == symbol for row in panels.positions(session, [account_id])):
            raise refuse(NotFound, "not_held", actor.lang, symbol=symbol)
        payload: dict[str, Any] = {"symbol": symbol, "quantity": None}
        asked = _ask(session, wiring, actor, account_id, CommandKind.CLOSE_POSITION, Action.ORDER_PLACE, key, payload)
    nudge(wiring.settings, account_id)
    return asked


def answer(wiring: Wiring, actor: Actor, command_id: int) -> Command:
    """The command as it stands now, without waiting; one that no bot took in its life is shown as EXPIRED."""
    with reading(wiring.engine) as session:
        command = session.get(Command, command_id)
        if command is None or command.account_id is None:
            raise refuse(NotFound, "no_command", actor.lang, command=command_id)
        authorize(session, actor, Action.VIEW, command.account_id)
        late = command.expires_at is not None and wiring.clock.wall_now() > command.expires_at
        if command.status == commands.CommandStatus.REQUESTED and late:
            command.status = commands.CommandStatus.EXPIRED.value
        session.expunge(command)
    return command


def amend(
    wiring: Wiring, actor: Actor, order_id: int, *, price: Decimal, quantity: int | None, key: str, confirm: str = ""
) -> Command:
    """Ask for a new price, and for `quantity` shares only when given; at the broker that is a new order number."""
    with writing(wiring.engine) as session:
        row = session.get(OrderRow, order_id)
        if row is None:
            raise refuse(NotFound, "no_order", actor.lang, order=order_id)
        authorize(session, actor, Action.ORDER_AMEND, row.account_id)
        account = _account(session, actor, row.account_id)
        if account.environment == Environment.LIVE and confirm != account.nickname:
            raise refuse(Conflict, "confirm_live", actor.lang, nickname=account.nickname)
        if row.status not in CANCELABLE:
            raise refuse(Conflict, "not_cancelable", actor.lang, order=order_id)
        leaves = row.qty - row.filled_qty
        if price <= 0 or (quantity is not None and not 0 < quantity <= leaves):
            raise refuse(Conflict, "bad_order", actor.lang, why=_why_not(actor, account, price, quantity, leaves))
        payload = {
            "order_id": order_id,
            "client_order_id": row.client_order_id,
            "symbol": row.symbol,
            "price": f"{price:f}",
            "quantity": quantity,
        }
        asked = _ask(session, wiring, actor, row.account_id, CommandKind.AMEND_ORDER, Action.ORDER_AMEND, key, payload)
        account_id = row.account_id
    nudge(wiring.settings, account_id)
    return asked


def _why_not(actor: Actor, account: BrokerageAccount, price: Decimal, quantity: int | None, leaves: int) -> str:
    """Which value of an amendment cannot be asked for."""
    if price <= 0:
        return say("amend.bad_price", actor.lang, price=Market(account.market).currency.said(price))
    return say("amend.bad_quantity", actor.lang, n=f"{quantity:,}", most=f"{leaves:,}")


def outcome(wiring: Wiring, command_id: int) -> Command:
    """Wait until the command is finished, and return it.

    One that no bot claimed within its life is taken back first, so EXPIRED proves that nothing was sent. One that is
    still RUNNING at the end is returned as such: its outcome is unknown.
    """
    command = _read(wiring, command_id)
    while command.status in OPEN_COMMANDS:
        waited = (wiring.clock.wall_now() - command.requested_at).total_seconds()
        life = (command.expires_at - command.requested_at).total_seconds() if command.expires_at else 0.0
        if command.claimed_at is None and waited > life:
            with writing(wiring.engine) as session:
                command = commands.expire_unclaimed(session, wiring.clock.wall_now(), command_id) or command
        elif waited > life + ANSWER_GRACE_S:
            return command
        else:
            time.sleep(POLL_S)
            command = _read(wiring, command_id)
    return command


def _read(wiring: Wiring, command_id: int) -> Command:
    with reading(wiring.engine) as session:
        return session.get_one(Command, command_id)


def _payload(actor: Actor, market: Market, ticket: Ticket, client_order_id: str) -> dict[str, Any]:
    """The order as JSON, after it passed as an OrderRequest."""
    venue = ticket.venue or (Venue.KRX if market is Market.KRX else Venue.NASDAQ)
    try:
        if ticket.session is not OrderSession.REGULAR and market is Market.KRX:
            raise ValueError(f"{ticket.session} is offered for US shares only")
        if (venue in {Venue.KRX, Venue.NXT, Venue.SOR}) != (market is Market.KRX):
            raise ValueError(f"{venue} is not a venue of {market}")
        request = OrderRequest(
            symbol=check_symbol(ticket.symbol.upper(), market),
            side=ticket.side,
            quantity=ticket.quantity,
            price=ticket.price,
            venue=venue,
            currency=market.currency,
            client_order_id=client_order_id,
            order_type=ticket.order_type,
            time_in_force=ticket.time_in_force,
            reduces=ticket.reduces,
            reason=ticket.reason,
            session=ticket.session,
        )
    except ValueError as error:
        raise refuse(Conflict, "bad_order", actor.lang, why=str(error)) from None
    return {
        "client_order_id": request.client_order_id,
        "symbol": request.symbol,
        "side": request.side.value,
        "quantity": request.quantity,
        "price": None if request.price is None else f"{request.price:f}",
        "order_type": request.order_type.value,
        "time_in_force": request.time_in_force.value,
        "venue": ticket.venue.value if ticket.venue else None,  # None: the bot takes the symbol's own
        "reduces": request.reduces,
        "reason": request.reason,
        "session": request.session.value,
    }


def _ask(
    session: Session,
    wiring: Wiring,
    actor: Actor,
    account_id: int,
    kind: CommandKind,
    action: Action,
    key: str,
    payload: dict[str, Any],
) -> Command:
    now = wiring.clock.wall_now()
    command, new = commands.request(
        session,
        now,
        account_id=account_id,
        kind=kind,
        key=key,
        requested_by=actor.label,
        payload=payload,
        expires_at=now + ORDER_LIFE,
    )
    if new:
        after = {**payload, "command": command.id}
        note(session, wiring, actor, action, f"account:{account_id}", account_id=account_id, after=after)
    return command


def _account(session: Session, actor: Actor, account_id: int) -> BrokerageAccount:
    row = accounts.find(session, account_id)
    if row is None or row.archived_at is not None:
        raise refuse(NotFound, "no_account", actor.lang, account=account_id)
    return row
