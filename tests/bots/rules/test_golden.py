"""Golden trades: each preset against a plain re-statement of what its description says, on made-up and on real bars.

The other side is written here without the product: lists, sums and if. Only fills are shared in meaning: a decision at a
close is filled at the next open, stops are judged at closes.
"""

import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bots.rules.presets import preset_names, preset_text
from bots.rules.series import Bars
from docs.presets.pictures import CASH, market_of, picture, seeded_bars, walk
from shared.config import ROOT
from shared.domain.rule.params import bind
from shared.domain.rule.parse import parse_rule

DATA = ROOT.parent / "shared" / "data"
REAL = {
    "005930": DATA / "krx_daily_2018_2021" / "005930.csv",
    "000660": DATA / "krx_daily_2000_2018" / "000660.csv",
}


class Prices:
    """Lists of one market, and the plain indicators."""

    def __init__(self, bars: Bars) -> None:
        columns = (bars.open, bars.high, bars.low, bars.close)
        self.open, self.high, self.low, self.close = (one.tolist() for one in columns)
        self.sma, self.rsi, self.ema = cache(self._sma), cache(self._rsi), cache(self._ema)
        self.macd = cache(self._macd)

    def _sma(self, i, n):
        return math.nan if i < n - 1 else sum(self.close[i - n + 1 : i + 1]) / n

    def std(self, i, n):
        mean = self.sma(i, n)
        return math.nan if i < n - 1 else math.sqrt(sum((x - mean) ** 2 for x in self.close[i - n + 1 : i + 1]) / n)

    def roc(self, i, n):
        return math.nan if i < n else (self.close[i] / self.close[i - n] - 1) * 100

    def best(self, i, n):
        """The highest close of the n bars before i."""
        return math.nan if i < n else max(self.close[i - n : i])

    def _rsi(self, n):
        steps = [b - a for a, b in zip(self.close, self.close[1:], strict=False)]
        up, down = sum(max(s, 0) for s in steps[:n]) / n, sum(max(-s, 0) for s in steps[:n]) / n
        found = [math.nan] * n + [100 * up / (up + down)]
        for s in steps[n:]:
            up, down = (up * (n - 1) + max(s, 0)) / n, (down * (n - 1) + max(-s, 0)) / n
            found.append(100 * up / (up + down))
        return found

    def _ema(self, n, first):
        """Seeded by the simple average that ends at bar `first`."""
        found = [math.nan] * first + [sum(self.close[first - n + 1 : first + 1]) / n]
        for x in self.close[first + 1 :]:
            found.append(found[-1] + 2 / (n + 1) * (x - found[-1]))
        return found

    def _macd(self):
        fast, slow = self.ema(12, 25), self.ema(26, 25)
        line = [a - b for a, b in zip(fast, slow, strict=True)]
        signal = [math.nan] * 33 + [sum(line[25:34]) / 9]
        for x in line[34:]:
            signal.append(signal[-1] + 0.2 * (x - signal[-1]))
        return [math.nan if i < 33 else x for i, x in enumerate(line)], signal

    def natr(self, n):
        """Wilder's average range in percent of the close; true ranges begin at bar 1."""
        ranges = [math.nan] + [
            max(self.high[i], self.close[i - 1]) - min(self.low[i], self.close[i - 1])
            for i in range(1, len(self.close))
        ]
        found = [math.nan] * n + [sum(ranges[1 : n + 1]) / n]
        for x in ranges[n + 1 :]:
            found.append((found[-1] * (n - 1) + x) / n)
        return [a / c * 100 for a, c in zip(found, self.close, strict=True)]

    def streak(self, i, sign):
        count = 0
        while i - count > 0 and (self.close[i - count] - self.close[i - count - 1]) * sign > 0:
            count += 1
        return count


def crossed(a, b, up=True):
    """(before, now) of both: not above before, above now."""
    (a0, a1), (b0, b1) = a, b
    return a0 <= b0 and a1 > b1 if up else a0 >= b0 and a1 < b1


def two(values, i):
    return values(i - 1), values(i)


def averages(p, i, fast, slow, up):
    return crossed(two(lambda k: p.sma(k, fast), i), two(lambda k: p.sma(k, slow), i), up)


def votes(p, i):
    rsi, (line, signal) = p.rsi(14)[i], p.macd()
    buy = (p.sma(i, 10) > p.sma(i, 30)) + (rsi < 45) + (line[i] > signal[i])
    sell = (p.sma(i, 10) < p.sma(i, 30)) + (rsi > 65) + (line[i] < signal[i])
    return buy >= 2, sell >= 2


def lower(p, i):
    return p.sma(i, 20) - 2 * p.std(i, 20)


