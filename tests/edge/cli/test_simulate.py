"""A simulated site over real sockets and pseudo-terminals: the probe finds every meter that its file names."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.errors import FaultsError, RefusalError
from common.reading.reading import Quantity
from edge.cli.main import main
from edge.cli.probe import Found, Search, probe
from edge.cli.simulate import described, read_site, standing_in
from edge.driver.outcome import WireKind
from tests.edge.driver.builders import StandingClock, catalogue

WIRES: list[dict[str, Any]] = [
    {"wire": "stairs", "kind": "serial", "address": "/dev/ttyUSB0", "baud": 9600},
    {"wire": "cellar", "kind": "serial-tcp", "address": "10.0.0.5:0"},
    {"wire": "roof", "kind": "modbus-tcp", "address": "10.0.0.6:0"},
    {"wire": "radio", "kind": "mqtt", "address": "10.0.0.7:1"},
    {"wire": "porch", "kind": "pulse", "address": "/dev/gpiochip0"},
]
DEVICES: list[dict[str, Any]] = [
    {"wire": "stairs", "profile": "eastron-sdm120", "address": "1"},
    {"wire": "stairs", "profile": "dlt645-2007-single-phase", "address": "000000000012", "serial": "E12"},
    {"wire": "cellar", "profile": "cjt188-water", "address": "00000000000034"},
    {"wire": "cellar", "profile": "kamstrup-multical-601", "address": "7"},
    {"wire": "cellar", "profile": "engelmann-waterstar", "address": "46290718"},
    {"wire": "roof", "profile": "acrel-dtsd1352", "address": "3", "parameters": {"ct": "20"}},
    {"wire": "radio", "profile": "tasmota-energy", "address": "plug-1"},
]


def site_file(folder: Path, **changes: object) -> Path:
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump({"zone": "Asia/Shanghai", "wires": WIRES, "devices": DEVICES} | changes))
    return path


async def values_of(kind: WireKind, line: str, device: Mapping[str, Any], folder: Path) -> Found:
    search = Search(
        kind=kind,
        line=line,
        model=device["profile"],
        addresses=device["address"],
        speeds=(),
        parity="none",
        echo=False,
        again=False,
    )
    (found,) = [one async for one in probe(search, catalogue(), StandingClock(), folder)]
    return found


def forward(found: Found) -> int:
    return next(point.value_milli for point in found.outcome.points if point.quantity is Quantity.ENERGY_FORWARD)


async def test_the_probe_finds_every_meter_of_the_file_whole(tmp_path: Path) -> None:
    stand_ins = read_site(site_file(tmp_path), catalogue(), tmp_path)
    kinds = {one["wire"]: WireKind(one["kind"]) for one in WIRES}

    async with standing_in(stand_ins, StandingClock()) as reached:
        assert set(reached) == {"stairs", "cellar", "roof", "radio"}
        for device in DEVICES[:-1]:
            found = await values_of(kinds[device["wire"]], reached[device["wire"]], device, tmp_path)
            profile = catalogue().profile(device["profile"])
            assert not found.outcome.failures, found.outcome.failures
            assert {point.quantity for point in found.outcome.points} == {point.quantity for point in profile.points}
            assert all(point.value_milli > 0 for point in found.outcome.points)
    assert not (tmp_path / "stairs").is_symlink()


async def test_counters_run_forward_and_two_meters_differ(tmp_path: Path) -> None:
    devices = [DEVICES[5] | {"address": unit, "parameters": {}} for unit in ("3", "4")]
    stand_ins = read_site(site_file(tmp_path, devices=devices), catalogue(), tmp_path)
    clock = StandingClock()

    async with standing_in(stand_ins, clock) as reached:
        first = [await values_of(WireKind.MODBUS_TCP, reached["roof"], one, tmp_path) for one in devices]
        clock.at += timedelta(hours=10)
        later = [await values_of(WireKind.MODBUS_TCP, reached["roof"], one, tmp_path) for one in devices]

    energy = [[forward(one) for one in found] for found in (first, later)]
    assert energy[0][0] != energy[0][1]
    assert [after - before for before, after in zip(*energy, strict=True)] == [6_000, 6_000]


async def test_who_is_not_in_the_file_is_silent(tmp_path: Path) -> None:
    stand_ins = read_site(site_file(tmp_path), catalogue(), tmp_path)
    stranger = DEVICES[0] | {"address": "2"}

    async with standing_in(stand_ins, StandingClock()) as reached:
        with pytest.raises(ValueError, match="not enough values"):
            await values_of(WireKind.SERIAL, reached["stairs"], stranger, tmp_path)


async def test_a_torn_stream_ends_nothing_for_the_next_master(tmp_path: Path) -> None:
    stand_ins = read_site(site_file(tmp_path), catalogue(), tmp_path)

    async with standing_in(stand_ins, StandingClock()) as reached, asyncio.timeout(10):
        host, port = reached["roof"].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(bytes.fromhex("000100000000") + b"\xff" * 40 + bytes.fromhex("0001"))
        writer.close()
        del reader
        found = await values_of(WireKind.MODBUS_TCP, reached["roof"], DEVICES[5], tmp_path)
        assert not found.outcome.failures


def test_what_cannot_stand_in_is_named_and_the_rest_is_listed(tmp_path: Path) -> None:
    stand_ins = read_site(site_file(tmp_path), catalogue(), tmp_path)

    text = described(
        stand_ins, {"stairs": "/x/stairs", "cellar": "127.0.0.1:7", "roof": "127.0.0.1:8", "radio": "127.0.0.1:1"}
    )

    assert "a pseudo-terminal has no parity" in text
    assert "wire radio: 1 meters at 127.0.0.1:1\n  tasmota-energy plug-1 speaks every 10 s" in text
    assert "wire porch: not served, nothing stands in for what is behind pulse" in text
    assert "probe 127.0.0.1:8 --over modbus-tcp --model acrel-dtsd1352 --addresses 3" in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"profile": "no-such-model"}, "no device model is called"),
        ({"address": "300"}, "not a unit id"),
        ({"wire": "attic"}, "wire 'attic' is unknown"),
        ({"parameters": {"wheels": "4"}}, "no parameter 'wheels'"),
        ({"profile": "cjt188-water", "address": "00000000000034", "wire": "roof"}, "not spoken on modbus-tcp"),
    ],
)
def test_a_device_with_a_fault_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    broken = site_file(tmp_path, devices=[DEVICES[0] | {"serial": "S-9"} | change])

    with pytest.raises(FaultsError, match=says) as refused:
        read_site(broken, catalogue(), tmp_path)

    assert refused.value.faults[0].where == "device S-9"


@pytest.mark.parametrize("content", ["[1, 2]", "wires: 5\ndevices: []", "a: [", "\x00"])
def test_a_file_that_is_no_site_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(content)

    with pytest.raises(RefusalError, match=r"site\.yaml"):
        read_site(path, catalogue(), tmp_path)


async def test_a_port_in_use_and_a_real_device_are_left_alone(tmp_path: Path) -> None:
    real = tmp_path / "ttyS0"
    real.write_text("a device")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = [{"wire": "roof", "kind": "modbus-tcp", "address": f"127.0.0.1:{taken.getsockname()[1]}"}]
        serial = [{"wire": "stairs", "kind": "serial", "address": str(real)}]
        for wires, says in ((port, "cannot be served"), (serial, "is there already")):
            stand_ins = read_site(site_file(tmp_path, wires=wires, devices=[]), catalogue())
            with pytest.raises(RefusalError, match=says):
                async with standing_in(stand_ins, StandingClock()):
                    pytest.fail("it stands in")
    assert real.read_text() == "a device"


async def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    words = ["-m", "edge", "simulate", str(site_file(tmp_path)), "--here", str(tmp_path), "--home", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE, env={"PATH": os.defpath}
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while b"Ctrl-C" not in await process.stdout.readline():
            pass
        found = await values_of(WireKind.SERIAL, str(tmp_path / "stairs"), DEVICES[0], tmp_path)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert found.outcome.points


def test_a_site_with_a_fault_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = site_file(tmp_path, devices=[DEVICES[0] | {"address": "0"}])

    assert main(["simulate", str(broken), "--home", str(tmp_path)]) == 1
    assert "not a unit id" in capsys.readouterr().err
