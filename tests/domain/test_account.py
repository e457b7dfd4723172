"""Accounts: numbers, and which environments exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.account import SUPPORTED, AccountKey, AccountNumber, BrokerName, Environment, Market
from shared.domain.money import Currency

digits8 = st.text("0123456789", min_size=8, max_size=8)
digits2 = st.text("0123456789", min_size=2, max_size=2)


@given(digits8, digits2, st.sampled_from(["", "-", " ", " - "]))
def test_a_number_reads_with_or_without_its_hyphen(cano: str, product: str, between: str) -> None:
    number = AccountNumber.parse(f" {cano}{between}{product} ")
    assert (number.cano, number.product) == (cano, product)
    assert number.last4 == cano[-4:]
    assert AccountNumber.parse(str(number)) == number


@given(digits8)
def test_a_missing_product_code_is_said_so(cano: str) -> None:
    with pytest.raises(ValueError, match="product code"):
        AccountNumber.parse(cano)


@given(st.text(max_size=14).filter(lambda text: len("".join(c for c in text if c.isdigit())) not in {8, 10}))
def test_anything_else_is_not_an_account_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"8\+2 digits"):
        AccountNumber.parse(text)


@pytest.mark.parametrize("text", ["12345678-0A", "1234567801x", "12345678_01", "12345678-012", "١٢٣٤٥٦٧٨-٠١"])
def test_letters_and_extra_digits_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"8\+2 digits"):
        AccountNumber.parse(text)


def test_everything_exists_but_us_shares_in_the_mock_trading_of_ls() -> None:
    missing = {
        (broker, market, env)
        for broker in BrokerName
        for market in Market
        for env in Environment
        if (broker, market, env) not in SUPPORTED
    }
    assert missing == {(BrokerName.LS, Market.US, Environment.MOCK)}
    with pytest.raises(ValueError, match="no MOCK environment"):
        AccountKey(1, BrokerName.LS, Market.US, Environment.MOCK, 1)


def test_a_market_has_one_currency() -> None:
    assert (Market.KRX.currency, Market.US.currency) == (Currency.KRW, Currency.USD)
