"""The wire of meters that speak MQTT: one broker connection, every message heard, a read answered from what was said.

Invariants: the connection is kept by `listen` alone and comes back by itself; a read never waits for the broker; what
was said before the connection broke, or before a restart, stays valid as long as its model says; a message larger than
any meter's is refused unread. This broker is southbound only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import aiomqtt
import structlog

from common.clock import Clock
from common.errors import RefusalError
from edge.device.catalogue import Catalogue
from edge.driver.gate_mqtt import split_address
from edge.driver.message_book import Heard, MessageBook
from edge.driver.message_file import load_messages, save_messages
from edge.driver.outcome import DeviceConfig, FailureKind, ReadFailure, ReadOutcome, WireConfig, WireStats
from edge.transport.line import RETRY_FIRST_S, RETRY_MOST_S

KEEPALIVE_S = 15
MESSAGES_WAITING_MOST = 1_000
KEEP_S = 60.0
_LOG = structlog.get_logger()


class MqttMeterWire:
    """The owner of one broker connection with meters behind it."""

    def __init__(self, config: WireConfig, catalogue: Catalogue, stats: WireStats, clock: Clock, folder: Path) -> None:
        self._config = config
        self._catalogue = catalogue
        self._stats = stats
        self._clock = clock
        self._path = folder / f"{config.wire}.json"
        self._book = MessageBook(stats)
        self._saved_at = float("-inf")
        self._connected = False

    @property
    def config(self) -> WireConfig:
        """Return the description the wire was built from."""
        return self._config

    @property
    def stats(self) -> WireStats:
        """Return the live counters."""
        return self._stats

    async def listen(self, devices: Iterable[DeviceConfig]) -> None:
        """Hear the devices until cancelled."""
        topics = sorted({topic for device in devices for topic in self._add(device)})
        await self._remember()
        retry_s = RETRY_FIRST_S
        while True:
            try:
                await self._hear(topics)
            except aiomqtt.MqttError as problem:
                _LOG.warning("meter_broker_lost", wire=self._config.wire, reason=str(problem))
            retry_s = RETRY_FIRST_S if self._connected else min(2 * retry_s, RETRY_MOST_S)
            self._connected = False
            self._stats.reconnects += 1
            await asyncio.sleep(retry_s)

    async def read(self, device: DeviceConfig) -> ReadOutcome:
        """Return what the device has said and is still fresh."""
        self._add(device)
        outcome = self._book.outcome(device, self._clock.now())
        if outcome.failures and not self._connected:
            detail = f"the broker {self._config.address} cannot be reached; check cable and address"
            lost = ReadFailure(kind=FailureKind.LINK_LOST, points=outcome.failures[0].points, detail=detail)
            return ReadOutcome(meter_id=device.meter_id, points=outcome.points, failures=(lost,))
        return outcome

    async def close(self) -> None:
        """Write what was heard last."""
        self._saved_at = float("-inf")
        await self._keep()

    def _add(self, device: DeviceConfig) -> tuple[str, ...]:
        return self._book.add(device, self._catalogue.profile(device.profile))

    async def _hear(self, topics: list[str]) -> None:
        host, port = split_address(self._config.address)
        async with aiomqtt.Client(
            host, port, keepalive=KEEPALIVE_S, max_queued_incoming_messages=MESSAGES_WAITING_MOST
        ) as client:
            for topic in topics:
                await client.subscribe(topic, qos=1)
            self._connected = True
            async for message in client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                heard = Heard(topic=str(message.topic), payload=payload, retained=message.retain, at=self._clock.now())
                self._book.take(heard)
                await self._keep()

    async def _remember(self) -> None:
        """Take up what was heard before a restart."""
        try:
            for heard in await asyncio.to_thread(load_messages, self._path, self._clock.now()):
                self._book.take(heard)
        except RefusalError as refusal:
            _LOG.warning("heard_messages_lost", wire=self._config.wire, reason=str(refusal))

    async def _keep(self) -> None:
        """Write what was heard, at most once in a while; the next message tries again what the disk refused."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._saved_at < KEEP_S:
            return
        self._saved_at = loop.time()
        try:
            await asyncio.to_thread(save_messages, self._path, self._book.kept())
        except OSError as problem:
            _LOG.warning("heard_messages_not_kept", wire=self._config.wire, reason=str(problem))
