"""All devices of a simulated site, served in one task group until cancelled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from common.clock import Clock
from tests.simulation.devices.converter import converter_line
from tests.simulation.devices.description import Faults, Line, Site
from tests.simulation.devices.dial import Dial, ExchangeLog
from tests.simulation.devices.gate import GateSimulation
from tests.simulation.devices.loads import Load
from tests.simulation.devices.mbus_line import mbus_line
from tests.simulation.devices.modbus_tcp import modbus_tcp_line
from tests.simulation.devices.mqtt_line import mqtt_line
from tests.simulation.devices.rtu_pty import rtu_line

ADDRESSES = "addresses.json"
_LINES = {
    "modbus-tcp": modbus_tcp_line,
    "serial-tcp": converter_line,
    "modbus-rtu-pty": rtu_line,
    "mbus-tcp": mbus_line,
    "mqtt": mqtt_line,
}


@asynccontextmanager
async def serve_site(
    site: Site, clock: Clock, folder: Path, control: Path | None = None
) -> AsyncIterator[dict[str, str]]:
    """Serve a site; yields the address of each line and writes them to `addresses.json` when all are up.

    `folder` exists already; it takes the exchange logs. `control` names the file that switches further faults on.
    """
    faults = Faults(described=site.faults, control=control)
    async with AsyncExitStack() as stack:
        addresses = {}
        for line in site.lines:
            log = ExchangeLog(folder, line.line)
            stack.callback(log.close)
            dials = _dials(site, line, clock, faults)
            addresses[line.line] = await stack.enter_async_context(_LINES[line.kind](line, dials, log))
        gate_log = ExchangeLog(folder, "gate")
        stack.callback(gate_log.close)  # after the gates that write it have ended, so it is hung up before them
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running = [tasks.create_task(GateSimulation(gate, clock, gate_log).run()) for gate in site.gates]
        await asyncio.to_thread((folder / ADDRESSES).write_text, json.dumps(addresses), encoding="utf-8")
        yield addresses
        for task in running:
            task.cancel()


def _dials(site: Site, line: Line, clock: Clock, faults: Faults) -> list[Dial]:
    return [
        Dial(
            meter,
            line,
            Load(
                seed=site.seed,
                serial=meter.serial,
                epoch=site.epoch,
                start_milli=meter.start_milli,
                daily_milli=meter.daily_milli,
                shape=meter.shape,
            ),
            clock,
            faults,
        )
        for meter in site.meters
        if meter.line == line.line
    ]
