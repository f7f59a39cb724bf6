"""Photos of dials: one a comparison, bounded, whole or not there, shown on the meter's page and in the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from common.errors import RefusalError
from common.wire.commissioning import DialComparison
from edge.kiosk.commissioning import Compared
from edge.kiosk.photos import PHOTO_BYTES_MAX, PHOTOS_MAX, DialPhotos
from tests.edge.builders import HandClock, meter
from tests.edge.kiosk.test_pages import DEVICE, READ, Box, box

__all__ = ["box"]
PHOTO = b"\xff\xd8\xff\xe0 a dial"
PATH = f"/technician/meters/{DEVICE.meter_id}/photos/volume"
JPEG = {"content-type": "image/jpeg"}


def compared(number: int = 1) -> Compared:
    comparison = DialComparison(
        meter_id=meter(number), quantity="volume", dial_milli=152_000, read_milli=152_375, by="王工"
    )
    return Compared(at=HandClock().now(), comparison=comparison)


async def with_comparison(box: Box) -> None:
    await box.sign_in()
    box.lay_out(READ)
    box.board.meters[DEVICE.meter_id].outcome = READ
    form = {"quantity": "volume", "dial": "152", "by": "王工"}
    await box.browser.post(f"/technician/meters/{DEVICE.meter_id}/dial", data=form)


async def test_a_photo_stands_on_the_meters_page_and_in_the_report_until_the_dial_is_compared_anew(box: Box) -> None:
    await with_comparison(box)
    shown = f'<img class="snap" src="{PATH}"'
    assert shown not in (await box.browser.get("/technician/report")).text
    assert (await box.browser.get(PATH)).status_code == 404
    taken = await box.browser.post(PATH, content=PHOTO, headers=JPEG)
    assert shown in taken.text
    assert shown in (await box.browser.get("/technician/report")).text
    answer = await box.browser.get(PATH)
    assert (answer.content, answer.headers["content-type"]) == (PHOTO, "image/jpeg")
    box.clock.advance(timedelta(minutes=1))
    await with_comparison(box)
    assert shown not in (await box.browser.get("/technician/report")).text
    assert (await box.browser.get(PATH)).status_code == 404


async def test_nobody_sees_or_sends_a_photo_without_the_pin(box: Box) -> None:
    await with_comparison(box)
    box.browser.cookies.clear()
    assert "请输入 PIN" in (await box.browser.get(PATH)).text
    assert "请输入 PIN" in (await box.browser.post(PATH, content=PHOTO, headers=JPEG)).text
    assert not (box.home / "photos").exists()


@pytest.mark.parametrize(
    ("path", "body", "code", "why"),
    [
        (PATH, b"<svg onload=alert(1)>", 409, "no JPEG picture"),
        (PATH, b"", 409, "no JPEG picture"),
        (PATH, PHOTO + bytes(PHOTO_BYTES_MAX), 413, ""),
        (PATH.replace("volume", "power"), PHOTO, 409, "not compared yet"),
        (PATH.replace("volume", "..%2f..%2fkeys"), PHOTO, 404, ""),
    ],
)
async def test_what_is_no_small_photo_of_a_compared_dial_is_refused(
    box: Box, path: str, body: bytes, code: int, why: str
) -> None:
    await with_comparison(box)
    answer = await box.browser.post(path, content=body, headers=JPEG)
    assert answer.status_code == code
    assert why in answer.text
    assert not (box.home / "photos").exists()


async def test_a_photo_taken_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    photos, one = DialPhotos(tmp_path / "photos"), compared()
    await photos.keep(one, PHOTO)
    again = replace(one, at=one.at + timedelta(minutes=1))
    await photos.keep(again, PHOTO + b"2")
    assert (photos.of(one), photos.of(again)) == (None, PHOTO + b"2")
    assert photos.have({"first": one, "second": again}) == {"second"}
    assert len(list((tmp_path / "photos").iterdir())) == 1


async def test_the_number_of_photos_is_bounded_and_the_message_says_what_to_do(tmp_path: Path) -> None:
    photos = DialPhotos(tmp_path / "photos")
    await photos.keep(compared(), PHOTO)
    for number in range(PHOTOS_MAX - 1):
        (tmp_path / "photos" / f"{number}_volume.1.jpg").write_bytes(PHOTO)
    await photos.keep(compared(), PHOTO)
    with pytest.raises(RefusalError, match="clear photos/"):
        await photos.keep(compared(2), PHOTO)


async def test_a_folder_that_cannot_be_made_is_a_clear_refusal(tmp_path: Path) -> None:
    (tmp_path / "photos").write_text("somebody's file")
    with pytest.raises(RefusalError, match="look at the disk"):
        await DialPhotos(tmp_path / "photos").keep(compared(), PHOTO)
