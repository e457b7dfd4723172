"""Fees by contract, tax per owner over his accounts, returns, and files for a spreadsheet: figures reckoned by hand."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlmodel import Session, col, delete, select

from console.services import fees, gains, profit, returns, sheets
from console.services.costs import contract_on
from shared.db import reading, writing
from shared.domain.errors import Conflict
from shared.domain.gains import LotMethod
from shared.domain.sessions import KST
from shared.models import (
    BrokerageAccount,
    EquitySnapshot,
    FeeContract,
    FillRow,
    FxRate,
    InstrumentRow,
    OrderRow,
    Owner,
    Role,
)
from shared.store import fx
from tests.console.desks import Desk

US, KRX, MOCK = "미국 주식 1호", "국내 단타", "모의 검증"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def rates(desk: Desk, **by_day: str) -> None:
    """Nothing but these rates: d2026_01_06="1300" is told at nine in Seoul."""
    with writing(desk.wiring.engine) as session:
        session.execute(delete(FxRate))
        for day, won in by_day.items():
            at = datetime.fromisoformat(f"{day[1:].replace('_', '-')}T09:00+09:00")
            fx.record(session, base="USD", quote="KRW", rate=D(won), source="LIVE KIS", at=at)


def fill(
    desk: Desk, account: str, side: str, qty: int, price: str, at: str, symbol: str = "NVDA", order: int = 0
) -> int:
    """One execution in New York or Seoul; `order` adds it to an order that is there."""
    when = datetime.fromisoformat(at)
    with writing(desk.wiring.engine) as session:
        account_id = desk.accounts[account]
        if not order:
            row = OrderRow(
                account_id=account_id, client_order_id=f"{symbol}{side}{at}{price}", symbol=symbol, side=side, qty=qty,
                status="FILLED", placed_at=when, updated_at=when,
            )  # fmt: skip
            session.add(row)
            session.flush()
            order = row.id or 0
        session.add(
            FillRow(
                order_id=order, account_id=account_id, execution_id=f"{order}:{at}:{qty}:{price}", symbol=symbol, side=side,
                qty=qty, price=D(price), currency="USD" if account == US else "KRW", filled_at=when, recorded_at=when,
            )
        )  # fmt: skip
    return order


def no_fills(desk: Desk) -> None:
    with writing(desk.wiring.engine) as session:
        session.execute(delete(FillRow))


def test_an_owners_tax_takes_each_leg_at_its_settlement_days_rate(desk: Desk) -> None:
    """Bought Mon 2026-01-05 (settles Tue, 1300), sold Tue 2026-03-03 (settles Wed, 1450); 0.25 % and SEC's fee."""
    no_fills(desk)
    rates(desk, d2026_01_05="9999", d2026_01_06="1300", d2026_03_03="9999", d2026_03_04="1450", d2026_03_09="8888")
    fill(desk, US, "BUY", 100, "150", "2026-01-05T10:00-05:00")
    fill(desk, US, "SELL", 100, "200", "2026-03-03T10:00-05:00")
    found = gains.of_year(desk.wiring, desk.actor(Role.ADMIN), 2026, LotMethod.FIFO)
    (sale,) = [one.sale for one in found.sales]
    # 2026-03-03: SEC's fee is 0 until 2026-04-04, TAF 100 × 0.000195 = 0.0195 → 0.02
    buy_fee, sell_fee = D("37.50"), D("50.00") + D("0.02")
    expected = D(20_000) * 1450 - D(15_000) * 1300 - buy_fee * 1300 - sell_fee * 1450
    assert (sale.bought_on, sale.sold_on) == (date(2026, 1, 6), date(2026, 3, 4))
    assert sale.gain_won == expected
    (owner,) = [one for one in found.owners if one.tax.sales]
    assert owner.tax.gain_won == expected == D(9_378_721)
    assert (owner.tax.allowance_used, owner.tax.allowance_left) == (2_500_000, 0)
    assert owner.tax.tax == D(1_513_318)  # (9,378,721 - 2,500,000) × 22 % = 1,513,318.62


