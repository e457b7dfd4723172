"""Rules: read, check, save as a new version, switch on and off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session

from console.services import rule_evidence
from console.services.changes import by_number, desk_only
from console.services.nudge import nudge
from console.services.permissions import (
    Action,
    Actor,
    authorize,
    check_live,
    refuse,
    visible_accounts,
)
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Environment, Market
from shared.domain.errors import Conflict, NotFound
from shared.domain.instrument import check_symbol
from shared.domain.rule.changes import only_lowers_risk
from shared.domain.rule.model import Rule, SizingMode
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid
from shared.domain.rule.python_text import with_universe
from shared.domain.rule.validate import warnings_of
from shared.domain.rule.write import to_document, to_json
from shared.models import BrokerageAccount, DecisionRow, RuleVersion, TradeRule
from shared.store import accounts, panels
from shared.store import rules as store
from shared.store.people import labels
from shared.words import say

DEFAULT_MAX_POSITION = 1_000  # shares; the account's limits in money hold beside it


@dataclass(frozen=True, slots=True)
class RuleLine:
    id: int
    account_id: int
    account: str
    environment: str
    market: str
    name: str
    symbol: str
    enabled: bool
    version: int | None
    updated_at: datetime
    decision: DecisionRow | None


@dataclass(frozen=True, slots=True)
class RuleText:
    """One rule as its editor needs it."""

    id: int
    account_id: int
    nickname: str
    environment: str
    market: str
    name: str
    enabled: bool
    max_position: int | None
    version: RuleVersion
    versions: tuple[RuleVersion, ...]  # newest first
    names: dict[str, str]  # actor label → email


@dataclass(frozen=True, slots=True)
class Saved:
    """`also_open`: open positions follow the new version. `switched_off`: LIVE, and the version lacks what LIVE needs."""

    rule_id: int
    number: int
    also_open: bool
    switched_off: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What a text is: a rule with warnings, or the list of what must be mended. `text` names its symbols.

    `read` is the rule that the text says even where an account needs more of it.
    """

    rule: Rule | None
    text: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    read: Rule | None = None


def listed(wiring: Wiring, actor: Actor, *, account_id: int | None = None) -> list[RuleLine]:
    """Rules of the accounts this person may see, those that run first."""
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if account_id in (None, row.id)}
        rows = panels.live_rules(session, [one for one in known if one is not None])
        lines = [_line(row, known[row.account_id], number, said) for row, number, said in rows]
    return sorted(lines, key=lambda line: (not line.enabled, line.account_id, line.id))


@by_number(at_most_s=4.0)
def shown(wiring: Wiring, actor: Actor, *, account_id: int | None = None) -> list[RuleLine]:
    """The same for a page that draws them: what is shared may be seconds old, so nothing is written by it."""
    return listed(wiring, actor, account_id=account_id)


def opened(wiring: Wiring, actor: Actor, rule_id: int) -> RuleText:
    """The rule with the text in force and its older versions."""
    with reading(wiring.engine) as session:
        row = _rule(session, actor, rule_id)
        authorize(session, actor, Action.VIEW, row.account_id)
        account = _account(session, actor, row.account_id)
        versions = tuple(store.versions(session, rule_id))
        present = next((one for one in versions if one.id == row.version_id), versions[0])
        return RuleText(
            id=rule_id,
            account_id=row.account_id,
            nickname=account.nickname,
            environment=account.environment,
            market=account.market,
            name=row.name,
            enabled=row.enabled,
            max_position=row.max_position,
            version=present,
            versions=versions,
            names=labels(session),
        )


@by_number(of=desk_only)
def market_of(wiring: Wiring, actor: Actor, account_id: int) -> Market:
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, account_id)
        return Market(_account(session, actor, account_id).market)


