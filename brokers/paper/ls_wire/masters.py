"""Master TRs: t8436, t8430, t9945 what is listed, t0167 the time (ls.md §3.4)."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.listings import Listing
from brokers.paper.ls_wire.blocks import Value, block
from brokers.paper.ls_wire.call import Call, Reply, no_data
from brokers.paper.ls_wire.formats import isin
from shared.domain.account import Market
from shared.domain.instrument import InstrumentType

ETF_MARK = {InstrumentType.STOCK: "0", InstrumentType.ETF: "1", InstrumentType.ETN: "2"}
GROUP = {InstrumentType.STOCK: "01", InstrumentType.ETF: "08", InstrumentType.ETN: "08"}


def t8436(call: Call) -> Reply:
    rows = [
        block("t8436OutBlock", bu12gubun=GROUP[one.type], spac_gubun="N", **_master(call, one))
        for one in _listings(call, {"0", "1", "2"})
    ]
    return Reply({"t8436OutBlock": rows})


def t8430(call: Call) -> Reply:
    return Reply(
        {"t8430OutBlock": [block("t8430OutBlock", **_master(call, one)) for one in _listings(call, {"0", "1", "2"})]}
    )


def t9945(call: Call) -> Reply:
    rows = [
        block(
            "t9945OutBlock",
            hname=one.name_ko,
            shcode=one.symbol,
            expcode=isin(one.symbol),
            etfchk=ETF_MARK[one.type],
            nxt_chk="1" if one.type is InstrumentType.STOCK else "0",  # NXT trades no ETFs
        )
        for one in _listings(call, {"1", "2"})
    ]
    return Reply({"t9945OutBlock": rows})


def _listings(call: Call, known: set[str]) -> list[Listing]:
    wanted = call.asked.text("gubun")
    if wanted not in known:
        raise no_data()
    return [one for one in call.exchange.listings(Market.KRX) if wanted in {"0", _board(one)}]


def _board(listing: Listing) -> str:
    return "2" if listing.board == "KOSDAQ" else "1"


def _master(call: Call, listing: Listing) -> dict[str, Value]:
    lower, upper = call.exchange.price_limits(listing.symbol) or (Decimal(0), Decimal(0))
    prev_close = call.exchange.quote(listing.symbol).prev_close
    return {
        "hname": listing.name_ko,
        "shcode": listing.symbol,
        "expcode": isin(listing.symbol),
        "etfgubun": ETF_MARK[listing.type],
        "uplmtprice": upper,
        "dnlmtprice": lower,
        "jnilclose": prev_close,
        "recprice": prev_close,
        "memedan": "00001",
        "gubun": _board(listing),
    }


def t0167(call: Call) -> Reply:
    now = call.now()
    return Reply({"t0167OutBlock": block("t0167OutBlock", dt=f"{now:%Y%m%d}", time=f"{now:%H%M%S%f}")}, text="조회완료")
