"""`exchange`: the local exchange, which speaks the brokers' real wire on this machine."""

from __future__ import annotations

import os

import typer

from shared.config import load_settings

app = typer.Typer(help="The local exchange (SIM): serve it, read its ledger.", no_args_is_help=True)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context) -> int:
    """Serve in the foreground; takes the options of `python -m brokers.paper`."""
    from brokers.paper.__main__ import main

    settings = load_settings()
    os.environ["LETSTRADE_HOME"] = str(settings.home)
    arguments = list(context.args)
    if settings.exchange_port_offset and "--port-offset" not in arguments:
        arguments += ["--port-offset", str(settings.exchange_port_offset)]
    return main(arguments)
