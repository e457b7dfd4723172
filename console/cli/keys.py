"""`keys rotate`: a new master key; every sealed field is sealed again under it, beside running bots."""

from __future__ import annotations

import typer
from sqlmodel import Session

from console.cli.desk import open_desk
from console.cli.output import AsJson, show, tell
from shared.db import writing
from shared.store import audit
from shared.store.rotation import rewrap
from shared.store.rotation import rotate as rotate_keys

app = typer.Typer(help="The master key that opens sealed credentials.", no_args_is_help=True)


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Make a new master key, seal everything again, then drop the old key.

    The desk may run: bots and console take the new key with the next thing they seal. Cut at any point it can be run
    again: until the end the file holds both keys and both open.
    """
    desk = open_desk()
    wired, actor = desk.wiring, desk.actor

    def note(session: Session, key_id: str, fields: int) -> None:
        audit.record(
            session,
            wired.clock.wall_now(),
            actor=actor.label,
            action="keys.rotate",
            source=actor.source,
            after={"key_id": key_id, "fields": fields},
        )

    key_id, changed = rotate_keys(wired.settings, wired.engine, note, lambda step: tell(f"  {step}"))
    show({"sealed_again": changed, "key_id": key_id}, as_json)


@app.command("rotate-kek")
def rotate_kek(as_json: AsJson = False) -> None:
    """키를 감싸는 키를 바꿉니다 · Wrap the master key file with the key that LETSTRADE_KEK names now.

    With `file:` a new one is made; with `aws-kms:` the key or alias is asked. The desk may run: the master key itself
    stays the same. Coming from another provider, name it in LETSTRADE_KEK_BEFORE for this one run.
    """
    desk = open_desk()
    wired, actor = desk.wiring, desk.actor
    wrapped = rewrap(wired.settings)
    provider = wired.settings.kek.partition(":")[0] or "none"
    with writing(wired.engine) as session:
        audit.record(
            session, wired.clock.wall_now(), actor=actor.label, action="keys.rotate_kek", source=actor.source,
            after={"provider": provider, "keys": wrapped},
        )  # fmt: skip
    show({"wrapped": wrapped, "provider": provider}, as_json)
