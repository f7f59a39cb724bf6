"""A real notify socket hears of start, life and trouble; without one nothing is said."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.clock import monotonic_s
from edge.supervision import LoopLag, Supervisor
from tests.edge.test_app import make_home


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind(str(tmp_path / "notify"))
        link.settimeout(20)
        yield link


async def heard(link: socket.socket, count: int) -> list[str]:
    return [(await asyncio.to_thread(link.recv, 400)).decode() for _ in range(count)]


async def feeding(supervisor: Supervisor, link: socket.socket, trouble: str | None, count: int) -> list[str]:
    task = asyncio.ensure_future(supervisor.feed(lambda: trouble, monotonic_s))
    try:
        async with asyncio.timeout(10):
            return await heard(link, count)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_watchdog_is_fed_several_times_a_period(manager: socket.socket) -> None:
    supervisor = Supervisor(address=manager.getsockname(), watchdog_us=60_000)
    started_s = monotonic_s()
    assert await feeding(supervisor, manager, None, 3) == ["WATCHDOG=1"] * 3
    assert monotonic_s() - started_s >= 0.05


async def test_a_gateway_that_is_not_well_says_so_and_feeds_nothing(manager: socket.socket) -> None:
    supervisor = Supervisor(address=manager.getsockname(), watchdog_us=30_000)
    assert await feeding(supervisor, manager, "the writer ended", 2) == ["STATUS=the writer ended"] * 2


async def test_nobody_is_told_where_nobody_listens(tmp_path: Path) -> None:
    Supervisor(address=str(tmp_path / "gone"), watchdog_us=1).tell("READY=1")
    silent = Supervisor(address=None, watchdog_us=5)
    silent.tell("READY=1")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await silent.feed(lambda: None, monotonic_s)


def test_the_gateway_itself_tells_when_it_is_ready_lives_and_stops(manager: socket.socket, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    make_home(home)
    words = [sys.executable, "-m", "edge", "run", "--home", str(home)]
    told = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "300000"}
    environment = {"PATH": os.defpath, "PYTHONPATH": str(Path(__file__).parents[2]), **told}
    with subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL) as child:  # noqa: S603 - our own program
        said = [manager.recv(400).decode() for _ in range(3)]
        child.send_signal(signal.SIGTERM)
        while said[-1] != "STOPPING=1":
            said.append(manager.recv(400).decode())
        assert child.wait(20) == 0
    assert said[0] == "READY=1"
    assert set(said[1:-1]) == {"WATCHDOG=1"}


async def test_a_loop_that_was_held_up_is_seen_and_its_worst_delay_kept() -> None:
    lag = LoopLag()
    task = asyncio.ensure_future(lag.watch(monotonic_s))
    asyncio.get_running_loop().call_later(0.9, time.sleep, 0.4)  # over the moment at which it should have woken
    await asyncio.sleep(2.1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    counts = {
        sample.labels["le"]: sample.value
        for sample in next(iter(lag.spread.collect())).samples
        if sample.name.endswith("_bucket")
    }
    assert lag.worst_ms >= 250
    assert counts["0.25"] < counts["+Inf"]
