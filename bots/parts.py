"""The parts of one bot, and the small state they share: built by bootstrap, made to run by bot.py."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bots.chart import Chart
from bots.clearance import Clearance
from bots.commands import Commands
from bots.config import BotConfig
from bots.daybook import DayBook
from bots.desk import Desk
from bots.elsewhere import Elsewhere
from bots.executions import Executions
from bots.feed import Feed
from bots.heartbeat import Vitals
from bots.housekeeping import Housekeeping
from bots.journal import Journal
from bots.lag import Fitness
from bots.lease import StoreLease
from bots.market_clock import MarketClock
from bots.market_data import MarketData
from bots.own_orders import OwnOrders
from bots.portfolio import Portfolio
from bots.reconcile import Reconciler
from bots.risk.kill_switch import KillSwitch
from bots.schedule import Schedule
from bots.screen import Screen
from bots.standby import Standby
from bots.sync import StoreLink, StoreSync
from bots.tokens import SealedTokenStore
from bots.trader import Trader
from bots.trading_hours import TradingHours
from brokers.contract import Broker
from shared.clock import SystemClock
from shared.domain.account import AccountKey
from shared.domain.bot_state import BotState


@dataclass(slots=True)
class StateBox:
    """The bot's state, shared with the guards before the bot itself exists."""

    state: BotState = BotState.STARTING
    reason: str = ""
    ask: asyncio.Event = field(default_factory=asyncio.Event)  # somebody wants the broker asked
    full_wanted: bool = True  # everything, not orders alone
    recovered: bool = False  # this process agreed with the broker once
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    failure: BaseException | None = None

    def look(self) -> None:
        """Have the broker asked for everything, soon."""
        self.full_wanted = True
        self.ask.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the loops; an error of it ends the process, never silently."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and self.failure is None:
            self.failure = task.exception()
            self.failed.set()


@dataclass(slots=True)
class Parts:
    """Everything bootstrap built; the bot only makes it run."""

    key: AccountKey
    clock: SystemClock
    hours: TradingHours
    market_clock: MarketClock | None
    link: StoreLink
    journal: Journal
    lease: StoreLease
    tokens: SealedTokenStore
    standby: Standby
    broker: Broker
    orders: OwnOrders
    executions: Executions
    desk: Desk
    reconciler: Reconciler
    elsewhere: Elsewhere
    schedule: Schedule
    portfolio: Portfolio
    daybook: DayBook
    feed: Feed
    clearance: Clearance
    trader: Trader
    housekeeping: Housekeeping
    market_data: MarketData
    commands: Commands
    screen: Screen
    sync: StoreSync
    vitals: Vitals
    fitness: Fitness
    kill_switch: KillSwitch
    config: BotConfig
    nudge_path: Path
    facts: dict[str, str]
    chart: Chart
    state: StateBox
