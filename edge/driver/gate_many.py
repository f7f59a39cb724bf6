"""Several wires with cameras as one: events merged, commands and answers sent to the wire that has the device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping

from edge.driver.gate_events import BarrierAnswer, GateWire, PlateSeen, Post
from edge.driver.signs import Sign

EVENTS_WAITING_MOST = 1_000


class GateWires:
    """The wires of a site's gate. Each camera and barrier belongs to exactly one."""

    def __init__(self, wires: Mapping[GateWire, Collection[Post]]) -> None:
        self._wires = tuple(wires)
        self._by_camera = {post.camera: wire for wire, posts in wires.items() for post in posts}
        self._by_barrier = {post.barrier: wire for wire, posts in wires.items() for post in posts}
        self._events: asyncio.Queue[PlateSeen] = asyncio.Queue(EVENTS_WAITING_MOST)

    async def run(self) -> None:
        """Keep all wires until cancelled."""
        async with asyncio.TaskGroup() as group:
            for wire in self._wires:
                group.create_task(wire.run())
                group.create_task(self._collect(wire))

    async def events(self) -> AsyncIterator[PlateSeen]:
        """Return the events of all wires as they come."""
        while True:
            yield await self._events.get()

    async def open_barrier(self, barrier: str, command_key: str) -> BarrierAnswer:
        """Tell the wire that has the barrier."""
        return await self._by_barrier[barrier].open_barrier(barrier, command_key)

    async def answer(self, seen: PlateSeen, sign: Sign | None) -> None:
        """Tell the wire that has the camera."""
        await self._by_camera[seen.camera].answer(seen, sign)

    async def _collect(self, wire: GateWire) -> None:
        async for seen in wire.events():
            await self._events.put(seen)
