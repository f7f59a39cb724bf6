"""Doors are opened by hand by a signed-in technician only."""

from __future__ import annotations

from tests.edge.kiosk.test_pages import PIN, Box, box

__all__ = ["box"]


async def test_a_door_is_opened_by_hand_by_the_technician_only(box: Box) -> None:
    await box.browser.post("/technician/doors/open", data={"door": "gate-1"})
    assert box.doors.done == []
    await box.browser.post("/technician/sign-in", data={"pin": PIN})
    assert "gate-1" in (await box.browser.get("/technician/doors")).text
    assert "门已打开" in (await box.browser.post("/technician/doors/open", data={"door": "gate-1"})).text
    assert box.doors.done == ["gate-1"]
