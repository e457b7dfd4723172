"""What the desk's schedule does: readiness before each open, backups, old rows thinned, and dates that come near.

One table of jobs (`DeskJobs.all`); each returns a line for its row. The accounts' own jobs are in bots/jobs.py.
"""

from __future__ import annotations

import shutil
import time as real_time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from bots import readiness
from bots.desk_schedule import DeskJob
from bots.schedule import Missed
from bots.tidying import tidy
from shared.clock import Clock
from shared.config import Settings
from shared.db import writing
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.sessions import KST, Calendars
from shared.domain.trading_days import ZONES
from shared.domain.turns import at_clock, from_open, sessions_of
from shared.models import BrokerageAccount, FeeContract, Readiness
from shared.store import accounts, alerts, backup, fx
from shared.store.readiness import keep as keep_readiness

BEFORE_OPEN_MIN = -30
KEEP_NIGHTLY = 14
FEES_END_WITHIN = timedelta(days=30)
CALENDAR_ENDS_WITHIN = timedelta(days=60)
RATE_STALE = timedelta(days=4)  # a long weekend is no alarm


@dataclass(slots=True)
class DeskJobs:
    engine: Engine
    clock: Clock
    settings: Settings
    calendars: Calendars
    rest: Callable[[float], None] = real_time.sleep

    def all(self) -> tuple[DeskJob, ...]:
        """Every job of the desk with its time and what becomes of a missed turn."""
        korea = Market.KRX
        return (
            DeskJob("ready_krx", from_open(korea, BEFORE_OPEN_MIN), Missed.ALERT, self.ready_krx),
            DeskJob("ready_us", from_open(Market.US, BEFORE_OPEN_MIN), Missed.ALERT, self.ready_us),
            DeskJob("tidy", at_clock(korea, time(6, 30), trading_days=False), Missed.RUN, self.tidy),
            DeskJob("backup", at_clock(korea, time(7, 10), trading_days=False), Missed.RUN, self.back_up),
            DeskJob("dates", at_clock(korea, time(8), trading_days=False), Missed.RUN, self.look_at_dates),
        )

    def ready_krx(self, due: datetime) -> str:
        """30 minutes before KRX opens (08:30; on 수능일 with the late opening)."""
        return self._ready(Market.KRX, due)

    def ready_us(self, due: datetime) -> str:
        """30 minutes before New York opens, whatever the hour in Korea."""
        return self._ready(Market.US, due)

    def _ready(self, market: Market, due: datetime) -> str:
        """Check every enabled account of the market, keep each result, raise one alert for all of them."""
        now, opens = self.clock.wall_now(), due - timedelta(minutes=BEFORE_OPEN_MIN)
        hours = sessions_of(market, self.calendars)(opens.astimezone(ZONES[market]).date())
        closes = hours[1] if hours is not None else opens  # asked by hand on a day without a session
        found: list[tuple[str, tuple[readiness.Check, ...]]] = []
        with writing(self.engine) as session:
            for account in accounts.live_accounts(session):
                if not account.enabled or account.market != market or account.id is None:
                    continue
                judged = readiness.checks(readiness.facts(session, account), now, closes)
                ready = all(check.ok for check in judged)
                keep_readiness(
                    session,
                    Readiness(
                        account_id=account.id, due_at=due, opens_at=opens, checked_at=now, ready=ready,
                        checks=[check.plain() for check in judged],
                    ),
                )  # fmt: skip
                found.append((account.nickname, judged))
            self._tell_readiness(session, market, due, found)
        short = sum(not all(check.ok for check in judged) for _, judged in found)
        return f"계좌 {len(found)}개, 준비 안 됨 {short}개"

    def _tell_readiness(
        self, session: Session, market: Market, due: datetime, found: list[tuple[str, tuple[readiness.Check, ...]]]
    ) -> None:
        """One alert for all accounts, also when all is well: its absence says that nobody looked."""
        if not found:
            return
        lacking = [
            f"{name}: {', '.join(check.name for check in judged if not check.ok)}"
            for name, judged in found
            if not all(check.ok for check in judged)
        ]
        key = f"ready:{market}:{due.isoformat()}"
        kind, severity = ("READY_NOT", "warning") if lacking else ("READY", "info")
        alerts.raise_alert(
            session, self.clock.wall_now(), kind=kind, severity=severity, dedup_key=key,
            params={"market": market.value, "n": len(found), "short": len(lacking), "which": "; ".join(lacking)[:500]},
        )  # fmt: skip

    def tidy(self, due: datetime) -> str:
        """Thin what is old by the rules of shared/store/retention.py."""
        gone, ended = tidy(self.engine, self.clock, self.rest)
        told = ", ".join(f"{table} {count:,}행" for table, count in sorted(gone.items())) or "지울 것 없음"
        return told if ended else f"{told}; 남은 것은 다음 차례에"

    def back_up(self, due: datetime) -> str:
        """Back the desk up as `backup create` does, prove it, let the oldest go; one that cannot be used is removed."""
        now, passphrase = self.clock.wall_now(), self.settings.env.get(backup.PASSPHRASE)
        folder = backup.nightly(self.settings.home, now)
        made = backup.create(self.settings, self.engine, folder, now, passphrase)
        try:
            backup.verify(folder, passphrase)
        except ConfigError:
            shutil.rmtree(folder)
            raise
        gone = backup.prune(self.settings.home, KEEP_NIGHTLY)
        size, rows = sum(one.stat().st_size for one in folder.iterdir()), sum(made.rows.values())
        keys = "키 포함" if made.keys else "키 없음"
        return f"{folder.name}, {rows:,}행, {size:,}바이트, {keys}, 확인함; 지운 사본 {len(gone)}개"

    def look_at_dates(self, due: datetime) -> str:
        """Fee contracts that end, rates that grow old, calendars that run out: told while there is time."""
        with writing(self.engine) as session:
            told = [*self._fees_end(session), *self._rate_is_old(session), *self._calendars_end(session)]
        return ", ".join(told) or "다가오는 것 없음"

    def _fees_end(self, session: Session) -> list[str]:
        today, told = self.clock.wall_now().astimezone(KST).date(), []
        rows = session.exec(
            select(FeeContract, BrokerageAccount)
            .join(BrokerageAccount, col(BrokerageAccount.id) == col(FeeContract.account_id))
            .where(col(FeeContract.effective_to).is_not(None), col(BrokerageAccount.archived_at).is_(None))
        )
        for contract, account in rows:
            ends = date.fromisoformat(contract.effective_to or "")
            if not today <= ends <= today + FEES_END_WITHIN or _followed(session, contract, ends):
                continue
            days = (ends - today).days
            self._once(session, "FEE_CONTRACT_ENDS", f"fee:{contract.id}:{ends}", account.id, ends=ends, days=days)
            told.append(f"수수료 {account.nickname} {days}일")
        return told

    def _rate_is_old(self, session: Session) -> list[str]:
        now = self.clock.wall_now()
        trades_dollars = any(one.market == Market.US and one.enabled for one in accounts.live_accounts(session))
        row = fx.rate_at(session, "USD", "KRW", now)
        age = None if row is None else now - row.at
        if not trades_dollars or (age is not None and age <= RATE_STALE):
            alerts.end(session, now, dedup_key="fx:*")
            return []
        days = "—" if age is None else age.days
        self._once(session, "FX_STALE", f"fx:{row.at.date() if row else 'none'}", None, days=days)
        return [f"환율 {days}일 전"]

    def _calendars_end(self, session: Session) -> list[str]:
        today, told = self.clock.wall_now().astimezone(KST).date(), []
        for market in Market:
            last = self.calendars.days(market).last
            if last - today <= CALENDAR_ENDS_WITHIN:
                self._once(
                    session, "CALENDAR_ENDS", f"calendar_ends:{market}:{last}", None, market=market.value, ends=last
                )
                told.append(f"달력 {market} {last}")
        return told

    def _once(self, session: Session, kind: str, key: str, account_id: int | None, **params: object) -> None:
        if not alerts.raised_before(session, key):
            alerts.raise_alert(
                session, self.clock.wall_now(), kind=kind, severity="warning", dedup_key=key, account_id=account_id,
                params={name: value if isinstance(value, int) else str(value) for name, value in params.items()},
            )  # fmt: skip


def _followed(session: Session, contract: FeeContract, ends: date) -> bool:
    """Whether another contract of the account goes on from there."""
    others = session.exec(select(FeeContract).where(FeeContract.account_id == contract.account_id))
    after = (ends + timedelta(days=1)).isoformat()
    return any(
        one.id != contract.id
        and one.effective_from <= after
        and (one.effective_to is None or one.effective_to > ends.isoformat())
        for one in others
    )
