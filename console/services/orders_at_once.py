"""Orders for a whole account: cancel everything, sell everything, and trades that somebody else proposes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import writing
from shared.domain.errors import Conflict, NotFound
from shared.domain.signal import Verdict
from shared.models import Command
from shared.store import accounts, commands, rules
from shared.store.commands import CommandKind

LIFE = timedelta(minutes=5)
PROPOSAL_LIFE = timedelta(seconds=30)  # a price has moved on by then


def cancel_all(wiring: Wiring, actor: Actor, account_id: int, *, key: str) -> Command:
    """Ask the account's bot to cancel every open order; the same key is the same command."""
    return _ask(wiring, actor, account_id, Action.CANCEL_ALL, CommandKind.CANCEL_ALL, key, {}, LIFE)


def flatten(wiring: Wiring, actor: Actor, account_id: int, *, key: str, confirm: str, reason: str = "") -> Command:
    """Ask the bot to cancel everything, sell everything and halt. Needs the account's typed name."""
    payload = {"confirm": confirm}
    return _ask(wiring, actor, account_id, Action.FLATTEN, CommandKind.FLATTEN, key, payload, LIFE, reason)


def propose(
    wiring: Wiring, actor: Actor, rule_id: int, symbol: str, verdict: Verdict, *, key: str, source: str
) -> Command:
    """Propose a trade of a rule to the bot that runs it: sizing, limits and guards are the rule's and the bot's own.

    Raises:
        Conflict: the rule is off or does not trade this symbol.
    """
    with writing(wiring.engine) as session:
        rule = rules.find(session, rule_id)
        if rule is None or rule.archived_at is not None:
            raise refuse(NotFound, "no_rule", actor.lang, rule=rule_id)
        account_id = rule.account_id
        if not rule.enabled or symbol not in rule.symbol.split(","):
            raise refuse(Conflict, "not_proposable", actor.lang, rule=rule_id, symbol=symbol)
    payload = {"rule_id": rule_id, "symbol": symbol, "verdict": verdict.value, "source": source, "key": key}
    return _ask(wiring, actor, account_id, Action.PROPOSE, CommandKind.PROPOSE, key, payload, PROPOSAL_LIFE)


def _ask(
    wiring: Wiring,
    actor: Actor,
    account_id: int,
    action: Action,
    kind: CommandKind,
    key: str,
    payload: Mapping[str, Any],
    life: timedelta,
    reason: str = "",
) -> Command:
    with writing(wiring.engine) as session:
        authorize(session, actor, action, account_id)
        row = accounts.find(session, account_id)
        if row is None or row.archived_at is not None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        if kind is CommandKind.FLATTEN and payload.get("confirm") != row.nickname:
            raise refuse(Conflict, "confirm_name", actor.lang, nickname=row.nickname)
        now = wiring.clock.wall_now()
        command, new = commands.request(
            session,
            now,
            account_id=account_id,
            kind=kind,
            key=key,
            requested_by=actor.label,
            payload={name: value for name, value in payload.items() if name != "confirm"},
            expires_at=now + life,
        )
        if new:
            after = {"command": command.id, "kind": kind.value, **command.payload}
            note(
                session,
                wiring,
                actor,
                action,
                f"account:{account_id}",
                account_id=account_id,
                after=after,
                reason=reason,
            )
    nudge(wiring.settings, account_id)
    return command
