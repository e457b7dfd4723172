"""Each guard refuses what it is for, by its code, and lets the rest pass; a limit that is not set refuses."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import trading_hours
from bots.risk.guards import GUARDS, check
from bots.risk.snapshot import Elsewhere, Limits, Snapshot
from shared.config import ROOT
from shared.domain.bot_state import BotState, KillLevel
from shared.domain.denials import DENIALS, LIMIT_DENIALS
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import OrderRequest, OrderType, Side
from shared.domain.sessions import SessionState
from shared.domain.signal import Allowed, Denied
from shared.told import told
from shared.words import reason_text
from tests.fakes import START

LIMITS = Limits(
    max_order_amount=Decimal(5000), max_symbol_amount=Decimal(8000), max_daily_buy=Decimal(10000),
    max_daily_loss=Decimal(500), max_trades_per_day=20, rule_max_shares=100, max_owner_amount=Decimal(11000),
    first_day_amount=Decimal(1200),
)  # fmt: skip
GOOD = Snapshot(
    now=START, kill_level=KillLevel.RUN, bot_state=BotState.READY, fenced=None, session=None, last=Decimal(100),
    last_age_s=1.0, from_fallback=False, tick=Decimal("0.01"), lower_limit=None, upper_limit=None,
    reserve_price=Decimal(106), store_away_s=0.0, buying_power=Decimal(20000), free_to_sell=50,
    open_buy_amount=Decimal(0), held_amount=Decimal(0), rule_shares=0, day_bought=Decimal(0), day_pnl=Decimal(0),
    day_orders=0, in_flight=False, frozen=None, signal_used=False, failures=0, failures_left_s=0.0,
    cooldown_left_s=0.0, crossing=None, account_currency=Currency.USD,
)  # fmt: skip


def buy(**changes: Any) -> OrderRequest:
    given = OrderRequest(
        symbol="AAPL", side=Side.BUY, quantity=10, price=Decimal("100.00"), venue=Venue.NASDAQ,
        currency=Currency.USD, client_order_id="1", rule_id=1,
    )  # fmt: skip
    return replace(given, **changes)


def sell(**changes: Any) -> OrderRequest:
    return buy(side=Side.SELL, reduces=True, **changes)


ENTRY_REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("fenced", {"fenced": "다른 봇"}),
    ("kill_halt", {"kill_level": KillLevel.HALT}),
    ("kill_no_new", {"kill_level": KillLevel.NO_NEW}),
    ("kill_no_new", {"kill_level": KillLevel.REDUCE_ONLY}),
    ("bot_state", {"bot_state": BotState.EXITS_ONLY}),
    ("bot_state", {"bot_state": BotState.BLOCKED}),
    ("session", {"session": "장 상태 CLOSED"}),
    ("frozen", {"frozen": "확인중"}),
    ("in_flight", {"in_flight": True}),
    ("duplicate_signal", {"signal_used": True}),
    ("stale_data", {"last_age_s": 15.1}),
    ("stale_data", {"last_age_s": None}),
    ("fallback_data", {"from_fallback": True}),
    ("store_away", {"store_away_s": 301.0}),
    ("instrument_unknown", {"tick": None}),
    ("tick", {"tick": Decimal("0.03")}),
    ("price_limit", {"upper_limit": Decimal(99)}),
    ("price_limit", {"lower_limit": Decimal(101)}),
    ("no_price", {"last": None}),
    ("collar", {"last": Decimal(96)}),
    ("max_position", {"rule_shares": 91}),
    ("max_symbol_amount", {"held_amount": Decimal(7001)}),
    ("max_symbol_amount", {"open_buy_amount": Decimal(7001)}),
    ("cash", {"buying_power": Decimal(1004)}),
    ("cash_unknown", {"buying_power": None}),
    ("max_daily_buy", {"day_bought": Decimal(9001)}),
    ("max_daily_loss", {"day_pnl": Decimal(-500)}),
    ("max_daily_loss", {"day_pnl": Decimal(100), "loss_halted": True}),
    ("pnl_unknown", {"day_pnl": None}),
    ("max_trades_per_day", {"day_orders": 20}),
    ("failures", {"failures": 3, "failures_left_s": 40.0}),
    ("cooldown", {"cooldown_left_s": 0.5}),
    ("self_cross", {"crossing": Decimal(100)}),
    ("account_mismatch", {"account_doubt": "설정은 다른 계좌"}),
    ("currency", {"account_currency": Currency.KRW}),
    ("not_tradable", {"untradable": "거래정지"}),
    ("version", {"version_doubt": "버전 1의 판단, 지금은 2"}),
    ("lot", {"lot": 100}),
    ("max_account_amount", {"account_amount": Decimal(9001)}),
    ("exposure_unknown", {"account_amount": None}),
    ("elsewhere_stale", {"elsewhere": Elsewhere(5.1, Decimal(0))}),
    ("elsewhere_stale", {"elsewhere": Elsewhere(math.inf)}),
    ("max_owner_amount", {"elsewhere": Elsewhere(1, Decimal(10001))}),
    ("exposure_unknown", {"elsewhere": Elsewhere(1, None)}),
    ("opposite_order", {"elsewhere": Elsewhere(1, Decimal(0), lowest_sell=Decimal(100))}),
    ("first_day_cap", {"first_day": True, "day_bought": Decimal(201)}),
    ("order_rate", {"minute_orders": 30}),
    ("repeated", {"repeats": 5}),
]
JUST_PASSES: list[dict[str, Any]] = [
    {"last_age_s": 15.0},
    {"store_away_s": 300.0},
    {"last": Decimal("97.1")},
    {"rule_shares": 90},
    {"held_amount": Decimal(7000)},
    {"buying_power": Decimal(1005)},
    {"day_bought": Decimal(9000)},
    {"day_pnl": Decimal("-499.99")},
    {"day_orders": 19},
    {"failures": 2, "failures_left_s": 40.0},
    {"failures": 3},
    {"crossing": Decimal("100.01")},
    {"lot": 10},
    {"account_amount": Decimal(9000)},
    {"elsewhere": Elsewhere(5.0, Decimal(10000))},
    {"elsewhere": Elsewhere(1, Decimal(0), lowest_sell=Decimal("100.01"), highest_buy=Decimal(200))},
    {"first_day": True, "day_bought": Decimal(200)},
    {"minute_orders": 29},
    {"repeats": 4},
]
# What an exit must survive: everything that only limits risk.
EXIT_GOES_ON: list[dict[str, Any]] = [
    {"kill_level": KillLevel.NO_NEW},
    {"kill_level": KillLevel.REDUCE_ONLY},
    {"bot_state": BotState.EXITS_ONLY},
    {"from_fallback": True},
    {"store_away_s": 1e6},
    {"buying_power": None},
    {"day_pnl": None},
    {"day_pnl": Decimal(-10000)},
    {"day_orders": 1000},
    {"day_bought": Decimal(10**9)},
    {"cooldown_left_s": 60.0},
    {"held_amount": Decimal(10**9)},
    {"version_doubt": "버전 1의 판단, 지금은 2"},
    {"account_amount": None},
    {"elsewhere": Elsewhere(math.inf)},
    {"elsewhere": Elsewhere(6.0, None, highest_buy=Decimal(100))},  # an old picture stops entries only
    {"elsewhere": Elsewhere(1, Decimal(10**9), lowest_sell=Decimal(1))},
    {"first_day": True, "day_bought": Decimal(10**9)},
    {"loss_halted": True},
    {"minute_orders": 89},
    {"repeats": 1000},
]
EXIT_REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("fenced", {"fenced": "다른 봇"}),
    ("kill_halt", {"kill_level": KillLevel.HALT}),
    ("session", {"session": "장 상태 CLOSED"}),
    ("frozen", {"frozen": "확인중"}),
    ("in_flight", {"in_flight": True}),
    ("stale_data", {"last_age_s": 60.0}),
    ("sellable", {"free_to_sell": 9}),
    ("holdings_unknown", {"free_to_sell": None}),
    ("self_cross", {"crossing": Decimal(100)}),
    ("account_mismatch", {"account_doubt": "설정은 다른 계좌"}),
    ("currency", {"account_currency": Currency.KRW}),
    ("not_tradable", {"untradable": "거래정지"}),
    ("lot", {"lot": 100}),
    ("opposite_order", {"elsewhere": Elsewhere(1, Decimal(0), highest_buy=Decimal(100))}),
    ("order_rate", {"minute_orders": 90}),
]


def code(request: OrderRequest, limits: Limits = LIMITS, **changes: Any) -> str:
    outcome = check(request, replace(GOOD, **changes), limits)
    return outcome.code if isinstance(outcome, Denied) else "ok"


def test_a_sound_order_passes_every_guard() -> None:
    outcome = check(buy(), GOOD, LIMITS)
    assert isinstance(outcome, Allowed) and len(outcome.guards) == len(GUARDS)


@pytest.mark.parametrize(("expected", "changes"), ENTRY_REFUSED)
def test_an_entry_is_refused_by_name(expected: str, changes: dict[str, Any]) -> None:
    assert code(buy(), **changes) == expected


@pytest.mark.parametrize("changes", JUST_PASSES)
def test_the_limit_itself_is_still_allowed(changes: dict[str, Any]) -> None:
    assert code(buy(), **changes) == "ok"


@pytest.mark.parametrize("changes", EXIT_GOES_ON)
def test_an_exit_goes_on(changes: dict[str, Any]) -> None:
    assert code(sell(), **changes) == "ok"


@pytest.mark.parametrize(("expected", "changes"), EXIT_REFUSED)
def test_an_exit_that_cannot_be_is_refused_by_name(expected: str, changes: dict[str, Any]) -> None:
    assert code(sell(), **changes) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("max_order_amount", "max_order_amount"),
        ("max_symbol_amount", "max_symbol_amount"),
        ("max_daily_buy", "max_daily_buy"),
        ("max_daily_loss", "max_daily_loss"),
        ("max_trades_per_day", "max_trades_per_day"),
        ("rule_max_shares", "max_position"),
        ("max_account_amount", "max_account_amount"),
        ("max_orders_per_minute", "order_rate"),
    ],
)
def test_a_limit_that_is_not_set_is_zero_and_refuses(name: str, expected: str) -> None:
    assert code(buy(), replace(LIMITS, **{name: 0})) == expected
    assert code(buy(), Limits()) != "ok"


def test_a_blank_account_limit_is_what_may_be_bought_in_a_day_and_never_unlimited() -> None:
    blank = replace(LIMITS, max_account_amount=None)
    assert code(buy(), blank, account_amount=blank.max_daily_buy - 1000) == "ok"
    assert code(buy(), blank, account_amount=blank.max_daily_buy - 999) == "max_account_amount"


def test_a_blank_first_day_cap_buys_nothing_on_that_day() -> None:
    blank = replace(LIMITS, first_day_amount=None)
    assert code(buy(), blank) == "ok"
    assert code(buy(), blank, first_day=True) == "first_day_cap"


def test_every_refusal_has_words_in_both_languages() -> None:
    cases = [*ENTRY_REFUSED, *EXIT_REFUSED]
    assert not [one for one, _ in cases if reason_text(one, "en") == one or reason_text(one, "ko") == one]


A_FIGURE = re.compile(r"-?[$₩]?\d[\d,.]*(?:주|초|분|건|번|회|%|\+)?")
INVENTED = {"account_mismatch", "not_tradable", "version", "fenced", "frozen", "session"}  # the test's own words


def test_every_amount_in_a_refusal_carries_its_currency_in_both_languages() -> None:
    """A figure is so many shares, seconds, orders, percent, or money of a currency; never a bare number."""
    asked = (buy(), sell(), buy(price=None, order_type=OrderType.MARKET), buy(quantity=51))
    cases = [*ENTRY_REFUSED, *EXIT_REFUSED, ("self_cross", {"crossing": Decimal("Infinity")}), ("", {})]
    loose = replace(LIMITS, max_symbol_amount=Decimal(10**6))
    written = {
        outcome.text
        for request in asked
        for _, changes in cases
        if isinstance(outcome := check(request, replace(GOOD, **changes), loose), Denied)
        and outcome.code not in INVENTED
    }
    assert len(written) > 30
    for text in written:
        assert not [one for one in A_FIGURE.findall(text) if not re.search("[$₩주초분건번회%+]", one)], text
        assert "Infinity" not in text and not re.search("[가-힣]", told(text, "en")), text
    assert "필요 $1,005.00 > 주문가능 $1,004.00" in written  # what is needed is what was compared
    assert told("필요 1,000.00 > 주문가능 900.00", "en") == "1,000.00 needed > buying power 900.00"  # an older row


def test_every_code_that_a_bot_refuses_with_is_known_to_the_desk() -> None:
    written = set()
    for path in (ROOT / "bots").rglob("*.py"):
        if "backtest" not in path.parts:
            written |= set(re.findall(r'Denied\(\s*"(\w+)"', path.read_text(encoding="utf-8")))
    assert written == DENIALS and LIMIT_DENIALS < DENIALS


def test_each_guard_is_seen_to_refuse() -> None:
    seen = {check_by_name(buy(), changes) for _, changes in ENTRY_REFUSED}
    seen |= {check_by_name(sell(), changes) for _, changes in EXIT_REFUSED}
    assert {guard.__name__ for guard in GUARDS} - seen == {"order_amount"}  # told apart below
    assert code(buy(quantity=2_000_000)) == "quantity"
    assert code(buy(quantity=51), replace(LIMITS, max_symbol_amount=Decimal(10**6))) == "max_order_amount"


def check_by_name(request: OrderRequest, changes: dict[str, Any]) -> str:
    """The guard that refuses first."""
    outcome = check(request, replace(GOOD, **changes), LIMITS)
    return GUARDS[len(outcome.passed)].__name__ if isinstance(outcome, Denied) else ""


def test_a_quantity_a_hundred_times_too_big_is_refused_not_cut() -> None:
    assert code(buy(quantity=1000)) == "max_position"
    assert code(buy(quantity=1000), replace(LIMITS, rule_max_shares=None)) == "max_symbol_amount"
    assert code(buy(quantity=2_000_000)) == "quantity"


def test_a_sale_that_opens_nothing_but_does_not_reduce_is_an_entry() -> None:
    assert code(sell(), kill_level=KillLevel.NO_NEW) == "ok"
    assert code(buy(side=Side.SELL), kill_level=KillLevel.NO_NEW) == "kill_no_new"
    assert code(buy(reduces=True), kill_level=KillLevel.NO_NEW) == "kill_no_new"  # a buy never reduces


def test_a_person_may_close_on_an_old_price_a_rule_may_not() -> None:
    assert code(sell(rule_id=None), last_age_s=None) == "ok"
    assert code(sell(), last_age_s=None) == "stale_data"


def test_a_person_may_enter_on_a_fresh_fallback_price_a_rule_may_not() -> None:
    assert code(buy(rule_id=None), from_fallback=True) == "ok"
    assert code(buy(rule_id=None), from_fallback=True, last_age_s=60.0) == "stale_data"


def test_an_order_without_price_is_counted_at_the_most_it_can_cost() -> None:
    market = {"order_type": OrderType.MARKET, "price": None}
    assert code(buy(**market), buying_power=Decimal(1065)) == "cash"
    assert code(buy(**market), buying_power=Decimal(1066)) == "ok"
    assert code(buy(**market), reserve_price=None) == "no_price"


@given(
    quantity=st.integers(1, 10**7),
    price=st.decimals("0.01", "100000", places=2),
    power=st.decimals(0, 10**6, places=2),
    held=st.decimals(0, 10**6, places=2),
    bought=st.decimals(0, 10**6, places=2),
)
def test_nothing_that_passes_exceeds_a_limit(
    quantity: int, price: Decimal, power: Decimal, held: Decimal, bought: Decimal
) -> None:
    request = buy(quantity=quantity, price=price)
    snapshot = replace(GOOD, last=price, buying_power=power, held_amount=held, day_bought=bought)
    if isinstance(check(request, snapshot, LIMITS), Allowed):
        amount = price * quantity
        assert amount <= LIMITS.max_order_amount and amount <= power
        assert held + amount <= LIMITS.max_symbol_amount and bought + amount <= LIMITS.max_daily_buy
        assert quantity <= (LIMITS.rule_max_shares or 0)


def test_every_session_has_its_word_in_a_refusal() -> None:
    assert trading_hours._IN_WORDS.keys() == set(SessionState)
