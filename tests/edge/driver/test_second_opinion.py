"""The second opinion on a real pseudo-terminal: agrees with the gateway's codec, and says what went wrong when not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from common.errors import RefusalError
from common.reading.reading import Quantity
from edge.driver.outcome import FailureKind, ReadOutcome, WireKind
from edge.driver.second_opinion import disagreements, second_opinion
from tests.edge.driver.builders import StandingClock, catalogue, device, wire_config
from tests.edge.driver.test_modbus_tcp_asker import meters, wire_to
from tests.edge.driver.test_pty_line import Bytes, Cable, quick_models, read_within, wire_on
from tests.simulation.devices.description import FaultEntry
from tests.simulation.devices.house import serve_site
from tests.simulation.devices.rtu_pty import checksum

METER = device(7, "eastron-sdm120", "7", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE)
PROFILE = replace(quick_models().profile("eastron-sdm120"), gap_most=0)


@asynccontextmanager
async def plugged(link: Path, say: Bytes | None = None) -> AsyncIterator[Cable]:
    cable = Cable(link)
    cable.say = say or cable.say
    cable.plug()
    yield cable
    cable.pull()


async def opinion(cable: Cable) -> ReadOutcome:
    config = wire_config(WireKind.SERIAL, str(cable.link), baud=115_200, parity="none")
    return await asyncio.to_thread(second_opinion, PROFILE, METER, config)


async def test_both_code_paths_read_the_same_values_from_one_port(tmp_path: Path) -> None:
    async with plugged(tmp_path / "port") as cable:
        wire = wire_on(cable)
        first = await read_within(wire, 7)
        await wire.close()
        second = await opinion(cable)

    assert {point.quantity: point.value_milli for point in second.points}[Quantity.ENERGY_FORWARD] == 7_000
    assert len(second.points) == 2
    assert second.request.hex().startswith("0704")
    only_energy = replace(second, points=tuple(p for p in second.points if p.quantity is Quantity.ENERGY_FORWARD))
    assert list(disagreements(first, only_energy, slack_milli=0)) == []


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        pytest.param(lambda _: [], FailureKind.TIMEOUT, id="silence"),
        pytest.param(lambda _: [bytes.fromhex("070404000000000000")], FailureKind.BAD_FRAME, id="a wrong CRC"),
        pytest.param(
            lambda _: [bytes.fromhex("078402") + checksum(bytes.fromhex("078402"))], FailureKind.REFUSED, id="a refusal"
        ),
    ],
)
async def test_what_went_wrong_has_the_words_of_the_gateway(tmp_path: Path, say: Bytes, kind: FailureKind) -> None:
    async with plugged(tmp_path / "port", say) as cable:
        outcome = await opinion(cable)

    assert outcome.points == ()
    assert {failure.kind for failure in outcome.failures} == {kind}


async def test_a_port_that_is_not_there_or_taken_is_a_lost_link(tmp_path: Path) -> None:
    outcome = await opinion(Cable(tmp_path / "nothing"))

    assert {failure.kind for failure in outcome.failures} == {FailureKind.LINK_LOST}


@pytest.mark.parametrize(
    ("kind", "model"), [(WireKind.SERIAL_TCP, "eastron-sdm120"), (WireKind.SERIAL, "dlt645-2007-single-phase")]
)
def test_other_wires_and_protocols_get_no_second_opinion(kind: WireKind, model: str) -> None:
    with pytest.raises(RefusalError, match="serial port"):
        second_opinion(catalogue().profile(model), METER, wire_config(kind, "somewhere"))


async def over_tcp(address: str, unit: str) -> ReadOutcome:
    meter = device(int(unit), "eastron-sdm120", unit, Quantity.ENERGY_FORWARD, Quantity.VOLTAGE)
    return await asyncio.to_thread(second_opinion, PROFILE, meter, wire_config(WireKind.MODBUS_TCP, address))


async def test_a_meter_behind_modbus_tcp_is_read_by_pymodbus_and_agrees(tmp_path: Path) -> None:
    async with serve_site(meters("eastron-sdm120", "eastron-sdm120"), StandingClock(), tmp_path) as addresses:
        wire = wire_to(addresses["tcp"])
        meter = device(2, "eastron-sdm120", "2", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE)
        first = await wire.read(meter)
        await wire.close()
        second = await over_tcp(addresses["tcp"], "2")

    assert len(second.points) == 2
    assert list(disagreements(first, second, slack_milli=0)) == []


async def test_what_went_wrong_over_tcp_has_the_words_of_the_gateway(tmp_path: Path) -> None:
    faults = (FaultEntry(kind="dead", serial="T1"), FaultEntry(kind="refuse", serial="T2"))
    site = meters("eastron-sdm120", "eastron-sdm120", faults=faults)
    async with serve_site(site, StandingClock(), tmp_path) as addresses:
        outcomes = [await over_tcp(addresses["tcp"], unit) for unit in ("1", "2")]
    outcomes.append(await over_tcp("127.0.0.1:9", "1"))

    kinds = [{failure.kind for failure in outcome.failures} for outcome in outcomes]
    assert kinds == [{FailureKind.TIMEOUT}, {FailureKind.REFUSED}, {FailureKind.LINK_LOST}]


async def test_disagreements_name_the_quantity_and_who_got_nothing(tmp_path: Path) -> None:
    async with plugged(tmp_path / "port") as cable:
        whole = await opinion(cable)
    energy, voltage = sorted(whole.points, key=lambda point: point.quantity)
    other = replace(whole, points=(changed(energy, value_milli=energy.value_milli + 20),))
    nothing = replace(whole, points=())

    assert list(disagreements(whole, other, slack_milli=10)) == [
        f"{energy.quantity}: {energy.value_milli} and {energy.value_milli + 20} milli-units",
        f"{voltage.quantity}: only the gateway's own codec got an answer",
    ]
    assert list(disagreements(whole, replace(other, points=(other.points[0], voltage)), slack_milli=20)) == []
    assert len(list(disagreements(nothing, whole, slack_milli=0))) == 2
