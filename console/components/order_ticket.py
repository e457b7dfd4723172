"""An order by hand: book beside the form, click a price, most shares, what it costs, what the guards say; then one verb."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import streamlit as st

from console.components import confirm
from console.components.commands import life
from console.components.figures import UNKNOWN, Html, age, amount, environment_badge, join, mark, price, span
from console.components.frame import in_words, lang, me, t, wiring
from console.components.table import Column, facts, note, table
from console.services import accounts, manual_orders, market_clock, tickets
from console.services.accounts import new_key
from console.services.manual_orders import Ticket
from console.services.tickets import Level, Preview
from shared.domain.account import BrokerName, Environment, Market
from shared.domain.errors import TradingError
from shared.domain.order import OrderType, Side
from shared.domain.trading_days import ZONES
from shared.models import BrokerageAccount
from shared.store.commands import OPEN_COMMANDS
from shared.words import reason_text

_TYPES = (OrderType.LIMIT, OrderType.MARKET)
_ASKED, _PREVIEW = "ticket_asked", "ticket_preview"
_FIELDS = ("ticket_symbol", "ticket_side", "ticket_price", "ticket_quantity", "ticket_type", "ticket_confirm")


def open_ticket(account_id: int, symbol: str = "", side: Side = Side.BUY, at: Decimal | None = None) -> None:
    """Begin an order; its key is made now, so that a click that comes twice is one order."""
    if not account_id:
        return
    for name in (*_FIELDS, _ASKED, _PREVIEW):
        st.session_state.pop(name, None)
    st.session_state["ticket_symbol"], st.session_state["ticket_side"] = symbol, side
    st.session_state["ticket_price"] = "" if at is None else f"{at:f}"
    confirm.open_dialog("ticket", account_id=account_id, key=new_key())


def order_ticket() -> None:
    """Draw the open ticket, if any."""
    values = confirm.opened("ticket")
    if values is not None:
        st.dialog(t("ticket.title"), width="large", on_dismiss=confirm.close)(_ticket)(**values)


def _ticket(account_id: int, key: str) -> None:
    actor, desk = me(), wiring()
    row = accounts.detail(desk, actor, account_id)
    market = Market(row.market)
    st.html(join(Html("<strong>"), row.nickname, Html("</strong> "), environment_badge(row.environment, lang())))
    if row.environment == Environment.LIVE:
        st.warning(t("account.start_live"), icon=":material/warning:")
    form, book = st.columns([3, 2], gap="medium")
    with form:
        ticket = _form(market)
    known = _answer(account_id, ticket)
    with book:
        _book(market, known)
    if ticket is None:
        note(t("ticket.incomplete"))
    else:
        _figures(row, ticket, known)
        _send(row, ticket, known, key)
    confirm.cancel_button()


def _form(market: Market) -> Ticket | None:
    """The fields; None while they make no order yet."""
    one, two = st.columns(2)
    one.segmented_control(
        t("col.side"), list(Side), required=True, key="ticket_side", format_func=lambda one: t(f"side.{one}")
    )
    two.segmented_control(
        t("ticket.type"),
        _TYPES,
        default=OrderType.LIMIT,
        required=True,
        key="ticket_type",
        format_func=lambda one: t(f"type.{one}"),
    )
    symbol = st.text_input(t("col.symbol"), key="ticket_symbol", max_chars=16).strip().upper()
    kind = OrderType(st.session_state["ticket_type"] or OrderType.LIMIT)
    three, four = st.columns(2)
    typed = three.text_input(
        f"{t('col.price')} ({market.currency})", key="ticket_price", max_chars=20, disabled=kind is OrderType.MARKET
    )
    quantity = four.number_input(t("col.quantity"), 0, 10_000_000, 0, key="ticket_quantity")
    at = None if kind is OrderType.MARKET else typed_price(typed)
    if not symbol or quantity < 1 or (kind is OrderType.LIMIT and at is None):
        return None
    return Ticket(symbol, Side(st.session_state["ticket_side"]), int(quantity), at, kind, reason=t("ticket.reason"))


def typed_price(typed: str) -> Decimal | None:
    """A positive number as people write it, or None."""
    try:
        found = Decimal(typed.replace(",", "").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() and found > 0 else None


def _answer(account_id: int, ticket: Ticket | None) -> Preview | None:
    """Ask the bot on demand; the last answer stays until the next."""
    symbol = str(st.session_state.get("ticket_symbol", "")).strip().upper()
    if st.button(
        t("ticket.ask"), key="ticket_ask", icon=":material/troubleshoot:", disabled=not symbol, width="stretch"
    ):
        wanted = ticket or Ticket(symbol, Side(st.session_state["ticket_side"]), 1, None, OrderType.MARKET)
        _ask(account_id, wanted)
    asked = st.session_state.get(_ASKED)
    if asked is not None:
        _wait(asked)
    known = st.session_state.get(_PREVIEW)
    return known if known is not None and known.symbol == symbol else None


def _ask(account_id: int, ticket: Ticket) -> None:
    actor, desk = me(), wiring()
    try:
        st.session_state[_ASKED] = manual_orders.preview(desk, actor, account_id, ticket, key=new_key()).id
    except TradingError as refusal:
        confirm.show(refusal)


@st.fragment(run_every=0.5)
def _wait(command_id: int) -> None:
    """Until the bot has answered; then the dialog is drawn once more and this panel is gone."""
    command = manual_orders.answer(wiring(), me(), command_id)
    if command.status in OPEN_COMMANDS:
        note(t("ticket.asking"))
        return
    if st.session_state.get(_ASKED) != command_id:
        return
    found = tickets.preview_of(command)
    if found is not None:
        st.session_state[_PREVIEW] = found
        st.session_state[_ASKED] = None
        st.rerun()
    error = (command.result or {}).get("error") or {}
    told = in_words(str(error.get("what") or "")) or t("ticket.no_answer")
    st.warning(confirm.plain(told), icon=":material/help:")


def _book(market: Market, known: Preview | None) -> None:
    """Best asks on top, bids below; a click takes the price into the form."""
    if known is None:
        note(t("ticket.no_book"))
        return
    called = (known.name_en if lang() == "en" else "") or known.name
    st.markdown(f"**{confirm.plain(known.symbol)}** {confirm.plain(called)}")
    if known.bids or known.asks:
        levels = [(level, "ask") for level in reversed(known.asks[:5])] + [(level, "bid") for level in known.bids[:5]]
    elif known.last is not None:
        today = market_clock.today(wiring().clock.wall_now(), market)
        levels = [(level, "step") for level in tickets.ladder(market, known.last, today, 3)]
        note(t("ticket.no_depth"))
    else:
        levels = []
    for number, (level, kind) in enumerate(levels):
        _level(number, level, kind, market)
    if known.trades:
        zone, currency = ZONES[market], market.currency.value
        told = (
            f"{one.at.astimezone(zone):%H:%M:%S} {price(one.price, currency)} × {one.quantity:,}"
            for one in known.trades[:5]
        )
        note(f"{t('ticket.trades')}: {' · '.join(told)}")
    note(f"{t('col.age')} {age(known.at, wiring().clock.wall_now(), lang())}")


def _level(number: int, level: Level, kind: str, market: Market) -> None:
    amount_told = "" if level.quantity is None else f"  ·  {level.quantity:,}"
    side = {"ask": t("ticket.asked"), "bid": t("ticket.bid"), "step": ""}[kind]
    st.button(
        f"{side} {price(level.price, market.currency.value)}{amount_told}".replace("$", "\\$"),
        key=f"ticket_level_{number}",
        width="stretch",
        type="tertiary",
        on_click=_take_price,
        args=(level.price,),
    )


def _take_price(chosen: Decimal) -> None:
    st.session_state["ticket_price"] = f"{chosen:f}"
    st.session_state["ticket_type"] = OrderType.LIMIT


def _take_quantity(chosen: int) -> None:
    st.session_state["ticket_quantity"] = chosen


def _figures(row: BrokerageAccount, ticket: Ticket, known: Preview | None) -> None:
    market, currency = Market(row.market), Market(row.market).currency.value
    most = None if known is None else (known.buyable if ticket.side is Side.BUY else known.sellable)
    if most:
        st.button(
            t("ticket.most", n=f"{most:,}"), key="ticket_most", on_click=_take_quantity, args=(most,), width="stretch"
        )
    at = ticket.price or (known.last if known else None)
    shown: list[tuple[object, object]] = [
        (t("ticket.buying_power"), amount(known.buying_power if known else None, currency)),
        (t("position.sellable", n=""), UNKNOWN if known is None or known.sellable is None else f"{known.sellable:,}"),
    ]
    if at is not None:
        today = market_clock.today(wiring().clock.wall_now(), market)
        told = tickets.cost(BrokerName(row.broker), market, ticket.side, ticket.quantity, at, today)
        shown += [
            (t("ticket.amount"), amount(told.amount, currency)),
            (t("ticket.cost"), amount(told.commission + told.tax, currency)),
        ]
    facts(shown, name="ticket")
    if ticket.price is not None:
        today = market_clock.today(wiring().clock.wall_now(), market)
        rounded, tick = tickets.on_grid(market, ticket.price, ticket.side, today, known)
        if rounded != ticket.price:
            note(t("ticket.rounded", tick=f"{tick:f}", price=price(rounded, currency)))
    _guards(ticket, known)


def _guards(ticket: Ticket, known: Preview | None) -> None:
    if known is None or not _same(ticket, known):
        note(t("ticket.not_previewed"))
    elif known.denied:
        told = reason_text(known.denied, lang(), known.denied_text)
        st.html(join(mark("act", t("ticket.denied", reason=told)), span("lt-sub", in_words(known.denied_text))))
    else:
        st.html(mark("fine", t("ticket.allowed")))


def _same(ticket: Ticket, known: Preview) -> bool:
    """Whether the answer is about this very ticket."""
    asked = known.asked
    same = (asked.get("symbol"), asked.get("side"), asked.get("quantity")) == (
        ticket.symbol,
        ticket.side.value,
        ticket.quantity,
    )
    return same and asked.get("price") == (None if ticket.price is None else f"{ticket.price:f}")


def _send(row: BrokerageAccount, ticket: Ticket, known: Preview | None, key: str) -> None:
    desk, market = wiring(), Market(row.market)
    at = ticket.price
    if at is not None:
        at, _ = tickets.on_grid(market, at, ticket.side, market_clock.today(desk.clock.wall_now(), market), known)
    typed = ""
    if row.environment == Environment.LIVE:
        typed = st.text_input(t("field.confirm_name"), key="ticket_confirm", live=True, autocomplete="off")
    stopped = known is not None and _same(ticket, known) and bool(known.denied)
    ready = not stopped and (row.environment != Environment.LIVE or typed == row.nickname)
    told = price(at, market.currency.value) if at is not None else t("type.MARKET")
    verb = f"{ticket.symbol} {ticket.quantity:,} · {told} · {t(f'side.{ticket.side}')}".replace("$", "\\$")
    if st.button(verb, key="ticket_send", type="primary", width="stretch", disabled=not ready):
        final = Ticket(ticket.symbol, ticket.side, ticket.quantity, at, ticket.order_type, reason=ticket.reason)
        confirm.in_dialog(lambda: _place(row, final, key, typed), t("ticket.asked_toast"))


def _place(row: BrokerageAccount, ticket: Ticket, key: str, typed: str) -> None:
    command = manual_orders.place(wiring(), me(), row.id or 0, ticket, key=key, confirm=typed)
    follow(command.id)


def follow(command_id: int | None) -> None:
    """Show on this page how far the request is."""
    st.session_state["followed"] = command_id


@st.fragment(run_every=1)
def followed() -> None:
    """The last request of this person on screen: 요청됨 → 접수 → 실행중 → 완료 or 실패, with the bot's reason."""
    command_id = st.session_state.get("followed")
    if command_id is None:
        return
    command = manual_orders.answer(wiring(), me(), command_id)
    tone = {"DONE": "fine", "FAILED": "act", "UNKNOWN": "act", "EXPIRED": "watch"}.get(command.status, "off")
    error = (command.result or {}).get("error") or {}
    said = " · ".join(in_words(str(error[name])) for name in ("what", "why", "now") if error.get(name))
    if command.status == "EXPIRED":
        said = t("ticket.expired")
    columns = [Column(t("command.what")), Column(t("col.status")), Column(t("command.result"), wide=True)]
    status = (command.result or {}).get("status")
    told = said or (t(f"order.{status}") if status else UNKNOWN)
    table(
        columns,
        [
            [
                t(f"command.{command.kind}"),
                join(mark(tone, t(f"command.{command.status}")), span("lt-sub", life(command))),
                told,
            ]
        ],
        name="followed",
        empty="",
    )
