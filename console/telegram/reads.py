"""Telegram commands that only look: each turns what a service says into one short message."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from console.services import alerts, approvals, daily, holdings, logs, orders, overview, rules, symbols
from console.services.permissions import Actor
from console.telegram.messages import clip, fitting
from console.wiring import Wiring
from shared.domain.account import Market
from shared.domain.errors import NotFound
from shared.domain.money import Money
from shared.domain.trading_days import ZONES
from shared.store.panels import LogFilter
from shared.words import reason_text, say

SHOWN = 15


@dataclass(frozen=True, slots=True)
class Reply:
    """`text` is Telegram HTML; a button is (label, command)."""

    text: str
    buttons: Sequence[tuple[str, str]] = field(default=())
    picture: bytes | None = None
    title: str = ""


MENU = {  # command → its button, in both languages
    "status": ("상태", "Status"),
    "accounts": ("계좌", "Accounts"),
    "positions": ("보유", "Positions"),
    "orders": ("미체결", "Open orders"),
    "fills": ("체결", "Fills"),
    "pnl": ("손익", "P&L"),
    "why": ("왜 안 샀나", "Why"),
    "rules": ("규칙", "Rules"),
    "log": ("기록", "Log"),
    "report": ("보고", "Report"),
    "help": ("도움말", "Help"),
    "approvals": ("승인 대기", "Approvals"),
    "approve": ("승인", "Approve"),
    "decline": ("거절", "Decline"),
    "pause": ("진입 멈춤", "Pause"),
    "resume": ("다시 시작", "Resume"),
    "kill": ("전면 정지", "Kill"),
    "cancel": ("취소", "Cancel"),
    "flatten": ("전량 정리", "Flatten"),
}
NEXT = {  # after one command, what a person asks next
    "status": ("positions", "orders", "pnl"),
    "accounts": ("status", "positions", "pnl"),
    "positions": ("orders", "pnl", "why"),
    "orders": ("fills", "positions", "status"),
    "fills": ("orders", "pnl", "status"),
    "pnl": ("positions", "report", "status"),
    "why": ("rules", "orders", "log"),
    "rules": ("why", "orders", "status"),
    "log": ("status", "why", "help"),
    "report": ("pnl", "positions", "status"),
    "help": ("status", "report", "why"),
    "approvals": ("orders", "positions", "status"),
}


def menu(actor: Actor, after: str) -> list[tuple[str, str]]:
    """Buttons that follow a command, in the person's language."""
    return [(text_in(actor, *MENU[name]), f"/{name}") for name in NEXT[after]]


