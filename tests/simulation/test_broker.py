"""The broker of demo and tests comes up on a free loopback port, carries a message, and goes when told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiomqtt
import pytest

from tests.simulation.broker import mosquitto_program, start_broker


async def _round_trip(address: str) -> bytes:
    host, _, port = address.partition(":")
    async with asyncio.timeout(10), aiomqtt.Client(host, int(port)) as client:
        await client.subscribe("device/+/message", qos=1)
        await client.publish("device/7/message", b"\x00hello", qos=1)
        async for message in client.messages:
            return bytes(message.payload)
    return b""


@pytest.mark.parametrize("program", [None, mosquitto_program()], ids=["amqtt", "the installed one"])
async def test_the_broker_carries_a_message_and_goes_when_told(tmp_path: Path, program: str | None) -> None:
    process, address = await asyncio.to_thread(start_broker, tmp_path, program=program)
    try:
        assert await _round_trip(address) == b"\x00hello"
    finally:
        await asyncio.to_thread(process.stop)

    assert not process.running