def test_a_sale_of_december_that_settles_in_january_counts_to_the_new_year(desk: Desk) -> None:
    no_fills(desk)
    rates(desk, d2025_12_01="1400", d2025_12_31="1440", d2026_01_02="1445")
    fill(desk, US, "BUY", 1, "100", "2025-12-01T10:00-05:00")
    fill(desk, US, "SELL", 1, "110", "2025-12-31T10:00-05:00")
    admin = desk.actor(Role.ADMIN)
    assert gains.of_year(desk.wiring, admin, 2025).sales == ()
    assert [one.sale.sold_on for one in gains.of_year(desk.wiring, admin, 2026).sales] == [date(2026, 1, 2)]


def test_accounts_of_one_owner_meet_and_another_owners_do_not(desk: Desk) -> None:
    no_fills(desk)
    desk = replace(desk, accounts=dict(desk.accounts))
    rates(desk, d2026_01_06="1000", d2026_03_04="1000")
    with writing(desk.wiring.engine) as session:
        other = Owner(name="다른 주인", created_at=desk.wiring.clock.wall_now())
        session.add(other)
        session.flush()
        first = session.get(BrokerageAccount, desk.accounts[US])
        assert first is not None
        for name, owner in (("둘째", first.owner_id), ("남의 것", other.id)):
            row = BrokerageAccount(
                owner_id=owner or 0, nickname=name, broker="LS", market="US", environment=first.environment,
                created_at=first.created_at,
            )  # fmt: skip
            session.add(row)
            session.flush()
            desk.accounts[name] = row.id or 0
    for name, price in ((US, "200"), ("둘째", "90"), ("남의 것", "300")):
        fill(desk, name, "BUY", 10, "100", "2026-01-05T10:00-05:00")
        fill(desk, name, "SELL", 10, price, "2026-03-03T10:00-05:00")
    owners = {one.owner: one for one in gains.of_year(desk.wiring, desk.actor(Role.ADMIN), 2026).owners}
    mine, theirs = (owners[name].tax for name in sorted(owners, key=lambda one: one == "다른 주인"))
    # +1,000,000 and -100,000 won, less fees: 2.50 + 5.00 + 0.01, and 2.50 + 2.25 + 0.01 dollars at 1000
    assert mine.gain_won == D(900_000) - D(7_510) - D(4_760) and mine.sales == 2
    assert theirs.gain_won == D(2_000_000) - D(2_500) - D(7_500) - D(10)


def test_a_rate_that_is_too_old_for_the_day_is_none_and_no_sum_is_told(desk: Desk) -> None:
    no_fills(desk)
    rates(desk, d2026_01_06="1300")
    fill(desk, US, "BUY", 1, "100", "2026-01-05T10:00-05:00")
    fill(desk, US, "SELL", 1, "110", "2026-03-03T10:00-05:00")
    found = gains.of_year(desk.wiring, desk.actor(Role.ADMIN), 2026)
    assert found.lines[0].gain_won is None and found.lines[0].gain > 0
    (owner,) = [one for one in found.owners if one.tax.sales]
    assert owner.tax.tax is None and owner.tax.without_rate == 1


def test_the_contract_of_the_day_replaces_the_published_rate_and_an_order_is_rounded_once(desk: Desk) -> None:
    no_fills(desk)
    rates(desk, d2026_11_02="1400")
    admin, account = desk.actor(Role.ADMIN), desk.accounts[US]
    fees.add(
        desk.wiring,
        admin,
        account,
        since=date(2026, 11, 1),
        until=date(2026, 11, 30),
        buy_pct=D("0.07"),
        sell_pct=D("0.1"),
    )
    order = fill(desk, US, "BUY", 1, "33.33", "2026-11-03T10:00-05:00")
    for second in ("01", "02"):
        fill(desk, US, "BUY", 1, "33.33", f"2026-11-03T10:00:{second}-05:00", order=order)
    fill(desk, US, "BUY", 1, "100", "2026-12-01T10:00-05:00")
    view = profit.statement(desk.wiring, admin, date(2026, 11, 1), date(2026, 12, 31))
    by_day = {day.day: day.fees for day in view.days if day.account_id == account}
    # 99.99 × 0.07 % = 0.069993 → 0.07, not three times 0.02; in December the published 0.25 % again
    assert by_day == {date(2026, 11, 3): D("0.07"), date(2026, 12, 1): D("0.25")}


