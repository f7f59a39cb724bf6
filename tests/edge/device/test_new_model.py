"""A model nobody has heard of, written by hand into a folder: read end to end, and no line of code for it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from common.errors import FaultsError
from edge.device.catalogue import Catalogue, load_catalogue
from edge.driver.build import build_wires
from edge.driver.fitness import check_site
from edge.driver.health import BackOff
from edge.driver.outcome import ReadOutcome
from edge.sampling.plan import SamplingPlan, parse_plan
from tests.edge.driver.builders import StandingClock
from tests.edge.driver.test_pty_line import Cable
from tests.simulation.devices.mbus_slaves import Segment, Slave, segment_on_tcp
from tests.simulation.devices.rtu_pty import checksum

REGISTERS = """
model: nowhere-3000
revision: 1
vendor: Nowhere Meters
products: [N-3000]
resource: electricity
protocol: modbus
timing: {answer_ms: 200, longest_ms: 300, gap_ms: 1}
parameters:
  ct: {default: "1", help_zh: 变比, help_en: ratio}
ranges: [{function: 4, first: 100, last: 110}]
points:
  - id: total
    quantity: energy_forward
    function: 4
    register: 101
    type: u32
    order: CDAB
    scale: "0.1"
    unit: kWh
    kind: cumulative
    billing: true
    multiply_by: [ct]
  - {id: volts, quantity: voltage, function: 4, register: 104, type: u16, scale: "0.01", unit: V, kind: instant}
"""
RECORDS = """
model: nowhere-heat
revision: 1
vendor: Nowhere Meters
products: [H-1]
resource: heat
protocol: mbus
maker: NOW
timing: {answer_ms: 200, longest_ms: 300, gap_ms: 1}
points:
  - {id: heat, quantity: heat_energy, record: energy, unit: GJ, kind: cumulative, billing: true}
"""
REST = """
quality: {captured_frames: to do, error_answers: to do, recovery_tested: to do, value_ranges: to do, clock_drift: to do}
recordings: []
"""


def folder_with(tmp_path: Path, **models: str) -> Catalogue:
    for name, text in models.items():
        path = tmp_path / "profiles" / "made-up" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + REST, encoding="utf-8")
    return load_catalogue(tmp_path / "profiles")


def site(kind: str, address: str, model: str, where: str, points: list[str]) -> SamplingPlan:
    wire = {"wire": "w1", "kind": kind, "address": address, "baud": 115_200, "parity": "none"}
    meter = {
        "meter_id": UUID(int=1),
        "serial": "N1",
        "wire": "w1",
        "profile": model,
        "address": where,
        "resource": "electricity",
        "points": points,
        "parameters": {"ct": "20"} if model == "nowhere-3000" else {},
    }
    return parse_plan({"zone": "Asia/Shanghai", "wires": [wire], "devices": [meter]})


async def read(plan: SamplingPlan, models: Catalogue) -> ReadOutcome:
    check_site(plan.wires, plan.devices, models)
    wires = build_wires(plan.wires, models, StandingClock(), folder=Path(), back_off=BackOff())
    try:
        return await wires["w1"].read(plan.devices[0])
    finally:
        await wires["w1"].close()


def registers_answer(request: bytes) -> list[bytes]:
    image = {101: 0xE240, 102: 0x0001, 104: 23_015}
    start, count = int.from_bytes(request[2:4]), int.from_bytes(request[4:6])
    data = b"".join(image.get(start + n, 0).to_bytes(2) for n in range(count))
    body = request[:2] + bytes([len(data)]) + data
    return [body + checksum(body)]


async def test_a_made_up_register_meter_is_read_from_its_file_alone(tmp_path: Path) -> None:
    models = folder_with(tmp_path, registers=REGISTERS)
    cable = Cable(tmp_path / "port", say=registers_answer)
    cable.plug()

    plan = site("serial", str(cable.link), "nowhere-3000", "9", ["energy_forward", "voltage"])
    outcome = await read(plan, models)
    cable.pull()

    assert {str(point.quantity): point.value_milli for point in outcome.points} == {
        "energy_forward": 123_456 * 100 * 20,
        "voltage": 230_150,
    }
    assert outcome.failures == ()


async def test_a_made_up_mbus_meter_is_read_from_its_file_alone(tmp_path: Path) -> None:
    models = folder_with(tmp_path, records=RECORDS)
    now = (ord("N") - 64) << 10 | (ord("O") - 64) << 5 | (ord("W") - 64)
    identity = bytes.fromhex("01000000") + now.to_bytes(2, "little") + b"\x01\x04"
    segment = Segment([Slave(3, identity, [bytes.fromhex("040f" + "d2040000")])])

    async with segment_on_tcp(segment) as address:
        outcome = await read(site("serial-tcp", address, "nowhere-heat", "3", ["heat_energy"]), models)

    assert outcome.points[0].value_milli == 12_340


def test_a_made_up_model_with_faults_is_refused_with_every_one_of_them_and_its_file(tmp_path: Path) -> None:
    broken = REGISTERS.replace('scale: "0.1"', 'scale: "0"').replace("last: 110", "last: 102").replace("CDAB", "CBDA")

    with pytest.raises(FaultsError) as refused:
        folder_with(tmp_path, broken=broken)

    told = str(refused.value)
    assert all(word in told for word in ("broken.yaml", "points[0].scale", "points[0].order"))


def test_a_meter_on_a_wire_that_cannot_carry_it_is_refused_by_name(tmp_path: Path) -> None:
    models = folder_with(tmp_path, records=RECORDS)
    plan = site("modbus-tcp", "127.0.0.1:502", "nowhere-heat", "3", ["heat_energy"])

    with pytest.raises(FaultsError, match=r"device N1.*mbus does not run over a modbus-tcp wire"):
        check_site(plan.wires, plan.devices, models)
