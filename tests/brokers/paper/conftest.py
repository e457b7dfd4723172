from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers.paper.floor_rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A compat exchange on the synthetic tape of seed 7, on a Sunday night."""
    made = Rig(tmp_path / "exchange")
    yield made
    made.close()
