"""Amazon's JSON services, as far as keys and secrets need them: Signature Version 4 and one call, nothing installed.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html. The endpoint may be any server that speaks the same.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from shared.clock import SystemClock
from shared.domain.errors import ConfigError, TradingError

ALGORITHM = "AWS4-HMAC-SHA256"
TIMEOUT_S = 5.0
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)  # between attempts that the service did not answer or put off
PUT_OFF = frozenset(
    {"ThrottlingException", "KMSInternalException", "InternalServiceError", "DependencyTimeoutException"}
)


class AwsAway(TradingError):
    """The service did not answer; ask again later."""

    code = "aws_away"


class AwsRefused(ConfigError):
    """The service said no: a person must mend the key, the policy or the name."""

    code = "aws_refused"

    def __init__(self, service: str, kind: str, message: str) -> None:
        super().__init__(
            f"{service} refused: {kind}", message[:300], "check AWS_REGION, the access key, its policy and the name"
        )
        self.kind = kind


@dataclass(frozen=True, slots=True, repr=False)
class Aws:
    """Where and as whom to ask."""

    region: str
    access_key: str
    secret_key: str
    session_token: str = ""
    endpoint: str = ""  # instead of https://<service>.<region>.amazonaws.com

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Aws:
        """Read the variables that every Amazon tool reads; ConfigError names one that is missing."""
        missing = [n for n in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not env.get(n)]
        if missing:
            raise ConfigError(
                "Amazon cannot be asked", f"{', '.join(missing)} not set", "write them into .env or the environment"
            )
        return cls(
            env["AWS_REGION"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"],
            env.get("AWS_SESSION_TOKEN", ""), env.get("LETSTRADE_AWS_ENDPOINT", ""),
        )  # fmt: skip

    def call(self, service: str, target: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask once, and again while the service is away or puts us off; the answer's JSON.

        Raises:
            AwsAway: no answer within about ten seconds. AwsRefused: it said no.
        """
        text = json.dumps(body).encode()
        for pause in (*PAUSES_S, None):
            try:
                return self._once(service, target, text)
            except AwsAway:
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _once(self, service: str, target: str, body: bytes) -> dict[str, Any]:
        url = self.endpoint or f"https://{service}.{self.region}.amazonaws.com"
        parts = urlsplit(url)
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        signed = sign(self, service, "POST", f"{url}/", headers, body, SystemClock().wall_now())
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT_S, context=context)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
        try:
            connection.request("POST", "/", body, signed)
            answer = connection.getresponse()
            status, told = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise _away(service, type(error).__name__) from error
        finally:
            connection.close()
        try:
            found = json.loads(told)
        except ValueError as error:
            raise _away(service, f"HTTP {status}, no JSON") from error
        if status == 200 and isinstance(found, dict):
            return found
        kind = str(found.get("__type", status)).rsplit("#", 1)[-1]
        if status >= 500 or kind in PUT_OFF:
            raise _away(service, kind)
        raise AwsRefused(service, kind, str(found.get("message") or found.get("Message") or ""))


def sign(
    aws: Aws, service: str, method: str, url: str, headers: Mapping[str, str], body: bytes, at: datetime
) -> dict[str, str]:
    """The headers of a request with its signature (Signature Version 4, all headers signed)."""
    parts, stamp = urlsplit(url), at.strftime("%Y%m%dT%H%M%SZ")
    given = {**headers, "Host": parts.netloc, "X-Amz-Date": stamp}
    if aws.session_token:
        given["X-Amz-Security-Token"] = aws.session_token
    plain = {name.lower(): " ".join(value.split()) for name, value in given.items()}
    names = ";".join(sorted(plain))
    query = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(parts.query, True))
    canonical = "\n".join(
        (
            method,
            quote(parts.path or "/", safe="/-_.~"),
            "&".join(f"{k}={v}" for k, v in query),
            *(f"{name}:{plain[name]}" for name in sorted(plain)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{stamp[:8]}/{aws.region}/{service}/aws4_request"
    wanted = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{aws.secret_key}".encode()
    for part in (stamp[:8], aws.region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, wanted.encode(), hashlib.sha256).hexdigest()
    given["Authorization"] = (
        f"{ALGORITHM} Credential={aws.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return given


def _away(service: str, why: str) -> AwsAway:
    return AwsAway(f"{service} does not answer", why, "nothing to do if it comes back; else check the network")
