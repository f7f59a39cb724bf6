"""The commissioning pages: who may, what is refused, the report's open points, the scanned enrolment code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from common.reading.reading import Quality
from edge.driver.board import WireFace
from edge.driver.outcome import WireStats
from edge.kiosk.commissioning_pages import answered_percent, quality_words
from tests.edge.builders import meter, sample
from tests.edge.kiosk.test_commissioning import MODEL, meters_on_a_line
from tests.edge.kiosk.test_pages import DEVICE, READ, SILENT, WIRE, Box, box

__all__ = ["box"]


@pytest.mark.parametrize(
    "path", ["/technician/add", "/technician/report", f"/technician/meters/{DEVICE.meter_id}/frames"]
)
async def test_nobody_sees_them_without_the_pin(box: Box, path: str) -> None:
    box.lay_out(READ)
    assert "请输入 PIN" in (await box.browser.get(path)).text


async def test_a_meter_goes_from_trial_to_draft_and_away(box: Box, tmp_path: Path) -> None:
    await box.sign_in()
    async with meters_on_a_line(box, tmp_path, "3"):
        form = {"wire": "w", "model": MODEL, "address": "3", "by": "王工"}
        page = await box.browser.post("/technician/add/try", data=form)
        assert "保存并上报" in page.text
        trial = str(meter(901))
        assert trial in page.text
        kept = await box.browser.post("/technician/add/keep", data={"trial": trial, "serial": "E1", "label": "2-301"})
        assert kept.url.path == f"/technician/drafts/{trial}"
        assert "2-301" in (await box.browser.get("/technician/add")).text
        assert (await box.browser.post(f"/technician/drafts/{trial}/read")).status_code == 200
    await box.browser.post(f"/technician/drafts/{trial}/drop")
    assert box.commissioning.drafts == {}
    assert (await box.browser.get(f"/technician/drafts/{trial}")).status_code == 404


async def test_a_meter_without_a_value_offers_no_keeping(box: Box, tmp_path: Path) -> None:
    await box.sign_in()
    async with meters_on_a_line(box, tmp_path, "3"):
        form = {"wire": "w", "model": MODEL, "address": "8", "by": "王工"}
        page = await box.browser.post("/technician/add/try", data=form)
    assert "保存并上报" not in page.text
    assert "没有读到数值" in page.text


async def test_without_wires_the_page_says_who_sends_them(box: Box) -> None:
    await box.sign_in()
    assert "还没有线路配置" in (await box.browser.get("/technician/add")).text


async def test_frames_of_an_unknown_meter_are_nowhere(box: Box) -> None:
    await box.sign_in()
    assert (await box.browser.get(f"/technician/meters/{meter(7)}/frames")).status_code == 404


async def test_the_report_lists_what_is_open_until_it_is_done(box: Box) -> None:
    await box.sign_in()
    box.lay_out(SILENT)
    silent = (await box.browser.get("/technician/report")).text
    assert "1-2-301 水表：没有读数" in silent
    assert "线路 g1-bus 应答率 88%" in silent
    assert "尚未连接云端" in silent
    box.lay_out(READ)
    box.board.meters[DEVICE.meter_id].outcome = READ
    assert "1-2-301 水表：未与表盘核对" in (await box.browser.get("/technician/report")).text
    compare = f"/technician/meters/{DEVICE.meter_id}/dial"
    await box.browser.post(compare, data={"quantity": "volume", "dial": "150", "by": "王工"})
    assert "1-2-301 水表：与表盘相差 2.375" in (await box.browser.get("/technician/report")).text
    await box.browser.post(compare, data={"quantity": "volume", "dial": "152", "by": "王工"})
    report = (await box.browser.get("/technician/report")).text
    assert "1-2-301 水表：" not in report
    assert "0.375" in report


async def test_what_is_held_against_a_stored_value_stands_beside_it(box: Box) -> None:
    await box.sign_in()
    box.lay_out(READ)
    assert "良好 good" in (await box.browser.get("/technician")).text
    flagged = sample(1, 1_767_225_600_000, 152_375)
    point = flagged.points[0]._replace(quality=int(Quality.BACKWARDS))
    await (await box.store.offer(replace(flagged, points=(point,))))
    assert "倒走 ran backwards" in (await box.browser.get("/technician")).text
    assert "倒走 ran backwards" in (await box.browser.get(f"/technician/meters/{DEVICE.meter_id}")).text


async def test_a_scanned_enrolment_code_is_taken_like_a_typed_one(box: Box) -> None:
    await box.sign_in()
    await box.browser.post("/technician/enrol", data={"code": "gatehouse-enrol:AB12"})
    assert box.codes == ["AB12"]


def test_flags_are_said_in_words_and_a_quiet_wire_has_no_percentage() -> None:
    assert quality_words(0) == ""
    assert quality_words(int(Quality.SUSPECT | Quality.JUMP)) == "存疑 suspect、跳变 jumped"
    assert answered_percent(WireFace(config=WIRE, stats=WireStats(), meters=0)) is None