def check(text: str, market: Market, symbols: str, lang: str) -> Checked:
    """Read a rule text for a market. `symbols` ("AAPL, MSFT") stands in when the text names none."""
    try:
        rule = parse_rule(text)
    except RuleInvalid as invalid:
        return Checked(None, text, tuple(problem.text(lang) for problem in invalid.problems), ())
    typed = tuple(dict.fromkeys(part.strip().upper().replace("/", ".") for part in symbols.split(",") if part.strip()))
    if not rule.universe and typed:
        rule = replace(rule, universe=typed)
        text = _with_universe(text, rule)
    problems = []
    if not rule.universe:
        problems.append(say("rules.no_symbol", lang))
    for symbol in rule.universe:
        try:
            known = (
                check_symbol(symbol, market) == symbol
            )  # ticks come under that name: another spelling waits for ever
        except ValueError:
            known = False
        if not known:
            problems.append(say("rules.bad_symbol", lang, symbol=symbol, market=market))
    if rule.sizing is None:
        problems.append(say("rules.no_sizing", lang))
    warnings = tuple(warning.text(lang) for warning in warnings_of(rule))
    return Checked(None if problems else rule, text, tuple(problems), warnings, rule)


def add_rule(
    wiring: Wiring,
    actor: Actor,
    account_id: int,
    text: str,
    *,
    symbols: str = "",
    max_position: int = DEFAULT_MAX_POSITION,
) -> int:
    """Save the text as a new rule of the account, switched off; return its id.

    Raises:
        Conflict: the text is not a rule for this market.
    """
    return _save(wiring, actor, account_id, None, text, symbols, max_position, None).rule_id


def save_version(
    wiring: Wiring,
    actor: Actor,
    rule_id: int,
    text: str,
    *,
    symbols: str = "",
    max_position: int | None = None,
    expected_version: int | None = None,
    also_open: bool | None = None,
    about: str = "",
) -> Saved:
    """Save the text as the rule's next version; `max_position` None keeps the one in force.

    Open positions keep the version they were opened with unless `also_open`; None: they follow an edit that only lowers
    the risk. A rule that is on in LIVE is switched off when the version lacks what LIVE needs: its exits go on.

    Raises:
        Conflict: the text is not a rule for this market, or somebody saved a version meanwhile.
    """
    with reading(wiring.engine) as session:
        row = _rule(session, actor, rule_id)
        account_id, held = row.account_id, row.max_position or 0
    kept = held if max_position is None else max_position
    return _save(wiring, actor, account_id, rule_id, text, symbols, kept, expected_version, also_open, about)


