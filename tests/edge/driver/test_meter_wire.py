"""Meters on one line: healthy ones keep their slots beside dead ones, odd registers are read twice, protocols mix."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from common.reading.reading import Quantity
from edge.driver.exchanger import TIMEOUTS_BEFORE_REOPEN, LinePace
from edge.driver.health import BackOff
from edge.driver.line_asker import LineAsker
from edge.driver.meter_wire import MeterWire
from edge.driver.outcome import DeviceConfig, FailureKind, ReadOutcome, WireStats
from tests.edge.driver.builders import StandingClock, catalogue, device, wire_config
from tests.edge.driver.campaign import answer_cjt188, answer_dlt645
from tests.edge.driver.memory_line import Bus, memory_line
from tests.simulation.devices.converter import close_frame
from tests.simulation.devices.rtu_pty import checksum
from tests.support.virtual_time import run_virtually

ANSWER_S = 0.03
METERS = 20
SWEEPS = 120
PERIOD_S = 15.0


def wire_on(bus: Bus, clock: StandingClock | None = None, *, back_off: BackOff | None = None) -> MeterWire:
    config, stats = wire_config(), WireStats()
    asker = LineAsker(memory_line(bus), LinePace.of_baud(config.baud), stats, echo=False)
    return MeterWire(config, catalogue(), asker, stats, clock or StandingClock(), back_off or BackOff())


@dataclass(slots=True)
class EnergyBus:
    """Meters of the type sdm120 whose energy register a test sets, in whole kWh; dead ones do not answer."""

    energy: dict[int, int] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    script: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def __call__(self, request: bytes) -> Iterator[tuple[float, bytes]]:
        unit, count = request[0], int.from_bytes(request[4:6])
        self.asked.append(unit)
        if unit in self.dead:
            return
        value = self.script.pop(0) if self.script else self.energy.get(unit, 100)
        body = bytes([unit, request[1], 2 * count]) + _as_float(value).ljust(2 * count, b"\0")
        yield ANSWER_S, body + checksum(body)


def _as_float(whole: int) -> bytes:
    exponent = whole.bit_length() - 1
    mantissa = (whole << 23 >> exponent) - (1 << 23)
    return ((127 + exponent) << 23 | mantissa).to_bytes(4)


def sdm(number: int) -> DeviceConfig:
    return device(number, "eastron-sdm120", str(number))


async def _kept_slots(bus: EnergyBus, devices: Sequence[DeviceConfig]) -> int:
    """Sweep the line every period; return how many slots of healthy meters gave a value in their period."""
    wire, loop, kept = wire_on(bus), asyncio.get_running_loop(), 0
    for sweep in range(SWEEPS):
        ends = (sweep + 1) * PERIOD_S
        for one in devices:
            outcome = await wire.read(one)
            kept += bool(outcome.points) and loop.time() <= ends
        await asyncio.sleep(max(0.0, ends - loop.time()))
    return kept


@pytest.mark.parametrize("dead", [0, 1, 5, 10])
def test_healthy_meters_keep_95_of_100_slots_beside_dead_ones(dead: int) -> None:
    bus = EnergyBus(dead=set(range(1, 2 * dead, 2)))

    kept = run_virtually(_kept_slots(bus, [sdm(n) for n in range(1, METERS + 1)]))

    assert len(bus.dead) == dead
    assert kept < METERS * SWEEPS or dead == 0
    assert kept >= (METERS - dead) * SWEEPS * 95 // 100


def test_a_dead_meter_is_probed_ever_more_rarely_and_is_back_at_its_first_answer() -> None:
    bus = EnergyBus(dead={1})

    async def story() -> tuple[int, int, ReadOutcome, ReadOutcome]:
        wire = wire_on(bus, back_off=BackOff(first_s=5, most_s=60))
        for _ in range(600):
            await wire.read(sdm(1))
            await asyncio.sleep(1)
        while_dead = len(bus.asked)
        bus.dead.clear()
        skipped = await wire.read(sdm(1))
        await asyncio.sleep(60)
        return while_dead, wire.stats.backed_off, skipped, await wire.read(sdm(1))

    while_dead, backed_off, skipped, back = run_virtually(story())

    assert while_dead <= 15
    assert backed_off > 500
    assert skipped.failures[0].kind is FailureKind.BACKED_OFF
    assert back.points[0].value_milli == 100_000


def _reads(bus: EnergyBus, steps: Sequence[timedelta], clock: StandingClock) -> list[ReadOutcome]:
    async def run() -> list[ReadOutcome]:
        wire, outcomes = wire_on(bus, clock), []
        for step in steps:
            clock.at += step
            outcomes.append(await wire.read(sdm(1)))
        return outcomes

    return run_virtually(run())


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("what", "script", "taken"),
    [
        ("a plausible step", [100, 110], 110_000),
        ("a backward step once is a ghost", [100, 90, 101], None),
        ("a backward step twice is a fact", [100, 90, 90], 90_000),
        ("a jump once is a ghost", [100, 9000, 101], None),
        ("a jump twice is a fact", [100, 9000, 9000], 9_000_000),
    ],
)
def test_an_implausible_register_is_taken_only_when_two_reads_agree(
    what: str, script: list[int], taken: int | None
) -> None:
    second = _reads(EnergyBus(script=script), [HOUR, HOUR], StandingClock())[1]

    if taken is None:
        assert second.points == (), what
        assert second.failures[0].kind is FailureKind.BAD_VALUE
    else:
        assert second.points[0].value_milli == taken, what


def test_a_large_step_after_a_long_silence_is_plausible() -> None:
    bus = EnergyBus(script=[100, 800])

    outcomes = _reads(bus, [HOUR, timedelta(days=30)], StandingClock())

    assert outcomes[1].points[0].value_milli == 800_000
    assert len(bus.asked) == 2


def test_three_protocols_share_one_line() -> None:
    def bus(request: bytes) -> Iterator[tuple[float, bytes]]:
        frame = request.lstrip(b"\xfe")
        if frame[0] != 0x68:
            yield from EnergyBus()(request)
        else:
            yield ANSWER_S, (answer_dlt645 if frame[7] == 0x68 else answer_cjt188)(request, 1234).frame

    devices = (
        sdm(1),
        device(2, "dlt645-2007-single-phase", "000000000016"),
        device(3, "cjt188-water", "00000000001610", Quantity.VOLUME),
    )

    async def read_all() -> list[ReadOutcome]:
        wire = wire_on(bus)
        return [await wire.read(one) for one in devices]

    outcomes = run_virtually(read_all())

    assert [len(outcome.points) for outcome in outcomes] == [1, 1, 1]
    assert outcomes[2].points[0].value_milli == 12_340
    assert all(outcome.request and outcome.response for outcome in outcomes)


def test_points_that_a_model_lacks_are_refused_and_the_others_read() -> None:
    wanted = device(1, "eastron-sdm120", "1", Quantity.ENERGY_FORWARD, Quantity.VOLUME)

    outcome = run_virtually(wire_on(EnergyBus()).read(wanted))

    assert [point.quantity for point in outcome.points] == [Quantity.ENERGY_FORWARD]
    assert [(failure.kind, failure.points) for failure in outcome.failures] == [
        (FailureKind.REFUSED, (Quantity.VOLUME,))
    ]


def test_an_exception_answer_is_a_refusal_and_no_reason_to_back_off() -> None:
    def bus(request: bytes) -> Iterator[tuple[float, bytes]]:
        body = bytes([request[0], request[1] | 0x80, 2])
        yield ANSWER_S, body + checksum(body)

    async def read_thrice() -> list[ReadOutcome]:
        wire = wire_on(bus)
        return [await wire.read(sdm(1)) for _ in range(3)]

    outcomes = run_virtually(read_thrice())

    assert {outcome.failures[0].kind for outcome in outcomes} == {FailureKind.REFUSED}
    assert outcomes[0].failures[0].exchange is not None


def test_noise_alone_is_a_bad_frame_and_keeps_the_bytes() -> None:
    outcome = run_virtually(wire_on(lambda _: [(ANSWER_S, b"\x00\xff\x33")]).read(sdm(1)))

    failure = outcome.failures[0]
    assert failure.kind is FailureKind.BAD_FRAME
    assert failure.exchange is not None
    assert failure.exchange.response == b"\x00\xff\x33"


def test_a_line_on_which_nobody_answers_is_reopened() -> None:
    async def story() -> WireStats:
        wire = wire_on(EnergyBus(dead=set(range(1, 10))))
        for number in range(1, TIMEOUTS_BEFORE_REOPEN + 2):
            await wire.read(sdm(number))
        return wire.stats

    stats = run_virtually(story())

    assert stats.reconnects >= 1
    assert stats.timeouts >= TIMEOUTS_BEFORE_REOPEN


def test_an_answer_of_another_length_than_the_profile_says_is_no_value() -> None:
    def bus(request: bytes) -> Iterator[tuple[float, bytes]]:
        frame = request.lstrip(b"\xfe")
        yield ANSWER_S, close_frame(frame[:9] + bytes([0x81, 8]) + frame[11:14] + bytes.fromhex("000100002c"))

    wanted = device(3, "cjt188-water", "00000000001610", Quantity.VOLUME)
    outcome = run_virtually(wire_on(bus).read(wanted))

    assert outcome.failures[0].kind is FailureKind.BAD_VALUE
