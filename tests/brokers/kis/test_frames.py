"""Stream messages: ticks, notices and acknowledgements as documented, and named errors for the rest."""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.kis import frames
from shared.domain.errors import WireError
from shared.domain.market import Tick
from tests.brokers.kis.payload import answer, request

NOW = datetime(2026, 7, 9, 14, 15, 31, tzinfo=UTC)
US = "DNASAAPL^AAPL^4^20260709^20260709^101530^20260709^231530^211.2500^212.4000^210.8000^211.9300^2^1.4300^0.68^211.9200^211.9400^100^300^50^12034567^2548831200^5321000^6033000^113.38^1"
KRX = "005930^101503^71200^2^300^0.42^71105.33^71000^71500^70800^71300^71200^15^4312045^306598412300^9120^10233^1113^108.44^1985012^2152301^1^0.51^63.20^090011^2^200^093122^5^-300^090544^2^400^20260709^20^N^25310^18022^310220^288140^0.07^3980112^108.34^0^^71000"
KEY, IV = "abcdefghijklmnopqrstuvwxyz012345", "0123456789abcdef"
SECRET = "d4KNlehbehIu7QzR8vFEagsYeYStEk9ncigv0b9YXOmnVk8ih2uvyuQidKomdMELcdhslv7iBvi+mLSAp1CDJQb12yHhxN0UYGE4HqBCttbIb9QFCCtysTYc5R4HMGSurgEkY8AslQUJFMdL6pqGXUgi3dKIbaTw/NacojElDXc="
KRX_FILL = "HTSID01^1234567801^0000117057^^02^0^00^0^005930^0000000005^000071200^101504^0^2^2^91252^000000010^홍길동^삼성전자^10^^삼성전자^71200"


def us_notice(**at: str) -> str:
    fields = [
        "HTSID01",
        "1234567801",
        "0030001234",
        "",
        "02",
        "0",
        "2",
        "AAPL",
        "0000000010",
        "002115000",
        "231502",
        "0",
        "1",
        "1",
        "01790",
        "",
        "홍길동",
        "애플",
        "6",
        "10",
        "",
    ]
    for index, value in at.items():
        fields[int(index[1:])] = value
    return "^".join(fields)


def test_a_us_frame_of_two_trades_gives_two_ticks() -> None:
    frame = frames.decode_frame(f"0|HDFSCNT0|002|{US}^{US.replace('211.9300', '211.9400')}")
    first, second = frames.decode_ticks(frame, NOW)
    assert (first.symbol, first.price, first.quantity) == ("AAPL", Decimal("211.93"), 50)
    assert first.at == datetime(2026, 7, 9, 14, 15, 30, tzinfo=UTC)
    assert second.price == Decimal("211.94")


def test_a_korean_trade_is_read_with_and_without_added_fields() -> None:
    for payload in (KRX, KRX + "^new^newer"):
        (tick,) = frames.decode_ticks(frames.decode_frame(f"0|H0STCNT0|001|{payload}"), NOW)
        assert (tick.symbol, tick.price, tick.quantity) == ("005930", Decimal(71200), 15)
        assert tick.at == datetime(2026, 7, 9, 1, 15, 3, tzinfo=UTC)


ODD = st.sampled_from(
    ["005930", "BRK/B", " AAPL", "", "0", "-3", "71200.50", "1e9", "NaN", "20260709", "101503", "250000", "a|b", "|"]
)


def read_or_refused(read: Callable[[], Tick | None]) -> Tick | None:
    try:
        return read()
    except WireError:
        return None


@given(
    st.sampled_from([*frames.TICK_FIELDS]), st.lists(st.tuples(st.integers(0, 60), ODD), max_size=4), st.integers(-3, 3)
)
def test_a_lone_record_is_read_in_one_cut_as_it_is_in_two(tr: str, odd: list[tuple[int, str]], more: int) -> None:
    values = (US if tr == "HDFSCNT0" else KRX).split("^")
    for place, value in odd:
        values[place % len(values)] = value
    values = values + ["new"] * more if more >= 0 else values[:more]
    message = f"0|{tr}|001|{'^'.join(values)}"
    slowly = read_or_refused(lambda: frames.decode_ticks(frames.decode_frame(message), NOW)[0])
    assert read_or_refused(lambda: frames.lone_tick(message, NOW)) == slowly
    assert odd or (slowly is None) == (more < 0)


@pytest.mark.parametrize(
    "begins", ["0|H0STCNT0|002|", "1|H0STCNT0|001|", "0|H0STASP0|001|", "0|H0STCNI0|001|", "0|H0STCNT0|1|", ""]
)
def test_what_is_not_a_lone_trade_in_clear_is_left_to_the_general_reader(begins: str) -> None:
    assert frames.lone_tick(begins + KRX, NOW) is None


