"""Telegram commands: the allow-list, private and fresh messages only, codes for what changes anything, the offset."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select
from telegram import Bot

from console.telegram import messages, reads
from console.telegram.commands import COMMANDS, Asked
from console.telegram.commands import Desk as Chat
from console.telegram.notifier import Notifier
from console.telegram.poller import OFFSET, Poller
from shared.db import reading, writing
from shared.domain.bot_state import KillLevel
from shared.models import Alert, AuditLog, Command, Role
from shared.store import heartbeats, kill
from shared.store.people import link_telegram
from shared.wording.alerts import TEXTS
from tests.console.desks import Desk
from tests.console.entries import entry
from tests.console.telegram.bot_api import TOKEN, BotApi, bot_api, conflict, refused, too_many

ADMIN, TRADER, VIEWER = 42, 43, 44


@asynccontextmanager
async def listening(desk: Desk) -> AsyncIterator[tuple[Poller, BotApi]]:
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        for telegram_id, role in ((ADMIN, Role.ADMIN), (TRADER, Role.TRADER), (VIEWER, Role.VIEWER)):
            link_telegram(session, now, desk.users[role], telegram_id)
    async with bot_api() as api, Bot(TOKEN, base_url=f"{api.url}/bot") as bot:
        yield Poller(desk.wiring, bot, wait_s=0, pause_s=7), api


def level(desk: Desk) -> KillLevel:
    with reading(desk.wiring.engine) as session:
        return kill.level_of(session, None)


def code_in(api: BotApi) -> str:
    found = re.search(r"<code>(\d{6})</code>", api.sent[-1]["text"])
    assert found is not None, api.sent[-1]
    return found.group(1)


async def test_every_command_answers_within_telegrams_limits(desk: Desk) -> None:
    async with listening(desk) as (poller, api):
        for number, name in enumerate(COMMANDS, 1):
            api.says(f"/{name} 미국 주식 1호" if name == "flatten" else f"/{name}", number=number)
        assert await poller.once() == 0
        assert len(api.sent) + len(api.photos) == len(COMMANDS)
        assert len(api.photos) == 1 and "reply_markup" in api.photos[0]  # the report: one message with its picture
        assert all("처리하지 못했습니다" not in form["text"] for form in api.sent)


ASKED = [
    "status",
    "accounts",
    "positions",
    "orders",
    "fills",
    "pnl",
    "why",
    "log",
    "pause",
    "resume",
    "kill",
    "cancel",
    "flatten",
    "report",
    "rules",
    "help",
    "approvals",
    "approve",
    "decline",
]


@pytest.mark.parametrize(("lang", "word"), [("ko", "상태"), ("en", "Status")])
def test_every_command_of_the_contract_answers_with_buttons_in_both_languages(desk: Desk, lang: str, word: str) -> None:
    assert set(ASKED) <= set(COMMANDS)
    chat, actor = Chat(desk.wiring), desk.actor(Role.ADMIN, lang)
    labels, numbers = set[str](), {"cancel": 1, **dict.fromkeys(("approve", "decline"), entry(desk, "미국 주식 1호"))}
    for name in ASKED:
        reply = chat.answer(actor, Asked(f"/{name} {numbers.get(name, '미국 주식 1호')}", f"k{name}"))
        typed = name in {"resume", "flatten"}  # their code is typed, so that no thumb slips
        assert reply.text and bool(reply.buttons) is not typed, name
        labels |= {label for label, _ in reply.buttons}
    assert word in labels


@pytest.mark.parametrize(
    "word", ["/cancel 99999999999999999999", "/cancel ²", "/approve #", "/why \x00", "/flatten " + "9" * 4000]
)
async def test_a_strange_message_is_answered_and_the_next_one_heard(desk: Desk, word: str) -> None:
    async with listening(desk) as (poller, api):
        api.says(word, number=1)
        api.says("/help", number=2)
        assert await poller.once() == 0
        assert len(api.sent) == 2 and "/status" in api.sent[1]["text"]


async def test_a_bug_in_one_command_deafens_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setitem(reads.READS, "status", broken)
    async with listening(desk) as (poller, api):
        api.says("/status", number=1)
        api.says("/help", number=2)
        assert await poller.once() == 0
        assert "처리하지 못했습니다" in api.sent[0]["text"] and "/status" in api.sent[1]["text"]


async def test_who_blocked_the_bot_and_a_button_of_yesterday_hold_nobody_up(desk: Desk) -> None:
    async with listening(desk) as (poller, api):
        api.blocked.add(TRADER)
        api.old.add("q2")
        api.says("/status", who=TRADER, number=1)
        api.presses("/kill", number=2)
        api.says("/help", number=3)
        assert await poller.once() == 0
        assert [form["chat_id"] for form in api.sent] == [str(ADMIN)] and "/status" in api.sent[0]["text"]
        with reading(desk.wiring.engine) as session:
            assert heartbeats.fact(session, OFFSET) == "4"


async def test_commands_through_429_409_and_outages_are_each_obeyed_and_answered_once(desk: Desk) -> None:
    """Every second poll and every second answer meets a fault; 40 commands, every tenth of them changes something."""
    chance, done, asked = random.Random(8), 0, 0
    async with listening(desk) as (poller, api):
        for number in range(1, 41):
            if number % 10 == 0:
                api.says("/cancel 미국 주식 1호", number=number * 2)
                await until_heard(poller, api, chance, number * 2)
                api.says(code_in(api), number=number * 2 + 1)
                await until_heard(poller, api, chance, number * 2 + 1)
                done += "전체 취소 요청" in api.sent[-1]["text"]
                asked += 2
            else:
                api.says("/help", number=number * 2)
                await until_heard(poller, api, chance, number * 2)
                asked += 1
        assert done == 4 and len(api.sent) == asked
    with reading(desk.wiring.engine) as session:
        rows = session.exec(select(AuditLog).where(AuditLog.action == "order.cancel_all")).all()
        assert len(rows) == 4 and {row.source for row in rows} == {"telegram"}
        assert len(session.exec(select(Command).where(Command.kind == "CANCEL_ALL")).all()) == 4


async def until_heard(poller: Poller, api: BotApi, chance: random.Random, number: int) -> None:
    """Poll, with faults on the way, until the update is confirmed."""
    while True:
        with reading(poller._wiring.engine) as session:
            if int(heartbeats.fact(session, OFFSET) or 0) > number:
                return
        if not api.polls and chance.random() < 0.5:
            api.polls.append(chance.choice([too_many(0), conflict(), web.Response(status=502, text="<html>")]))
        if not api.answers and chance.random() < 0.5:
            api.answers.append(chance.choice([too_many(0), web.Response(status=502, text="<html>")]))
        await poller.once()


async def test_a_store_that_fails_after_the_answer_answers_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(desk) as (poller, api):
        monkeypatch.setattr(poller, "_keep", away)
        api.says("/help", number=5)
        assert await poller.once() > 0
        assert await poller.once() > 0
        assert len(api.sent) == 1
        monkeypatch.undo()
        assert await poller.once() == 0 and len(api.sent) == 1


def away(offset: int) -> None:
    raise OperationalError("", {}, Exception("away"))


def answers_to(desk: Desk) -> list[tuple[str, str]]:
    with reading(desk.wiring.engine) as session:
        rows = session.exec(select(Command).where(col(Command.kind).in_(["APPROVE", "DECLINE"]))).all()
        return [(row.kind, str(row.payload["proposal_key"])) for row in rows]


async def test_an_entry_is_approved_from_its_own_message_with_a_one_time_code(desk: Desk) -> None:
    number = entry(desk, "미국 주식 1호")
    async with listening(desk) as (poller, api):
        await Notifier(desk.wiring.engine, desk.wiring.clock, poller._bot, (), "ko").deliver_pending()
        asking = next(form for form in api.sent if form["chat_id"] == str(ADMIN) and "AAPL" in form["text"])
        assert f"/approve {number}" in asking["reply_markup"] and f"/decline {number}" in asking["reply_markup"]
        api.presses(f"/approve {number}", number=1)
        await poller.once()
        assert answers_to(desk) == []
        api.presses(f"/confirm {code_in(api)}", number=2)
        await poller.once()
        assert answers_to(desk) == [("APPROVE", "signal:1")]
        api.says(f"/decline {number}", number=3)
        await poller.once()
        api.says(code_in(api), number=4)
        await poller.once()
        assert answers_to(desk) == [("APPROVE", "signal:1")], "the first answer counts"


async def test_real_money_is_approved_by_a_typed_code_and_a_viewer_approves_nothing(desk: Desk) -> None:
    number = entry(desk, "본계좌")
    async with listening(desk) as (poller, api):
        api.says(f"/approve {number}", who=VIEWER, number=1)
        await poller.once()
        api.says(code_in(api), who=VIEWER, number=2)
        await poller.once()
        assert answers_to(desk) == []
        api.says(f"/approve #{number}", number=3)
        await poller.once()
        assert "reply_markup" not in api.sent[-1]
        api.says(code_in(api), number=4)
        await poller.once()
        assert answers_to(desk) == [("APPROVE", "signal:1")]


async def test_an_entry_that_is_over_cannot_be_approved(desk: Desk) -> None:
    number = entry(desk, "미국 주식 1호", seconds=-1)
    async with listening(desk) as (poller, api):
        api.says(f"/approve {number}", number=1)
        api.says("/approvals", number=2)
        await poller.once()
        assert "✗" in api.sent[0]["text"] and "없습니다" in api.sent[1]["text"]


async def test_strangers_groups_and_old_messages_get_nothing(desk: Desk) -> None:
    async with listening(desk) as (poller, api):
        api.says("/status", who=999, number=1)
        api.says("/status", chat="group", number=2)
        api.says("/kill", age_s=61, number=3)
        await poller.once()
        assert api.sent == [] and level(desk) is KillLevel.RUN


async def test_a_dangerous_command_needs_its_code_once(desk: Desk) -> None:
    async with listening(desk) as (poller, api):
        api.says("/kill", number=1)
        await poller.once()
        assert level(desk) is KillLevel.RUN
        code = code_in(api)
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        api.says(wrong, number=2)
        await poller.once()
        assert level(desk) is KillLevel.RUN
        api.presses(f"/confirm {code}", number=3)
        await poller.once()
        assert level(desk) is KillLevel.HALT and api.pressed == ["q3"]
        api.presses(f"/confirm {code}", number=4)
        await poller.once()
        assert "코드가 지났습니다" in api.sent[-1]["text"]


async def test_somebody_elses_code_does_nothing(desk: Desk) -> None:
    async with listening(desk) as (poller, api):
        api.says("/kill", number=1)
        await poller.once()
        api.says(code_in(api), who=TRADER, number=2)
        await poller.once()
        assert level(desk) is KillLevel.RUN


@pytest.mark.parametrize(("who", "allowed"), [(ADMIN, True), (TRADER, False), (VIEWER, False)])
async def test_the_role_of_the_desk_decides(desk: Desk, who: int, allowed: bool) -> None:
    with writing(desk.wiring.engine) as session:
        now = desk.wiring.clock.wall_now()
        kill.set_level(session, now, account_id=None, level=KillLevel.NO_NEW, reason="", by="t")
    async with listening(desk) as (poller, api):
        api.says("/resume", who=who, number=1)
        await poller.once()
        api.says(code_in(api), who=who, number=2)
        await poller.once()
        assert (level(desk) is KillLevel.RUN) is allowed


async def test_flatten_becomes_one_command_of_the_bot(desk: Desk) -> None:
    async with listening(desk) as (poller, api):
        api.says(f"/flatten {desk.accounts['미국 주식 1호']}", number=1)
        await poller.once()
        assert "reply_markup" not in api.sent[-1]  # its code must be typed
        api.says(code_in(api), number=2)
        await poller.once()
        with reading(desk.wiring.engine) as session:
            found = session.exec(select(Command).where(Command.kind == "FLATTEN")).all()
        assert [(one.account_id, one.requested_by) for one in found] == [
            (desk.accounts["미국 주식 1호"], f"user:{desk.users[Role.ADMIN]}")
        ]


async def test_the_offset_survives_a_restart_and_nothing_is_answered_twice(desk: Desk) -> None:
    async with listening(desk) as (poller, api):
        api.says("/help", number=7)
        await poller.once()
        with reading(desk.wiring.engine) as session:
            assert heartbeats.fact(session, OFFSET) == "8"
        kept = list(api.updates)
        async with Bot(TOKEN, base_url=f"{api.url}/bot") as again:
            await Poller(desk.wiring, again, wait_s=0).once()
        assert kept and len(api.sent) == 1


async def test_another_poller_is_named_and_waited_for(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(desk) as (poller, api):
        api.polling = 1
        assert await poller.once() == 7
        assert "another program polls" in caplog.text and TOKEN not in caplog.text


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_every_event_renders_with_hostile_names_within_the_limits(kind: str, lang: str) -> None:
    hostile = '<b>&"</b>' * 600
    fields = set(re.findall(r"{(\w+)}", TEXTS[kind][0]))
    alert = Alert(kind=kind, severity="critical", dedup_key="k", params=dict.fromkeys(fields, hostile), count=2)
    text = messages.one(alert, hostile, lang)
    assert refused(text, "HTML") == "" and len(text) <= messages.LONGEST
    assert text.count("<b>") == 1
