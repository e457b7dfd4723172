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

NOUNS = {  # name → (module whose `app` it is, what it is about)
    "account": ("console.cli.accounts", "계좌 · accounts"),
    "credential": ("console.cli.credentials", "키 · keys of an account"),
    "rule": ("console.cli.rules", "규칙 · rules"),
    "bot": ("console.cli.bots", "봇 · bots"),
    "order": ("console.cli.orders", "주문 · orders"),
    "fills": ("console.cli.fills", "체결 · fills"),
    "kill": ("console.cli.kill", "긴급정지 · kill switch"),
    "alerts": ("console.cli.alerts", "알림 · alerts"),
    "market": ("console.cli.market", "시장 규칙 · market rules"),
    "exchange": ("console.cli.exchange", "로컬 거래소 · the local exchange"),
    "db": ("console.cli.db", "저장소 · the store's schema"),
    "keys": ("console.cli.keys", "마스터 키 · the master key"),
}
VERBS = {  # a verb without a noun → (module with a function of that name, what it does)
    "setup": ("console.cli.setup", "준비: 비밀, 저장소, 데모 · prepare this machine"),
    "doctor": ("console.cli.doctor", "점검 · check this machine"),
    "quote": ("console.cli.holdings", "시세 · the last price of a symbol"),
    "balance": ("console.cli.holdings", "예수금 · cash"),
    "positions": ("console.cli.holdings", "보유 종목 · holdings"),
}


def root(first: str | None) -> typer.Typer:
    """Return the program. Only the noun or verb asked for is imported; the others stand by name for --help."""
    program = typer.Typer(
        name="letstrade",
        help="LetsTrade: 여러 증권계좌 운영 데스크 · an operator's desk for many Korean brokerage accounts.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    program.callback()(lambda: None)  # keeps a program with one verb from becoming that verb
    for name, (module, about) in NOUNS.items():
        if name == first:
            program.add_typer(import_module(module).app, name=name)
        else:
            program.command(name, help=about)(lambda: None)
    for name, (module, about) in VERBS.items():
        program.command(name, help=about)(getattr(import_module(module), name) if name == first else lambda: None)
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
