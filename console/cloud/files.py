"""Files of the desk in Supabase Storage: backtest reports and support bundles, in a private bucket of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from console.cloud.project import asking, client, project_of
from shared.config import Settings

BUCKET = "letstrade"
REPORTS, BUNDLES = "reports", "support"
LINK_LIFE_S = 7 * 86400
_INSTEAD = "the file stays on this machine; upload it again later with `letstrade cloud upload`"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Where a file went: its path in the bucket, and a link that opens it for a week without a sign-in."""

    path: str
    bytes: int
    url: str


def upload(settings: Settings, folder: str, name: str, body: bytes, kind: str) -> Uploaded:
    """Put a file into the project, over one of the same name; the private bucket is made when it is missing.

    Raises:
        CloudAway: nothing was put; the file on this machine is as it was. CloudRefused: key or policy says no.
    """
    project = project_of(settings)
    path = f"{folder}/{Path(name).name}"
    with asking("Storage", instead=_INSTEAD):
        storage = client(project, project.server_key).storage
        if BUCKET not in {one.id for one in storage.list_buckets()}:
            storage.create_bucket(BUCKET, options={"public": False})
        bucket = storage.from_(BUCKET)
        bucket.upload(path, body, {"content-type": kind, "upsert": "true"})
        link = bucket.create_signed_url(path, LINK_LIFE_S)
    return Uploaded(path, len(body), link["signedURL"])
