"""Desks to look at and to test on: empty, normal, degraded. Accounts come through the services, the rest as bots write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlmodel import Session, select

from console import wiring as wired
from console.passwords import hash_password
from console.services import accounts, rules
from console.services.accounts import Keys, Limits, NewAccount
from console.services.permissions import Actor
from console.wiring import Wiring
from shared import schema
from shared.config import Settings, load_settings
from shared.crypto import write_keys
from shared.db import open_engine, writing
from shared.domain.account import BrokerName, Environment, Market
from shared.models import (
    Alert,
    BrokerageAccount,
    CashBalance,
    Command,
    DecisionRow,
    ExecutionLog,
    FillRow,
    Heartbeat,
    Host,
    InstrumentRow,
    KillSwitch,
    OrderEvent,
    OrderRow,
    PositionRow,
    Role,
    User,
)
from shared.store import fx
from shared.store.people import grant
from tests.console.desk_market import add_equity, add_market, add_programs, add_round_trip, add_vitals

PASSWORDS = {Role.ADMIN: "correct horse battery", Role.TRADER: "trader staple 77", Role.VIEWER: "viewer only 42"}
CANARIES = ("PSCANARYAPPKEY0001", "CANARYAPPSECRET0001zzzzzzzz", "87654321")


@dataclass(frozen=True, slots=True)
class Desk:
    wiring: Wiring
    users: dict[Role, int]
    accounts: dict[str, int]  # nickname → id
    silent: frozenset[int] = frozenset()  # accounts whose bot died

    def actor(self, role: Role, lang: str = "ko") -> Actor:
        return Actor(self.users[role], role, "console", role.lower(), lang)


def settings_in(folder: Path, port: int = 16501, url: str | None = None) -> Settings:
    return load_settings(
        {
            "LETSTRADE_HOME": str(folder),
            "LETSTRADE_PORT": str(port),
            "DATABASE_URL": url or f"sqlite:///{folder / 'letstrade.db'}",
        }
    )


def empty_desk(folder: Path, port: int = 16501, url: str | None = None) -> Desk:
    """Keys, tables and one user per role; no account."""
    settings = settings_in(folder, port, url)
    write_keys(settings)
    engine = open_engine(settings.database_url)
    schema.upgrade(engine)
    wiring = wired.wire(settings)
    now = wiring.clock.wall_now()
    with writing(engine) as session:
        users = {}
        for role in Role:
            user = User(
                email=f"{role.lower()}@desk.local",
                name=role.value,
                role=role.value,
                password_hash=hash_password(PASSWORDS[role]),
                created_at=now,
            )
            session.add(user)
            session.flush()
            users[role] = user.id or 0
    engine.dispose()
    return Desk(wiring, users, {})


_ACCOUNTS = (
    ("미국 주식 1호", BrokerName.KIS, Market.US, Environment.SIM, "87654321-01"),
    ("국내 단타", BrokerName.LS, Market.KRX, Environment.SIM, "20212345601"),
    ("모의 검증", BrokerName.KIS, Market.KRX, Environment.MOCK, "50001234-01"),
    ("본계좌", BrokerName.KIS, Market.US, Environment.LIVE, "12345678-01"),
)
_LIMITS = {
    Market.US: Limits(Decimal(5_000), Decimal(10_000), Decimal(30_000), Decimal(1_000), 40),
    Market.KRX: Limits(Decimal(10_000_000), Decimal(12_000_000), Decimal(40_000_000), Decimal(1_000_000), 40),
}


def _registered(desk: Desk) -> Desk:
    admin = desk.actor(Role.ADMIN)
    made = {}
    for index, (nickname, broker, market, environment, number) in enumerate(_ACCOUNTS):
        keys = Keys(f"PSCANARYAPPKEY000{index + 1}", f"CANARYAPPSECRET000{index + 1}zzzzzzzz", number, "CANARYHTS")
        new = NewAccount(nickname, broker, market, environment)
        made[nickname] = accounts.add_account(desk.wiring, admin, new, keys, _LIMITS[market], confirm=nickname)
    with writing(desk.wiring.engine) as session:
        for role in (Role.TRADER, Role.VIEWER):
            for nickname in ("미국 주식 1호", "국내 단타", "본계좌"):
                grant(session, desk.users[role], made[nickname], desk.wiring.clock.wall_now())
    return replace(desk, accounts=made)


def normal_desk(folder: Path, port: int = 16501, url: str | None = None) -> Desk:
    """Three accounts run and trade calmly, the LIVE one is off."""
    desk = _registered(empty_desk(folder, port, url))
    admin = desk.actor(Role.ADMIN)
    now = desk.wiring.clock.wall_now()
    us, krx, mock = (desk.accounts[name] for name in ("미국 주식 1호", "국내 단타", "모의 검증"))
    _rule(desk, us, "AAPL", "미국 이동평균", 400)
    _rule(desk, krx, "005930", "국내 이동평균", 200)
    for account in (us, krx, mock):
        accounts.start(desk.wiring, admin, account)
    with writing(desk.wiring.engine) as session:
        add_market(session, now)
        add_programs(session, now)
        add_round_trip(session, us, now)
        for days, won in ((2, "1385.00"), (1, "1388.40"), (0, "1391.20")):
            at = now - timedelta(days=days, minutes=12)
            fx.record(session, base="USD", quote="KRW", rate=Decimal(won), source="desk", at=at)
        for account in (us, krx, mock):
            _beat(session, account, now)
            add_equity(session, account, now, "USD" if account == us else "KRW")
            add_vitals(session, account, now, silent_from=40 * account, silent_to=40 * account + 5)
        _us_trading(session, us, now)
        _krx_trading(session, krx, now)
        _cash(session, mock, "KRW", "100000000", None, now)
    return desk


def degraded_desk(folder: Path, port: int = 16501, url: str | None = None) -> Desk:
    """Something is wrong with every account: unknown order, silent bot, parked bot, unguarded position, old feed."""
    desk = _registered(empty_desk(folder, port, url))
    admin = desk.actor(Role.ADMIN)
    now = desk.wiring.clock.wall_now()
    us, krx, mock, live = (desk.accounts[name] for name, *_ in _ACCOUNTS)
    for account in (us, krx, mock):
        accounts.start(desk.wiring, admin, account)
    accounts.start(desk.wiring, admin, live, confirm="본계좌", reason="첫 실전")
    with writing(desk.wiring.engine) as session:
        _beat(session, us, now, state="EXITS_ONLY", reason="실시간 끊김: silent for 60 s", feed_age_s=48, source="rest")
        beat = session.get_one(Heartbeat, us)
        beat.detail = {"drift": {"AAPL": [10, 15]}, "frozen": {"MSFT": "증권사 주문 77의 종목이나 방향이 다름"}}
        beat.detail |= {"held_exits": {"1:AAPL": "매도가능 수량이 없음"}}
        _beat(session, krx, now - timedelta(minutes=4))
        _us_trading(session, us, now, guarded=False)
        _order(session, us, 90, "NVDA", "BUY", 3, "131.20", "UNKNOWN", now, reason="전송 중에 종료됨")
        _position(session, live, "AAPL", "", 12, "205.10", None, "USD", None, now - timedelta(minutes=9))
        row = session.get(BrokerageAccount, mock)
        assert row is not None
        row.health_status, row.health_reason = "PARKED", "crash_loop"
        session.add(row)
        session.add(
            KillSwitch(
                scope="all",
                level=1,
                reason="점검",
                changed_by=f"user:{desk.users[Role.ADMIN]}",
                changed_at=now - timedelta(minutes=2),
            )
        )
        _alert(session, us, "ORDER_UNKNOWN", "critical", now, symbol="NVDA", side="BUY", quantity=3)
        _alert(session, krx, "BOT_SILENT", "critical", now, silent_s=240)
        _alert(session, mock, "BOT_PARKED", "critical", now, reason="crash_loop", log=LAST_WORDS)
        _alert(session, live, "UNGUARDED", "warning", now, symbol="AAPL", quantity=12)
        _alert(session, us, "PRICE_SPIKE", "warning", now, symbol="NVDA", change_pct="-4.2", minutes=5)
        _hostile(session, us, mock, now)
        _log(session, us, 900, "ERROR", "증권사 조회 실패: <script>alert(1)</script>", now)
    return replace(desk, silent=frozenset({krx}))


HOSTILE = "<img src=x onerror=window.ran=1><script>window.ran=1</script>"


def _hostile(session: Session, account: int, named: int, now: datetime) -> None:
    """Text that somebody else wrote, wherever such text can come from; nothing of it may ever run."""
    session.get_one(BrokerageAccount, named).nickname += HOSTILE
    session.get_one(Heartbeat, account).reason += HOSTILE
    _position(session, account, "TSLA", HOSTILE, 1, "240.10", "238.00", "USD", None, now)
    _order(session, account, 91, "TSLA", "BUY", 1, "240.10", "REJECTED", now, reason=HOSTILE)
    _decision(session, account, 77, "TSLA", "HOLD", HOSTILE, HOSTILE, 1, now)
    _alert(session, account, "RULE_PARKED", "warning", now, rule=HOSTILE, reason=HOSTILE)
    _log(session, account, 901, "ERROR", HOSTILE, now)
    session.add(
        Command(
            account_id=account, kind="SNAPSHOT", key="hostile", status="FAILED", requested_by=HOSTILE,
            requested_at=now, result={"why": HOSTILE},
        )
    )  # fmt: skip


LAST_WORDS = [
    "2026-11-20 23:31:02,120 INFO bots 복구 중",
    "2026-11-20 23:31:04,881 ERROR bots 봇이 끝났습니다 / the bot ended",
    "bots.journal.JournalBroken: the journal cannot be written — database or disk is full",
]

RULE_TEXT = """version: "1.0"
metadata:
  name: {name}
