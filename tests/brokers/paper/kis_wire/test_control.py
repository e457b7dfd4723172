"""Control messages: which are taken, and the code of each that is not (kis.md §5.1)."""

import json
from typing import Any

import pytest

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.kis_wire import control
from brokers.paper.kis_wire.control import ControlRefusal
from brokers.paper.kis_wire.notices import CipherKey
from tests.brokers.paper.kis_wire.documented import REQUESTS, RESPONSES

KEY = CipherKey("abcdefghijklmnopqrstuvwxyz012345", "0123456789abcdef")


def message(header: dict[str, Any] | None = None, wanted: dict[str, Any] | None = None) -> dict[str, Any]:
    whole = json.loads(json.dumps(REQUESTS["ws-subscribe"]))
    whole["header"] |= header or {}
    whole["body"]["input"] |= wanted or {}
    return whole


def without(whole: dict[str, Any], *path: str) -> str:
    *parents, name = path
    inner = whole
    for parent in parents:
        inner = inner[parent]
    del inner[name]
    return json.dumps(whole)


def test_the_documented_subscription_is_read() -> None:
    ask = control.read(json.dumps(REQUESTS["ws-subscribe"]))
    assert ask is not None
    assert (ask.tr_type, ask.tr_id, ask.tr_key) == ("1", "HDFSCNT0", "DNASAAPL")


def test_acknowledgements_are_the_documented_ones() -> None:
    ask = control.read(json.dumps(REQUESTS["ws-subscribe"]))
    assert ask is not None
    assert json.loads(control.acknowledged(ask, "OPSP0000", KEY)) == RESPONSES["ws-subscribe"]
    assert json.loads(control.acknowledged(ask, "OPSP0001", KEY)) == RESPONSES["ws-unsubscribe"]
    twice = ControlRefusal("OPSP0002", ask.tr_id, ask.tr_key)
    assert json.loads(control.refused(twice)) == RESPONSES["ws-error"]


@pytest.mark.parametrize("tr_id", control.NOTICES.values())
def test_notices_are_acknowledged_as_encrypted(tr_id: str) -> None:
    ask = control.read(json.dumps(message(wanted={"tr_id": tr_id, "tr_key": "HTSID01"})))
    assert ask is not None
    assert json.loads(control.acknowledged(ask, "OPSP0000", KEY))["header"]["encrypt"] == "Y"


def test_the_echo_of_a_pingpong_asks_for_nothing() -> None:
    assert control.read('{"header":{"tr_id":"PINGPONG","datetime":"20260709231500"}}') is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", "OPSP9999"),
        ("[]", "OPSP9998"),
        (without(message(), "header"), "OPSP9998"),
        (without(message(), "body"), "OPSP9992"),
        (without(message(), "body", "input"), "OPSP9991"),
        (without(message(), "body", "input", "tr_key"), "OPSP9990"),
        (without(message(), "header", "approval_key"), "OPSP9996"),
        (without(message(), "header", "custtype"), "OPSP9997"),
        (json.dumps(message({"custtype": "X"})), "OPSP8998"),
        (json.dumps(message({"tr_type": "0"})), "OPSP8997"),
    ],
)
def test_a_malformed_message_is_refused_by_its_own_code(text: str, code: str) -> None:
    with pytest.raises(ControlRefusal) as refusal:
        control.read(text)
    assert refusal.value.code == code
    assert code in control.refused(refusal.value)


@pytest.mark.parametrize(
    ("tr_id", "tr_key", "env", "profile", "code"),
    [
        ("HDFSCNT9", "DNASAAPL", ExEnv.LIVE, Profile.COMPAT, "OPSP8991"),
        ("HDFSCNT0", "AAPL", ExEnv.LIVE, Profile.COMPAT, "OPSP8992"),
        ("H0STCNT0", "5930", ExEnv.LIVE, Profile.COMPAT, "OPSP8992"),
        ("HDFSCNT0", "DNASAAPL", ExEnv.MOCK, Profile.STRICT, "OPSP8991"),
        ("H0GSCNI9", "HTSID01", ExEnv.LIVE, Profile.STRICT, "OPSP8991"),
        ("H0STCNI0", "HTSID01", ExEnv.MOCK, Profile.STRICT, "OPSP8991"),
        ("HDFSCNT0", "DNASAAPL", ExEnv.MOCK, Profile.COMPAT, None),
        ("H0GSCNI9", "HTSID01", ExEnv.LIVE, Profile.COMPAT, None),
        ("HDFSASP0", "RBAQAAPL", ExEnv.LIVE, Profile.STRICT, None),
        ("HDFSCNT0", "DNYSBRK/B", ExEnv.LIVE, Profile.STRICT, None),
        ("H0STASP0", "005930", ExEnv.MOCK, Profile.STRICT, None),
        ("H0UNCNT0", "005930", ExEnv.MOCK, Profile.STRICT, "OPSP8991"),
        ("H0NXASP0", "005930", ExEnv.LIVE, Profile.STRICT, None),
        ("H0STANC0", "005930", ExEnv.LIVE, Profile.STRICT, None),
        ("HDFSASP1", "DHKS00003", ExEnv.LIVE, Profile.STRICT, None),
        ("HDFSASP1", "DNASAAPL", ExEnv.LIVE, Profile.STRICT, "OPSP8992"),
        ("HDFSASP1", "DNASAAPL", ExEnv.LIVE, Profile.COMPAT, None),
    ],
)
def test_what_a_host_streams(tr_id: str, tr_key: str, env: ExEnv, profile: Profile, code: str | None) -> None:
    ask = control.read(json.dumps(message(wanted={"tr_id": tr_id, "tr_key": tr_key})))
    assert ask is not None
    if code is None:
        control.check_target(ask, env, profile)
        return
    with pytest.raises(ControlRefusal) as refusal:
        control.check_target(ask, env, profile)
    assert refusal.value.code == code
