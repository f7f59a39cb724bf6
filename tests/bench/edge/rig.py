"""The processes of the bench by handle: farm, gateway, sink; each ends with its block."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.bench.edge.farm import REGISTERS
from tests.simulation.processes import Process, wait_until

ROOT = Path(__file__).parents[3]
SETTLE_S = 20.0


class Farm:
    """The meters; `readings` is what they counted themselves."""

    def __init__(self, popen: subprocess.Popen[str], first_port: int) -> None:
        self._popen = popen
        self.first_port = first_port

    def reads(self) -> dict[str, int]:
        """Return the reads of each meter, by `port/unit`."""
        if self._popen.stdin is None or self._popen.stdout is None:
            raise RuntimeError("the farm has no pipes")
        self._popen.stdin.write("\n")
        self._popen.stdin.flush()
        counts: dict[str, int] = json.loads(self._popen.stdout.readline())
        return counts

    def readings(self) -> int:
        """Return how many registers were read so far."""
        return sum(self.reads().values()) * REGISTERS


@contextmanager
def farm(first_port: int) -> Iterator[Farm]:
    """Run a fresh farm."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.bench.edge.farm", str(first_port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as popen:
        if popen.stdout is None or popen.stdout.readline() != "ready\n":
            raise RuntimeError("the farm did not start; is its range of ports free?")
        try:
            yield Farm(popen, first_port)
        finally:
            popen.terminate()


@dataclass(frozen=True, slots=True)
class Running:
    """A running process."""

    process: Process

    @property
    def pid(self) -> int:
        """Return its number."""
        if self.process.popen is None:
            raise RuntimeError(f"{self.process.name} was not started")
        return self.process.popen.pid


@contextmanager
def running(name: str, command: Sequence[str], log: Path, **environment: str) -> Iterator[Running]:
    """Run a program of ours until the block ends."""
    process = Process(name=name, command=list(command), log=log, environment={"PYTHONPATH": str(ROOT), **environment})
    process.start()
    try:
        yield Running(process)
    finally:
        process.stop()


def module(python: Path | str, name: str, *words: object) -> list[str]:
    """Return the command of a module of ours; assertions and docstrings are left out, as in the shipped unit."""
    return [str(python), "-OO", "-m", name, *map(str, words)]


def until(readings: int, meters: Farm, watched: Running) -> None:
    """Wait until the meters were read so often."""
    wait_until(lambda: meters.readings() >= readings, what="readings", seconds=SETTLE_S, watched=[watched.process])


def counts(port: int) -> dict[str, object]:
    """Return what the sink counted."""
    with urlopen(f"http://127.0.0.1:{port}/counts", timeout=20) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def metrics(port: int) -> dict[str, float]:
    """Return the gateway's metrics by name with labels."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def listens(port: int) -> bool:
    """Return whether somebody takes connections at a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def rest(seconds: float) -> None:
    """Let the processes work."""
    time.sleep(seconds)
