"""`exchange`: the local exchange, which speaks the brokers' real wire on this machine."""

from __future__ import annotations

import os
from typing import Annotated, Any

import orjson
import typer

from console.cli.output import AsJson, listing, print_json, show
from console.services import exchange_admin
from shared.clock import SystemClock
from shared.config import load_settings

Offset = Annotated[int | None, typer.Option("--port-offset", min=0, help="serve에 준 값 · as given to `serve`")]

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


@app.command()
def ledger(
    after: Annotated[int, typer.Option(min=0, help="이 번호 뒤부터 · events after this seq")] = 0,
    account: Annotated[str, typer.Option(help="계좌번호 · account number")] = "",
    event: Annotated[str, typer.Option("--type", help="ORDER FILL REJECT CASH …")] = "",
    port_offset: Offset = None,
    as_json: AsJson = False,
) -> None:
    """거래소 장부 · What really happened at the exchange."""
    wanted = {"after": after, "account": account, "type": event.upper()}
    told = _ask("GET", "/ledger", port_offset, params={name: value for name, value in wanted.items() if value})
    print_json(told) if as_json else show({"items": told["events"]}, False)


@app.command()
def fault(
    rule: Annotated[str, typer.Argument(metavar="JSON", help='{"match":{"tr":…},"action":"delay",…}')] = "",
    drill: Annotated[str, typer.Option("--drill", metavar="NAME", help="훈련을 시작 · start a fire drill")] = "",
    end: Annotated[str, typer.Option("--end", metavar="NAME", help="훈련을 끝냄 · end a fire drill")] = "",
    drills: Annotated[bool, typer.Option("--drills", help="훈련 목록 · list the fire drills")] = False,
    account: Annotated[str, typer.Option(help="이 계좌만 · this account only")] = "",
    remove: Annotated[str, typer.Option("--remove", metavar="ID", help="지울 번호, all은 모두 · id or all")] = "",
    port_offset: Offset = None,
    as_json: AsJson = False,
) -> None:
    """고장을 심고, 보고, 지웁니다 · Plant a fault; without words, list them with their fired counts."""
    if drills:
        told = _list_drills(port_offset)
    elif drill:
        told = _start_drill(drill, account, port_offset)
    elif end:
        told = _end_drill(end, port_offset)
    elif remove:
        told = _ask("DELETE", "/faults" if remove == "all" else f"/faults/{remove}", port_offset)
    elif rule:
        try:
            told = _ask("POST", "/faults", port_offset, json=orjson.loads(rule))
        except orjson.JSONDecodeError as error:
            raise typer.BadParameter(f"JSON: {error}") from None
    else:
        told = _ask("GET", "/faults", port_offset)
    print_json(told) if as_json or not isinstance(told, dict) else show(told, False)


def _list_drills(port_offset: int | None) -> dict[str, Any]:
    found = exchange_admin.drills(load_settings(), port_offset)
    return listing(
        [{name: one[name] for name in ("name", "case", "ko", "en")} for one in found], SystemClock().wall_now()
    )


def _start_drill(name: str, account: str, port_offset: int | None) -> dict[str, Any]:
    """Start a drill; tells what it does and how it ends."""
    drill, ids = exchange_admin.start(load_settings(), name, account, port_offset)
    told = {name: drill[name] for name in ("name", "ko", "en", "does_ko", "does_en", "ends_ko", "ends_en")}
    return {**told, "faults": ids}


def _end_drill(name: str, port_offset: int | None) -> dict[str, Any]:
    return {"name": name, "removed": exchange_admin.end(load_settings(), name, port_offset)}


def _ask(method: str, path: str, port_offset: int | None, **how: Any) -> Any:
    """Ask the exchange's admin port on this machine."""
    return exchange_admin.ask(load_settings(), method, path, port_offset=port_offset, **how)
