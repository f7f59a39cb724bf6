"""Doors over real sockets: who may come in does, also with the cloud away; repeats and strangers open nothing."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.errors import FaultsError, RefusalError
from common.ids import TimeOrderedIds
from common.wire.batch import PersonalItem
from common.wire.records import AccessEvent
from edge import access
from edge.access.plan import parse_access
from edge.access.service import Access
from edge.buffer.records import Lane
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.driver.cards import parse_cards
from edge.driver.door_build import build_door_wire
from edge.driver.door_events import DoorAnswer, DoorWire, Swipe
from edge.driver.door_uhppote import UhppoteWire
from edge.driver.outcome import WireConfig, WireKind
from tests.edge.builders import HandClock, OpenSealer, counted, until
from tests.edge.gate.bench import counting
from tests.simulation.devices.door_board import UhppoteBoard

CARD = 10058400
WIRES = {"doors": WireConfig(wire="doors", kind=WireKind.DOOR_UDP, address="127.0.0.1:0")}


def cards(**changes: Any) -> dict[str, Any]:
    permit = {
        "card": str(CARD),
        "doors": ["gate-1"],
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_to": "2026-02-01T00:00:00Z",
    }
    return {"permits": [permit | changes]}


class House:
    """A stage with a real board."""

    def __init__(self, path: Path, board: UhppoteBoard) -> None:
        self.path, self.board = path, board
        self.clock, self.sealer = HandClock(), OpenSealer()
        self.wires: list[DoorWire] = []
        self.open()

    def open(self) -> None:
        self.store = Store.open(self.path, clock=self.clock, entropy=counted, budget=Budget(), commit_interval_s=0.001)
        self.store.use_sealer(self.sealer)
        self.stage = Access(self.store, self.clock, TimeOrderedIds(self.clock.now, counting()), self.make_wire)
        door = {"door": "gate-1", "wire": "doors", "board": str(self.board.serial), "number": 2}
        door["address"] = f"127.0.0.1:{self.board.port}"
        self.stage.use(parse_access({"wires": [{"wire": "doors"}], "access": {"doors": [door]}}))
        self.stage.use_cards(parse_cards(cards()))

    def make_wire(self, name: str, posts: Any) -> DoorWire:
        self.wires.append(build_door_wire(WIRES, name, posts))
        return self.wires[-1]

    async def restart(self) -> None:
        self.store.close()
        self.open()
        await self.stage.load()

    def swipe(self, index: int, card: int = CARD, *, let_in: bool = False) -> Swipe:
        return Swipe(door="gate-1", card=str(card), board=str(self.board.serial), index=index, let_in=let_in)

    async def records(self) -> list[object]:
        while await self.store.seal() is not None:
            pass
        return [row.record for item in self.sealer.materials for row in item.events if row.lane is Lane.GATE]

    async def acts(self) -> list[tuple[str, str]]:
        return [(one.decision, one.reason) for one in await self.records() if isinstance(one, AccessEvent)]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    board = await UhppoteBoard(serial=405419896).start()
    house = House(tmp_path / "store.db", board)
    yield house
    house.store.close()
    board.stop()


async def test_a_card_opens_its_door_and_the_record_is_durable_before(house: House) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(house.stage.run())
        await until(lambda: house.board.listener is not None)
        house.board.swipe(2, CARD)
        await until(lambda: house.stage.stats.swipes == 1)
        house.board.swipe(2, CARD)
        await until(lambda: house.board.opened == [2])
        house.board.repeat()
        house.board.swipe(2, 77)
        await until(lambda: house.stage.stats.swipes == 4)
        task.cancel()
    assert house.board.opened == [2]
    assert await house.acts() == [("refused", "first_word"), ("open", "admitted"), ("refused", "unknown")]


async def test_a_repeat_after_a_restart_opens_nothing(house: House) -> None:
    await house.stage.handle(house.swipe(5))
    assert await house.stage.handle(house.swipe(6))
    await house.restart()
    assert not await house.stage.handle(house.swipe(6))
    assert await house.stage.handle(house.swipe(7))


@pytest.mark.parametrize(
    ("changes", "days", "reason"),
    [
        ({"valid_to": "2026-01-10T00:00:00Z"}, 20, "expired"),
        ({"revoked": True}, 0, "revoked"),
        ({"doors": ["gate-2"]}, 0, "elsewhere"),
        ({"valid_from": "2026-01-20T00:00:00Z"}, 0, "not_yet"),
    ],
)
async def test_a_card_that_is_not_in_force_here_stays_outside(
    house: House, changes: dict[str, Any], days: int, reason: str
) -> None:
    house.stage.use_cards(parse_cards(cards(**changes)))
    house.clock.advance(timedelta(days=days))
    await house.stage.handle(house.swipe(1))
    assert not await house.stage.handle(house.swipe(2))
    assert (await house.acts())[-1] == ("refused", reason)


async def test_a_clock_that_falls_back_does_not_revive_a_card(house: House) -> None:
    house.clock.advance(timedelta(days=40))
    await house.stage.handle(house.swipe(1))
    await house.restart()
    house.clock.step(timedelta(days=-30))
    assert not await house.stage.handle(house.swipe(2))
    assert (await house.acts())[-1] == ("refused", "expired")


async def test_a_board_that_let_a_card_in_by_itself_is_not_told_again(house: House) -> None:
    await house.stage.handle(house.swipe(1))
    assert not await house.stage.handle(house.swipe(2, let_in=True))
    assert (await house.acts())[-1] == ("open", "admitted")


async def test_while_the_disk_refuses_people_still_get_home(house: House) -> None:
    await house.stage.handle(house.swipe(1))
    house.store.close()
    assert await house.stage.handle(house.swipe(2))


async def test_the_card_stands_in_the_personal_lane_only(house: House) -> None:
    await house.stage.handle(house.swipe(1))
    records = await house.records()
    (item,) = [one for one in records if isinstance(one, PersonalItem)]
    (event,) = [one for one in records if isinstance(one, AccessEvent)]
    assert (item.value, event.holder) == (str(CARD), item.item_id)
    assert str(CARD) not in str(asdict(event))


async def test_a_door_opened_by_hand_is_on_record_and_its_board_s_answer_told(house: House) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(house.stage.run())
        await until(lambda: house.board.listener is not None)
        assert await house.stage.open_by_hand("gate-1") is DoorAnswer.OPENED
        house.board.obeys = False
        assert await house.stage.open_by_hand("gate-1") is DoorAnswer.REFUSED
        with pytest.raises(RefusalError, match="no door"):
            await house.stage.open_by_hand("gate-9")
        task.cancel()
    assert await house.acts() == [("open", "by_hand"), ("open", "by_hand")]


@pytest.mark.parametrize(
    "noise", [b"\x17", bytes(64), b"\x17\x20" + bytes(62), b"\x17\x20\x00\x00\x01\x02\x03\x04" + bytes(56)]
)
async def test_hostile_messages_are_counted_and_the_doors_go_on(house: House, noise: bytes) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(house.stage.run())
        await until(lambda: house.board.listener is not None)
        house.board.say(noise)
        house.board.swipe(2, CARD)
        await until(lambda: house.stage.stats.swipes == 1)
        task.cancel()
    wire = house.wires[0]
    assert isinstance(wire, UhppoteWire)
    assert wire.stats.bad_values == 1


def test_promise_9_nothing_of_access_can_see_what_anybody_owes() -> None:
    """No module of the stage, nor its cards, imports dues, prices or money; debt in a bundle is refused."""
    root = Path(access.__file__).parent
    files = [*root.glob("*.py"), root.parent / "driver" / "cards.py"]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            assert not module.startswith(("edge.kiosk", "edge.prerate", "common.money", "common.rating")), file.name
    for word in ("open_fen", "arrears", "dues", "overdue"):
        with pytest.raises(FaultsError, match=word):
            parse_cards({"permits": [cards()["permits"][0] | {word: 1}]})