def test_an_etf_pays_no_tax_and_kosdaq_no_rural_tax(desk: Desk) -> None:
    no_fills(desk)
    with writing(desk.wiring.engine) as session:
        for symbol, kind, board in (
            ("069500", "etf", "KOSPI"),
            ("247540", "stock", "KOSDAQ"),
            ("005930", "stock", "KOSPI"),
        ):
            session.execute(delete(InstrumentRow).where(InstrumentRow.symbol == symbol))  # type: ignore[arg-type]
            session.add(
                InstrumentRow(
                    market="KRX", symbol=symbol, venue="KRX", currency="KRW", type=kind, board=board,
                    fetched_at=desk.wiring.clock.wall_now(),
                )
            )  # fmt: skip
    taxes = {}
    for number, symbol in enumerate(("069500", "247540", "005930")):
        day = date(2026, 11, 3 + number)
        fill(desk, KRX, "SELL", 10, "12345", f"{day}T10:00+09:00", symbol)
        view = profit.statement(desk.wiring, desk.actor(Role.ADMIN), day, day)
        taxes[symbol] = sum(one.taxes for one in view.days)
    # 123,450: KOSDAQ 0.20 % = 246.9 → 246; KOSPI 0.05 % = 61.725 → 61 and 0.15 % = 185.175 → 185
    assert taxes == {"069500": 0, "247540": 246, "005930": 246}


def test_contracts_are_checked_and_the_latest_to_begin_counts(desk: Desk) -> None:
    rows = [
        FeeContract(id=1, account_id=1, effective_from="2026-01-01", buy_pct=D("0.2"), sell_pct=D("0.2")),
        FeeContract(
            id=2,
            account_id=1,
            effective_from="2026-06-01",
            effective_to="2026-06-30",
            buy_pct=D("0.1"),
            sell_pct=D("0.1"),
        ),
    ]
    found = [contract_on(rows, date(2026, month, 15)) for month in (5, 6, 7)]
    assert [one.buy_pct for one in found if one] == [D("0.2"), D("0.1"), D("0.2")]
    assert contract_on(rows, date(2025, 12, 31)) is None
    for wrong in (
        {"since": date(2026, 2, 1), "until": date(2026, 1, 1), "buy_pct": D(0), "sell_pct": D(0)},
        {"since": date(2026, 2, 1), "until": None, "buy_pct": D(-1), "sell_pct": D(0)},
        {"since": date(2026, 2, 1), "until": None, "buy_pct": D(6), "sell_pct": D(0)},
    ):
        with pytest.raises(Conflict):
            fees.add(desk.wiring, desk.actor(Role.ADMIN), desk.accounts[US], **wrong)  # type: ignore[arg-type]
    lines = fees.contracts(desk.wiring, desk.actor(Role.ADMIN))
    assert {line.buy_pct for line in lines if line.account == US and line.since is None} == {D("0.25")}


def test_money_paid_in_is_no_return(desk: Desk) -> None:
    """The worked example of markets.md §9: +4.5 % by time, 0.0 % simple."""
    account, now = desk.accounts[MOCK], desk.wiring.clock.wall_now().replace(minute=30)
    with writing(desk.wiring.engine) as session:
        session.execute(delete(EquitySnapshot))
        for days, won in ((40, 1_000_000), (20, 1_100_000), (19, 2_000_000), (1, 1_900_000)):
            at = now - timedelta(days=days)
            session.add(EquitySnapshot(account_id=account, at=at, currency="KRW", equity=D(won), cash=D(won)))
    admin = desk.actor(Role.ADMIN)
    returns.record_flow(desk.wiring, admin, account, D(900_000), now - timedelta(days=19, hours=1))
    (line,) = returns.listed(desk.wiring, admin, now - timedelta(days=60))
    assert (line.time_weighted, line.simple, line.paid_in) == (D("0.045"), D(0), D(900_000))
    assert line.money_weighted is not None and abs(line.money_weighted) < D("1e-9")  # what came in is what is there
    with pytest.raises(Conflict):
        returns.record_flow(desk.wiring, admin, account, D(0), now)
    with pytest.raises(Conflict):
        returns.record_flow(desk.wiring, admin, account, D(5), now + timedelta(days=2))


