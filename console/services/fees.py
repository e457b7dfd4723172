"""Negotiated fees as dated contracts, and what the broker charged against what we reckoned, day by day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from console.services import profit
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import BrokerName, Market
from shared.domain.errors import Conflict, NotFound
from shared.domain.fees import default_contract
from shared.domain.trading_days import ZONES
from shared.models import BrokerageAccount, FeeContract, PeriodProfit
from shared.store import fees

HIGHEST_PCT = Decimal(5)


@dataclass(frozen=True, slots=True)
class ContractLine:
    id: int | None  # None: the published rate, where no contract is written down
    account_id: int
    account: str
    environment: str
    since: date | None
    until: date | None
    buy_pct: Decimal
    sell_pct: Decimal
    note: str
    days_left: int | None  # of the one in force; None: it has no end


@dataclass(frozen=True, slots=True)
class Difference:
    """One account's day: our fees and taxes, and the broker's, both of the sales alone where it tells only those.

    A figure that it did not tell is None.
    """

    account_id: int
    account: str
    environment: str
    day: date
    currency: str
    fees: Decimal
    told_fees: Decimal | None
    taxes: Decimal
    told_taxes: Decimal | None
    gain: Decimal | None  # realised by lots, the sale's costs deducted; None: the purchase was not seen
    told_gain: Decimal | None
    of_sales: bool

    @property
    def fee_off(self) -> Decimal | None:
        return None if self.told_fees is None else self.told_fees - self.fees

    @property
    def tax_off(self) -> Decimal | None:
        return None if self.told_taxes is None else self.told_taxes - self.taxes


def contracts(wiring: Wiring, actor: Actor) -> list[ContractLine]:
    """Every contract, and the published rate of accounts that have none in force."""
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        accounts = [row for row in visible_accounts(session, actor) if row.id is not None]
        known = fees.by_account(session)
    lines = []
    for account in accounts:
        today = now.astimezone(ZONES[Market(account.market)]).date()  # a contract begins on the market's own day
        rows = [_line(row, account, today) for row in known.get(account.id or 0, [])]
        if not any(_runs(row, today) for row in rows):
            pct = default_contract(BrokerName(account.broker), Market(account.market))
            rows.append(
                ContractLine(
                    None, account.id or 0, account.nickname, account.environment, None, None, pct.buy_pct, pct.sell_pct,
                    "", None,
                )
            )  # fmt: skip
        lines += rows
    return lines


def add(
    wiring: Wiring, actor: Actor, account_id: int, *, since: date, until: date | None, buy_pct: Decimal,
    sell_pct: Decimal, remark: str = "",
) -> None:  # fmt: skip
    """Write down what was agreed with the broker; of several in force the one that began last counts.

    Raises:
        Conflict: the dates cross, a rate is none, or another contract begins on the same day.
    """
    if until is not None and until < since:
        raise refuse(Conflict, "bad_fee", actor.lang, why=f"{since} > {until}")
    if not all(Decimal(0) <= pct <= HIGHEST_PCT for pct in (buy_pct, sell_pct)):
        raise refuse(Conflict, "bad_fee", actor.lang, why=f"{buy_pct} % / {sell_pct} %")
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.FEE_CONTRACT, account_id)
        if session.get(BrokerageAccount, account_id) is None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        known = fees.by_account(session).get(account_id, [])
        if any(row.effective_from == since.isoformat() for row in known):
            raise refuse(Conflict, "bad_fee", actor.lang, why=str(since))
        session.add(
            FeeContract(
                account_id=account_id, effective_from=since.isoformat(), buy_pct=buy_pct, sell_pct=sell_pct, note=remark,
                effective_to=None if until is None else until.isoformat(),
            )
        )  # fmt: skip
        after = {"since": str(since), "until": str(until), "buy_pct": f"{buy_pct:f}", "sell_pct": f"{sell_pct:f}"}
        note(session, wiring, actor, Action.FEE_CONTRACT, f"account:{account_id}", account_id=account_id, after=after)


def differences(wiring: Wiring, actor: Actor, since: date, until: date) -> list[Difference]:
    """Days of which the broker told its own figures, newest first."""
    view = profit.statement(wiring, actor, since, until)
    with reading(wiring.engine) as session:
        told = fees.told(session, view.accounts.keys(), since, until)
    ours: dict[tuple[int, str], list[profit.Day]] = defaultdict(list)
    for day in view.days:
        ours[day.account_id, day.day.isoformat()].append(day)
    found = []
    for row in told:
        days = ours.get((row.account_id, row.trade_date), [])
        found.append(_difference(row, days, view))
    return found


def _difference(row: PeriodProfit, days: list[profit.Day], view: profit.Statement) -> Difference:
    ours = sum((day.sell_fees if row.of_sales else day.fees for day in days), Decimal(0))
    taxes = sum((day.taxes for day in days), Decimal(0))
    # A realised profit deducts what the sale cost, at both brokers; what the purchase cost is in no day's figure.
    gain = sum((day.gain - day.sell_fees for day in days), Decimal(0)) - taxes
    together = row.fees is not None and row.taxes is None  # told as one figure
    return Difference(
        account_id=row.account_id,
        account=view.accounts[row.account_id],
        environment=view.environments[row.account_id],
        day=date.fromisoformat(row.trade_date),
        currency=row.currency,
        fees=ours + taxes if together else ours,
        told_fees=row.fees,
        taxes=taxes,
        told_taxes=row.taxes,
        gain=None if any(day.unknown for day in days) else gain,
        told_gain=row.realized_pnl,
        of_sales=bool(row.of_sales),
    )


def _line(row: FeeContract, account: BrokerageAccount, today: date) -> ContractLine:
    since = date.fromisoformat(row.effective_from)
    until = None if row.effective_to is None else date.fromisoformat(row.effective_to)
    left = (until - today).days if until is not None and since <= today <= until else None
    return ContractLine(
        row.id, row.account_id, account.nickname, account.environment, since, until, row.buy_pct, row.sell_pct, row.note,
        left,
    )  # fmt: skip


def _runs(line: ContractLine, today: date) -> bool:
    return line.since is not None and line.since <= today and (line.until is None or today <= line.until)
