"""Bytes between one bot and its PostgreSQL over a busy day, counted on the wire by a proxy in between.

`python -m bench.store_bytes postgresql://…/empty_database`. The day: 6.5 hours of a session with 20 watched symbols whose
prices change every second, 10 rules that change their mind every few seconds, 200 orders filled in two parts, a log line every
20 seconds; then 17.5 idle hours. Of both a part is counted (`--session`, `--idle`) and scaled to the whole. Time is not waited
for: a bot's own sync runs turn by turn on a clock of the bench.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from bots import outgoing
from bots.heartbeat import Vitals
from bots.journal import Changes, Journal, Outgoing
from bots.lease import StoreLease
from bots.pace import HOSTED, LOCAL, Pace
from bots.sync import StoreLink, StoreSync
from shared import schema
from shared.db import open_engine, writing
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.models import BrokerageAccount
from shared.store import accounts

SYMBOLS, RULES, ORDERS = 20, 10, 200
SESSION_S, IDLE_S, HOUR_S = 23_400, 63_000, 3_600
KEY = AccountKey(1, BrokerName.KIS, Market.KRX, Environment.SIM, 1)


@dataclass
class BenchClock:
    """A clock that is moved by hand."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 20, tzinfo=UTC))
    seconds: float = 0.0

    def wall_now(self) -> datetime:
        return self.now + timedelta(seconds=self.seconds)

    market_now = wall_now

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Counter:
    """A TCP proxy: bytes to the server and from it, as they pass."""

    host: str
    port: int
    sent: int = 0
    received: int = 0

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._pass, "127.0.0.1", 0)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self.host, self.port)
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await asyncio.gather(self._copy(reader, back, "sent"), self._copy(there, writer, "received"))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, name: str) -> None:
        while chunk := await source.read(65536):
            setattr(self, name, getattr(self, name) + len(chunk))
            target.write(chunk)
            await target.drain()
        target.close()


