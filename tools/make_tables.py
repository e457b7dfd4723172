"""Write shared/tables.py: the tables that bots speak to, as plain columns, from the models in shared/models."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import Boolean, Float, Integer, String
from sqlmodel import SQLModel

from shared import models
from shared.columns import ExactDecimal, Instant, Json
from shared.config import ROOT

FILE = ROOT / "shared" / "tables.py"
LINE = 120
MODELS: dict[str, type[SQLModel]] = {
    "accounts": models.BrokerageAccount,
    "alerts": models.Alert,
    "audit_logs": models.AuditLog,
    "bars": models.PriceBar,
    "broker_tokens": models.BrokerToken,
    "cash": models.CashBalance,
    "commands": models.Command,
    "credentials": models.ApiCredential,
    "decisions": models.DecisionRow,
    "equity": models.EquitySnapshot,
    "execution_logs": models.ExecutionLog,
    "fills": models.FillRow,
    "fx_rates": models.FxRate,
    "heartbeats": models.Heartbeat,
    "hosts": models.Host,
    "instruments": models.InstrumentRow,
    "job_runs": models.JobRun,
    "kill_switches": models.KillSwitch,
    "leases": models.Lease,
    "meta": models.Meta,
    "order_events": models.OrderEvent,
    "orders": models.OrderRow,
    "owners": models.Owner,
    "paused_jobs": models.PausedJob,
    "period_profits": models.PeriodProfit,
    "positions": models.PositionRow,
    "proposals": models.Proposal,
    "quotes": models.QuoteRow,
    "rule_versions": models.RuleVersion,
    "rules": models.TradeRule,
    "scheduled_jobs": models.ScheduledJob,
    "signals": models.StrategySignal,
    "vitals": models.BotVitals,
}
HEAD = '''"""The tables that bots speak to, as plain columns: written by tools/make_tables.py from shared/models, never by hand.

A bot carries no mapped classes (docs/decisions/0010-no-orm-in-a-bot.md); console and command line do, of the same tables.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Float, Integer, String, TableClause, column, table

from shared.columns import ExactDecimal, Instant, Json

_AT, _FLAG, _INT, _JSON, _MONEY, _REAL, _TEXT = (
    Instant(), Boolean(), Integer(), Json(), ExactDecimal(), Float(), String(),
)  # fmt: skip


def _table(_name: str, /, **types: Any) -> TableClause:
    return table(_name, *[column(name, kind) for name, kind in types.items()])


def fresh(of: TableClause, **given: Any) -> dict[str, Any]:
    """A whole new row: what is `given`, and the defaults of the rest."""
    return {name: default() if callable(default) else default for name, default in DEFAULTS[of.name].items()} | given


# fmt: off
'''


def document() -> str:
    """The file's text."""
    tables = [
        _wrapped(f"{name} = _table({model.__tablename__!r}".replace("'", '"'), _types(model), ")")
        for name, model in MODELS.items()
    ]
    defaults = [
        _wrapped(f"    {str(model.__tablename__)!r}: {{".replace("'", '"'), found, "},")
        for model in MODELS.values()
        for found in (_defaults(model),)
    ]
    told = [
        "DEFAULTS: dict[str, dict[str, Any]] = {  # what the models give to a column left out; others must be given"
    ]
    return HEAD + "\n".join([*tables, "", *told, *defaults, "}"]) + "\n"


def _types(model: type[SQLModel]) -> list[str]:
    return ["", *(f"{column.name}={_kind(column.type)}" for column in _columns(model))]


def _kind(kind: Any) -> str:
    names = {Instant: "_AT", Boolean: "_FLAG", Integer: "_INT", Json: "_JSON", ExactDecimal: "_MONEY", Float: "_REAL"}
    if type(kind) in names:
        return names[type(kind)]
    assert isinstance(kind, String) or isinstance(kind.impl, String), kind
    return "_TEXT"


def _defaults(model: type[SQLModel]) -> list[str]:
    found = []
    for one in _columns(model):
        field = model.model_fields[one.name]
        if not field.is_required() and not (one.primary_key and field.default is None):
            value = field.default_factory if field.default_factory is not None else field.default
            if value not in (dict, list) and callable(value):
                continue  # a new uuid: whoever adds the row makes it, for what is sealed in it is bound to it
            found.append(f'"{one.name}": {_literal(value)}')
    return found


def _literal(value: Any) -> str:
    if value in (dict, list):
        return str(value.__name__)
    if isinstance(value, Decimal):
        return f'Decimal("{value}")'
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _columns(model: type[SQLModel]) -> list[Any]:
    return list(model.__table__.columns)  # type: ignore[attr-defined]


def _wrapped(head: str, parts: list[str], tail: str) -> str:
    """Parts joined by commas, in lines that are not too long."""
    lines, line = [], head
    for number, part in enumerate(parts):
        more = part if number == 0 else f", {part}"
        if len(line) + len(more) + len(tail) > LINE - 1 and number:
            lines.append(line + ",")
            line = " " * (8 if head.startswith(" ") else 4) + part
        else:
            line += more
    return "\n".join([*lines, line + tail])


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
