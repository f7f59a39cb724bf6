"""Parking pages: a resident finds his own car by its whole plate only; the technician tends all cars inside."""

from __future__ import annotations

import pytest

from tests.edge.kiosk.desk_book import STAY
from tests.edge.kiosk.test_pages import PIN, Box, box

__all__ = ["box"]


async def test_a_car_is_found_by_its_whole_plate_and_shows_what_it_owes(box: Box) -> None:
    shown = await box.browser.post("/parking", data={"plate": "苏a1234s"})
    assert "7.00" in shown.text
    assert "2 小时 15 分" in shown.text


async def test_a_part_of_a_plate_finds_nothing_and_guesses_are_limited(box: Box) -> None:
    for _ in range(3):
        answer = await box.browser.post("/parking", data={"plate": "1234"})
        assert answer.status_code == 404
        assert STAY.plate not in answer.text
    assert (await box.browser.post("/parking", data={"plate": STAY.plate})).status_code == 429


async def test_a_car_at_the_exit_asks_to_leave_by_its_code(box: Box) -> None:
    asked = await box.browser.post("/parking/leave", data={"camera": "OUT", "plate": STAY.plate})
    assert "可以离场时栏杆会抬起" in asked.text
    assert box.desk.done == [("OUT", STAY.plate)]
    refused = await box.browser.post("/parking/leave", data={"camera": "IN", "plate": STAY.plate})
    assert refused.status_code == 409


@pytest.mark.parametrize(
    ("path", "form", "done"),
    [
        (str(STAY.session_id), {"plate": "苏A12345"}, (STAY.session_id, "苏A12345")),
        (str(STAY.session_id), {"yuan": "7.00"}, (STAY.session_id, 700)),
        (str(STAY.session_id), {"end": "left"}, (STAY.session_id, "left")),
        (str(STAY.session_id), {"end": "never"}, (STAY.session_id, "never")),
        ("open", {"camera": "OUT"}, ("OUT",)),
    ],
)
async def test_the_technician_tends_cars_and_lanes(
    box: Box, path: str, form: dict[str, str], done: tuple[object, ...]
) -> None:
    await box.browser.post("/technician/sign-in", data={"pin": PIN})
    await box.browser.post(f"/technician/parking/{path}", data=form)
    assert box.desk.done == [done]


async def test_a_form_that_says_nothing_is_refused_and_a_stranger_may_do_nothing(box: Box) -> None:
    await box.browser.post(f"/technician/parking/{STAY.session_id}", data={"end": "left"})
    assert box.desk.done == []
    await box.browser.post("/technician/sign-in", data={"pin": PIN})
    assert (await box.browser.post(f"/technician/parking/{STAY.session_id}", data={"x": "y"})).status_code == 409
