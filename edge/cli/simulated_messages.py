"""Stands in for meters that speak MQTT: each says what its model lets it say, to the broker of its wire.

The message is built from the model's own paths, so it proves nothing about the model. The broker is the site's own or
any other at that address: nothing is retained, so nothing of it stays there.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from fractions import Fraction

import aiomqtt
import msgspec
import structlog

from common.clock import Clock, to_epoch_ms
from common.errors import InvariantError, ensure
from edge.cli.simulated_line import SimulatedMeter
from edge.cli.simulated_values import count_of, register_bytes
from edge.device.model import MessagePlace, Messages
from edge.driver.gate_mqtt import split_address
from edge.driver.message_book import topics_of

SAY_S = 10.0
CONNECT_S_MOST = 5.0
_MICRO = 1_000_000
_ANY_LEVEL = "simulated"
_log = structlog.get_logger()


def message_of(meter: SimulatedMeter, now: datetime) -> tuple[str, bytes]:
    """Return the topic and the JSON that a meter says now."""
    profile, device, messages = meter.profile, meter.device, meter.profile.messages
    if messages is None:
        raise InvariantError(f"model {profile.model} does not speak MQTT; the site check lets no such through")
    said: dict[str, object] = {}
    payload = bytearray()
    for point in profile.points:
        if not isinstance(point.place, MessagePlace):
            continue
        if point.place.path:
            names = {**{name: one.default for name, one in profile.parameters.items()}, **device.parameters}
            path = [step.format_map({**names, "address": device.address}) for step in point.place.path]
            _put(said, path, _number(count_of(device, profile, point, now)))
        else:
            end = point.place.offset + point.size
            payload.extend(bytes(max(0, end - len(payload))))
            payload[point.place.offset : end] = register_bytes(device, profile, point, now)
    _put_envelope(said, messages, device.address, now)
    if messages.payload:
        coded = base64.b64encode(payload).decode() if messages.payload_coding == "base64" else payload.hex()
        _put(said, messages.payload, coded)
    topic = topics_of(device, profile, messages)[0].replace("+", _ANY_LEVEL)
    return topic, msgspec.json.encode(said)


def _put_envelope(said: dict[str, object], messages: Messages, address: str, now: datetime) -> None:
    """Say when, who and which message it is, where the model looks for that."""
    now_ms = to_epoch_ms(now)
    times: dict[str, object] = {"unix_s": now_ms // 1000, "unix_ms": now_ms}
    if messages.time:
        _put(said, messages.time, times.get(messages.time_form, now.isoformat()))
    if messages.key and messages.key != messages.time:
        _put(said, messages.key, f"{address}-{now_ms}")
    if messages.identity:
        _put(said, messages.identity, address)
    if messages.port:
        _put(said, messages.port, messages.port_number)


def _put(said: dict[str, object], path: Sequence[str], value: object) -> None:
    """Put a value at a path of names; a last step of digits is a place in a list."""
    *names, last = path
    level = said
    for name in names[: -1 if last.isdigit() and names else None]:
        inner = level.setdefault(name, {})
        ensure(isinstance(inner, dict), "a model's paths lead through objects")
        level = inner if isinstance(inner, dict) else {}
    if last.isdigit() and names:
        held = level.setdefault(names[-1], [])
        if isinstance(held, list):
            held.extend([0] * (int(last) + 1 - len(held)))
            held[int(last)] = value
    else:
        level[last] = value


def _number(value: Fraction) -> float:
    return round(value * _MICRO) / _MICRO


@asynccontextmanager
async def speaking(address: str, meters: Sequence[SimulatedMeter], clock: Clock) -> AsyncIterator[str]:
    """Let the meters speak every few seconds until left, whenever a broker answers; yields its address."""
    ended = asyncio.Event()  # the MQTT client may swallow a cancellation that comes while it disconnects
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_keep_saying(address, meters, clock, ended))
        try:
            yield address
        finally:
            ended.set()
            task.cancel()


async def _keep_saying(address: str, meters: Sequence[SimulatedMeter], clock: Clock, ended: asyncio.Event) -> None:
    away = False
    while not ended.is_set():
        try:
            await _say(address, meters, clock)
            away = False
        except (aiomqtt.MqttError, TimeoutError) as problem:
            if not away:
                _log.warning("no_broker_answers", address=address, reason=str(problem))
            away = True
        with suppress(TimeoutError):
            async with asyncio.timeout(SAY_S):
                await ended.wait()


async def _say(address: str, meters: Sequence[SimulatedMeter], clock: Clock) -> None:
    host, port = split_address(address)
    async with asyncio.timeout(CONNECT_S_MOST), aiomqtt.Client(host, port) as client:
        for meter in meters:
            topic, message = message_of(meter, clock.now())
            await client.publish(topic, message, qos=1)
