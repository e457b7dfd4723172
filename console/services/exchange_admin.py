"""The local exchange's own door on this machine: its drills, planted faults and ledger. It serves play money only."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx

from console.services.permissions import refuse
from shared.config import Settings
from shared.domain.errors import TradingError

ANSWER_S = 5.0


@cache
def _door() -> httpx.Client:
    """One for the process, for making one reads every root certificate; no connection is kept, the exchange may restart."""
    return httpx.Client(timeout=ANSWER_S, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def ask(settings: Settings, method: str, path: str, *, port_offset: int | None = None, **how: Any) -> Any:
    """Ask the admin port; a refusal or silence is a TradingError in both languages."""
    port = settings.exchange_port("admin")
    if port_offset is not None:
        port += port_offset - settings.exchange_port_offset
    try:
        reply = _door().request(method, f"http://127.0.0.1:{port}{path}", **how)
    except httpx.TransportError as error:
        raise refuse(TradingError, "exchange_away", settings.lang, port=port, error=type(error).__name__) from error
    try:
        answer = reply.json()
    except ValueError as error:  # something else listens at that port
        raise refuse(TradingError, "exchange_away", settings.lang, port=port, error="no JSON") from error
    if reply.is_error:
        told = answer.get("error", {})
        why = told.get("why", f"HTTP {reply.status_code}")
        raise refuse(
            TradingError, "exchange_refused", settings.lang, what=told.get("what", ""), why=why, now=told.get("now", "")
        )
    return answer


def drills(settings: Settings, port_offset: int | None = None) -> list[dict[str, Any]]:
    """Every fire drill: what it plants, what it does, how it ends."""
    return list(ask(settings, "GET", "/drills", port_offset=port_offset)["drills"])


def drill(settings: Settings, name: str, port_offset: int | None = None) -> dict[str, Any]:
    """One drill by its name."""
    found = drills(settings, port_offset)
    for one in found:
        if one["name"] == name:
            return one
    names = ", ".join(one["name"] for one in found)
    raise refuse(TradingError, "unknown_drill", settings.lang, name=repr(name), names=names)


def start(
    settings: Settings, name: str, account: str, port_offset: int | None = None
) -> tuple[dict[str, Any], list[int]]:
    """Plant a drill's faults, or do what it does to the tape; returns the drill and the ids of what was planted."""
    chosen, ids = drill(settings, name, port_offset), []
    for fault in chosen["faults"]:
        match = {**fault["match"], **({"account": account} if account else {})}
        planted = ask(settings, "POST", "/faults", port_offset=port_offset, json={**fault, "match": match})
        ids.append(int(planted["id"]))
    for action in chosen["tape"]:
        ask(settings, "POST", "/tape", port_offset=port_offset, json=action)
    return chosen, ids


def planted(settings: Settings, chosen: dict[str, Any], port_offset: int | None = None) -> list[dict[str, Any]]:
    """The faults of a drill that stand now, with how often each has struck."""
    faults = ask(settings, "GET", "/faults", port_offset=port_offset)["faults"]
    return [one for one in faults if any(_is_of(one, fault) for fault in chosen["faults"])]


def end(settings: Settings, name: str, port_offset: int | None = None) -> int:
    """Remove what a drill planted and put the tape back; returns how many faults went."""
    chosen, removed = drill(settings, name, port_offset), 0
    for one in planted(settings, chosen, port_offset):
        gone = ask(settings, "DELETE", f"/faults/{one['id']}", port_offset=port_offset)
        removed += int(gone["removed"])
    for action in chosen["after"]:
        ask(settings, "POST", "/tape", port_offset=port_offset, json=action)
    return removed


def number_of(settings: Settings, broker: str, tail: str) -> str | None:
    """The exchange's number of the account whose digits end so; None when there is none, or more than one."""
    end_digits = "".join(one for one in tail if one.isdigit())
    found = {
        str(one["account"])
        for one in ask(settings, "GET", "/accounts")["accounts"]
        if one["broker"] == broker and "".join(c for c in str(one["account"]) if c.isdigit()).endswith(end_digits)
    }
    return found.pop() if end_digits and len(found) == 1 else None


def _is_of(one: dict[str, Any], fault: dict[str, Any]) -> bool:
    """Say whether a planted fault is this one of a drill, whatever account it was planted for."""
    match = {name: value for name, value in one["match"].items() if name != "account"}
    same = all(one[name] == fault[name] for name in ("nth", "count", "action", "args"))
    return same and match == fault["match"]
