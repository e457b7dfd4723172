"""LS behind the broker contract: one account, in its market and environment."""

from __future__ import annotations

from collections.abc import Mapping

from brokers.contract import Broker, CallLog, Credentials, TokenStore
from brokers.http import Door, Mask
from brokers.ls import codec, tr
from brokers.ls.auth import Auth
from brokers.ls.krx import LsKrx
from brokers.ls.rest import Rest
from brokers.ls.us import LsUs
from brokers.pacing import Pacer
from shared.clock import Clock
from shared.domain.account import AccountKey, Market, Wire
from shared.domain.errors import ConfigError

ADAPTERS: dict[Market, type[LsKrx] | type[LsUs]] = {Market.KRX: LsKrx, Market.US: LsUs}


def open(
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
    """Build the adapter of one LS account; nothing is sent before start().

    Raises:
        ConfigError: the credentials cannot be any.
        DoorClosed: an override points outside the environment's host list.
    """
    if not credentials.app_key or not credentials.app_secret:
        raise ConfigError("the credentials cannot be used", "app key or secret is missing", "enter both")
    if key.market is Market.US and wire is Wire.MOCK:
        raise ConfigError(
            "LS 모의투자에는 미국주식이 없습니다 / LS mock trading has no US shares",
            "LS가 모의투자에 해외주식을 열지 않습니다 / LS does not offer it",
            "실투자 쪽을 쓰십시오. / Use the live side.",
        )
    site = tr.site(key.environment, wire, exchange_port_offset, host_override)
    whole = Pacer(tr.LS, tr.WHOLE_PACE, clock)
    pacers = {one.code: Pacer(tr.LS, one.pace, clock) for one in tr.TRS.values()}
    secrets = (credentials.app_key, credentials.app_secret, credentials.account_no, credentials.hts_id)
    door = Door(tr.LS, site.hosts, whole, clock, codec.judge, Mask(tr.MASKED_FIELDS, secrets), call_log)
    auth = Auth(door, site, credentials, clock, token_store, pacers[tr.PROBE.code])
    return ADAPTERS[key.market](key, site, clock, whole, door, auth, Rest(door, auth, site, pacers))
