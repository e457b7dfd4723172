"""Named points of the order path where a test may kill this process (`LETSTRADE_FAILPOINT=name`) or freeze it, as a
paused machine does (`LETSTRADE_FREEZE=name`). No-op otherwise."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

FAILPOINTS = (
    "before_intent",  # decided, nothing on disk
    "after_intent",  # INTENT on disk, nothing sent
    "after_sending",  # SENDING on disk, nothing sent
    "after_socket_write",  # the order is on the wire, no answer yet
    "after_reply_before_ack_commit",  # the answer is in memory only
    "after_ack",  # ACKED on disk
    "after_fill_commit_before_outbox",  # FILL on disk, the store does not know
    "before_cancel_write",  # CANCEL_SENDING on disk, nothing sent
    "during_cancel",  # the cancel is on the wire, no answer yet
    "after_cancel_reply",  # the cancel's answer is in memory only
    "before_amend_write",  # AMEND_SENDING on disk, nothing sent
    "during_amend",  # the amendment is on the wire, no answer yet
    "after_amend_reply",  # the amendment's answer, with the order's new number, is in memory only
    "during_cancel_all",  # some orders of a cancel-all are asked for, others not
    "after_resolver_query",  # an UNKNOWN was looked up, nothing recorded
)

FREEZEPOINTS = (
    "after_gate",  # the last-line gate said yes, nothing is sent
)

ON_THE_WIRE = ("after_socket_write", "during_cancel", "during_amend")  # stands still here; the test kills it there


def reach(name: str) -> None:
    """Kill this process here when the failpoint `name` is armed."""
    if os.environ.get("LETSTRADE_FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)


def freeze(name: str) -> None:
    """Stop this process here until somebody continues it, when `name` is armed."""
    if os.environ.get("LETSTRADE_FREEZE") == name:
        os.kill(os.getpid(), signal.SIGSTOP)


async def pass_through(name: str, request: Awaitable[T], left: asyncio.Event) -> T:
    """Await `request`; when `name` is armed, stand still once its bytes have left, before its answer is used.

    Only the far side knows that they arrived: the test asks there, then kills.
    """
    if os.environ.get("LETSTRADE_FAILPOINT") != name:
        return await request
    task = asyncio.ensure_future(request)
    leaving = asyncio.ensure_future(left.wait())
    await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    if left.is_set():
        os.kill(os.getpid(), signal.SIGSTOP)
    return await task
