"""Getting prices: what each wanted symbol needs at start, REST quotes when the stream is silent, seeds for the bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from bots import outgoing
from bots.bars import KEPT, SpikeWatch
from bots.cache import Cache
from bots.chart import Chart, SeriesKey
from bots.clearance import SILENT_S, Clearance
from bots.feed import Feed
from bots.journal import Outgoing
from bots.sync import Snapshots
from bots.trader import Trader
from brokers.contract import Broker
from shared.clock import Clock
from shared.domain.errors import BrokerError, NotFound, NotSupported, StreamFull
from shared.domain.market import Bar, Quote, Tick, Timeframe
from shared.domain.signal import Decision, Denied, Verdict

FALLBACK_SHARE = 4  # quotes may use a quarter of the call budget; orders, cancels and reconcile come first
SEED_BARS = 300
STORED_BARS = 120  # of those a start or an outage hid: the store gets two hours
MISSES = 3
RENEW_REST_S = (30.0, 60.0, 120.0, 300.0, 600.0)  # between two remedies
DETAIL_EVERY_S = 600.0


@dataclass(slots=True)
class MarketData:
    broker: Broker
    cache: Cache
    feed: Feed
    chart: Chart
    trader: Trader
    clearance: Clearance
    clock: Clock
    snapshots: Callable[[], Snapshots]
    tell: Callable[[tuple[Outgoing, ...]], None]
    spikes: SpikeWatch
    _subscribed: set[str] = field(default_factory=set)
    _refused: set[str] = field(default_factory=set)  # symbols without a stream: polled
    _failing: dict[str, str] = field(default_factory=dict)  # symbols, series ("AAPL 1m") → why they cannot be served
    _told_silent: bool = False
    _probed: dict[str, float] = field(default_factory=dict)  # monotonic time of the last quote that was asked
    _misses: dict[str, int] = field(default_factory=dict)  # quotes in a row that show trades the stream did not tell
    _renew_after: float = 0.0
    _renewals: int = 0
    _looked_up: dict[str, float] = field(default_factory=dict)  # monotonic time of the last question for details
    _allowance: float = 1.0  # calls for quotes that may be made now
    _counted_at: float = 0.0

    async def follow_wants(self) -> None:
        """Subscribe what rules and positions now need, drop what they no longer do, seed new series.

        A symbol that cannot be served is told once and skipped: the others trade on.
        """
        wanted = {symbol for symbol, _ in self.trader.wanted()} | self.trader.portfolio.symbols()
        self.feed.wanted = wanted
        keys = self.trader.wanted() | {(symbol, Timeframe.M1) for symbol in wanted}
        self.chart.want(keys)
        for symbol in self._subscribed - wanted:
            await self._unsubscribe(symbol)
        held = self.trader.portfolio.symbols()
        ranked = sorted(wanted, key=lambda one: (one not in held, one))  # what may need an exit comes first
        for symbol in ranked:
            try:
                await self.learn(symbol)
                if symbol not in self._subscribed and symbol not in self._refused:
                    await self._subscribe(symbol, ranked, held)
                self._failing.pop(symbol, None)
            except (BrokerError, NotFound) as e:
                self._cannot(symbol, symbol, f"{symbol} 시세를 준비하지 못함: {e}")
        self._tell_polled(wanted - self._subscribed - self._refused - self._failing.keys())
        for key in self.chart.unseeded():
            name = f"{key[0]} {key[1]}"
            try:
                await self._seed(key)
                self._failing.pop(name, None)
            except (BrokerError, NotFound) as e:
                if key[0] not in self._failing:  # else its reason is told already
                    self._cannot(name, key[0], f"{name} 봉을 받지 못함: {e}")

    def _cannot(self, what: str, symbol: str, why: str) -> None:
        """Tell why a symbol is not judged: in the log while it is new, and as the answer of every rule that waits for it."""
        if self._failing.get(what) != why:
            self._failing[what] = why
            self._say(why)
        trader, now = self.trader, self.clock.market_now()
        for rule_id, config in trader.rules.items():
            if symbol in config.symbols:
                hold = Decision(rule_id, config.rule.version_id, symbol, Verdict.HOLD, "no_price", now)
                self.tell(trader.decisions.take(hold, Denied("no_price", why), trader.today()))

    async def _seed(self, key: SeriesKey) -> None:
        """The past of a series, and of the minutes that an absence hid the rows the store lacks."""
        missed = self.chart.seed(key, await self.cache.bars(key[0], key[1], min(SEED_BARS, KEPT)))
        self.trader.seeded(*key)
        if key[1] is Timeframe.M1:
            self.tell(tuple(outgoing.bar(bar) for bar in missed[-STORED_BARS:]))

    async def learn(self, symbol: str) -> None:
        """Instrument facts, the day's limits, and a price no older than a few seconds. Raises BrokerError or NotFound."""
        if symbol not in self.clearance.instruments:
            found = await self.cache.instrument(symbol)
            self.clearance.instruments[symbol] = found
            self.snapshots().put("instruments", symbol, outgoing.instrument(found, self.clock.wall_now()))
        await self._look_up(symbol)
        age_s = self.feed.age_s(symbol)
        if symbol not in self.feed.quotes or age_s is None or age_s > SILENT_S:
            self.on_quote(await self.cache.quote(symbol))

    async def _look_up(self, symbol: str) -> None:
        """Halts and lots, asked anew every ten minutes; a broker that does not tell is not asked again."""
        now = self.clock.monotonic()
        if now - self._looked_up.get(symbol, -DETAIL_EVERY_S) < DETAIL_EVERY_S:
            return
        self._looked_up[symbol] = now
        try:
            self.clearance.details[symbol] = await self.broker.get_detail(symbol)
        except NotSupported:
            self._looked_up[symbol] = float("inf")
        except BrokerError:
            self.clearance.details.pop(symbol, None)  # the broker's answer to the order tells

    def on_tick(self, tick: Tick) -> None:
        """One trade of the market: last price, bars, spikes, rules."""
        self.feed.on_tick(tick)
        self._count(tick)

    def on_quote(self, quote: Quote) -> None:
        """A REST price stands in for the tick that did not come; it adds no volume.

        Where nothing traded since the last quote there was no tick: the price is known, but makes no bar.
        """
        before = self.feed.quotes.get(quote.symbol)
        self.feed.on_quote(quote)
        if before is not None and (quote.volume is None or quote.volume != before.volume):
            self._count(Tick(quote.symbol, quote.last, 0, quote.at, quote.received_at))
        elif quote.last > 0:
            self.trader.on_price(quote.symbol)

    def _count(self, tick: Tick) -> None:
        if tick.price <= 0:
            return
        closed = self.chart.on_tick(tick)
        change = self.spikes.moved(tick.symbol, tick.price, tick.at)
        if change is not None:
            self.tell(
                (
                    outgoing.alert(
                        "PRICE_SPIKE", "warning", f"spike:{tick.symbol}", self.clock.wall_now(), symbol=tick.symbol,
                        change_pct=f"{change:+.1f}", minutes=self.spikes.minutes, price=tick.price,
                    ),
                )
            )  # fmt: skip
        self.bars_closed(closed)
        self.trader.on_price(tick.symbol)

    def close_bars(self) -> None:
        """Close the bars whose time is over."""
        self.bars_closed(self.chart.close_due(self.clock.market_now(), self.clock.monotonic()))

    def bars_closed(self, bars: list[Bar]) -> None:
        for bar in bars:
            if bar.timeframe is Timeframe.M1:
                self.tell((outgoing.bar(bar),))
            self.trader.on_bar(bar)

    async def poll_silent(self) -> None:
        """Ask quotes of symbols without a price for a while, inside the budget; exits stay alive by them."""
        budget = self.broker.rate_budget()
        share = budget.limit_per_s / FALLBACK_SHARE
        now = self.clock.monotonic()
        self._allowance = min(self._allowance + share * (now - self._counted_at), max(share, 1.0))
        self._counted_at = now
        asked = self.feed.to_ask(SILENT_S, int(self._allowance) * budget.quotes_a_call)
        self._allowance -= ceil(len(asked) / budget.quotes_a_call)
        self._tell_silence(bool(asked) and self.clearance.in_fallback())
        if not asked:
            return
        try:
            quotes = await self.broker.get_quotes(asked)
        except (BrokerError, NotFound):
            return  # their age grows, and the guards see it
        for quote in quotes:
            before = self.feed.quotes.get(quote.symbol)
            self.on_quote(quote)
            await self._doubt_stream(before, quote, now)

    async def _doubt_stream(self, before: Quote | None, quote: Quote, now: float) -> None:
        """A stream that is up and gives no tick of what trades by REST is half-open, or has lost the registration.

        Several proofs in a row: one trade may be on its way. What did not help is not repeated at the same pace.
        """
        symbol, asked_at = quote.symbol, self._probed.get(quote.symbol)
        self._probed[symbol] = now
        traded = before is not None and (quote.volume or 0) > (before.volume or 0) > 0
        quiet = self.feed.stream_up and symbol in self._subscribed
        if asked_at is None or not quiet or self.feed.ticked_since(symbol, asked_at):
            self._misses.pop(symbol, None)
            return
        self._misses[symbol] = self._misses.get(symbol, 0) + traded
        if self._misses[symbol] < MISSES or now < self._renew_after:
            return
        self._misses.clear()
        alone = self.feed.ticked_since(None, now - SILENT_S)
        rested = now - self._renew_after > RENEW_REST_S[-1]
        self._renewals = 0 if rested else min(self._renewals + 1, len(RENEW_REST_S) - 1)
        self._renew_after = now + RENEW_REST_S[self._renewals]
        if alone:
            self._say(f"{symbol}: 다른 종목은 오는데 체결이 오지 않아 다시 등록")
            await self._unsubscribe(symbol)
            await self._subscribe(symbol, [symbol], {symbol})
        else:
            await self.broker.renew_stream(f"{symbol}: REST로는 거래되는데 실시간이 조용함")

    def _tell_silence(self, silent: bool) -> None:
        if silent and not self._told_silent:
            symbols = ", ".join(sorted(self.feed.wanted))
            self.tell((outgoing.alert("FEED_SILENT", "warning", "feed", self.clock.wall_now(), symbol=symbols),))
        self._told_silent = silent

    async def _subscribe(self, symbol: str, ranked: list[str], held: set[str]) -> None:
        """Give `symbol` a place on the stream. With none left a held one takes that of the last one nobody holds."""
        try:
            try:
                await self.broker.subscribe(symbol)
            except StreamFull:
                weaker = [one for one in reversed(ranked) if one in self._subscribed and one not in held]
                if symbol not in held or not weaker:
                    return  # polled
                await self._unsubscribe(weaker[0])
                await self.broker.subscribe(symbol)
            self._subscribed.add(symbol)
        except StreamFull:
            return  # polled
        except NotSupported:
            self._refused.add(symbol)

    def _tell_polled(self, polled: set[str]) -> None:
        if polled - self.feed.polled:
            self._say(f"실시간 등록이 모자라 REST로 조회(폴백): {', '.join(sorted(polled))}")
        self.feed.polled = polled

    async def _unsubscribe(self, symbol: str) -> None:
        self._subscribed.discard(symbol)
        try:
            await self.broker.unsubscribe(symbol)
        except BrokerError as e:
            self._say(f"{symbol} 구독 해지 실패: {e}")

    def _say(self, message: str) -> None:
        self.tell((outgoing.log("WARNING", message, self.clock.wall_now()),))
