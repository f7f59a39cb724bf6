"""One wire's task: due slots in order, every meter asked, every slot of every meter stored or said to be a gap.

A slot is complete when each of its meters is committed, as readings or as a gap. A meter that does not answer is
asked again while the slot's patience lasts, after all others had their turn. Slots that passed while nobody could
ask become one gap; the newest is read late and says so by its own time. The store being full stops nothing but this
wire: its meters keep counting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from common.clock import from_epoch_ms, to_epoch_ms
from common.ids import MeterId
from edge.buffer.records import Sample
from edge.buffer.store import Store
from edge.buffer.writer import StoreUnavailableError
from edge.clock import EdgeClock
from edge.driver.board import Board, WireFace
from edge.driver.outcome import DeviceConfig, FailureKind, ReadFailure, ReadOutcome, Wire
from edge.sampling.limit import Limit
from edge.sampling.samples import Observer, Panel, Taken, Units, make_sample, missed_gap
from edge.sampling.schedule import Schedule

FIRST_SLOT_LATENESS_MAX = timedelta(hours=1)
READ_S_MAX = 120
STORE_RETRY_S = 1.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """Machine seconds: how often the clock is looked at, how long and how often a slot's silent meters are asked."""

    tick_s: float = 1.0
    patience_s: float = 600.0
    retry_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a poller works with; the same for all wires."""

    store: Store
    clock: EdgeClock
    monotonic_s: Callable[[], float]
    board: Board
    units: Units
    observers: Sequence[Observer]
    tempo: Tempo


class _Offered(NamedTuple):
    sample: Sample
    commit: asyncio.Future[bool]


class WirePoller:
    """Reads the meters of one wire, slot by slot."""

    def __init__(self, wire: Wire, devices: Sequence[DeviceConfig], schedule: Schedule, around: Around) -> None:
        self._wire = wire
        self._devices = tuple(devices)
        self._schedule = schedule
        self._around = around
        self._panel = Panel(around.observers)
        self._limit = Limit(READ_S_MAX)
        self._evidence_days: dict[MeterId, datetime] = {}
        self.face = WireFace(config=wire.config, stats=wire.stats, meters=len(self._devices))

    async def run(self) -> None:
        """Serve slots until cancelled."""
        while True:
            slot = self._schedule.latest_due(self._around.clock.now())
            if slot != self.face.completed:
                if self.face.completed is not None and slot < self.face.completed:
                    await self._around.store.note_clock()
                await self.sweep(slot)
            else:
                await asyncio.sleep(self._pause_s())

    async def sweep(self, slot: datetime) -> None:
        """Bring every meter of the wire to the slot and wait until all of it is committed."""
        self.face.due = slot
        silent = [device for device in self._devices if self._due(device, slot)]
        give_up_s = self._around.monotonic_s() + self._around.tempo.patience_s
        offered: list[_Offered] = []
        while silent:
            last_round = self._around.monotonic_s() >= give_up_s or self._overtaken(slot)
            still_silent = []
            for device in silent:
                taken = await self._read(device, slot)
                if taken.outcome.failures:
                    still_silent.append(device)
                if last_round or not taken.outcome.failures:
                    offered.append(await self._offer(taken))
            silent = still_silent
            self.face.failing = len(silent)
            if last_round:
                break
            if silent:
                await asyncio.sleep(min(self._around.tempo.retry_s, self._around.tempo.patience_s))
        for item in offered:
            await self._until_stored(item)
        self.face.completed = slot
        self._around.board.slots_completed += 1

    async def _read(self, device: DeviceConfig, slot: datetime) -> Taken:
        try:
            outcome = await self._limit.hold(self._wire.read(device))
        except TimeoutError:
            detail = f"the wire gave no outcome in {READ_S_MAX} s; check the line"
            failure = ReadFailure(kind=FailureKind.TIMEOUT, points=device.points, detail=detail)
            outcome = ReadOutcome(meter_id=device.meter_id, failures=(failure,))
        look = self._around.clock.look()
        read_at = from_epoch_ms(look.utc_ms)
        face = self._around.board.meters.get(device.meter_id)
        if face is not None:
            face.outcome, face.read_at = outcome, read_at
        first = self._around.store.cursor(device.meter_id) is None
        if first and read_at - slot > FIRST_SLOT_LATENESS_MAX:
            slot = self._first_slot(read_at)
        return Taken(device=device, slot=slot, read_at=read_at, boot_ms=look.boot_ms, outcome=outcome)

    def _first_slot(self, read_at: datetime) -> datetime:
        """Return the slot of a meter's first reading: the one just begun, or its own instant in the middle of one."""
        newest = self._schedule.latest_due(read_at)
        return newest if read_at - newest <= FIRST_SLOT_LATENESS_MAX else read_at

    def _sample(self, taken: Taken) -> Sample:
        device, around = taken.device, self._around
        day = self._schedule.day_start(taken.slot)
        with_evidence = self._evidence_days.get(device.meter_id) != day
        sample = make_sample(taken, around.units(device), self._panel, with_evidence=with_evidence)
        if with_evidence and sample.points:
            self._evidence_days[device.meter_id] = day
        cursor_ms = around.store.cursor(device.meter_id)
        passed = None if cursor_ms is None else self._schedule.passed(from_epoch_ms(cursor_ms), taken.slot)
        around.board.gaps_said += len(taken.outcome.failures) + (0 if passed is None else passed.count)
        around.board.readings_stored += len(sample.points)
        return sample if passed is None else replace(sample, records=(missed_gap(device, passed), *sample.records))

    async def _offer(self, taken: Taken) -> _Offered:
        sample = self._sample(taken)
        return _Offered(sample=sample, commit=await self._around.store.offer(sample))

    async def _until_stored(self, offered: _Offered) -> None:
        """Wait for the commit; while the disk refuses, the wire waits with its sample and offers the same again."""
        commit = offered.commit
        while True:
            try:
                await commit
            except StoreUnavailableError as error:
                _log.warning("wire_waited_for_store", wire=self._wire.config.wire, error=str(error))
                await asyncio.sleep(STORE_RETRY_S)
                commit = await self._around.store.offer(offered.sample)
            else:
                return

    def _due(self, device: DeviceConfig, slot: datetime) -> bool:
        cursor_ms = self._around.store.cursor(device.meter_id)
        return cursor_ms is None or cursor_ms < to_epoch_ms(slot)

    def _overtaken(self, slot: datetime) -> bool:
        return self._schedule.latest_due(self._around.clock.now()) > slot

    def _pause_s(self) -> float:
        now = self._around.clock.now()
        remaining = (self._schedule.next_after(now) - now).total_seconds()
        return max(0.001, min(self._around.tempo.tick_s, remaining))
