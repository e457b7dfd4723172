"""Admin: the exchange's own door: ledger, accounts, clock, tape and faults, as JSON. Not part of any broker's wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from aiohttp import web

from brokers.paper.accounts import Account, ExEnv
from brokers.paper.clients import Cash, Lot
from brokers.paper.drills import DRILLS
from brokers.paper.exchange import Exchange
from brokers.paper.faults import BadFault, Fault
from brokers.paper.ledger import EventType
from brokers.paper.tape import open_source
from shared.domain.account import BrokerName, Market
from shared.domain.errors import NotFound, TradingError
from shared.domain.money import Currency

Json = dict[str, Any]
EXCHANGE = web.AppKey("exchange", Exchange)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ACTIONS = ("jump", "price", "halt", "resume", "vi", "split", "dividend")  # of one symbol
TAPE_FIELDS = {"source", "speed", "symbol", "market", "circuit_breaker", *ACTIONS}


def admin_app(exchange: Exchange) -> web.Application:
    admin = Admin(exchange)
    app = web.Application(middlewares=[_explain, _lasting])
    app[EXCHANGE] = exchange
    app.router.add_get("/healthz", admin.healthz)
    app.router.add_get("/ledger", admin.ledger)
    app.router.add_get("/accounts", admin.accounts)
    app.router.add_get("/accounts/{number}", admin.account)
    app.router.add_post("/accounts", admin.open_account)
    app.router.add_get("/clock", admin.clock)
    app.router.add_post("/tape", admin.tape)
    app.router.add_get("/served", admin.served)
    app.router.add_get("/drills", admin.drills)
    app.router.add_post("/faults", admin.add_fault)
    app.router.add_get("/faults", admin.faults)
    app.router.add_delete("/faults", admin.remove_faults)
    app.router.add_delete("/faults/{id:[0-9]+}", admin.remove_faults)
    return app


class _BadRequest(Exception):
    """The request cannot be understood: (why, now)."""


@web.middleware
async def _lasting(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What a request changed is on the disk before its answer leaves."""
    answer = await handler(request)
    await request.app[EXCHANGE].committed()
    return answer


@web.middleware
async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except _BadRequest as e:
        return _error(400, "bad_request", "the request cannot be used", *e.args)
    except BadFault as e:
        return _error(400, "bad_request", "the fault cannot be planned", str(e), "mend the request and send it again")
    except TradingError as e:
        return _error(404 if isinstance(e, NotFound) else 400, e.code, e.what, e.why, e.now)
    except web.HTTPException as e:
        paths = "see /healthz /ledger /accounts /clock /tape /faults /drills"
        return _error(e.status, "http", f"{request.method} {request.path} is not served", e.reason, paths)


def _error(status: int, code: str, what: str, why: str, now: str) -> web.Response:
    return _json({"error": {"code": code, "what": what, "why": why, "now": now}}, status)


