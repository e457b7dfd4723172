"""JIF: the account's own market, in words; countdowns and other markets are nothing."""

from datetime import UTC, datetime

import pytest

from brokers.ls.phases import decode_phase
from shared.domain.account import Market
from shared.domain.errors import WireError
from tests.brokers.ls.documented import FRAMES

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def test_the_documented_change_is_told() -> None:
    phase = decode_phase(Market.KRX, FRAMES["JIF"]["body"], NOW)
    assert phase is not None
    assert (phase.text, phase.brake) == ("코스피 장 시작 / KOSPI market open", False)


@pytest.mark.parametrize(
    ("market", "jangubun", "jstatus", "said"),
    [
        (Market.KRX, "2", "61", "코스닥 서킷브레이커"),
        (Market.KRX, "6", "56", "넥스트레이드 애프터마켓"),
        (Market.US, "9", "41", "미국 장 마감"),
        (Market.US, "1", "21", None),
        (Market.KRX, "9", "21", None),
        (Market.KRX, "5", "61", None),
        (Market.KRX, "1", "25", None),
        (Market.KRX, "6", "A5", None),
    ],
)
def test_only_changes_of_the_accounts_market_are_told(
    market: Market, jangubun: str, jstatus: str, said: str | None
) -> None:
    phase = decode_phase(market, {"jangubun": jangubun, "jstatus": jstatus}, NOW)
    assert (phase is None) is (said is None)
    if phase is not None:
        assert said is not None and phase.text.startswith(said)
        assert phase.brake is (jstatus == "61")


def test_a_change_without_its_code_is_a_wire_error() -> None:
    with pytest.raises(WireError):
        decode_phase(Market.KRX, {"jangubun": "1"}, NOW)
