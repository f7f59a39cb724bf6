"""The probe finds who answers, at which speed, with which values, and says plainly when nobody does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from common.errors import RefusalError
from edge.cli.main import main
from edge.cli.probe import ANY_METER, Found, Search, addresses_of, described, probe
from edge.driver.outcome import WireKind
from tests.edge.driver.builders import NOON, StandingClock, catalogue
from tests.simulation.devices.description import Line, Meter, Site
from tests.simulation.devices.house import serve_site

MODEL = "eastron-sdm120"


def site(kind: str, *addresses: str, link: str = "") -> Site:
    return Site(
        seed=7,
        epoch=NOON.replace(month=1),
        lines=(Line(line="w", kind=kind, listen="127.0.0.1:0", link=link),),
        meters=tuple(
            Meter(serial=f"T{address}", model=MODEL, line="w", address=address, start_milli=5_000_000)
            for address in addresses
        ),
    )


def search(kind: WireKind, line: str, **changes: object) -> Search:
    facts: dict[str, object] = {
        "kind": kind,
        "line": line,
        "model": MODEL,
        "addresses": "1-4",
        "speeds": (),
        "parity": None,
        "echo": False,
        "again": False,
    }
    return Search(**(facts | changes))  # type: ignore[arg-type]


async def found_by(wanted: Search, folder: Path) -> list[Found]:
    return [found async for found in probe(wanted, catalogue(), StandingClock(), folder)]


async def test_the_meters_behind_a_port_are_found_with_their_values(tmp_path: Path) -> None:
    async with serve_site(site("modbus-tcp", "2", "3"), StandingClock(), tmp_path) as lines:
        found = await found_by(search(WireKind.MODBUS_TCP, lines["w"]), tmp_path)
        shown = await asyncio.to_thread(
            main,
            [
                "probe",
                lines["w"],
                "--over",
                "modbus-tcp",
                "--model",
                MODEL,
                "--addresses",
                "2",
                "--home",
                str(tmp_path),
            ],
        )
    assert [one.address for one in found] == ["2", "3"]
    text = described(found[0], catalogue().profile(MODEL))
    assert "energy_forward" in text
    assert "kWh" in text
    assert shown == 0


async def test_a_serial_meter_is_found_at_a_speed_and_the_second_opinion_agrees(tmp_path: Path) -> None:
    async with serve_site(site("modbus-rtu-pty", "7", link=str(tmp_path / "tty")), StandingClock(), tmp_path) as lines:
        wanted = search(WireKind.SERIAL, lines["w"], addresses="7", speeds=(2400, 9600), again=True)
        found = await found_by(wanted, tmp_path)
    assert [(one.wire.baud, one.address) for one in found] == [(2400, "7"), (9600, "7")]
    assert [one.doubts for one in found] == [(), ()]
    assert "9600 baud, parity none" in described(found[1], catalogue().profile(MODEL))


async def test_nobody_is_said_to_be_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with serve_site(site("modbus-tcp", "9"), StandingClock(), tmp_path) as lines:
        words = ["probe", lines["w"], "--over", "modbus-tcp", "--model", MODEL, "--addresses", "1"]
        assert await asyncio.to_thread(main, [*words, "--home", str(tmp_path)]) == 1
    assert "nobody answered" in capsys.readouterr().out


async def test_a_line_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="no-such-tty"):
        await found_by(search(WireKind.SERIAL, str(tmp_path / "no-such-tty"), addresses="1"), tmp_path)


def test_addresses_are_lists_ranges_and_what_the_protocol_asks_by_itself() -> None:
    modbus, dlt = catalogue().profile(MODEL), catalogue().profile("dlt645-2007-single-phase")
    assert addresses_of("1-3,40", modbus) == ["1", "2", "3", "40"]
    assert len(addresses_of("", modbus)) == 32
    assert addresses_of("", dlt) == [ANY_METER]
    for text, profile in (("0", modbus), ("1-999", modbus), ("12", dlt), ("abc", modbus)):
        with pytest.raises(RefusalError):
            addresses_of(text, profile)


def test_a_speed_that_is_no_number_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "x", "--model", MODEL, "--speeds", "fast", "--home", str(tmp_path)]) == 1
    assert "2400,9600" in capsys.readouterr().err
