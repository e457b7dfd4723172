"""One writer per account: a lock file on this host, and a lease row with a growing epoch in the store.

`failover: pinned`: the lock is the fence; the row only tells other hosts who acts, so a store outage never stops exits.
`failover: auto`: nothing leaves once the lease may have lapsed, exits included.
"""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from shared.clock import Clock
from shared.domain.errors import LeaseLost
from shared.store import heartbeats

TTL_S = 30
SEND_MARGIN_S = 15.0  # an order's time-out plus clock skew: the lease must outlive a request that is on the wire


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

    def __init__(self, account_id: int, failover: str, clock: Clock) -> None:
        self.name = f"account:{account_id}"
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.epoch = 0
        self._failover, self._clock = failover, clock
        self._renewed: float | None = None  # monotonic, taken before the renewal was asked for
        self._lost: str | None = None

    def take(self, session: Session) -> None:
        """Take the row with a higher epoch.

        Raises:
            LeaseLost: another host holds it.
        """
        asked = self._clock.monotonic()
        row = heartbeats.lease_of(session, self.name)
        ours = row is None or not row.holder or row.holder.rsplit(":", 1)[0] == socket.gethostname()
        # Pinned: another host's row is released by a person or by that bot's clean end, never by waiting.
        may_take = ours or self._failover == "auto"
        lease = (
            heartbeats.take_lease(
                session, self._clock.wall_now(), name=self.name, holder=self.holder, ttl_s=TTL_S, force=ours
            )
            if may_take
            else None
        )
        if lease is None:
            assert row is not None
            raise LeaseLost(
                "다른 호스트의 봇이 이 계좌를 맡고 있습니다", f"{row.holder}, {row.acquired_at.isoformat()} 부터",
                "그 호스트에서 봇을 멈춘 뒤 시작하십시오",
            )  # fmt: skip
        self.epoch, self._renewed = lease.epoch, asked

    def forget(self) -> None:
        """The transaction that took the row did not commit: it is not ours."""
        self.epoch = 0

    def renew(self, session: Session) -> None:
        """Renew; a lease that another holder took fences this process for good."""
        asked = self._clock.monotonic()
        if heartbeats.renew_lease(
            session, self._clock.wall_now(), name=self.name, holder=self.holder, epoch=self.epoch
        ):
            self._renewed = asked
        else:
            row = heartbeats.lease_of(session, self.name)
            self._lost = f"다른 봇이 계좌를 넘겨받음: {row.holder if row else '임대 기록 없음'}"

    def release(self, session: Session) -> None:
        heartbeats.release_lease(session, name=self.name, holder=self.holder, epoch=self.epoch)

    def fenced(self) -> str | None:
        """Why nothing may be sent; None when this process may act."""
        if self._lost is not None:
            return self._lost
        if self._failover != "auto":
            return None
        left = -1.0 if self._renewed is None else self._renewed + TTL_S - self._clock.monotonic()
        return None if left > SEND_MARGIN_S else f"임대 만료 {max(left, 0):.0f}초 전: 저장소 확인 필요"
