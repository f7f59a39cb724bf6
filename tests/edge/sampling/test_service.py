"""Wires whose meters speak or tick unasked are listened to as long as the plan that names them is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from common.errors import RefusalError
from common.reading.reading import Quantity
from edge.driver.outcome import DeviceConfig, WireKind, WireStats
from edge.driver.pulse_wire import PulseWire
from edge.sampling.plan import SamplingPlan
from edge.sampling.service import Sampling
from tests.edge.builders import meter, until
from tests.edge.driver.builders import catalogue, device, wire_config
from tests.edge.sampling.test_poller import CONFIG, DAY, Bench, CountingWire, bench, water
from tests.simulation.devices.pulse_chip import Chip, pulses

__all__ = ["bench"]
PULSED = device(1, "pulse-water", "17", Quantity.VOLUME)


class TickingWire(CountingWire):
    """A wire that must be listened to; notes to whom and whether it still is."""

    heard: tuple[DeviceConfig, ...] = ()
    listening = False

    async def listen(self, devices: Iterable[DeviceConfig]) -> None:
        self.heard, self.listening = tuple(devices), True
        try:
            await asyncio.Event().wait()
        finally:
            self.listening = False


async def test_a_ticking_wire_is_listened_to_until_the_next_plan(bench: Bench) -> None:
    wires: list[TickingWire] = []

    def make_wire(_: object) -> TickingWire:
        wires.append(TickingWire(bench.clock))
        return wires[-1]

    sampling = Sampling(make_wire, bench.around())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(sampling.run())
        sampling.use(SamplingPlan(schedule=bench.schedule, wires=(CONFIG,), devices=(water(1), water(2))))
        await until(lambda: bool(wires) and wires[0].listening)
        assert wires[0].heard == (water(1), water(2))

        sampling.use(SamplingPlan(schedule=bench.schedule, wires=(CONFIG,), devices=(water(1),)))
        await until(lambda: len(wires) == 2 and wires[1].listening)
        assert not wires[0].listening
        task.cancel()

    assert not wires[1].listening


async def test_pulses_counted_between_two_slots_are_stored_with_the_second(bench: Bench, tmp_path: Path) -> None:
    chip, config = Chip(), wire_config(WireKind.PULSE, "/dev/gpiochip0")
    sampling = Sampling(
        lambda _: PulseWire(config, catalogue(), WireStats(), tmp_path / "pulses", chip.open), bench.around()
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(sampling.run())
        sampling.use(SamplingPlan(schedule=bench.schedule, wires=(config,), devices=(PULSED,)))
        await until(lambda: bench.board.completed() is not None)
        chip.feed(pulses(12, 17))
        await asyncio.sleep(0.05)
        bench.clock.advance(DAY)
        await until(lambda: bench.board.slots_completed == 2)
        task.cancel()
    chip.unplug()

    assert [value for _, _, value in await bench.stored()][-1] == 120


async def test_a_meter_outside_the_plan_cannot_be_read_now(bench: Bench) -> None:
    sampling = Sampling(lambda _: CountingWire(bench.clock), bench.around())

    with pytest.raises(RefusalError, match="not in the plan in force"):
        await sampling.read_now(meter(9))
