"""Meters on a real pseudo-terminal in real time: dead neighbours, echo, noise, split frames, and a pulled cable."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edge.device.catalogue import Catalogue
from edge.device.model import Timing
from edge.driver.build import build_wires
from edge.driver.health import BackOff
from edge.driver.outcome import DeviceConfig, FailureKind, ReadOutcome, Wire, WireKind
from tests.edge.driver.builders import StandingClock, catalogue, device, wire_config
from tests.simulation.devices.rtu_pty import checksum

METERS = 20
SWEEPS = 6
PERIOD_S = 1.5
ANSWER_BOUND_S = 6.0
Bytes = Callable[[bytes], list[bytes]]


def quick_models() -> Catalogue:
    """Return the model sdm120 with the pace of a fast line, so that a dead meter costs milliseconds."""
    profile = catalogue().profile("eastron-sdm120")
    return Catalogue({profile.model: replace(profile, timing=Timing(answer_ms=40, longest_ms=45, gap_ms=1))})


def energy_answer(request: bytes) -> bytes:
    """Return what unit n answers: n kWh as a float, then zeros."""
    unit, count = request[0], int.from_bytes(request[4:6])
    exponent = unit.bit_length() - 1
    value = ((127 + exponent) << 23 | ((unit << 23 >> exponent) - (1 << 23))).to_bytes(4)
    body = bytes([unit, request[1], 2 * count]) + value.ljust(2 * count, b"\0")
    return body + checksum(body)


@dataclass(slots=True)
class Cable:
    """A pseudo-terminal with meters at its far end; it can be pulled and plugged in again, like a USB converter."""

    link: Path
    dead: set[int] = field(default_factory=set)
    say: Bytes = field(default=lambda request: [energy_answer(request)])
    asked: list[int] = field(default_factory=list)
    ends: tuple[int, int] | None = None

    def plug(self) -> None:
        """Make the port and answer what comes."""
        self.ends = os.openpty()
        tty.setraw(self.ends[1])
        os.set_blocking(self.ends[0], False)
        self.link.symlink_to(os.ttyname(self.ends[1]))
        asyncio.get_running_loop().add_reader(self.ends[0], self._readable)

    def pull(self) -> None:
        """Take the port away."""
        if self.ends is not None:
            asyncio.get_running_loop().remove_reader(self.ends[0])
            for end in self.ends:
                os.close(end)
            self.link.unlink()
            self.ends = None

    def _readable(self) -> None:
        assert self.ends is not None
        request = os.read(self.ends[0], 4096)
        self.asked.append(request[0])
        if request[0] not in self.dead:
            for piece in self.say(request):
                os.write(self.ends[0], piece)


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    one = Cable(tmp_path / "port")
    yield one
    if one.ends is not None:
        for end in one.ends:
            os.close(end)


def wire_on(cable: Cable, **changes: object) -> Wire:
    config = wire_config(WireKind.SERIAL, str(cable.link), **{"baud": 115_200, "parity": "none", **changes})
    back_off = BackOff(first_s=2.0, most_s=8.0)
    return build_wires([config], quick_models(), StandingClock(), folder=Path(), back_off=back_off)["w1"]


def meter(unit: int) -> DeviceConfig:
    return device(unit, "eastron-sdm120", str(unit))


async def read_within(wire: Wire, unit: int) -> ReadOutcome:
    async with asyncio.timeout(ANSWER_BOUND_S):
        return await wire.read(meter(unit))


@pytest.mark.parametrize("dead", [pytest.param(1, marks=pytest.mark.slow), pytest.param(5, marks=pytest.mark.slow), 10])
async def test_healthy_meters_keep_95_of_100_slots_beside_dead_ones(cable: Cable, dead: int) -> None:
    cable.dead = set(range(1, 2 * dead, 2))
    cable.plug()
    wire, loop, kept = wire_on(cable), asyncio.get_running_loop(), 0
    begun = loop.time()
    for sweep in range(1, SWEEPS + 1):
        for unit in range(1, METERS + 1):
            outcome = await read_within(wire, unit)
            kept += bool(outcome.points) and loop.time() <= begun + sweep * PERIOD_S
        await asyncio.sleep(max(0.0, begun + sweep * PERIOD_S - loop.time()))
    await wire.close()
    cable.pull()

    assert set(cable.asked) == set(range(1, METERS + 1))
    assert kept >= (METERS - dead) * SWEEPS * 95 // 100


async def test_every_meter_gives_its_own_value(cable: Cable) -> None:
    cable.plug()
    wire = wire_on(cable)
    values = [(await read_within(wire, unit)).points[0].value_milli for unit in range(1, METERS + 1)]
    await wire.close()
    cable.pull()

    assert values == [1000 * unit for unit in range(1, METERS + 1)]


@pytest.mark.parametrize(
    ("say", "echo"),
    [
        pytest.param(lambda request: [energy_answer(request)[n : n + 1] for n in range(40)], False, id="byte by byte"),
        pytest.param(lambda request: [b"\x00\xff\x33" + energy_answer(request)], False, id="noise in front"),
        pytest.param(lambda request: [energy_answer(request) * 2], False, id="glued to its double"),
        pytest.param(lambda request: [request, energy_answer(request)], True, id="behind an echo"),
        pytest.param(lambda request: [request + energy_answer(request)], True, id="glued to an echo"),
    ],
)
async def test_an_answer_is_found_however_the_port_hands_it_over(cable: Cable, say: Bytes, echo: bool) -> None:  # noqa: FBT001 - a column
    cable.say = say
    cable.plug()
    wire = wire_on(cable, echo=echo)
    outcome = await read_within(wire, 7)
    await wire.close()
    cable.pull()

    assert outcome.points[0].value_milli == 7_000


async def test_a_pulled_cable_is_said_at_once_and_a_plugged_one_is_read_again(cable: Cable) -> None:
    cable.plug()
    wire, loop = wire_on(cable), asyncio.get_running_loop()
    assert (await read_within(wire, 3)).points
    cable.pull()
    pulled_at = loop.time()
    kinds = [(await read_within(wire, 3)).failures[0].kind for _ in range(5)]
    lost_within_s = loop.time() - pulled_at
    cable.plug()
    outcome = await read_within(wire, 3)
    async with asyncio.timeout(10):
        while not outcome.points:
            await asyncio.sleep(0.05)
            outcome = await read_within(wire, 3)
    await wire.close()
    cable.pull()

    assert kinds[-1] is FailureKind.LINK_LOST
    assert lost_within_s < ANSWER_BOUND_S
    assert outcome.points[0].value_milli == 3_000


async def test_a_cable_pulled_in_the_middle_of_an_answer_hangs_nothing(cable: Cable) -> None:
    def half_then_gone(request: bytes) -> list[bytes]:
        asyncio.get_running_loop().call_later(0.005, cable.pull)
        return [energy_answer(request)[:4]]

    cable.say = half_then_gone
    cable.plug()
    wire = wire_on(cable)

    outcome = await read_within(wire, 3)
    await wire.close()

    assert outcome.points == ()


async def test_a_port_has_one_owner(cable: Cable) -> None:
    cable.plug()
    first, second = wire_on(cable), wire_on(cable)
    assert (await read_within(first, 3)).points

    outcome = await read_within(second, 3)

    assert outcome.failures[0].kind is FailureKind.LINK_LOST
    await first.close()
    await second.close()
    cable.pull()
