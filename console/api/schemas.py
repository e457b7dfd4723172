"""What the REST interface takes and gives."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StrictBool, WithJsonSchema

from console.api.door import Strict
from shared.domain.account import BrokerName, Environment, Market

ID_MAX = 2**31 - 1


def _money(value: object) -> object:
    """Money comes as text or as a whole number: a float has lost digits before it arrives."""
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError('money is text, for example "1200.50", or a whole number')
    if isinstance(value, str) and not re.fullmatch(_MONEY, value):
        raise ValueError(f"money as text looks like {_MONEY}")
    return value


def _whole(value: object) -> object:
    if isinstance(value, (str, bool)):
        raise ValueError("a whole number is wanted")
    return value


_MONEY = "[0-9]{1,13}([.][0-9]{1,6})?"
_MONEY_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 10**13 - 1},
                           {"type": "string", "pattern": f"^{_MONEY}$"}]}  # fmt: skip
Amount = Annotated[
    Decimal,
    BeforeValidator(_money),
    Field(ge=0, lt=10**13, max_digits=20, decimal_places=6),
    WithJsonSchema(_MONEY_SCHEMA),
]
_SOMETHING = r"^[^\x00]*[!-~\uac00-\ud7a3][^\x00]*$"  # something to read, and nothing that PostgreSQL cannot keep
_ANYTHING = r"^[^\x00]*$"
Name = Annotated[str, Field(min_length=1, max_length=40, pattern=_SOMETHING)]
Reason = Annotated[str, Field(max_length=300, pattern=_ANYTHING)]
Typed = Annotated[str, Field(max_length=100, pattern=_ANYTHING)]
RuleText = Annotated[str, Field(max_length=100_000, pattern=_ANYTHING)]  # what it says is judged as a rule: 409
Symbols = Annotated[str, Field(max_length=2_000, pattern=_ANYTHING)]
Shares = Annotated[int, Field(ge=0, le=10_000_000), BeforeValidator(_whole)]
Trades = Annotated[int, Field(ge=0, le=100_000), BeforeValidator(_whole)]
AccountId = Annotated[int, Field(ge=1, le=ID_MAX)]
Key = Annotated[str, Field(min_length=8, max_length=80, pattern=r"^[A-Za-z0-9_.:-]+$")]


class KeysIn(Strict):
    app_key: SecretStr
    app_secret: SecretStr
    account_no: SecretStr
    hts_id: SecretStr = SecretStr("")
    confirm: Typed = Field("", description="LIVE: the account's name")


class AccountIn(KeysIn):
    nickname: Name
    broker: BrokerName
    market: Market
    environment: Environment
    max_order_amount: Amount | None = None
    max_symbol_amount: Amount | None = None
    max_daily_buy: Amount | None = None
    max_daily_loss: Amount | None = None
    max_trades_per_day: Trades | None = None


class LimitsIn(Strict):
    """Fields that are left out keep their value."""

    max_order_amount: Amount | None = None
    max_symbol_amount: Amount | None = None
    max_daily_buy: Amount | None = None
    max_daily_loss: Amount | None = None
    max_trades_per_day: Trades | None = None
    reason: Reason


class ToggleIn(Strict):
    enabled: StrictBool
    confirm: Typed = Field("", description="LIVE: the account's name")
    reason: Reason = ""
    waive: StrictBool = Field(False, description="LIVE rules: without what is missing, with a reason")


class SwitchIn(Strict):
    confirm: Typed = ""
    reason: Reason = ""


class RuleIn(Strict):
    account_id: Annotated[AccountId, BeforeValidator(_whole)]
    text: RuleText
    symbols: Symbols = ""
    max_position: Shares = 1000


class RulePatch(Strict):
    text: RuleText
    symbols: Symbols = ""
    max_position: Shares | None = None


class CancelIn(Strict):
    key: Key | None = Field(None, description="the same key is the same command")


class ApproveIn(Strict):
    confirm: Typed = Field("", description="LIVE: the account's name")


class DeclineIn(Strict):
    """Nothing to say beside the no."""


class Page(Strict):
    limit: Annotated[int, Field(ge=1, le=200)] = 100
    before: Annotated[str, Field(pattern=r"^[0-9]{0,9}$")] = Field("", description="`next` of the page before")


class OfAccount(Page):
    account_id: AccountId | None = None


class OrdersQuery(OfAccount):
    before: Annotated[str, Field(pattern=r"^([0-9]{1,16}-[0-9]{1,9})?$")] = Field(
        "", description="`next` of the page before"
    )
    symbol: Annotated[str, Field(max_length=20, pattern=_ANYTHING)] = ""
    status: Annotated[str, Field(max_length=20, pattern=_ANYTHING)] = ""
    rule_id: AccountId | None = None


class LogsQuery(OfAccount):
    rule_id: AccountId | None = None
    level: Annotated[str, Field(pattern="^(|ERROR|WARNING|INFO|DEBUG)$")] = ""


class AlertsQuery(Strict):
    acknowledged: bool = False
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class RulesQuery(Strict):
    account_id: AccountId | None = None


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


PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem} for code in (400, 401, 403, 404, 409, 412, 413, 422, 429)
}
