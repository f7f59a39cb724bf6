"""A UHPPOTE board over a real socket: found again, silent, one question at a time."""

from __future__ import annotations

import asyncio

from edge.driver.door_events import DoorAnswer, DoorPost
from edge.driver.door_uhppote import UhppoteWire
from edge.driver.outcome import WireConfig, WireKind
from tests.edge.builders import until
from tests.simulation.devices.door_board import UhppoteBoard


async def test_a_silent_board_is_unknown_and_a_swipe_names_door_card_and_index() -> None:
    board = await UhppoteBoard(serial=123).start()
    config = WireConfig(wire="doors", kind=WireKind.DOOR_UDP, address="127.0.0.1:0")
    wire = UhppoteWire(config, [DoorPost(door="d", board="123", address=f"127.0.0.1:{board.port}", number=1)])
    assert await wire.open_door("d") is DoorAnswer.UNKNOWN
    async with asyncio.TaskGroup() as group:
        task = group.create_task(wire.run())
        await until(lambda: board.listener is not None)
        board.swipe(1, 4711)
        swipe = await anext(wire.events())
        assert (swipe.door, swipe.card, swipe.index) == ("d", "4711", 1)
        board.swipe(3, 4711)
        assert await wire.open_door("d") is DoorAnswer.OPENED
        board.silent = True
        assert await wire.open_door("d") is DoorAnswer.UNKNOWN
        task.cancel()
    board.stop()
    assert wire.stats.timeouts == 1