def test_a_made_up_rate_counts_only_where_nobody_told_a_real_one(desk: Desk) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    with writing(desk.wiring.engine) as session:
        session.execute(delete(FxRate))
        fx.record(session, base="USD", quote="KRW", rate=D(1382), source="SIM KIS", at=now)
    with reading(desk.wiring.engine) as session:
        alone = fx.rate_at(session, "USD", "KRW", now)
    with writing(desk.wiring.engine) as session:
        fx.record(session, base="USD", quote="KRW", rate=D(1455), source="MOCK KIS", at=now - timedelta(days=1))
    with reading(desk.wiring.engine) as session:
        real = fx.rate_at(session, "USD", "KRW", now)
        assert [row.rate for row in fx.series(session, "USD", "KRW")] == [1455]
    assert alone is not None and real is not None and (alone.rate, real.rate) == (1382, 1455)


def test_a_workbook_holds_numbers_as_numbers_and_no_formula() -> None:
    rows: list[list[str | int | D | None]] = [["name", "n"], ["=1+1 <b>", 5], ["", D("1.50")], ["x\x00y", None]]
    with zipfile.ZipFile(io.BytesIO(sheets.as_xlsx(rows))) as book:
        assert book.testzip() is None
        for name in book.namelist():
            ElementTree.fromstring(book.read(name))
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{SHEET}f"))
    assert [one.text for one in sheet.iter(f"{SHEET}v")] == ["5", "1.50"]
    assert [one.text for one in sheet.iter(f"{SHEET}t")] == ["name", "n", "=1+1 <b>", None, "xy"]
    assert sheets.as_csv(rows).decode("utf-8-sig").splitlines()[1] == "'=1+1 <b>,5"


def test_a_year_is_reckoned_anew_for_who_traded_or_whose_rates_and_fees_changed_and_else_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_fills(desk)
    rates(desk, d2026_01_06="1300", d2026_03_04="1400")
    fill(desk, US, "BUY", 10, "100", "2026-01-05T10:00-05:00")
    fill(desk, KRX, "BUY", 10, "70000", "2026-01-05T10:00+09:00", "005930")
    reckoned: list[int] = []
    real = gains._match

    def match(session: Session, account: BrokerageAccount, *given: Any) -> Any:
        reckoned.append(account.id or 0)
        return real(session, account, *given)

    monkeypatch.setattr(gains, "_match", match)
    us, krx = desk.accounts[US], desk.accounts[KRX]

    def asked() -> tuple[list[int], tuple[int, ...]]:
        reckoned.clear()
        found = gains.of_year(desk.wiring, desk.actor(Role.ADMIN), 2026)
        return sorted(reckoned), tuple(int(line.sale.gain_won or 0) for line in found.sales)

    assert asked() == (sorted([us, krx]), ())
    assert asked() == ([], ()), "nothing changed"
    fill(desk, US, "SELL", 10, "110", "2026-03-03T10:00-05:00")
    who, first = asked()
    assert who == [us] and len(first) == 1
    with writing(desk.wiring.engine) as session:
        at = datetime.fromisoformat("2026-03-04T18:00+09:00")  # the day's last word is another one
        fx.record(session, base="USD", quote="KRW", rate=D(1500), source="LIVE KIS", at=at)
    who, second = asked()
    assert who == [us] and second[0] - first[0] == 110 * 10 * 100 - 276  # the sale's fee is 2.76 dollars
    fees.add(desk.wiring, desk.actor(Role.ADMIN), us, since=date(2026, 1, 1), until=None, buy_pct=D(0), sell_pct=D(0))
    who, third = asked()
    assert us in who and third > second


