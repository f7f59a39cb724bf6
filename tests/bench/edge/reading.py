"""What a read costs the gateway: question, answer judged byte by byte, values decoded and held against the last ones.

    python -m tests.bench.edge.reading PROFILES FIRST_PORT PERIOD_MS

Its own wires (`edge.driver`), the same farm and pace as `framing`; nothing is watched, stored, sealed or sent. This is
the bar "CPU of a read against bare asyncio framing".
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from edge.clock import SystemClock
from edge.device.catalogue import Catalogue, load_catalogue
from edge.driver.build import build_wires
from edge.driver.health import BackOff
from edge.driver.outcome import DeviceConfig, WireConfig, WireKind
from tests.bench.edge.farm import PORTS, REGISTERS, UNITS

MODEL = "counting"


async def read_port(catalogue: Catalogue, port: int, period_s: float) -> None:
    """Read every meter of a port once a period, for good."""
    name = f"tcp{port}"
    config = WireConfig(wire=name, kind=WireKind.MODBUS_TCP, address=f"127.0.0.1:{port}")
    wire = build_wires([config], catalogue, SystemClock(), folder=Path(), back_off=BackOff())[name]
    points = tuple(point.quantity for point in catalogue.profile(MODEL).points)
    meters = [_meter(name, port, unit, points) for unit in range(1, UNITS + 1)]
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        for meter in meters:
            outcome = await wire.read(meter)
            if len(outcome.points) != REGISTERS:
                raise ValueError(f"{meter.serial}: {outcome.failures}")
        due += period_s
        await asyncio.sleep(max(0.0, due - loop.time()))


def _meter(wire: str, port: int, unit: int, points: tuple[Quantity, ...]) -> DeviceConfig:
    return DeviceConfig(
        meter_id=MeterId(UUID(int=port << 8 | unit)),
        serial=f"{wire}/{unit}",
        wire=wire,
        profile=MODEL,
        address=str(unit),
        resource=Resource.ELECTRICITY,
        points=points,
    )


async def main(profiles: Path, first_port: int, period_s: float) -> None:
    """Read all ports."""
    catalogue = load_catalogue(profiles)
    async with asyncio.TaskGroup() as group:
        for n in range(PORTS):
            group.create_task(read_port(catalogue, first_port + n, period_s))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1000))