def _json(body: Json, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json", charset="utf-8")


class Admin:
    """Answers from and acts on one exchange. `/healthz` exists only once the server has bound every port."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def healthz(self, request: web.Request) -> web.Response:
        return _json({"status": "ok", "profile": self._exchange.profile, "tape": self._exchange.tape.source.spec})

    async def ledger(self, request: web.Request) -> web.Response:
        """Every event after `after`; `account` in any spelling, `type` one of the event types."""
        query = request.query
        after, kind = query.get("after") or "0", query.get("type") or None
        if not after.isascii() or not after.isdigit():
            raise _BadRequest(f"after={after!r} is not a sequence number", "send the last seq you have, or nothing")
        if kind is not None and kind not in set(EventType):
            raise _BadRequest(f"type={kind!r} is not an event type", f"use one of {', '.join(EventType)}")
        wanted = query.get("account") or None
        numbers = None if wanted is None else tuple(a.number for a in self._accounts(wanted)) or (wanted,)
        events = self._exchange.ledger.events(int(after), numbers, kind)
        return _json({"seq": self._exchange.ledger.seq, "events": events})

    async def accounts(self, request: web.Request) -> web.Response:
        return _json({"accounts": [self._show_account(one) for one in self._exchange.accounts()]})

    async def account(self, request: web.Request) -> web.Response:
        """Cash and holdings. One number may exist on several sides: `broker` and `env` choose, else the first."""
        number, query = request.match_info["number"], request.query
        found = [
            one
            for one in self._accounts(number)
            if query.get("broker") in (None, one.broker) and query.get("env") in (None, one.env)
        ]
        if not found:
            raise NotFound(f"there is no account {number}", "it was neither registered nor used", "POST /accounts")
        return _json(self._show_account(found[0]))

    async def open_account(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            account = self._exchange.register(
                broker=BrokerName(str(body["broker"]).upper()),
                env=ExEnv(str(body["env"]).lower()),
                app_key=str(body["app_key"]),
                secret=str(body["secret"]),
                account=str(body["account"]),
                hts_id=str(body.get("hts_id") or ""),
                cash=None if body.get("cash") is None else _cash(body["cash"]),
                holdings=[self._holding(row) for row in body.get("holdings") or []],
            )
        except KeyError as e:
            raise _BadRequest(f"{e.args[0]} is missing", "send broker, env, app_key, secret and account") from e
        except (ValueError, InvalidOperation, AttributeError, TypeError) as e:
            raise _BadRequest(str(e), 'for example {"cash": {"USD": 1000}, "holdings": []}') from e
        return _json(self._show_account(account), 201)

    def _holding(self, row: Json) -> Lot:
        symbol, quantity = str(row["symbol"]), int(row["quantity"])
        if self._exchange.listing(symbol) is None or quantity < 0:
            raise ValueError(f"a holding of {quantity} {symbol} is not possible here")
        price = row.get("average_price") or row.get("price")
        return symbol, quantity, self._exchange.quote(symbol).price if price is None else Decimal(str(price))

    async def clock(self, request: web.Request) -> web.Response:
        clock = self._exchange.clock
        return _json(
            {
                "market": clock.market_now().isoformat(),
                "wall": clock.wall_now().isoformat(),
                "speed": clock.speed,
                "sessions": self._exchange.sessions.value,
                "next_auction": {market.value: _iso(self._exchange.next_auction(market)) for market in Market},
            }
        )

    async def tape(self, request: web.Request) -> web.Response:
        """{source, speed} begins another tape; {symbol, one action} does something to a symbol; {market,
        circuit_breaker: true|false} stops a whole market, or ends that.

        Actions: jump (percent) · price · halt · resume · vi (true: a volatility interruption) · split ("2:1": two for
        one) · dividend (per share).
        """
        body = await _body(request)
        if not body or set(body) - TAPE_FIELDS:
            raise _BadRequest(f"fields {sorted(body)}", f"use {', '.join(sorted(TAPE_FIELDS))}")
        if "source" in body:
            self._exchange.load_tape(open_source(str(body["source"])), float(_number(body, "speed", "1")))
        elif "symbol" in body and len(body) == 2 and set(body) & set(ACTIONS):
            self._act(str(body["symbol"]), body)
        elif set(body) == {"market", "circuit_breaker"} and body["market"] in set(Market):
            self._exchange.break_circuit(Market(body["market"]), bool(body["circuit_breaker"]))
        else:
            raise _BadRequest(
                "neither a source, nor a symbol with one action, nor a market",
                f"send {{symbol, {'|'.join(ACTIONS)}}} or {{market: {'|'.join(Market)}, circuit_breaker: true}}",
            )
        return await self.clock(request)

    def _act(self, symbol: str, body: Json) -> None:
        if "split" in body:
            self._exchange.split(symbol, *_ratio(str(body["split"])))
        elif "dividend" in body:
            amount = _number(body, "dividend", "0")
            if amount <= 0:
                raise _BadRequest(f"{amount} is not a dividend", "send what one share gets")
            self._exchange.pay_dividend(symbol, amount)
        elif "vi" in body:
            if body["vi"] is not True:
                raise _BadRequest("a VI ends by itself", 'send {"symbol": …, "vi": true}, or resume')
            self._exchange.interrupt(symbol)
        else:
            self._move(symbol, body)

    def _move(self, symbol: str, body: Json) -> None:
        if "jump" in body:
            change = _number(body, "jump", "0")
            if change <= -100:
                raise _BadRequest(f"a jump of {change} % leaves no price", "send percent: -5 is five percent down")
            self._exchange.move(symbol, price=self._exchange.tape.moving(symbol).price * (1 + change / 100))
        elif "price" in body:
            price = _number(body, "price", "0")
            if price <= 0:
                raise _BadRequest(f"{price} is not a price", "send a positive price")
            self._exchange.move(symbol, price=price)
        else:
            self._exchange.move(symbol, halted=bool(body["halt"]) if "halt" in body else not body.get("resume"))

    async def served(self, request: web.Request) -> web.Response:
        """How often each TR was called or pushed since the start: what a client has touched."""
        counted = sorted(self._exchange.faults.served.items())
        rows = [{"broker": broker, "env": env, "tr": tr, "count": count} for (broker, env, tr), count in counted]
        return _json({"served": rows})

    async def drills(self, request: web.Request) -> web.Response:
        """The fire drills: what each plants, does, and how it ends. A drill is started by POSTing its faults."""
        return _json({"drills": DRILLS})

    async def add_fault(self, request: web.Request) -> web.Response:
        return _json({"id": self._exchange.faults.add(await _body(request)).id}, 201)

    async def faults(self, request: web.Request) -> web.Response:
        return _json({"faults": [_show_fault(fault) for fault in self._exchange.faults.all()]})

    async def remove_faults(self, request: web.Request) -> web.Response:
        one = request.match_info.get("id")
        removed = self._exchange.faults.remove(None if one is None else int(one))
        if one is not None and not removed:
            raise NotFound(f"there is no fault {one}", "it was removed, or never planned", "GET /faults lists them")
        return _json({"removed": removed})

    def _accounts(self, text: str) -> list[Account]:
        """Accounts by number in any spelling; KIS also by the eight digits of the CANO."""
        digits = "".join(c for c in text if c.isdigit())
        return [
            one
            for one in self._exchange.accounts()
            if (plain := one.number.replace("-", "")) == digits or (len(digits) == 8 and plain[:8] == digits)
        ]

    def _show_account(self, account: Account) -> Json:
        views = {currency: self._exchange.cash(account, currency) for currency in Currency}
        holdings = [
            {
                "symbol": one.symbol,
                "quantity": one.quantity,
                "sellable": one.sellable,
                "average_price": format(one.average_price, "f"),
                "market": market.value,
            }
            for market in Market
            for one in self._exchange.holdings(account, market)
        ]
        return {
            "broker": account.broker.value,
            "env": account.env.value,
            "account": account.number,
            "hts_id": account.hts_id,
            "cash": {currency.value: format(view.total, "f") for currency, view in views.items()},
            "orderable": {currency.value: format(view.orderable, "f") for currency, view in views.items()},
            "settled": {currency.value: format(view.settled, "f") for currency, view in views.items()},
            "unsettled": {currency.value: format(view.unsettled, "f") for currency, view in views.items()},
            "holdings": holdings,
        }


def _cash(body: Json) -> Cash:
    cash = {Currency(name): Decimal(str(amount)) for name, amount in body.items()}
    if not all(amount.is_finite() and amount >= 0 for amount in cash.values()):
        raise ValueError("cash must be 0 or more")
    return cash


def _show_fault(fault: Fault) -> Json:
    return {
        "id": fault.id,
        "match": fault.match,
        "nth": fault.nth,
        "count": fault.count,
        "action": fault.action.value,
        "args": fault.args,
        "seen": fault.seen,
        "fired": fault.fired,
    }


async def _body(request: web.Request) -> Json:
    try:
        body = await request.json()
    except ValueError as e:
        raise _BadRequest("the body is not JSON", "send a JSON object") from e
    if not isinstance(body, dict):
        raise _BadRequest("the body is not an object", "send a JSON object")
    return body


def _ratio(text: str) -> tuple[int, int]:
    """Read "2:1" as two new shares for one old."""
    new, _, old = text.partition(":")
    if not (new.isascii() and new.isdigit() and old.isascii() and old.isdigit()) or not 0 < int(new) != int(old) > 0:
        raise _BadRequest(f"{text!r} is not a split", 'send "2:1" for two new shares for one old, "1:10" for a merger')
    return int(new), int(old)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _number(body: Json, name: str, default: str) -> Decimal:
    try:
        value = Decimal(str(body.get(name, default)))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise _BadRequest(f"{name}={body.get(name)!r} is not a number", f"send {name} as a number")
    return value
