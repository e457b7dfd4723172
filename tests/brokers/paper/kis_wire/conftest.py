"""One exchange per test, in each profile."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from brokers.paper.accounts import Profile
from tests.brokers.paper.kis_wire.desk import SUNDAY, Desk, open_desk, register


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The compat profile: any key, any account."""
    async with open_desk(tmp_path / "compat") as opened:
        yield opened


@pytest.fixture
async def strict_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The strict profile on a Thursday at 10:15:30 in New York, one live and one 모의 account registered."""
    async with open_desk(tmp_path / "strict", profile=Profile.STRICT) as opened:
        register(opened)
        yield opened


@pytest.fixture
async def strict_desk_on_sunday(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, profile=Profile.STRICT, at=SUNDAY) as opened:
        register(opened)
        yield opened
