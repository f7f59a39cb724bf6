"""A corrected reading: previewed without writing, approved once as seen, refused in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

import httpx
import pytest

from cloud.insights import collection
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import send
from tests.cloud.web.garden import bill_months, place_meter

_SHA = re.compile(r'name="preview_sha" value="([0-9a-f]{64})"')


def correction_form(meter: UUID, value: str = "123.4") -> dict[str, str]:
    return {"community": "GARDEN", "meter_id": str(meter), "day": "2026-02-01", "value": value, "reason": "看错一位"}


async def corrected_flat(garden: Office) -> tuple[UUID, str]:
    """Bill a month, let the first flat pay, change what its reading would cost; return its meter and its page."""
    await bill_months(garden, 1, paid=1)
    meter = await place_meter(garden, garden.site.flats[0], "2001")
    garden.set(garden.site.flats[0], b.ELECTRICITY, 0, 1_000)
    return meter, f"/corrections/reading?community=GARDEN&meter_id={meter}&day=2026-02-01"


async def test_a_preview_of_a_correction_shows_every_document_and_writes_nothing(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    meter, page = await corrected_flat(garden)
    preview = await send(manager, page, "/corrections/preview", correction_form(meter))
    assert preview.status_code == 200
    assert "-40.98" in preview.text
    assert "已付部分转入预存" in preview.text
    assert "还没有更正" in (await manager.get("/corrections")).text
    assert "没有读数" in (await manager.get(page)).text


async def test_an_approved_correction_issues_what_was_previewed_once(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    meter, page = await corrected_flat(garden)
    form = correction_form(meter)
    sha = _SHA.search((await send(manager, page, "/corrections/preview", form)).text)
    assert sha
    done = await send(manager, page, "/corrections/approval", {**form, "preview_sha": sha[1]})
    assert done.headers["location"] == "/corrections?community=GARDEN&done=correction-applied"
    twice = await send(manager, page, "/corrections/approval", {**form, "preview_sha": sha[1]})
    assert twice.status_code == 409
    listed = (await manager.get("/corrections")).text
    assert listed.count("看错一位") == 1
    assert "-40.98" in listed
    assert "123.4" in (await manager.get(page)).text
    async with garden.site.database.view(garden.site.tenant) as session:
        periods = await collection.by_period(session, garden.site.community_id, [b.MONTHS[0]])
    flat_fen = 18_000 + 1_500 + 4_321 + 777
    assert periods[0].collected.received_fen == flat_fen - 4_098
    assert await garden.ahead_fen(garden.site.flats[0]) == 4_098


async def test_approval_of_what_was_not_seen_changes_nothing(garden: Office, manager: httpx.AsyncClient) -> None:
    meter, page = await corrected_flat(garden)
    form = correction_form(meter)
    sha = _SHA.search((await send(manager, page, "/corrections/preview", form)).text)
    assert sha
    garden.set(garden.site.flats[0], b.ELECTRICITY, 0, 2_000)
    answer = await send(manager, page, "/corrections/approval", {**form, "preview_sha": sha[1]})
    assert answer.status_code == 409
    assert "还没有更正" in (await manager.get("/corrections")).text


async def test_a_correction_that_touches_no_bill_records_the_reading_alone(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    meter = await place_meter(garden, garden.site.flats[0], "2001")
    await garden.period(0)
    page = f"/corrections/reading?community=GARDEN&meter_id={meter}&day=2026-02-01"
    form = correction_form(meter, "55")
    preview = await send(manager, page, "/corrections/preview", form)
    assert "没有账单受影响" in preview.text
    sha = _SHA.search(preview.text)
    assert sha
    done = await send(manager, page, "/corrections/approval", {**form, "preview_sha": sha[1]})
    assert done.headers["location"] == "/corrections?community=GARDEN&done=correction-empty"
    assert "<strong>55</strong>" in (await manager.get(page)).text


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"value": "12,3"}, 400),
        ({"value": "-1"}, 400),
        ({"value": "1.2345"}, 400),
        ({"value": ""}, 422),
        ({"reason": " "}, 400),
        ({"day": "2031-01-01"}, 422),
        ({"meter_id": str(UUID(int=9))}, 404),
        ({"community": "NOWHERE"}, 404),
    ],
)
async def test_a_correction_that_cannot_be_is_refused(
    garden: Office, manager: httpx.AsyncClient, change: Mapping[str, str], status: int
) -> None:
    meter, page = await corrected_flat(garden)
    answer = await send(manager, page, "/corrections/preview", {**correction_form(meter), **change})
    assert answer.status_code == status, answer.text


async def test_meters_are_found_by_room(garden: Office, manager: httpx.AsyncClient) -> None:
    meter = await place_meter(garden, garden.site.flats[0], "2001")
    found = await manager.get("/corrections", params={"room": "1-1-101"})
    assert str(meter) in found.text
    assert "找不到这样的房号" in (await manager.get("/corrections", params={"room": "9-9"})).text