class Day:
    """What one account says in a busy session, second by second, as rows of its outbox and of its screen."""

    def __init__(self, clock: BenchClock, sync: StoreSync, journal: Journal, pace: Pace) -> None:
        self._clock, self._sync, self._journal, self._pace = clock, sync, journal, pace
        self._fills = 0

    async def second(self, at: int) -> None:
        now = self._clock.wall_now()
        for n in range(SYMBOLS):
            self._sync.snapshots.put("quotes", f"S{n:05d}", self._quote(n, at, now))
        rows: list[Outgoing] = []
        if at % 60 == 0:
            rows += [_bar(n, now) for n in range(SYMBOLS)] + [_equity(now)]
        if at % 20 == 0:
            rows.append(outgoing.log("INFO", "주문 점검: 미체결 없음, 시세 정상, 잔고 일치", now, 3, symbol="S00001"))
        if at % int(max(3, self._pace.decision_s)) == 0:
            rows += [_decision(rule, at, now) for rule in range(RULES)]
        if at % (SESSION_S // ORDERS) == 0:
            rows += self._order(at, now)
        if rows:
            await self._journal.write(Changes(outbox=tuple(rows)))

    def _quote(self, n: int, at: int, now: datetime) -> dict[str, Any]:
        price = str(71_200 + (n * 37 + at * 13) % 900)
        return {"symbol": f"S{n:05d}", "last": price, "bid": price, "ask": price, "prev_close": "71000",
                "source": "stream", "at": now.isoformat(), "received_at": now.isoformat()}  # fmt: skip

    def _order(self, at: int, now: datetime) -> list[Outgoing]:
        number, rows = f"1-{at}", []
        for status, filled in (("PENDING", 0), ("SUBMITTED", 0), ("ACCEPTED", 0), ("PARTIAL", 5), ("FILLED", 10)):
            values = {"client_order_id": number, "rule_id": 1, "broker_order_id": f"00{at:08d}", "symbol": "S00001",
                      "side": "BUY", "qty": 10, "price": "71200", "status": status, "filled_qty": filled, "reason": "entry",
                      "placed_at": now.isoformat(), "updated_at": now.isoformat(), "trade_date": "2026-11-20",
                      "venue": "KRX", "currency": "KRW", "raw": {"signal": f"k{at}", "asked": ["10", "71200"]}}  # fmt: skip
            rows.append(Outgoing(outgoing.ORDERS, number, json.dumps(values)))
            event = {"client_order_id": number, "at": now.isoformat(), "event": status, "to_status": status}
            rows.append(Outgoing(outgoing.EVENTS, number, json.dumps(event)))
        for _ in range(2):
            self._fills += 1
            fill = {"client_order_id": number, "execution_id": f"x{self._fills}", "symbol": "S00001", "side": "BUY",
                    "qty": 5, "price": "71200", "currency": "KRW", "filled_at": now.isoformat(),
                    "recorded_at": now.isoformat()}  # fmt: skip
            rows.append(Outgoing(outgoing.FILLS, f"x{self._fills}", json.dumps(fill)))
            rows.append(
                outgoing.alert("FILL", "info", f"fill:x{self._fills}", now, symbol="S00001", side="BUY", quantity=5)
            )
        return rows


def _bar(n: int, now: datetime) -> Outgoing:
    values = {"symbol": f"S{n:05d}", "timeframe": "1m", "start": now.isoformat(), "open": "71200", "high": "71300",
              "low": "71100", "close": "71250", "volume": 12_345}  # fmt: skip
    return Outgoing(outgoing.BARS, f"S{n:05d}", json.dumps(values))


def _equity(now: datetime) -> Outgoing:
    values = {
        "at": now.isoformat(),
        "currency": "KRW",
        "equity": "100123456",
        "cash": "50123456",
        "realized_pnl_day": "0",
    }
    return Outgoing(outgoing.EQUITY, now.isoformat(), json.dumps(values))


def _decision(rule: int, at: int, now: datetime) -> Outgoing:
    steps = [{"path": f"entry.conditions[{n}]", "label": "sma_fast cross_above sma_slow", "left": "71234.5",
              "operator": "cross_above", "right": "71200.25", "truth": False} for n in range(3)]  # fmt: skip
    gates = [{"code": code, "passed": True} for code in ("fencing", "kill", "session", "staleness", "cash")]
    values = {"rule_id": rule, "version_id": rule, "symbol": f"S{rule:05d}", "verdict": "HOLD", "reason": "no_entry",
              "text": "", "steps": steps, "gates": gates, "counts": {"no_entry": at, "warming_up": 20},
              "at": now.isoformat(), "updated_at": now.isoformat()}  # fmt: skip
    return Outgoing(outgoing.DECISIONS, f"{rule}", json.dumps(values))


async def measure(url: str, pace: Pace, session_s: int, idle_s: int) -> dict[str, float]:
    """Bytes of one busy day each way, counted over `session_s` and `idle_s` seconds of it."""
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    direct = open_engine(parsed.render_as_string(hide_password=False))
    schema.upgrade(direct)
    clock, counter = BenchClock(), Counter(parsed.host or "127.0.0.1", parsed.port or 5432)
    with writing(direct) as session:
        owner = accounts.first_owner(session, clock.now)
        session.add(
            BrokerageAccount(id=1, owner_id=owner.id or 0, nickname="bench", broker="KIS", market="KRX",
                             environment="SIM", created_at=clock.now)
        )  # fmt: skip
    server = await counter.serve()
    port = server.sockets[0].getsockname()[1]
    engine = open_engine(parsed.set(host="127.0.0.1", port=port).render_as_string(hide_password=False), pool_size=1)
    with tempfile.TemporaryDirectory() as folder:
        journal = await Journal.open(Path(folder) / "journal.db", KEY)
        lease, link, vitals = StoreLease(1, "pinned", clock), StoreLink(engine), Vitals(1, clock.now)
        sync = StoreSync(link, journal, lease, vitals, KEY, clock, pace)
        await link.write(lease.take)
        day, found = Day(clock, sync, journal, pace), {}
        for name, seconds, whole, busy in (("session", session_s, SESSION_S, True), ("idle", idle_s, IDLE_S, False)):
            counter.sent = counter.received = 0
            start = int(clock.seconds)
            while clock.seconds < start + seconds:
                for _ in range(int(pace.poll_s if busy else pace.idle_s)):
                    clock.seconds += 1
                    if busy:
                        await day.second(int(clock.seconds))
                await sync.once()
            found[f"{name}_to_store_mb"] = counter.sent * whole / seconds / 1e6
            found[f"{name}_from_store_mb"] = counter.received * whole / seconds / 1e6
        await journal.close()
    link.close()
    server.close()
    return {name: round(value, 2) for name, value in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description="bytes of a busy day between a bot and its PostgreSQL")
    parser.add_argument("url")
    parser.add_argument("--pace", choices=("local", "hosted"), default="hosted")
    parser.add_argument("--session", type=int, default=HOUR_S, help="seconds of the session to count, of 23,400")
    parser.add_argument("--idle", type=int, default=HOUR_S, help="seconds of the idle hours to count, of 63,000")
    given = parser.parse_args()
    pace = HOSTED if given.pace == "hosted" else LOCAL
    found = asyncio.run(measure(given.url, pace, given.session, given.idle))
    found["to_store_mb_day"] = round(found["session_to_store_mb"] + found["idle_to_store_mb"], 1)
    found["from_store_mb_day"] = round(found["session_from_store_mb"] + found["idle_from_store_mb"], 1)
    print(json.dumps({"pace": given.pace, "counted_s": [given.session, given.idle], **found}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
