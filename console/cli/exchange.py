"""`exchange`: the local exchange, which speaks the brokers' real wire on this machine."""

from __future__ import annotations

import os
from typing import Annotated, Any

import httpx
import orjson
import typer

from console.cli.output import AsJson, print_json, show
from shared.config import load_settings
from shared.domain.errors import TradingError

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
    remove: Annotated[str, typer.Option("--remove", metavar="ID", help="지울 번호, all은 모두 · id or all")] = "",
    port_offset: Offset = None,
    as_json: AsJson = False,
) -> None:
    """고장을 심고, 보고, 지웁니다 · Plant a fault; without words, list them with their fired counts."""
    if remove:
        told = _ask("DELETE", "/faults" if remove == "all" else f"/faults/{remove}", port_offset)
    elif rule:
        try:
            told = _ask("POST", "/faults", port_offset, json=orjson.loads(rule))
        except orjson.JSONDecodeError as error:
            raise typer.BadParameter(f"JSON: {error}") from None
    else:
        told = _ask("GET", "/faults", port_offset)
    print_json(told) if as_json or not isinstance(told, dict) else show(told, False)


def _ask(method: str, path: str, port_offset: int | None, **how: Any) -> Any:
    """Ask the exchange's admin port on this machine."""
    settings = load_settings()
    port = settings.exchange_port("admin")
    if port_offset is not None:
        port += port_offset - settings.exchange_port_offset
    try:
        reply = httpx.request(method, f"http://127.0.0.1:{port}{path}", timeout=10, trust_env=False, **how)
    except httpx.TransportError as error:
        raise TradingError(
            "로컬 거래소가 답하지 않습니다 (the local exchange does not answer)",
            f"127.0.0.1:{port} {type(error).__name__}",
            "letstrade exchange serve",
            code="exchange_away",
        ) from error
    if reply.is_error:
        told = reply.json().get("error", {})
        raise TradingError(
            told.get("what", "로컬 거래소가 거절했습니다 (the local exchange refused)"),
            told.get("why", str(reply.status_code)),
            told.get("now", ""),
            told.get("code", "refused"),
        )
    return reply.json()
