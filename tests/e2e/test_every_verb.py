"""Every verb of the command line against one running desk: its exit code, its JSON, and all four exit codes.

The verbs run in this process on the desk's home, so that seventy of them cost seconds; the desk itself is real.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.cli.answer_shapes import SILENT
from shared.domain.order_state import OPEN
from tests.console.cli.terminal import SHAPED, Said, Terminal, check_answer
from tests.e2e.desk import Desk, wait_until
from tests.references import cli_verbs

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]

ELSEWHERE = {  # verb → where it runs instead
    "exchange serve": "the desk's exchange is it",
    "telegram test": "tests/console/cli/test_answers.py: needs a Bot API server",
    **{
        f"inbox {verb}": "tests/console/cli/test_inbox.py: needs a matter"
        for verb in ("resolve", "lift", "settle", "approve", "decline")
    },
    **{
        f"backup {verb}": "tests/console/cli/test_backup.py: needs a machine to come back on"
        for verb in ("create", "restore", "verify")
    },
    **{f"cloud {verb}": "tests/cloud/test_project.py: needs a project" for verb in ("alerts", "status", "upload")},
    "keys rotate-kek": "tests/e2e/test_drill.py: needs a wrapped master key",
    "user factor-reset": "tests/console/cli/test_answers.py: needs an enrolled person",
    "user link": "tests/console/cli/test_verbs.py: needs a project's person",
    "backtest parity": "tests/console/cli/test_answers.py: needs a day of recorded decisions",
}
RULE = "bots/rules/presets/demo_us_rsi.yaml"
KEYS = json.dumps({"app_key": "PS" + "b2" * 17, "app_secret": "s3cr3t" * 30, "account_no": "11112222-01"})


@dataclass
class Script:
    """Runs verbs and remembers which."""

    terminal: Terminal
    env: dict[str, str]
    ran: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def run(self, *words: str, stdin: str = "", **env: str) -> Said:
        said = self.terminal.run(*words, stdin=stdin, **{**self.env, **env})
        self.ran.add(" ".join(words[:2]) if " ".join(words[:2]) in cli_verbs() else words[0])
        return said

    def __call__(self, text: str, *more: str, code: int = 0, holds: str = "", stdin: str = "", **env: str) -> Any:
        """Run a verb with --json: the exit code, one document, and the names in it."""
        said = self.run(*text.split(), *more, "--json", stdin=stdin, **env)
        document = json.loads(said.out)
        missing = [name for name in holds.split() if name not in document]
        columns = next((names for verb, names in COLUMNS.items() if text.startswith(verb)), "").split()
        missing += [name for row in document.get("items", [])[:1] for name in columns if name not in row]
        shaped = not code or document.get("error", {}).keys() == {"code", "what", "why", "now"}
        strange = [] if text.startswith("backtest") else list(misshapen(document))
        if said.code != code or missing or not shaped or strange:
            told = f"{text} {more}: exit {said.code}, wanted {code}; without {missing}; misshapen {strange}; {said.out[:400]}"
            self.wrong.append(told)
        return document


MONEY = {
    *(
        "price",
        "avg_price",
        "avg_fill_price",
        "last",
        "last_price",
        "cash",
        "total",
        "buying_power",
        "equity",
        "commission",
    ),
    *("tax", "realized_pnl", "unrealized_pnl", "pnl", "realized"),
}
COLUMNS = {  # verb → columns of its table (design.md §9) that every row has
    "account list": "id nickname broker market environment enabled",
    "order list": "id account_id rule_id symbol side qty price status broker_order_id placed_at filled_qty avg_fill_price",
    "fills list": "id order_id account_id symbol side qty price filled_at",
    "positions": "account_id symbol qty avg_price unrealized_pnl updated_at",
    "bot logs": "id account_id rule_id level message ctx created_at",
}


def misshapen(document: Any, name: str = "") -> Iterator[str]:
    """Where a document breaks what all of them keep to: lists say when, money is text, times have their offset."""
    if isinstance(document, dict):
        if isinstance(document.get("items"), list) and "as_of" not in document:
            yield f"{name}: items without as_of"
        for key, value in document.items():
            if key in MONEY and isinstance(value, (int, float)) and not isinstance(value, bool):
                yield f"{key}: {value!r} is a number"
            timed = isinstance(value, str) and bool(value) and (key.endswith("_at") or key == "as_of")
            if timed and datetime.fromisoformat(value).tzinfo is None:
                yield f"{key}: {value} has no offset"
            yield from misshapen(value, key)
    elif isinstance(document, list):
        for one in document:
            yield from misshapen(one, name)


def bars(path: Path) -> str:
    day = date(2025, 1, 1)
    rows = [
        f"{day + timedelta(days=n)},{100 + n % 9},{103 + n % 9},{98 + n % 9},{101 + n % 7},1000" for n in range(160)
    ]
    path.write_text("date,open,high,low,close,volume\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def test_every_verb_answers_on_a_running_desk(new_desk: Callable[..., Desk], tmp_path: Path) -> None:
    SHAPED.clear()  # of this run alone: other tests of the same worker ask verbs too
    desk = new_desk()
    desk.setup()
    desk.start()
    offset = str(desk.offset)
    verb = Script(
        Terminal(desk.folder / "var"),
        {"LETSTRADE_PORT": str(8501 + desk.offset), "LETSTRADE_EXCHANGE_PORT_OFFSET": offset},
    )
    us = "데모 미국주식 KIS"
    wait_until("both bots trade", lambda: _ready(verb))
    rules = verb("rule list", holds="items as_of")["items"]
    price = wait_until("a quote", lambda: verb.run("quote", us, "AAPL", "--json").code == 0) and looks(
        verb, us, tmp_path
    )
    for rule in rules:
        verb(f"rule disable {rule['id']}")
    _settled(verb)  # a rule's last order may still be on its way, and one of a kind is enough
    orders(verb, us, price)
    people(verb, rules[0]["id"])
    accounts(verb, tmp_path)
    research(verb, tmp_path)
    verb("data import --symbol AAPL --timeframe 1d --count 60 --account", us, holds="bars age_s path")
    schedule(verb)
    usage(verb)
    store(verb, tmp_path)
    bots(verb, us)
    assert not verb.wrong, "\n".join(verb.wrong)
    promised = {one for one in cli_verbs() if " " in one} | _single()
    assert promised - verb.ran - ELSEWHERE.keys() == set()
    refused = {"db move"}  # while bots run; its answer: tests/console/cli/test_verbs.py
    assert verb.ran - SHAPED == (SILENT - ELSEWHERE.keys()) | refused, "the others were held against their schemas"


def _ready(verb: Script) -> bool:
    return [one["status"] for one in verb("bot status")["items"]] == ["READY", "READY"]


def _single() -> set[str]:
    from console.cli.__main__ import VERBS

    return set(VERBS)


def looks(verb: Script, us: str, tmp: Path) -> Decimal:
    """Every verb that only looks; returns the price of AAPL."""
    assert verb("doctor", holds="ok items")["ok"] is True
    assert verb.run("completion", "bash").code == 0
    assert verb("setup", holds="url admin password new_keys demo_accounts")["new_keys"] is False  # all of it is there
    verb("schema order list", holds="anyOf")
    assert len(verb("account list", holds="items as_of")["items"]) == 2
    verb("account show", us, holds="nickname broker environment")
    price = Decimal(verb("quote", us, "AAPL", holds="symbol last")["last"])
    verb("balance", us, holds="items")
    verb("positions", us, holds="items")
    for text in (
        "fills list",
        "order list",
        "alerts list",
        "inbox list",
        "kill status",
        "bot logs",
        "audit export",
        "data list",
    ):
        verb(text, holds="items as_of")
    assert verb("audit verify", holds="ok rows last_hash")["ok"] is True
    verb("report daily", holds="items")
    verb("report tax", holds="items")
    assert verb("exchange ledger", holds="seq events")["seq"] > 0
    verb("support-bundle", "--to", str(tmp / "bundle.zip"), holds="file files bytes")
    for text in ("account list", "bot status", "kill status", "report daily"):
        assert verb.run(*text.split()).code == 0  # and as a table
    verb("telegram setup", holds="bot people")
    return price


def orders(verb: Script, us: str, price: Decimal) -> None:
    """Bought, changed, cancelled and sold by the bot; then refused, and one whose answer is lost."""
    low = price * Decimal("0.985")  # inside the collar, and it rests
    number = verb("order buy", us, "AAPL", "1", "--price", f"{low:.2f}", holds="broker_order_id")["broker_order_id"]
    resting = wait_until("the order is listed", lambda: _listed(verb, number))
    verb(f"order amend {resting} --price {low - Decimal('0.5'):.2f}", holds="command")
    verb(f"order cancel {resting}", holds="command")
    _settled(verb)
    verb("order buy", us, "AAPL", "2", "--type", "MARKET", holds="broker_order_id")
    wait_until("the shares are there", lambda: any(p["symbol"] == "AAPL" for p in verb("positions", us)["items"]))
    _settled(verb)
    verb("order sell", us, "AAPL", "1", "--type", "MARKET", holds="broker_order_id")
    _settled(verb)
    assert verb("order buy", us, "AAPL", "9000", "--price", "200", code=1)["error"]["code"]
    processes(verb, us, f"{low:.2f}")
    alert = verb("alerts list")["items"][0]["id"]
    verb(f"alerts timeline {alert}", holds="items")
    verb(f"alerts ack {alert}")


def _settled(verb: Script) -> None:
    """An order of the other side waits for what is still open: it could meet it."""
    wait_until("nothing is open", lambda: not any(one["status"] in OPEN for one in verb("order list")["items"]))


def _listed(verb: Script, number: str) -> int | None:
    return next((one["id"] for one in verb("order list")["items"] if one["broker_order_id"] == number), None)


def people(verb: Script, rule: int) -> None:
    verb("user add kim@desk.local --role Trader", holds="email password")
    verb("user role kim@desk.local Viewer", holds="role")
    verb("user list", holds="items")
    token = verb("token add kim@desk.local --scope read", holds="token id")["id"]
    verb("token list", holds="items")
    verb(f"token revoke {token}", holds="revoked")
    hook = verb(f"webhook add {rule}", holds="secret message id")["id"]
    verb("webhook list", holds="items")
    verb(f"webhook revoke {hook}", holds="revoked")
    verb("user disable kim@desk.local", holds="disabled_at")
    verb("user enable kim@desk.local", "--reason", "t")
    verb("user password kim@desk.local", "--reason", "t", holds="password")


def accounts(verb: Script, tmp: Path) -> None:
    verb("account add", "새 계좌", "--broker", "KIS", "--market", "US", "--env", "LIVE", "--confirm", "새 계좌",
         stdin=KEYS, holds="items")  # fmt: skip
    verb("credential set", "새 계좌", "--confirm", "새 계좌", stdin=KEYS)
    verb("account arm", "새 계좌", "--hours", "1", "--confirm", "새 계좌", "--reason", "t", holds="armed_until")
    verb("account disarm", "새 계좌", holds="armed_until")
    verb("account limits", "새 계좌", "--max-daily-buy", "1000", "--reason", "t", holds="max_daily_buy")
    verb("account move", "새 계좌", "--reason", "t")
    verb("rule validate", RULE, holds="valid")
    verb("rule import", RULE, "--account", "새 계좌", "--symbols", "TSLA", holds="items")
    rule = verb("rule add", RULE, "--account", "1", "--symbols", "TSLA", "--max-position", "5", holds="id")["id"]
    verb(f"rule show {rule}", holds="versions text")
    verb(f"rule enable {rule}", holds="enabled")
    verb(f"rule explain {rule}", holds="decision")
    verb(f"rule diff {rule}", holds="text changes")
    verb(f"rule revert {rule} 1", holds="version also_open")
    verb(f"rule archive {rule}", holds="archived")
    verb("account archive", "새 계좌", "--confirm", "새 계좌", "--reason", "t")


def schedule(verb: Script) -> None:
    row = verb("schedule list", holds="items")["items"][0]
    whose = ["--account", str(row["account_id"])] if row["account_id"] else []
    verb("schedule disable", row["job"], *whose)
    verb("schedule enable", row["job"], *whose)
    assert verb.run("schedule", "run", row["job"], *whose, "--json").code in {
        0,
        1,
    }  # some jobs refuse a time of their own


def research(verb: Script, tmp: Path) -> None:
    data = bars(tmp / "bars.csv")
    asked = ("--rule", RULE, "--symbol", "AAPL", "--market", "US", "--cash", "10000")
    verb("backtest run", *asked, "--data", data, holds="final_equity trades warnings seconds engine bars")
    verb("data import", data, "--symbol", "AAPL", "--market", "US")
    crossed = ("--rule", "bots/rules/presets/ma_cross.yaml", *asked[2:], "--data", data, "--json")
    for text in ("backtest sweep", "backtest check"):
        said = verb.run(*text.split(), *crossed)
        assert said.code in {0, 1} and said.json.keys() & {"items", "checks"}, said
    job = verb("backtest queue run", *asked, holds="id")["id"]
    verb("backtest jobs", holds="items")
    verb(f"backtest job {job}", holds="status")
    assert verb.run("backtest", "cancel", str(job), "--json").code in {0, 1}  # it may have ended already
    strategy = tmp / "hold.py"
    strategy.write_text("def on_bar(ctx):\n    return None\n", encoding="utf-8")
    verb("strategy check", str(strategy), holds="ok fence bars signals error")
    cases = tmp / "cases.csv"
    cases.write_text("market,instant_utc,query,expected\nKRX,2026-09-15T11:00:00Z,session,CLOSED\n", encoding="utf-8")
    verb("market check", str(cases), holds="cases wrong")


def usage(verb: Script) -> None:
    said = verb("order buy", code=2)
    assert said["error"]["code"] == "usage"


def processes(verb: Script, us: str, low: str) -> None:
    """All four exit codes as a shell sees them, each from a process of its own."""
    fault = {
        "match": {"broker": "KIS", "channel": "rest", "tr": "TTTT1002U"},
        "count": 1,
        "action": "drop_after_accept",
    }
    planted = verb("exchange fault", json.dumps(fault), holds="id")["id"]
    for code, words in (
        (0, ("kill", "status")),
        (1, ("order", "buy", us, "AAPL", "9000", "--price", "200")),
        (2, ("order", "buy")),
        (3, ("order", "buy", us, "AAPL", "1", "--price", low)),
    ):
        said = verb.terminal.spawn(*words, "--json", **verb.env)
        assert said.code == code, said
        check_answer(words, code, said.out)
    assert said.json["error"]["code"] == "outcome_unknown"
    verb("exchange fault", "--remove", str(planted))


def store(verb: Script, tmp: Path) -> None:
    kept = tmp / "desk.backup"
    verb("db check", holds="ok")
    verb("db upgrade")
    verb("db backup", str(kept), holds="rows")
    verb("db restore", str(kept), holds="rows", DATABASE_URL=f"sqlite:///{tmp / 'again.db'}")
    verb("db move NEW_STORE", code=1, NEW_STORE=f"sqlite:///{tmp / 'new.db'}")  # bots are running
    verb("keys rotate")


def bots(verb: Script, us: str) -> None:
    verb("kill raise NO_NEW", holds="items")
    verb("kill lower RUN --reason t", holds="items")
    verb("kill cancel-all --account", us)
    verb("kill flatten --account", us)
    verb("bot restart", us)
    verb("bot stop", us)
    verb("bot start", us)
    verb("account disable", us)
    verb("account enable", us)
