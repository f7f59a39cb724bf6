"""The process that is killed: real store, real sampling, meters that count business time; never ends by itself.

    python -m tests.edge.kill.polling HOME CLOCK_FILE LOG METERS FILE_BYTES_MAX TRAP

Each commit that returned is one line of the log: meter, slot, value. FILE_BYTES_MAX of 0 sets no limit. TRAP is
`none`, `kill:N` (SIGKILL before the N-th statement of the store), `cut:SEED` (copies at random statements) or
`readonly` (SIGUSR1 makes SQLite refuse every write as on a file system that turned read-only, SIGUSR2 ends that).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from typing_extensions import override

from common.clock import to_epoch_ms
from common.reading.reading import Quantity, Resource
from edge.buffer.records import Sample
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.buffer.writer import StoreUnavailableError
from edge.clock import PacedClock, entropy, monotonic_s
from edge.driver.board import Board
from edge.driver.outcome import (
    DeviceConfig,
    Exchange,
    PointValue,
    ReadOutcome,
    WireConfig,
    WireKind,
    WireStats,
)
from edge.sampling.plan import SamplingPlan
from edge.sampling.poller import Around, Tempo
from edge.sampling.schedule import Schedule
from edge.sampling.service import Sampling
from tests.edge.builders import OpenSealer, meter
from tests.edge.kill.cutter import Cutter

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
DENSE_DAYS = 400


class CountingMeters:
    """Meters whose register is the business second at which they are asked."""

    def __init__(self, config: WireConfig, clock: PacedClock) -> None:
        self.config = config
        self.stats = WireStats()
        self._clock = clock

    async def read(self, device: DeviceConfig) -> ReadOutcome:
        await asyncio.sleep(0)
        value = to_epoch_ms(self._clock.now()) // 1000
        exchange = Exchange(request=b"?", response=b"%d" % value)
        point = PointValue(quantity=Quantity.VOLUME, raw=b"", value_milli=value, exchange=exchange)
        return ReadOutcome(meter_id=device.meter_id, points=(point,))

    async def close(self) -> None:
        return None


class LoggedStore(Store):
    """A store that writes down every sample whose commit returned."""

    log: int

    @override
    async def offer(self, sample: Sample) -> asyncio.Future[bool]:
        future = await super().offer(sample)
        line = f"{sample.meter_id} {sample.slot_ms} {sample.points[0].value_milli}\n".encode()
        future.add_done_callback(lambda done: self._write_down(done, line))
        return future

    def _write_down(self, done: asyncio.Future[bool], line: bytes) -> None:
        if not done.cancelled() and done.exception() is None and done.result():
            os.write(self.log, line)


async def seal_forever(store: Store) -> None:
    """Seal whatever waits, so that kills hit sealing too."""
    while True:
        await store.wait_rows()
        with contextlib.suppress(StoreUnavailableError):
            await store.seal()
        await asyncio.sleep(0.003)


async def poll(home: Path, clock_file: Path, log: Path, meters: int, trap: str) -> None:
    """Poll until killed."""
    clock = PacedClock(clock_file)
    store = LoggedStore.open(
        home / "store.db",
        clock=clock,
        entropy=entropy,
        budget=Budget(limit_bytes=64 * 1024 * 1024),
        commit_interval_s=0.005,
    )
    if not isinstance(store, LoggedStore):
        raise TypeError("open makes the class it is called on")
    set_trap(store, home, log, trap)
    store.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    store.use_sealer(OpenSealer())
    around = Around(
        store=store,
        clock=clock,
        monotonic_s=monotonic_s,
        board=Board(),
        units=lambda _: {Quantity.VOLUME: "m3"},
        observers=(),
        tempo=Tempo(tick_s=0.001, patience_s=0, retry_s=0.001),
    )
    sampling = Sampling(lambda config: CountingMeters(config, clock), around)
    dense = {(FIRST_DAY + timedelta(days=n)).date(): 15 for n in range(DENSE_DAYS)}
    config = WireConfig(wire="bus", kind=WireKind.RECORDED, address="")
    devices = tuple(
        DeviceConfig(
            meter_id=meter(number),
            serial=f"W{number}",
            wire="bus",
            profile="water",
            address=str(number),
            resource=Resource.WATER,
            points=(Quantity.VOLUME,),
        )
        for number in range(1, meters + 1)
    )
    sampling.use(SamplingPlan(schedule=Schedule(zone=UTC, dense=dense), wires=(config,), devices=devices))
    async with asyncio.TaskGroup() as group:
        group.create_task(sampling.run())
        group.create_task(seal_forever(store))


def set_trap(store: Store, home: Path, log: Path, trap: str) -> None:
    """Have the store's statements watched: kill at one of them, or keep what the disk would hold if power failed."""
    word, _, number = trap.partition(":")
    if word == "kill":
        left = int(number)

        def kill(_statement: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        store._writer._connection.set_trace_callback(kill)
    elif word == "cut":
        store._writer._connection.set_trace_callback(Cutter(home, log, int(number)))
    elif word == "readonly":
        for signal_number, refuses in ((signal.SIGUSR1, 1), (signal.SIGUSR2, 0)):
            asyncio.get_running_loop().add_signal_handler(
                signal_number, store._writer._connection.execute, f"PRAGMA query_only = {refuses}"
            )


def main(home: str, clock_file: str, log: str, meters: str, file_bytes_max: str, trap: str) -> None:
    """Set the limit of the disk and poll."""
    if int(file_bytes_max):
        limit = int(file_bytes_max)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    asyncio.run(poll(Path(home), Path(clock_file), Path(log), int(meters), trap))


if __name__ == "__main__":
    main(*sys.argv[1:])
