"""The wire of pulse inputs on the gateway itself: S0 outputs and reed contacts counted day and night.

Invariants: a count that was given out is on the disk; a process that dies loses no pulse it was told of, a power cut
at most the pulses since the last sync; edges that the kernel lost are counted as lost and never guessed; an input
whose count is unknown gives a failure, never zero.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import structlog

from common.errors import RefusalError
from edge.device.catalogue import Catalogue
from edge.device.model import Profile
from edge.driver.decoding import to_point_milli
from edge.driver.outcome import (
    DeviceConfig,
    Exchange,
    FailureKind,
    PointValue,
    ReadFailure,
    ReadOutcome,
    WireConfig,
    WireStats,
)
from edge.driver.pulse_totals import PulseTotals
from edge.protocol.pulses import EVENT_BYTES, Edge, PulseCounter, parse_edges
from edge.transport.line import RETRY_FIRST_S, RETRY_MOST_S, LinkLostError

GATHER_S = 0.25
SYNC_S = 10.0
EVENTS_A_READ = 256
Opener = Callable[[str, Sequence[int]], int]
_LOG = structlog.get_logger()


@dataclass(slots=True)
class _Input:
    """One input: its file and, once loaded, its counter; what stands against it when its count is unknown."""

    totals: PulseTotals
    debounce_ms: int
    counter: PulseCounter | None = None
    complaint: str = ""


class PulseWire:
    """The pulse inputs of one GPIO chip."""

    def __init__(
        self, config: WireConfig, catalogue: Catalogue, stats: WireStats, folder: Path, opener: Opener
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._stats = stats
        self._folder = folder
        self._opener = opener
        self._inputs: dict[int, _Input] = {}
        self._edges: list[Edge] = []
        self._arrived = asyncio.Event()
        self._listening = False
        self._saving = asyncio.Lock()

    @property
    def config(self) -> WireConfig:
        """Return the description the wire was built from."""
        return self._config

    @property
    def stats(self) -> WireStats:
        """Return the live counters."""
        return self._stats

    async def listen(self, devices: Iterable[DeviceConfig]) -> None:
        """Count the pulses of the devices until cancelled."""
        for device in devices:
            await self._load(device)
        retry_s = RETRY_FIRST_S
        while True:
            try:
                descriptor = self._opener(self._config.address, sorted(self._inputs))
            except LinkLostError as problem:
                _LOG.warning("pulse_inputs_lost", wire=self._config.wire, reason=str(problem))
                self._stats.reconnects += 1
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, RETRY_MOST_S)
                continue
            retry_s = RETRY_FIRST_S
            await self._count(descriptor)

    async def read(self, device: DeviceConfig) -> ReadOutcome:
        """Return the device's count, on the disk before it is given."""
        self._stats.exchanges += 1
        found = self._inputs.get(int(device.address))
        if found is None or found.counter is None or not self._listening:
            complaint = found.complaint if found else ""
            kind = FailureKind.BAD_VALUE if complaint else FailureKind.LINK_LOST
            return _failed(device, kind, complaint or f"input {device.address} is not listened to yet")
        self._drain()
        total = found.counter.total
        try:
            async with self._saving:
                await asyncio.to_thread(found.totals.save, total, sync=True)
        except OSError as problem:
            return _failed(device, FailureKind.LINK_LOST, f"the count cannot be kept: {problem}; look at the disk")
        self._stats.answers += 1
        return _outcome(self._catalogue.profile(device.profile), device, total)

    async def close(self) -> None:
        """Nothing is held between two `listen`s."""

    async def _load(self, device: DeviceConfig) -> None:
        profile = self._catalogue.profile(device.profile)
        line = int(device.address)
        path = self._folder / f"{self._config.wire}-{line}.count"
        found = _Input(PulseTotals(path), profile.debounce_ms)
        try:
            total = await asyncio.to_thread(found.totals.load)
            found.counter = PulseCounter(found.debounce_ms, total)
        except RefusalError as refusal:
            found.complaint = str(refusal)
            _LOG.error("pulse_count_unknown", wire=self._config.wire, line=line, reason=str(refusal))
        self._inputs[line] = found

    async def _count(self, descriptor: int) -> None:
        """Count what the descriptor reports until it breaks."""
        loop = asyncio.get_running_loop()
        broken = asyncio.Event()
        for found in self._inputs.values():
            if found.counter is not None:
                found.counter.reopen()
        loop.add_reader(descriptor, self._take, descriptor, broken)
        self._listening = True
        synced_at = loop.time()
        try:
            while not broken.is_set():
                await self._arrived.wait()
                await asyncio.sleep(GATHER_S)
                self._arrived.clear()
                self._drain()
                due = loop.time() - synced_at >= SYNC_S
                await self._keep(sync=due)
                synced_at = loop.time() if due else synced_at
        finally:
            self._listening = False
            loop.remove_reader(descriptor)
            os.close(descriptor)
            self._drain()

    def _take(self, descriptor: int, broken: asyncio.Event) -> None:
        """Take what the kernel has; called by the loop."""
        try:
            data = os.read(descriptor, EVENTS_A_READ * EVENT_BYTES)
            self._edges += parse_edges(data)
        except BlockingIOError:
            return
        except (OSError, RefusalError) as problem:
            _LOG.warning("pulse_inputs_broke", wire=self._config.wire, reason=str(problem))
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(descriptor)
            broken.set()
        self._arrived.set()

    def _drain(self) -> None:
        """Count the edges that were taken."""
        edges, self._edges = self._edges, []
        for edge in edges:
            found = self._inputs.get(edge.line)
            if found is None or found.counter is None:
                self._stats.foreign_frames += 1
                continue
            lost = found.counter.lost_edges
            found.counter.feed(edge)
            if found.counter.lost_edges > lost:
                self._stats.bad_values += found.counter.lost_edges - lost
                _LOG.warning("pulse_edges_lost", wire=self._config.wire, line=edge.line)

    async def _keep(self, *, sync: bool) -> None:
        """Write every count; a disk that refuses is said and tried again with the next pulses."""
        for line, found in self._inputs.items():
            if found.counter is None:
                continue
            try:
                async with self._saving:
                    await asyncio.to_thread(found.totals.save, found.counter.total, sync=sync)
            except OSError as problem:
                _LOG.error("pulse_count_not_kept", wire=self._config.wire, line=line, reason=str(problem))


def _outcome(profile: Profile, device: DeviceConfig, total: int) -> ReadOutcome:
    exchange = Exchange(request=f"input {device.address}".encode(), response=str(total).encode())
    values = tuple(
        PointValue(
            quantity=point.quantity,
            raw=exchange.response,
            value_milli=to_point_milli(profile, point, Fraction(total), device.parameters),
            exchange=exchange,
        )
        for point in profile.points_of(device.points)
    )
    return ReadOutcome(meter_id=device.meter_id, points=values)


def _failed(device: DeviceConfig, kind: FailureKind, detail: str) -> ReadOutcome:
    failure = ReadFailure(kind=kind, points=device.points, detail=f"device {device.serial}: {detail}")
    return ReadOutcome(meter_id=device.meter_id, failures=(failure,))
