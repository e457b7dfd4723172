"""The kill switch: raising is easy, lowering is an Admin's, who signs again with password, typed word and reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from console.services import proof, second_looks
from console.services.changes import by_number
from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, may_see, present_role, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared import kill_files
from shared.config import Settings
from shared.db import reading, writing
from shared.domain.account import Environment
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict
from shared.models import KillSwitch, Role, SecondLook
from shared.store import accounts, commands, kill
from shared.store.commands import CommandKind

ACTIONS = (CommandKind.CANCEL_ALL, CommandKind.FLATTEN)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a level holds for: one account, a group ("env:LIVE", "owner:3"), or everything."""

    account_id: int | None = None
    group: str = ""

    @property
    def name(self) -> str:
        return kill.scope_of(self.account_id, self.group)


@by_number()
def groups(wiring: Wiring, actor: Actor) -> list[str]:
    """The groups that have an account this person may see, environments first."""
    with reading(wiring.engine) as session:
        role = authorize(session, actor, Action.VIEW)
        rows = [row for row in accounts.live_accounts(session) if may_see(session, actor, role, row.id or 0)]
    owners = sorted({row.owner_id for row in rows})
    found = [f"env:{one}" for one in reversed(Environment) if any(row.environment == one for row in rows)]
    return [*found, *(f"owner:{one}" for one in owners if len(owners) > 1)]


@by_number(at_most_s=1.0)
def raised_groups(wiring: Wiring, actor: Actor) -> list[KillSwitch]:
    """Groups that stand above RUN and have an account this person may see."""
    known = set(groups(wiring, actor))
    with reading(wiring.engine) as session:
        return [one for one in kill.switches(session) if one.scope in known and one.level > KillLevel.RUN]


def level_now(wiring: Wiring, actor: Actor, scope: Scope) -> KillLevel:
    """The level that stands for exactly this scope, this host's file included."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, scope.account_id)
        level = kill.level_of(session, scope.account_id, scope.group)
    return max(level, _file_level(wiring.settings, scope))


def host_level(settings: Settings) -> KillLevel:
    """The level of this host's kill file."""
    return kill_files.level_in(settings.home / "kill")


def raise_level(
    wiring: Wiring, actor: Actor, level: KillLevel, *, account_id: int | None = None, group: str = "", reason: str = ""
) -> None:
    """Raise the level of one account, a group, or all; a lower or equal level changes nothing."""
    scope = Scope(account_id, group)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.KILL_RAISE, account_id)
        before = kill.level_of(session, account_id, group)
        if level <= before:
            return
        _set(session, wiring, actor, Action.KILL_RAISE, before, level, scope, reason)
    nudge(wiring.settings, account_id)


def raise_without_store(settings: Settings, level: KillLevel, *, account_id: int | None, by: str) -> None:
    """Raise the kill file of this host, or of one account on it: the store does not answer."""
    kill_files.raise_file(_file(settings, account_id), level, by)


def lower_level(
    wiring: Wiring, actor: Actor, level: KillLevel, *, reason: str, typed: str = "", password: str = "",
    code: str = "", account_id: int | None = None, group: str = "", by_code: bool = False,
) -> None:  # fmt: skip
    """Lower the level, and this host's kill file with it; Admin only, who proves himself again.

    `by_code`: a messenger has just taken his one-time code, which stands for word and password there.

    Raises:
        Forbidden: no Admin, or a wrong password or second factor. Conflict: the word or the reason is missing, or a
        second Admin must agree first.
    """
    scope = Scope(account_id, group)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.KILL_LOWER, account_id)
        if not reason.strip():
            raise refuse(Conflict, "reason_missing", actor.lang)
        if not by_code and actor.user_id is not None and typed.strip().upper() != level.name:
            raise refuse(Conflict, "word_missing", actor.lang, word=level.name)
        if not by_code:
            proof.prove(session, wiring, actor, password, code)
        before = max(kill.level_of(session, account_id, group), _file_level(wiring.settings, scope))
        if level >= before:
            return
        look = second_looks.wanted(
            session, wiring, actor, Action.KILL_LOWER, scope.name, {"level": level.name, "group": group}, reason,
            account_id=account_id,
        )  # fmt: skip
        if look is None:
            _set(session, wiring, actor, Action.KILL_LOWER, before, level, scope, reason)
    second_looks.tell(actor, look)
    _lower_file(wiring.settings, scope, level, reason)


def order_everywhere(
    wiring: Wiring, actor: Actor, kind: CommandKind, *, key: str, account_id: int | None = None, group: str = ""
) -> int:
    """Ask every running bot of the scope to cancel all orders, or to sell everything; returns how many were asked.

    The same key asks each bot once.
    """
    assert kind in ACTIONS
    now = wiring.clock.wall_now()
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.KILL_RAISE, account_id)
        role = present_role(session, actor)
        asked = [
            row.id or 0
            for row in accounts.live_accounts(session)
            if row.enabled and Scope(account_id, group).name in kill.scopes_over(row) and _sees(session, actor, role, row.id)
        ]  # fmt: skip
        for one in asked:
            commands.request(
                session, now, account_id=one, kind=kind, key=f"{key}:{one}", requested_by=actor.label, payload={}
            )
        note(
            session, wiring, actor, Action.KILL_RAISE, Scope(account_id, group).name, account_id=account_id,
            after={"action": kind.value, "accounts": asked},
        )  # fmt: skip
    nudge(wiring.settings, account_id)
    return len(asked)


def _sees(session: Session, actor: Actor, role: Role, account_id: int | None) -> bool:
    return account_id is not None and may_see(session, actor, role, account_id)


def lowered(session: Session, wiring: Wiring, asker: Actor, look: SecondLook) -> Callable[[], None]:
    """Lower what a second Admin has agreed to; returns what is to be done once that is committed."""
    scope, level = Scope(look.account_id, look.payload["group"]), KillLevel[look.payload["level"]]
    before = max(kill.level_of(session, scope.account_id, scope.group), _file_level(wiring.settings, scope))
    if level < before:
        _set(session, wiring, asker, Action.KILL_LOWER, before, level, scope, look.reason)
    return lambda: _lower_file(wiring.settings, scope, level, look.reason)


def _lower_file(settings: Settings, scope: Scope, level: KillLevel, reason: str) -> None:
    if not scope.group:
        kill_files.lower_file(_file(settings, scope.account_id), level, reason)
    nudge(settings, scope.account_id)


def _file(settings: Settings, account_id: int | None) -> Path:
    return (settings.home if account_id is None else settings.account_dir(account_id)) / "kill"


def _file_level(settings: Settings, scope: Scope) -> KillLevel:
    return KillLevel.RUN if scope.group else kill_files.level_in(_file(settings, scope.account_id))


def _set(
    session: Session, wiring: Wiring, actor: Actor, action: Action, before: KillLevel, level: KillLevel, scope: Scope,
    reason: str,
) -> None:  # fmt: skip
    now = wiring.clock.wall_now()
    kill.set_level(
        session, now, account_id=scope.account_id, group=scope.group, level=level, reason=reason, by=actor.label
    )
    note(
        session, wiring, actor, action, scope.name, account_id=scope.account_id, before={"level": before.name},
        after={"level": level.name}, reason=reason,
    )  # fmt: skip
