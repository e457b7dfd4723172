"""Signature Version 4 as Amazon documents it, and what an answer means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.aws import Aws, AwsAway, AwsRefused, sign
from shared.domain.errors import ConfigError
from tests.cloud.aws import amazon

AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
EXAMPLE = Aws("us-east-1", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")  # pragma: allowlist secret


@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "signature"),
    [  # Amazon's own test suite (aws4_testsuite): get-vanilla, post-vanilla, get-vanilla-query-order-key-case
        ("GET", "https://example.amazonaws.com/", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "https://example.amazonaws.com/", {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", {}, b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "POST", "https://example.amazonaws.com/", {"Content-Type": "application/x-www-form-urlencoded"},
            b"Param1=value1", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)  # fmt: skip
def test_a_signature_is_the_one_of_amazons_test_suite(
    method: str, url: str, headers: dict[str, str], body: bytes, signature: str
) -> None:
    made = sign(EXAMPLE, "service", method, url, headers, body, AT)["Authorization"]
    assert made.endswith(f"Signature={signature}")
    assert "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request" in made


def test_an_answer_put_off_is_asked_for_again_and_a_no_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.aws.PAUSES_S", (0.0, 0.0))
    with amazon() as account:
        aws = Aws.from_env(account.env)
        body = {"KeyId": "alias/desk", "Plaintext": "aGk="}
        account.fail = [(400, "ThrottlingException"), (500, "KMSInternalException")]
        assert aws.call("kms", "TrentService.Encrypt", body)["KeyId"] == "key-1"
        assert len(account.asked) == 3
        account.fail = [(503, "X")] * 3
        with pytest.raises(AwsAway):
            aws.call("kms", "TrentService.Encrypt", body)
        before = len(account.asked)
        with pytest.raises(AwsRefused) as refused:
            aws.call("kms", "TrentService.Encrypt", {**body, "KeyId": "alias/none"})
        assert refused.value.kind == "NotFoundException" and len(account.asked) == before + 1
        with pytest.raises(AwsRefused, match="InvalidSignature"):
            replace(aws, secret_key="another").call("kms", "TrentService.Encrypt", body)
    with pytest.raises(AwsAway):
        aws.call("kms", "TrentService.Encrypt", body)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="AWS_SECRET_ACCESS_KEY"):
        Aws.from_env({"AWS_REGION": "x", "AWS_ACCESS_KEY_ID": "y"})
