"""Cameras on several wires look like one gate; each command finds the wire that has the device."""

from __future__ import annotations

import asyncio

from edge.driver.gate_events import BarrierAnswer, Post
from edge.driver.gate_many import GateWires
from edge.driver.signs import Sign
from tests.edge.gate.bench import ScriptedCamera
from tests.edge.gate.sights import sight_at

NORTH, SOUTH = Post(camera="N", barrier="BN"), Post(camera="S", barrier="BS")


async def test_events_of_all_wires_come_and_commands_go_to_their_own() -> None:
    north, south = ScriptedCamera(), ScriptedCamera()
    both = GateWires({north: (NORTH,), south: (SOUTH,)})
    async with asyncio.TaskGroup() as group:
        task = group.create_task(both.run())
        await north.sights.put(sight_at("N"))
        await south.sights.put(sight_at("S"))
        events = both.events()
        assert {(await anext(events)).camera, (await anext(events)).camera} == {"N", "S"}
        task.cancel()
    assert await both.open_barrier("BS", "k") is BarrierAnswer.ACCEPTED
    await both.answer(sight_at("N"), Sign(lines=("a",), voice="a"))
    assert (north.commands, south.commands) == ([], [("BS", "k")])
    assert (len(north.signs), len(south.signs)) == (1, 0)