def test_the_rates_of_spring_are_known_in_autumn_however_many_came_since(desk: Desk) -> None:
    no_fills(desk)
    rates(desk, d2026_01_06="1300", d2026_03_04="1450")
    with writing(desk.wiring.engine) as session:
        start = datetime(2026, 4, 1, tzinfo=UTC)
        session.add_all(
            FxRate(base="USD", quote="KRW", rate=D(1400), source="LIVE KIS", at=start + timedelta(hours=n))
            for n in range(3000)
        )
    fill(desk, US, "BUY", 1, "100", "2026-01-05T10:00-05:00")
    fill(desk, US, "SELL", 1, "110", "2026-03-03T10:00-05:00")
    (sale,) = [one.sale for one in gains.of_year(desk.wiring, desk.actor(Role.ADMIN), 2026).sales]
    assert (sale.cost_won, sale.proceeds_won) == (130_000, 159_500)
    view = profit.statement(desk.wiring, desk.actor(Role.ADMIN), date(2026, 1, 1), date(2026, 12, 31))
    assert sum(day.fees_won for day in view.days) > 0, "the sale was in March, when a rate had been told"


def test_a_fill_that_is_committed_after_a_younger_one_is_earned_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two bots write to PostgreSQL at once: the lower number may come later."""
    monkeypatch.setattr(profit, "_ledgers", {})
    no_fills(desk)
    rates(desk, d2026_01_01="1000")
    bought, sold = "2026-11-03T10:00+09:00", "2026-11-03T11:00+09:00"
    order = fill(desk, KRX, "BUY", 10, "100", bought)
    fill(desk, KRX, "SELL", 10, "150", sold)
    with writing(desk.wiring.engine) as session:
        late, early = session.exec(select(FillRow).order_by(col(FillRow.id))).all()
        early.id, gone = (early.id or 0) + 5, late.model_dump()
        session.delete(late)
        session.add(early)
    day = date(2026, 11, 3)

    def gain() -> tuple[D, int]:
        days = profit.statement(desk.wiring, desk.actor(Role.ADMIN), day, day).days
        return sum((one.gain for one in days), D(0)), sum(one.unknown for one in days)

    assert gain() == (0, 1)
    with writing(desk.wiring.engine) as session:
        session.add(FillRow(**{**gone, "order_id": order}))
    assert gain() == (500, 0)


def test_returns_by_day_make_up_the_whole_and_all_accounts_are_told_in_won(desk: Desk) -> None:
    """Two accounts begin with 1,000,000 won each; +1 % of the dollars and +10 % of their rate is +11.1 % in won."""
    now = desk.wiring.clock.wall_now().replace(hour=3, minute=30)
    first, second = now - timedelta(days=2), now - timedelta(days=1)
    with writing(desk.wiring.engine) as session:
        session.execute(delete(EquitySnapshot))
        session.execute(delete(FxRate))
        for at, rate in ((first, "1000"), (second, "1100")):
            fx.record(session, base="USD", quote="KRW", rate=D(rate), source="desk", at=at)
        for account, currency, start, end in ((US, "USD", 1_000, 1_010), (KRX, "KRW", 1_000_000, 900_000)):
            for at, worth in ((first, start), (second, end)):
                row = EquitySnapshot(
                    account_id=desk.accounts[account], at=at, currency=currency, equity=D(worth), cash=D(worth)
                )
                session.add(row)
    found = returns.statement(desk.wiring, desk.actor(Role.ADMIN), now - timedelta(days=9))
    by_name = {one.account: one for one in found.curves}
    assert {name: one.total for name, one in by_name.items()} == {"": D("0.0055"), US: D("0.01"), KRX: D("-0.1")}
    assert by_name[KRX].deepest == D("-0.1") and by_name[US].deepest == 0
    assert by_name[KRX].by_month() == {f"{second.astimezone(KST):%Y-%m}": D("-0.1")}
    with writing(desk.wiring.engine) as session:
        session.execute(delete(FxRate))
    found = returns.statement(desk.wiring, desk.actor(Role.ADMIN), now - timedelta(days=9))
    assert found.rateless == ("SIM",) and {one.account for one in found.curves} == {US, KRX}
