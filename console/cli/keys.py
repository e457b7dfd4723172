"""`keys rotate`: a new master key; every sealed field is sealed again under it."""

from __future__ import annotations

import base64

import typer

from console.cli.desk import open_desk
from console.cli.output import AsJson, show, tell
from console.services.permissions import Actor
from console.wiring import Wiring
from shared import crypto
from shared.db import writing
from shared.domain.errors import Conflict
from shared.store import audit
from shared.store import secrets as sealed

app = typer.Typer(help="The master key that opens sealed credentials.", no_args_is_help=True)


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Make a new master key, seal everything again, then drop the old key.

    Cut at any point it can be run again: until the end the file holds both keys and both open. Bots read the key file
    at their start; those that run keep working with what they already opened.
    """
    desk = open_desk()
    wired, actor = desk.wiring, desk.actor
    settings = wired.settings
    if settings.master_key is not None:
        raise Conflict(
            "the master key comes from LETSTRADE_MASTER_KEY",
            "this program cannot change an environment variable",
            "put a new key in front of the old one there, separated by a comma, and run `keys rotate` again without it",
        )
    old = settings.master_key_file.read_text(encoding="utf-8").split()
    fresh = old if len(old) > 1 else [base64.b64encode(crypto.new_private_key()).decode(), *old]
    crypto.write_secret_file(settings.master_key_file, "\n".join(fresh) + "\n")
    changed = _reseal(wired, actor)
    crypto.write_secret_file(settings.master_key_file, fresh[0] + "\n")
    show({"sealed_again": changed, "key_id": crypto.load_private(settings).current().key_id.hex()}, as_json)


def _reseal(wired: Wiring, actor: Actor) -> int:
    ring = crypto.load_private(wired.settings)
    # The console seals under the new key from here on, so nothing new appears under the old one.
    crypto.write_public(wired.settings, ring.current())
    with writing(wired.engine) as session:
        changed = sealed.reseal_all(session, ring, lambda what: tell(f"  {what}"))
        audit.record(
            session,
            wired.clock.wall_now(),
            actor=actor.label,
            action="keys.rotate",
            source=actor.source,
            after={"key_id": ring.current().key_id.hex(), "fields": changed},
        )
    return changed
