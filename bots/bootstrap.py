"""The only place that knows every concrete class: builds one account's bot, part by part."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta

from bots import handover
from bots.bars import SpikeWatch
from bots.bot import Bot
from bots.cache import Cache
from bots.call_log import FileCallLog
from bots.chart import Chart
from bots.clearance import Clearance
from bots.commands import FLATTEN_FACT, Commands
from bots.config import BotConfig, load
from bots.daybook import DayBook
from bots.decisions import DecisionLog
from bots.desk import Desk
from bots.drift import DriftDesk
from bots.elsewhere import Elsewhere
from bots.executions import Executions
from bots.feed import Feed
from bots.heartbeat import Vitals
from bots.housekeeping import Housekeeping
from bots.jobs import Jobs
from bots.journal import Changes, Journal, JournalState, Outgoing
from bots.lag import Fitness
from bots.lease import HostLock, StoreLease, host_name
from bots.lots import LotBook
from bots.market_clock import MarketClock
from bots.market_data import MarketData
from bots.own_orders import OwnOrders
from bots.pace import pace_of
from bots.parts import Parts, StateBox
from bots.portfolio import Portfolio
from bots.reconcile import LOOK_BACK_DAYS, Reconciler
from bots.risk.kill_switch import KillSwitch
from bots.schedule import Schedule
from bots.screen import Screen
from bots.splits import SplitWatch
from bots.standby import Copy, Standby
from bots.stop_watch import StopWatch
from bots.sync import StoreAway, StoreLink, StoreSync
from bots.tokens import SealedTokenStore
from bots.trader import Trader
from bots.trading_hours import TradingHours
from brokers import open_broker
from brokers.contract import Broker, Credentials
from shared import calendars
from shared.clock import SystemClock
from shared.config import Settings
from shared.crypto import KeyProvider, load_keys
from shared.db import open_engine
from shared.domain.account import Environment
from shared.domain.bot_state import KillLevel
from shared.domain.errors import ConfigError
from shared.store import exposure, heartbeats, kill
from shared.store import sync as store_sync
from shared.store.commands import end_left_running
from shared.store.exposure import OpenElsewhere
from shared.store.secrets import OpenedCredential, open_credential

# A connection used so lately is not asked again whether it is there: one look in two would be that question. Should the
# server have gone in between, that one exchange counts as a store that is away, and the next has a new connection.
STORE_TRUSTED_S = 2.0
STORE_ANSWER_S = 12.0  # a store that says nothing for so long is away (SQLite waits 10 s for a lock)

log = logging.getLogger("bots")


class Foundation:
    """What stands before the account's configuration is known: clock, lock, store, journal."""

    def __init__(self, settings: Settings, account_id: int) -> None:
        self.settings, self.account_id = settings, account_id
        self.clock = SystemClock()
        self.folder = settings.account_dir(account_id)
        self.lock = HostLock(self.folder / "lock")
        self.lock.tell(self.clock.wall_now())
        self.host = host_name(settings.home)
        self.link = StoreLink(open_engine(settings.database_url, pool_size=1, trusted_s=STORE_TRUSTED_S))


async def build(base: Foundation) -> Bot:
    """Build the bot of the account, from its copy when the store is away; in SIM waits for the exchange's clock.

    Raises:
        ConfigError: settings, keys or limits that a person must mend. LeaseLost: another bot acts for the account.
    """
    settings, clock = base.settings, base.clock
    keys = load_keys(settings)
    standby = Standby(base.folder, keys, base.account_id, clock)
    # Without its journal the copy is worth nothing: what is held by which rule stands there.
    config, copy = await _first_config(base, standby if (base.folder / "journal.db").exists() else None)
    lease = StoreLease(base.account_id, config.failover, clock, base.host)
    if copy is None:
        await base.link.write(lease.take)
        lease.confirm()
        if lease.moved_from:
            log.warning("%s에서 넘겨받습니다: 저장소의 기록으로 이어갑니다", lease.moved_from)
            handover.put_aside(base.folder, clock.wall_now())
    journal = await Journal.open(base.folder / "journal.db", config.key)
    since = clock.wall_now().date() - timedelta(days=LOOK_BACK_DAYS)
    state = await journal.load(since)
    overrides = settings.home / calendars.OVERRIDES_NAME
    hours = TradingHours(config.key, calendars.load(overrides if overrides.exists() else None))
    market_clock = await _market_clock(base, config, hours)
    if copy is None:
        await _settle_store(base, journal, state)
        if state.order_count == 0:
            past = await base.link.read(lambda store: handover.read(store, base.account_id, since))
            if past.orders or past.fills:
                await handover.write(journal, past, hours.trade_date(clock.market_now()))
                state = await journal.load(since)
    held = frozenset((lot.rule_id, lot.version_id) for lot in state.lots)
    if copy is None:
        config = await base.link.read(lambda store: load(store, base.account_id, held))
        opened = await _credential(base, keys)
    else:
        copy = await asyncio.to_thread(standby.read, held) or copy
        config, opened = copy.config, copy.credential
    tokens = SealedTokenStore(
        base.link, keys, base.account_id, opened.key_hash, clock, standby, copy.token if copy else None
    )
    broker = _broker(base, config, opened, tokens)
    parts = _parts(base, config, journal, state, lease, tokens, hours, market_clock, broker, standby)
    if copy is None:
        parts.vitals.change_number = await base.link.read(
            lambda store: heartbeats.change_number(store, base.account_id)
        )
    else:
        parts.sync.copy_from = copy.taken_at
        parts.kill_switch.store_level = copy.kill_level
    return Bot(parts)


