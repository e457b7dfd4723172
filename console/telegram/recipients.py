"""Who hears what, when: levels per event and person, quiet hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from shared.models import Role, TelegramLink, User
from shared.store.people import granted_accounts, telegram_people
from shared.words import LANGS

LOUD, SILENT, OFF = "loud", "silent", "off"
CRITICAL = "critical"
BY_SEVERITY = {"critical": LOUD, "warning": LOUD, "info": SILENT}


@dataclass(frozen=True, slots=True)
class Recipient:
    """One Telegram user. `accounts` None: sees every account."""

    chat: int
    lang: str
    accounts: frozenset[int] | None = None
    levels: dict[str, Any] = field(default_factory=dict)
    quiet: tuple[time, time] | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Seoul"))
    linked: bool = False  # to a user of the desk: only he may answer

    def level(self, kind: str, severity: str) -> str:
        """How loud: his word about the event, else about its severity. What is critical rings unless the event is named."""
        by_severity = BY_SEVERITY.get(severity, LOUD) if severity == CRITICAL else self.levels.get(severity)
        return str(self.levels.get(kind) or by_severity or BY_SEVERITY.get(severity, LOUD))

    def sees(self, account_id: int | None) -> bool:
        return account_id is None or self.accounts is None or account_id in self.accounts

    def is_quiet(self, now: datetime) -> bool:
        """Whether `now` lies in his quiet hours, which may span midnight."""
        if self.quiet is None:
            return False
        start, end = self.quiet
        at = now.astimezone(self.zone).time()
        return start <= at < end if start <= end else at >= start or at < end


def recipients(session: Session, chats: tuple[int, ...], lang: str) -> list[Recipient]:
    """Linked people as the store knows them now, then the ids of TELEGRAM_CHAT_IDS that are not linked: alerts only."""
    linked = [_of(session, link, user, lang) for link, user in telegram_people(session)]
    known = {one.chat for one in linked}
    return linked + [Recipient(chat, lang) for chat in chats if chat not in known]


def _of(session: Session, link: TelegramLink, user: User, lang: str) -> Recipient:
    everything = user.role == Role.ADMIN.value
    return Recipient(
        chat=link.telegram_id,
        lang=user.lang if user.lang in LANGS else lang,
        accounts=None if everything else granted_accounts(session, user.id or 0),
        levels=link.levels,
        quiet=hours(link.quiet_from, link.quiet_to),
        zone=ZoneInfo(link.zone),
        linked=True,
    )


def hours(start: str, end: str) -> tuple[time, time] | None:
    """HH:MM to HH:MM; None when either is empty. ValueError when it is no time."""
    return (time.fromisoformat(start), time.fromisoformat(end)) if start and end else None