# preset -> (enter(p, i), leave(p, i, bars held), stop %, target %, trailing %)
PLAIN = {
    "ma_cross": (lambda p, i: averages(p, i, 10, 30, True), lambda p, i, n: averages(p, i, 10, 30, False), 5, None, None),
    "golden_cross": (
        lambda p, i: averages(p, i, 5, 20, True), lambda p, i, n: averages(p, i, 5, 20, False), 5, 10, None,
    ),
    "rsi": (
        lambda p, i: crossed((p.rsi(14)[i - 1], p.rsi(14)[i]), (30, 30)),
        lambda p, i, n: crossed((p.rsi(14)[i - 1], p.rsi(14)[i]), (70, 70), False), 5, 10, None,
    ),
    "bollinger": (
        lambda p, i: crossed((p.close[i - 1], p.close[i]), two(lambda k: lower(p, k), i)),
        lambda p, i, n: crossed((p.close[i - 1], p.close[i]), two(lambda k: p.sma(k, 20), i))
        or p.close[i] >= p.sma(i, 20) + 2 * p.std(i, 20), 5, None, None,
    ),
    "macd": (
        lambda p, i: crossed(*(two(lambda k, one=one: one[k], i) for one in p.macd())),
        lambda p, i, n: crossed(*(two(lambda k, one=one: one[k], i) for one in p.macd()), False), 5, None, None,
    ),
    "momentum": (lambda p, i: p.roc(i, 60) > 5, lambda p, i, n: p.roc(i, 60) < 0, 10, None, None),
    "consecutive": (lambda p, i: p.streak(i, 1) >= 3, lambda p, i, n: p.streak(i, -1) >= 3, 5, None, None),
    "disparity": (
        lambda p, i: p.close[i] / p.sma(i, 20) * 100 <= 95, lambda p, i, n: p.close[i] / p.sma(i, 20) * 100 >= 105,
        8, None, None,
    ),
    "false_breakout": (
        lambda p, i: crossed((p.close[i - 1], p.close[i]), two(lambda k: p.best(k, 20), i)),
        lambda p, i, n: p.close[i] < p.best(i, 20) and n <= 3, 3, 12, None,
    ),
    "short_reversal": (
        lambda p, i: p.close[i] < p.sma(i, 5) * 0.97, lambda p, i, n: p.close[i] > p.sma(i, 5) * 1.03, 5, None, None,
    ),
    "strong_close": (
        lambda p, i: p.high[i] > p.low[i] and (p.close[i] - p.low[i]) / (p.high[i] - p.low[i]) >= 0.8,
        lambda p, i, n: p.high[i] > p.low[i] and (p.close[i] - p.low[i]) / (p.high[i] - p.low[i]) < 0.2, 5, None, None,
    ),
    "trend_filter": (
        lambda p, i: p.close[i] > p.sma(i, 60) and p.roc(i, 1) > 0,
        lambda p, i, n: p.close[i] < p.sma(i, 60) and p.roc(i, 1) < 0, 5, 10, None,
    ),
    "squeeze_expansion": (
        lambda p, i: p.natr(10)[i - 1] < p.natr(20)[i - 1] and p.roc(i, 1) > 2, lambda p, i, n: p.roc(i, 1) < 0,
        5, None, None,
    ),
    "week52_high": (
        lambda p, i: crossed((p.close[i - 1], p.close[i]), two(lambda k: p.best(k, 252), i)), lambda p, i, n: False,
        5, 15, 8,
    ),
    "volatility_breakout": (
        lambda p, i: p.close[i] > p.open[i] + 0.5 * (p.high[i - 1] - p.low[i - 1]) and p.close[i] > p.sma(i - 1, 5),
        lambda p, i, n: n >= 1, 5, None, None,
    ),
    "composite_vote": (lambda p, i: votes(p, i)[0], lambda p, i, n: votes(p, i)[1], 5, 10, None),
}  # fmt: skip


def restated(name, p):
    """(bar, side, price, shares) of every fill."""
    enter, leave, stop, target, trailing = PLAIN[name]
    cash, shares, cost, high, age, order, found = CASH, 0, 0.0, 0.0, 0, None, []
    for i, close in enumerate(p.close):
        if order == "BUY":
            shares = int(cash / p.open[i])
            cost = high = p.open[i]
            cash -= shares * cost
            age = 0
            found.append((i, "BUY", cost, shares))
        elif order == "SELL":
            cash += shares * p.open[i]
            found.append((i, "SELL", p.open[i], shares))
            shares = 0
        order = None
        if i == 0:
            continue
        if shares:
            hit = close <= round(cost * (1 - stop / 100), 8) or (
                target is not None and close >= round(cost * (1 + target / 100), 8)
            )
            hit = hit or (trailing is not None and close <= round(high * (1 - trailing / 100), 8))
            if hit or leave(p, i, age):
                order = "SELL"
            high, age = max(high, close), age + 1
        elif enter(p, i):
            order = "BUY"
    return found


