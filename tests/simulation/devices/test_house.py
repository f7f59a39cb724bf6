"""The gateway's drivers against the simulated site over real wires: what is read is what the devices logged."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.errors import RefusalError
from common.reading.reading import Quantity
from edge.driver.build import build_wires
from edge.driver.health import BackOff
from edge.driver.outcome import DeviceConfig, ReadOutcome, Wire, WireConfig, WireKind
from tests.edge.driver.builders import NOON, StandingClock, catalogue, device, wire_config
from tests.simulation.conductor import Conductor
from tests.simulation.devices.description import FaultEntry, Line, Meter, Site, load_faults, load_site
from tests.simulation.devices.house import ADDRESSES, serve_site
from tests.simulation.processes import Process, wait_until

EPOCH = NOON.replace(month=1, day=1, hour=16) - timedelta(days=1)
METERS = (
    Meter(serial="T1", model="eastron-sdm120", line="tcp", address="1", start_milli=7_654_320),
    Meter(serial="T2", model="schneider-iem3155", line="tcp", address="2"),
    Meter(serial="R1", model="chint-ddsu666", line="rtu", address="1", start_milli=12_345_670),
    Meter(serial="R2", model="acrel-dtsd1352", line="rtu", address="2"),
    Meter(serial="E1", model="dlt645-2007-single-phase", line="bus", address="000000000161", start_milli=99_999_990),
    Meter(serial="W1", model="cjt188-water", line="bus", address="00000805000001", daily_milli=400),
    Meter(serial="W2", model="cjt188-water-low-first", line="bus", address="78330007061326", daily_milli=300),
    Meter(serial="H1", model="kamstrup-multical-601", line="mbus", address="5", start_milli=4_321_000),
    Meter(serial="W3", model="itron-bm-plus-m", line="mbus", address="6", daily_milli=300),
)
KINDS = {
    "tcp": WireKind.MODBUS_TCP,
    "rtu": WireKind.SERIAL,
    "bus": WireKind.SERIAL_TCP,
    "mbus": WireKind.SERIAL_TCP,
}
POINTS = {"W": Quantity.VOLUME, "H": Quantity.HEAT_ENERGY}


def house(folder: Path, *faults: FaultEntry) -> Site:
    return Site(
        seed=5,
        epoch=EPOCH,
        lines=(
            Line(line="tcp", kind="modbus-tcp", listen="127.0.0.1:0"),
            Line(line="rtu", kind="modbus-rtu-pty", link=str(folder / "rtu.tty")),
            Line(line="bus", kind="serial-tcp", listen="127.0.0.1:0"),
            Line(line="mbus", kind="mbus-tcp", listen="127.0.0.1:0"),
        ),
        meters=METERS,
        faults=faults,
    )


def gateway_device(number: int, meter: Meter) -> DeviceConfig:
    point = POINTS.get(meter.serial[0], Quantity.ENERGY_FORWARD)
    return device(number, meter.model, meter.address, point, wire=meter.line, serial=meter.serial)


def gateway_wires(addresses: Mapping[str, str], clock: StandingClock, folder: Path) -> Mapping[str, Wire]:
    configs: Sequence[WireConfig] = [
        wire_config(KINDS[line], address, wire=line, parity="none", baud=115_200) for line, address in addresses.items()
    ]
    return build_wires(configs, catalogue(), clock, folder=folder, back_off=BackOff(first_s=0.01, most_s=0.01))


async def read_all(wires: Mapping[str, Wire]) -> list[ReadOutcome]:
    return [await wires[meter.line].read(gateway_device(n, meter)) for n, meter in enumerate(METERS, start=1)]


def logged(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the exchange log entries of each meter in order."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("exchanges-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            entries.setdefault(entry["meter"], []).append(entry)
    return entries


async def close_all(wires: Mapping[str, Wire]) -> None:
    for wire in wires.values():
        await wire.close()


async def test_every_protocol_reads_what_its_meter_logged(tmp_path: Path) -> None:
    clock = StandingClock(EPOCH + timedelta(days=33, hours=9))
    async with serve_site(house(tmp_path), clock, tmp_path) as addresses:
        wires = gateway_wires(addresses, clock, tmp_path)
        outcomes = [*await read_all(wires)]
        clock.at += timedelta(days=1)
        outcomes += await read_all(wires)
        await close_all(wires)

    log = logged(tmp_path)
    for n, outcome in enumerate(outcomes):
        meter, (point,) = METERS[n % len(METERS)], outcome.points
        entry = log[meter.serial][n // len(METERS)]
        assert point.value_milli == entry["values"][point.quantity], meter.serial
        assert outcome.response.hex().lstrip("fe") == entry["response"].lstrip("fe"), meter.serial


FAULTS = {
    "late within the time-out": FaultEntry(kind="late", line="bus", ms=60),
    "split": FaultEntry(kind="split", line="rtu"),
    "noise": FaultEntry(kind="noise", line="bus"),
    "doubled": FaultEntry(kind="doubled", line="rtu"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_bad_line_costs_time_and_no_value(tmp_path: Path, name: str) -> None:
    clock = StandingClock()
    async with serve_site(house(tmp_path, FAULTS[name]), clock, tmp_path) as addresses:
        wires = gateway_wires(addresses, clock, tmp_path)
        outcomes = await read_all(wires)
        await close_all(wires)

    assert [len(outcome.points) for outcome in outcomes] == [1] * len(METERS)


@pytest.mark.timeout(60)  # the line waits as long as real meters may take, twice
@pytest.mark.parametrize("kind", ["dead", "truncated", "bad_checksum", "refuse"])
async def test_a_meter_that_gives_nothing_sound_gives_a_failure(tmp_path: Path, kind: str) -> None:
    clock = StandingClock()
    serials = ("R1", "E1", "H1")
    faults = tuple(FaultEntry(kind=kind, serial=serial, until=NOON + timedelta(days=2)) for serial in serials)
    async with serve_site(house(tmp_path, *faults), clock, tmp_path) as addresses:
        wires = gateway_wires(addresses, clock, tmp_path)
        during = dict(zip((meter.serial for meter in METERS), await read_all(wires), strict=True))
        clock.at += timedelta(days=2)
        after = await read_all(wires)
        await close_all(wires)

    assert [bool(during[meter.serial].points) for meter in METERS] == [m.serial not in serials for m in METERS]
    assert all(outcome.points for outcome in after)


async def test_the_control_file_switches_faults_on_and_off(tmp_path: Path) -> None:
    clock, control = StandingClock(), tmp_path / "faults.yaml"
    async with AsyncExitStack() as stack:
        addresses = await stack.enter_async_context(serve_site(house(tmp_path), clock, tmp_path, control))
        wires = gateway_wires(addresses, clock, tmp_path)
        wanted = gateway_device(1, METERS[0])
        values = [(await wires["tcp"].read(wanted)).points[0].value_milli]
        for text in ("faults: [{kind: offset, serial: T1, milli: 5000000}]", "faults: []"):
            await asyncio.to_thread(control.write_text, text, encoding="utf-8")
            values.append((await wires["tcp"].read(wanted)).points[0].value_milli)
        await close_all(wires)

    assert abs(values[1] - values[0] - 5_000_000) <= 10
    assert values[2] == values[0]


def test_the_house_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    described = {
        "seed": 5,
        "epoch": EPOCH.isoformat(),
        "lines": [{"line": "bus", "kind": "serial-tcp", "listen": "127.0.0.1:0"}],
        "meters": [{"serial": "W1", "model": "cjt188-water", "line": "bus", "address": "00000805000001"}],
    }
    site.write_text(yaml.safe_dump(described), encoding="utf-8")
    Conductor(tmp_path / "clock", NOON)
    command = [sys.executable, "-m", "tests.simulation.devices", "--site", str(site)]
    command += ["--clock", str(tmp_path / "clock"), "--log", str(tmp_path / "log")]
    process = Process(name="devices", command=command, log=tmp_path / "devices.log")
    process.start()
    try:
        wait_until((tmp_path / "log" / ADDRESSES).exists, what="the devices", seconds=15, watched=[process])
        outcome = asyncio.run(_read_water(json.loads((tmp_path / "log" / ADDRESSES).read_text(encoding="utf-8"))))
    finally:
        process.stop()

    entry = logged(tmp_path / "log")["W1"][0]
    assert outcome.points[0].value_milli == entry["values"]["volume"]
    assert entry["at"].startswith(NOON.isoformat()[:19])
    assert process.popen is not None
    assert process.popen.returncode in {0, -signal.SIGTERM}


async def _read_water(addresses: Mapping[str, str]) -> ReadOutcome:
    wires = gateway_wires(addresses, StandingClock(), Path())
    wanted = device(1, "cjt188-water", "00000805000001", Quantity.VOLUME, wire="bus", serial="W1")
    outcome = await wires["bus"].read(wanted)
    await close_all(wires)
    return outcome


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("seed: [", "expected"),
        ("seed: 1", "epoch"),
        ("{seed: 1, epoch: '2026-01-01T00:00:00Z', linez: []}", "linez"),
        ("{seed: 1, epoch: '2026-01-01T00:00:00Z', meters: [{serial: a, model: b, line: c, address: '1'}]}", "unknown"),
        ("{seed: 1, epoch: '2026-01-01T00:00:00Z', faults: [{kind: sleepy}]}", "sleepy"),
    ],
)
def test_a_broken_description_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(RefusalError, match=what):
        load_site(path)


def test_a_broken_control_file_is_refused_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"

    assert load_faults(path) == ()
    path.write_text("faults: 7", encoding="utf-8")
    with pytest.raises(RefusalError, match="faults"):
        load_faults(path)
