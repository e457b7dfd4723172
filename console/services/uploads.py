"""Files that leave the desk for Supabase Storage: asked by a person, noted in the audit trail."""

from __future__ import annotations

from console.cloud import files
from console.cloud.files import Uploaded
from console.cloud.project import configured
from console.services.permissions import Action, Actor, authorize
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing


def offered(wiring: Wiring) -> bool:
    """Whether there is a project to upload to."""
    return configured(wiring.settings)


def report(wiring: Wiring, actor: Actor, name: str, body: bytes) -> Uploaded:
    """Upload a backtest's report page; nothing holds the store while the file travels.

    Raises:
        CloudAway, CloudRefused: nothing was put; the page can still be downloaded.
    """
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.BACKTEST)
    done = files.upload(wiring.settings, files.REPORTS, name, body, "text/html; charset=utf-8")
    with writing(wiring.engine) as session:
        note(session, wiring, actor, Action.BACKTEST, f"upload:{done.path}", after={"bytes": done.bytes})
    return done
