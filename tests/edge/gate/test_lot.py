"""A lot with an entry and an exit: tickets, misread plates, shared spaces, coupons, waiting cars, people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.errors import RefusalError
from common.wire.batch import PersonalItem
from edge.gate.plan import parse_permits
from tests.edge.builders import until
from tests.edge.gate.bench import PLATE, Bench

HOUR = timedelta(hours=1)
SITE: dict[str, Any] = {
    "gate": {
        "wire": "g1-mqtt",
        "model": "zhenshi-camera",
        "lots": [
            {
                "lot": "north",
                "no_plate": "ticket",
                "lanes": [
                    {"camera": "IN", "barrier": "BAR-IN", "direction": "entry"},
                    {"camera": "OUT", "barrier": "BAR-OUT", "direction": "exit"},
                ],
            }
        ],
    }
}


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "store.db", SITE)
    yield bench
    bench.store.close()


@asynccontextmanager
async def at_work(lot: Bench) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lot.gate.run())
        yield
        task.cancel()


def permits(*changes: dict[str, Any]) -> Any:
    whole = {"class": "monthly", "valid_from": "2026-01-01T00:00:00Z", "valid_to": "2026-02-01T00:00:00Z"}
    return parse_permits({"permits": [whole | change for change in changes]})


async def test_a_car_without_a_plate_enters_on_a_code_pays_by_it_and_leaves_by_it(lot: Bench) -> None:
    async with at_work(lot):
        await lot.camera.sights.put(lot.seen(None, camera="IN"))
        await until(lambda: len(lot.camera.signs) == 1)
        (stay,) = lot.gate.stays().values()
        sign = lot.camera.signs[0][1]
        assert sign is not None
        assert sign.lines[0] == f"停车码{stay.plate}"
        lot.clock.advance(2 * HOUR)
        await lot.camera.sights.put(lot.seen(None, camera="OUT"))
        await until(lambda: lot.gate.stats.held == 1)
        found = lot.gate.find(stay.plate)
        assert found is not None
        await lot.gate.settle(found.session_id, 400)
        with pytest.raises(RefusalError, match="no car inside"):
            await lot.gate.leave_by_ticket("OUT", "no such code")
        await lot.gate.leave_by_ticket("OUT", stay.plate)
        await until(lambda: [barrier for barrier, _ in lot.camera.commands] == ["BAR-IN", "BAR-OUT"])
    events = await lot.parking()
    assert [event.what for event in events] == ["entry", "refused", "settled", "exit"]
    personal = [record for record in await lot.records() if isinstance(record, PersonalItem)]
    assert {item.kind for item in personal} <= {"ticket"}


async def test_a_code_opens_nothing_when_nobody_waits_at_the_exit(lot: Bench) -> None:
    with pytest.raises(RefusalError, match="no car is held"):
        await lot.gate.leave_by_ticket("OUT", "123456")


async def test_who_pays_while_waiting_at_the_exit_leaves_at_once(lot: Bench) -> None:
    stay = await lot.enter(camera="IN")
    lot.clock.advance(3 * HOUR)
    async with at_work(lot):
        await lot.camera.sights.put(lot.seen(camera="OUT"))
        await until(lambda: lot.gate.stats.held == 1)
        assert lot.camera.commands == []
        await lot.gate.settle(stay.session_id, 600)
        await until(lambda: [barrier for barrier, _ in lot.camera.commands] == ["BAR-OUT"])
    assert [event.what for event in await lot.parking()] == ["entry", "refused", "settled", "exit"]


async def test_who_is_held_reads_what_he_owes_and_nothing_is_no_payment(lot: Bench) -> None:
    stay = await lot.enter(camera="IN")
    lot.clock.advance(3 * HOUR)
    async with at_work(lot):
        await lot.camera.sights.put(lot.seen(camera="OUT"))
        await until(lambda: len(lot.camera.signs) == 1)
    sign = lot.camera.signs[0][1]
    assert sign is not None
    assert "请缴费6.00元" in sign.lines
    with pytest.raises(RefusalError, match="pay for nothing"):
        await lot.gate.settle(stay.session_id, 0)
    assert lot.gate.occupied("north") == 1


async def test_a_misread_plate_finds_its_entry_and_both_readings_are_kept(lot: Bench) -> None:
    await lot.enter(camera="IN")
    lot.clock.advance(timedelta(minutes=30))
    assert await lot.words("苏A1234S", camera="OUT") == "exit open free"
    records = await lot.records()
    events = [record for record in records if not isinstance(record, PersonalItem)]
    assert [(event.what, event.reason) for event in events] == [  # type: ignore[attr-defined]  # parking events only
        ("entry", "temporary"),
        ("corrected", "misread"),
        ("exit", "free"),
    ]
    personal = {item.value for item in records if isinstance(item, PersonalItem)}
    assert personal == {PLATE, "苏A1234S"}


async def test_a_likely_plate_never_lets_a_stranger_in_or_another_permit_out(lot: Bench) -> None:
    lot.gate.use_permits(permits({"plate": PLATE}))
    assert await lot.words("苏A1234S", camera="IN") == "entry open temporary"
    lot.clock.advance(2 * HOUR)
    assert await lot.words(PLATE, camera="OUT") == "exit open permit"
    assert lot.gate.occupied("north") == 1, "a permit's exit ended the stay of a look-alike"


async def test_a_second_car_of_one_space_pays_as_a_temporary_one(lot: Bench) -> None:
    lot.gate.use_permits(permits({"plate": PLATE, "space": "P-01"}, {"plate": "苏B00001", "space": "P-01"}))
    assert await lot.words(PLATE, camera="IN") == "entry open permit"
    assert await lot.words("苏B00001", camera="IN") == "entry open temporary"
    lot.clock.advance(2 * HOUR)
    assert await lot.words(PLATE, camera="OUT") == "exit open permit"
    assert await lot.words("苏B00001", camera="OUT") == "refused hold payment_due"
    lot.clock.advance(HOUR)
    assert await lot.words(PLATE, camera="IN") == "entry open permit"


async def test_a_coupon_pays_for_its_minutes(lot: Bench) -> None:
    lot.gate.use_permits(permits({"plate": PLATE, "class": "visitor", "granted_minutes": 120}))
    stay = await lot.enter(camera="IN")
    lot.clock.advance(2 * HOUR)
    quote = lot.gate.quoted(stay, lot.clock.now())
    assert quote is not None
    assert quote.amount_fen == 0
    lot.clock.advance(HOUR)
    assert await lot.words(camera="OUT") == "refused hold payment_due"


async def test_a_cap_holds_across_the_visits_of_a_day(lot: Bench) -> None:
    for hours, fen in ((4, 800), (4, 200), (1, 0)):
        stay = await lot.enter(camera="IN")
        lot.clock.advance(hours * HOUR)
        quote = lot.gate.quoted(stay, lot.clock.now())
        assert quote is not None
        assert quote.amount_fen == fen
        await lot.gate.settle(stay.session_id, max(1, fen))
        assert (await lot.words(camera="OUT")).startswith("exit open")
        lot.clock.advance(HOUR)


async def test_a_lapsed_permit_is_charged_from_its_lapse(lot: Bench) -> None:
    lot.gate.use_permits(permits({"plate": PLATE, "valid_to": "2026-01-01T05:00:00Z"}))
    stay = await lot.enter(camera="IN")
    lot.clock.advance(7 * HOUR)
    quote = lot.gate.quoted(stay, lot.clock.now())
    assert quote is not None
    assert quote.amount_fen == 400
    assert await lot.words(camera="OUT") == "refused hold payment_due"


async def test_a_car_that_enters_while_it_is_inside_lost_its_exit(lot: Bench) -> None:
    first = await lot.enter(camera="IN")
    lot.clock.advance(20 * HOUR)
    second = await lot.enter(camera="IN")
    assert second.session_id != first.session_id
    assert [(event.what, event.reason) for event in await lot.parking()] == [
        ("entry", "temporary"),
        ("void", "lost_exit"),
        ("entry", "temporary"),
    ]


async def test_a_late_entry_of_a_car_that_has_left_since_puts_nobody_inside(lot: Bench) -> None:
    await lot.enter(camera="IN")
    late = lot.seen(camera="IN", offline=True)
    lot.clock.advance(timedelta(minutes=40))
    await lot.pass_by(camera="OUT")
    assert await lot.gate.handle(lot.lane("IN"), late) is not None
    assert lot.gate.occupied("north") == 0


async def test_a_person_ends_a_stay_and_opens_by_hand_and_both_are_on_record(lot: Bench) -> None:
    never, gone = await lot.enter(camera="IN"), await lot.enter("苏B00001", camera="IN")
    async with at_work(lot):
        await lot.gate.end(never.session_id, let_go=False)
        await lot.gate.end(gone.session_id, let_go=True)
        await lot.gate.open_by_hand("OUT")
        await until(lambda: [barrier for barrier, _ in lot.camera.commands] == ["BAR-OUT"])
        with pytest.raises(RefusalError, match="stands at no lane"):
            await lot.gate.open_by_hand("NOWHERE")
    by_hand = [event for event in await lot.parking() if event.reason == "by_hand"]
    assert [(event.what, event.decision) for event in by_hand] == [("void", "hold"), ("exit", "open"), ("exit", "open")]
    assert not lot.gate.stays()


async def test_a_plate_is_not_corrected_to_that_of_another_car_inside(lot: Bench) -> None:
    stay = await lot.enter(camera="IN")
    await lot.enter("苏B00001", camera="IN")
    with pytest.raises(RefusalError, match="another car inside"):
        await lot.gate.correct(stay.session_id, "苏B00001")


async def test_ended_visits_are_known_after_a_restart(lot: Bench) -> None:
    stay = await lot.enter(camera="IN")
    lot.clock.advance(4 * HOUR)
    await lot.gate.settle(stay.session_id, 800)
    await lot.pass_by(camera="OUT")
    lot.store.close()
    lot.store = lot.open_store()
    lot.gate = lot.make_gate()
    await lot.gate.load()
    lot.clock.advance(HOUR)
    again = await lot.enter(camera="IN")
    lot.clock.advance(4 * HOUR)
    quote = lot.gate.quoted(again, lot.clock.now())
    assert quote is not None
    assert quote.amount_fen == 200
