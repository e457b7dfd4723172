"""Every verb, by name; the edge where errors become exit codes."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from console.cli.output import REFUSED, failure, say
from shared.domain.errors import TradingError

NOUNS = {  # each module's `app`
    "account": "console.cli.accounts",
    "credential": "console.cli.credentials",
    "rule": "console.cli.rules",
    "bot": "console.cli.bots",
    "order": "console.cli.orders",
    "fills": "console.cli.fills",
    "kill": "console.cli.kill",
    "alerts": "console.cli.alerts",
    "market": "console.cli.market",
    "exchange": "console.cli.exchange",
    "db": "console.cli.db",
    "keys": "console.cli.keys",
}
VERBS = {  # verbs without a noun: the function of that name
    "setup": "console.cli.setup",
    "doctor": "console.cli.doctor",
    "quote": "console.cli.holdings",
    "balance": "console.cli.holdings",
    "positions": "console.cli.holdings",
}


def root(first: str | None) -> typer.Typer:
    """Return the program: the one noun or verb asked for (a verb imports only what it needs), or all of them."""
    program = typer.Typer(
        name="letstrade",
        help="LetsTrade: 여러 증권계좌 운영 데스크 · an operator's desk for many Korean brokerage accounts.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    program.callback()(lambda: None)  # keeps a program with one verb from becoming that verb
    wanted = {first} if first in {*NOUNS, *VERBS} else {*NOUNS, *VERBS}
    for name in [one for one in NOUNS if one in wanted]:
        program.add_typer(import_module(NOUNS[name]).app, name=name)
    for name in [one for one in VERBS if one in wanted]:
        program.command(name)(getattr(import_module(VERBS[name]), name))
    return program


def main() -> int:
    """Run one verb; 0 done, 1 refused or failed, 2 usage, 3 outcome unknown."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    arguments = sys.argv[1:]
    as_json = "--json" in arguments
    first = next((word for word in arguments if not word.startswith("-")), None)
    try:
        result: Any = root(first)(arguments, standalone_mode=False)
    except typer.TyperException as error:  # a word or a value that the program does not know
        failure(_usage(error), as_json=as_json)
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        say("중단 (aborted)")
        return REFUSED
    except TradingError as error:
        return failure(error, as_json=as_json)
    except SQLAlchemyError as error:
        gone = TradingError(
            "저장소가 응답하지 않습니다 (the store does not answer)",
            type(error).__name__,
            "check DATABASE_URL or SUPABASE_DB_URL, and that the server runs",
            code="store_away",
        )
        return failure(gone, as_json=as_json)
    return result if isinstance(result, int) else 0


def _usage(error: typer.TyperException) -> TradingError:
    said = error.format_message()
    if not said.strip() or "Usage:" in said:  # asked for nothing: the help has been printed
        return TradingError("명령이 없습니다 (no command)", "", "--help", code="usage")
    return TradingError(f"쓰는 법이 다릅니다 (usage): {said}", "", "--help", code="usage")


if __name__ == "__main__":
    raise SystemExit(main())
