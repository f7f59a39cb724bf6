"""Sub-meters that publish to a broker: plugs with Tasmota and radio water meters behind ChirpStack v4.

Each says what its dial shows every `answer_ms` milliseconds of machine time, whether anybody listens or not. The log
holds each message with the values that a right reader must get from it.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiomqtt

from tests.simulation.devices.description import Line
from tests.simulation.devices.dial import Dial, ExchangeLog, Look

PERIOD_S_LEAST = 0.05
Message = tuple[str, bytes, dict[str, int]]


def message(dial: Dial, look: Look, number: int) -> Message:
    """Return topic, payload and values of a meter's next message."""
    if dial.meter.model == "tasmota-energy":
        return _plug(dial.meter.address, look)
    return _uplink(dial.meter.address, look, number)


def _plug(name: str, look: Look) -> Message:
    energy, power = look.shown["energy_forward"] // 1000 * 1000, look.shown["power"]
    content = {
        "Time": look.at.replace(tzinfo=None).isoformat(timespec="microseconds"),
        "ENERGY": {"Total": energy // 1000, "Power": power},
    }
    return f"tele/{name}/SENSOR", json.dumps(content).encode(), {"energy_forward": energy, "power": power}


def _uplink(dev_eui: str, look: Look, number: int) -> Message:
    litres = look.shown["volume"]
    content = {
        "deduplicationId": f"{dev_eui}-{number}",
        "time": look.at.isoformat(),
        "deviceInfo": {"devEui": dev_eui, "applicationId": "a1"},
        "fCnt": number,
        "fPort": 1,
        "data": base64.b64encode(litres.to_bytes(4, "little")).decode(),
    }
    topic = f"application/a1/device/{dev_eui}/event/up"
    return topic, json.dumps(content).encode(), {"volume": litres}


@asynccontextmanager
async def mqtt_line(line: Line, dials: Sequence[Dial], log: ExchangeLog) -> AsyncIterator[str]:
    """Let the meters of a line speak to the broker at its address; yields that address."""
    host, _, port = line.listen.rpartition(":")
    async with aiomqtt.Client(host, int(port)) as client, asyncio.TaskGroup() as tasks:
        speaking = tasks.create_task(_speak(client, line, dials, log))
        yield line.listen
        speaking.cancel()


async def _speak(client: aiomqtt.Client, line: Line, dials: Sequence[Dial], log: ExchangeLog) -> None:
    number = 0
    while True:
        number += 1
        for dial in dials:
            look = dial.look()
            if look.fault("dead"):
                continue
            topic, payload, values = message(dial, look, number)
            copies = 2 if look.fault("doubled") else 1
            for _ in range(copies):
                await client.publish(topic, payload, qos=1)
            at = look.at.isoformat()
            log.write(
                line=line.line, meter=dial.meter.serial, at=at, values=values, topic=topic, response=payload.hex()
            )
        await asyncio.sleep(max(line.answer_ms / 1000, PERIOD_S_LEAST))
