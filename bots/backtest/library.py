"""Bars kept for backtests: one CSV per market, symbol and timeframe under LETSTRADE_HOME/bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bots.backtest.data import PriceData, read_bars
from shared.domain.account import Environment, Market
from shared.domain.errors import ConfigError
from shared.domain.instrument import Venue, check_symbol
from shared.domain.market import Timeframe
from shared.domain.trading_days import ZONES

FOLDER = "bars"


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept series. `first` and `last` are exchange-local dates or times; `odd` counts its warnings."""

    market: Market
    symbol: str
    timeframe: Timeframe
    bars: int
    first: str
    last: str
    odd: int
    path: Path


def keep(home: Path, market: Market, symbol: str, file: Path, *, actions: bool = False) -> Kept:
    """Judge the bars of a CSV or Parquet file and keep them; those of the same series kept before are replaced.

    Raises:
        ConfigError: no symbol of that market, a file that cannot be used, or bars of no known length.
    """
    try:
        check_symbol(symbol, market)
    except ValueError as e:
        raise ConfigError(f"--symbol {symbol}", str(e), "종목코드를 확인하십시오 (check the symbol)") from e
    data = read_bars(file, market, actions=actions)
    path = _path(home, market, symbol, _timeframe(data, file))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.write_text("\n".join(_lines(data)) + "\n", encoding="utf-8")
    fresh.replace(path)
    return _described(path, data)


def merge(home: Path, market: Market, symbol: str, timeframe: Timeframe, rows: Sequence[Sequence[str]]) -> Kept:
    """Put a broker's bars (start as ISO text, open, high, low, close, volume) beside those kept; newer words replace older.

    Raises:
        ConfigError: no bars at all, or one that cannot be used.
    """
    zone, path = ZONES[market], _path(home, market, symbol, timeframe)
    found: dict[str, Sequence[str]] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            cells = line.split(",")
            found[cells[0]] = cells[1:6]
    for start, *prices in rows:
        at = datetime.fromisoformat(start).astimezone(zone)
        found[at.date().isoformat() if timeframe is Timeframe.D1 else at.isoformat()] = [str(one) for one in prices]
    lines = ["date" if timeframe is Timeframe.D1 else "timestamp"]
    lines[0] += ",open,high,low,close,volume"
    lines += [",".join([at, *found[at]]) for at in sorted(found, key=datetime.fromisoformat)]
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".csv.new")
    fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = read_bars(fresh, market)
    fresh.replace(path)
    return _described(path, data)


def home_of(home: Path, environment: Environment, venue: Venue | None = None) -> Path:
    """Where an account's bars belong: prices of the local exchange, or of another venue, are not those of the market."""
    base = home / "sim" if environment is Environment.SIM else home
    return base if venue in (None, Venue.KRX) else base / venue.value.lower()


def described(home: Path, market: Market, symbol: str, timeframe: Timeframe) -> Kept:
    """Return what is kept of a series."""
    path = _path(home, market, symbol, timeframe)
    return _described(path, read_bars(path, market))


def age_s(home: Path, market: Market, symbol: str, timeframe: Timeframe, now: datetime) -> float | None:
    """Seconds since the series was written; None where none is kept."""
    path = _path(home, market, symbol, timeframe)
    return now.timestamp() - path.stat().st_mtime if path.exists() else None


def has(home: Path, market: Market, symbol: str, timeframe: Timeframe) -> bool:
    return _path(home, market, symbol, timeframe).exists()


def kept(home: Path, market: Market, symbol: str, timeframe: Timeframe, *, actions: bool = False) -> PriceData:
    """Return the kept bars of a symbol.

    Raises:
        ConfigError: none are kept.
    """
    path = _path(home, market, symbol, timeframe)
    if not path.exists():
        simulated = _path(home_of(home, Environment.SIM), market, symbol, timeframe)
        now = f"letstrade data import FILE --symbol {symbol} --market {market}"
        if simulated.exists():
            now += f"; 우리 거래소의 봉은 (those of the local exchange) --data {simulated}"
        raise ConfigError(
            f"{market} {symbol} {timeframe}", "가져온 봉이 없습니다 · no such bars are kept", now, code="no_bars"
        )
    return read_bars(path, market, actions=actions)


def listed(home: Path) -> list[Kept]:
    """Return every kept series by market, symbol and timeframe, the local exchange's last (their path says so)."""
    folders = (home, home_of(home, Environment.SIM))
    paths = (path for folder in folders for path in sorted((folder / FOLDER).glob("*/*.csv")))
    return [_described(path, read_bars(path, Market(path.parent.name))) for path in paths]


def _path(home: Path, market: Market, symbol: str, timeframe: Timeframe) -> Path:
    return home / FOLDER / market.value / f"{symbol.replace('/', '_')}.{timeframe}.csv"


def _timeframe(data: PriceData, file: Path) -> Timeframe:
    seconds = data.seconds_per_bar()
    found = next((one for one in Timeframe if one.seconds == seconds), None)
    if found is None:
        known = ", ".join(Timeframe)
        raise ConfigError(
            file.name, f"{seconds}초 봉 · bars of {seconds} s", f"쓸 수 있는 길이: {known} (usable lengths)"
        )
    return found


def _described(path: Path, data: PriceData) -> Kept:
    symbol, _, timeframe = path.stem.rpartition(".")
    count = len(data.bars)
    return Kept(
        Market(path.parent.name), symbol, Timeframe(timeframe), count, data.label(0), data.label(count - 1),
        sum(one.count for one in data.warnings), path,
    )  # fmt: skip


def _lines(data: PriceData) -> Iterator[str]:
    paid = dict(data.dividends)
    yield f"{'date' if data.daily else 'timestamp'},open,high,low,close,volume" + (",dividend" if paid else "")
    one = data.bars
    columns = (one.open, one.high, one.low, one.close, one.volume)
    for bar in range(len(one)):
        cells = [data.label(bar), *(repr(float(column[bar])) for column in columns)]
        yield ",".join([*cells, repr(paid.get(bar, 0.0))] if paid else cells)
