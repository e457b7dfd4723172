"""`python -m docs.presets.pictures`: draw what each preset does on one made-up market, as SVG beside this file.

The trades are the live bot's own `evaluate`, bar by bar, a decision at a close filled at the next open (LOC: at the next
close within its limit; a resting limit: where the next bar reaches it). No costs. The market is drawn from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from bots.rules.evaluate import evaluate
from bots.rules.presets import preset_names, preset_text
from bots.rules.series import Bars, Holding, MarketView
from shared.domain.order import OrderType
from shared.domain.rule.model import Rule
from shared.domain.rule.params import bind
from shared.domain.rule.parse import parse_rule
from shared.domain.signal import Decision, Verdict

FOLDER = Path(__file__).parent
WIDTH, HEIGHT, MARGIN = 760, 260, 28
CASH = 10_000_000.0


@dataclass(frozen=True, slots=True)
class Deal:
    """One fill: the bar it happened on, and why."""

    bar: int
    symbol: str
    side: Verdict
    price: float
    quantity: int
    reason: str


@dataclass(slots=True)
class Book:
    """Cash, shares and what is still to be filled while a rule walks over bars."""

    cash: float = CASH
    holdings: dict[str, Holding] = field(default_factory=dict)
    deals: list[Deal] = field(default_factory=list)

    def fill(self, bar: int, decision: Decision, price: float) -> None:
        held = self.holdings.get(decision.symbol)
        if decision.verdict is Verdict.BUY:
            quantity = int(self.cash / price) if decision.quantity is None else decision.quantity
            if quantity <= 0 or quantity * price > self.cash:
                return
            before = Holding(0, price, 0, price) if held is None else held
            total = before.quantity + quantity
            average = (before.quantity * before.average_price + quantity * price) / total
            high = max(before.high_water, price)
            self.holdings[decision.symbol] = Holding(total, average, before.bars_since_entry, high)
            self.cash -= quantity * price
        else:
            if held is None:
                return
            quantity = min(decision.quantity or held.quantity, held.quantity)
            self.cash += quantity * price
            if quantity == held.quantity:
                del self.holdings[decision.symbol]
            else:
                left = Holding(held.quantity - quantity, held.average_price, held.bars_since_entry, held.high_water)
                self.holdings[decision.symbol] = left
        self.deals.append(Deal(bar, decision.symbol, decision.verdict, price, quantity, decision.reason))

    def worth(self, market: dict[str, Bars], bar: int) -> float:
        return self.cash + sum(one.quantity * float(market[symbol].close[bar]) for symbol, one in self.holdings.items())


def walk(rule: Rule, market: dict[str, Bars]) -> list[Deal]:
    """Return the fills of `rule` on bars of one length; sales of a bar go before its buys."""
    book, waiting = Book(), list[Decision]()
    for bar in range(len(next(iter(market.values())))):
        for decision in sorted(waiting, key=lambda one: one.verdict is Verdict.BUY):
            price = _fill_price(decision, market[decision.symbol], bar)
            if price is not None:
                book.fill(bar, decision, price)
        equity, waiting = book.worth(market, bar), []
        for symbol, bars in market.items():
            held, close = book.holdings.get(symbol), float(bars.close[bar])
            at = datetime.fromtimestamp(int(bars.starts[bar]), UTC)
            view = MarketView(symbol, at, bars.until(bar + 1), True, None, held, None, equity)
            decision = evaluate(rule, view)
            if decision.verdict is not Verdict.HOLD:
                waiting.append(decision)
            if held is not None:
                high = max(held.high_water, close)
                book.holdings[symbol] = Holding(held.quantity, held.average_price, held.bars_since_entry + 1, high)
    return book.deals


def _fill_price(decision: Decision, bars: Bars, bar: int) -> float | None:
    limit = None if decision.limit_price is None else float(decision.limit_price)
    if limit is None:
        return float(bars.open[bar])
    close, opened, low = float(bars.close[bar]), float(bars.open[bar]), float(bars.low[bar])
    if decision.order_type is OrderType.LOC:
        return close if close <= limit else None
    return min(opened, limit) if low <= limit else None


def seeded_bars(seed: int, count: int = 300, start: float = 70_000.0) -> Bars:
    """Return a made-up market: waves on a random walk, gaps small, prices in whole won or cents."""
    random = np.random.default_rng(seed)
    wave = start * 0.1 * np.sin(np.arange(count) / 19.0 + seed)
    cents = 0 if start > 1_000 else 2
    close = np.round(start + wave + np.cumsum(random.normal(0, start * 0.009, count)), cents)
    opened = np.round(np.concatenate((close[:1], close[:-1])) + random.normal(0, start * 0.002, count), cents)
    high = np.round(np.maximum(opened, close) + random.random(count) * start * 0.006, cents)
    low = np.round(np.minimum(opened, close) - random.random(count) * start * 0.006, cents)
    return Bars(np.arange(count) * 86_400, opened, high, low, close, random.integers(1_000, 9_000, count).astype(float))


def market_of(rule: Rule, seed: int = 5, count: int = 300) -> dict[str, Bars]:
    """Return made-up bars for the rule's symbols (one where it names none)."""
    names = [symbol for symbol, _ in rule.rebalance.weights] if rule.rebalance else ["005930"]
    start = 40.0 if "us" in rule.metadata.tags else 70_000.0
    return {name: seeded_bars(seed + i, count, start) for i, name in enumerate(names)}


