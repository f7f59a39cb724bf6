"""The gateway's own pages in a real browser: touch keypad, dues as of the last sync, a technician at the meters."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from common.wire.charge import ChargeState, Silence
from edge.kiosk.dues import parse_dues
from tests.edge.kiosk.test_commissioning import MODEL, meters_on_a_line
from tests.edge.kiosk.test_dues import body
from tests.edge.kiosk.test_pages import DEVICE, PIN, READ, Box, box
from tests.edge.kiosk.test_paying import TOKEN, with_address
from tests.support.browser import chromium, keep_picture, serving, watched

__all__ = ["box"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
PHONE, KIOSK, SCREEN = 390, 1080, 1280


@pytest.mark.parametrize("width", [PHONE, KIOSK])
async def test_a_resident_finds_his_dues_by_touch_alone(box: Box, tmp_path: Path, width: int) -> None:
    box.dues = parse_dues(body())
    async with serving(box.application) as address, chromium() as browser, watched(browser, width=width) as page:
        await page.goto(address)
        await keep_picture(page, tmp_path, "home")
        for key in "1-2-301":
            await page.click(f"[data-key='{key}']")
        await page.click("input[name=code][data-pad]")
        for key in "47119":
            await page.click(f"[data-key='{key}']")
        await page.click("[data-key=erase]")
        await page.click("text=查询 Show")
        await expect(page.locator(".total")).to_contain_text("76.25")
        await keep_picture(page, tmp_path, "dues")
        await page.click("text=完成")
        await page.fill("input[name=room]", "1-2-301")
        await page.fill("input[name=code][data-pad]", "0000")
        await page.press("input[name=code][data-pad]", "Enter")
        await expect(page.locator("h1")).to_contain_text("房号或查询码不正确")
        await keep_picture(page, tmp_path, "not-found")


@pytest.mark.parametrize("width", [PHONE, KIOSK])
async def test_a_resident_pays_by_touch_with_big_text_and_voice(box: Box, tmp_path: Path, width: int) -> None:
    box.dues = parse_dues(with_address())
    box.till.open = 7_625
    heard: list[int] = []
    async with serving(box.application) as address, chromium() as browser, watched(browser, width=width) as page:
        page.on("response", lambda answer: heard.append(answer.status) if "/voice/" in answer.url else None)
        await page.goto(address)
        await page.click("[data-ease=big]")
        await page.click("[data-ease=voice]")
        await keep_picture(page, tmp_path, "home-big")
        for key in "1-2-301":
            await page.click(f"[data-key='{key}']")
        await page.click("input[name=code][data-pad]")
        for key in "4711":
            await page.click(f"[data-key='{key}']")
        await page.click("text=查询 Show")
        await expect(page.locator(".total")).to_be_visible()
        await keep_picture(page, tmp_path, "dues-big")
        await page.click("text=扫码缴费")
        await expect(page.locator(".code svg")).to_be_visible()
        await expect(page.locator("body.big")).to_be_visible()
        await keep_picture(page, tmp_path, "pay")
        box.till.open = None
        await expect(page.locator("#away")).to_be_visible(timeout=10_000)
        box.till.open = 0
        await expect(page.locator(".calm")).to_contain_text("已缴清", timeout=15_000)
        await keep_picture(page, tmp_path, "paid")
        await page.click("text=打印凭条")
        await expect(page.locator("h1")).to_contain_text("请取走凭条")
    assert box.till.recorded == [("B1", 7_625)]
    assert set(heard) <= {200, 206}
    assert heard


@pytest.mark.parametrize("width", [PHONE, KIOSK])
async def test_a_resident_holds_his_code_to_the_scanner(box: Box, tmp_path: Path, width: int) -> None:
    box.dues = parse_dues(with_address())
    box.till.open, box.till.told = 7_625, [ChargeState.ABSENT]
    async with serving(box.application) as address, chromium() as browser, watched(browser, width=width) as page:
        await page.goto(f"{address}/bill/{TOKEN}")
        await expect(page.locator("[data-scan]")).to_be_focused()
        await keep_picture(page, tmp_path, f"code-{width}")
        box.till.told = [ChargeState.WAITING]
        await page.keyboard.type("134650000000000001")
        await page.keyboard.press("Enter")
        await expect(page.locator(".total")).to_contain_text("请在手机上确认付款")
        await keep_picture(page, tmp_path, f"code-waits-{width}")
        box.till.told = [Silence.AWAY]
        await expect(page.locator("#away")).to_be_visible(timeout=15_000)
        box.till.told = [ChargeState.PAID]
        await expect(page.locator(".calm")).to_contain_text("已收款", timeout=15_000)
        await keep_picture(page, tmp_path, f"code-paid-{width}")
        await page.click("text=打印凭条")
        await expect(page.locator("h1")).to_contain_text("请取走凭条")
    assert [wish[1:] for wish in box.till.charged] == [(TOKEN, 7_625, "134650000000000001")]
    assert box.till.recorded == [("B1", 7_625, "wechat")]


async def test_a_driver_finds_his_car_by_touch_in_english(box: Box, tmp_path: Path) -> None:
    async with serving(box.application) as address, chromium() as browser, watched(browser, width=KIOSK) as page:
        await page.goto(f"{address}/parking")
        await page.click("[data-ease=english]")
        await keep_picture(page, tmp_path, "parking-english")
        for key in "苏A1234S":
            await page.click(f"[data-key='{key}']")
        await page.click("text=查询 Show")
        await expect(page.locator(".total")).to_contain_text("7.00")
        await keep_picture(page, tmp_path, "parking-fee")
        await page.goto(f"{address}/charging")
        await keep_picture(page, tmp_path, "charging")


@pytest.mark.parametrize("width", [PHONE, SCREEN])
async def test_a_technician_looks_at_wires_meters_and_cars(box: Box, tmp_path: Path, width: int) -> None:
    box.lay_out(READ)
    async with serving(box.application) as address, chromium() as browser, watched(browser, width=width) as page:
        await page.goto(f"{address}/technician")
        await keep_picture(page, tmp_path, "sign-in")
        await page.fill("input[name=pin]", "0000")
        await page.press("input[name=pin]", "Enter")
        await expect(page.locator(".note.warn:visible").filter(has_text="PIN 不正确")).to_be_visible()
        await keep_picture(page, tmp_path, "wrong-pin")
        await page.fill("input[name=pin]", PIN)
        await page.press("input[name=pin]", "Enter")
        await expect(page.locator("h1")).to_contain_text("g1")
        await keep_picture(page, tmp_path, "technician")
        await page.click("text=1-2-301 水表")
        await expect(page.locator("h1")).to_contain_text("1-2-301 水表")
        await keep_picture(page, tmp_path, "meter")
        await page.click("text=立即读取")
        await expect(page.locator("h1")).to_contain_text("1-2-301 水表")
        await page.goto(f"{address}/technician/parking")
        await keep_picture(page, tmp_path, "parking")
    assert box.asked


@pytest.mark.parametrize("width", [PHONE, KIOSK])
async def test_a_technician_adds_a_meter_compares_a_dial_and_prints_the_report(
    box: Box, tmp_path: Path, width: int
) -> None:
    box.lay_out(READ)
    async with (
        meters_on_a_line(box, tmp_path, "3"),
        serving(box.application) as address,
        chromium() as browser,
        watched(browser, width=width) as page,
    ):
        await page.goto(f"{address}/technician")
        await page.fill("input[name=pin]", PIN)
        await page.press("input[name=pin]", "Enter")
        await page.click("text=加装表计")
        await page.select_option("select[name=wire]", "w")
        await page.select_option("select[name=model]", MODEL)
        await page.fill("input[name=address]", "3")
        await page.fill("input[name=by]", "王工")
        await keep_picture(page, tmp_path, f"add-{width}")
        await page.press("input[name=by]", "Enter")
        await expect(page.locator(".dial strong").first).to_be_visible()
        await keep_picture(page, tmp_path, f"trial-{width}")
        await page.fill("input[name=label]", "2-301 电表")
        await page.click("text=保存并上报")
        await expect(page.locator("h1")).to_contain_text("2-301 电表")
        await page.click("summary")
        await expect(page.locator(".frames code").first).to_be_visible()
        await keep_picture(page, tmp_path, f"draft-{width}")
        await page.goto(f"{address}/technician/meters/{DEVICE.meter_id}")
        await page.fill("input[name=dial]", "152")
        await page.press("input[name=dial]", "Enter")
        await expect(page.locator("section")).to_contain_text("0.375")
        await expect(page.locator("input[name=by]")).to_have_value("王工")
        await keep_picture(page, tmp_path, f"dial-{width}")
        await page.set_input_files("input[data-photo]", tmp_path / f"dial-{width}.png")
        await page.wait_for_function("document.querySelector('img.snap')?.naturalWidth > 0")
        assert await page.evaluate("document.querySelector('img.snap').naturalWidth") <= 1024
        await keep_picture(page, tmp_path, f"photo-{width}")
        await page.click("text=原始报文")
        await page.wait_for_url("**/frames")
        await keep_picture(page, tmp_path, f"frames-{width}")
        await page.goto(f"{address}/technician/report")
        await expect(page.locator("ol")).to_contain_text("待管理处接受")
        await expect(page.locator("main")).to_contain_text("王工")
        await keep_picture(page, tmp_path, f"report-{width}")
        await page.emulate_media(media="print")
        await expect(page.locator("text=打印")).to_be_hidden()
