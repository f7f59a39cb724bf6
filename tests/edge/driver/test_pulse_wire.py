"""Pulse inputs: counted between reads, kept on disk, back after a restart and after the chip was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common.reading.reading import Quantity
from edge.driver.outcome import DeviceConfig, FailureKind, ListeningWire, ReadOutcome, WireKind, WireStats
from edge.driver.pulse_totals import PulseTotals
from edge.driver.pulse_wire import PulseWire
from tests.edge.driver.builders import catalogue, device, wire_config
from tests.simulation.devices.pulse_chip import Chip, event, pulses

WATER = device(1, "pulse-water", "17", Quantity.VOLUME)
GAS = device(2, "pulse-gas", "4", Quantity.VOLUME)


@asynccontextmanager
async def listening(chip: Chip, folder: Path) -> AsyncIterator[PulseWire]:
    config = wire_config(WireKind.PULSE, "/dev/gpiochip0")
    wire = PulseWire(config, catalogue(), WireStats(), folder, chip.open)
    async with asyncio.TaskGroup() as tasks:
        ear = tasks.create_task(wire.listen([WATER, GAS]))
        yield wire
        ear.cancel()
    chip.unplug()


async def reads(wire: PulseWire, one: DeviceConfig, value_milli: int | FailureKind) -> ReadOutcome:
    """Read until the wanted value or failure comes."""
    async with asyncio.timeout(8):
        while True:
            outcome = await wire.read(one)
            found = outcome.points[0].value_milli if outcome.points else outcome.failures[0].kind
            if found == value_milli:
                return outcome
            await asyncio.sleep(0.02)


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it did not come to hold in 8 s")


async def test_pulses_between_two_reads_are_in_the_second(tmp_path: Path) -> None:
    chip = Chip()
    async with listening(chip, tmp_path) as wire:
        await reads(wire, WATER, 0)
        chip.feed(pulses(3, 17))

        outcome = await reads(wire, WATER, 30)

        assert outcome.points[0].raw == b"3"
        assert isinstance(wire, ListeningWire)
        assert chip.asked == [("/dev/gpiochip0", (4, 17))]


async def test_inputs_of_one_chip_are_counted_apart(tmp_path: Path) -> None:
    chip = Chip()
    async with listening(chip, tmp_path) as wire:
        await reads(wire, WATER, 0)
        chip.feed(pulses(3, 17) + pulses(2, 4) + pulses(1, 9))

        await reads(wire, WATER, 30)
        await reads(wire, GAS, 200)

        assert wire.stats.foreign_frames == 2


async def test_a_count_that_was_given_out_is_on_the_disk(tmp_path: Path) -> None:
    chip = Chip()
    async with listening(chip, tmp_path) as wire:
        await reads(wire, WATER, 0)
        chip.feed(pulses(5, 17))
        await reads(wire, WATER, 50)

        assert PulseTotals(tmp_path / "w1-17.count").load() == 5


async def test_pulses_nobody_read_are_on_the_disk_soon(tmp_path: Path) -> None:
    chip = Chip()
    async with listening(chip, tmp_path) as wire:
        await reads(wire, WATER, 0)
        chip.feed(pulses(5, 17))
        await eventually(lambda: PulseTotals(tmp_path / "w1-17.count").load() == 5)


async def test_the_count_goes_on_after_a_restart(tmp_path: Path) -> None:
    for n in (1, 2):
        chip = Chip()
        async with listening(chip, tmp_path) as wire:
            await reads(wire, WATER, 40 * (n - 1))
            chip.feed(pulses(4, 17))
            await reads(wire, WATER, 40 * n)


async def test_a_chip_that_goes_away_is_said_and_counted_on_when_it_is_back(tmp_path: Path) -> None:
    chip = Chip()
    async with listening(chip, tmp_path) as wire:
        await reads(wire, WATER, 0)
        chip.feed(pulses(2, 17))
        await reads(wire, WATER, 20)
        chip.pull()
        await reads(wire, WATER, FailureKind.LINK_LOST)
        chip.present = True
        await reads(wire, WATER, 20)
        chip.feed(pulses(1, 17))
        await reads(wire, WATER, 30)

    assert wire.stats.reconnects >= 1


async def test_a_damaged_count_is_unknown_and_the_neighbour_goes_on(tmp_path: Path) -> None:
    (tmp_path / "w1-17.count").write_bytes(b"junk" * 16)
    chip = Chip()
    async with listening(chip, tmp_path) as wire:
        await reads(wire, GAS, 0)
        chip.feed(pulses(2, 17) + pulses(2, 4))

        outcome = await reads(wire, WATER, FailureKind.BAD_VALUE)

        assert "start_reading" in outcome.failures[0].detail
        await reads(wire, GAS, 200)


async def test_edges_the_kernel_lost_are_counted_as_lost(tmp_path: Path) -> None:
    chip = Chip()
    async with listening(chip, tmp_path) as wire:
        await reads(wire, WATER, 0)
        chip.feed(pulses(1, 17) + pulses(1, 17, first=21, begin_ms=60_000))
        await reads(wire, WATER, 20)

        assert wire.stats.bad_values == 18


@pytest.mark.parametrize("junk", [b"\x01\x02", event(5, 9, 17, 1)])
async def test_a_chip_that_talks_nonsense_is_opened_anew(tmp_path: Path, junk: bytes) -> None:
    chip = Chip()
    async with listening(chip, tmp_path) as wire:
        await reads(wire, WATER, 0)
        chip.feed(junk)
        await eventually(lambda: len(chip.asked) == 2)
        await reads(wire, WATER, 0)
        await wire.close()
