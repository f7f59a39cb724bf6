"""The gate at work over a real store: durable before the barrier, sessions across restarts, plates in their lane."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from common.errors import RefusalError
from common.ids import TimeOrderedIds
from common.wire.batch import PersonalItem
from edge.driver.gate_events import BarrierAnswer
from edge.gate.plan import parse_permits
from edge.gate.rules import Decision, Reason
from tests.edge.builders import HandClock, counted, until
from tests.edge.gate.bench import PLATE, Bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "store.db")
    yield bench
    bench.store.close()


async def test_a_car_enters_stays_pays_and_leaves(bench: Bench) -> None:
    entered = await bench.pass_by()
    assert entered is not None
    assert entered.reason is Reason.TEMPORARY
    assert bench.gate.occupancy() == {"north": 1}
    bench.clock.advance(timedelta(hours=3))
    held = await bench.pass_by()
    assert held is not None
    assert held.reason is Reason.PAYMENT_DUE
    (session_id,) = bench.gate.stays()
    await bench.gate.settle(session_id, 600)
    left = await bench.pass_by()
    assert left is not None
    assert left.reason is Reason.PAID
    assert bench.gate.occupancy() == {"north": 0}
    events = await bench.parking()
    assert [event.what for event in events] == ["entry", "refused", "settled", "exit"]
    assert {event.session_id for event in events} == {session_id}
    assert (events[1].quote_fen, events[1].tariff_rev) == (600, 3)


async def test_a_plate_stands_in_the_personal_lane_only(bench: Bench) -> None:
    await bench.pass_by()
    bench.clock.advance(timedelta(hours=1))
    await bench.pass_by()
    records = await bench.records()
    personal = [record for record in records if isinstance(record, PersonalItem)]
    assert [item.value for item in personal] == [PLATE]
    others = [record for record in records if not isinstance(record, PersonalItem)]
    assert others
    assert all(PLATE not in str(asdict(record)) for record in others)  # type: ignore[call-overload]  # dataclasses


async def test_sessions_and_camera_records_survive_a_restart(bench: Bench) -> None:
    await bench.pass_by(key="k1")
    bench.clock.advance(timedelta(minutes=30))
    bench.store.close()
    bench.store = bench.open_store()
    bench.gate = bench.make_gate()
    await bench.gate.load()
    assert await bench.pass_by(key="k1") is None, "a record the camera sent before was taken as a new car"
    left = await bench.pass_by(key="k2")
    assert left is not None
    assert left.reason is Reason.FREE
    assert bench.gate.occupancy() == {"north": 0}


async def test_a_second_look_at_the_same_car_is_no_exit(bench: Bench) -> None:
    await bench.pass_by()
    bench.clock.advance(timedelta(seconds=5))
    again = await bench.pass_by()
    assert again is not None
    assert (again.decision, again.reason) == (Decision.OPEN, Reason.REPEATED)
    assert [event.what for event in await bench.parking()] == ["entry"]


async def test_an_offline_record_moves_the_session_and_keeps_the_barrier_shut(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.gate.run())
        await bench.camera.sights.put(bench.seen(offline=True))
        await until(lambda: bench.gate.occupied("north") == 1)
        await bench.camera.sights.put(bench.seen("苏B00001"))
        await until(lambda: len(bench.camera.commands) == 1)
        task.cancel()
    assert [barrier for barrier, _ in bench.camera.commands] == ["BAR-1"]
    assert bench.gate.stats.opened == 1


async def test_the_record_is_durable_before_the_barrier_is_told(bench: Bench) -> None:
    before = bench.store.stats.commits
    commits_at_command = []
    bench.camera.told = lambda: commits_at_command.append(bench.store.stats.commits)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.gate.run())
        await bench.camera.sights.put(bench.seen())
        await until(lambda: bool(commits_at_command))
        task.cancel()
    assert commits_at_command[0] > before


@pytest.mark.parametrize(
    ("answers", "commands"),
    [
        ([BarrierAnswer.UNREACHABLE, BarrierAnswer.ACCEPTED], 2),
        ([BarrierAnswer.UNKNOWN], 1),
        ([BarrierAnswer.REFUSED], 1),
    ],
)
async def test_only_a_command_that_was_never_sent_is_sent_again(
    bench: Bench, answers: list[BarrierAnswer], commands: int
) -> None:
    bench.camera.answers = list(answers)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.gate.run())
        await bench.camera.sights.put(bench.seen())
        await until(lambda: len(bench.camera.commands) == commands)
        await asyncio.sleep(0.05)
        task.cancel()
    assert len(bench.camera.commands) == commands


async def test_a_wrong_plate_is_corrected_and_the_time_of_entry_stays(bench: Bench) -> None:
    await bench.pass_by("苏A1234S")
    (session_id,) = bench.gate.stays()
    entered_ms = bench.gate.stays()[session_id].entered_ms
    await bench.gate.correct(session_id, " 苏a12345 ")
    assert bench.gate.stays()[session_id].plate == PLATE
    bench.clock.advance(timedelta(hours=2))
    left = await bench.pass_by(PLATE)
    assert left is not None
    assert left.reason is Reason.PAYMENT_DUE
    events = await bench.parking()
    assert [event.what for event in events] == ["entry", "corrected", "refused"]
    assert {event.entered_ms for event in events} == {entered_ms}


async def test_an_unknown_session_and_an_empty_plate_are_refused(bench: Bench) -> None:
    with pytest.raises(RefusalError, match="stands inside"):
        await bench.gate.settle(counted_id(), 100)
    await bench.pass_by()
    (session_id,) = bench.gate.stays()
    with pytest.raises(RefusalError, match="characters"):
        await bench.gate.correct(session_id, "  ")


def counted_id() -> UUID:
    return TimeOrderedIds(HandClock().now, counted).new()


async def test_a_permit_opens_and_its_expiry_does_not(bench: Bench) -> None:
    permit = {
        "plate": PLATE,
        "class": "monthly",
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_to": "2026-01-02T00:00:00Z",
    }
    bench.gate.use_permits(parse_permits({"permits": [permit]}))
    entered = await bench.pass_by()
    assert entered is not None
    assert entered.reason is Reason.PERMIT
    bench.clock.advance(timedelta(days=2))
    held = await bench.pass_by()
    assert held is not None
    assert held.reason is Reason.PAYMENT_DUE


async def test_while_the_disk_refuses_the_gate_decides_from_memory(bench: Bench) -> None:
    bench.store.close()
    entered = await bench.pass_by()
    assert entered is not None
    assert entered.decision is Decision.OPEN
    assert bench.gate.occupancy() == {"north": 1}
