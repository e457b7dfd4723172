"""`python -m console.cli NOUN VERB …`: find the noun, run the verb, turn every outcome into an exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer

from console.cli import output
from shared.domain.errors import TradingError

NOUNS = {  # each module's `app`; only the one asked for is imported
    "market": "console.cli.market",
    "account": "console.cli.accounts",
    "credential": "console.cli.credentials",
    "bot": "console.cli.bots",
    "order": "console.cli.orders",
    "fills": "console.cli.fills",
    "kill": "console.cli.kill",
    "alerts": "console.cli.alerts",
    "db": "console.cli.db",
    "keys": "console.cli.keys",
    "exchange": "console.cli.exchange",
}
VERBS = {  # verbs without a noun: the function of that name
    "setup": "console.cli.setup",
    "doctor": "console.cli.doctor",
    "quote": "console.cli.holdings",
    "balance": "console.cli.holdings",
    "positions": "console.cli.holdings",
}


def root(first: str | None) -> typer.Typer:
    """Return the program with the noun or verb `first`, or with all of them when it is none."""
    program = typer.Typer(
        name="letstrade",
        help="LetsTrade — 여러 증권계좌 운영 데스크 · an operator's desk for many brokerage accounts",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    program.callback()(lambda: None)  # keeps a program with one verb from becoming that verb
    for name, module in NOUNS.items():
        if first in (name, None) or first not in {*NOUNS, *VERBS}:
            program.add_typer(import_module(module).app, name=name)
    for name, module in VERBS.items():
        if first in (name, None) or first not in {*NOUNS, *VERBS}:
            program.command(name)(getattr(import_module(module), name))
    return program


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    first = next((word for word in arguments if not word.startswith("-")), None)
    try:
        outcome: Any = root(first)(arguments, standalone_mode=False)
    except typer.TyperException as error:  # a word the program does not know, a value it cannot read
        output.fail(TradingError(error.format_message(), "", "letstrade --help", code="usage"), as_json)
        return error.exit_code
    except TradingError as error:
        return output.fail(error, as_json)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:  # noqa: BLE001  (the edge of the process)
        return output.fail(_unforeseen(error), as_json)
    return outcome if isinstance(outcome, int) else output.DONE


def _unforeseen(error: Exception) -> TradingError:
    """Say what an error we did not expect means; its text may hold values, so only the store's class is told."""
    kind = type(error)
    if kind.__module__.startswith(("sqlalchemy", "sqlite3", "psycopg")):
        return TradingError(
            "저장소를 쓸 수 없습니다 · the store cannot be used",
            f"{kind.__name__}: {str(getattr(error, 'orig', error)).splitlines()[0]}",
            "letstrade db upgrade; letstrade doctor",
            code="store",
        )
    return TradingError(
        "예상하지 못한 오류 · unexpected error", f"{kind.__name__}: {error}", "letstrade doctor", code="bug"
    )


if __name__ == "__main__":
    sys.exit(main())
