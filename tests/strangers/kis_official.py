"""The broker's own samples (koreainvestment/open-trading-api): `kis_auth`, `examples_llm`, the sockets of `examples_user`.

Hosts and keys are given in the sample's own `kis_devlp.yaml`; nothing else of it is touched.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shared.clock import SystemClock
from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc, Json
from tests.strangers.sources import package, repository
from tests.strangers.truth import LIVE, MOCK, Check, Truth, is_, judge, prepare

NAME = "official samples (KIS)"
SCRIPT = Path(__file__).parent / "scripts" / "official_client.py"
URL = "https://github.com/koreainvestment/open-trading-api"
SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")


def run(exchange: ExchangeProc) -> list[CallResult]:
    repo, crypto = repository("open-trading-api", URL), package("official-needs", "pycryptodome", "pyyaml")
    given = {**prepare(exchange), "repo": str(repo), **_dates(SystemClock().wall_now())}
    results: list[CallResult] = []
    for server, number, env in (("prod", LIVE, "live"), ("vps", MOCK, "mock")):
        home = exchange.home / f"official-{server}"
        reports = run_child(SCRIPT, {**given, "server": server}, path=[crypto], cwd=home, timeout_s=300)
        results += judge(reports, _checks(Truth(exchange, number, env), server == "prod"))
    return results


def _dates(now: datetime) -> Json:
    here = now.astimezone(SEOUL)
    yesterday = here - timedelta(days=1 if here.weekday() not in (0, 6) else 3)
    return {
        "today": f"{max(now.astimezone(NEW_YORK), now.astimezone(SEOUL), key=lambda at: at.date()):%Y%m%d}",
        "today_kst": f"{here:%Y%m%d}",
        "since": f"{now.astimezone(NEW_YORK) - timedelta(days=3):%Y%m%d}",
        "yesterday": f"{yesterday:%Y%m%d}",
        "hour": f"{here:%H%M%S}",
    }


def _checks(truth: Truth, live: bool) -> dict[str, Check]:
    named: dict[str, Check] = {"kis_auth.auth": is_(True), **_quotes(truth), **_orders(truth, live)}
    if live:
        named |= {**_live_quotes(truth), **_live_account(truth)}
    streams = ["H0STCNT0", "H0STASP0"]
    if live:
        streams += ["H0UNCNT0", "H0NXCNT0", "H0UNASP0", "H0NXASP0", "HDFSCNT0", "HDFSASP1"]
    named |= {f"WS {tr_id}": is_(["AAPL" if tr_id.startswith("HDFS") else "005930", True]) for tr_id in streams}
    notices = ("H0STCNI0", "H0GSCNI0") if live else ("H0STCNI9", "H0GSCNI9")
    named |= {f"WS {tr_id}": truth.is_fill() for tr_id in notices}
    return named if live else {f"mock {call}": check for call, check in named.items()}


def _quotes(truth: Truth) -> dict[str, Check]:
    american = ("price", "dailyprice", "inquire_daily_chartprice")
    korean = (
        *("inquire_price", "inquire_asking_price_exp_ccn", "inquire_ccnl", "inquire_daily_price"),
        *("inquire_daily_itemchartprice", "inquire_time_itemchartprice"),
    )
    return {f"overseas {name}": truth.is_price("MSFT") for name in american} | {
        f"domestic {name}": truth.is_price("000660") for name in korean
    }


def _live_quotes(truth: Truth) -> dict[str, Check]:
    names = ("price_detail", "inquire_asking_price", "quot_inquire_ccnl", "inquire_time_itemchartprice")
    return {f"overseas {name}": truth.is_price("MSFT") for name in names} | {
        "overseas inquire_search": is_(["MSFT"]),
        "overseas search_info": is_("MICROSOFT CORP"),
        "overseas countries_holiday": is_(["20260710"]),
        "domestic inquire_time_dailychartprice": is_(120),
        "domestic chk_holiday": is_([["20260709", "Y"], ["20260710", "Y"], ["20260711", "N"]]),
        "domestic search_info": is_("000660"),
        "domestic search_stock_info": truth.is_price("000660"),
    }


def _orders(truth: Truth, live: bool) -> dict[str, Check]:
    order = truth.is_order
    us = [e["order_id"] for e in truth.events("ORDER") if e["symbol"] == "AAPL" and e["quantity"] == 4]
    kr = [e["order_id"] for e in truth.events("ORDER") if e["symbol"] == "005930" and e["quantity"] == 4]
    checks = {
        "overseas order (limit buy, resting)": order("AAPL", "BUY", 4, "180"),
        "overseas inquire_nccs": is_([[us[0], "4"]] if us else []),
        "overseas order_rvsecncl (amend)": order("AAPL", "BUY", 4, "181", "AMEND"),
        "overseas order_rvsecncl (cancel)": order("AAPL", "BUY", 4, "181", "CANCEL"),
        "overseas order (limit buy)": order("AAPL", "BUY", 5, "230"),
        "overseas order (limit sell)": order("AAPL", "SELL", 2, "190"),
        "overseas inquire_balance": is_({"AAPL": 3}),
        "overseas inquire_present_balance": is_({"AAPL": 3}),
        "overseas inquire_psamount": _cash(truth, "USD", "AAPL"),
        "overseas inquire_ccnl": _fills(truth, "AAPL"),
        "domestic order_cash (limit buy, resting)": order("005930", "BUY", 4, "60000"),
        "domestic order_rvsecncl (amend)": order("005930", "BUY", 4, "61000", "AMEND"),
        "domestic order_rvsecncl (cancel)": order("005930", "BUY", 4, "61000", "CANCEL"),
        "domestic order_cash (market buy)": order("005930", "BUY", 5, None),
        "domestic order_cash (market sell)": order("005930", "SELL", 2, None),
        "domestic inquire_balance": is_({"005930": 3}),
        "domestic inquire_psbl_order": _cash(truth, "KRW", "005930"),
        "domestic inquire_daily_ccld": _fills(truth, "005930"),
    }
    if live:
        checks["domestic inquire_psbl_rvsecncl"] = is_([[kr[0], "4"]] if kr else [])
        checks["domestic order_cash (SOR limit buy)"] = order("005930", "BUY", 1, "60000")
    return checks


def _live_account(truth: Truth) -> dict[str, Check]:
    return {
        "overseas inquire_period_profit": is_({"AAPL": 2}),
        "overseas inquire_period_trans": is_(7),  # five bought, two sold
        "overseas inquire_paymt_stdr_balance": is_({"AAPL": 3}),
        "overseas foreign_margin": _cash(truth, "USD", "AAPL"),
        "overseas algo_ordno": is_(0),
        "overseas daytime_order": truth.is_order("AAPL", "BUY", 3, "180"),
        "overseas daytime_order_rvsecncl (cancel)": truth.is_order("AAPL", "BUY", 3, "180", "CANCEL"),
        "overseas order_resv": _numbered,
        "overseas order_resv_list": lambda got: "" if [int(q) for _, q in got] == [2] else str(got),
        "overseas order_resv_ccnl": _numbered,
        "overseas order_resv_list after the cancel": is_(["Y"]),
        "domestic inquire_psbl_sell": is_(3),
        "domestic inquire_period_trade_profit": is_({"005930": 2}),
    }


def _numbered(got: Any) -> str:
    return "" if len(got) == 10 and int(got) > 0 else f"{got} is no reservation's number"


def _cash(truth: Truth, currency: str, symbol: str) -> Check:
    """What is orderable now, plus what the stream's own buy of one share took after the question."""

    def check(got: Any) -> str:
        last = [e for e in truth.events("FILL") if e["symbol"] == symbol and e["quantity"] == 1 and e["side"] == "BUY"]
        later = sum(float(e["price"]) for e in last[-1:])
        locked = 60_000 if symbol == "005930" and truth.env == "live" else 0  # the SOR order rests
        now = float(truth.cash(currency))
        return "" if now <= got <= now + later + locked + 1 else f"{got} is not {now} + {later}"

    return check


def _fills(truth: Truth, symbol: str) -> Check:
    """The executions listed are the ledger's, all but the one that the stream's own order brought later."""

    def check(got: Any) -> str:
        filled = truth.filled()
        wrong = [row for row in got if filled.get(int(row[0])) != row[1]]
        mine = {
            int(e["order_id"]) for e in truth.events("ORDER") if e["symbol"] == symbol and int(e["order_id"]) in filled
        }
        return "" if not wrong and len(got) == len(mine) - 1 else f"{got} is not {filled}"

    return check
