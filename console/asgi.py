"""The console's process: `python -m console.asgi`. Serves gate, routes and pages on 127.0.0.1:LETSTRADE_PORT."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from console import wiring
from console.api.health import health_routes
from console.gate import Gate
from console.startup import check_store
from console.theme import streamlit_config
from shared.config import load_settings
from shared.domain.errors import ConfigError, TradingError

EXIT_CONFIG = 78  # supervisord: do not restart
_log = logging.getLogger("console")


def main() -> int:
    """Serve until stopped; 78 with what / why / now when a person must mend something first."""
    try:
        settings = load_settings()
        wired = wiring.wire(settings)
        check_store(wired.engine)
    except ConfigError as error:
        sys.stderr.write(f"{error.what}\n{error.why}\n{error.now}\n")
        return EXIT_CONFIG
    wiring.use(wired)
    app = st.App(
        Path(__file__).with_name("app.py"),
        routes=health_routes(wired),
        middleware=[Middleware(Gate, wiring=wired)],
        on_script_error=_script_failed,
    )
    app.run(config=streamlit_config(settings.port))
    return 0


def _script_failed(error: Exception) -> bool:
    """Log with its trace and tell the person without details; True: Streamlit shows nothing of its own."""
    from console.components.frame import t

    _log.error("page failed", exc_info=error)
    if isinstance(error, TradingError):
        st.error(f"{error.what}\n\n{error.why}\n\n{error.now}", icon=":material/block:")
    else:
        st.error(t("page.failed"), icon=":material/error:")
    return True


if __name__ == "__main__":
    raise SystemExit(main())
