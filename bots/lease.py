"""One writer per account: a lock file on this host, and a lease row with a growing epoch in the store.

`failover: pinned`: the lock is the fence; the row only tells other hosts who acts, so a store outage never stops exits.
`failover: auto`: nothing leaves once the lease may have lapsed, exits included.

A host here is a home folder: the lock lies in it, so it fences exactly those who share it. Lease times are the store's
own clock where it has one, so that two hosts need not agree about the time.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from datetime import datetime
from pathlib import Path

from shared.clock import Clock
from shared.db import Store
from shared.domain.errors import LeaseLost
from shared.store import heartbeats

Moment = tuple[float, datetime]  # monotonic and wall

TTL_S = 30
SEND_MARGIN_S = 15.0  # an order's time-out plus clock skew: the lease must outlive a request that is on the wire


class HeldElsewhere(LeaseLost):
    """Another host acts for the account: starting again here changes nothing, fleet decides when to."""


def host_name(home: Path) -> str:
    """Return this host's name in leases: the machine's name and the home folder's own id, made once."""
    path = home / "host-id"
    try:
        fresh = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(fresh, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(4))
    return f"{socket.gethostname()}/{path.read_text(encoding='utf-8').strip()}"


def holds(host: str, holder: str) -> bool:
    """Tell whether `holder` of a lease is, or last was, of `host`; a machine may change its name, the home keeps its id."""
    return holder.rsplit(":", 1)[0].rsplit("/", 1)[-1] == host.rsplit("/", 1)[-1]


class HostLock:
    """The account's lock file, held for the life of the process; the kernel frees it when the process dies."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 200, 0).decode(errors="replace").strip() or "다른 프로세스"
            os.close(self._fd)
            raise LeaseLost("이 계좌의 봇이 이미 돌고 있습니다", holder, "그 봇을 먼저 멈추십시오") from None

    def tell(self, since: datetime) -> None:
        """Write who holds it, for the one who comes second."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"pid {os.getpid()}, {since.isoformat()} 부터\n".encode(), 0)

    def release(self) -> None:
        os.close(self._fd)


class StoreLease:
    """The lease row of one account."""

    def __init__(self, account_id: int, failover: str, clock: Clock, host: str = "") -> None:
        self.name = f"account:{account_id}"
        self.host = host or socket.gethostname()
        self.holder = f"{self.host}:{os.getpid()}"
        self.epoch = 0
        self.moved_from = ""  # the other host that acted for the account before us; its orders are in the store alone
        self._failover, self._clock = failover, clock
        # Monotonic and wall, taken before the row was written; they count once that is committed. Two clocks, for one
        # of them may stand still with a paused machine: the lease runs by whichever went further.
        self._asked: Moment | None = None
        self._renewed: Moment | None = None
        self.lost: str | None = None

    def take(self, store: Store) -> None:
        """Take the row with a higher epoch; `confirm` once that is committed.

        Raises:
            HeldElsewhere: another host holds it.
        """
        asked = self.now()
        row = heartbeats.lease_of(store, self.name)
        before = row.holder if row is not None else ""
        ours = not before or holds(self.host, before)
        released = before.endswith(":")
        # Pinned: another host's row is given up by a person, never by waiting.
        lease = None
        if ours or self._failover == "auto":
            lease = heartbeats.take_lease(
                store, heartbeats.store_time(store, self._clock.wall_now()), name=self.name, holder=self.holder,
                ttl_s=TTL_S, force=ours or released,
            )  # fmt: skip
        if lease is None:
            assert row is not None
            state = "멈춰 있음" if released else f"{row.acquired_at.isoformat()} 부터"
            raise HeldElsewhere(
                "다른 호스트가 이 계좌를 맡고 있습니다", f"{before.rstrip(':')}, {state}",
                "그 호스트에서 봇을 멈추고 `account move`로 놓아주십시오",
            )  # fmt: skip
        self.moved_from = "" if ours else before.rsplit(":", 1)[0]
        self.epoch, self._asked = lease.epoch, asked

    def confirm(self) -> None:
        """What was taken or renewed is committed: the lease runs from before it was asked for."""
        self._renewed = self._asked

    def forget(self) -> None:
        """The transaction that took the row did not commit: it is not ours."""
        self.epoch = 0

    def now(self) -> Moment:
        """This host's two clocks, for `renew`."""
        return self._clock.monotonic(), self._clock.wall_now()

    def renew(self, store: Store, asked: Moment, now: datetime) -> None:
        """Renew; `confirm` once that is committed. `asked`: before the store told that its time is `now`.

        Raises:
            HeldElsewhere: another holder took it; this process is fenced for good.
        """
        if heartbeats.renew_lease(store, now, name=self.name, holder=self.holder, epoch=self.epoch):
            self._asked = asked
            return
        row = heartbeats.lease_of(store, self.name)
        self.lost = f"다른 봇이 계좌를 넘겨받음: {row.holder if row else '임대 기록 없음'}"
        since = row.acquired_at.isoformat() if row else ""
        raise HeldElsewhere(self.lost, f"{since} 부터", "이 봇은 더 보내지 않고 끝납니다")

    def release(self, store: Store) -> None:
        heartbeats.release_lease(store, name=self.name, holder=self.holder, epoch=self.epoch)

    def left_s(self) -> float | None:
        """Seconds for which the lease certainly runs; None where it is not the fence."""
        if self._failover != "auto":
            return None
        if self._renewed is None:
            return 0.0
        monotonic, wall = self._renewed
        gone_s = max(self._clock.monotonic() - monotonic, (self._clock.wall_now() - wall).total_seconds())
        return max(TTL_S - gone_s, 0.0)

    def fenced(self) -> str | None:
        """Why nothing may be sent; None when this process may act."""
        if self.lost is not None:
            return self.lost
        left = self.left_s()
        if left is None or left > SEND_MARGIN_S:
            return None
        return f"임대 만료 {left:.0f}초 전: 저장소 확인 필요"
