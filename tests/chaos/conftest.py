"""The whole chaos run is asked for by name (`make chaos`); every test run makes its short cut."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = "soak" in (config.option.markexpr or "")
    for item in items:
        if item.get_closest_marker("soak") is not None and not asked:
            item.add_marker(pytest.mark.skip(reason="the whole chaos run: make chaos"))