def fills(name, bars):
    rule = bind(parse_rule(preset_text(name)))
    return [(one.bar, one.side.value, one.price, one.quantity) for one in walk(rule, {"005930": bars})]


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("seed", [5, 8])
def test_a_preset_trades_as_its_plain_re_statement_on_made_up_bars(name, seed):
    bars = seeded_bars(seed, 420)
    got = fills(name, bars)
    assert got == restated(name, Prices(bars))
    assert got or name == "week52_high"


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("symbol", REAL)
def test_a_preset_trades_as_its_plain_re_statement_on_real_bars(name, symbol):
    if not REAL[symbol].exists():
        pytest.skip("the real bars are not on this machine")
    bars = real_bars(REAL[symbol], 500)
    assert fills(name, bars) == restated(name, Prices(bars))


def real_bars(file: Path, count: int) -> Bars:
    with file.open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if float(row["volume"]) > 0][-count:]
    columns = [np.array([float(row[key]) for row in rows]) for key in ("open", "high", "low", "close", "volume")]
    return Bars(np.arange(len(rows)) * 86_400, *columns)


# -- more than all in, all out -------------------------------------------------------------------------------------------


def test_split_buying_with_loc_is_the_plain_book_of_forty_parts():
    bars = seeded_bars(5, 300, 40.0)
    rule = bind(parse_rule(preset_text("dca_loc")))
    part, shares, cost, order, found = 4000 / 40, 0, 0.0, None, []
    for i, (opened, close) in enumerate(zip(bars.open.tolist(), bars.close.tolist(), strict=True)):
        if order == "SELL":
            found.append((i, "SELL", opened, shares))
            shares, cost = 0, 0.0
        elif order is not None:
            quantity, limit = order
            if close <= limit:
                shares, cost = shares + quantity, cost + quantity * close
                found.append((i, "BUY", close, quantity))
        order = None
        average = cost / shares if shares else 0.0
        used = math.ceil(cost / part - 1e-9)
        if shares and close >= round(average * 1.10, 8):
            order = "SELL"
        elif used < 40:
            limit = round(close * 1.10 if not shares else average * (1.05 if used < 20 else 1.0), 8)
            quantity = int(min(part, 4000 - cost) / limit + 1e-9)
            order = (quantity, limit) if quantity else None
    got = [(one.bar, one.side.value, one.price, one.quantity) for one in walk(rule, {"AAPL": bars})]
    assert [(a, b, d) for a, b, c, d in got] == [(a, b, d) for a, b, c, d in found]
    assert [one[2] for one in got] == pytest.approx([one[2] for one in found])
    assert sum(one[1] == "BUY" for one in got) > 20 and sum(one[1] == "SELL" for one in got) >= 1


def test_a_grid_is_the_plain_set_of_levels():
    bars = seeded_bars(5, 300)
    rule = bind(parse_rule(preset_text("grid")))
    held, target, found = set(), None, []
    for i, (opened, close) in enumerate(zip(bars.open.tolist(), bars.close.tolist(), strict=True)):
        if target is not None and target != held:
            found.append((i, "BUY" if len(target) > len(held) else "SELL", opened, 5 * abs(len(target) - len(held))))
            held = target
        levels = {80_000 - 2_000 * k for k in range(1, 11)}
        bought = {one for one in levels if close <= one}
        target = held | bought if bought - held else {one for one in held if close < one + 2_000}
    got = [(one.bar, one.side.value, one.price, one.quantity) for one in walk(rule, {"005930": bars})]
    assert got == found and len(got) >= 10


def test_target_weights_are_the_plain_two_line_ledger():
    rule = bind(parse_rule(preset_text("rebalance_60_40")))
    market = market_of(rule)
    cash, held, orders, found = CASH, {"SPY": 0, "TLT": 0}, [], []
    for i in range(300):
        for symbol, change in sorted(orders, key=lambda one: one[1] > 0):
            price = float(market[symbol].open[i])
            if change > 0 and change * price > cash:
                continue
            cash -= change * price
            held[symbol] += change
            found.append((i, symbol, change))
        closes = {symbol: float(bars.close[i]) for symbol, bars in market.items()}
        equity, orders = cash + sum(held[s] * closes[s] for s in held), []
        for symbol, target in (("SPY", 60), ("TLT", 40)):
            if abs(held[symbol] * closes[symbol] / equity * 100 - target) > 5:
                change = math.floor(target / 100 * equity / closes[symbol] + 1e-9) - held[symbol]
                orders += [(symbol, change)] if change else []
    got = [(one.bar, one.symbol, one.quantity if one.side == "BUY" else -one.quantity) for one in walk(rule, market)]
    assert got == found and len(got) >= 3


# -- pictures ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [one for one in preset_names() if not one.startswith("demo_")])
def test_the_picture_shows_what_the_preset_does_today(name):
    rule = parse_rule(preset_text(name))
    market = market_of(rule)
    kept = (ROOT / "docs" / "presets" / f"{name}.svg").read_text(encoding="utf-8")
    assert kept == picture(rule, market, walk(bind(rule), market)), "python -m docs.presets.pictures"
    assert "<polygon" in kept