def status(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    view = overview.overview(wiring, actor)
    lines = [f"<b>{say(f'kill.{view.kill.name}', actor.lang)}</b>"]
    for sums in view.sums:
        total = " · ".join(_money(one) for one in sums.equity) or "—"
        today = " · ".join(_money(one, signed=True) for one in sums.pnl_today) or "—"
        lines.append(f"{say(f'env.{sums.environment}', actor.lang)} {total} ({today})")
    for line in view.lines[:SHOWN]:
        age = "" if line.heartbeat_age_s is None else f" {line.heartbeat_age_s:.0f}s"
        lines.append(f"{clip(line.nickname, 60)} · {say(f'status.{line.status}', actor.lang)}{age}")
    waiting = len(alerts.inbox(wiring, actor))
    lines.append(text_in(actor, f"확인할 알림 {waiting}건", f"{waiting} open alerts"))
    return Reply(fitting(lines), buttons=menu(actor, "status"))


def accounts_(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    lines = []
    for line in overview.overview(wiring, actor).lines:
        lines.append(f"<b>{line.id} {clip(line.nickname, 60)}</b> {line.broker} {line.market} {line.environment}")
        equity = "—" if line.equity is None else _money(line.equity)
        state = say(f"status.{line.status}", actor.lang)
        lines.append(f"  {state} · {equity} · ****{clip(line.last4, 8)} · {clip(line.why, 80)}")
    return _listed(actor, lines, "accounts")


def positions(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    lines = []
    for one in holdings.positions(wiring, actor, account_id=_maybe_account(wiring, actor, words))[: SHOWN * 2]:
        pnl = "—" if one.pnl_pct is None else f"{one.pnl_pct:+.2f}%"
        guard = "" if one.guarded_by is not None else " ⚠️"
        name = symbols.name(wiring, one.symbol, one.currency, actor.lang, one.name)
        called = f"{clip(one.symbol, 20)} {clip(name, 40)}".strip()
        lines.append(f"{called} {one.qty} @ {_plain(one.avg_price)} {pnl}{guard}")
    return _listed(actor, lines, "positions")


def orders_(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    found = orders.open_orders(wiring, actor, account_id=_maybe_account(wiring, actor, words))[:SHOWN]
    lines = [
        f"#{one.id} {clip(one.symbol, 20)} {say(f'side.{one.side}', actor.lang)} {one.filled_qty}/{one.qty} "
        f"@ {_plain(one.price)} · {say(f'order.{one.status}', actor.lang)}"
        for one in found
    ]
    buttons = [(f"✖ #{one.id}", f"/cancel {one.id}") for one in found if one.cancelable][:6]
    return Reply(_listed(actor, lines, "orders").text, buttons=[*buttons, *menu(actor, "orders")])


def approvals_(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    """Entries of semi-automatic rules that wait for a yes, the first to end first, with both answers as buttons."""
    found = approvals.waiting(wiring, actor)[:SHOWN]
    lines = [f"<b>#{one.id}</b> {clip(entry(actor, one), 300)} · {_left(wiring, actor, one)}" for one in found]
    buttons = [(f"{sign} #{one.id}", f"/{verb} {one.id}") for one in found[:3] for sign, verb in ANSWERS]
    return Reply(_listed(actor, lines, "approvals").text, buttons=[*buttons, *menu(actor, "approvals")])


ANSWERS = (("✔", "approve"), ("✖", "decline"))


def entry(actor: Actor, one: approvals.ProposalLine) -> str:
    """An entry that waits, in one line, not escaped."""
    at = say("approval.market", actor.lang) if one.price is None else f"@ {_plain(one.price)} {one.currency}"
    side = say(f"side.{one.side}", actor.lang)
    return f"{one.account[:60]} {one.environment} · {one.symbol} {side} {one.qty} {at} · {one.rule[:60]}"


def _left(wiring: Wiring, actor: Actor, one: approvals.ProposalLine) -> str:
    left = max(0, int((one.expires_at - wiring.clock.wall_now()).total_seconds()))
    return say("approval.left", actor.lang, seconds=left)


def fills(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    found = orders.fills(wiring, actor, account_id=_maybe_account(wiring, actor, words), limit=SHOWN)
    lines = [
        f"{one.filled_at.astimezone(ZONES[Market.KRX]):%m-%d %H:%M} {clip(one.symbol, 20)} {say(f'side.{one.side}', actor.lang)} "
        f"{one.qty} @ {_plain(one.price)} {one.currency}"
        for one in found
    ]
    return _listed(actor, lines, "fills")


def pnl(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    lines = []
    for line in overview.overview(wiring, actor).lines:
        today = "—" if line.pnl_today is None else _money(line.pnl_today, signed=True)
        equity = "—" if line.equity is None else _money(line.equity)
        lines.append(f"{clip(line.nickname, 60)} {today} · {equity}")
    return _listed(actor, lines, "pnl")


def why(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    """The last decision of each rule, or of the one named: number or symbol."""
    asked = words[0].upper() if words else ""
    lines = []
    for rule in rules.listed(wiring, actor):
        if asked and asked not in {str(rule.id), *rule.symbol.split(",")}:
            continue
        said = rule.decision
        lines.append(f"<b>{rule.id} {clip(rule.name, 60)}</b> {clip(rule.account, 40)}")
        if said is None:
            lines.append(text_in(actor, "  아직 판단하지 않음", "  no decision yet"))
            continue
        verdict = say(f"decision.{said.verdict}", actor.lang)
        lines.append(
            f"  {clip(said.symbol, 20)} {verdict}: {clip(reason_text(said.reason, actor.lang, said.text), 200)}"
        )
        lines += [
            f"  ✖ {clip(str(gate.get('text') or gate.get('code')), 200)}"
            for gate in said.gates
            if gate.get("passed") is False
        ]
    return _listed(actor, lines, "why")


def log_(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    wanted = LogFilter(
        frozenset({"ERROR", "WARNING"}) if words and words[0].lower() in {"error", "오류"} else frozenset()
    )
    lines = [
        f"{one.created_at.astimezone(ZONES[Market.KRX]):%H:%M:%S} {one.level[:1]} {clip(one.account, 30)} {clip(one.message, 200)}"
        for one in logs.newest(wiring, actor, wanted, limit=SHOWN)
    ]
    return _listed(actor, lines, "log")


def rules_(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    lines = [
        f"{'🟢' if one.enabled else '⚪'} {one.id} {clip(one.name, 60)} · {clip(one.symbol, 60)} · {clip(one.account, 40)}"
        for one in rules.listed(wiring, actor)
    ]
    return _listed(actor, lines, "rules")


def report(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    """The day in words and a picture of the equity curves."""
    made = daily.report(wiring, actor)
    lines = [f"<b>{made.day.isoformat()}</b>"]
    for one in made.lines:
        lines.append(f"<b>{clip(one.account, 60)}</b> {one.environment} · {one.day:%m-%d}")
        equity = "—" if one.equity is None else f"{_plain(one.equity)} {one.currency}"
        today = "—" if one.pnl is None else f"{one.pnl:+,.2f}"
        counted = text_in(actor, f"체결 {one.fills} · 거부 {one.refused}", f"{one.fills} fills · {one.refused} refused")
        if one.unknown:
            counted += text_in(actor, f" · ❓확인중 {one.unknown}", f" · ❓{one.unknown} unproven")
        lines.append(f"  {equity} ({today}) · {counted}")
    curves = holdings.equity_curves(wiring, actor, daily.ONE_DAY)
    picture = daily.picture(curves)
    return Reply(_listed(actor, lines, "report").text, menu(actor, "report"), picture, made.day.isoformat())


def help_(wiring: Wiring, actor: Actor, words: list[str]) -> Reply:
    korean = (
        "/status 상태 · /accounts 계좌 · /positions 보유 · /orders 미체결 · /fills 체결 · /pnl 손익\n"
        "/why 왜 안 샀나 · /rules 규칙 · /log 기록 · /report 일일 보고\n"
        "/approvals 승인 대기 · /approve 승인 · /decline 거절\n"
        "/pause 진입 멈춤 · /resume 다시 · /kill 전면 정지 · /cancel 취소 · /flatten 전량 정리\n"
        "계좌 번호나 이름을 뒤에 적습니다: /pause 2. 바꾸는 명령은 코드로 확인합니다."
    )
    english = (
        "/status /accounts /positions /orders /fills /pnl\n/why /rules /log /report\n"
        "/approvals · /approve N · /decline N\n"
        "/pause no entries · /resume · /kill halt · /cancel · /flatten\n"
        "Add an account's number or name: /pause 2. What changes anything asks for a code."
    )
    return Reply(text_in(actor, korean, english), buttons=menu(actor, "help"))


READS: dict[str, Callable[[Wiring, Actor, list[str]], Reply]] = {
    "status": status,
    "accounts": accounts_,
    "positions": positions,
    "orders": orders_,
    "fills": fills,
    "pnl": pnl,
    "why": why,
    "log": log_,
    "report": report,
    "rules": rules_,
    "approvals": approvals_,
    "help": help_,
    "start": help_,
}


def account_or_all(wiring: Wiring, actor: Actor, words: list[str]) -> tuple[int | None, str]:
    """The account named, or None for all of them, with its name."""
    if not words or words[0].lower() in {"all", "전체", "모두"}:
        return None, text_in(actor, "모든 계좌", "all accounts")
    return one_account(wiring, actor, words)


def one_account(wiring: Wiring, actor: Actor, words: list[str]) -> tuple[int, str]:
    """The account named by number or name; the only one there is needs no name. NotFound otherwise."""
    lines, asked = overview.overview(wiring, actor).lines, " ".join(words)
    found = [line for line in lines if asked in {str(line.id), line.nickname}] if asked else list(lines)
    if len(found) != 1:
        names = ", ".join(f"{line.id} {line.nickname}" for line in lines[:20])
        raise NotFound(text_in(actor, "어느 계좌입니까?", "Which account?"), names, "/accounts")
    return found[0].id, found[0].nickname


def _maybe_account(wiring: Wiring, actor: Actor, words: list[str]) -> int | None:
    return one_account(wiring, actor, words)[0] if words else None


def text_in(actor: Actor, korean: str, english: str) -> str:
    return english if actor.lang == "en" else korean


def number_in(words: list[str]) -> int | None:
    """The number that a command carries, as typed or as shown (#5); None when the first word is none."""
    found = re.fullmatch(r"#?([0-9]{1,9})", words[0]) if words else None
    return int(found[1]) if found else None


def _listed(actor: Actor, lines: list[str], after: str) -> Reply:
    return Reply(fitting(lines) if lines else text_in(actor, "없습니다", "nothing"), buttons=menu(actor, after))


def _plain(number: Decimal | None) -> str:
    return "—" if number is None else f"{number:,f}"


def _money(money: Money, *, signed: bool = False) -> str:
    return f"{money.amount:{'+' if signed else ''},.2f} {money.currency.value}"