@pytest.mark.parametrize("message", [f"0|HDFSCNT0|003|{US}", f"0|HDFSCNT0|001|{US[:80]}", "0|HDFSCNT0|001|"])
def test_a_frame_with_missing_fields_is_an_error(message: str) -> None:
    with pytest.raises(WireError):
        frames.decode_ticks(frames.decode_frame(message), NOW)


def test_the_documented_cipher_text_is_decrypted_and_read() -> None:
    frame = frames.decode_frame(f"1|H0GSCNI0|001|{SECRET}")
    plain = frames.decrypt(frame.payload, KEY, IV)
    (notice,) = frames.decode_notices(frame, plain, "1234567801", NOW)
    assert (notice.broker_order_id, notice.symbol, notice.kind) == ("0030001234", "AAPL", "filled")
    assert notice.fill is None and notice.text == "BUY 3 @ 211.5000"


@pytest.mark.parametrize(("key", "iv"), [(KEY[::-1], IV), ("short", IV), (KEY, "")])
def test_a_notice_under_another_key_is_an_error_not_rubbish(key: str, iv: str) -> None:
    with pytest.raises(WireError):
        frames.decrypt(SECRET, key, iv)


@pytest.mark.parametrize(
    ("plain", "kind"),
    [
        (us_notice(), "accepted"),
        (us_notice(_11="1"), "rejected"),
        (us_notice(_5="1", _3="0030001230"), "amended"),
        (us_notice(_5="2", _3="0030001230"), "canceled"),
        (us_notice(_12="2"), "filled"),
        (us_notice(_13="3"), "canceled"),
        (us_notice() + "^a^b^c^000211500000", "accepted"),
    ],
)
def test_the_kind_of_a_us_notice(plain: str, kind: str) -> None:
    frame = frames.Frame(True, "H0GSCNI0", 1, "")
    (notice,) = frames.decode_notices(frame, plain, "1234567801", NOW)
    assert notice.kind == kind
    assert notice.orig_order_id == ("0030001230" if "0030001230" in plain else None)


def test_a_korean_fill_is_read_in_whole_won() -> None:
    (notice,) = frames.decode_notices(frames.Frame(True, "H0STCNI0", 1, ""), KRX_FILL, "1234567801", NOW)
    assert (notice.symbol, notice.kind, notice.text) == ("005930", "filled", "BUY 5 @ 71200")


def test_notices_of_another_account_are_left_out() -> None:
    assert frames.decode_notices(frames.Frame(True, "H0GSCNI0", 1, ""), us_notice(), "8765432101", NOW) == []


def test_a_registration_is_written_as_documented() -> None:

    text = frames.encode_registration("b7c1e0aa-5d0e-4c6b-9a55-0f3f2a1d7e90", "HDFSCNT0", "DNASAAPL", True)
    assert json.loads(text) == request("ws-subscribe")


def test_acknowledgements_are_read() -> None:

    ack = frames.decode_control(json.dumps(answer("ws-subscribe")))
    assert (ack.tr, ack.key, ack.code, ack.cipher_key, ack.cipher_iv) == ("HDFSCNT0", "DNASAAPL", "OPSP0000", KEY, IV)
    assert frames.decode_control(json.dumps(answer("ws-in-use"))).code == "OPSP8996"


@given(st.text())
def test_no_text_makes_the_readers_raise_anything_but_a_wire_error(text: str) -> None:
    for read in (
        frames.decode_control,
        frames.decode_frame,
        lambda part: frames.decode_ticks(frames.Frame(False, "HDFSCNT0", 1, part), NOW),
        lambda part: frames.lone_tick(part, NOW),
        lambda part: frames.lone_tick(f"0|HDFSCNT0|001|{part}", NOW),
        lambda part: frames.decode_notices(frames.Frame(False, "H0GSCNI0", 1, part), part, "1234567801", NOW),
        lambda part: frames.decrypt(part, KEY, IV),
    ):
        with contextlib.suppress(WireError):
            read(text)


@given(st.lists(st.sampled_from(["1234567801", "1", "02", "", "x", "0", "NaN", "1e9"]), min_size=21, max_size=26))
def test_a_notice_of_odd_fields_is_read_or_named(fields: list[str]) -> None:
    fields[1] = "1234567801"
    with contextlib.suppress(WireError):
        frames.decode_notices(frames.Frame(False, "H0GSCNI0", 1, ""), "^".join(fields), "1234567801", NOW)


