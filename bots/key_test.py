"""`python -m bots --account N --test-key`: answer the TEST_KEY commands of an account whose bot is not running.

A token, the environment's proof, one look at the cash; never an order. Started by fleet; where the bot runs, the bot answers.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from bots.bootstrap import Foundation, open_account
from bots.commands import Outcome, error_result, prove_key
from bots.lease import StoreLease
from shared.db import Record
from shared.domain.errors import BrokerUnavailable, LeaseLost, TradingError
from shared.store import configuration
from shared.store.commands import CommandKind, CommandStatus, claim_next, finish

LONGEST_S = 80.0  # a token may have to wait out its minute

log = logging.getLogger("bots.key_test")


async def answer_key_tests(base: Foundation) -> int:
    """Claim and answer what is asked; returns how many. The host lock is held by `base`.

    Raises:
        LeaseLost: another host acts for the account; its bot answers. StoreAway: nobody can be answered now.
    """
    now = base.clock.wall_now()
    row = await base.link.read(lambda store: configuration.account(store, base.account_id))
    if row is None:
        return 0
    lease = StoreLease(base.account_id, row.failover, base.clock, base.host)
    await base.link.write(lease.take)
    try:
        asked: list[Record] = []
        while (
            one := await base.link.write(lambda s: claim_next(s, now, base.account_id, CommandKind.TEST_KEY))
        ) is not None:
            asked.append(one)
        if asked:
            status, result = await _outcome(base)
            for command in asked:
                await base.link.write(lambda s, c=command: finish(s, base.clock.wall_now(), c.id or 0, status, result))  # type: ignore[misc]
        return len(asked)
    finally:
        await base.link.write(lease.release)


async def _outcome(base: Foundation) -> Outcome:
    try:
        async with asyncio.timeout(LONGEST_S):
            return CommandStatus.DONE, await _prove(base)
    except TimeoutError:
        late = BrokerUnavailable("-", "-", f"{LONGEST_S:.0f}초 안에 답이 없습니다", "잠시 뒤 다시 시험하십시오")
        return CommandStatus.FAILED, error_result(late)
    except TradingError as e:
        log.info("키 시험 실패: %s", e)
        return CommandStatus.FAILED, error_result(e)


async def _prove(base: Foundation) -> dict[str, Any]:
    broker = await open_account(base)
    try:
        await broker.start()
        return await prove_key(broker)
    finally:
        await broker.close()


async def run(base: Foundation) -> int:
    """The exit code: 0 answered or nothing to answer."""
    try:
        count = await answer_key_tests(base)
    except LeaseLost as e:
        log.info("이 계좌의 봇이 답합니다: %s", e)
        return 0
    finally:
        base.link.close()
        base.lock.release()
    log.info("키 시험 %d건에 답했습니다", count)
    return 0
