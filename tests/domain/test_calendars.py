"""Loading the dated rows, and the user's own rows over them."""

import subprocess
import sys
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from shared.calendars import OVERRIDES_NAME, load
from shared.domain.errors import ConfigError
from shared.domain.fees import sec_fee_per_million

HEADER = "name,date,kind,value,why\n"


def write(tmp_path: Path, rows: str) -> Path:
    path = tmp_path / OVERRIDES_NAME
    path.write_text(HEADER + rows, encoding="utf-8")
    return path


def test_the_users_rows_win_over_the_shipped_ones(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "KRX,2029-06-12,closed,,election\n\n"
        "KRX,2026-07-17,open,,\nKRX,2028-11-16,hours,10:00-16:30,CSAT\n"
        "US,2026-05-06,no_settlement,,\nus_sec_fee_per_million,2027-05-01,rate,21.00,\n",
    )
    calendars, shipped = load(path), load()
    assert not calendars.krx.is_trading_day(date(2029, 6, 12))
    assert shipped.krx.is_trading_day(date(2029, 6, 12))
    assert calendars.krx.is_trading_day(date(2026, 7, 17))
    hours = calendars.krx.hours(date(2028, 11, 16))
    assert hours is not None
    assert (hours.open, hours.close) == (time(10), time(16, 30))
    assert calendars.us.settle_date(date(2026, 5, 5)) == date(2026, 5, 7)
    assert sec_fee_per_million(date(2027, 5, 3), calendars.rates) == Decimal("21.00")


def test_a_saved_override_file_is_read_again_and_a_missing_one_is_none(tmp_path: Path) -> None:
    assert load(tmp_path / OVERRIDES_NAME) is load()
    path = write(tmp_path, "")
    first = load(path)
    assert load(path) is first
    path.write_text(HEADER + "KRX,2026-11-20,closed,,\n", encoding="utf-8")
    assert not load(path).krx.is_trading_day(date(2026, 11, 20))


@pytest.mark.parametrize(
    "row",
    [
        "KRX,2026-13-01,closed,",
        "KRX,2026-11-20,shut,",
        "KRX,2026-11-20,hours,10-x",
        "KRX,2026-11-20,hours,16:30-10:00",
        "KRX,2026-11-20",
        "JPX,2026-11-20,closed,",
        "us_sec_fee,2027-01-01,rate,5",
        "us_sec_fee_per_million,2027-01-01,rate,free",
        "us_sec_fee_per_million,2027-01-01,rate,-1",
        "us_sec_fee_per_million,2027-01-01,rate,NaN",
    ],
)
def test_a_bad_override_row_is_named_by_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(ConfigError, match=rf"{OVERRIDES_NAME} line 3"):
        load(write(tmp_path, f"KRX,2026-11-20,closed,\n{row}\n"))


def test_an_override_file_without_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / OVERRIDES_NAME
    path.write_text("KRX,2026-11-20,closed,\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 1"):
        load(path)


def test_calendars_load_quickly_and_without_heavy_packages() -> None:
    program = (
        "import sys, time; from shared.calendars import load; t = time.process_time(); load(); "
        "print(time.process_time() - t, *sorted({'pandas', 'numpy', 'exchange_calendars'} & sys.modules.keys()))"
    )
    seconds, *heavy = min(_run(program) for _ in range(3))
    assert float(seconds) < 0.030
    assert heavy == []


def _run(program: str) -> list[str]:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.split()
