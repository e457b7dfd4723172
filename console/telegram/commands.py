"""Telegram commands: what each answers. What changes anything asks back with a one-time code first."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from console.services import accounts, approvals, kill, orders, orders_at_once, overview
from console.services.permissions import Actor
from console.telegram import reads
from console.telegram.messages import clip, fitting
from console.telegram.reads import Reply, text_in
from console.wiring import Wiring
from shared.domain.account import Environment
from shared.domain.bot_state import KillLevel
from shared.domain.errors import NotFound, TradingError

__all__ = ["Asked", "Desk", "Reply"]

CODE_LIFE_S = 60.0
TRIES = 3
Deed = Callable[[Wiring, Actor, str], str]  # does it under the given key; returns what to say


@dataclass(frozen=True, slots=True)
class Asked:
    """One message: its text and a key that is the same when Telegram delivers it twice."""

    text: str
    key: str

    @property
    def words(self) -> list[str]:
        return self.text.split()


@dataclass(slots=True)
class _Pending:
    """A deed that waits for its code."""

    code: str
    until: float
    deed: Deed
    tries: int = 0


@dataclass(slots=True)
class Desk:
    """Answers commands; codes are kept in memory only: a restart forgets them."""

    wiring: Wiring
    pending: dict[int, _Pending] = field(default_factory=dict)  # user id → the deed that waits

    def answer(self, actor: Actor, asked: Asked) -> Reply:
        """The reply to one message; a refusal is a reply too."""
        words = asked.words
        name = words[0].lstrip("/").split("@")[0].lower() if words else "help"
        try:
            if name == "confirm" or name.isdigit():
                return self._confirm(actor, words[-1], asked.key)
            if name in _DEEDS:
                return self._ask_back(actor, name, words[1:])
            read = reads.READS.get(name, reads.help_)
            return read(self.wiring, actor, words[1:])
        except TradingError as error:
            lines = (
                f"✗ {clip(error.what, 800)}",
                clip(error.why, 1500),
                f"→ {clip(error.now, 600)}" if error.now else "",
            )
            return Reply(fitting([line for line in lines if line]))

    def _ask_back(self, actor: Actor, name: str, words: list[str]) -> Reply:
        said, deed, typed = _DEEDS[name](self.wiring, actor, words)
        code = f"{secrets.randbelow(10**6):06d}"
        self.pending[actor.user_id or 0] = _Pending(code, self.wiring.clock.monotonic() + CODE_LIFE_S, deed)
        ask = text_in(
            actor,
            f"60초 안에 코드를 보내야 실행됩니다: <code>{code}</code>",
            f"Send the code within 60 s to do it: <code>{code}</code>",
        )
        button = [] if typed else [(text_in(actor, "✔ 실행", "✔ Do it"), f"/confirm {code}")]
        return Reply(f"⚠️ {clip(said, 1500)}\n{ask}", buttons=button)

    def _confirm(self, actor: Actor, code: str, key: str) -> Reply:
        waiting = self.pending.get(actor.user_id or 0)
        if waiting is None or self.wiring.clock.monotonic() > waiting.until:
            self.pending.pop(actor.user_id or 0, None)
            return Reply(
                text_in(actor, "기다리는 명령이 없거나 코드가 지났습니다.", "Nothing waits, or the code is old.")
            )
        if not secrets.compare_digest(code.encode(), waiting.code.encode()):
            waiting.tries += 1
            if waiting.tries >= TRIES:
                del self.pending[actor.user_id or 0]
            return Reply(text_in(actor, "코드가 다릅니다. 실행하지 않았습니다.", "Wrong code. Nothing was done."))
        del self.pending[actor.user_id or 0]  # once, whatever comes of it
        return Reply(clip(waiting.deed(self.wiring, actor, key), 3000), buttons=reads.menu(actor, "accounts"))


Prepared = tuple[str, Deed, bool]  # what will be done, the deed, whether the code must be typed


def _pause(wiring: Wiring, actor: Actor, words: list[str]) -> Prepared:
    account, name = reads.account_or_all(wiring, actor, words)

    def deed(wired: Wiring, who: Actor, _key: str) -> str:
        kill.raise_level(wired, who, KillLevel.NO_NEW, account_id=account)
        return text_in(
            who, f"{name}: 새 진입을 멈췄습니다. 청산은 계속됩니다.", f"{name}: no new entries; exits go on."
        )

    return text_in(actor, f"{name}: 새 진입 멈춤", f"{name}: stop new entries"), deed, False


def _resume(wiring: Wiring, actor: Actor, words: list[str]) -> Prepared:
    account, name = reads.account_or_all(wiring, actor, words)

    def deed(wired: Wiring, who: Actor, _key: str) -> str:
        kill.lower_level(wired, who, KillLevel.RUN, reason="telegram /resume", account_id=account, by_code=True)
        return text_in(who, f"{name}: 거래를 다시 시작합니다.", f"{name}: trading again.")

    return text_in(actor, f"{name}: 긴급정지 해제", f"{name}: lower the kill switch"), deed, True


def _kill(wiring: Wiring, actor: Actor, words: list[str]) -> Prepared:
    account, name = reads.account_or_all(wiring, actor, words)

    def deed(wired: Wiring, who: Actor, _key: str) -> str:
        kill.raise_level(wired, who, KillLevel.HALT, account_id=account)
        return text_in(who, f"{name}: 전면 정지했습니다.", f"{name}: halted.")

    return text_in(actor, f"{name}: 전면 정지 (청산도 멈춤)", f"{name}: HALT, exits too"), deed, False


def _cancel(wiring: Wiring, actor: Actor, words: list[str]) -> Prepared:
    order = reads.number_in(words)
    if order is not None:

        def one(wired: Wiring, who: Actor, key: str) -> str:
            command = orders.request_cancel(wired, who, order, key=key)
            return text_in(who, f"주문 {order} 취소를 요청했습니다 (명령 {command.id}).", f"Asked to cancel {order}.")

        return text_in(actor, f"주문 {order} 취소", f"Cancel order {order}"), one, False
    account, name = reads.one_account(wiring, actor, words)

    def every(wired: Wiring, who: Actor, key: str) -> str:
        command = orders_at_once.cancel_all(wired, who, account, key=key)
        return text_in(who, f"{name}: 전체 취소 요청 (명령 {command.id}).", f"{name}: asked to cancel all.")

    return text_in(actor, f"{name}: 미체결 전체 취소", f"{name}: cancel every open order"), every, False


def _flatten(wiring: Wiring, actor: Actor, words: list[str]) -> Prepared:
    account, name = reads.one_account(wiring, actor, words)

    def deed(wired: Wiring, who: Actor, key: str) -> str:
        nickname = accounts.detail(wired, who, account).nickname
        command = orders_at_once.flatten(wired, who, account, key=key, confirm=nickname, reason="telegram /flatten")
        return text_in(who, f"{name}: 전량 정리 요청 (명령 {command.id}).", f"{name}: asked to flatten ({command.id}).")

    held = overview.overview(wiring, actor, only=account).lines[0].positions
    said = text_in(
        actor,
        f"{name}: 미체결을 모두 취소하고 보유 {held}종목을 시장가로 팔고 정지",
        f"{name}: cancel all, sell {held} holdings at market, halt",
    )
    return said, deed, True


def _approve(wiring: Wiring, actor: Actor, words: list[str]) -> Prepared:
    one = approvals.opened(wiring, actor, _number(actor, words))

    def deed(wired: Wiring, who: Actor, _key: str) -> str:
        command = approvals.approve(wired, who, one.id, confirm=one.account)
        return text_in(
            who, f"승인을 봇에 전했습니다 (명령 {command.id}).", f"The bot was told to send it ({command.id})."
        )

    said = f"{text_in(actor, '승인하고 주문', 'Approve and send')} #{one.id}: {reads.entry(actor, one)}"
    return said, deed, one.environment == Environment.LIVE


def _decline(wiring: Wiring, actor: Actor, words: list[str]) -> Prepared:
    one = approvals.opened(wiring, actor, _number(actor, words))

    def deed(wired: Wiring, who: Actor, _key: str) -> str:
        command = approvals.decline(wired, who, one.id)
        return text_in(
            who, f"거절을 봇에 전했습니다 (명령 {command.id}).", f"The bot was told to drop it ({command.id})."
        )

    return f"{text_in(actor, '거절', 'Decline')} #{one.id}: {reads.entry(actor, one)}", deed, False


def _number(actor: Actor, words: list[str]) -> int:
    found = reads.number_in(words)
    if found is not None:
        return found
    raise NotFound(text_in(actor, "어느 진입입니까?", "Which entry?"), "", "/approvals")


_DEEDS: dict[str, Callable[[Wiring, Actor, list[str]], Prepared]] = {
    "pause": _pause,
    "resume": _resume,
    "kill": _kill,
    "cancel": _cancel,
    "flatten": _flatten,
    "approve": _approve,
    "decline": _decline,
}
COMMANDS = tuple(sorted({*_DEEDS, *reads.READS}))
