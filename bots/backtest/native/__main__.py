"""Build the compiled walk where it is missing; a machine without a compiler is no error."""

from __future__ import annotations

import subprocess
import sys

from bots.backtest.native import build, library


def main() -> None:
    if library() is not None:
        return
    try:
        build()
    except (FileNotFoundError, subprocess.CalledProcessError):
        sys.stderr.write("컴파일러가 없어 백테스트가 느립니다 (no C compiler: backtests use the slower engine)\n")


if __name__ == "__main__":
    main()
