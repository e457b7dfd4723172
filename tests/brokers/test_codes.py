"""Result codes as data: one row per code, words in two languages, and an error that carries them."""

import pytest

from brokers.codes import CodeRow, Outcome, by_code
from shared.domain.errors import MarketClosed, RateLimited

ROW = CodeRow("1", Outcome.REFUSED, MarketClosed, ("무엇", "왜", "지금"), ("what", "why", "now"))


def test_a_code_stands_once() -> None:
    assert by_code((ROW,)) == {"1": ROW}
    with pytest.raises(ValueError, match="twice"):
        by_code((ROW, ROW))


def test_the_error_of_a_row_carries_both_languages_and_the_brokers_own_text() -> None:
    error = ROW.raised(MarketClosed, "LS", "장종료")
    assert isinstance(error, MarketClosed)
    assert (error.broker_code, error.now) == ("1", "지금 / now")
    assert error.message == "무엇: 왜 / what: why [장종료]"


def test_a_limit_says_when_to_ask_again() -> None:
    error = ROW.raised(RateLimited, "LS", "…", 3.0)
    assert isinstance(error, RateLimited)
    assert (error.retry_after_s, error.now) == (3.0, "지금 / now")
