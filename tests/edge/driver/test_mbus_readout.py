"""A real M-Bus segment behind memory, TCP and a pty: primary and secondary addresses, several telegrams, repeats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from common.reading.reading import Quantity
from edge.device.catalogue import Catalogue
from edge.device.check import check_profile
from edge.driver.build import build_wires
from edge.driver.exchanger import LinePace
from edge.driver.health import BackOff
from edge.driver.line_asker import LineAsker
from edge.driver.meter_wire import MeterWire
from edge.driver.outcome import FailureKind, ReadOutcome, WireKind, WireStats
from tests.edge.driver.builders import PROFILES, StandingClock, device, wire_config
from tests.edge.driver.memory_line import Bus, memory_line
from tests.simulation.devices.mbus_slaves import Segment, Slave, frame, segment_on_pty, segment_on_tcp
from tests.support.virtual_time import run_virtually

FIRST = bytes.fromhex("0c78785634120406e79100000c1478563412")
SECOND = bytes.fromhex("042d5b010000025ad200")
PLAIN = bytes.fromhex("0c7811111111" + "0406e7910000" + "0c1400010000")


def heat_model(**changes: object) -> Catalogue:
    document = yaml.safe_load((PROFILES / "_blueprint.yaml").read_text(encoding="utf-8"))
    for key in ("ranges", "limits", "parameters", "plausibility"):
        document.pop(key)
    document |= {
        "model": "test-heat",
        "resource": "heat",
        "protocol": "mbus",
        "maker": "KAM",
        "timing": {"answer_ms": 150, "longest_ms": 250, "gap_ms": 5},
        "points": [
            {"id": "heat", "quantity": "heat_energy", "record": "energy", "unit": "kWh", "kind": "cumulative"},
            {"id": "volume", "quantity": "volume", "record": "volume", "unit": "m3", "kind": "cumulative"},
            {"id": "power", "quantity": "power", "record": "power", "unit": "kW", "kind": "instant"},
            {
                "id": "supply",
                "quantity": "temperature",
                "record": "flow_temperature",
                "unit": "degC",
                "kind": "instant",
            },
        ],
        "recordings": [],
        **changes,
    }
    return Catalogue({"test-heat": check_profile(document, "test")})


ALL = (Quantity.HEAT_ENERGY, Quantity.VOLUME, Quantity.POWER, Quantity.TEMPERATURE)
LONG_READER = device(1, "test-heat", "5", *ALL)
PLAIN_READER = device(2, "test-heat", "6", Quantity.HEAT_ENERGY, Quantity.VOLUME)
CHOSEN_READER = device(3, "test-heat", "22222222", Quantity.HEAT_ENERGY)
VALUES = {"heat_energy": 37_351_000, "volume": 123_456_780, "power": 34_700, "temperature": 21_000}


def segment() -> Segment:
    two = FIRST + b"\x1f", SECOND + b"\x0f\x01\x02"
    chosen = PLAIN.replace(b"\x11", b"\x22")
    return Segment(
        [
            Slave(5, bytes.fromhex("785634122d2c1b04"), two),
            Slave(6, bytes.fromhex("111111112d2c1b04"), [PLAIN]),
            Slave(0, bytes.fromhex("222222222d2c1b04"), [chosen]),
            Slave(0, bytes.fromhex("333333332d2c1b04"), [PLAIN.replace(b"\x11", b"\x33")]),
        ]
    )


@dataclass(slots=True)
class Wires:
    """A segment on a line in memory; `lost` requests get no answer, `extra` follows every answer."""

    segment: Segment
    lost: list[int] = field(default_factory=list)
    late_s: float = 0.02
    asked: list[bytes] = field(default_factory=list)

    def __call__(self, request: bytes) -> Iterator[tuple[float, bytes]]:
        self.asked.append(request)
        answer = self.segment.answer(request)
        if answer and len(self.asked) - 1 not in self.lost:
            yield self.late_s, answer


def wire_on(bus: Bus, models: Catalogue | None = None) -> MeterWire:
    config, stats = wire_config(), WireStats()
    asker = LineAsker(memory_line(bus), LinePace.of_baud(config.baud), stats, echo=False)
    return MeterWire(config, models or heat_model(), asker, stats, StandingClock(), BackOff())


def values(outcome: ReadOutcome) -> dict[str, int]:
    return {str(point.quantity): point.value_milli for point in outcome.points}


def test_points_of_two_telegrams_are_read_with_a_toggled_count_bit() -> None:
    bus = Wires(segment())

    outcome = run_virtually(wire_on(bus).read(LONG_READER))

    assert values(outcome) == VALUES
    assert [request.hex() for request in bus.asked] == ["1040054516", "107b058016", "105b056016"]


def test_a_readout_ends_with_the_telegram_that_has_all_wanted_points() -> None:
    bus = Wires(segment())

    outcome = run_virtually(wire_on(bus).read(device(1, "test-heat", "5", Quantity.VOLUME)))

    assert values(outcome) == {"volume": VALUES["volume"]}
    assert len(bus.asked) == 2


def test_the_next_readout_begins_with_the_first_telegram_again() -> None:
    bus = Wires(segment())

    async def twice() -> list[dict[str, int]]:
        wire = wire_on(bus)
        return [values(await wire.read(LONG_READER)) for _ in range(2)]

    assert run_virtually(twice()) == [VALUES, VALUES]
    assert bus.segment.slaves[0].sent == [0, 1, 0, 1]


def test_a_meter_behind_its_secondary_address_is_selected_first() -> None:
    bus = Wires(segment())

    outcome = run_virtually(wire_on(bus).read(CHOSEN_READER))

    assert values(outcome) == {"heat_energy": 37_351_000}
    assert bus.asked[0].hex().startswith("680b0b6873fd5222222222ffffffff")
    assert bus.segment.slaves[3].sent == []


def test_an_identification_that_nobody_has_is_a_time_out_and_no_other_meters_value() -> None:
    nobody = device(4, "test-heat", "44444444", Quantity.HEAT_ENERGY)

    outcome = run_virtually(wire_on(Wires(segment())).read(nobody))

    assert outcome.points == ()
    assert outcome.failures[0].kind is FailureKind.TIMEOUT


def test_a_lost_telegram_starts_the_readout_anew_and_half_of_it_gives_nothing() -> None:
    bus = Wires(segment(), lost=[2])
    assert values(run_virtually(wire_on(bus).read(LONG_READER))) == VALUES

    twice = Wires(segment(), lost=[2, 5])
    outcome = run_virtually(wire_on(twice).read(LONG_READER))

    assert outcome.points == ()
    assert len(outcome.failures[0].points) == 4


def test_a_meter_that_repeats_its_telegram_gives_no_value() -> None:
    stuck = frame(0x08, 5, b"\x72" + bytes.fromhex("785634122d2c1b04") + bytes(4) + FIRST + b"\x1f")

    outcome = run_virtually(wire_on(lambda sent: [(0.02, b"\xe5" if sent[1] == 0x40 else stuck)]).read(LONG_READER))

    assert outcome.points == ()
    assert "repeated a telegram" in outcome.failures[0].detail


def test_another_makers_meter_at_the_address_is_refused() -> None:
    outcome = run_virtually(wire_on(Wires(segment()), heat_model(maker="SEN")).read(PLAIN_READER))

    assert [failure.kind for failure in outcome.failures] == [FailureKind.BAD_VALUE] * 2
    assert "maker KAM" in outcome.failures[0].detail


def test_an_error_report_is_a_refusal() -> None:
    error = frame(0x08, 6, bytes.fromhex("7008"))

    outcome = run_virtually(wire_on(lambda sent: [(0.02, b"\xe5" if sent[1] == 0x40 else error)]).read(PLAIN_READER))

    assert outcome.failures[0].kind is FailureKind.REFUSED
    assert outcome.failures[0].detail == "application busy"


async def read_all(address: str, kind: WireKind) -> list[dict[str, int]]:
    config = wire_config(kind, address, baud=38_400)
    wires = build_wires([config], heat_model(), StandingClock(), folder=Path(), back_off=BackOff())
    wire = wires["w1"]
    try:
        return [values(await wire.read(one)) for one in (LONG_READER, PLAIN_READER, CHOSEN_READER)]
    finally:
        await wire.close()


READ = [VALUES, {"heat_energy": 37_351_000, "volume": 1_000}, {"heat_energy": 37_351_000}]


async def test_a_segment_behind_a_converter_is_read() -> None:
    async with segment_on_tcp(segment()) as address:
        assert await read_all(address, WireKind.SERIAL_TCP) == READ


async def test_a_segment_on_a_serial_port_is_read(tmp_path: Path) -> None:
    async with segment_on_pty(segment(), tmp_path / "mbus") as path:
        assert await read_all(path, WireKind.SERIAL) == READ


@pytest.mark.parametrize("status", [1, 2])
def test_a_meter_in_application_error_gives_no_value(status: int) -> None:
    one = segment()
    one.slaves[1].status = status

    outcome = run_virtually(wire_on(Wires(one)).read(PLAIN_READER))

    assert {failure.kind for failure in outcome.failures} == {FailureKind.BAD_VALUE}
