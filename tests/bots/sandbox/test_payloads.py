"""Every technique leaves nothing outside the child: no file, packet, process, signal or secret."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent

import pytest

from bots.rules.python_strategy import PythonStrategy
from bots.rules.sandbox.check import sample_bars
from bots.rules.sandbox.faults import StrategyFault
from bots.rules.series import MarketView
from console.cli.__main__ import main
from shared.domain.rule.parse import parse_python
from shared.domain.signal import Verdict
from tests.bots.sandbox.payloads import PAYLOADS

SECRET = "canary-5f1d0c"
AT = datetime(2026, 1, 5, 15, tzinfo=UTC)
WATCHED = (signal.SIGUSR1, signal.SIGIO, signal.SIGALRM)


@dataclass
class Outside:
    """Everything that must not change."""

    folder: Path
    tcp: socket.socket
    signals: list[int] = field(default_factory=list)
    before: set[int] = field(default_factory=lambda: children())  # servers other tests of this worker keep

    def source(self, body: str) -> str:
        port = self.tcp.getsockname()[1]
        filled = body.format(canary=self.folder, port=port, parent=os.getpid())
        return f"def attack(ctx):\n{indent(filled, '    ')}\n\n\ndef on_bar(ctx):\n    return attack(ctx)\n"

    def assert_untouched(self, group: int | None) -> None:
        assert [one.name for one in self.folder.iterdir()] == ["secret"]
        assert (self.folder / "secret").read_text() == SECRET
        assert not self.signals
        with pytest.raises(BlockingIOError):
            self.tcp.accept()
        if group is not None:
            with pytest.raises(ProcessLookupError):
                os.killpg(group, 0)
        assert children() <= self.before


def children() -> set[int]:
    """Our child processes that live."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid():
                found.add(int(entry.name))
    return found


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    folder = tmp_path / "canary"
    folder.mkdir()
    (folder / "secret").write_text(SECRET)
    monkeypatch.setenv("CANARY_SECRET", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        tcp.setblocking(False)
        found = Outside(folder, tcp)
        before = {one: signal.signal(one, lambda number, frame: found.signals.append(number)) for one in WATCHED}
        yield found
        for one, handler in before.items():
            signal.signal(one, handler)


@pytest.mark.parametrize("name", PAYLOADS)
def test_strategy_check_refuses_and_nothing_happens(
    name: str, outside: Outside, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "payload.py"
    file.write_text(outside.source(PAYLOADS[name]))
    code = main(["strategy", "check", str(file), "--json"])
    told = capsys.readouterr().out
    document = json.loads(told)
    assert code == 1
    assert not document["ok"]
    assert document["error"]["code"]
    assert SECRET not in told
    outside.assert_untouched(None)


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_running_child_is_stopped_and_nothing_happens(name: str, outside: Outside) -> None:
    honest = "def on_bar(ctx):\n    return 'BUY' if len(ctx.close) > 3 else None\n"
    payload = outside.source(PAYLOADS[name]).replace("    return attack", "    return len(ctx.close) > 2 and attack")
    bars = sample_bars(60)
    bystander = PythonStrategy(parse_python(honest), deadline_s=5.0)
    strategy = PythonStrategy(parse_python(payload), deadline_s=0.6)
    group = None
    try:
        with pytest.raises(StrategyFault) as fault:
            strategy.start()
            group = strategy.pid
            strategy.decide(MarketView("X", AT, bars.until(3), True, 100.0))
        assert SECRET not in str(fault.value)
        assert bystander.decide(MarketView("X", AT, bars.until(5), True, 100.0)).verdict is Verdict.BUY
    finally:
        strategy.end()
        bystander.end()
    outside.assert_untouched(group)


MODULE_LEVEL = {
    "a loop while loading": ("while True:\n    pass\n", "deadline"),
    "an exit while loading": ("raise SystemExit\n", "raised"),
    "nothing to call": ("x = 1\n", "no_calls"),
    "a parser bomb": ("x = " + "(" * 9_000 + ")" * 9_000 + "\ndef on_bar(ctx): pass\n", ""),
    "a compiler bomb": ("x = " + "-" * 30_000 + "1\ndef on_bar(ctx): pass\n", ""),
    "a constant bomb": ("x = 'x' * 10**10\ndef on_bar(ctx): pass\n", ""),
    "a class of its own making": ("class Strategy:\n    on_bar = property(lambda self: 1 / 0)\n", "raised"),
    "a name of ours": ("class Signal:\n    pass\ndef on_bar(ctx):\n    return Signal()\n", "answer"),
}


@pytest.mark.parametrize("name", MODULE_LEVEL)
def test_what_goes_wrong_while_loading_is_told(name: str, outside: Outside) -> None:
    source, code = MODULE_LEVEL[name]
    strategy = PythonStrategy(parse_python(source), deadline_s=0.6)
    with pytest.raises(StrategyFault) as fault:
        strategy.decide(MarketView("X", AT, sample_bars(60).until(3), True, 100.0))
    strategy.end()
    assert code in ("", fault.value.code)
    outside.assert_untouched(None)


def test_an_answer_that_is_long_on_the_way_is_read_whole_and_only_once(outside: Outside) -> None:
    source = "def on_bar(ctx):\n    return 'BUY' if len(ctx.close) == ctx.params['n'] else 'HOLD'\n"
    strategy = PythonStrategy(parse_python("# /// rule\n# strategy: {params: {n: {default: 9}}}\n# ///\n" + source))
    strategy.deadline_s = 10.0
    bars = sample_bars(60)
    said = [strategy.decide(MarketView("X", AT, bars.until(n), True, 100.0)).verdict for n in (7, 8, 9, 10, 3, 9)]
    strategy.end()
    assert [one is Verdict.BUY for one in said] == [False, False, True, False, False, True]
