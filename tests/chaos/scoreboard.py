"""docs/scoreboard.md: the figures of reliability.md §8 from the pieces that are kept, then fault → test → invariant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tests.chaos.faults import INVARIANTS, OPEN, ROOT, as_markdown, table
from tests.chaos.pieces import PIECES, Found

FILE = ROOT / "docs" / "scoreboard.md"
CUT = "## Faults"
NOT_TAKEN = "not taken"
WIRES = {"KIS-US": "", "KIS-KRX": "", "LS-KRX": "", "LS-US": " (one list a second: four before it can be READY)"}
# Parts of the names of tests whose cases are counted.
PAYLOADS = ("sandbox.test_payloads.",)
CELLS = (
    "the_table_is_what_happens",
    "was_not_granted_does_not",
    "old_session_counts_for_nothing",
    "disabled_user_may_nothing",
)
PATHS = ("without_a_session_every_path_but_login",)
CALENDAR = ("domain.test_sessions.", "domain.test_calendars.", "domain.test_market_cases.")


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    goal: str
    measured: str


class Brought:
    """The figures of all pieces together."""

    def __init__(self, pieces: Mapping[str, Found]) -> None:
        self.pieces = pieces
        self._values: dict[str, list[float]] = defaultdict(list)
        self._cases: dict[str, int] = defaultdict(int)
        for piece in pieces.values():
            for name, values in piece.figures.items():
                self._values[name] += values
            for name, count in piece.cases.items():
                self._cases[name] += count

    def values(self, name: str) -> list[float]:
        return self._values.get(name, [])

    def values_of(self, prefix: str, name: str) -> list[float]:
        """The figures of the pieces whose names begin so."""
        mine = [piece for piece_name, piece in self.pieces.items() if piece_name.startswith(prefix)]
        return [value for piece in mine for value in piece.figures.get(name, [])]

    def total(self, name: str) -> int:
        return round(sum(self.values(name)))

    def cases(self, *names: str) -> int:
        """How many cases passed of the tests whose name has one of these parts."""
        return sum(count for test, count in self._cases.items() if any(part in test for part in names))

    def soaked(self, *names: str) -> str:
        return str(sum(self.total(f"soak {name}") for name in names)) if self.values("soak seeds") else NOT_TAKEN

    def ended(self, prefix: str) -> str:
        """How the pieces of a kind ended: what failed is named."""
        mine = [one for name, one in self.pieces.items() if name.startswith(prefix)]
        wrong = [name for one in mine for name in one.failed] + [f"{one.name} was cut off" for one in mine if one.cut]
        return f"; failed: {', '.join(wrong)}" if wrong else ""


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def lines(brought: Brought) -> list[Line]:
    """What was measured, in words; a figure that was not taken says so."""
    b = brought
    proven = sum(row.tests != (OPEN,) for row in table())
    drills, kills = b.values("drills survived"), b.values("kill violations")
    killed, lived = b.total("mutants killed"), b.total("mutants lived")
    seeds = (
        f"{b.total('soak seeds')} seeds, {b.total('soak intents')} intents, {b.total('soak lost answers')} unknown, "
        f"{b.total('soak kills')} kills, {b.total('soak manual orders')} orders by hand beside them"
    )
    return [
        Line("faults of the catalogue with a test", "all", f"{proven} of {len(table())}"),
        Line("drills through a real bot, survived", "all", f"{sum(drills):.0f} over {len(drills)} runs{b.ended('drills')}" if drills else NOT_TAKEN),
        Line("kill -9 points × flavours, violations", "0", f"{sum(kills):.0f} in {len(kills)} kills{b.ended('kills')}" if kills else NOT_TAKEN),
        Line("soak", "≥ 200 × 500", seeds if b.values("soak seeds") else NOT_TAKEN),
        Line("duplicates in the soak, unknown sent again (I1)", "0", b.soaked("I1")),
        Line("lost or invented fills in the soak (I2, I6)", "0", b.soaked("I2", "I6")),
        Line("called absent while alive, or unresolved without alert (I5)", "0", b.soaked("I5")),
        Line("on the wire before SENDING was on disk (I7)", "0", b.soaked("I7")),
        Line("of the unknown: found absent / left to a person", "–", f"{b.soaked('NOT_ACCEPTED')} / {b.soaked('resolved by a person')}"),
        *(
            Line(f"kill → READY, p95, {wire}{why}", "≤ 5 s + 1 s of supervisord", _spread(b.values_of(f"kills-{wire}-", "kill to READY s"), 0.95))
            for wire, why in WIRES.items()
        ),
        Line("kill switch → last risky order, p99", "≤ 1 s", _spread(b.values("kill switch s"), 0.99)),
        Line("stall → rules enter no more", "≤ 15 s", _spread(b.values("stall to blocked s"), 1.0)),
        Line("host killed, frozen or cut off → the other has the account", "≤ TTL 30 + 10 s", _spread(b.values("account moved s"), 1.0) + b.ended("two-hosts")),
        Line("… and its bot is READY there", "–", _spread(b.values("account READY elsewhere s"), 1.0)),
        Line("PostgreSQL outage: wrong of the checks that no row is lost or doubled", "0", f"{b.total('outage rows wrong')} of {b.total('outage rows')}{b.ended('outage')}" if b.values("outage rows") else NOT_TAKEN),
        Line("sandbox payloads tried / effects", "all / 0", _clean(b, "doors", b.cases(*PAYLOADS))),
        Line("role × action cells / wrong", "all / 0", _clean(b, "doors", b.cases(*CELLS))),
        Line("canary secrets looked for / found (I15)", "– / 0", f"{b.total('looked I15')} / 0" if b.values("looked I15") else NOT_TAKEN),
        Line("paths behind the gate / open beside login and health", "all / 0", _clean(b, "doors", b.cases(*PATHS))),
        Line("cases of calendar, sessions, market rules / wrong", "all / 0", _clean(b, "doors", b.cases(*CALENDAR))),
        Line("mutants of desk, state tables, risk killed", "≥ 85 %", f"{killed / (killed + lived):.0%}: {killed} of {killed + lived}" if killed else NOT_TAKEN),
    ]  # fmt: skip


def _spread(values: list[float], part: float) -> str:
    """One quantile, beside the median and the worst."""
    if not values:
        return NOT_TAKEN
    middle, worst = quantile(values, 0.5), max(values)
    return f"{quantile(values, part):.2f} s (median {middle:.2f}, worst {worst:.2f}, of {len(values)})"


def _clean(brought: Brought, piece: str, cases: int) -> str:
    return f"{cases} / 0{brought.ended(piece)}" if cases else NOT_TAKEN


def write(pieces: Mapping[str, Found]) -> None:
    """Write the whole page anew from what is kept."""
    brought = Brought(pieces)
    missing = [piece.name for piece in PIECES if piece.name not in pieces]
    head = [
        "# Scoreboard", "",
        "What the order path survived, measured by `make chaos` in pieces on one machine of two cores. One piece again:",
        "`python -m tests.chaos --only PIECE`; one seed of the soak: `python -m tests.chaos.soak --seed N --intents 500`.", "",
        f"Pieces not run: {', '.join(missing)}." if missing else "Every piece was run.", "",
        "| figure | goal | measured |", "|---|---|---|",
        *(f"| {one.name} | {one.goal} | {one.measured} |" for one in lines(brought)), "",
        "## Pieces", "",
        "| piece | taken (UTC) | commit | took | load at the end | passed | failed |", "|---|---|---|---|---|---|---|",
        *(_piece_row(one) for one in pieces.values()), "",
    ]  # fmt: skip
    FILE.write_text("\n".join([*head, *tail()]) + "\n", encoding="utf-8")


def _piece_row(one: Found) -> str:
    failed = "; ".join(one.failed) or "–"
    took = f"{one.seconds:.0f} s" + (", cut off" if one.cut else "")
    return f"| {one.name} | {one.at} | {one.commit} | {took} | {one.load} | {one.passed} | {failed} |"


def write_table() -> None:
    """Write the tables anew and leave the figures as they are."""
    text = FILE.read_text(encoding="utf-8") if FILE.exists() else "# Scoreboard\n\n"
    FILE.write_text(text.partition(CUT)[0] + "\n".join(tail()) + "\n", encoding="utf-8")


def tail() -> list[str]:
    """The two tables, from their data."""
    return [
        CUT, "", "Generated from `tests/chaos/faults.csv`; a test keeps it so.", "", *as_markdown(), "",
        "## Invariants", "", "| | holds: where it is judged |", "|---|---|",
        *(f"| {name} | {where} |" for name, where in INVARIANTS.items()),
    ]  # fmt: skip
