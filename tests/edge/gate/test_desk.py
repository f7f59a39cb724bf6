"""The gate as people see it: what is owed now, and who is inside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from edge.gate.desk import GateDesk
from tests.edge.gate.bench import PLATE, Bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "store.db")
    yield bench
    bench.store.close()


async def test_a_car_shows_what_is_still_to_be_paid(bench: Bench) -> None:
    desk = GateDesk(bench.gate, bench.clock)
    stay = await bench.enter()
    bench.clock.advance(timedelta(hours=3, minutes=5))
    await desk.settle(stay.session_id, 200)
    found = desk.find("苏a12345")
    assert found is not None
    assert (found.owed_fen, found.paid_fen, found.minutes) == (400, 200, 185)
    assert desk.find("苏A1234") is None
    assert desk.occupancy() == {"north": 1}
    assert [(lane.camera, lane.is_exit) for lane in desk.lanes()] == [("CAM-1", True)]


async def test_cars_are_listed_the_longest_stay_first(bench: Bench) -> None:
    await bench.enter()
    bench.clock.advance(timedelta(hours=1))
    await bench.enter("苏B00001")
    assert [stay.plate for stay in GateDesk(bench.gate, bench.clock).stays()] == [PLATE, "苏B00001"]
