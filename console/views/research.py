"""연구: backtests of saved rules on kept bars, sweeps, checks and parity; the research worker does them, this page asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from console.components import confirm, research_charts
from console.components.backtest_page import figure, page_of_run
from console.components.bar import bar
from console.components.figures import UNKNOWN, join, mark, moment, span
from console.components.frame import allowed, in_words, lang, me, t, wiring
from console.components.help import titled
from console.components.report import report_html
from console.components.table import Column, note, table
from console.services import accounts, backtests, rules, uploads
from console.services.backtests import PARITY, BacktestLine
from console.services.permissions import Action
from shared.domain.account import Market
from shared.words import reason_text

KINDS = ("run", "sweep", "check")
METHODS = ("grid", "random", "bayes")
CHOICES = {"kind": KINDS, "method": METHODS, "fill": ("next_open", "close"), "costs": ("default", "none")}
OPEN = ("QUEUED", "RUNNING", "CANCELING")
_TONES = {"DONE": "fine", "FAILED": "act", "RUNNING": "watch", "CANCELING": "watch"}
_CASH = {"KRX": 10_000_000.0, "US": 10_000.0}
_MOST = 200


def _words(group: str) -> Callable[[str], str]:
    """The words of a choice in the language of now."""
    known = {one: t(f"research.{group}.{one}") for one in CHOICES[group]}
    return lambda one: known.get(one, one)


def _ask() -> None:
    lines = {line.id: line for line in rules.shown(wiring(), me())}
    if not lines:
        note(t("research.no_rules"))
        return
    first, second = st.columns(2)
    rule_id = first.selectbox(
        t("research.rule"), list(lines), format_func=lambda one: f"#{one} {lines[one].name}", key="research_rule"
    )
    kind = second.selectbox(t("research.kind"), KINDS, format_func=_words("kind"), key="research_kind")
    line = lines[rule_id]
    one, two, three, four = st.columns(4)
    symbols = one.text_input(
        t("research.symbols"), line.symbol, key=f"research_symbols_{rule_id}", help=t("research.symbols_help")
    )
    cash = two.number_input(
        f"{t('research.cash')} ({Market(line.market).currency})",
        min_value=1.0,
        value=_CASH.get(line.market, 1e7),
        format="%.0f",
        key=f"research_cash_{rule_id}",
    )
    fill = three.selectbox(
        t("research.fill"),
        CHOICES["fill"],
        format_func=_words("fill"),
        key="research_fill",
    )
    costs = four.selectbox(
        t("research.costs"),
        CHOICES["costs"],
        format_func=_words("costs"),
        key="research_costs",
    )
    params = ""
    if kind != "check":
        params = st.text_area(t("research.params"), height=80, key="research_params", help=t("research.params_help"))
    asked = {"kind": kind, "market": line.market, "cash": cash, "fill": fill, "costs": costs, **_method(kind)}
    asked["environment"] = line.environment  # a demo rule may be tried on what the local exchange gave
    asked["symbols"] = [name.strip() for name in (symbols or "").split(",") if name.strip()]
    may = allowed(me(), Action.BACKTEST)
    if st.button(t("research.do"), key="research_do", type="primary", disabled=not may):
        _do(rule_id, asked, params or "")  # here, not before the run: what was typed last counts


def _method(kind: str) -> dict[str, int]:
    """How a sweep chooses its combinations, and how many."""
    if kind != "sweep":
        return {}
    left, right = st.columns(2)
    chosen = left.selectbox(
        t("research.method"),
        METHODS,
        format_func=_words("method"),
        key="research_method",
        help=t("research.method_help"),
    )
    if chosen == "grid":
        return {}
    many = right.number_input(t("research.tries"), min_value=1, max_value=10_000, value=100, key="research_tries")
    return {chosen: int(many)}


def _do(rule_id: int, asked: dict[str, Any], params: str) -> None:
    actor, desk = me(), wiring()

    def ask() -> None:
        text = rules.opened(desk, actor, rule_id).version.text
        backtests.ask(desk, actor, text, {**asked, "param": backtests.choices(params, lang())})

    if not confirm.attempt(ask, t("research.asked")):
        st.rerun()  # the refusal stands on top of the page


@st.fragment(run_every=2)
def _jobs() -> None:
    lines = backtests.listed(wiring(), me(), 20)
    columns = [
        Column("#", numeric=True),
        Column(t("research.kind")),
        Column(t("research.rule"), wide=True),
        Column(t("research.status")),
        Column(t("research.result"), numeric=True),
        Column(t("research.since")),
    ]
    table(columns, [_job(one) for one in lines], name="jobs", empty=t("research.none"))
    for one in lines:
        if one.status in OPEN:
            left, right = st.columns([4, 1], vertical_alignment="center")
            left.progress(
                min(max(one.progress, 0.0), 1.0), text=f"#{one.id} {t('research.progress')} {one.progress:.0%}"
            )
            right.button(
                t("research.cancel", id=one.id), key=f"cancel_{one.id}", disabled=not allowed(me(), Action.BACKTEST),
                on_click=_cancel, args=(one.id,),
            )  # fmt: skip


def _cancel(run_id: int) -> None:
    confirm.attempt(partial(backtests.cancel, wiring(), me(), run_id), t("research.canceled"))


def _job(one: BacktestLine) -> list[object]:
    what = ", ".join(map(str, one.asked.get("symbols") or ()))
    if _kind(one) == PARITY:
        what = f"{one.asked.get('day') or ''}"
    return [
        one.id,
        t(f"research.kind.{_kind(one)}"),
        join(one.rule or UNKNOWN, span("lt-sub", what)),
        mark(_TONES.get(one.status, "off"), t(f"research.status.{one.status}")),
        _short(one),
        moment(one.created_at),
    ]


def _kind(one: BacktestLine) -> str:
    return str(one.asked.get("kind", "run"))


def _short(one: BacktestLine) -> str:
    """The one figure of a finished job."""
    result = one.result or {}
    if "error" in result:
        return in_words(str(result["error"].get("why", "")))
    if one.status != "DONE":
        return UNKNOWN
    if _kind(one) == PARITY:
        return t("research.differences", n=len(result.get("differences", ())))
    if _kind(one) == "sweep":
        return f"{result.get('combinations', 0):,}"
    if _kind(one) == "check":
        return t("research.verdict.pass") if result.get("passed") else t("research.verdict.fail")
    return f"{result.get('return_pct', 0.0):+.2f}%"


def _results() -> None:
    done = {one.id: one for one in backtests.listed(wiring(), me(), 50) if one.status == "DONE" and one.result}
    if not done:
        note(t("research.nothing_done"))
        return
    titles = {key: f"#{key} {t('research.kind.' + _kind(one))} {one.rule}" for key, one in done.items()}
    newest = next(iter(done))
    chosen = st.multiselect(
        t("research.compare"), list(done), default=[newest], max_selections=6, key=f"research_chosen_{newest}",
        format_func=lambda one: titles.get(one, f"#{one}"), placeholder=t("choice.none"),
    )  # fmt: skip
    runs = {f"#{one} {done[one].rule}": done[one].result or {} for one in chosen if _kind(done[one]) == "run"}
    if runs:
        research_charts.equity_and_drawdown({name: one["equity"] for name, one in runs.items()}, key="research_equity")
        _metrics(runs)
    for one in chosen:
        _detail(done[one], done[one].result or {})


def _metrics(runs: Mapping[str, Mapping[str, Any]]) -> None:
    """Figures side by side, each with its definition as its title."""
    first = next(iter(runs.values()))["metrics"]
    columns = [Column(t("research.figure"), wide=True), *(Column(name, numeric=True) for name in runs)]
    body = []
    for place, row in enumerate(first):
        values = [one["metrics"][place] if place < len(one["metrics"]) else {} for one in runs.values()]
        body.append([join(row[lang()], span("lt-sub", row.get("definition", ""))), *(figure(one) for one in values)])
    table(columns, body, name="metrics", empty=UNKNOWN)


def _detail(line: BacktestLine, result: Mapping[str, Any]) -> None:
    st.subheader(f"#{line.id} {t('research.kind.' + _kind(line))} {line.rule}")
    if _kind(line) == "sweep":
        _sweep(line, result)
    elif _kind(line) == "check":
        _checks(result)
    elif _kind(line) == PARITY:
        _parity(result)
    else:
        _run(line, result)


def _run(line: BacktestLine, result: Mapping[str, Any]) -> None:
    for place, (symbol, bars) in enumerate(result.get("candles", {}).items()):
        st.caption(t("research.candles", symbol=confirm.plain(symbol)))
        mine = [one for one in result["trades"] if one.get("symbol", symbol) == symbol]
        research_charts.candles(symbol, bars, mine, key=f"candles_{line.id}_{place}")
    trades = result["trades"]
    with st.expander(t("research.trades", n=len(trades))):
        columns = [
            Column(t("research.entry")), Column(t("research.entry_price"), numeric=True), Column(t("research.exit")),
            Column(t("research.exit_price"), numeric=True), Column(t("research.quantity"), numeric=True),
            Column(t("research.pnl"), numeric=True), Column(t("research.reason")),
        ]  # fmt: skip
        table(columns, [_trade(one) for one in trades[-_MOST:][::-1]], name="trades", empty=t("research.no_trades"))
    st.download_button(
        t("research.export"), partial(_html, line.id, line.rule, dict(result)), file_name=f"backtest-{line.id}.html", mime="text/html",
        key=f"export_{line.id}", on_click="ignore", icon=":material/download:",
    )  # fmt: skip
    if uploads.offered(wiring()):
        st.button(
            t("cloud.upload"), key=f"upload_{line.id}", icon=":material/cloud_upload:",
            on_click=_upload, args=(line.id, line.rule, dict(result)),
        )  # fmt: skip


def _upload(run_id: int, rule: str, result: dict[str, Any]) -> None:
    body = _html(run_id, rule, result).encode()
    done = uploads.report(wiring(), me(), f"backtest-{run_id}.html", body)
    st.toast(t("cloud.uploaded", path=done.path))


def _html(run_id: int, rule: str, result: dict[str, Any]) -> str:
    return report_html(page_of_run(run_id, rule, result))


def _trade(one: Mapping[str, Any]) -> list[object]:
    left = one["exit_at"]
    return [
        str(one["entry_at"])[:16], f"{one['entry_price']:,.2f}", t("research.held") if left is None else str(left)[:16],
        UNKNOWN if left is None else f"{one['exit_price']:,.2f}", f"{one['quantity']:,}", f"{one['pnl']:+,.2f}",
        reason_text(str(one["reason"]), lang()),
    ]  # fmt: skip


def _sweep(line: BacktestLine, result: Mapping[str, Any]) -> None:
    items = result["items"]
    if luck := result.get("deflated_sharpe"):
        (st.warning if luck["verdict"] == "warn" else st.caption)(luck[lang()])
    st.caption(t("research.heat_map"))
    research_charts.heat_map(items, "return_pct", key=f"heat_{line.id}")
    names = list(items[0]["params"]) if items else []
    columns = [Column(one, numeric=True) for one in (*names, "return_pct", "max_drawdown_pct", "sharpe", "trades")]
    body = [[*(one["params"][name] for name in names), *map(_cell, _figures(one))] for one in items[:50]]
    table(columns, body, name="sweep", empty=UNKNOWN)


def _figures(one: Mapping[str, Any]) -> list[float | None]:
    return [one["return_pct"], one["max_drawdown_pct"], one["sharpe"], one["trades"]]


def _cell(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _checks(result: Mapping[str, Any]) -> None:
    columns = [Column(t("research.check")), Column(t("research.verdict")), Column(t("research.said"), wide=True)]
    tones = {"pass": "fine", "fail": "act"}
    body = [
        [one["name"], mark(tones.get(one["verdict"], "watch"), t(f"research.verdict.{one['verdict']}")), one[lang()]]
        for one in result["checks"]
    ]
    table(columns, body, name="checks", empty=UNKNOWN)


def _parity(result: Mapping[str, Any]) -> None:
    found = result["differences"]
    if not found:
        st.success(t("research.clean", judged=result["judged"]), icon=":material/check:")
        return
    st.warning(t("research.differences", n=len(found)), icon=":material/difference:")
    columns = [
        Column(t("research.cause")), Column(t("col.symbol")), Column(t("research.at")), Column(t("research.live")),
        Column(t("research.replayed")), Column(t("research.said"), wide=True),
    ]  # fmt: skip
    body = [
        [
            t(f"research.cause.{one['cause']}"),
            one["symbol"],
            one["at"][:19],
            one["live"],
            one["replayed"],
            in_words(one["text"]),
        ]
        for one in found[:_MOST]
    ]
    table(columns, body, name="parity", empty=UNKNOWN)


def _ask_parity() -> None:
    names = accounts.names(wiring(), me())
    if not names:
        return
    st.subheader(t("research.parity"), help=t("research.parity_help"))
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    account = left.selectbox(
        t("col.account"), list(names), format_func=lambda one: names.get(one, f"#{one}"), key="parity_account"
    )
    right.button(
        t("research.parity_do"), key="parity_do", disabled=not allowed(me(), Action.BACKTEST), on_click=_do_parity,
        args=(account,),
    )  # fmt: skip


def _do_parity(account_id: int) -> None:
    confirm.attempt(partial(backtests.ask_parity, wiring(), me(), account_id), t("research.asked"))


def _kept() -> None:
    with st.expander(t("research.kept")):
        columns = [
            Column(t("research.market")),
            Column(t("col.symbol")),
            Column(t("research.timeframe")),
            Column(t("research.since")),
        ]
        rows = [[*one[:3], moment(one[3])] for one in backtests.kept_bars(wiring(), me())]
        table(columns, rows, name="kept", empty=t("research.no_bars"))


bar()
titled("research")
confirm.notice()
st.subheader(t("research.ask"))
_ask()
_kept()
st.subheader(t("research.jobs"))
_jobs()
_results()
_ask_parity()
