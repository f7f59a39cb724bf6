"""An FCARD board over a real socket: opened, refused, silent, noisy."""

from __future__ import annotations

import pytest

from edge.driver.door_events import DoorAnswer, DoorPost
from edge.driver.door_fcard import FcardWire
from edge.driver.outcome import WireConfig, WireKind
from tests.simulation.devices.door_board import FcardBoard

SERIAL = "FC-8820A12345678"
CONFIG = WireConfig(wire="doors", kind=WireKind.DOOR_TCP, address="127.0.0.1:0")


def wire(port: int) -> FcardWire:
    post = DoorPost(door="gate-1", board=SERIAL, address=f"127.0.0.1:{port}", number=3)
    return FcardWire(CONFIG, [post])


@pytest.mark.parametrize(
    ("obeys", "noise", "answer", "opened"),
    [
        (True, b"", DoorAnswer.OPENED, [3]),
        (False, b"", DoorAnswer.REFUSED, []),
        (True, b"\x7e\x01\x02\x7e", DoorAnswer.OPENED, [3]),
    ],
)
async def test_a_board_opens_or_says_no(obeys: bool, noise: bytes, answer: DoorAnswer, opened: list[int]) -> None:  # noqa: FBT001 - a table
    board = await FcardBoard(serial=SERIAL, obeys=obeys, noise=noise).start()
    assert await wire(board.port).open_door("gate-1") is answer
    assert board.opened == opened
    board.stop()


async def test_a_board_that_is_not_there_is_unknown() -> None:
    board = await FcardBoard(serial=SERIAL).start()
    board.stop()
    assert await wire(board.port).open_door("gate-1") is DoorAnswer.UNKNOWN
