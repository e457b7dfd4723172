"""What people ask of this bot, through the store: each claimed once, each with an outcome written back.

A command that was running when the bot died is UNKNOWN: what became of it is in the orders, it is never done again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from bots import outgoing
from bots.clearance import Clearance
from bots.desk import Desk
from bots.drift import DriftDesk
from bots.failpoints import reach
from bots.feed import Feed
from bots.orders import DeskOrder, JournalKind
from bots.own_orders import OwnOrders
from bots.portfolio import Portfolio
from bots.reconcile import Reconciler
from bots.risk.kill_switch import KillSwitch
from bots.trader import Trader
from bots.trading_hours import TradingHours
from brokers.contract import Broker
from shared.clock import Clock
from shared.db import Record
from shared.domain.account import Market
from shared.domain.bot_state import KillLevel
from shared.domain.errors import BrokerError, NotFound, OutcomeUnknown, TradingError
from shared.domain.instrument import Venue
from shared.domain.market import Timeframe
from shared.domain.order import OrderRequest, OrderSession, OrderType, Side, TimeInForce
from shared.domain.order_state import OrderEventKind, OrderStatus
from shared.domain.signal import Denied, Verdict
from shared.store.commands import CommandKind, CommandStatus

TRADES_TOLD = 10
MOST_BARS = 500  # of one command: its answer is a row of the store
FLATTEN_FACT = "flattening"  # survives a restart: what was begun is carried through
Result = dict[str, Any]
Outcome = tuple[CommandStatus, Result]


class Refusal(TradingError):
    """The command cannot be done; nothing was changed."""

    code = "refused"


@dataclass(slots=True)
class Commands:
    market: Market
    broker: Broker
    desk: Desk
    orders: OwnOrders
    portfolio: Portfolio
    feed: Feed
    trader: Trader
    clearance: Clearance
    reconciler: Reconciler
    kill_switch: KillSwitch
    hours: TradingHours
    clock: Clock
    picture: Callable[[], Result]  # the bot's own state, for SNAPSHOT
    learn: Callable[[str], Awaitable[None]]  # instrument facts and a fresh price of a symbol
    remember: Callable[[str, str], Awaitable[None]]  # a fact of the journal
    drift: DriftDesk
    raise_kill: Callable[[KillLevel, str], Awaitable[None]]  # in the store, where an Admin can lower it
    flattening: bool = False
    run_job: Callable[[str], Awaitable[str]] | None = None  # a job of the schedule, now

    async def run(self, command: Record) -> Outcome:
        """Do one claimed command; a refusal is an outcome, not an error."""
        try:
            kind = CommandKind(command.kind)
            result = await self._doors()[kind](command.payload)
        except OutcomeUnknown as e:
            return CommandStatus.UNKNOWN, error_result(e)
        except TradingError as e:
            return CommandStatus.FAILED, error_result(e)
        except (KeyError, TypeError, ValueError, InvalidOperation) as e:
            return CommandStatus.FAILED, error_result(
                Refusal("명령을 읽을 수 없습니다", repr(e), "다시 요청하십시오", "bad_command")
            )
        unknown = result.get("status") == OrderStatus.UNKNOWN
        return CommandStatus.UNKNOWN if unknown else CommandStatus.DONE, result

    def _doors(self) -> dict[CommandKind, Callable[[Result], Awaitable[Result]]]:
        return {
            CommandKind.TEST_KEY: self._test_key,
            CommandKind.PLACE_ORDER: self._place,
            CommandKind.PREVIEW_ORDER: self._preview,
            CommandKind.CANCEL_ORDER: self._cancel,
            CommandKind.AMEND_ORDER: self._amend,
            CommandKind.CLOSE_POSITION: self._close,
            CommandKind.CANCEL_ALL: self._cancel_all,
            CommandKind.FLATTEN: self._flatten,
            CommandKind.SNAPSHOT: self._snapshot,
            CommandKind.DRY_EVALUATE: self._dry_evaluate,
            CommandKind.RESOLVE_ORDER: self._resolve,
            CommandKind.LIFT_SYMBOL: self._lift,
            CommandKind.GET_BARS: self._bars,
            CommandKind.ACCEPT_HOLDING: self._accept_holding,
            CommandKind.PROPOSE: self._propose,
            CommandKind.APPROVE: self._approve,
            CommandKind.DECLINE: self._decline,
            CommandKind.RUN_JOB: self._run_job,
        }

    async def _run_job(self, payload: Result) -> Result:
        assert self.run_job is not None
        return {"job": payload["job"], "note": await self.run_job(str(payload["job"]))}

    async def _test_key(self, payload: Result) -> Result:
        return await prove_key(self.broker)

    async def _place(self, payload: Result) -> Result:
        """The id comes with the command, so that the journal refuses the same click a second time."""
        return await self._cleared(await self._request(payload))

    async def _preview(self, payload: Result) -> Result:
        """What would become of an order now: the guards' word, the book, what may be bought and sold. Sends nothing."""
        request = await self._request(payload)
        outcome = self.clearance.check(request)
        denied = {"code": outcome.code, "text": outcome.text} if isinstance(outcome, Denied) else None
        quote = self.feed.quotes.get(request.symbol)
        at_price = request.price or self.feed.price(request.symbol)
        instrument = self.clearance.instruments[request.symbol]
        return {
            "symbol": request.symbol, "name": instrument.name, "name_en": instrument.name_en, "type": instrument.type,
            "board": instrument.board, "denied": denied, "last": _text(self.feed.price(request.symbol)),
            "lower_limit": _text(quote.lower_limit) if quote else None,
            "upper_limit": _text(quote.upper_limit) if quote else None,
            "sellable": self.portfolio.free_to_sell(request.symbol),
            **await self._affordable(request, at_price), **await self._book(request.symbol, request.venue),
            "trades": await self._trades(request.symbol, request.venue),
            "at": self.clock.wall_now().isoformat(),
        }  # fmt: skip

    async def _affordable(self, request: OrderRequest, price: Decimal | None) -> Result:
        """The broker's own arithmetic; null where it does not answer."""
        if price is None:
            return {"buying_power": None, "buyable": None}
        try:
            amount, shares = await self.broker.get_buying_power(request.symbol, price)
        except BrokerError:
            return {"buying_power": None, "buyable": None}
        return {"buying_power": _text(amount), "buyable": shares}

    async def _book(self, symbol: str, venue: Venue) -> Result:
        try:
            book = await self.broker.get_order_book(symbol, venue=venue)
        except BrokerError:
            return {"bids": [], "asks": []}
        return {
            "bids": [[_text(one.price), one.quantity] for one in book.bids[:10]],
            "asks": [[_text(one.price), one.quantity] for one in book.asks[:10]],
        }

    async def _trades(self, symbol: str, venue: Venue) -> list[list[str | int]]:
        """The market's last trades, newest first: time, price, shares; none where the broker does not tell."""
        try:
            found = await self.broker.get_trades(symbol, TRADES_TOLD, venue=venue)
        except BrokerError:
            return []
        return [[one.at.isoformat(), format(one.price, "f"), one.quantity] for one in found]

    async def _request(self, payload: Result) -> OrderRequest:
        price, venue = payload.get("price"), payload.get("venue")
        symbol = str(payload["symbol"])
        await self.learn(symbol)
        instrument = self.clearance.instruments[symbol]
        return OrderRequest(
            symbol=symbol, side=Side(payload["side"]), quantity=_whole(payload["quantity"]),
            price=None if price is None else Decimal(str(price)),
            venue=instrument.venue if venue is None else Venue(venue), currency=instrument.currency,
            client_order_id=str(payload.get("client_order_id") or self.orders.next_id()),
            order_type=OrderType(payload.get("order_type", OrderType.LIMIT)),
            time_in_force=TimeInForce(payload.get("time_in_force", TimeInForce.DAY)),
            reduces=payload.get("reduces") is True, reason=str(payload.get("reason") or "사람이 낸 주문"),
            session=OrderSession(payload.get("session") or OrderSession.REGULAR),
        )  # fmt: skip

    async def _close(self, payload: Result) -> Result:
        symbol = str(payload["symbol"])
        free = self.portfolio.free_to_sell(symbol) or 0
        asked = payload.get("quantity")
        quantity = free if asked is None else _whole(asked)
        if quantity <= 0:
            raise Refusal("팔 수 있는 주식이 없습니다", symbol, "잔고와 미체결 매도를 확인하십시오", "sellable")
        return await self._sell_at_market(symbol, quantity, "사람이 청산")

    async def _sell_at_market(self, symbol: str, quantity: int, why: str) -> Result:
        await self.learn(symbol)
        instrument = self.clearance.instruments[symbol]
        request = OrderRequest(
            symbol=symbol, side=Side.SELL, quantity=quantity, price=None, venue=instrument.venue,
            currency=instrument.currency, client_order_id=self.orders.next_id(), order_type=OrderType.MARKET,
            reduces=True, reason=why,
        )  # fmt: skip
        return await self._cleared(request)

    async def _cleared(self, request: OrderRequest) -> Result:
        """Guards, then the desk, in one step of the loop."""
        outcome = self.clearance.check(request)
        if isinstance(outcome, Denied):
            raise Refusal("주문을 내지 않았습니다", outcome.text, _advice(outcome.code), outcome.code)
        order = await self.desk.place(request, self.hours.trade_date(self.clock.market_now()))
        return _told(order)

    async def _cancel(self, payload: Result) -> Result:
        return _told(await self.desk.cancel(str(payload["client_order_id"]), "사람이 취소"))

    async def _amend(self, payload: Result) -> Result:
        order_id, price = str(payload["client_order_id"]), Decimal(str(payload["price"]))
        known, asked = self.orders.get(order_id), payload.get("quantity")
        quantity = _whole(asked) if asked is not None else known.leaves if known is not None else 0
        order = await self.desk.amend(order_id, quantity, price, "사람이 정정")
        return _told(order)

    async def _cancel_all(self, payload: Result) -> Result:
        return {"asked": await self.cancel_all("전체 취소")}

    async def cancel_all(self, why: str) -> list[str]:
        """Ask to cancel every open order that has a broker number; returns their ids."""
        asked: list[str] = []
        for order in self.orders.open():
            if not order.may_be_canceled:
                continue
            try:
                await self.desk.cancel(order.id, why)
                asked.append(order.id)
            except BrokerError:
                continue  # it ended meanwhile; the list tells
            reach("during_cancel_all")
        return asked

    async def _flatten(self, payload: Result) -> Result:
        """REDUCE_ONLY until flat, then HALT (design.md §5); `tend_flatten` carries it through."""
        await self.raise_kill(KillLevel.REDUCE_ONLY, "FLATTEN")
        await self._set_flattening(True)
        asked = await self.cancel_all("전량 정리")
        await self.tend_flatten()
        return {"canceled": asked, "left": sorted(self.portfolio.symbols())}

    async def tend_flatten(self) -> None:
        """Sell what is left once nothing of it is on offer; halt when flat; give up when an Admin lowers the switch."""
        if not self.flattening:
            return
        if self.kill_switch.level() < KillLevel.REDUCE_ONLY:
            await self._set_flattening(False)
            return
        if not self.portfolio.symbols() and not self.orders.open():
            await self.raise_kill(KillLevel.HALT, "FLATTEN 완료")
            await self._set_flattening(False)
            return
        for symbol in sorted(self.portfolio.symbols()):
            free = self.portfolio.free_to_sell(symbol) or 0
            if free > 0:
                try:
                    await self._sell_at_market(symbol, free, "전량 정리")
                except TradingError:
                    continue  # asked again at the next turn

    async def _set_flattening(self, on: bool) -> None:
        self.flattening = on
        await self.remember(FLATTEN_FACT, "1" if on else "")

    async def _snapshot(self, payload: Result) -> Result:
        orders = [_told(order) for order in self.orders.open()]
        held = {one.symbol: one.quantity for one in self.portfolio.positions()}
        lots = [
            {"rule_id": lot.rule_id, "symbol": lot.symbol, "quantity": lot.quantity, "version_id": lot.version_id}
            for lot in self.orders.lots.all()
        ]
        return {**self.picture(), "open_orders": orders, "positions": held, "lots": lots, "frozen": self.orders.stopped}

    async def _dry_evaluate(self, payload: Result) -> Result:
        rule_id = _whole(payload["rule_id"])
        config = self.trader.rules.get(rule_id)
        if config is None:
            raise NotFound(
                f"규칙 {rule_id}이(가) 이 계좌에서 돌고 있지 않습니다", "", "규칙을 켜고 다시 하십시오", "no_rule"
            )
        decisions = []
        for symbol in config.symbols:
            decision = self.trader.decide((rule_id, symbol), bar_closed=False)
            if decision is not None:
                decisions.append(
                    {"symbol": symbol, "verdict": decision.verdict, "reason": decision.reason}
                    | {"steps": outgoing.steps(decision)}
                )
        return {"decisions": decisions}

    async def _propose(self, payload: Result) -> Result:
        """An outside signal stands where a rule's own conditions would: sizing, guards and desk are the same."""
        rule_id, symbol, verdict = _whole(payload["rule_id"]), str(payload["symbol"]), Verdict(payload["verdict"])
        denied = await self.trader.propose(rule_id, symbol, verdict, str(payload["key"]))
        if denied is not None and denied.code == "waits_for_approval":
            return {"proposed": verdict.value, "waits": denied.text}
        if denied is not None:
            raise Refusal("제안대로 주문하지 않았습니다", denied.text, "규칙과 한도를 확인하십시오", denied.code)
        return {"proposed": verdict.value, "orders": self._of_signal(str(payload["key"]))}

    async def _approve(self, payload: Result) -> Result:
        key = str(payload["proposal_key"])
        denied = await self.trader.approvals.approve(key, str(payload["by"]))
        if denied is not None:
            raise Refusal(
                "승인했지만 주문하지 않았습니다", denied.text, "사유를 보고 한도나 규칙을 고치십시오", denied.code
            )
        return {"orders": self._of_signal(key)}

    async def _decline(self, payload: Result) -> Result:
        await self.trader.approvals.decline(str(payload["proposal_key"]), str(payload["by"]))
        return {"declined": True}

    def _of_signal(self, key: str) -> list[Result]:
        return [_told(one) for one in self.orders.all() if one.request.signal_key == key]

    async def _resolve(self, payload: Result) -> Result:
        """A person decides about an order whose outcome could not be proven."""
        order = self.orders.get(str(payload["client_order_id"]))
        if order is None or order.status not in (OrderStatus.UNKNOWN, OrderStatus.NEEDS_OPERATOR):
            raise Refusal(
                "판단할 주문이 아닙니다", "결과가 이미 확인된 주문입니다", "주문 목록을 새로 고치십시오", "no_order"
            )
        number = payload.get("broker_order_id")
        if number is None:
            kind = JournalKind.NOT_ACCEPTED
            return _told(
                await self.orders.apply(order.id, OrderEventKind.PROVE_ABSENT, kind, "사람이 판단", note="미접수")
            )
        row = await self.reconciler.unowned(order, str(number))
        if row is None:
            raise Refusal(
                "그 주문번호가 없습니다",
                f"증권사 목록에 주인 없는 {number}번이 {order.trade_date:%m-%d}에 없습니다",
                "번호를 확인하십시오",
                "no_order",
            )
        if (row.symbol, row.side, row.quantity) != (order.symbol, order.side, order.quantity):
            raise Refusal(
                "그 주문일 수 없습니다",
                f"{number}번은 {row.symbol} {row.side} {row.quantity}주, 이 주문은 {order.symbol} {order.side} {order.quantity}주",
                "증권사 앱에서 종목, 방향, 수량이 같은 주문의 번호를 넣으십시오",
                "another_order",
            )
        return _told(await self.reconciler.adopt(order.id, row, "사람이 판단"))

    async def _bars(self, payload: Result) -> Result:
        """Past bars of the broker for a backtest, oldest first; the account's key asks, so its own bot does."""
        until, timeframe = payload.get("until"), Timeframe(payload["timeframe"])
        bars = await self.broker.get_bars(
            str(payload["symbol"]), timeframe, min(_whole(payload["count"]), MOST_BARS),
            until=None if until is None else datetime.fromisoformat(until),
            venue=None if payload.get("venue") is None else Venue(payload["venue"]),
        )  # fmt: skip
        rows = [
            [
                one.start.isoformat(),
                *(format(price, "f") for price in (one.open, one.high, one.low, one.close)),
                one.volume,
            ]
            for one in bars
            if one.closed
        ]
        return {"bars": rows, "fetched_at": self.clock.wall_now().isoformat()}

    async def _accept_holding(self, payload: Result) -> Result:
        symbol, rule_id, shares = str(payload["symbol"]), payload.get("rule_id"), payload.get("shares")
        if payload.get("rescale"):
            return await self.drift.rescale(symbol)
        if shares:
            return await self.drift.split(symbol, {_whole(rule): _whole(number) for rule, number in shares.items()})
        return await (self.drift.leave(symbol) if rule_id is None else self.drift.adopt(symbol, _whole(rule_id)))

    async def _lift(self, payload: Result) -> Result:
        symbol = str(payload["symbol"])
        await self.orders.lift_symbol(symbol)
        return {"symbol": symbol, "frozen": self.orders.stopped.get(symbol)}


async def prove_key(broker: Broker) -> Result:
    """The answer to TEST_KEY: a read that only the account's own key may make. Raises BrokerError."""
    cash = await broker.get_cash()
    return {"currency": cash.currency, "buying_power": _text(cash.buying_power), "as_of": cash.as_of.isoformat()}


def _told(order: DeskOrder) -> Result:
    return {
        "client_order_id": order.id, "broker_order_id": order.broker_order_id, "status": order.status.value,
        "symbol": order.symbol, "side": order.side.value, "quantity": order.quantity, "price": _text(order.price),
        "filled_quantity": order.filled_quantity, "note": order.note,
    }  # fmt: skip


def error_result(error: TradingError) -> Result:
    return {"error": {"code": error.code, "what": error.what, "why": error.why, "now": error.now}}


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"not a whole number: {value!r}")
    return int(value)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _advice(code: str) -> str:
    """What to do about a guard's refusal; a bot that refuses nobody does not carry the words."""
    from shared.wording.denials import NOW

    return NOW[code][0] if code in NOW else "한도와 상태를 확인하십시오"
