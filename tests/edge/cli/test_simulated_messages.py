"""Simulated meters that speak MQTT: the gateway's own book understands every model's message; a real broker."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import aiomqtt
import pytest

from common.ids import MeterId
from common.reading.reading import Resource
from edge.cli.simulated_line import SimulatedMeter
from edge.cli.simulated_messages import message_of, speaking
from edge.cli.simulated_values import value_of
from edge.device.model import Profile
from edge.driver.message_book import Heard, MessageBook, topics_of
from edge.driver.outcome import DeviceConfig, WireStats
from tests.edge.builders import meter
from tests.edge.driver.builders import StandingClock, catalogue
from tests.simulation.broker import mosquitto_program, start_broker

MODELS = sorted(profile.model for profile in catalogue().profiles.values() if profile.messages is not None)


def described(profile: Profile) -> DeviceConfig:
    return DeviceConfig(
        meter_id=MeterId(meter(1)),
        serial="S1",
        wire="radio",
        profile=profile.model,
        address="0101010101010101",
        resource=Resource(profile.resource),
        points=tuple(dict.fromkeys(point.quantity for point in profile.points)),
    )


@pytest.mark.parametrize("model", MODELS)
def test_the_gateway_hears_every_point_of_every_model(model: str) -> None:
    profile, clock, stats = catalogue().profile(model), StandingClock(), WireStats()
    device = described(profile)
    book = MessageBook(stats)
    book.add(device, profile)
    for _ in range(2):
        clock.at += timedelta(minutes=30)
        topic, payload = message_of(SimulatedMeter(device=device, profile=profile), clock.now())
        book.take(Heard(topic=topic, payload=payload, retained=False, at=clock.now()))
    outcome = book.outcome(device, clock.now())
    assert outcome.failures == ()
    assert (stats.answers, stats.late_frames, stats.bad_values) == (2, 0, 0)
    said = {point.quantity: point.value_milli for point in outcome.points}
    for point in profile.points:
        assert abs(said[point.quantity] - value_of(device, point, clock.now()) * 1000) <= 1, point.id


async def test_a_broker_that_is_away_ends_nothing() -> None:
    profile = catalogue().profile("tasmota-energy")
    simulated = [SimulatedMeter(device=described(profile), profile=profile)]
    async with speaking("127.0.0.1:1", simulated, StandingClock()) as nowhere:
        await asyncio.sleep(0.1)
    assert nowhere == "127.0.0.1:1"


async def test_the_meters_speak_to_a_real_broker(tmp_path: Path) -> None:
    profile, clock = catalogue().profile("tasmota-energy"), StandingClock()
    device = described(profile)
    simulated = [SimulatedMeter(device=device, profile=profile)]
    broker, address = start_broker(tmp_path, program=mosquitto_program())
    host, _, port = address.rpartition(":")
    messages = profile.messages
    assert messages is not None
    try:
        async with asyncio.timeout(30), aiomqtt.Client(host, int(port)) as client:
            await client.subscribe(topics_of(device, profile, messages)[0])
            async with speaking(address, simulated, clock):
                heard = await anext(client.messages)
    finally:
        broker.stop()
    assert (str(heard.topic), heard.payload) == message_of(simulated[0], clock.now())
    assert not heard.retain
