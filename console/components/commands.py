"""The life of a command on screen: 요청됨 → 접수 → 실행중 → 완료/실패, each with its time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.components.audit_table import field, who
from console.components.figures import KST, UNKNOWN, Html, age, join, mark, moment, span
from console.components.frame import in_words, lang, t
from console.components.table import Column, table
from console.services.orders import CommandLine
from shared.models import Command
from shared.store.commands import OPEN_COMMANDS, CommandStatus
from shared.words import WORDS

_TONES = {
    CommandStatus.DONE: "fine",
    CommandStatus.FAILED: "act",
    CommandStatus.UNKNOWN: "act",
    CommandStatus.EXPIRED: "watch",
}


def command_table(rows: Sequence[CommandLine], now: datetime) -> None:
    columns = [
        Column(t("command.what")),
        Column(t("col.status")),
        Column(t("command.by")),
        Column(t("command.result"), wide=True),
        Column(t("command.asked")),
    ]
    body = [
        [
            t(f"command.{line.row.kind}"),
            _status(line.row, now),
            who(line.by, {}),
            _result(line.row),
            moment(line.row.requested_at),
        ]
        for line in rows
    ]
    table(columns, body, name="commands", empty=t("empty.commands"))


def life(row: Command) -> str:
    """How far it is, step by step: asked, taken by the bot, running or its end."""
    steps = [(t("command.REQUESTED"), row.requested_at)]
    if row.claimed_at is not None:
        steps.append((t("command.TAKEN"), row.claimed_at))
    if row.finished_at is not None:
        steps.append((t(f"command.{row.status}"), row.finished_at))
    told = " → ".join(f"{word} {at.astimezone(KST):%H:%M:%S}" for word, at in steps)
    return f"{told} → {t('command.RUNNING')}" if row.status == CommandStatus.RUNNING else told


def _status(row: Command, now: datetime) -> Html:
    late = row.status in OPEN_COMMANDS and row.expires_at is not None and now >= row.expires_at
    status = CommandStatus.EXPIRED if late else CommandStatus(row.status)
    since = row.finished_at or row.claimed_at or row.requested_at
    told = mark(_TONES.get(status, "off"), t(f"command.{status}"), life(row))
    return join(told, span("lt-sub", age(since, now, lang())))


def _result(row: Command) -> str:
    """The bot's own sentence: what came of it, or what, why and what to do now."""
    result = row.result or {}
    error = result.get("error")
    if isinstance(error, dict):
        return " · ".join(in_words(str(error[name])) for name in ("what", "why", "now") if error.get(name)) or UNKNOWN
    plain = [_field(name, value) for name, value in result.items() if not isinstance(value, (dict, list))]
    return " · ".join(plain) or UNKNOWN


def _field(name: str, value: object) -> str:
    """One value under its word; `why` and `note` are sentences by themselves."""
    if name == "status" and f"order.{value}" in WORDS:
        return t(f"order.{value}")
    said = in_words(str(value))
    return said if name in {"why", "note", "told", "text"} else f"{field(name)}: {said}"
