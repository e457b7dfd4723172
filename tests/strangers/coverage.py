"""docs/wire.md: which TR our clients send, our exchange serves, and strangers' clients have used on it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from brokers.paper.kis_wire.gateway import TRS as KIS_CALLS
from brokers.paper.ls_wire.trs import TRS as LS_CALLS
from shared.domain.account import BrokerName
from tests.strangers.contract import ROOT

DOCUMENTED = Path(__file__).parent / "documented.csv"
FILE = ROOT / "docs" / "wire.md"
# The shape of a transaction or stream id; what a folder has between quotes and of this shape is one.
SHAPES = {
    BrokerName.KIS: re.compile(r'"([A-Z]{4}\d{4}[A-Z]|HHDFS\d{8}|FHKST\d{8}|HDFS[A-Z]{3}\d|H0[A-Z]{5}\d|tokenP|revokeP|Approval|hashkey)"'),
    BrokerName.LS: re.compile(r'"(t\d{4}|g3\d{3}|C[A-Z]{4}\d{5}|FOCCQ\d{5}|[A-Z][A-Z0-9]{1,2}_|[UN][A-Z]\d|Y[SK]3|[UN]YS|AS\d|SC\d|GS[CH]|JIF)"'),
}  # fmt: skip
FOLDERS = {BrokerName.KIS: ("kis", "paper/kis_wire"), BrokerName.LS: ("ls", "paper/ls_wire")}
CALLS: dict[BrokerName, Iterable[str]] = {BrokerName.KIS: KIS_CALLS, BrokerName.LS: LS_CALLS}


def named(broker: BrokerName, folder: str) -> set[str]:
    """Every id that the files of a folder below brokers/ name."""
    texts = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "brokers" / folder).glob("*.py")))
    return {one for text in texts for one in SHAPES[broker].findall(text)}


def lines(used: Mapping[tuple[BrokerName, str], set[str]]) -> list[str]:
    """The page; `used` has the names of the strangers by (broker, TR)."""
    page = [
        "# The wire: every transaction id",
        "",
        "Written by `make strangers`. *documented*: where the fact sheets (kis.md, ls.md) describe it; what they only name in",
        "an index is left out. *client*: our adapter sends or reads it. *exchange*: the local exchange serves it.",
        "*strangers*: published clients of other people that called it, or read it, on the local exchange in that run.",
    ]
    for broker in BrokerName:
        sent, served = (named(broker, folder) for folder in FOLDERS[broker])
        served |= set(CALLS[broker])
        told = documented(broker)
        page += ["", f"## {broker}", "", "| id | documented | client | exchange | strangers |", "|---|---|---|---|---|"]
        for one in sorted(told.keys() | sent | served):
            who = ", ".join(sorted(used.get((broker, one), ())))
            ours = " | ".join("yes" if one in mine else "" for mine in (sent, served))
            page.append(f"| {one} | {told.get(one, '')} | {ours} | {who} |")
        touched = sum(1 for owner, one in used if owner is broker and one in served)
        counts = f"{len(told)} documented, {len(sent)} by the client, {len(served)} by the exchange"
        page.append(f"\n{counts}, {touched} used by strangers.")
    return page


def documented(broker: BrokerName) -> dict[str, str]:
    """Id -> section of the broker's fact sheet."""
    with DOCUMENTED.open(encoding="utf-8", newline="") as lines_:
        return {row["id"]: row["section"] for row in csv.DictReader(lines_) if row["broker"] == broker}


def write(used: Mapping[tuple[BrokerName, str], set[str]], file: Path) -> None:
    file.write_text("\n".join(lines(used)) + "\n", encoding="utf-8")
