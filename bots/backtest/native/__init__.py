"""The compiled walk: find it, load it, or build it. `python -m bots.backtest.native` builds it for this machine.

Linux on x86-64 has it in the repository, so nobody needs a compiler; elsewhere `make venv` builds it when there is one.
Without it the backtest runs on the replay engine: the same trades, slower.
"""

from __future__ import annotations

import ctypes
import hashlib
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "kernel.c"
# -ffp-contract=off: a fused multiply-add would round otherwise than Python does. -fno-trapping-math changes no result; it
# lets comparisons be done several at once; -fno-math-errno lets a rounding be one instruction.
FLAGS = ("-O3", "-std=gnu11", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno", "-shared", "-fPIC", "-s")


def binary() -> Path:
    """The library's file for this machine."""
    return FOLDER / f"kernel-{sys.platform}-{platform.machine().lower()}.so"


def source_hash() -> str:
    return hashlib.sha256(b"".join(one.read_bytes() for one in sorted(FOLDER.glob("*.[ch]")))).hexdigest()[:16]


@cache
def library() -> ctypes.CDLL | None:
    """Load the compiled walk; None where there is none, or where it is older than its source."""
    try:
        loaded = ctypes.CDLL(str(binary()))
    except OSError:
        return None
    loaded.backtest_source.restype = ctypes.c_char_p
    if loaded.backtest_source().decode() != source_hash():
        return None
    loaded.backtest_walk.restype = ctypes.c_int64
    return loaded


def build(compiler: str = "cc") -> Path:
    """Compile the walk for this machine.

    Raises:
        FileNotFoundError: there is no such compiler.
        subprocess.CalledProcessError: it refused the source.
    """
    made = binary().with_suffix(".new")
    define = f'-DSOURCE_HASH="{source_hash()}"'
    subprocess.run([compiler, *FLAGS, define, "-o", str(made), str(SOURCE), "-lm"], check=True)
    made.replace(binary())
    return binary()