strategy:
  id: ma_cross
  timeframe: 1m
  evaluate: tick
  indicators:
    - {{id: sma, alias: fast, params: {{period: 5}}}}
    - {{id: sma, alias: slow, params: {{period: 20}}}}
  entry:
    logic: AND
    conditions:
      - {{indicator: fast, operator: cross_above, compare_to: slow}}
  exit:
    logic: OR
    conditions:
      - {{indicator: fast, operator: cross_below, compare_to: slow}}
risk:
  stop_loss: {{enabled: true, percent: 2.0}}
sizing: {{mode: shares, value: 1}}
universe: ["{symbol}"]
"""


def _rule(desk: Desk, account: int, symbol: str, name: str, held: int) -> int:
    admin = desk.actor(Role.ADMIN)
    rule = rules.add_rule(desk.wiring, admin, account, RULE_TEXT.format(name=name, symbol=symbol), max_position=held)
    rules.switch(desk.wiring, admin, rule, enabled=True)
    return rule


def _beat(
    session: Session,
    account: int,
    at: datetime,
    *,
    state: str = "READY",
    reason: str = "",
    feed_age_s: int = 1,
    source: str = "stream",
) -> None:
    session.add(
        Heartbeat(
            account_id=account,
            at=at,
            state=state,
            reason=reason,
            host="desk",
            pid=4000 + account,
            started_at=at - timedelta(hours=2),
            ready_at=at - timedelta(hours=2),
            market_at=at,
            feed_at=at - timedelta(seconds=feed_age_s),
            feed_source=source,
            token_expires_at=at + timedelta(hours=17),
        )
    )


def _us_trading(session: Session, account: int, now: datetime, *, guarded: bool = True) -> None:
    rule = 1 if guarded else None
    for symbol, name, name_en in (("AAPL", "애플", "APPLE INC"), ("MSFT", "마이크로소프트", "MICROSOFT CORP")):
        names = {"name": name, "name_en": name_en}
        row = InstrumentRow(market="US", symbol=symbol, venue="NASDAQ", currency="USD", fetched_at=now, **names)
        session.add(row)
    _position(session, account, "AAPL", "애플", 14, "209.8712", "212.44", "USD", rule, now)
    _position(session, account, "MSFT", "마이크로소프트", 6, "431.05", "428.9", "USD", 1, now)
    _cash(session, account, "USD", "94512.37", "91010.02", now)
    _order(session, account, 1, "AAPL", "BUY", 14, "209.90", "FILLED", now - timedelta(minutes=31), filled=14)
    _order(session, account, 2, "MSFT", "BUY", 6, "431.10", "FILLED", now - timedelta(minutes=22), filled=6)
    _order(session, account, 3, "AAPL", "BUY", 10, "208.00", "ACCEPTED", now - timedelta(minutes=3))
    _order(
        session,
        account,
        4,
        "NVDA",
        "BUY",
        50,
        "131.00",
        "DENIED",
        now - timedelta(minutes=2),
        reason="주문 금액 $6,550.00 > 1회 한도 $5,000.00",
    )
    _decision(session, account, 1, "AAPL", "HOLD", "cash", "필요 $6,582.75 > 주문가능 $2,010.00", 37, now)
    beat = session.get_one(Heartbeat, account)
    beat.detail = {**beat.detail, "blocked": {"cash": (37, 1, now.isoformat())}}
    _log(session, account, 1, "INFO", "상태 STARTING → READY", now - timedelta(minutes=40))
    _log(session, account, 2, "INFO", "장 시작: 보유 2종목, 미체결 1건", now - timedelta(minutes=31))
    _log(
        session,
        account,
        3,
        "WARNING",
        "규칙 1 NVDA 멈춤: 주문 금액 $6,550.00 > 1회 한도 $5,000.00",
        now - timedelta(minutes=2),
    )


def _krx_trading(session: Session, account: int, now: datetime) -> None:
    _position(session, account, "005930", "삼성전자", 120, "70850", "71400", "KRW", 2, now)
    _position(session, account, "000660", "SK하이닉스", 30, "181200", "179800", "KRW", 2, now)
    _cash(session, account, "KRW", "86062000", "86062000", now)
    _order(session, account, 1, "005930", "BUY", 120, "70900", "FILLED", now - timedelta(minutes=55), "KRW", filled=120)
    _order(session, account, 2, "000660", "BUY", 60, "181200", "PARTIAL", now - timedelta(minutes=6), "KRW", filled=30)
    _order(session, account, 3, "035420", "SELL", 5, "201000", "CANCELED", now - timedelta(minutes=50), "KRW")
    _decision(session, account, 2, "005930", "BUY", "entry", "", 1, now - timedelta(minutes=55))
    _log(session, account, 1, "INFO", "035420: REST로는 거래되는데 실시간이 조용함", now - timedelta(minutes=5))


def _position(
    session: Session,
    account: int,
    symbol: str,
    name: str,
    qty: int,
    average: str,
    last: str | None,
    currency: str,
    rule: int | None,
    at: datetime,
) -> None:
    session.add(
        PositionRow(
            account_id=account,
            symbol=symbol,
            name=name,
            qty=qty,
            sellable=qty,
            avg_price=Decimal(average),
            last_price=Decimal(last) if last else None,
            currency=currency,
            guarded_by=rule,
            stop_price=(Decimal(average) * Decimal("0.97")).quantize(Decimal("0.01")) if rule else None,
            stop_checked_at=at if rule else None,
            stop_kind="stop_loss" if rule else "",
            guard_version_id=rule,
            guarded_qty=qty if rule else 0,
            priced_at=at if last else None,
            updated_at=at,
        )
    )


def _cash(session: Session, account: int, currency: str, total: str, power: str | None, at: datetime) -> None:
    session.add(
        CashBalance(
            account_id=account,
            currency=currency,
            total=Decimal(total),
            buying_power=Decimal(power) if power else None,
            as_of=at,
        )
    )


def _order(
    session: Session,
    account: int,
    number: int,
    symbol: str,
    side: str,
    qty: int,
    price: str,
    status: str,
    at: datetime,
    currency: str = "USD",
    *,
    filled: int = 0,
    reason: str = "",
) -> None:
    row = OrderRow(
        account_id=account,
        rule_id=1,
        client_order_id=f"c{account}-{number}",
        broker_order_id=f"00{account}{number:06d}" if status not in {"DENIED", "UNKNOWN"} else None,
        symbol=symbol,
        side=side,
        qty=qty,
        price=Decimal(price),
        currency=currency,
        status=status,
        filled_qty=filled,
        avg_fill_price=Decimal(price) if filled else None,
        reason=reason,
        placed_at=at,
        updated_at=at,
    )
    session.add(row)
    session.flush()
    steps = [("INTENT", "", "PENDING", 0), ("SENDING", "PENDING", "SUBMITTED", 4)]
    steps += [("UNKNOWN" if status == "UNKNOWN" else "ACKED", "SUBMITTED", status, 61)]
    for step, (event, before, after, ms) in enumerate(steps):
        session.add(
            OrderEvent(
                account_id=account,
                order_id=row.id or 0,
                seq=number * 10 + step,
                at=at + timedelta(milliseconds=ms),
                event=event,
                from_status=before,
                to_status=after,
            )
        )
    if filled:
        session.add(
            FillRow(
                order_id=row.id or 0,
                account_id=account,
                execution_id=f"e{account}-{number}",
                symbol=symbol,
                side=side,
                qty=filled,
                price=Decimal(price),
                currency=currency,
                commission=Decimal("1.25") if currency == "USD" else Decimal("127"),
                filled_at=at,
                recorded_at=at,
            )
        )


def _decision(
    session: Session,
    account: int,
    rule: int,
    symbol: str,
    verdict: str,
    reason: str,
    text: str,
    times: int,
    at: datetime,
) -> None:
    session.add(
        DecisionRow(
            account_id=account,
            seq=rule,
            rule_id=rule,
            version_id=rule,
            symbol=symbol,
            verdict=verdict,
            reason=reason,
            text=text,
            steps=[
                {"label": "sma_fast cross_above sma_slow", "left": "211.42", "right": "210.98", "truth": True},
                {"label": "rsi < 70", "left": "", "right": "70", "truth": None},
            ],
            gates=[{"code": "cash", "text": "예수금 94,512 < 주문 210,000", "passed": False}],
            counts={reason: times},
            at=at,
            updated_at=at,
        )
    )


def _alert(session: Session, account: int, kind: str, severity: str, now: datetime, **params: object) -> None:
    session.add(
        Alert(
            account_id=account,
            kind=kind,
            severity=severity,
            dedup_key=f"{kind}:{account}",
            params=params,
            created_at=now - timedelta(minutes=3),
            last_at=now - timedelta(seconds=40),
        )
    )


def _log(session: Session, account: int, seq: int, level: str, message: str, at: datetime) -> None:
    session.add(
        ExecutionLog(
            account_id=account, seq=seq, rule_id=1, level=level, message=message, created_at=at.astimezone(UTC)
        )
    )


def beat_again(desk: Desk) -> None:
    """Move the fresh heartbeats to now, as living bots do; silent ones stay silent."""
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        for account in desk.accounts.values():
            beat = session.get(Heartbeat, account)
            if beat is not None and account not in desk.silent:
                shift = now - beat.at
                beat.at, beat.market_at = now, now
                beat.feed_at = beat.feed_at + shift if beat.feed_at else None
                beat.change_number += 1
                session.add(beat)
        for held in session.exec(select(PositionRow)):
            looked = held.stop_checked_at
            if looked is not None and held.account_id not in desk.silent and now - looked < timedelta(minutes=5):
                held.stop_checked_at = held.priced_at = held.updated_at = now  # and judge their stops
        for host in session.exec(select(Host)):
            host.seen_at = now
