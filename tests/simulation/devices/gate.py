"""Plate cameras and barriers over MQTT: visits become published records, open commands are obeyed, answered, logged."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import aiomqtt

from common.clock import Clock
from tests.simulation.devices.description import Gate, Visit
from tests.simulation.devices.dial import ExchangeLog

_LOOK_S = 0.02
_RETRY_S = 0.5
_LOCAL = timezone(timedelta(hours=8))
_OK = 200
_SHOW = 0x3F


class GateSimulation:
    """The cameras and barriers behind one broker."""

    def __init__(self, gate: Gate, clock: Clock, log: ExchangeLog) -> None:
        self._gate = gate
        self._clock = clock
        self._log = log
        started = clock.now()
        self._waiting = sorted((v for v in gate.visits if v.at >= started), key=lambda visit: visit.at)

    async def run(self) -> None:
        """Live until cancelled; a broker that goes away is met again."""
        host, _, port = self._gate.broker.rpartition(":")
        while True:
            try:
                async with aiomqtt.Client(host, int(port), keepalive=10) as client, asyncio.TaskGroup() as tasks:
                    for serial in (*self._gate.cameras, *self._gate.barriers):
                        await client.subscribe(f"device/{serial}/message/down/gpio_out", qos=1)
                        await client.subscribe(f"device/{serial}/message/down/serial_data", qos=0)
                    tasks.create_task(self._obey(client))
                    tasks.create_task(self._drive(client))
            except* aiomqtt.MqttError:
                await asyncio.sleep(_RETRY_S)

    async def _drive(self, client: aiomqtt.Client) -> None:
        """Publish each visit when its time has come."""
        while True:
            now = self._clock.now()
            while self._waiting and self._waiting[0].at <= now:
                visit = self._waiting[0]
                payload = plate_record(visit)
                for _ in range(visit.repeat):
                    await client.publish(f"device/{visit.camera}/message/up/ivs_result", payload, qos=1)
                self._waiting.pop(0)
                self._log.write(
                    kind="plate", camera=visit.camera, plate=visit.plate, at=visit.at.isoformat(), repeat=visit.repeat
                )
            await asyncio.sleep(_LOOK_S)

    async def _obey(self, client: aiomqtt.Client) -> None:
        """Acknowledge open commands; the log is the proof that the bar moved."""
        async for message in client.messages:
            command = json.loads(message.payload)
            serial = str(message.topic).split("/")[1]
            if command["name"] == "serial_data":
                self._show(serial, command["payload"]["body"]["serialData"])
                continue
            body = command["payload"]["body"]
            opens = body["io"] == 0 and body["value"] == 2
            reply = {"id": command["id"], "sn": serial, "name": "gpio_out", "version": "1.0", "code": _OK}
            await client.publish(f"{message.topic}/reply", json.dumps(reply).encode(), qos=1)
            self._log.write(
                kind="open" if opens else "other",
                barrier=serial,
                command=command["id"],
                at=self._clock.now().isoformat(),
            )

    def _show(self, camera: str, frames: Sequence[dict[str, Any]]) -> None:
        """Log what a board of the 64 family behind the camera shows and says, read from its bytes."""
        for frame in frames:
            data = base64.b64decode(frame["data"])
            start = 10 if data[4] == _SHOW else 7
            text = data[start : 6 + data[5]].decode("gbk")
            self._log.write(kind="board", camera=camera, text=text, at=self._clock.now().isoformat())


def plate_record(visit: Visit) -> bytes:
    """Return the camera's JSON for a visit, in the shape of the maker's MQTT document."""
    seconds = int(visit.at.timestamp())
    local = datetime.fromtimestamp(seconds, _LOCAL)
    result = {
        "license": base64.b64encode((visit.plate or "_无_").encode()).decode(),
        "plateid": visit.number,
        "confidence": 96 if visit.plate else 0,
        "colorType": visit.colour,
        "direction": 4,
        "isoffline": int(visit.stored_offline),
        "is_fake_plate": 0,
        "triggerType": 1,
        "type": 1 if visit.plate else 31,
        "timeStamp": {
            "Timeval": {
                "sec": seconds,
                "usec": 0,
                "decyear": local.year,
                "decmon": local.month,
                "decday": local.day,
                "dechour": local.hour,
                "decmin": local.minute,
                "decsec": local.second,
            }
        },
    }
    report = {"channel": 0, "deviceName": "sim", "result": {"PlateResult": result}, "serialno": visit.camera}
    envelope = {
        "id": f"{visit.camera}-{visit.number}",
        "sn": visit.camera,
        "name": "ivs_result",
        "version": "1.0",
        "timestamp": seconds,
        "payload": {"AlarmInfoPlate": report},
    }
    return json.dumps(envelope, ensure_ascii=False).encode()
