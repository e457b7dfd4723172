import asyncio
import importlib
import importlib.util
import re
import sys
import types
from contextlib import suppress
from pathlib import Path

from reporting import GIVEN, say

module, HOSTS = importlib.import_module("ebest.OpenApi"), GIVEN["hosts"]
module.BASE_URL = HOSTS["openapi.ls-sec.co.kr:8080"]
module.WSS_URL_REAL = HOSTS["openapi.ls-sec.co.kr:9443"] + "/websocket"
module.WSS_URL_SIMULATION = HOSTS["openapi.ls-sec.co.kr:29443"] + "/websocket"
keys = types.ModuleType("app_keys")
keys.appkey, keys.appsecretkey = GIVEN["live"], GIVEN["secret"]
sys.modules["app_keys"] = keys
import common  # noqa: E402

printed, answers = [], []


async def answered(prompt):
    answer = answers.pop(0)
    if callable(answer):
        answer = answer()
    return str(answer)


common.set_ext_func(printed.append, answered)


async def play(number, seconds):
    """Run one sample's own main(); what it printed stays in `printed`."""
    printed.clear()
    (path,) = Path(GIVEN["samples"]).glob(f"{number}. *.py")
    spec = importlib.util.spec_from_file_location(f"sample_{number}", path)
    sample = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sample)
    with suppress(TimeoutError, IndexError):  # it would run on for minutes, or ask for more than we wanted to order
        await asyncio.wait_for(sample.main(), seconds)


def tables():
    """The printed tables as rows of {column: value}; a key/value table is one row."""
    found = []
    for one in map(str, printed):
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in one.splitlines() if line.startswith("|")]
        if not rows:
            continue
        names, *values = rows
        found.append(
            [dict(values)] if names == ["key", "value"] else [dict(zip(names, row, strict=True)) for row in values]
        )
    return found


def with_column(name):
    return next(rows for rows in tables() if rows and name in rows[0])


def ascends(rows, *names):
    labels = ["".join(str(row[name]) for name in names) for row in rows]
    return [len(labels), labels == sorted(set(labels))]


def lines(pattern):
    return [match for one in printed if isinstance(one, str) for match in re.findall(pattern, one)]


async def attempt(call, read, seconds=20):
    try:
        await play(call[:2], seconds)
        got = read()
    except Exception as e:
        tail = [str(one)[:80] for one in printed[-2:]]
        print("@@" + module.json.dumps({"call": call, "error": f"{type(e).__name__}: {e} {tail}"[:300]}), flush=True)
        return
    say(call, got)


def price(name, field):
    row = with_column(field)[0]
    return [row[name], float(row[field]) > 0]


def number_of(pattern):
    """The newest order number that the sample itself printed."""
    return lambda: max(int(match) for one in printed for match in re.findall(pattern, str(one)))


async def main():
    await attempt("03 master (t8436)", lambda: [row["shcode"] for row in with_column("shcode")])
    await attempt("04 price (t1102)", lambda: price("hname", "price"))
    await attempt("05 chart (t8410)", lambda: ascends(with_column("jdiff_vol"), "date"))
    await attempt("06 chart, two pages (t8410)", lambda: ascends(with_column("jdiff_vol"), "date"))
    await attempt("07 deposit (CSPAQ22200)", lambda: with_column("MnyOrdAbleAmt")[0]["MnyOrdAbleAmt"])
    await attempt("40 US master (g3190)", lambda: {"AAPL", "TSLA"} <= {row["symbol"] for row in with_column("korname")})
    await attempt("41 US info (g3104)", lambda: with_column("engname")[0]["symbol"])
    await attempt("42 US price (g3101)", lambda: price("symbol", "price"))
    await attempt("43 US minutes (g3203)", lambda: ascends(with_column("loctime"), "date", "loctime"))
    await attempt("44 US days (g3204)", lambda: ascends(with_column("prtt_rate"), "date"))
    await attempt(
        "45 US days, pages (g3204)", lambda: (r := ascends(with_column("prtt_rate"), "date"))[0] > 500 and r[1], 60
    )
    await attempt("48 US cash (COSOQ02701)", lambda: with_column("T4FcurrDps")[0]["FcurrOrdAbleAmt"])
    await attempt("21 trades (S3_)", lambda: [
        sorted(set(lines(r"S3_, (\d{6}), "))), all(int(p) > 0 for p in lines(r"'price': '(\d+)'"))], 8)  # fmt: skip
    await attempt("46 US trades (GSC)", lambda: {"82AAPL", "82TSLA"} == {k.strip() for k in lines(r"GSC, (.{18}), ")})
    await attempt("47 US books (GSH)", lambda: bool(lines(r"GSH, .{18}, .*'offerho1': '\d+\.\d{4}'")))
    if GIVEN["new"]:
        own = number_of(r"\| +(\d+) +\| +005930")
        answers[:] = [1, "005930", "00", 60000, 3, 3, own, 61000, 4, own]
        await attempt("14 order desk: buy, amend, cancel (CSPAT00601, CSPAT00701, CSPAT00801)",
                      lambda: len(lines(r"결과: .*완료")), 30)  # fmt: skip
        await attempt("49 US balance (COSOQ00201)", lambda: bool(lines(r"원화예수금: \d+")))
        own = number_of(r"\| +(\d+) +\| +TSLA")
        answers[:] = [1, "82TSLA", "00", 200, 3, 3, own, 201, 4, own, ""]
        await attempt("51 US order desk (COSAT00301, COSAT00311)", lambda: len(lines(r"결과: \[00")), 30)


asyncio.run(main())
