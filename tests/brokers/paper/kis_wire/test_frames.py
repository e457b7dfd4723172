"""Quote frames: as many fields as the documents count, each where they say (kis.md §5.4 to §5.8)."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.kis_wire import frames
from brokers.paper.tape import Trade
from shared.domain.market import BookLevel, OrderBook
from shared.domain.order import Side

AT = datetime(2026, 7, 9, 14, 15, 30, tzinfo=UTC)
AAPL = Trade(
    symbol="AAPL",
    price=Decimal("211.93"),
    quantity=50,
    at=AT,
    side_hint=Side.BUY,
    bid=Decimal("211.92"),
    ask=Decimal("211.94"),
    bid_quantity=100,
    ask_quantity=300,
    open=Decimal("211.25"),
    high=Decimal("212.40"),
    low=Decimal("210.80"),
    prev_close=Decimal("210.50"),
    cum_volume=12034567,
    turnover=Decimal(2548831200),
)
SAMSUNG = Trade(
    symbol="005930",
    price=Decimal(71200),
    quantity=15,
    at=datetime(2026, 7, 9, 1, 15, 3, tzinfo=UTC),
    side_hint=Side.SELL,
    bid=Decimal(71200),
    ask=Decimal(71300),
    bid_quantity=18022,
    ask_quantity=25310,
    open=Decimal(71000),
    high=Decimal(71500),
    low=Decimal(70800),
    prev_close=Decimal(70900),
    cum_volume=4312045,
    turnover=Decimal(306598412300),
)


def book(symbol: str, best: str, tick: str, levels: int = 10) -> OrderBook:
    bid, step = Decimal(best), Decimal(tick)
    bids = tuple(BookLevel(bid - step * n, 100 + n) for n in range(levels))
    asks = tuple(BookLevel(bid + step * (n + 1), 200 + n) for n in range(levels))
    return OrderBook(symbol, bids, asks, AT, AT)


def test_a_us_trade_frame_is_the_documented_one_but_for_who_started_the_trades() -> None:
    documented = (
        "0|HDFSCNT0|001|DNASAAPL^AAPL^4^20260709^20260709^101530^20260709^231530^211.2500^212.4000^210.8000^211.9300^2"
        "^1.4300^0.68^211.9200^211.9400^100^300^50^12034567^2548831200^5321000^6033000^113.38^1"
    )
    got = frames.frame("HDFSCNT0", frames.us_trade("DNASAAPL", AAPL))
    assert len(got.split("|")[3].split("^")) == 26
    assert got.split("^")[:22] == documented.split("^")[:22]
    assert got.endswith("^1")


def test_a_falling_us_price_has_an_unsigned_difference_and_a_signed_rate() -> None:
    lower = Trade(**{name: getattr(AAPL, name) for name in AAPL.__slots__} | {"price": Decimal("208.50")})
    values = frames.us_trade("DNASAAPL", lower)
    assert values[12:15] == ["5", "2.0000", "-0.95"]


def test_a_us_book_frame_has_71_fields_with_the_best_level_first() -> None:
    values = frames.us_book("DNASAAPL", book("AAPL", "211.92", "0.01"))
    assert len(values) == 71
    assert values[:7] == ["DNASAAPL", "AAPL", "4", "20260709", "101530", "20260709", "231530"]
    assert values[11:17] == ["211.9200", "211.9300", "100", "200", "0", "0"]
    assert values[65:69] == ["211.8300", "212.0200", "109", "209"]


def test_a_krx_trade_frame_has_46_fields_in_the_documented_places() -> None:
    values = frames.krx_trade(SAMSUNG)
    assert len(values) == 46
    assert values[:6] == ["005930", "101503", "71200", "2", "300", "0.42"]
    assert values[7:15] == ["71000", "71500", "70800", "71300", "71200", "15", "4312045", "306598412300"]
    assert values[21] == "5"  # CCLD_DVSN: sell-initiated
    assert values[24:33] == ["101503", "2", "200", "101503", "5", "-300", "101503", "2", "400"]
    assert values[33:38] == ["20260709", "20", "N", "25310", "18022"]


def test_a_krx_book_frame_has_59_fields_and_empty_levels_are_zero() -> None:
    values = frames.krx_book(book("005930", "71200", "100", levels=3), SAMSUNG)
    assert len(values) == 59
    assert values[3:7] == ["71300", "71400", "71500", "0"]
    assert values[13:17] == ["71200", "71100", "71000", "0"]
    assert values[43:45] == ["603", "303"]
    assert values[53] == "4312045"


@given(
    price=st.decimals(min_value="0.01", max_value="99999", places=2),
    base=st.decimals(min_value="0.01", max_value="99999", places=2),
)
def test_no_price_breaks_the_field_count_and_none_uses_an_exponent(price: Decimal, base: Decimal) -> None:
    trade = Trade(**{name: getattr(AAPL, name) for name in AAPL.__slots__} | {"price": price, "prev_close": base})
    for values, count in ((frames.us_trade("DNASAAPL", trade), 26), (frames.krx_trade(trade), 46)):
        text = "^".join(values)
        assert len(text.split("^")) == count
        assert "E" not in text.replace("DNASAAPL", "") and " " not in text