async def _market_clock(base: Foundation, config: BotConfig, hours: TradingHours) -> MarketClock | None:
    """SIM only: the exchange's clock, once it has answered."""
    if config.key.environment is not Environment.SIM:
        return None
    url = f"http://127.0.0.1:{base.settings.exchange_port('admin')}/clock"
    market_clock = MarketClock(url, base.clock, hours)
    await market_clock.first()
    return market_clock


async def open_account(base: Foundation) -> Broker:
    """The account's broker alone, with its keys and its stored token; nothing is sent before start().

    Raises:
        ConfigError: settings or keys that a person must mend. StoreAway: they cannot be read now.
    """
    keys = load_keys(base.settings)
    config = await base.link.read(lambda store: load(store, base.account_id, frozenset()))
    opened = await _credential(base, keys)
    standby = Standby(base.folder, keys, base.account_id, base.clock)
    tokens = SealedTokenStore(base.link, keys, base.account_id, opened.key_hash, base.clock, standby)
    return _broker(base, config, opened, tokens)


def _broker(base: Foundation, config: BotConfig, opened: OpenedCredential, tokens: SealedTokenStore) -> Broker:
    return open_broker(
        config.key,
        Credentials(opened.app_key, opened.app_secret, opened.account_no, opened.hts_id),
        clock=base.clock,
        token_store=tokens,
        call_log=FileCallLog(base.folder),
        exchange_port_offset=base.settings.exchange_port_offset,
        wire=config.wire,
    )


