"""The wire of plate cameras and barriers: one MQTT connection southbound, events in, open commands out.

Invariants: the connection is kept by `run` alone and comes back by itself; a message only enqueues; the queue is
bounded and a full one makes the broker wait; a command is sent once and its outcome is said, never guessed; a message
that cannot be understood is counted and the others go on.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Collection

import aiomqtt
import structlog

from common.clock import Clock
from common.errors import RefusalError
from edge.device.model import GateTopics
from edge.driver.gate_events import BarrierAnswer, PlateSeen, Post
from edge.driver.outcome import WireConfig, WireStats
from edge.driver.signs import Sign, board_frames
from edge.driver.zhenshi import open_command, parse_plate_message, parse_reply, serial_command
from edge.transport.line import RETRY_FIRST_S, RETRY_MOST_S

EVENTS_WAITING_MOST = 1_000
REPLY_S_MOST = 3.0
KEEPALIVE_S = 15
_LOG = structlog.get_logger()


class MqttGateWire:
    """The owner of one broker connection with cameras behind it."""

    def __init__(
        self, config: WireConfig, topics: GateTopics, posts: Collection[Post], stats: WireStats, clock: Clock
    ) -> None:
        self._config = config
        self._topics = topics
        self._serials = tuple(dict.fromkeys(serial for post in posts for serial in (post.camera, post.barrier)))
        self._boards = {post.camera: post.board for post in posts if post.board is not None}
        self._stats = stats
        self._clock = clock
        self._host, self._port = split_address(config.address)
        self._events: asyncio.Queue[PlateSeen] = asyncio.Queue(EVENTS_WAITING_MOST)
        self._replies: dict[str, asyncio.Future[bool]] = {}
        self._client: aiomqtt.Client | None = None
        self._connected = asyncio.Event()

    @property
    def config(self) -> WireConfig:
        """Return the description the wire was built from."""
        return self._config

    @property
    def stats(self) -> WireStats:
        """Return the live counters."""
        return self._stats

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        retry_s = RETRY_FIRST_S
        while True:
            try:
                await self._serve()
                retry_s = RETRY_FIRST_S
            except aiomqtt.MqttError as problem:
                _LOG.warning("gate_wire_lost", wire=self._config.wire, reason=str(problem))
            was_connected = self._connected.is_set()
            self._client = None
            self._connected.clear()
            self._stats.reconnects += 1
            retry_s = RETRY_FIRST_S if was_connected else min(2 * retry_s, RETRY_MOST_S)
            await asyncio.sleep(retry_s)

    async def connected(self) -> None:
        """Return when the connection stands and the cameras' topics are subscribed."""
        await self._connected.wait()

    async def events(self) -> AsyncIterator[PlateSeen]:
        """Return the events as they come."""
        while True:
            yield await self._events.get()

    async def open_barrier(self, barrier: str, command_key: str) -> BarrierAnswer:
        """Tell the barrier to open and wait for its acknowledgement."""
        client = self._client
        if client is None or not self._connected.is_set():
            return BarrierAnswer.UNREACHABLE
        output = (self._topics.open_output, self._topics.open_value, self._topics.open_ms)
        message = open_command(barrier, command_key, output, self._clock.now())
        reply = self._replies[command_key] = asyncio.get_running_loop().create_future()
        self._stats.exchanges += 1
        try:
            async with asyncio.timeout(REPLY_S_MOST):
                await client.publish(self._topics.command.format(serial=barrier), message, qos=1)
                accepted = await reply
        except (TimeoutError, aiomqtt.MqttError):
            self._stats.timeouts += 1
            return BarrierAnswer.UNKNOWN
        finally:
            self._replies.pop(command_key, None)
        self._stats.answers += accepted
        self._stats.refusals += not accepted
        return BarrierAnswer.ACCEPTED if accepted else BarrierAnswer.REFUSED

    async def answer(self, seen: PlateSeen, sign: Sign | None) -> None:
        """Show a sign on the board behind the camera, if it has one; the record itself needs no answer over MQTT."""
        client, board = self._client, self._boards.get(seen.camera)
        if sign is None or board is None or client is None:
            return
        topic = self._topics.command.format(serial=seen.camera).replace("gpio_out", "serial_data")
        message = serial_command(seen.camera, seen.event_key, board_frames(board, sign), self._clock.now())
        try:
            async with asyncio.timeout(REPLY_S_MOST):
                await client.publish(topic, message, qos=0)
        except (TimeoutError, aiomqtt.MqttError):
            self._stats.timeouts += 1

    async def _serve(self) -> None:
        at_once = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        link = aiomqtt.Client(self._host, self._port, keepalive=KEEPALIVE_S, socket_options=at_once)
        async with link as client:
            for serial in self._serials:
                await client.subscribe(self._topics.event.format(serial=serial), qos=1)
                await client.subscribe(self._topics.reply.format(serial=serial), qos=1)
            self._client = client
            self._connected.set()
            async for message in client.messages:
                await self._take(str(message.topic), message.payload)

    async def _take(self, topic: str, payload: object) -> None:
        try:
            data = payload if isinstance(payload, bytes) else b""
            for serial in self._serials:
                if topic == self._topics.event.format(serial=serial):
                    await self._events.put(parse_plate_message(data, serial, self._topics.plate_encoding))
                elif topic == self._topics.reply.format(serial=serial):
                    self._settle(*parse_reply(data))
        except RefusalError as problem:
            self._stats.bad_values += 1
            _LOG.warning("gate_message_refused", wire=self._config.wire, topic=topic, reason=str(problem))

    def _settle(self, command_key: str, accepted: bool) -> None:  # noqa: FBT001 - a pair of parse_reply
        reply = self._replies.get(command_key)
        if reply is None or reply.done():
            self._stats.late_frames += 1
            return
        reply.set_result(accepted)


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of `host:port`.

    Raises:
        RefusalError: the text has another form.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) >= 1 << 16:
        raise RefusalError(f"address {address!r} is not host:port")
    return host, int(port)
