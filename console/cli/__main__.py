"""`python -m console.cli NOUN VERB …`: find the noun, run the verb, turn every outcome into an exit code."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import Any

import typer

from console.cli import output
from shared.domain.errors import TradingError

NOUNS = {  # name → (module whose `app` it is, what it is about)
    "account": ("console.cli.accounts", "계좌 · accounts"),
    "credential": ("console.cli.credentials", "키 · keys of an account"),
    "rule": ("console.cli.rules", "규칙 · rules"),
    "strategy": ("console.cli.strategy", "파이썬 전략 · Python strategies"),
    "bot": ("console.cli.bots", "봇 · bots"),
    "inbox": ("console.cli.inbox", "확인 필요 · what waits for a person"),
    "order": ("console.cli.orders", "주문 · orders"),
    "fills": ("console.cli.fills", "체결 · fills"),
    "kill": ("console.cli.kill", "긴급정지 · kill switch"),
    "schedule": ("console.cli.schedule", "일정 · jobs in market time"),
    "alerts": ("console.cli.alerts", "알림 · alerts"),
    "user": ("console.cli.users", "사용자 · users"),
    "token": ("console.cli.tokens", "API 토큰 · API tokens"),
    "webhook": ("console.cli.webhooks", "웹훅 · webhooks that propose"),
    "telegram": ("console.cli.telegram", "텔레그램 · Telegram"),
    "audit": ("console.cli.audit", "감사 기록 · the audit trail"),
    "report": ("console.cli.report", "보고 · reports"),
    "backtest": ("console.cli.backtest", "백테스트 · backtests"),
    "data": ("console.cli.data", "백테스트용 봉 · bars for backtests"),
    "market": ("console.cli.market", "시장 규칙 · market rules"),
    "exchange": ("console.cli.exchange", "로컬 거래소 · the local exchange"),
    "db": ("console.cli.db", "저장소 · the store's schema"),
    "backup": ("console.cli.backup", "백업과 복구 · the whole desk in a folder, and back"),
    "cloud": ("console.cli.cloud", "Supabase 프로젝트 · a Supabase project"),
    "keys": ("console.cli.keys", "마스터 키 · the master key"),
}
VERBS = {  # a verb without a noun → (module with a function of that name, what it does)
    "setup": ("console.cli.setup", "준비: 비밀, 저장소, 데모 · prepare this machine"),
    "doctor": ("console.cli.doctor", "점검 · check this machine"),
    "quote": ("console.cli.holdings", "시세 · the last price of a symbol"),
    "balance": ("console.cli.holdings", "예수금 · cash"),
    "positions": ("console.cli.holdings", "보유 종목 · holdings"),
    "schema": ("console.cli.schema", "--json 답의 JSON Schema · what a verb answers, as JSON Schema"),
    "completion": ("console.cli.completion", "셸 자동완성 · shell completion"),
    "support-bundle": ("console.cli.support", "도움을 청할 때 보낼 파일 · a masked file for who helps"),
}

WATCHED = {  # what may be looked at again and again with --watch
    *("bot status", "bot logs", "account list", "kill status", "alerts list", "fills list", "order list", "inbox list"),
    *("positions", "balance", "quote", "report daily", "schedule list"),
}
WATCH_EVERY_S = 2.0
INTERRUPTED = 130  # as shells say of Ctrl-C


def root(first: str | None) -> typer.Typer:
    """Return the program. Only the noun or verb asked for is imported; the others stand by name for --help."""
    program = typer.Typer(
        name="letstrade",
        help="LetsTrade — 여러 증권계좌 운영 데스크 · an operator's desk for many brokerage accounts. "
        "--watch: 다시 보기 · look again every two seconds",
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
        program.command(name, help=about)(
            getattr(import_module(module), name.replace("-", "_")) if name == first else lambda: None
        )
    return program


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if "--watch" in arguments:
        return watch([word for word in arguments if word != "--watch"])
    as_json = "--json" in arguments
    first = next((word for word in arguments if not word.startswith("-")), None)
    try:
        outcome: Any = root(first)(arguments, standalone_mode=False)
    except typer.TyperException as error:  # a word the program does not know, a value it cannot read
        said = error.format_message()
        if said.strip() and "Usage:" not in said:  # else nothing was asked, and the help has been printed
            output.fail(TradingError(said, "", "letstrade --help", code="usage"), as_json)
        return error.exit_code
    except TradingError as error:
        return output.fail(error, as_json)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  (the edge of the process)
        return output.fail(_unforeseen(error), as_json)
    return outcome if isinstance(outcome, int) else output.DONE


def watch(arguments: list[str]) -> int:
    """Run a verb that only looks every two seconds until it fails or Ctrl-C; with --json, one document per line."""
    words = [word for word in arguments if not word.startswith("-")]
    if not {words[0] if words else "", " ".join(words[:2])} & WATCHED:
        said = f"--watch: {', '.join(sorted(WATCHED))}"
        output.fail(TradingError(said, "", "letstrade --help", code="usage"), "--json" in arguments)
        return output.USAGE
    try:
        while True:
            if sys.stdout.isatty():
                sys.stdout.write("\x1b[2J\x1b[H")
            code = main(arguments)
            sys.stdout.flush()
            if code != output.DONE:
                return output.DONE if code == INTERRUPTED else code
            time.sleep(WATCH_EVERY_S)
    except (KeyboardInterrupt, BrokenPipeError):
        return output.DONE


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
