"""A Dask cluster as an operator has one: a scheduler and two worker processes, asked for by address."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from shared.config import ROOT
from tests.ports import take_offset

_PORT = 8501  # of a block of ports that is ours for two minutes; a cluster needs one


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The scheduler's address, with both workers there; it goes with the file, for idle ones cost all other tests."""
    if find_spec("distributed") is None:
        pytest.skip("the package distributed is not installed")
    from distributed import Client

    folder, started = tmp_path_factory.mktemp("dask"), []
    port = _PORT + take_offset()
    address = f"tcp://127.0.0.1:{port}"
    try:
        started.append(_started(folder, "dask_scheduler", "--host", "127.0.0.1", "--port", str(port)))
        for _ in range(2):
            started.append(
                _started(folder, "dask_worker", address, "--nthreads", "1", "--local-directory", str(folder))
            )
        with Client(address, timeout=30) as client:
            client.wait_for_workers(2, timeout=30)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(120)


def _started(folder: Path, module: str, *words: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", f"distributed.cli.{module}", *words, "--no-dashboard"]
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