def revert(
    wiring: Wiring,
    actor: Actor,
    rule_id: int,
    number: int,
    *,
    expected_version: int | None = None,
    also_open: bool | None = None,
) -> Saved:
    """Save a new version equal to the old version `number`; nothing is taken back, the history grows."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, _rule(session, actor, rule_id).account_id)
        found = next((one for one in store.versions(session, rule_id) if one.number == number), None)
        if found is None:
            raise refuse(NotFound, "no_version", actor.lang, rule=rule_id, number=number)
        text = found.text
    about = say("rules.reverted_to", actor.lang, number=number)
    return save_version(
        wiring, actor, rule_id, text, expected_version=expected_version, also_open=also_open, about=about
    )


def _save(
    wiring: Wiring,
    actor: Actor,
    account_id: int,
    rule_id: int | None,
    text: str,
    symbols: str,
    max_position: int,
    expected_version: int | None,
    also_open: bool | None = None,
    about: str = "",
) -> Saved:
    with writing(wiring.engine) as session:
        done = save_in(
            session, wiring, actor, account_id, rule_id, text, symbols, max_position, expected_version, also_open, about
        )  # fmt: skip
    nudge(wiring.settings, account_id)
    return done


def save_in(
    session: Session, wiring: Wiring, actor: Actor, account_id: int, rule_id: int | None, text: str, symbols: str,
    max_position: int, expected_version: int | None, also_open: bool | None = None, about: str = "",
) -> Saved:  # fmt: skip
    """Save in the caller's transaction, who wakes the bot after it: a new rule, or (`rule_id`) its next version."""
    authorize(session, actor, Action.RULE_SAVE, account_id)
    account = _account(session, actor, account_id)
    checked = check(text, Market(account.market), symbols, actor.lang)
    if checked.rule is None:
        raise refuse(Conflict, "bad_rule", actor.lang, problems=" / ".join(checked.problems[:5]))
    now, columns = wiring.clock.wall_now(), _columns(checked.rule)
    follow = switched_off = False
    if rule_id is None:
        row = store.add(session, now, account_id, columns, checked.text, actor.label)
        before = None
    else:
        row = _rule(session, actor, rule_id)
        if row.account_id != account_id:
            raise refuse(NotFound, "no_rule", actor.lang, rule=rule_id)
        present = store.version(session, row.version_id) if row.version_id is not None else None
        if present is not None and expected_version is not None and present.number != expected_version:
            raise refuse(Conflict, "rule_changed", actor.lang, number=present.number)
        if row.enabled and account.environment == Environment.LIVE:
            check_live(actor, authorize(session, actor, Action.RULE_SWITCH, account_id))
        before = {"version": present.number if present else None, "max_position": row.max_position}
        follow = _lowers_risk(present, checked.rule) if also_open is None else also_open
        store.save_version(session, now, row, columns, checked.text, actor.label, about, also_open=follow)
    row.max_position, row.buy_amount_usd = max_position, _amount(checked.rule)
    session.add(row)
    session.flush()
    saved = store.version(session, row.version_id) if row.version_id is not None else None
    if row.enabled and account.environment == Environment.LIVE and not rule_evidence.is_waived(row):
        switched_off = bool(rule_evidence.missing_for_live(session, row, account, actor.lang))
        if switched_off:
            store.set_enabled(session, now, row, False)
    after = {
        "version": saved.number if saved else None, "max_position": max_position, "also_open": follow,
        "switched_off": switched_off,
    }  # fmt: skip
    note(
        session, wiring, actor, Action.RULE_SAVE, f"rule:{row.id}", account_id=account_id, before=before, after=after,
        reason=about,
    )  # fmt: skip
    return Saved(row.id or 0, saved.number if saved else 0, follow, switched_off)


def switch(
    wiring: Wiring,
    actor: Actor,
    rule_id: int,
    *,
    enabled: bool,
    confirm: str = "",
    reason: str = "",
    waive: bool = False,
) -> None:
    """Switch a rule on or off. Off is always easy.

    On a LIVE account, on needs an Admin, the account's typed name, and a complete rule or a waiver with a reason.
    """
    with writing(wiring.engine) as session:
        account_id = switch_in(
            session, wiring, actor, rule_id, enabled=enabled, confirm=confirm, reason=reason, waive=waive
        )
    nudge(wiring.settings, account_id)


def switch_in(
    session: Session, wiring: Wiring, actor: Actor, rule_id: int, *, enabled: bool, confirm: str = "", reason: str = "",
    waive: bool = False,
) -> int:  # fmt: skip
    """The same in the caller's transaction, who wakes the bot of the returned account after it."""
    row = _rule(session, actor, rule_id)
    role = authorize(session, actor, Action.RULE_SWITCH, row.account_id)
    account = _account(session, actor, row.account_id)
    by_hand = actor.source == "console" and account.environment == Environment.MOCK  # programs: LIVE alone
    if enabled and by_hand and confirm != account.nickname:
        raise refuse(Conflict, "confirm_mock", actor.lang, nickname=account.nickname)
    if enabled and account.environment == Environment.LIVE:
        check_live(actor, role)
        if confirm != account.nickname:
            raise refuse(Conflict, "confirm_live", actor.lang, nickname=account.nickname)
        missing = rule_evidence.missing_for_live(session, row, account, actor.lang)
        if missing and waive:
            rule_evidence.waive_in(session, wiring, actor, row, account, confirm=confirm, reason=reason)
        elif missing and not rule_evidence.is_waived(row):
            raise refuse(Conflict, "not_live_ready", actor.lang, missing=", ".join(missing))
    before = {"enabled": row.enabled}
    store.set_enabled(session, wiring.clock.wall_now(), row, enabled)
    after = {"enabled": enabled, "waived": waive}
    note(
        session, wiring, actor, Action.RULE_SWITCH, f"rule:{rule_id}", account_id=row.account_id, before=before,
        after=after, reason=reason,
    )  # fmt: skip
    return row.account_id