def _parts(
    base: Foundation, config: BotConfig, journal: Journal, state: JournalState, lease: StoreLease,
    tokens: SealedTokenStore, hours: TradingHours, market_clock: MarketClock | None, broker: Broker, standby: Standby,
) -> Parts:  # fmt: skip
    clock, key, box = base.clock, config.key, StateBox()
    orders = OwnOrders(journal, clock, state, LotBook(state.lots), key.account_id)
    executions = Executions(orders, clock, hours.trade_date)
    feed, chart = Feed(clock), Chart(hours.zone)
    portfolio, daybook = Portfolio(orders, feed.price), DayBook(orders, state.marks)
    kill_switch = KillSwitch(base.settings.home / "kill", base.folder / "kill")
    vitals = Vitals(key.account_id, started_at=clock.wall_now())
    pace = pace_of(base.settings)
    sync = StoreSync(base.link, journal, lease, vitals, key, clock, pace)
    clearance = Clearance(
        key.market, orders, portfolio, daybook, feed, hours, kill_switch, lease, clock, lambda: box.state, sync.away_s
    )
    clearance.elsewhere = lambda: (sync.siblings, sync.siblings_age_s())
    fitness = Fitness(clock, base.settings.run_dir / f"bot-{key.account_id}.alive")
    clearance.doubt = fitness.doubt
    clearance.speed = fitness.speed = lambda: base.clock.speed
    desk = Desk(broker, orders, executions, clock, clearance.gate, box.ask.set, portfolio.before)
    desk.told = sync.told if config.failover == "auto" else None
    reconciler = Reconciler(
        broker, orders, executions, clock, lambda: hours.trade_date(clock.market_now()),
        lambda symbol: symbol in portfolio.drift,
    )  # fmt: skip
    trader = Trader(
        key.market,
        desk,
        orders,
        portfolio,
        feed,
        chart,
        clearance,
        hours,
        journal,
        clock,
        box.spawn,
        DecisionLog(clock, pace.decision_s),
        splits=SplitWatch(daybook, clock, box.look, lambda rows: tell(rows)),
    )
    cache = Cache(base.folder / "cache.db", key, broker, clock)

    def tell(rows: tuple[Outgoing, ...]) -> None:
        async def save() -> None:
            await journal.write(Changes(outbox=rows))

        box.spawn(save())

    async def remember(name: str, value: str) -> None:
        await journal.write(Changes(facts=((name, value),)))

    async def raise_kill(level: KillLevel, why: str) -> None:
        now, by = clock.wall_now(), f"bot:{key.account_id}"
        try:
            await base.link.write(
                lambda store: kill.raise_level(store, now, account_id=key.account_id, level=level, reason=why, by=by)
            )
        except StoreAway:
            kill_switch.raise_account(level, why)
        kill_switch.store_level = max(kill_switch.store_level, level)

    async def clear_way(met: tuple[OpenElsewhere, ...]) -> None:
        with contextlib.suppress(StoreAway):  # the exit waits a little, then goes without
            await base.link.write(lambda store: exposure.ask_cancels(store, clock.wall_now(), key.account_id, met))

    trader.clear_way = clear_way
    market_data = MarketData(
        broker, cache, feed, chart, trader, clearance, clock, lambda: sync.snapshots, tell,
        SpikeWatch(config.spike_pct, config.spike_minutes),
    )  # fmt: skip
    drift = DriftDesk(
        portfolio, daybook, orders, trader, feed, journal, clock, lambda: hours.trade_date(clock.market_now())
    )
    commands = Commands(
        key.market, broker, desk, orders, portfolio, feed, trader, clearance, reconciler, kill_switch, hours, clock,
        lambda: {"state": box.state, "reason": box.reason, "epoch": lease.epoch}, market_data.learn, remember, drift, raise_kill,
        flattening=bool(state.facts.get(FLATTEN_FACT)),
    )  # fmt: skip
    housekeeping = Housekeeping(
        key.market, desk, orders, feed, clearance, hours, clock,
        lambda order: trader.rule_for(order.request.rule_id, trader.lots.get(order.request.rule_id, order.symbol))
        if order.request.rule_id is not None
        else None,
    )  # fmt: skip
    elsewhere = Elsewhere(orders, key.market.currency, hours.zone, clock, tell, reconciler.unlisted)
    jobs = Jobs(
        key.market, broker, reconciler, elsewhere, clearance, trader, hours, cache, clock, lambda: sync.snapshots, tell,
        box.look,
    )  # fmt: skip
    schedule = Schedule(
        jobs.all(), hours.session_on, clock, state.facts, remember, tell,
        lambda name, row: sync.snapshots.put("schedule", name, row),
    )  # fmt: skip
    commands.run_job = schedule.run_now
    screen = Screen(
        portfolio,
        orders,
        feed,
        trader,
        daybook,
        hours,
        clock,
        lambda: sync.snapshots,
        StopWatch(trader, clock, tell),
        f"{key.environment} {key.broker}",
    )
    return Parts(
        key=key, clock=clock, hours=hours, market_clock=market_clock, link=base.link, journal=journal, lease=lease,
        tokens=tokens, standby=standby, broker=broker, orders=orders, executions=executions, desk=desk, reconciler=reconciler,
        elsewhere=elsewhere, schedule=schedule,
        portfolio=portfolio, daybook=daybook, feed=feed, chart=chart, clearance=clearance, trader=trader,
        housekeeping=housekeeping, market_data=market_data, commands=commands, screen=screen, sync=sync,
        vitals=vitals, fitness=fitness, kill_switch=kill_switch, config=config,
        nudge_path=base.settings.run_dir / f"bot-{key.account_id}.sock", facts=state.facts, state=box,
    )  # fmt: skip


async def _first_config(base: Foundation, standby: Standby | None) -> tuple[BotConfig, Copy | None]:
    """The configuration from the store; when that is away, from the copy, whose bot only closes positions.

    Waits for the store where there is no copy, or where only the store's lease says who may act (`failover: auto`).
    """
    while True:
        try:
            async with asyncio.timeout(STORE_ANSWER_S):
                return await base.link.read(lambda store: load(store, base.account_id, frozenset())), None
        except (StoreAway, TimeoutError) as e:
            copy = None if standby is None else await asyncio.to_thread(standby.read, frozenset())
            if copy is not None and copy.config.failover != "auto":
                age = (base.clock.wall_now() - copy.taken_at).total_seconds()
                log.warning("저장소에 닿지 않습니다 (%s): %.0f초 전의 사본으로 시작합니다, 청산만", e, age)
                return copy.config, copy
            log.warning("저장소를 기다립니다: %s", e)
            await asyncio.sleep(2.0)


async def _settle_store(base: Foundation, journal: Journal, state: JournalState) -> None:
    """What the last process left in the store: commands of unknown outcome; stream numbers a lost journal forgot."""
    now = base.clock.wall_now()
    await base.link.write(lambda store: end_left_running(store, now, base.account_id))
    if state.order_count == 0:
        floors = await base.link.read(lambda store: store_sync.last_sequences(store, base.account_id))
        await journal.start_streams_after(floors)


async def _credential(base: Foundation, keys: KeyProvider) -> OpenedCredential:
    opened = await base.link.read(lambda store: open_credential(store, keys, base.account_id))
    if opened is None:
        raise ConfigError(
            "키가 등록되지 않았습니다", f"계좌 {base.account_id}에 앱 키가 없습니다", "계좌 설정에서 키를 등록하십시오"
        )
    return opened
