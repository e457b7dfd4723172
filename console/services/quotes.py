"""The last price of a symbol as an account's bot reported it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from console.services.permissions import Action, Actor, authorize, refuse
from console.wiring import Wiring
from shared.db import reading
from shared.domain.account import Market
from shared.domain.errors import Conflict, NotFound
from shared.domain.instrument import check_symbol
from shared.store import accounts, panels


@dataclass(frozen=True, slots=True)
class QuoteLine:
    symbol: str
    market: str
    environment: str
    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    prev_close: Decimal | None
    source: str  # stream | rest
    at: datetime
    age_s: float  # since we received it


def last(wiring: Wiring, actor: Actor, account_id: int, symbol: str) -> QuoteLine:
    """Return the newest quote in the account's environment and market.

    Raises:
        Conflict: not a symbol of the market.
        NotFound: no bot has reported a price for it.
    """
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, account_id)
        account = accounts.find(session, account_id)
        if account is None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        try:
            symbol = check_symbol(symbol.upper(), Market(account.market))
        except ValueError:
            raise refuse(Conflict, "bad_symbol", actor.lang, symbol=symbol, market=account.market) from None
        row = panels.quote(session, account.environment, account.market, symbol)
    if row is None:
        raise refuse(NotFound, "no_quote", actor.lang, symbol=symbol)
    return QuoteLine(
        symbol=symbol,
        market=row.market,
        environment=row.environment,
        last=row.last,
        bid=row.bid,
        ask=row.ask,
        prev_close=row.prev_close,
        source=row.source,
        at=row.at,
        age_s=round((wiring.clock.wall_now() - row.received_at).total_seconds(), 1),
    )
