"""Clients: who may come in. Accounts, the keys that use them, and the tokens handed out. All survive a restart."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from brokers.paper.accounts import (
    DEFAULT_HTS_ID,
    Account,
    AccountId,
    ExEnv,
    IssuedToken,
    Profile,
    UnknownAccount,
    fingerprint,
    kis_number,
    ls_env,
    ls_number,
)
from brokers.paper.clock import ExchangeClock
from brokers.paper.ledger import (
    OPENING,
    CashCode,
    EventType,
    Ledger,
    LedgerEvent,
    Leg,
    cash_unit,
    holder_of,
    share_unit,
)
from brokers.paper.state import State, TokenRow
from shared.domain.account import BrokerName
from shared.domain.money import Currency
from shared.domain.order import Side

Cash = dict[Currency, Decimal]
Lot = tuple[str, int, Decimal]  # symbol, shares, what one counts as bought for
# What compat opens at start (design.md §9): KIS by number, one on each side; LS accounts come from their keys.
STANDING = ((BrokerName.KIS, ExEnv.LIVE, "12345678-01"), (BrokerName.KIS, ExEnv.MOCK, "50001234-01"))
DEFAULT_CASH: Cash = {Currency.KRW: Decimal(100_000_000), Currency.USD: Decimal(100_000)}


class Clients:
    """`on_means` hears of every CASH event, so that holdings follow it."""

    def __init__(
        self,
        profile: Profile,
        state: State,
        ledger: Ledger,
        clock: ExchangeClock,
        cash: Cash,
        on_means: Callable[[LedgerEvent], None],
    ) -> None:
        self.on_means = on_means
        self.profile, self._state, self._ledger, self._clock, self._cash = profile, state, ledger, clock, cash
        self._accounts = {account.id: account for account in state.load_accounts()}
        self._used: dict[AccountId, set[str]] = {}  # -> fingerprints of the keys
        for account_id, key_id in state.load_account_keys():
            self._used.setdefault(account_id, set()).add(key_id)
        self._tokens = {row.token_id: row for row in state.load_tokens(clock.wall_now() - timedelta(days=2))}
        self._mint = state.get("mint")
        if self._mint is None:
            self._mint = secrets.token_hex(32)
            with state.transaction():
                state.put("mint", self._mint)
        if profile is Profile.COMPAT:
            for broker, env, number in STANDING:
                self.account(broker, env, number, None)

    # -- accounts

    def get(self, account: AccountId) -> Account:
        return self._accounts[account]

    def all(self) -> list[Account]:
        return list(self._accounts.values())

    def account(self, broker: BrokerName, env: ExEnv, number: str, app_key: str | None) -> Account:
        """Raises UnknownAccount: strict, and the account was never registered or belongs to another key."""
        wanted = AccountId(broker, env, kis_number(number) if broker is BrokerName.KIS else number)
        account = self._accounts.get(wanted)
        key_id = None if app_key is None else fingerprint(app_key)
        if self.profile is Profile.STRICT and (account is None or (key_id is not None and account.key_id != key_id)):
            raise UnknownAccount(wanted.number)
        if account is None:
            account = Account(broker, env, wanted.number)
            self._open(account, self._cash, [])
        if key_id is not None and key_id not in self._used.get(account.id, ()):
            with self._state.transaction():
                self._state.save_account_key(account.id, key_id)
            self._used.setdefault(account.id, set()).add(key_id)
        return account

    def account_of_app_key(self, broker: BrokerName, app_key: str) -> Account:
        return self.account_of_key(broker, ls_env(app_key), fingerprint(app_key))

    def account_of_key(self, broker: BrokerName, env: ExEnv, key_id: str) -> Account:
        for account in self._accounts.values():
            if account.broker is broker and account.key_id == key_id:
                return account
        if self.profile is Profile.STRICT:
            raise UnknownAccount("the key")
        number = ls_number(key_id)
        known = self._accounts.get(AccountId(broker, env, number))
        if known is None:
            known = Account(broker, env, number, key_id=key_id)
            self._open(known, self._cash, [])
        return known

    def used_by(self, account: AccountId, key_id: str) -> bool:
        """Say whether the key of this fingerprint ever used the account, or is the one it was made for."""
        known = self._accounts.get(account)
        return key_id in self._used.get(account, ()) or (known is not None and known.key_id == key_id)

    def registered(self, broker: BrokerName, app_key: str) -> list[Account]:
        """The accounts that were registered with this key (strict: a key without one is refused)."""
        key_id = fingerprint(app_key)
        return [account for account in self._accounts.values() if account.broker is broker and account.key_id == key_id]

    def register(self, account: Account, cash: Cash | None, holdings: list[Lot]) -> None:
        """Open an account, or give a known one new keys. What is named of its means is brought to that amount.

        `cash` None: a new account starts like every other, a known one keeps what it has.
        """
        if cash is None:
            cash = {} if account.id in self._accounts else self._cash
        self._open(account, cash, holdings)

    def _open(self, account: Account, cash: Cash, holdings: list[Lot]) -> None:
        with self._state.transaction():
            self._state.save_account(account)
            for currency, amount in cash.items():
                more = self._bring(account, cash_unit(currency), amount)
                if more:
                    self._put(account, currency, cash_unit(currency), more, price=more)
            for symbol, quantity, price in holdings:
                unit = share_unit(symbol)
                more = self._bring(account, unit, Decimal(quantity))
                if more:
                    side = Side.BUY if more > 0 else Side.SELL
                    self._put(account, symbol, unit, more, side=side, quantity=abs(int(more)), price=price)
        self._accounts[account.id] = account

    def _bring(self, account: Account, unit: str, amount: Decimal) -> Decimal:
        return amount - self._ledger.balance(holder_of(account.id), unit)

    def _put(
        self,
        account: Account,
        symbol: str,
        unit: str,
        amount: Decimal,
        *,
        price: Decimal,
        side: Side | None = None,
        quantity: int | None = None,
    ) -> None:
        event = self._ledger.append(
            EventType.CASH,
            at=self._clock.wall_now(),
            market_at=self._clock.market_now(),
            account=account.id,
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            code=CashCode.OPENING,
            legs=(Leg(holder_of(account.id), unit, amount), Leg(OPENING, unit, -amount)),
        )
        self.on_means(event)

    # -- tokens: wall time, kept as fingerprints; the text of one can be made again from the key that asks

    def issue(self, broker: BrokerName, env: ExEnv, app_key: str, lifetime: timedelta) -> IssuedToken:
        now = self._clock.wall_now()
        key_id = fingerprint(app_key)
        value = self._value(broker, env, key_id, now.isoformat())
        row = TokenRow(fingerprint(value), broker, env, key_id, now, now + lifetime, False)
        with self._state.transaction():
            self._state.save_token(row)
            owner = next((a for a in self.registered(broker, app_key) if a.env is env), None)
            self._ledger.append(
                EventType.TOKEN,
                at=now,
                market_at=self._clock.market_now(),
                broker=broker,
                env=env,
                account=owner.id if owner else None,
                code="ISSUED",
            )
        self._tokens[row.token_id] = row
        return _issued(row, value)

    def current(self, broker: BrokerName, env: ExEnv, app_key: str) -> IssuedToken | None:
        key_id, now = fingerprint(app_key), self._clock.wall_now()
        mine = [
            row
            for row in self._tokens.values()
            if (row.broker, row.env, row.key_id) == (broker, env, key_id) and row.expires_at > now and not row.revoked
        ]
        if not mine:
            return None
        row = max(mine, key=lambda one: one.issued_at)
        return _issued(row, self._value(broker, env, key_id, row.issued_at.isoformat()))

    def token(self, value: str) -> IssuedToken | None:
        row = self._tokens.get(fingerprint(value))
        return None if row is None or row.revoked else _issued(row, value)

    def revoke(self, value: str) -> bool:
        row = self._tokens.get(fingerprint(value))
        if row is None or row.revoked:
            return False
        gone = TokenRow(row.token_id, row.broker, row.env, row.key_id, row.issued_at, row.expires_at, True)
        with self._state.transaction():
            self._state.save_token(gone)
            self._ledger.append(
                EventType.TOKEN,
                at=self._clock.wall_now(),
                market_at=self._clock.market_now(),
                broker=row.broker,
                env=row.env,
                code="REVOKED",
            )
        self._tokens[row.token_id] = gone
        return True

    def _value(self, broker: BrokerName, env: ExEnv, key_id: str, issued_at: str) -> str:
        made_of = f"{broker}|{env}|{key_id}|{issued_at}".encode()
        return hmac.new(str(self._mint).encode(), made_of, "sha512").hexdigest()


def _issued(row: TokenRow, value: str) -> IssuedToken:
    return IssuedToken(row.broker, row.env, row.key_id, value, row.issued_at, row.expires_at)


def new_account(broker: BrokerName, env: ExEnv, number: str, app_key: str, secret: str, hts_id: str) -> Account:
    """The registered form of an account: keys as fingerprints."""
    number = kis_number(number) if broker is BrokerName.KIS else "".join(c for c in number if c.isdigit())
    return Account(broker, env, number, fingerprint(app_key), fingerprint(secret), hts_id or DEFAULT_HTS_ID)
