"""Past bars through a broker: asked of the account's bot, for it alone holds the key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from console.services import manual_orders
from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Environment, Market
from shared.domain.errors import NotFound, TradingError
from shared.domain.instrument import Venue, check_symbol
from shared.domain.market import Timeframe
from shared.store import accounts, commands
from shared.store.commands import CommandKind, CommandStatus

LIFE = timedelta(seconds=20)
PAGE = 500


class NoAnswer(TradingError):
    """The bot did not take the question, or its broker refused it."""

    code = "no_bars"


def account_of(wiring: Wiring, actor: Actor, account_id: int) -> tuple[Market, Environment]:
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.BACKTEST, account_id)
        account = accounts.find(session, account_id)
        if account is None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        return Market(account.market), Environment(account.environment)


def download(
    wiring: Wiring,
    actor: Actor,
    account_id: int,
    symbol: str,
    timeframe: Timeframe,
    count: int,
    venue: Venue | None = None,
) -> Iterator[list[list[Any]]]:
    """Yield pages of bars, newest page first: [start ISO, open, high, low, close, volume], closed bars only.

    Raises:
        NoAnswer: the bot does not run, or its broker has no such bars.
    """
    market, _ = account_of(wiring, actor, account_id)
    check_symbol(symbol, market)
    until, left = None, count
    while left > 0:
        rows = _page(wiring, actor, account_id, symbol, timeframe, min(left, PAGE), until, venue)
        if not rows:
            return
        yield rows
        left -= len(rows)
        before = datetime.fromisoformat(rows[0][0])
        if until is not None and before >= until:
            return
        until = before - timedelta(seconds=1)


def _page(
    wiring: Wiring,
    actor: Actor,
    account_id: int,
    symbol: str,
    timeframe: Timeframe,
    count: int,
    until: datetime | None,
    venue: Venue | None,
) -> list[list[Any]]:
    now = wiring.clock.wall_now()
    moment = until.isoformat() if until is not None else None
    payload = {"symbol": symbol, "timeframe": timeframe.value, "count": count, "until": moment, "venue": venue}
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.BACKTEST, account_id)
        key = f"bars:{account_id}:{symbol}:{venue}:{timeframe}:{moment}:{now.isoformat()}"
        command, _ = commands.request(
            session, now, account_id=account_id, kind=CommandKind.GET_BARS, key=key, requested_by=actor.label,
            payload=payload, expires_at=now + LIFE,
        )  # fmt: skip
        note(session, wiring, actor, Action.BACKTEST, f"account:{account_id}", account_id=account_id, after=payload)
        number = command.id or 0
    nudge(wiring.settings, account_id)
    done = manual_orders.outcome(wiring, number)
    if done.status != CommandStatus.DONE or done.result is None:
        error = (done.result or {}).get("error", {})
        why = " · ".join(str(error[part]) for part in ("what", "why") if error.get(part)) or done.status
        raise refuse(NoAnswer, "no_bars_came", actor.lang, symbol=symbol, timeframe=timeframe, why=why)
    return list(done.result["bars"])
