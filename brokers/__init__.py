"""One seam (contract.py) and the wires behind it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from brokers.contract import Broker, CallLog, Credentials, TokenStore
from shared.clock import Clock
from shared.domain.account import AccountKey, BrokerName, Wire

# Imported when first asked for: a bot carries only its own broker.
ADAPTERS = {BrokerName.KIS: "brokers.kis.adapter", BrokerName.LS: "brokers.ls.adapter"}


def open_broker(
    key: AccountKey,
    credentials: Credentials,
    *,
    clock: Clock,
    token_store: TokenStore,
    call_log: CallLog | None,
    exchange_port_offset: int = 0,
    wire: Wire = Wire.LIVE,
    host_override: Mapping[str, str] | None = None,
) -> Broker:
    """Build the adapter of one account; nothing is sent before its start().

    `exchange_port_offset` and `wire` matter to SIM accounts only. `host_override` (address name → URL) may only repeat
    what the environment's host list allows.

    Raises:
        ConfigError: credentials that cannot be used. DoorClosed: an override points outside the host list.
    """
    broker: Broker = import_module(ADAPTERS[key.broker]).open(
        key,
        credentials,
        clock=clock,
        token_store=token_store,
        call_log=call_log,
        exchange_port_offset=exchange_port_offset,
        wire=wire,
        host_override=host_override,
    )
    return broker
