"""Many viewers of the control page at once: what the console's process pays for them.

Starts the real console on a desk with a year behind it and opens N sessions that speak the browser's own protocol:
each asks for the page and then for every panel in its period, as a tab does. Prints CPU, memory and how long a panel
took: while the year's earnings are reckoned (once in a desk's life, at the console's first start on it), when that is
done and nothing moves, and while all bots trade. `LETSTRADE_BENCH_SMALL=1` takes a hundredth of the rows;
`LETSTRADE_VIEWERS=50` another number of viewers.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

VIEWERS = int(os.environ.get("LETSTRADE_VIEWERS", "40"))
WARM_S, MEASURED_S = 10.0, 30.0
OPENED_S = 4.0  # over which the tabs are opened: their timers do not tick as one
COUNTED_S = 0.5  # a bot that trades moves its number so often


@dataclass(slots=True)
class Viewer:
    """One tab. Panels ask again when their period is over, as the browser's timers do."""

    url: str
    cookie: str
    took_ms: list[float] = field(default_factory=list)
    bytes_in: int = 0
    _asked: dict[str, float] = field(default_factory=dict)  # panel → when it was asked
    _timers: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def watch(self, later_s: float) -> None:
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
        from websockets.asyncio.client import connect

        await asyncio.sleep(later_s)
        async with connect(
            f"{self.url.replace('http', 'ws')}/_stcore/stream", subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers={"Cookie": self.cookie, "Origin": self.url}, max_size=None, proxy=None,
        ) as socket:  # fmt: skip
            first = BackMsg()
            first.rerun_script.query_string = ""
            await socket.send(first.SerializeToString())
            async for data in socket:
                assert isinstance(data, bytes)
                self.bytes_in += len(data)
                message = ForwardMsg()
                message.ParseFromString(data)
                kind = message.WhichOneof("type")
                if kind == "auto_rerun":
                    panel, period = message.auto_rerun.fragment_id, message.auto_rerun.interval
                    if panel not in self._timers:
                        self._timers[panel] = asyncio.create_task(self._again(socket, panel, period))
                elif kind == "script_finished":
                    now = time.perf_counter()
                    for asked in self._asked.values():
                        self.took_ms.append((now - asked) * 1000)
                    self._asked.clear()

    async def _again(self, socket: object, panel: str, period: float) -> None:
        from streamlit.proto.BackMsg_pb2 import BackMsg

        while True:
            await asyncio.sleep(period)
            ask = BackMsg()
            ask.rerun_script.fragment_id = panel
            ask.rerun_script.is_auto_rerun = True
            self._asked[panel] = time.perf_counter()
            await socket.send(ask.SerializeToString())  # type: ignore[attr-defined]


def run() -> None:
    from bench.console import fill
    from tests.console import desks
    from tests.console.served import free_port, start_console, wait_healthy

    folder = Path(tempfile.mkdtemp(prefix="letstrade-load-"))
    desk = desks.empty_desk(folder, free_port())
    try:
        fill(desk.wiring.engine, datetime.now(UTC))
        began = datetime.now(UTC)
        console = start_console(desk, folder / "console.log")
        url = f"http://127.0.0.1:{desk.wiring.settings.port}"
        try:
            wait_healthy(url, console)
            asyncio.run(_measure(desk, url, console.pid, "a year's earnings being reckoned"))
            print(f"  the year's earnings were there {_reckoned_s(desk, began):.0f} s after the start")
            asyncio.run(_measure(desk, url, console.pid, "nothing moves"))
            asyncio.run(_measure(desk, url, console.pid, "all 20 bots trading", moving=True))
        finally:
            console.terminate()
            console.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reckoned_s(desk: object, began: datetime) -> float:
    """How long after `began` the year's earnings were kept in the store; waits for it."""
    from sqlalchemy import text

    while True:
        with desk.wiring.engine.connect() as connection:  # type: ignore[attr-defined]
            kept = connection.execute(text("SELECT max(updated_at) FROM profit_rollups")).scalar_one()
        if kept is not None:
            return (datetime.fromisoformat(kept) - began).total_seconds()
        time.sleep(0.2)


async def _measure(desk: object, url: str, pid: int, what: str, *, moving: bool = False) -> None:
    import psutil

    process = psutil.Process(pid)
    before = process.memory_info().rss / 1e6
    viewers = [Viewer(url, cookie) for cookie in signed_in(desk, url)]
    tasks = [asyncio.create_task(one.watch(OPENED_S * place / VIEWERS)) for place, one in enumerate(viewers)]
    bots = asyncio.create_task(_trade(desk, moving))
    await asyncio.sleep(WARM_S)
    for one in viewers:
        one.took_ms.clear()
        one.bytes_in = 0
    began, cpu = time.perf_counter(), sum(process.cpu_times()[:2])
    await asyncio.sleep(MEASURED_S)
    spent, lasted = sum(process.cpu_times()[:2]) - cpu, time.perf_counter() - began
    failed = [task.exception() for task in tasks if task.done()]
    took = sorted(ms for one in viewers for ms in one.took_ms)
    rss = process.memory_info().rss / 1e6
    for task in (*tasks, bots, *(timer for one in viewers for timer in one._timers.values())):
        task.cancel()
    cuts = quantiles(took, n=20) if len(took) > 1 else [0.0] * 19
    print(
        f"  {VIEWERS} viewers, {what}: {spent / lasted:.0%} of a core, "
        f"{spent / max(len(took), 1) * 1000:.1f} ms CPU a panel; panel p50 {median(took) if took else 0:.0f} / "
        f"p95 {cuts[18]:.0f} ms over {len(took):,}; RSS {before:.0f} → {rss:.0f} MB "
        f"({(rss - before) / VIEWERS:.1f} MB a viewer); {sum(one.bytes_in for one in viewers) / lasted / 1e6:.2f} MB/s out"
        + (f"; FAILED {len(failed)}: {failed[0]!r}" if failed else "")
    )


async def _trade(desk: object, moving: bool) -> None:
    """Living bots: a heartbeat every two seconds, and, when they trade, a number that moves."""
    from sqlalchemy import text

    from shared.db import writing

    turn = 0
    while True:
        turn += 1
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
        moved = ", change_number = change_number + 1" if moving else ""
        if moving or turn % 4 == 0:
            with writing(desk.wiring.engine) as session:  # type: ignore[attr-defined]
                session.execute(text(f"UPDATE heartbeats SET at = :now, feed_at = :now{moved}"), {"now": now})
        await asyncio.sleep(COUNTED_S)


def signed_in(desk: object, url: str) -> list[str]:
    """One cookie per viewer: the first signs in as a browser does, the others have sessions of the same person."""
    import httpx

    from shared.db import writing
    from shared.models import Role
    from shared.store.people import user_by_email
    from shared.store.sessions import start_session
    from tests.console.desks import PASSWORDS

    with httpx.Client(base_url=url, trust_env=False, headers={"Origin": url}, timeout=120) as browser:
        browser.get("/login")
        browser.post("/login", data={"email": "admin@desk.local", "password": PASSWORDS[Role.ADMIN]})
        (name, _), *_ = first = list(browser.cookies.items())
    cookies = ["; ".join(f"{key}={value}" for key, value in first)]
    with writing(desk.wiring.engine) as session:  # type: ignore[attr-defined]
        user = user_by_email(session, "admin@desk.local")
        assert user is not None
        for _ in range(VIEWERS - 1):
            token = start_session(session, user.id or 0, datetime.now(UTC), ip="", user_agent="bench")
            cookies.append(f"{name}={token}")
    return cookies


if __name__ == "__main__":
    run()
