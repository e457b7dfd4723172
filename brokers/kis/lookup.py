"""Which instrument a symbol is, and where a US share is listed: asked once, then remembered."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal

from brokers.kis import tr
from brokers.kis.codec import KST, Row, one, plain_symbol, positive, share_class, text
from brokers.kis.dialect import Ask
from brokers.kis.rest import Rest
from shared.clock import Clock
from shared.domain.account import Market
from shared.domain.errors import NotFound, OrderRejected, Refused, WireError
from shared.domain.instrument import Instrument, InstrumentType, Venue, check_symbol
from shared.domain.money import Currency
from shared.domain.venue_rules import tick_size

# scty_grp_id_cd of what is no share; a fund listed abroad is one as well (portal, 주식기본조회).
GROUPS = {"EF": InstrumentType.ETF, "FE": InstrumentType.ETF, "EN": InstrumentType.ETN, "EW": InstrumentType.ELW}


class Lookup:
    def __init__(self, rest: Rest, market: Market, mock: bool, clock: Clock) -> None:
        self._rest, self._market, self._mock, self._clock = rest, market, mock, clock
        self._known: dict[str, Instrument] = {}  # symbol -> instrument

    async def instrument(self, symbol: str) -> Instrument:
        """Return the static facts of `symbol`; a US class share may be asked as BRK.B or BRK/B and is BRK.B here.

        Raises:
            NotFound: KIS does not know it in this market.
            BrokerUnavailable: it could not be asked.
        """
        symbol = plain_symbol(symbol) if self._market is Market.US else symbol
        if symbol not in self._known:
            try:
                check_symbol(symbol, self._market)
            except ValueError as e:
                raise not_found(symbol, self._market) from e
            found = await (self._us(symbol) if self._market is Market.US else self._krx(symbol))
            if found is None:
                raise not_found(symbol, self._market)
            self._known[symbol] = found
        return self._known[symbol]

    async def _us(self, symbol: str) -> Instrument | None:
        """Try the three exchanges; 모의투자 has no product information, so there a price proves the listing."""
        for venue in tr.VENUE_TO_PRODUCT:
            if self._mock:
                ask = Ask(tr.US_PRICE, {"AUTH": "", "EXCD": tr.VENUE_TO_QUOTE[venue], "SYMB": share_class(symbol)})
                row = one(await self._rest.get(ask), "output")
                if positive(row, "last") is not None:
                    return Instrument(symbol, Market.US, venue, Currency.USD)
            else:
                row = await self._product(Ask(tr.US_PRODUCT, product(tr.VENUE_TO_PRODUCT[venue], share_class(symbol))))
                if text(row, "ovrs_excg_cd") == tr.VENUE_TO_ORDER[venue]:
                    kind = InstrumentType.ETF if text(row, "ovrs_stck_dvsn_cd") == "03" else InstrumentType.STOCK
                    name, name_en = text(row, "prdt_name"), text(row, "prdt_eng_name")
                    return Instrument(symbol, Market.US, venue, Currency.USD, kind, name=name, name_en=name_en)
        return None

    async def _krx(self, symbol: str) -> Instrument | None:
        """The price answer proves the code and names the board; what KIS knows of the share tells its type and name.

        Where that is silent (모의투자 has neither call) the words of the price answer and its price unit tell the type.
        """
        ask = Ask(tr.KRX_PRICE, {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": symbol})
        price = one(await self._rest.get(ask), "output")
        last = positive(price, "stck_prpr")
        if last is None:
            return None
        about = await self._about(symbol)
        board = text(price, "rprs_mrkt_kor_name")
        return Instrument(
            symbol=symbol,
            market=Market.KRX,
            venue=Venue.KRX,
            currency=Currency.KRW,
            type=GROUPS.get(text(about, "scty_grp_id_cd"))
            or krx_type(
                f"{text(about, 'prdt_name')} {text(about, 'prdt_clsf_name')} {board}",
                last,
                positive(price, "aspr_unit"),
                self._clock.market_now().astimezone(KST).date(),
            ),
            board=next((name for name in ("KOSDAQ", "KOSPI") if board.upper().startswith(name)), ""),
            name=text(about, "prdt_abrv_name") or text(about, "prdt_name"),
            name_en=text(about, "prdt_eng_abrv_name") or text(about, "prdt_eng_name"),
        )

    async def _about(self, symbol: str) -> Row:
        for asked in () if self._mock else (tr.KRX_SHARE, tr.KRX_PRODUCT):
            with suppress(WireError):
                if row := await self._product(Ask(asked, product("300", symbol))):
                    return row
        return {}

    async def _product(self, ask: Ask) -> Row:
        """The product's row; {} when KIS answers that there is none (rt_cd 7, its code is not documented)."""
        try:
            return one(await self._rest.get(ask), "output")
        except Refused as e:
            if type(e) is Refused or isinstance(e, OrderRejected):
                return {}
            raise  # rate, key and door are not answers about the symbol


def product(kind: str, symbol: str) -> dict[str, str]:
    return {"PRDT_TYPE_CD": kind, "PDNO": symbol}


def krx_type(words: str, last: Decimal, unit: Decimal | None, on: date) -> InstrumentType:
    """Exchange-traded products are told by their legal names (상장지수증권 is an ETN, 상장지수투자신탁 an ETF).

    Where the name is silent the price unit tells: they trade in other steps than shares.
    """
    upper = words.upper()
    if "ETN" in upper or "상장지수증권" in words:
        return InstrumentType.ETN
    if "ETF" in upper or "상장지수" in words:
        return InstrumentType.ETF
    as_share, as_fund = (
        tick_size(Market.KRX, last, on, instrument_type=kind) for kind in (InstrumentType.STOCK, InstrumentType.ETF)
    )
    return InstrumentType.ETF if unit == as_fund != as_share else InstrumentType.STOCK


def not_found(symbol: str, market: Market) -> NotFound:
    what = f"{market}에 {symbol} 종목이 없습니다 / {symbol} is not known in {market}"
    return NotFound(what, "KIS does not list it", "종목코드를 확인하세요 / check the symbol", "unknown_symbol")