US_BOOK = (
    "DNASAAPL^AAPL^4^20260709^101530^20260709^231530^9120^8745^0^-10^"
    + "^".join(f"211.{92 - n:02d}00^211.{94 + n:02d}00^{100 + n}^{300 + n}^0^0" for n in range(6))
    + "^" + "^".join("0.0000^0.0000^0^0^0^0" for _ in range(4))
)  # fmt: skip
KRX_BOOK = "^".join(
    ["005930", "101503", "0"]
    + [str(71300 + 100 * n) for n in range(10)]
    + [str(71200 - 100 * n) for n in range(10)]
    + [str(25310 + 10 * n) for n in range(10)]
    + [str(18022 + 10 * n) for n in range(10)]
    + ["310220", "288140", "0", "0", "0", "0", "0", "0", "5", "0.00", "4312045", "-120", "85", "0", "0", "0"]
)


def test_a_us_book_frame_has_its_levels_and_its_korean_time() -> None:
    (book,) = frames.decode_books(frames.decode_frame(f"0|HDFSASP0|001|{US_BOOK}"), NOW)
    assert (book.symbol, len(book.bids), len(book.asks)) == ("AAPL", 6, 6)  # empty levels are none
    assert (book.bids[0].price, book.bids[0].quantity) == (Decimal("211.92"), 100)
    assert (book.asks[1].price, book.asks[1].quantity) == (Decimal("211.95"), 301)
    assert book.at == datetime(2026, 7, 9, 14, 15, 30, tzinfo=UTC)


def test_a_us_book_frame_of_one_level_is_read() -> None:
    one = "^".join(US_BOOK.split("^")[:17])
    (book,) = frames.decode_books(frames.decode_frame(f"0|HDFSASP0|001|{one}"), NOW)
    assert (len(book.bids), len(book.asks)) == (1, 1)


@pytest.mark.parametrize(
    ("code", "more"), [("H0STASP0", ""), ("H0UNASP0", "^71250^10^0^0^0^0"), ("H0NXASP0", "^0^0^0^0^0^0")]
)
def test_a_korean_book_frame_of_every_venue_is_read(code: str, more: str) -> None:
    now = datetime(2026, 7, 9, 1, 15, 4, tzinfo=UTC)
    first, second = frames.decode_books(frames.decode_frame(f"0|{code}|002|{KRX_BOOK}{more}^{KRX_BOOK}{more}"), now)
    assert first == second and len(first.bids) == len(first.asks) == 10
    assert (first.bids[0].price, first.bids[0].quantity) == (Decimal(71200), 18022)
    assert (first.asks[9].price, first.asks[9].quantity) == (Decimal(72200), 25400)
    assert first.at == datetime(2026, 7, 9, 1, 15, 3, tzinfo=UTC)


@pytest.mark.parametrize("code", ["H0UNCNT0", "H0NXCNT0"])
def test_trades_of_nxt_and_of_both_venues_read_like_those_of_krx(code: str) -> None:
    (tick,) = frames.decode_ticks(frames.decode_frame(f"0|{code}|001|{KRX}"), NOW)
    assert (tick.symbol, tick.price, tick.quantity) == ("005930", Decimal(71200), 15)


def test_a_class_share_ticks_under_our_spelling() -> None:
    line = US.replace("DNASAAPL^AAPL", "DNYSBRK/B^BRK/B")
    (tick,) = frames.decode_ticks(frames.decode_frame(f"0|HDFSCNT0|001|{line}"), NOW)
    assert tick.symbol == "BRK.B"


@given(st.text(max_size=300), st.sampled_from(sorted(frames.BOOK_FIELDS)))
def test_a_broken_book_frame_is_a_wire_error(payload: str, code: str) -> None:
    with contextlib.suppress(WireError):
        frames.decode_books(frames.Frame(False, code, 1, payload), NOW)


def test_a_notice_of_an_nxt_order_reads_like_one_of_krx() -> None:
    fields = KRX_FILL.split("^")
    longer = "^".join([*fields[:18], "0", "2", "N", "", *fields[19:]])  # the newer layout names the venue in field 20
    frame = frames.Frame(True, "H0STCNI0", 1, "")
    (notice,) = frames.decode_notices(frame, longer, "1234567801", NOW)
    assert (notice.kind, notice.broker_order_id, notice.symbol) == ("filled", "0000117057", "005930")


@pytest.mark.parametrize(("name", "code"), [("ws-unsubscribe", "OPSP0001"), ("ws-error", "OPSP0002")])
def test_control_answers_carry_their_code(name: str, code: str) -> None:
    ack = frames.decode_control(json.dumps(answer(name)))
    assert (ack.tr, ack.key, ack.code) == ("HDFSCNT0", "DNASAAPL", code)
