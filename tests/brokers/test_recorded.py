"""What real 모의투자 hosts answered (`make test-mock` records it): masked, and judged as we judge it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from brokers.http import Answer
from brokers.kis.codec import judge as judge_kis
from brokers.ls.codec import judge as judge_ls
from shared.domain.errors import BrokerError
from tests.mock_hosts.recorder import RECORDED

FILES = sorted(RECORDED.rglob("*.json"))
JUDGES = {"KIS": judge_kis, "LS": judge_ls}
SECRET_FIELDS = ("appkey", "appsecret", "appsecretkey", "access_token", "approval_key", "CANO", "AcntNo")


@pytest.mark.skipif(not FILES, reason="nothing recorded yet: make test-mock, with 모의투자 keys")
@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_recorded_answer_is_masked_and_judged_as_it_was(file: Path) -> None:
    kept = json.loads(file.read_text(encoding="utf-8"))
    for text in (kept["request"], kept["response"]):
        fields = json.loads(text or "{}")
        assert all(fields.get(name, "***") == "***" for name in SECRET_FIELDS)
    answer = Answer(kept["tr"], kept["status"], httpx.Headers(), kept["response"].encode(), datetime.now(UTC))
    outcome = "ok"
    try:
        JUDGES[file.parent.name](answer, False)
    except BrokerError as e:
        outcome = type(e).__name__
    assert outcome == kept["outcome"] or kept["outcome"] == "OutcomeUnknown"
