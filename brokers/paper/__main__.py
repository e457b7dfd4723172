"""`python -m brokers.paper`: the local exchange, the brokers' wires on 127.0.0.1 without keys."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

from brokers.paper.accounts import Frames, Profile
from brokers.paper.clients import DEFAULT_CASH, Cash
from brokers.paper.costs import CostMode
from brokers.paper.server import PORTS, Options, serve
from shared.clock import SystemClock
from shared.domain.errors import ConfigError
from shared.domain.money import Currency

ROOT = Path(__file__).resolve().parent.parent.parent
EXIT_CONFIG = 78


def read_cash(text: str) -> Cash:
    """Read `KRW=50000000,USD=20000`; a currency left out keeps its default."""
    cash = dict(DEFAULT_CASH)
    for part in text.split(","):
        name, _, amount = part.partition("=")
        try:
            cash[Currency(name.strip().upper())] = Decimal(amount)
        except (ValueError, InvalidOperation):
            raise argparse.ArgumentTypeError(f"{part!r} is not KRW=amount or USD=amount") from None
        if not Decimal(amount).is_finite() or Decimal(amount) < 0:
            raise argparse.ArgumentTypeError(f"{part!r} is not an amount of money")
    return cash


def read_speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed above 0, at most 100000")
    return speed


def read_lead(text: str) -> float:
    try:
        lead_s = float(text)
    except ValueError:
        lead_s = -1.0
    if not 0 <= lead_s <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 600")
    return lead_s


def read_offset(text: str) -> int:
    room = 65_535 - max(PORTS.values())
    if not text.isascii() or not text.isdigit() or int(text) > room:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {room}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m brokers.paper", description=__doc__)
    made.add_argument("--profile", type=Profile, choices=list(Profile), default=Profile.COMPAT)
    made.add_argument("--tape", metavar="synthetic[:SEED]|replay:SYMBOL=FILE[,SYMBOL=FILE]")
    made.add_argument("--speed", type=read_speed, help="market seconds per second (replay only)")
    made.add_argument(
        "--lead", type=read_lead, default=0.0, metavar="SECONDS", help="wall time before the first print (replay only)"
    )
    made.add_argument("--port-offset", type=read_offset, default=0, help="added to every port")
    made.add_argument(
        "--costs", type=CostMode, choices=list(CostMode), help="commissions and taxes; default: of the profile"
    )
    made.add_argument(
        "--tls", type=Path, metavar="DIR", help="speak TLS on the brokers' ports; DIR keeps the certificate and ca.pem"
    )
    made.add_argument(
        "--frames", type=Frames, choices=list(Frames), default=Frames.DOCUMENTED, help="fields of KIS's Korean frames"
    )
    made.add_argument("--cash", type=read_cash, default=dict(DEFAULT_CASH), metavar="KRW=N,USD=N")
    return made


def main(argv: list[str] | None = None) -> int:
    """Exit codes: 0 asked to stop, 2 usage, 78 configuration, anything else restarts under supervisord."""
    args = parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    home = (ROOT / (os.environ.get("LETSTRADE_HOME") or "var")).resolve()
    tls = None if args.tls is None else (ROOT / args.tls).resolve()
    options = Options(
        home, args.profile, args.tape, args.speed, args.lead, args.port_offset, args.cash, args.costs, tls, args.frames
    )
    try:
        return asyncio.run(serve(options, SystemClock()))
    except ConfigError as e:
        sys.stderr.write(f"{e.what}\n  why: {e.why}\n  now: {e.now}\n")
        return EXIT_CONFIG


if __name__ == "__main__":
    sys.exit(main())
