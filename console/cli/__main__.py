"""Every verb, by name; the edge where errors become exit codes."""

from __future__ import annotations

import logging
import sys

import click
import typer
from sqlalchemy.exc import SQLAlchemyError

from console.cli import db, doctor, exchange, keys, setup
from console.cli.output import REFUSED, USAGE, failure, say
from shared.domain.errors import TradingError

app = typer.Typer(
    name="letstrade",
    help="LetsTrade: an operator's desk for many Korean brokerage accounts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(setup.setup)
app.command()(doctor.doctor)
app.add_typer(db.app, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(exchange.app, name="exchange")


def main() -> int:
    """Run one verb; 0 done, 1 refused or failed, 2 usage, 3 outcome unknown."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    as_json = "--json" in sys.argv
    try:
        result = app(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message())
        return USAGE
    except click.ClickException as error:
        error.show()
        return USAGE if isinstance(error, click.UsageError) else REFUSED
    except click.exceptions.Abort:
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


if __name__ == "__main__":
    raise SystemExit(main())
