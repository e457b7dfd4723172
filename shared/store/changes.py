"""How far each part of the store has moved: the one cheap statement that a look asks before it reads anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select as sa_select
from sqlalchemy import true
from sqlmodel import Session, col, func

from shared.models import Alert, AuditLog, BrokerageAccount, Command, FxRate, Heartbeat


@dataclass(frozen=True, slots=True)
class Numbers:
    """Equal numbers: nothing that the console shows has changed in between.

    Bots count what they write; whatever a person does leaves a row in the audit; alerts are counted by themselves.
    """

    desk: tuple[int, int, int, int]  # newest row of audit, command, rate; number of accounts
    alerts: tuple[int, int, datetime | None]  # newest, how many are open, when one of them was last raised
    accounts: tuple[tuple[int, int, int, str, int, str], ...]  # configuration, health, the bot's number and state


def numbers(session: Session) -> Numbers:
    """Read them all in one statement."""
    opened = col(Alert.acknowledged_at).is_(None)
    desk = sa_select(
        sa_select(func.coalesce(func.max(AuditLog.id), 0)).scalar_subquery().label("audit"),
        sa_select(func.coalesce(func.max(Command.id), 0)).scalar_subquery().label("command"),
        sa_select(func.coalesce(func.max(FxRate.id), 0)).scalar_subquery().label("rate"),
        sa_select(func.coalesce(func.max(Alert.id), 0)).scalar_subquery().label("alert"),
        sa_select(func.count(col(Alert.id))).where(opened).scalar_subquery().label("open_alerts"),
        sa_select(func.max(Alert.last_at)).where(opened).scalar_subquery().label("alerted_at"),
    ).subquery()
    query = (
        sa_select(
            desk,
            col(BrokerageAccount.id),
            col(BrokerageAccount.config_version),
            col(BrokerageAccount.desired_generation),
            col(BrokerageAccount.health_status),
            func.coalesce(col(Heartbeat.change_number), -1),
            func.coalesce(col(Heartbeat.state), ""),
        )
        .select_from(desk.outerjoin(BrokerageAccount, true()))
        .outerjoin(Heartbeat, col(Heartbeat.account_id) == col(BrokerageAccount.id))
        .order_by(col(BrokerageAccount.id))
    )
    rows = session.execute(query).all()
    audit, command, rate, alert, opened_now, alerted_at = rows[0][:6]
    accounts = tuple(tuple(row[6:]) for row in rows if row[6] is not None)
    return Numbers((audit, command, rate, len(accounts)), (alert, opened_now, alerted_at), accounts)
