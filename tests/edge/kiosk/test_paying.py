"""Paying at the kiosk: a code while the cloud is there, an honest word while it is not, a receipt when settled."""

from __future__ import annotations

from typing import Any

import pytest

from edge.driver.printer import Printed
from edge.kiosk.dues import parse_dues
from edge.kiosk.qr import qr_svg
from tests.edge.kiosk.test_dues import body
from tests.edge.kiosk.test_pages import Box, box

__all__ = ["box"]
TOKEN = "Ab3dEf6hIj9kLm2nOp5qRs8t"  # noqa: S105 - of a bill made up for this test
ADDRESS = f"https://pay.example/pay/{TOKEN}"


def with_address() -> dict[str, Any]:
    dues = body()
    dues["rooms"][0]["bills"][0]["pay_address"] = ADDRESS
    return dues


@pytest.fixture
def paying(box: Box) -> Box:
    box.dues = parse_dues(with_address())
    return box


async def test_a_bill_is_found_by_room_and_code_and_leads_to_its_code(paying: Box) -> None:
    page = await paying.browser.post("/dues", data={"room": "1-2-301", "code": "4711"})
    assert f'href="/bill/{TOKEN}"' in page.text


async def test_while_the_cloud_is_there_the_code_is_shown_with_what_is_open(paying: Box) -> None:
    paying.till.open = 7_625
    page = await paying.browser.get(f"/bill/{TOKEN}")
    assert "76.25" in page.text
    assert "<svg" in page.text
    assert (await paying.browser.get(f"/bill/{TOKEN}/state")).json() == {"state": "open"}


async def test_while_the_cloud_is_away_there_is_no_code_and_nobody_is_told_it_is_paid(paying: Box) -> None:
    page = await paying.browser.get(f"/bill/{TOKEN}")
    assert "现在无法联网，不能缴费" in page.text
    assert "<svg" not in page.text
    assert (await paying.browser.get(f"/bill/{TOKEN}/state")).json() == {"state": "away"}
    assert "不要重复缴费" in (await paying.browser.post(f"/bill/{TOKEN}/receipt")).text
    assert paying.till.printed == []


async def test_a_receipt_is_recorded_then_printed_of_a_settled_bill_only(paying: Box) -> None:
    paying.till.open = 100
    assert "还没有缴清" in (await paying.browser.post(f"/bill/{TOKEN}/receipt")).text
    paying.till.open = 0
    assert "请取走凭条" in (await paying.browser.post(f"/bill/{TOKEN}/receipt")).text
    assert paying.till.recorded == [("B1", 7_625)]
    assert "电费".encode("gb18030") in paying.till.printed[0]
    assert (await paying.browser.get(f"/bill/{TOKEN}/state")).json() == {"state": "paid"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Printed.NO_PAPER, "缺纸"),
        (Printed.COVER_OPEN, "盖未关好"),
        (Printed.SILENT, "没有回答"),
        (Printed.NONE, "没有打印机"),
    ],
)
async def test_a_printer_that_cannot_print_is_said_with_what_to_do(paying: Box, answer: Printed, words: str) -> None:
    paying.till.open, paying.till.answer = 0, answer
    assert words in (await paying.browser.post(f"/bill/{TOKEN}/receipt")).text


@pytest.mark.parametrize("code", [ADDRESS, TOKEN, f"{ADDRESS}/", f" {ADDRESS}\r\n"])
async def test_a_scanned_bill_opens(paying: Box, code: str) -> None:
    paying.till.open = 7_625
    assert "76.25" in (await paying.browser.post("/bill", data={"code": code})).text


@pytest.mark.parametrize("code", ["", "https://evil.example/", "x" * 4_000, "6901234567892"])
async def test_another_code_opens_nothing_and_guesses_are_limited(paying: Box, code: str) -> None:
    for _ in range(3):
        assert (await paying.browser.post("/bill", data={"code": code})).status_code == 404
    assert (await paying.browser.post("/bill", data={"code": TOKEN})).status_code == 429


def test_a_code_is_drawn_as_svg() -> None:
    drawn = qr_svg(ADDRESS)
    assert drawn is not None
    assert drawn.startswith("<svg")
