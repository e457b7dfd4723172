"""The last days only, as a what-if looks at them: enough bars before them for the indicators, no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import numpy as np
from sqlalchemy import Engine

from bots.backtest.data import PriceData, parse_bars
from bots.rules.plan import plan_of
from bots.rules.series import Bars
from shared.db import reading
from shared.domain.account import Market
from shared.domain.market import Timeframe
from shared.domain.rule.model import Rule
from shared.domain.trading_days import ZONES
from shared.store import backtests

Row = tuple[datetime, Decimal, Decimal, Decimal, Decimal, int]  # start, open, high, low, close, volume


def last_days(data: PriceData, rule: Rule, days: int) -> PriceData:
    """Cut to the last `days` trading dates and the rule's warm-up before them: its first signal falls inside."""
    local = data.local_days()
    wanted = np.unique(local)[-days:]
    first = int(np.searchsorted(local, wanted[0])) if len(wanted) else 0
    begin = max(first - plan_of(rule).warm_up + 1, 0)
    if begin == 0:
        return data
    one = data.bars
    cut = Bars(
        one.starts[begin:], one.open[begin:], one.high[begin:], one.low[begin:], one.close[begin:], one.volume[begin:]
    )
    paid = tuple((bar - begin, cash) for bar, cash in data.dividends if bar >= begin)
    return replace(data, bars=cut, dividends=paid)


def recorded(store: Engine, environment: str, market: Market, symbol: str, timeframe: Timeframe) -> PriceData | None:
    """The symbol's bars as the desk's own bots saw them in this environment; None when they saw none."""
    with reading(store) as session:
        rows = backtests.recorded_minutes(session, environment, market, symbol)
    return of_minutes(rows, market, timeframe, f"{market} {symbol}")


def of_minutes(rows: Iterable[Row], market: Market, timeframe: Timeframe, name: str) -> PriceData | None:
    """Bars of `timeframe` from one-minute bars as bots recorded them; None when there are none.

    Bars are aligned to the exchange's own clock; a daily bar is what was recorded of its date.
    """
    zone = ZONES[market]
    made: dict[str, list[Decimal]] = {}
    for start, opened, high, low, close, volume in rows:
        local = start.astimezone(zone)
        if timeframe is Timeframe.D1:
            key = local.date().isoformat()
        else:
            into = (local.hour * 3600 + local.minute * 60) % timeframe.seconds
            key = datetime.fromtimestamp(local.timestamp() - into, zone).replace(second=0, microsecond=0).isoformat()
        bar = made.get(key)
        if bar is None:
            made[key] = [opened, high, low, close, Decimal(volume)]
        else:
            made[key] = [bar[0], max(bar[1], high), min(bar[2], low), close, bar[4] + volume]
    if not made:
        return None
    column = "date" if timeframe is Timeframe.D1 else "timestamp"
    lines = [f"{column},open,high,low,close,volume"]
    lines += [",".join([key, *(format(value, "f") for value in bar)]) for key, bar in made.items()]
    return parse_bars("\n".join(lines), market, name)
