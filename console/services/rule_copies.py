"""One rule for many accounts: each gets the text with its own size, all of them or none, one row of the audit each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from console.services import rules
from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.rules import Saved, save_in, switch_in
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Environment, Market
from shared.domain.errors import Conflict, NotFound, TradingError
from shared.domain.rule.model import Rule, Sizing
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.rewrite import with_sizing
from shared.models import BrokerageAccount, RuleVersion, TradeRule
from shared.store import rules as store
from shared.words import say


@dataclass(frozen=True, slots=True)
class Target:
    """An account and what it gets. `size` None: as the text says. `confirm`: its name as typed, where that is asked."""

    account_id: int
    max_position: int
    size: Sizing | None = None
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """What would happen at one account. `rule_id` None: a new rule; else the next version of its rule of that name."""

    account_id: int
    nickname: str
    environment: str
    market: str
    rule_id: int | None
    version: int  # that it would get
    running: bool  # its rule of that name is on already
    sizing: Sizing | None
    max_position: int
    typed: bool  # its name must be typed
    problems: tuple[str, ...]  # why it cannot be; () when it can


@dataclass(frozen=True, slots=True)
class Choice:
    account_id: int
    nickname: str
    environment: str


def choices(wiring: Wiring, actor: Actor, rule_id: int) -> list[Choice]:
    """The other accounts of the rule's market."""
    with reading(wiring.engine) as session:
        rows = visible_accounts(session, actor)
        source = store.find(session, rule_id)
        home = next((row for row in rows if source is not None and row.id == source.account_id), None)
        if home is None:
            raise refuse(NotFound, "no_rule", actor.lang, rule=rule_id)
        return [
            Choice(row.id or 0, row.nickname, row.environment)
            for row in rows
            if row.market == home.market and row.id != home.id
        ]


def plan(
    wiring: Wiring, actor: Actor, rule_id: int, targets: Sequence[Target], *, enable: bool = False
) -> tuple[Planned, ...]:
    """Who would get what, as the store stands now."""
    with reading(wiring.engine) as session:
        text = _text(session, actor, rule_id).text
        return tuple(_planned(session, actor, text, one, enable) for one in targets)


def copy(
    wiring: Wiring, actor: Actor, rule_id: int, targets: Sequence[Target], *, expected_version: int,
    enable: bool = False, reason: str = "", waive: bool = False,
) -> tuple[Saved, ...]:  # fmt: skip
    """Give the rule's version in force to all the accounts, and (`enable`) switch it on there; or to none of them.

    A copy is switched off, or stays as the rule that it renews. Where it runs afterwards in LIVE or MOCK, the account's
    name must have been typed; LIVE asks for all that switching one rule on asks.

    Raises:
        TradingError: what one account is refused, with its name; nothing was done at any.
    """
    if not targets or len({one.account_id for one in targets}) < len(targets):
        raise refuse(Conflict, "copy_to_none", actor.lang)
    done = []
    with writing(wiring.engine) as session:
        version = _text(session, actor, rule_id)
        if version.number != expected_version:
            raise refuse(Conflict, "rule_changed", actor.lang, number=version.number)
        about = say("copy.about", actor.lang, rule=rule_id, number=version.number)
        for one in targets:
            planned = _planned(session, actor, version.text, one, enable)
            try:
                done.append(_give(session, wiring, actor, version.text, one, planned, enable, about, reason, waive))
            except TradingError as refusal:
                what = f"{planned.nickname}: {refusal.what}"
                raise type(refusal)(what, refusal.why, refusal.now, refusal.code) from refusal
    for one in targets:
        nudge(wiring.settings, one.account_id)
    return tuple(done)


def _give(
    session: Session, wiring: Wiring, actor: Actor, text: str, target: Target, planned: Planned, enable: bool, about: str,
    reason: str, waive: bool,
) -> Saved:  # fmt: skip
    if planned.problems:
        raise refuse(Conflict, "bad_rule", actor.lang, problems=" / ".join(planned.problems[:5]))
    if planned.typed and target.confirm != planned.nickname:
        kind = "confirm_live" if planned.environment == Environment.LIVE else "confirm_mock"
        raise refuse(Conflict, kind, actor.lang, nickname=planned.nickname)
    saved = save_in(
        session, wiring, actor, target.account_id, planned.rule_id, _sized(text, target.size), "", target.max_position,
        None, None, about,
    )  # fmt: skip
    if enable and not planned.running:
        switch_in(
            session, wiring, actor, saved.rule_id, enabled=True, confirm=target.confirm, reason=reason, waive=waive
        )
    return saved


def _planned(session: Session, actor: Actor, text: str, target: Target, enable: bool) -> Planned:
    account = next((row for row in visible_accounts(session, actor) if row.id == target.account_id), None)
    if account is None:
        raise refuse(NotFound, "no_account", actor.lang, account=target.account_id)
    sized = _sized(text, target.size)
    checked = rules.check(sized, Market(account.market), "", actor.lang)
    read = checked.read or parse_rule(text)
    same = _same(session, account, read)
    problems = list(checked.problems)
    if len(same) > 1:
        problems.append(say("copy.two", actor.lang, rules=", ".join(f"#{one.id}" for one in same)))
    mine = same[0] if same else None
    running = mine is not None and mine.enabled
    return Planned(
        account_id=target.account_id,
        nickname=account.nickname,
        environment=account.environment,
        market=account.market,
        rule_id=None if mine is None else mine.id,
        version=1 if mine is None else _newest(session, mine) + 1,
        running=running,
        sizing=read.sizing,
        max_position=target.max_position,
        typed=account.environment != Environment.SIM and (enable or running),
        problems=tuple(problems),
    )


def _same(session: Session, account: BrokerageAccount, rule: Rule) -> list[TradeRule]:
    """The account's rules of that name: a second one beside them would trade twice."""
    return [one for one in store.live_rules(session, account.id) if one.name == rule.metadata.name]


def _newest(session: Session, row: TradeRule) -> int:
    return max((one.number for one in store.versions(session, row.id or 0)), default=0)


def _text(session: Session, actor: Actor, rule_id: int) -> RuleVersion:
    """The version in force of a rule that this person may see."""
    row = store.find(session, rule_id)
    version = None if row is None or row.version_id is None else store.version(session, row.version_id)
    if row is None or version is None or row.archived_at is not None:
        raise refuse(NotFound, "no_rule", actor.lang, rule=rule_id)
    authorize(session, actor, Action.VIEW, row.account_id)
    return version


def _sized(text: str, size: Sizing | None) -> str:
    return text if size is None else with_sizing(text, size)