# -- drawing -----------------------------------------------------------------------------------------------------------


def picture(rule: Rule, market: dict[str, Bars], deals: list[Deal]) -> str:
    """Return the closes with a mark for each buy (▲) and sale (▼) as SVG."""
    closes = np.concatenate([one.close for one in market.values()])
    low, high = float(closes.min()), float(closes.max())
    count = len(next(iter(market.values())))

    def place(bar: int, price: float) -> tuple[float, float]:
        x = MARGIN + bar / max(count - 1, 1) * (WIDTH - 2 * MARGIN)
        return round(x, 1), round(HEIGHT - MARGIN - (price - low) / (high - low) * (HEIGHT - 2 * MARGIN), 1)

    parts = []
    for shade, bars in zip(("#5b6b7f", "#b08a3e"), market.values(), strict=False):
        line = " ".join("{},{}".format(*place(i, float(one))) for i, one in enumerate(bars.close))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{shade}" stroke-width="1.4"/>')
    for deal in deals:
        x, y = place(deal.bar, deal.price)
        buy = deal.side is Verdict.BUY
        tip, base = (y + 4, y + 12) if buy else (y - 4, y - 12)
        told = f"{deal.side} {deal.symbol} {deal.quantity} @ {deal.price:,.0f} ({deal.reason})"
        shade = "#c0392b" if buy else "#1f5fbf"  # 매수 red, 매도 blue, as Korean screens
        parts.append(
            f'<polygon points="{x},{tip} {x - 4},{base} {x + 4},{base}" fill="{shade}"><title>{escape(told)}</title></polygon>'
        )
    title = escape(f"{rule.metadata.name} · {rule.metadata.name_en}")
    bought = sum(1 for one in deals if one.side is Verdict.BUY)
    parts.append(f'<text x="{MARGIN}" y="18" font-size="13" font-family="sans-serif" fill="#222">{title}</text>')
    note = f"매수 {bought} · 매도 {len(deals) - bought}"
    parts.append(
        f'<text x="{WIDTH - MARGIN}" y="18" font-size="11" text-anchor="end" font-family="sans-serif" fill="#555">{note}</text>'
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    return head + ground + "".join(parts) + "</svg>\n"


def main() -> None:
    """Draw every preset that is not a demo."""
    for name in preset_names():
        if not name.startswith("demo_"):
            rule = parse_rule(preset_text(name))
            market = market_of(rule)
            (FOLDER / f"{name}.svg").write_text(picture(rule, market, walk(bind(rule), market)), encoding="utf-8")


if __name__ == "__main__":
    main()
