"""Call an Edge Function of the project. The desk's urgent alerts do not need it: the database calls that one itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from console.cloud.project import asking, client, project_of
from shared.config import Settings

URGENT = "urgent-alerts"


def invoke(settings: Settings, name: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
    """Call a function with a JSON body; returns its JSON answer.

    Raises:
        CloudAway: it does not answer or failed; nothing is known of what it did. CloudRefused: it said no.
    """
    project = project_of(settings)
    with asking(f"function {name}", instead="try again; the database calls urgent-alerts by itself meanwhile"):
        told = client(project, project.anon_key).functions.invoke(
            name, {"body": dict(body), "headers": dict(headers or {}), "responseType": "json"}
        )
    return told


def look_now(settings: Settings, secret: str, now: datetime) -> Any:
    """Ask `urgent-alerts` to look for alerts that nobody has sent, signed as the database signs."""
    body = {"look": True}
    text = json.dumps(body, separators=(",", ":"))
    at = str(int(now.timestamp()))
    signed = hmac.new(secret.encode(), f"{at}.{text}".encode(), hashlib.sha256).hexdigest()
    return invoke(settings, URGENT, body, {"X-LetsTrade-Signature": f"t={at},v1={signed}"})
