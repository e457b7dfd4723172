"""One exchange per test, in each profile."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from brokers.paper.accounts import ExEnv, Profile
from shared.domain.account import BrokerName
from shared.domain.money import Currency
from tests.brokers.paper.kis_wire.desk import Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The compat profile: any key, any account."""
    async with open_desk(tmp_path / "compat") as opened:
        yield opened


@pytest.fixture
async def strict_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The strict profile on a Thursday at 10:15:30 in New York, one live and one 모의 account registered."""
    async with open_desk(tmp_path / "strict", profile=Profile.STRICT) as opened:
        _register(opened)
        yield opened


@pytest.fixture
async def strict_desk_on_sunday(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, profile=Profile.STRICT, at=datetime(2026, 7, 12, 3, 0, tzinfo=UTC)) as opened:
        _register(opened)
        yield opened


def _register(desk: Desk) -> None:
    for env, key, account in ((ExEnv.LIVE, "PSlive", "12345678-01"), (ExEnv.MOCK, "PSmock", "50001234-01")):
        desk.exchange.register(
            broker=BrokerName.KIS,
            env=env,
            app_key=key,
            secret="right",
            account=account,
            hts_id=f"HTS{env}",
            cash={Currency.USD: Decimal(100_000), Currency.KRW: Decimal(100_000_000)},
            holdings=[("AAPL", 10, Decimal(200)), ("005930", 10, Decimal(70_000))],
        )
