"""`db`: the schema of the store."""

from __future__ import annotations

import typer

from console.cli.output import FAILED, AsJson, show
from shared import schema
from shared.config import load_settings
from shared.db import open_engine

app = typer.Typer(help="The store: upgrade and check its schema.", no_args_is_help=True)


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Run every missing migration."""
    engine = open_engine(load_settings().database_url)
    before = schema.current(engine)
    schema.upgrade(engine)
    show({"before": before, "after": schema.current(engine)}, as_json)


@app.command()
def check(as_json: AsJson = False) -> int:
    """Compare the store with this program: revision and columns."""
    engine = open_engine(load_settings().database_url)
    found, wanted, drift = schema.current(engine), schema.head(), []
    if found == wanted:
        drift = schema.drift(engine)
    ok = found == wanted and not drift
    show({"ok": ok, "revision": found, "needed": wanted, "differences": drift}, as_json)
    return 0 if ok else FAILED
