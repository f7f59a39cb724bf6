"""Estimates on pages: allowed by a rule, decided by a person, corrected once the true reading came."""

from __future__ import annotations

import re
from datetime import UTC, date
from uuid import UUID

import httpx

from cloud.cases import service as cases
from cloud.metering.corrections import Correction, revise_reading
from cloud.web.estimates import DecisionForm
from common.civil import midnight
from common.ids import CommunityId, MeterId
from common.reading.reading import Quantity
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import send
from tests.cloud.web.front import words_of
from tests.cloud.web.garden import bill_months, place_meter

_SHA = re.compile(r'name="preview_sha" value="([0-9a-f]{64})"')


async def read(garden: Office, meter: UUID, day: date, value: int) -> None:
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        entered = Correction(
            community_id=garden.site.community_id,
            meter_id=MeterId(meter),
            quantity=Quantity.ENERGY_FORWARD,
            read_at=midnight(day, UTC),
            value_milli=value,
            reason="hand",
        )
        await revise_reading(unit, entered)


async def silent_meter(garden: Office) -> UUID:
    """Bill January; the meter of the first flat was read on two days of it and not at its end."""
    await bill_months(garden, 1, paid=1)
    meter = await place_meter(garden, garden.site.flats[0], "2001")
    await read(garden, meter, date(2026, 1, 2), 10_000)
    await read(garden, meter, date(2026, 1, 22), 50_000)
    garden.clock.advance(minutes=1)
    return meter


def decision(**changes: str) -> dict[str, str]:
    return {"day": "2026-02-01", "method": "recent", "value": "70", "reason": "门锁"} | changes


async def decided(garden: Office, manager: httpx.AsyncClient, meter: UUID) -> str:
    """Allow estimates, estimate the first of February, and return the page of the meter."""
    page = f"/estimates/{garden.site.community_id}/{meter}"
    rule = {"community": "GARDEN", "resource": "electricity", "days_max": "31"}
    allowed = await send(manager, "/estimates", "/estimates/rules", rule)
    assert allowed.headers["location"] == "/estimates?community=GARDEN&done=estimate-rule-decided"
    done = await send(manager, f"{page}?day=2026-02-01", page, decision())
    assert done.headers["location"] == "/estimates?community=GARDEN&done=estimate-decided"
    return page


async def test_a_missing_month_end_is_listed_and_estimated_only_under_a_rule(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    meter = await silent_meter(garden)
    page = f"/estimates/{garden.site.community_id}/{meter}"
    assert f"{page}?day=2026-02-01" in (await manager.get("/estimates")).text
    assert "规则不允许估读" in words_of(await manager.get(f"{page}?day=2026-02-01"))
    refused = await send(manager, "/estimates", page, decision())
    assert refused.status_code == 409
    await decided(garden, manager, meter)
    listed = await manager.get("/estimates")
    assert "按近期日均用量" in words_of(listed)
    assert "待真实读数" in words_of(listed)
    assert f"{page}?day=2026-02-01" not in listed.text


async def test_the_methods_show_their_figures(garden: Office, manager: httpx.AsyncClient) -> None:
    meter = await silent_meter(garden)
    await decided(garden, manager, meter)
    shown = words_of(await manager.get(f"/estimates/{garden.site.community_id}/{meter}?day=2026-02-01"))
    assert re.search(r"按近期日均用量 by the daily use of the days before ?: 70 ", shown)
    assert "2026-01-02 – 2026-01-22: 40" in shown


async def test_a_true_reading_leads_to_the_correction_of_the_bills_once(
    garden: Office, manager: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    meter = await silent_meter(garden)
    page = f"{await decided(garden, manager, meter)}/2026-02-01/correction"
    assert (await manager.get(page)).status_code == 422, "nothing came yet"
    form = f"/meters/{garden.site.community_id}/{meter}"
    await send(technician, form, f"{form}/reading", {"day": "2026-02-01", "value": "65", "reason": "现场"})
    garden.clock.advance(minutes=1)
    garden.set(garden.site.flats[0], b.ELECTRICITY, 0, 4_000)
    assert page in (await manager.get("/estimates")).text
    preview = await manager.get(page)
    sha = _SHA.search(preview.text)
    assert sha
    assert "-10.98" in preview.text
    done = await send(manager, page, page, {"preview_sha": sha[1]})
    assert done.headers["location"] == "/estimates?community=GARDEN&done=correction-applied"
    assert (await send(manager, page, page, {"preview_sha": sha[1]})).status_code == 409
    assert "估读转实读" in words_of(await manager.get("/corrections"))
    async with garden.site.database.view(garden.site.tenant) as session:
        assert await cases.open_about(session, [meter]) == ()


async def test_what_cannot_be_an_estimate_is_refused(garden: Office, manager: httpx.AsyncClient) -> None:
    meter = await silent_meter(garden)
    page = await decided(garden, manager, meter)
    for change in (
        {"value": "many"},
        {"value": ""},
        {"method": "guess"},
        {"reason": ""},
        {"day": "2031-01-01"},
        {"value": "71"},
    ):
        answer = await send(manager, "/estimates", page, decision(**change))
        assert answer.status_code in {400, 409, 422}, change
    rule = {"community": "GARDEN", "resource": "electricity", "days_max": "999"}
    assert (await send(manager, "/estimates", "/estimates/rules", rule)).status_code == 400
    gone = f"/estimates/{garden.site.community_id}/{garden.site.community_id}?day=2026-02-01"
    assert (await manager.get(gone)).status_code == 404


async def test_a_technician_decides_no_estimate(technician: httpx.AsyncClient) -> None:
    assert (await technician.get("/estimates")).status_code == 403


def test_a_form_says_what_it_decides() -> None:
    form = DecisionForm.model_validate(decision())
    wish = form.value_of(CommunityId(UUID(int=1)), MeterId(UUID(int=2)))
    assert (wish.day, wish.value_milli, wish.reason) == (date(2026, 2, 1), 70_000, "门锁")
