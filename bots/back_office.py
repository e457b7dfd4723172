"""The back office: what the desk's store wants of this bot, and how it goes on when the store is away.

Once a second: the outbox goes there, configuration and commands come back. A store that is away stops no exit; what it
missed is made good when it answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bots import outgoing
from bots.config import BotConfig, load
from bots.journal import Changes, Outgoing
from bots.parts import Parts
from bots.sync import Polled, StoreAway
from shared.domain.account import Environment
from shared.domain.bot_state import BotState, KillLevel
from shared.domain.errors import ConfigError


class Restart(Exception):
    """End this process so that supervision starts a new one: what it stands on has changed."""


class BackOffice:
    def __init__(
        self, parts: Parts, tell: Callable[[tuple[Outgoing, ...]], None], wants_stale: Callable[[], None]
    ) -> None:
        self.p, self._box = parts, parts.state
        self._tell, self._wants_stale = tell, wants_stale
        self._away: float | None = None  # monotonic, since when the store has not answered
        self._copied: tuple[int, KillLevel, int] | None = None  # what the copy on disk says

    def heard_kill(self, level: KillLevel) -> None:
        """The store's level of the kill switch, as soon as it is read."""
        self.p.kill_switch.store_level = level

    async def follow(self) -> None:
        """Exchange with the store for ever; says once that it is away, and once that it is back."""
        p = self.p
        while True:
            try:
                if p.sync.copy_from is not None:
                    await self._come_back()
                polled = await p.sync.once(claim=self._box.recovered)
                await self._store_answers()
                await self._take(polled)
                await p.tokens.save_pending()
                await self._copy()
            except StoreAway as e:
                if self._away is None and p.sync.away_s() > 0:
                    # Started from a copy, nobody knows since when.
                    self._away = p.clock.monotonic() - (0.0 if p.sync.copy_from else p.sync.away_s())
                    alert = outgoing.alert("STORE_AWAY", "critical", "store", p.clock.wall_now(), reason=str(e))
                    await p.journal.write(Changes(outbox=(alert,)))
            await p.sync.wait()

    async def _store_answers(self) -> None:
        """Say how long the store was away and how much it has to catch up with."""
        p = self.p
        if self._away is None:
            return
        away_s, self._away = round(p.clock.monotonic() - self._away), None
        now, behind = p.clock.wall_now(), p.vitals.outbox_depth
        alert = outgoing.alert("STORE_BACK", "info", "store_back", now, away_s=away_s, behind=behind)
        await p.journal.write(Changes(outbox=(alert,)))

    async def _come_back(self) -> None:
        """The store answers for the first time since this process began from its copy: make good what start left out.

        Raises:
            StoreAway: not yet. HeldElsewhere: another host acts for the account. Restart: the keys are other ones now.
        """
        p = self.p
        p.kill_switch.store_level = await p.sync.arrive()
        if await self._reload():
            text = f"저장소 복귀: {p.sync.copy_from:%Y-%m-%d %H:%M:%S %Z} 사본으로 시작했음"
            p.sync.copy_from = None
            self._tell((outgoing.log("WARNING", text, p.clock.wall_now()),))

    async def _copy(self) -> None:
        """Keep the copy that a start without the store needs, whenever something of it changed."""
        p = self.p
        token = p.tokens.current
        wanted = (p.vitals.config_version, p.kill_switch.store_level, token.generation if token else 0)
        if p.sync.copy_from is None and wanted != self._copied:
            held = p.orders.lots.opened_by()
            if await p.link.read(lambda store: p.standby.keep(store, held)):
                self._copied = wanted

    async def _take(self, polled: Polled) -> None:
        """Act on what the store said: kill level, configuration, commands."""
        self.heard_kill(polled.wishes.kill_level)
        if polled.wishes.config_version != self.p.vitals.config_version:
            await self._reload()
        for command in polled.claimed:
            self._box.spawn(self._do(command))

    async def _do(self, command: Any) -> None:
        status, result = await self.p.commands.run(command)
        self.p.sync.results.append((command.id, status, result))
        self.p.sync.soon()

    async def _reload(self) -> bool:
        """Put a changed configuration in force; False: it cannot be read, is refused by name and the old one stays."""
        p = self.p
        held = p.orders.lots.opened_by()
        try:
            config = await p.link.read(lambda store: load(store, p.key.account_id, held))
        except ConfigError as e:
            self._tell((outgoing.alert("CONFIG_REFUSED", "critical", "config", p.clock.wall_now(), reason=str(e)),))
            return False
        if self._box.state is BotState.BLOCKED or config.key_stamp != p.config.key_stamp:
            raise Restart("설정이나 키가 바뀌어 다시 시작합니다")
        self.put_in_force(config)
        p.sync.soon()  # the console sees at once that it is in force
        return True

    def put_in_force(self, config: BotConfig) -> None:
        """Hand a configuration to every part; a rule that cannot be read stays as it was, by name."""
        p = self.p
        kept = {one.rule.rule_id: one for one in p.config.rules}
        refused = [kept[one.rule_id] for one in config.refused if one.rule_id in kept]
        for one in config.refused:
            self._tell(
                (
                    outgoing.alert(
                        "CONFIG_REFUSED", "critical", f"config:{one.rule_id}", p.clock.wall_now(),
                        reason=f"{one.name}: {one.reason}", rule=one.rule_id,
                    ),
                )
            )  # fmt: skip
        p.config = config
        p.clearance.configure(config, p.key, p.broker.key)
        p.market_data.spikes.pct, p.market_data.spikes.minutes = config.spike_pct, config.spike_minutes
        p.schedule.paused = config.paused_jobs
        p.housekeeping.at_close, p.housekeeping.at_close_minutes = config.at_close, config.at_close_minutes
        p.trader.configure((*config.rules, *refused), config.pinned)
        p.vitals.config_version = config.version
        self.check_arms()
        self._wants_stale()

    def check_arms(self) -> None:
        """LIVE trades only while armed; an approval that ran out stops entries and says so, store or no store."""
        p = self.p
        if p.key.environment is not Environment.LIVE:
            return
        until = p.config.armed_until
        armed = until is not None and p.clock.wall_now() < until
        if p.kill_switch.armed and not armed:
            self._tell((outgoing.alert("ARMED_EXPIRED", "critical", "armed", p.clock.wall_now()),))
        p.kill_switch.armed = armed
