"""With the cloud killed, real gateways go on: a household finds its dues at the kiosk, a technician looks at meters.

Each test asks from a loopback address of its own, because guesses are limited by address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from common.money.amount import CNY, format_minor
from edge.app import GUESSES_A_MINUTE
from tests.e2e.january import HOUSEHOLD, SYNCED, January
from tests.simulation.plan import GARDEN
from tests.simulation.site import ELECTRICITY
from tests.support.browser import chromium, keep_picture, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
AS_OF = f"数据截至 {SYNCED:%Y-%m-%d %H:%M}"
NOT_FOUND = "房号或查询码不正确"
PHONE, KIOSK = (390, 844), (1080, 1920)
_TAG = re.compile(r"<[^>]+>")


@contextmanager
def somebody(january: January, place: int) -> Iterator[httpx.Client]:
    """Open a client of the garden's kiosk from an address of its own."""
    transport = httpx.HTTPTransport(local_address=f"127.0.2.{place}")
    with httpx.Client(base_url=january.kiosk, transport=transport, follow_redirects=True, timeout=10) as client:
        yield client


def words_of(answer: httpx.Response) -> str:
    return " ".join(_TAG.sub(" ", answer.text).split())


def counted(january: January, reason: str) -> int:
    """Return how often the garden's gateway refused something at its pages, as it tells Prometheus."""
    told = january.house.http.get(f"{january.kiosk}/metrics").text
    found = re.search(rf'gatehouse_kiosk_refusals_total{{reason="{reason}"}} ([0-9.]+)', told)
    assert found is not None, told
    return int(float(found[1]))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_cloud_is_dead(january: January) -> None:
    assert not january.house.processes["cloud"].running
    assert not january.house.processes["worker"].running
    with pytest.raises(httpx.TransportError):
        january.house.http.get(f"{january.house.cloud_url}/healthz")


def test_a_household_finds_its_dues_by_room_and_code_as_of_the_last_sync(january: January) -> None:
    (bill,) = january.bills[HOUSEHOLD]
    lines = january.documents[bill["bill_id"]]["lines"]
    with somebody(january, 1) as resident:
        home = words_of(resident.get("/"))
        answer = resident.post("/dues", data={"room": HOUSEHOLD, "code": january.lookup_code})
    words = words_of(answer)
    assert AS_OF in home
    assert answer.status_code == httpx.codes.OK
    assert AS_OF in words
    assert bill["open_fen"] > 0
    assert f"¥{format_minor(bill['open_fen'], CNY)}" in words
    assert f"2026-01-01 – 2026-01-31 {bill['number']}" in words
    for line in lines:
        assert f"{line['name_zh']} {line['name_en']} ¥{format_minor(line['fen'], CNY)}" in words


def test_a_household_that_paid_before_the_sync_owes_nothing(january: January) -> None:
    (bill,) = january.bills[january.let_door]
    assert bill["open_fen"] == 0
    with somebody(january, 2) as resident:
        answer = resident.post(
            "/dues", data={"room": january.let_door, "code": january.lookup_code_of(january.let_door)}
        )
    assert "没有未缴账单" in words_of(answer)
    assert bill["number"] not in answer.text


@pytest.mark.parametrize(("place", "room"), [(3, HOUSEHOLD), (4, "9-9-999")])
def test_a_wrong_code_and_an_unknown_room_are_refused_alike_and_counted(
    january: January, place: int, room: str
) -> None:
    before = counted(january, "wrong code")
    with somebody(january, place) as guesser:
        answer = guesser.post("/dues", data={"room": room, "code": wrong(january.lookup_code)})
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert NOT_FOUND in answer.text
    assert "¥" not in answer.text
    assert counted(january, "wrong code") == before + 1


def test_who_guesses_codes_is_stopped_even_with_the_right_one_and_others_are_not(january: January) -> None:
    before = counted(january, "too many guesses")
    right = {"room": HOUSEHOLD, "code": january.lookup_code}
    with somebody(january, 5) as guesser, somebody(january, 6) as neighbour:
        answers = [
            guesser.post("/dues", data={"room": HOUSEHOLD, "code": f"{guess:06d}"}).status_code
            for guess in range(GUESSES_A_MINUTE)
        ]
        stopped = guesser.post("/dues", data=right)
        assert neighbour.post("/dues", data=right).status_code == httpx.codes.OK
    assert set(answers) <= {httpx.codes.NOT_FOUND, httpx.codes.OK}
    assert stopped.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert "请等一分钟" in stopped.text
    assert "¥" not in stopped.text
    assert counted(january, "too many guesses") == before + 1


def test_a_technician_signs_in_and_sees_the_wires_and_that_the_cloud_is_away(january: January) -> None:
    pin = january.house.technician_pin("g1")
    meter = january.house.site.meter_of(GARDEN, HOUSEHOLD, ELECTRICITY)
    before = counted(january, "wrong PIN")
    with somebody(january, 7) as technician:
        assert "请输入 PIN" in words_of(technician.get("/technician"))
        refused = technician.post("/technician/sign-in", data={"pin": "0000"})
        assert refused.status_code == httpx.codes.FORBIDDEN
        words = words_of(technician.post("/technician/sign-in", data={"pin": pin}))
    assert "未连接 away" in words
    assert meter.serial in words
    assert "g1-bus" in words
    assert counted(january, "wrong PIN") == before + 1


def test_a_gateway_started_again_without_the_cloud_still_has_the_dues(january: January) -> None:
    january.house.processes["g1"].kill()
    january.house.start_gateway("g1")
    with somebody(january, 8) as resident:
        answer = resident.post("/dues", data={"room": HOUSEHOLD, "code": january.lookup_code})
    assert AS_OF in words_of(answer)
    assert january.bills[HOUSEHOLD][0]["number"] in answer.text


@pytest.mark.browser
@pytest.mark.parametrize("size", [PHONE, KIOSK])
async def test_the_pages_without_the_cloud_in_a_browser(
    january: January, tmp_path: Path, size: tuple[int, int]
) -> None:
    width, height = size
    (bill,) = january.bills[HOUSEHOLD]
    async with chromium() as browser, watched(browser, width=width, height=height) as page:
        await page.goto(january.kiosk)
        await expect(page.locator(".note:visible")).to_contain_text(AS_OF)
        await keep_picture(page, tmp_path, "home")
        for key in HOUSEHOLD:
            await page.click(f"[data-key='{key}']")
        await page.click("input[name=code]")
        for key in wrong(january.lookup_code):
            await page.click(f"[data-key='{key}']")
        await keep_picture(page, tmp_path, "typed")
        await page.click("text=查询 Show")
        await expect(page.locator("h1")).to_contain_text(NOT_FOUND)
        await keep_picture(page, tmp_path, "refused")
        await page.click("text=返回")
        await page.fill("input[name=room]", HOUSEHOLD)
        await page.fill("input[name=code]", january.lookup_code)
        await page.press("input[name=code]", "Enter")
        await expect(page.locator(".total")).to_contain_text(format_minor(bill["open_fen"], CNY))
        await keep_picture(page, tmp_path, "dues")
        await page.goto(f"{january.kiosk}/technician")
        await page.fill("input[name=pin]", january.house.technician_pin("g1"))
        await page.press("input[name=pin]", "Enter")
        await expect(page.locator("main")).to_contain_text("未连接 away")
        await keep_picture(page, tmp_path, "technician")
        await page.locator("table.grid a").first.click()
        await page.wait_for_url("**/technician/meters/**")
        await keep_picture(page, tmp_path, "meter")
        await page.goto(f"{january.kiosk}/technician/parking")
        await keep_picture(page, tmp_path, "parking")
