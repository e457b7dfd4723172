"""KMS and Secrets Manager on loopback: their JSON protocol, with each request's signature checked."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shared.aws import Aws, sign

KEYS = {
    "AWS_REGION": "ap-northeast-2",
    "AWS_ACCESS_KEY_ID": "AKIDTEST",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-tests",
}


@dataclass
class Amazon:
    """One account: its keys by alias, what they encrypted, its secrets."""

    url: str = ""
    aliases: dict[str, str] = field(default_factory=lambda: {"alias/desk": "key-1"})
    disabled: set[str] = field(default_factory=set)
    sealed: dict[str, tuple[str, bytes, Any]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    fail: list[tuple[int, str]] = field(default_factory=list)  # (status, __type) given once each

    @property
    def env(self) -> dict[str, str]:
        return {**KEYS, "LETSTRADE_AWS_ENDPOINT": self.url}

    def answer(self, target: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(target)
        if self.fail:
            status, kind = self.fail.pop(0)
            return status, {"__type": kind, "message": "as the test wants it"}
        if target == "TrentService.Encrypt":
            key = self.aliases.get(body["KeyId"], "")
            if not key or key in self.disabled:
                return 400, {
                    "__type": "NotFoundException" if not key else "DisabledException",
                    "message": body["KeyId"],
                }
            blob = base64.b64encode(secrets.token_bytes(48)).decode()
            self.sealed[blob] = (key, base64.b64decode(body["Plaintext"]), body.get("EncryptionContext"))
            return 200, {"CiphertextBlob": blob, "KeyId": key, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
        if target == "TrentService.Decrypt":
            key, plain, context = self.sealed.get(body["CiphertextBlob"], ("", b"", None))
            if not key or context != body.get("EncryptionContext"):
                return 400, {"__type": "InvalidCiphertextException"}
            if key in self.disabled:
                return 400, {"__type": "DisabledException", "message": f"{key} is disabled"}
            if "KeyId" in body and self.aliases.get(body["KeyId"]) != key:
                return 400, {"__type": "IncorrectKeyException", "message": "another key"}
            return 200, {"KeyId": key, "Plaintext": base64.b64encode(plain).decode()}
        if target == "secretsmanager.GetSecretValue":
            found = self.secrets.get(body["SecretId"])
            if found is None:
                return 400, {"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find it"}
            return 200, {"Name": body["SecretId"], "SecretString": found}
        return 400, {"__type": "UnknownOperationException"}


@contextmanager
def amazon() -> Iterator[Amazon]:
    account = Amazon()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            target = self.headers["X-Amz-Target"]
            if self._signature_is_wrong(target, body):
                status, told = 400, {"__type": "InvalidSignatureException", "message": "does not match"}
            else:
                status, told = account.answer(target, json.loads(body))
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _signature_is_wrong(self, target: str, body: bytes) -> bool:
            at = datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            aws = Aws(KEYS["AWS_REGION"], KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
            service = "kms" if target.startswith("Trent") else "secretsmanager"
            headers = {"Content-Type": self.headers["Content-Type"], "X-Amz-Target": target}
            wanted = sign(aws, service, "POST", f"{account.url}/", headers, body, at)["Authorization"]
            late = abs((datetime.now(UTC) - at).total_seconds()) > 300
            return late or self.headers["Authorization"] != wanted

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    account.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
