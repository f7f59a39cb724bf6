"""Every slot of every meter is stored once or said to be a gap, whatever meters, clock and store do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from common.clock import to_epoch_ms
from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from common.wire.records import Evidence, Gap, GapReason
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.clock import monotonic_s
from edge.driver.board import Board
from edge.driver.outcome import (
    DeviceConfig,
    Exchange,
    FailureKind,
    PointValue,
    ReadFailure,
    ReadOutcome,
    WireConfig,
    WireKind,
    WireStats,
)
from edge.sampling.plan import SamplingPlan
from edge.sampling.poller import Around, Tempo, WirePoller
from edge.sampling.schedule import Schedule
from edge.sampling.service import Sampling
from tests.edge.builders import START, HandClock, OpenSealer, counted, meter, until

DAY = timedelta(days=1)
CONFIG = WireConfig(wire="bus", kind=WireKind.RECORDED, address="")


def water(number: int) -> DeviceConfig:
    return DeviceConfig(
        meter_id=meter(number),
        serial=f"W{number}",
        wire="bus",
        profile="water",
        address=str(number),
        resource=Resource.WATER,
        points=(Quantity.VOLUME,),
    )


class CountingWire:
    """Meters that count milli-units of business time and keep a log of every answer, as a real one would."""

    def __init__(self, clock: HandClock) -> None:
        self.config = CONFIG
        self.stats = WireStats()
        self._clock = clock
        self.answered: list[tuple[MeterId, int]] = []
        self.silent: set[MeterId] = set()
        self.closed = False

    async def read(self, device: DeviceConfig) -> ReadOutcome:
        await asyncio.sleep(0)
        if device.meter_id in self.silent:
            failure = ReadFailure(kind=FailureKind.TIMEOUT, points=device.points, detail=f"{device.serial} is silent")
            return ReadOutcome(meter_id=device.meter_id, failures=(failure,))
        value = self._clock.utc_ms // 1000
        self.answered.append((device.meter_id, value))
        exchange = Exchange(request=b"?", response=b"%d" % value)
        point = PointValue(quantity=Quantity.VOLUME, raw=b"", value_milli=value, exchange=exchange)
        return ReadOutcome(meter_id=device.meter_id, points=(point,))

    async def close(self) -> None:
        self.closed = True


class Bench:
    """A wire of meters, a store and a clock set by hand."""

    def __init__(self, store: Store, clock: HandClock, sealer: OpenSealer) -> None:
        self.store, self.clock, self.sealer = store, clock, sealer
        self.wire = CountingWire(clock)
        self.devices = [water(number) for number in range(1, 4)]
        self.schedule = Schedule(zone=START.tzinfo)  # type: ignore[arg-type]  # START is aware
        self.board = Board()

    def around(self) -> Around:
        return Around(
            store=self.store,
            clock=self.clock,
            monotonic_s=monotonic_s,
            board=self.board,
            units=lambda _: {Quantity.VOLUME: "m3"},
            observers=(),
            tempo=Tempo(tick_s=0.001, patience_s=0.02, retry_s=0.005),
        )

    def poller(self) -> WirePoller:
        return WirePoller(self.wire, self.devices, self.schedule, self.around())

    async def stored(self) -> list[tuple[str, int, int]]:
        while await self.store.seal() is not None:
            pass
        found = []
        for material in self.sealer.materials:
            names = {series.point_no: series.serial for series in material.series}
            found += [(names[row.point_no], row.slot_ms, row.value_milli) for row in material.readings]
        return found

    async def gaps(self) -> list[Gap]:
        await self.stored()
        rows = [row.record for material in self.sealer.materials for row in material.events]
        return [record for record in rows if isinstance(record, Gap)]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock, sealer = HandClock(), OpenSealer()
    store = Store.open(tmp_path / "store.db", clock=clock, entropy=counted, budget=Budget(), commit_interval_s=0.001)
    store.use_sealer(sealer)
    yield Bench(store, clock, sealer)
    store.close()


@asynccontextmanager
async def polling(poller: WirePoller) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(poller.run())
        yield
        task.cancel()


async def reach(bench: Bench, poller: WirePoller) -> None:
    """Wait until the poller completed the slot that is due."""
    slot = bench.schedule.latest_due(bench.clock.now())
    await until(lambda: poller.face.completed == slot)


async def test_each_slot_of_each_meter_is_stored_once_in_order(bench: Bench) -> None:
    poller = bench.poller()
    async with polling(poller):
        for _ in range(5):
            await reach(bench, poller)
            bench.clock.advance(DAY)
        await reach(bench, poller)
    stored = await bench.stored()
    slots = [to_epoch_ms(START + DAY * n) for n in range(6)]
    assert [(serial, slot) for serial, slot, _ in stored] == [
        (f"W{number}", slot) for slot in slots for number in (1, 2, 3)
    ]
    assert [value for _, _, value in stored] == [value for _, value in bench.wire.answered]
    assert await bench.gaps() == []


async def test_a_restart_in_a_completed_slot_asks_nothing_again(bench: Bench) -> None:
    await bench.poller().sweep(START)
    asked = len(bench.wire.answered)
    again = bench.poller()
    await again.sweep(START)
    assert len(bench.wire.answered) == asked
    assert again.face.completed == START


async def test_slots_that_passed_while_away_are_one_gap_and_the_newest_is_read(bench: Bench) -> None:
    await bench.poller().sweep(START)
    bench.clock.advance(DAY * 4)
    await bench.poller().sweep(START + DAY * 4)
    gaps = await bench.gaps()
    assert [(gap.slots, gap.first_slot_ms, gap.last_slot_ms, gap.reason) for gap in gaps] == [
        (3, to_epoch_ms(START + DAY), to_epoch_ms(START + DAY * 3), GapReason.NOT_RUNNING)
    ] * 3
    assert len(await bench.stored()) == 6


async def test_a_silent_meter_gets_a_gap_and_the_others_their_readings(bench: Bench) -> None:
    bench.wire.silent.add(meter(2))
    poller = bench.poller()
    await poller.sweep(START)
    assert [serial for serial, _, _ in await bench.stored()] == ["W1", "W3"]
    gaps = await bench.gaps()
    assert [(gap.meter_id, gap.reason, gap.detail) for gap in gaps] == [(meter(2), GapReason.NO_ANSWER, "W2 is silent")]
    assert poller.face.failing == 1


async def test_a_meter_that_answers_late_in_the_slot_is_stored_without_a_gap(bench: Bench) -> None:
    bench.wire.silent.add(meter(2))
    poller = bench.poller()
    async with asyncio.TaskGroup() as group:
        group.create_task(poller.sweep(START))
        await asyncio.sleep(0.005)
        bench.wire.silent.clear()
    assert {serial for serial, _, _ in await bench.stored()} == {"W1", "W2", "W3"}
    assert await bench.gaps() == []


async def test_a_meter_first_seen_in_the_middle_of_the_day_is_read_off_the_grid(bench: Bench) -> None:
    bench.clock.advance(timedelta(hours=9))
    await bench.poller().sweep(START)
    stored = await bench.stored()
    assert {slot for _, slot, _ in stored} == {to_epoch_ms(START + timedelta(hours=9))}


async def test_a_meter_first_read_just_after_the_next_slot_began_stands_at_that_slot(bench: Bench) -> None:
    bench.clock.advance(DAY + timedelta(seconds=1))
    poller = bench.poller()
    await poller.sweep(START)
    await poller.sweep(START + DAY)
    assert [slot for _, slot, _ in await bench.stored()] == [to_epoch_ms(START + DAY)] * 3


async def test_the_raw_frame_is_kept_once_a_meter_and_day(bench: Bench) -> None:
    bench.schedule = Schedule(zone=START.tzinfo, dense={START.date(): 15})  # type: ignore[arg-type]  # aware
    poller = bench.poller()
    for quarter in range(4):
        await poller.sweep(START + timedelta(minutes=15 * quarter))
        bench.clock.advance(timedelta(minutes=15))
    await bench.stored()
    rows = [row.record for material in bench.sealer.materials for row in material.events]
    frames = [record for record in rows if isinstance(record, Evidence)]
    assert [frame.serial for frame in frames] == ["W1", "W2", "W3"]
    assert all(frame.slot_ms == to_epoch_ms(START) for frame in frames)


async def test_a_backward_step_neither_loses_nor_doubles_the_days_that_follow(bench: Bench) -> None:
    poller = bench.poller()
    async with polling(poller):
        await reach(bench, poller)
        bench.clock.step(DAY * 365)
        await reach(bench, poller)
        bench.clock.step(-DAY * 365)
        await reach(bench, poller)
        bench.clock.advance(DAY)
        await until(lambda: len(bench.wire.answered) == 9)
        await asyncio.sleep(0.02)
    true_slots = [slot for _, slot, _ in await bench.stored()]
    assert true_slots.count(to_epoch_ms(START + DAY)) == 3
    assert true_slots.count(to_epoch_ms(START)) == 3


async def test_a_new_plan_takes_over_and_closes_the_old_wires(bench: Bench) -> None:
    wires: list[CountingWire] = []

    def make_wire(_: WireConfig) -> CountingWire:
        wires.append(CountingWire(bench.clock))
        return wires[-1]

    sampling = Sampling(make_wire, bench.around())
    plan = SamplingPlan(schedule=bench.schedule, wires=(CONFIG,), devices=(water(1),))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(sampling.run())
        sampling.use(plan)
        await until(lambda: bench.board.completed() is not None)
        sampling.use(SamplingPlan(schedule=bench.schedule, wires=(CONFIG,), devices=(water(1), water(2))))
        await until(lambda: len(wires) == 2 and bench.board.completed() is not None)
        task.cancel()
    assert [wire.closed for wire in wires] == [True, True]
    assert [serial for serial, _, _ in await bench.stored()] == ["W1", "W2"]
