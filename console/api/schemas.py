"""What the REST interface takes and gives."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from console.api.door import Strict
from shared.domain.account import BrokerName, Environment, Market

Amount = Annotated[Decimal, Field(ge=0, max_digits=20, decimal_places=6)]
Name = Annotated[str, Field(min_length=1, max_length=40)]
Reason = Annotated[str, Field(max_length=300)]
Key = Annotated[str, Field(min_length=8, max_length=80, pattern=r"^[\w.:-]+$")]


class KeysIn(Strict):
    app_key: SecretStr
    app_secret: SecretStr
    account_no: SecretStr
    hts_id: SecretStr = SecretStr("")
    confirm: str = Field("", description="LIVE: the account's name")


class AccountIn(KeysIn):
    nickname: Name
    broker: BrokerName
    market: Market
    environment: Environment
    max_order_amount: Amount | None = None
    max_symbol_amount: Amount | None = None
    max_daily_buy: Amount | None = None
    max_daily_loss: Amount | None = None
    max_trades_per_day: Annotated[int, Field(ge=0, le=100_000)] | None = None


class LimitsIn(Strict):
    """Fields that are left out keep their value."""

    max_order_amount: Amount | None = None
    max_symbol_amount: Amount | None = None
    max_daily_buy: Amount | None = None
    max_daily_loss: Amount | None = None
    max_trades_per_day: Annotated[int, Field(ge=0, le=100_000)] | None = None
    reason: Reason


class ToggleIn(Strict):
    enabled: bool
    confirm: str = Field("", description="LIVE: the account's name")
    reason: Reason = ""
    waive: bool = Field(False, description="LIVE rules: without what is missing, with a reason")


class SwitchIn(Strict):
    confirm: str = ""
    reason: Reason = ""


class RuleIn(Strict):
    account_id: int
    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    symbols: str = ""
    max_position: Annotated[int, Field(ge=0, le=10_000_000)] = 1000


class RulePatch(Strict):
    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    symbols: str = ""
    max_position: Annotated[int, Field(ge=0, le=10_000_000)] | None = None


class CancelIn(Strict):
    key: Key | None = Field(None, description="the same key is the same command")


class Page(Strict):
    limit: Annotated[int, Field(ge=1, le=200)] = 100
    before: Annotated[str, Field(max_length=80)] = Field("", description="`next` of the page before")


class OfAccount(Page):
    account_id: int | None = None


class OrdersQuery(OfAccount):
    symbol: Annotated[str, Field(max_length=20)] = ""
    status: Annotated[str, Field(max_length=20)] = ""
    rule_id: int | None = None


class LogsQuery(OfAccount):
    rule_id: int | None = None
    level: Annotated[str, Field(pattern="^(|ERROR|WARNING|INFO|DEBUG)$")] = ""


class AlertsQuery(Strict):
    acknowledged: bool = False
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class RulesQuery(Strict):
    account_id: int | None = None


class Out(BaseModel):
    model_config = ConfigDict(extra="allow")


class AccountOut(Out):
    id: int
    nickname: str
    broker: BrokerName
    market: Market
    environment: Environment
    account_no: str = Field(description="****5678-01, never more")
    enabled: bool
    status: str


class Listing(Out):
    items: list[dict[str, Any]]
    next: str | None = Field(None, description="send as `before` for the next page")
    as_of: datetime


class Problem(Out):
    error: dict[str, Any]
