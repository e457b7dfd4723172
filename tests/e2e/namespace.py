"""A machine of its own for one host: a network namespace whose only way out are wires that a test can hold still.

Each wire is a pair of forwarders that meet at unix sockets (files are seen from every namespace). A wire that is held
swallows what is sent and answers nothing, as a network does that has lost its way: no reset, no goodbye.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from shared.config import ROOT


def possible() -> bool:
    """Namespaces need root, and the tool."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"lt{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], check=False)
    return made


@dataclass
class Namespace:
    name: str
    folder: Path  # short: unix sockets lie in it
    wires: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)

    def make(self) -> None:
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)

    def within(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]

    def wire(self, label: str, *ports: int) -> None:
        """Let the ports of 127.0.0.1 be reached from inside, under the same numbers."""
        words = [sys.executable, "-m", "tests.e2e.namespace"]
        ends = [f"{self.folder}/{label}{port}.s" for port in ports]
        outside = [*words, "out", *(f"{end}={port}" for end, port in zip(ends, ports, strict=True))]
        inside = self.within(*words, "in", *(f"{end}={port}" for end, port in zip(ends, ports, strict=True)))
        self.wires[label] = [subprocess.Popen(one, cwd=ROOT) for one in (outside, inside)]

    def hold(self, label: str) -> None:
        for process in self.wires[label]:
            process.send_signal(signal.SIGSTOP)

    def let_go(self, label: str) -> None:
        for process in self.wires[label]:
            process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        for label, processes in self.wires.items():
            self.let_go(label)
            for process in processes:
                process.kill()
                process.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=False)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _forward(side: str, pairs: list[tuple[str, int]]) -> None:
    for end, port in pairs:

        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, end: str = end, port: int = port
        ) -> None:
            try:
                if side == "out":
                    there = await asyncio.open_connection("127.0.0.1", port)
                else:
                    there = await asyncio.open_unix_connection(end)
            except OSError:
                writer.close()
                return
            await asyncio.gather(_carry(reader, there[1]), _carry(there[0], writer), return_exceptions=True)

        if side == "out":
            await asyncio.start_unix_server(serve, end)
        else:
            await asyncio.start_server(serve, "127.0.0.1", port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    given = [one.rsplit("=", 1) for one in sys.argv[2:]]
    asyncio.run(_forward(sys.argv[1], [(end, int(port)) for end, port in given]))
