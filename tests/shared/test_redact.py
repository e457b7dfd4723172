"""Secrets by shape: in a log line, in its fields at any depth, in its trace, and in what is sent to who helps."""

from __future__ import annotations

import json
import logging

import pytest

from shared.logs import JsonLines, readable
from shared.redact import masked

SECRETS = [
    "1234567890:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawXY",  # pragma: allowlist secret
    "lt_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA",  # pragma: allowlist secret
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",  # pragma: allowlist secret
    "PSEDabcdefghijklmnop0123456789AB",  # pragma: allowlist secret
    "12345678-01",
]


def line(message: str, exception: bool = False, **fields: object) -> str:
    record = logging.LogRecord("bots", logging.ERROR, "", 0, message, (), None)
    record.fields = fields
    if exception:
        try:
            raise ValueError(f"POST https://api/bot{SECRETS[0]}/send")
        except ValueError as error:
            record.exc_info = (type(error), error, error.__traceback__)
    return JsonLines("bot-1").format(record)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_masked_wherever_a_line_carries_it(secret: str) -> None:
    for said in (line(f"sent {secret} away"), line("x", what=secret), line("x", deep={"list": [secret]})):
        assert secret not in said and "***" in said and json.loads(said)["program"] == "bot-1"


def test_named_secrets_are_masked_whatever_they_look_like() -> None:
    said = line("x", app_secret="short", headers={"Authorization": "Basic abc", "tr_id": "TTTC0802U"})
    assert "short" not in said and "abc" not in said and "TTTC0802U" in said


def test_a_trace_is_masked_and_stays_one_line() -> None:
    said = line("failed", exception=True)
    assert SECRETS[0] not in said and "ValueError" in json.loads(said)["trace"] and "\n" not in said


def test_addresses_lose_their_passwords_and_order_numbers_stay() -> None:
    told = masked("postgresql+psycopg://desk:hunter2@db.host:5432/desk order 0030138295 of ****5678-01")
    assert "hunter2" not in told and "db.host" in told and "0030138295" in told and "****5678-01" in told


def test_what_leaves_the_house_is_masked_more_strictly() -> None:
    assert "1234567801" not in masked("cano 1234567801", strict=True)
    assert "A" * 70 not in masked("A" * 70, strict=True)


def test_a_person_reads_a_line_and_its_trace() -> None:
    told = readable(line("failed", exception=True, order=7))
    assert "ERROR bot-1 failed order=7" in told[0] and "Traceback" in told[1]
    assert readable("plain text") == ["plain text"]
