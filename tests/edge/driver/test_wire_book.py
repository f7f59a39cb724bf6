"""Wires by name: the polled wire answers a trial, an idle one is opened for it, and the last frames are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common.errors import RefusalError
from common.reading.reading import Quantity, Resource
from edge.driver.build import build_wires
from edge.driver.health import BackOff
from edge.driver.outcome import DeviceConfig, Wire, WireConfig, WireKind
from edge.driver.wire_book import FRAMES_A_METER, WireBook
from tests.edge.builders import HandClock, meter
from tests.edge.driver.builders import NOON, StandingClock, catalogue
from tests.simulation.devices.description import Line, Meter, Site
from tests.simulation.devices.house import serve_site

MODEL = "eastron-sdm120"


def device(address: str, number: int = 1) -> DeviceConfig:
    return DeviceConfig(
        meter_id=meter(number),
        serial=f"T{address}",
        wire="w",
        profile=MODEL,
        address=address,
        resource=Resource.ELECTRICITY,
        points=(Quantity.ENERGY_FORWARD,),
    )


def book(folder: Path, in_force: list[str]) -> WireBook:
    def build(config: WireConfig) -> Wire:
        back_off = BackOff(first_s=0.001, most_s=0.002)
        return build_wires([config], catalogue(), HandClock(), folder=folder, back_off=back_off)[config.wire]

    return WireBook(build, HandClock(), lambda: in_force)


@asynccontextmanager
async def line(folder: Path) -> AsyncIterator[WireConfig]:
    site = Site(
        seed=7,
        epoch=NOON.replace(month=1),
        lines=(Line(line="w", kind="modbus-tcp", listen="127.0.0.1:0"),),
        meters=(Meter(serial="T3", model=MODEL, line="w", address="3", start_milli=5_000_000),),
    )
    async with serve_site(site, StandingClock(), folder) as addresses:
        yield WireConfig(wire="w", kind=WireKind.MODBUS_TCP, address=addresses["w"])


async def test_a_wire_that_is_polled_answers_a_trial_and_stays_open(tmp_path: Path) -> None:
    async with line(tmp_path) as config:
        known = book(tmp_path, ["w"])
        wire = known.make(config)
        outcome = await known.read(config, device("3"))
        assert [point.quantity for point in outcome.points] == [Quantity.ENERGY_FORWARD]
        assert wire.stats.answers == 1
        await wire.close()


async def test_an_idle_wire_is_opened_for_a_trial_and_closed_again(tmp_path: Path) -> None:
    async with line(tmp_path) as config:
        known = book(tmp_path, [])
        made = known.make(config)
        assert (await known.read(config, device("3"))).points
        assert made.stats.exchanges == 0


async def test_a_wire_whose_meters_speak_unasked_is_not_opened_for_a_trial(tmp_path: Path) -> None:
    config = WireConfig(wire="w", kind=WireKind.MQTT, address="127.0.0.1:1883")
    with pytest.raises(RefusalError, match="speak unasked"):
        await book(tmp_path, []).read(config, device("3"))


async def test_the_last_frames_of_a_meter_are_kept_the_newest_first_with_what_went_wrong(tmp_path: Path) -> None:
    async with line(tmp_path) as config:
        known = book(tmp_path, [])
        for _ in range(FRAMES_A_METER + 3):
            await known.read(config, device("3"))
        frames = known.frames(meter(1))
        assert len(frames) == FRAMES_A_METER
        assert frames[0].request
        assert frames[0].response
        assert not frames[0].fault
    silent = WireConfig(wire="w", kind=WireKind.MODBUS_TCP, address=config.address)
    await known.read(silent, device("3"))
    assert known.frames(meter(1))[0].fault
    assert known.frames(meter(2)) == ()