def _lowers_risk(present: RuleVersion | None, newer: Rule) -> bool:
    """An edit that only lowers the risk is meant for open positions too (design.md §7)."""
    if present is None:
        return False
    try:
        return only_lowers_risk(parse_rule(present.text), newer)
    except RuleInvalid:
        return False  # an older program's text: nothing can be said of it


def archive(wiring: Wiring, actor: Actor, rule_id: int, *, reason: str = "") -> None:
    """Switch a rule off for good and take it off the lists; its versions, decisions and orders stay."""
    with writing(wiring.engine) as session:
        row = _rule(session, actor, rule_id)
        authorize(session, actor, Action.RULE_ARCHIVE, row.account_id)
        account_id, before = row.account_id, {"enabled": row.enabled}
        store.archive(session, wiring.clock.wall_now(), row)
        note(
            session, wiring, actor, Action.RULE_ARCHIVE, f"rule:{rule_id}", account_id=account_id, before=before,
            after={"archived": True}, reason=reason,
        )  # fmt: skip
    nudge(wiring.settings, account_id)


def _columns(rule: Rule) -> store.RuleColumns:
    strategy = to_document(rule)["strategy"]
    return store.RuleColumns(
        name=rule.metadata.name,
        symbol=",".join(rule.universe),
        time_in_force=rule.execution.time_in_force.value,
        cooldown_sec=rule.execution.cooldown_sec,
        entry_condition=strategy.get("entry", {}),
        exit_condition=strategy.get("exit", {}),
    )


def _amount(rule: Rule) -> Decimal | None:
    """The seed's `buy_amount` column, where the sizing is an amount of money written as a number."""
    if (
        rule.sizing is None
        or rule.sizing.mode is not SizingMode.AMOUNT
        or not isinstance(rule.sizing.value, int | float)
    ):
        return None
    return Decimal(str(rule.sizing.value))


def _with_universe(text: str, rule: Rule) -> str:
    """The author's text plus the symbols: his comments and order stay."""
    if rule.python:
        return with_universe(text, rule.universe)
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return to_json(rule)
    names = ", ".join(f'"{symbol}"' for symbol in rule.universe)  # quoted: 005930 must stay text
    return f"{text.rstrip()}\n\nuniverse: [{names}]\n"


def _rule(session: Session, actor: Actor, rule_id: int) -> TradeRule:
    row = store.find(session, rule_id)
    if row is None or row.archived_at is not None:
        raise refuse(NotFound, "no_rule", actor.lang, rule=rule_id)
    return row


def _account(session: Session, actor: Actor, account_id: int) -> BrokerageAccount:
    row = accounts.find(session, account_id)
    if row is None or row.archived_at is not None:
        raise refuse(NotFound, "no_account", actor.lang, account=account_id)
    return row


def _line(row: TradeRule, account: BrokerageAccount, number: int | None, said: DecisionRow | None) -> RuleLine:
    return RuleLine(
        id=row.id or 0,
        account_id=row.account_id,
        account=account.nickname,
        environment=account.environment,
        market=account.market,
        name=row.name,
        symbol=row.symbol,
        enabled=row.enabled,
        version=number,
        updated_at=row.updated_at,
        decision=said,
    )
