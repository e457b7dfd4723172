"""`python -m bots --account N`: run one account's bot until SIGTERM.

Exit codes are a contract with supervision: 0 asked to stop, 78 a person must act, anything else starts us again.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import sys
import time
from contextlib import suppress

from bots import uncollected  # noqa: F401  before what it is for
from bots.bootstrap import Foundation, build
from bots.bot import Bot
from bots.lease import HeldElsewhere
from bots.sync import StoreAway
from shared.config import load_settings
from shared.domain.bot_state import BotState
from shared.domain.errors import AuthRefused, ConfigError, DoorClosed, LeaseLost, TradingError
from shared.logs import configure
from shared.store import alerts, heartbeats

gc.freeze()  # what was imported stays
gc.enable()

STARTSECS = 10.0  # of supervisord.conf: an exit before it counts as a failed start and is repeated
EXIT_CONFIG = 78
PR_SET_PDEATHSIG = 1

log = logging.getLogger("bots")


def run_account_bot(account_id: int) -> int:
    """Run the bot of `account_id` until it is asked to stop; returns the exit code."""
    return asyncio.run(_run(account_id))


def test_account_key(account_id: int) -> int:
    """Answer the key tests asked of `account_id` while its bot is not running; returns the exit code."""
    from bots import key_test  # a running bot does not carry it

    try:
        base = Foundation(load_settings(), account_id)
    except LeaseLost:
        return 0  # the bot runs: it answers
    try:
        return asyncio.run(key_test.run(base))
    except (StoreAway, TradingError) as e:
        log.error("%s", e)
        return 1


async def _run(account_id: int) -> int:
    started = time.monotonic()
    try:
        base = Foundation(load_settings(), account_id)
    except TradingError as e:
        log.error("%s", _told(e))
        return EXIT_CONFIG if isinstance(e, ConfigError) else 1
    bot: Bot | None = None
    try:
        bot = await build(base)
        _set_aside()
        await bot.run()
        return 0
    except (ConfigError, AuthRefused, DoorClosed) as e:
        log.error("%s", _told(e))
        await _record_fault(base, bot, e)
        await _wait_out(started)
        return EXIT_CONFIG
    except HeldElsewhere as e:
        log.error("%s", _told(e))
        await _wait_out(started)
        return 0  # the account is in other hands: supervision need not try again, fleet starts us when it is ours
    except LeaseLost as e:
        log.error("%s", _told(e))
        return 1
    finally:
        await _close(base, bot)


def _set_aside() -> None:
    """What is there now stays for good: a full collection that looked at it again would hold everything up for 0.1 s,
    and so would one now (it would find some hundred objects). What the start alone needed goes back to the system.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # a C library without it (musl)
            ctypes.CDLL(None).malloc_trim(0)
    gc.freeze()


async def _record_fault(base: Foundation, bot: Bot | None, error: TradingError) -> None:
    """Say on the account and in the inbox why it stands still: no heartbeat will."""
    kind = "KEY_REFUSED" if isinstance(error, AuthRefused) else "BOT_BLOCKED"
    now = base.clock.wall_now()
    if bot is not None:
        bot.block(str(error))  # its last heartbeat says the same
    with suppress(StoreAway):
        await base.link.write(lambda store: heartbeats.set_health(store, base.account_id, BotState.BLOCKED, str(error)))
        await base.link.write(
            lambda store: alerts.raise_alert(
                store, now, kind=kind, severity="critical", dedup_key=f"{base.account_id}:blocked",
                account_id=base.account_id, params={"reason": str(error)},
            )
        )  # fmt: skip


async def _wait_out(started: float) -> None:
    """Outlive `startsecs`, so that supervision believes the exit code; a signal to stop ends the wait."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    left = STARTSECS + 0.5 - (time.monotonic() - started)
    with suppress(TimeoutError):
        async with asyncio.timeout(max(left, 0.0)):
            await stop.wait()


async def _close(base: Foundation, bot: Bot | None) -> None:
    """Give everything back in order; the last rows reach the store when it is there."""
    if bot is not None:
        p = bot.p
        await p.broker.close()
        if p.market_clock is not None:
            await p.market_clock.close()
        with suppress(StoreAway, LeaseLost, TimeoutError):
            async with asyncio.timeout(5.0):
                await p.sync.once(claim=False, beat=True)
                await base.link.write(p.lease.release)
        await p.journal.close()
    base.link.close()
    base.lock.release()


def _told(error: TradingError) -> str:
    return " — ".join(part for part in (error.what, error.why, error.now) if part)


def _die_with_parent() -> None:
    """A supervisord that is killed takes its bots along (Linux); nobody may trade unsupervised."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            raise SystemExit(1)  # it died before we asked


USAGE = (
    "python -m bots --account N [--test-key]: 계좌 하나의 봇, 또는 키만 시험 / one account's bot, or key tests alone"
)


def _asked(words: list[str]) -> tuple[int, bool] | None:
    """Account and whether only key tests are asked for; None when it cannot be read. argparse would cost 0.6 MB a bot."""
    match words:
        case ["--account", number, *rest] if number.isdecimal() and rest in ([], ["--test-key"]):
            return int(number), bool(rest)
        case _:
            return None


def main() -> int:
    asked = _asked(sys.argv[1:])
    if asked is None:
        sys.stderr.write(USAGE + "\n")
        return 2
    account_id, test_key = asked
    configure(f"bot-{account_id}")
    _die_with_parent()
    try:
        return test_account_key(account_id) if test_key else run_account_bot(account_id)
    except ConfigError as e:
        log.error("%s", _told(e))
        return EXIT_CONFIG
    except Exception:  # the edge of the process: logged, then supervision starts us again
        log.exception("봇이 끝났습니다 / the bot ended")
        return 1


if __name__ == "__main__":
    sys.exit(main())
