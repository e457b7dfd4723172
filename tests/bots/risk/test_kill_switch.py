"""The highest of host file, account file and store counts; a file nobody understands stops everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots.risk.kill_switch import KillSwitch, level_in
from shared.domain.bot_state import KillLevel


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("RUN", KillLevel.RUN),
        ("no_new\n", KillLevel.NO_NEW),
        ("REDUCE_ONLY by me", KillLevel.REDUCE_ONLY),
        ("HALT", KillLevel.HALT),
        ("", KillLevel.HALT),
        ("stop!!", KillLevel.HALT),
    ],
)
def test_a_kill_file_is_read_for_the_worst(tmp_path: Path, text: str, level: KillLevel) -> None:
    path = tmp_path / "kill"
    path.write_text(text)
    assert level_in(path) is level


def test_a_file_that_cannot_be_read_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "kill").mkdir()
    assert level_in(tmp_path / "kill") is KillLevel.HALT


def test_the_highest_source_counts_at_once(tmp_path: Path) -> None:
    host, account = tmp_path / "kill", tmp_path / "accounts" / "1" / "kill"
    switch = KillSwitch(host, account)
    assert switch.level() is KillLevel.RUN
    switch.store_level = KillLevel.NO_NEW
    assert switch.level() is KillLevel.NO_NEW
    switch.raise_account(KillLevel.REDUCE_ONLY, "FLATTEN")
    assert switch.level() is KillLevel.REDUCE_ONLY
    host.write_text("HALT")
    assert switch.level() is KillLevel.HALT
    host.unlink()
    assert switch.level() is KillLevel.REDUCE_ONLY


def test_raising_never_lowers(tmp_path: Path) -> None:
    switch = KillSwitch(tmp_path / "kill", tmp_path / "1" / "kill")
    switch.raise_account(KillLevel.HALT, "")
    switch.raise_account(KillLevel.REDUCE_ONLY, "")
    assert switch.level() is KillLevel.HALT


def test_a_live_account_that_is_not_armed_enters_nothing(tmp_path: Path) -> None:
    switch = KillSwitch(tmp_path / "kill", tmp_path / "1" / "kill")
    switch.armed = False
    assert switch.level() is KillLevel.NO_NEW
