"""Charging pages: the board shows energy and cost and no card; start and stop are the technician's."""

from __future__ import annotations

from tests.edge.kiosk.desk_book import CHARGE
from tests.edge.kiosk.test_pages import PIN, Box, box

__all__ = ["box"]


async def test_the_board_shows_what_a_charge_has_taken_and_costs(box: Box) -> None:
    page = await box.browser.get("/charging")
    assert "12.345 kWh" in page.text
    assert "¥18.50" in page.text
    assert 'name="card"' not in page.text


async def test_a_technician_starts_and_stops_and_reads_the_answer_of_the_pile(box: Box) -> None:
    await box.browser.post("/technician/charging/start", data={"pile": "P1", "connector": "1", "card": "AB12"})
    assert box.piles.done == []
    await box.browser.post("/technician/sign-in", data={"pin": PIN})
    started = await box.browser.post(
        "/technician/charging/start", data={"pile": "P1", "connector": "1", "card": "AB12"}
    )
    stopped = await box.browser.post(f"/technician/charging/{CHARGE.session_id}/stop")
    assert "充电桩已接受" in started.text
    assert "充电桩不在线" in stopped.text
    assert box.piles.done == [("P1", 1, "AB12"), (CHARGE.session_id,)]
