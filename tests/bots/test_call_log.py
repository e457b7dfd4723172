"""The log of REST calls: reads rotate, order calls stay and can be found by their order."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots import call_log
from bots.call_log import FileCallLog
from brokers.contract import CallRecord

READ = CallRecord(
    at=datetime(2026, 1, 5, tzinfo=UTC), broker="KIS", tr="HHDFS00000300", latency_ms=12.34, status=200, code="MCA00000",
    outcome="ok", request='{"SYMB":"AAPL"}', response='{"rt_cd":"0"}', headers={"tr_id": "HHDFS00000300", "appkey": "***"},
    rate_used=3, rate_limit=15.0,
)  # fmt: skip
ORDER = replace(READ, tr="TTTT1002U", correlation_id="3-17", outcome="OutcomeUnknown", status=None)


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_an_order_call_is_found_by_its_order_and_a_read_stands_elsewhere(tmp_path: Path) -> None:
    log = FileCallLog(tmp_path)
    log(READ)
    log(ORDER)
    log.close()
    (read,), (order,) = lines(tmp_path / call_log.READS), lines(tmp_path / call_log.ORDERS)
    assert (read["tr"], read["rate_used"], read["rate_limit"], read["latency_ms"]) == ("HHDFS00000300", 3, 15.0, 12.3)
    assert (order["correlation_id"], order["outcome"], order["status"]) == ("3-17", "OutcomeUnknown", None)
    assert read["headers"] == {"tr_id": "HHDFS00000300", "appkey": "***"}


def test_reads_take_bounded_room_and_order_calls_are_all_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_log, "READ_BYTES", 3000)
    log = FileCallLog(tmp_path)
    for number in range(100):
        log(READ)
        log(replace(ORDER, correlation_id=str(number)))
    log.close()
    reads = sum(file.stat().st_size for file in tmp_path.glob(call_log.READS + "*"))
    assert reads <= 3000 * (call_log.READ_FILES + 1)
    assert [one["correlation_id"] for one in lines(tmp_path / call_log.ORDERS)] == [str(n) for n in range(100)]
