"""Charges as an office makes them: an item in one form, a levy previewed, issued, withdrawn."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

import httpx
import pytest

from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Target, TargetKind
from common.ids import ChargeItemId
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import send
from tests.cloud.web.front import words_of


async def make_item(garden: Office, manager: httpx.AsyncClient, **changes: str) -> httpx.Response:
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="东方物业服务")
    form = {
        "code": "levy",
        "name_zh": "电梯大修",
        "name_en": "lift overhaul",
        "kind": "service",
        "basis": "one_off",
        "entity": str(entity),
        "starts": "2026-01-01",
        "text_zh": "三月大修",
        "text_en": "in March",
    }
    return await send(manager, "/charges", f"/charges/{garden.site.community_id}/items", form | changes)


async def draft(garden: Office, manager: httpx.AsyncClient, **changes: str) -> httpx.Response:
    page = await manager.get("/charges")
    item = re.search(r'<option value="([0-9a-f-]{36})">电梯大修', page.text)
    charge = re.search(r'name="charge_id" value="([0-9a-f-]{36})"', page.text)
    assert item
    assert charge
    form = {
        "charge_id": charge[1],
        "item": item[1],
        "name_zh": "一期分摊",
        "name_en": "first part",
        "sharing": "by_household",
        "amount": "1200.00",
        "start": "2026-03-01",
        "end": "2026-04-01",
        "due_on": "2026-04-15",
    }
    return await send(manager, "/charges", f"/charges/{garden.site.community_id}/one-offs", form | changes)


async def test_a_levy_is_made_previewed_issued_and_withdrawn(garden: Office, manager: httpx.AsyncClient) -> None:
    made = await make_item(garden, manager)
    assert made.headers["location"].startswith("/charges?")
    where = (await draft(garden, manager)).headers["location"]
    page = await manager.get(where)
    assert words_of(page).count("100.00") == 12
    sha = re.search(r'name="sha" value="([0-9a-f]{64})"', page.text)
    assert sha
    issued = await send(manager, where, f"{where}/issue", {"sha": sha[1]})
    assert issued.headers["location"] == f"{where}?done=charge-issued"
    assert "已出账 Issued" in words_of(await manager.get(where))
    later = await send(manager, where, f"{where}/next", {"amount": "600.00", "reference": "发票 2"})
    assert later.headers["location"].endswith("?done=charge-repeated")
    april = words_of(await manager.get(later.headers["location"]))
    assert april.count("50.00") == 12
    assert "发票 2" in april
    assert (await send(manager, where, f"{where}/next", {"amount": "6", "reference": ""})).status_code in {400, 422}
    back = await send(manager, where, f"{where}/withdraw", {"reason": "否决"})
    assert back.headers["location"] == f"{where}?done=charge-withdrawn"
    assert "已撤销" in words_of(await manager.get("/charges"))


async def test_a_draft_is_thrown_away_on_the_page(garden: Office, manager: httpx.AsyncClient) -> None:
    await make_item(garden, manager)
    where = (await draft(garden, manager)).headers["location"]
    await send(manager, where, f"{where}/drop", {})
    assert "已放弃" in words_of(await manager.get(where))


async def test_what_stops_a_levy_is_shown_and_it_cannot_be_approved(garden: Office, manager: httpx.AsyncClient) -> None:
    await make_item(garden, manager)
    page = await manager.get((await draft(garden, manager, sharing="by_area")).headers["location"])
    assert "先解决这些" in page.text
    assert 'name="sha"' not in page.text


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"amount": "plenty"}, 422), ({"amount": "0"}, 400), ({"end": "2026-03-01"}, 422), ({"building": "x"}, 303)],
)
async def test_a_form_filled_in_wrongly_is_refused_in_words(
    garden: Office, manager: httpx.AsyncClient, changes: dict[str, str], status: int
) -> None:
    await make_item(garden, manager)
    assert (await draft(garden, manager, **changes)).status_code == status


async def test_a_charge_of_nowhere_is_not_found(garden: Office, manager: httpx.AsyncClient) -> None:
    nowhere = f"/charges/{garden.site.community_id}/{garden.site.community_id}"
    assert (await manager.get(nowhere)).status_code == 404


async def test_a_price_is_switched_for_a_holiday_and_the_former_holds_again_afterwards(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    await make_item(
        garden, manager, code="hall", name_zh="活动室", basis="flat", amount="31.00", text_zh="", text_en=""
    )
    item = re.search(r'<option value="([0-9a-f-]{36})">活动室', (await manager.get("/charges")).text)
    assert item
    form = {
        "item": item[1],
        "name_zh": "春节优惠",
        "name_en": "festival",
        "start": "2026-02-11",
        "end": "2026-02-21",
        "amount": "62.00",
        "text_zh": "春节期间",
        "text_en": "during the festival",
    }
    where = f"/charges/{garden.site.community_id}/switches"
    assert (await send(manager, "/charges", where, form | {"amount": ""})).status_code == 422
    assert (await send(manager, "/charges", where, form | {"end": "2026-02-11"})).status_code == 422
    done = await send(manager, "/charges", where, form)
    assert done.headers["location"] == "/charges?community=GARDEN&done=price-switched"
    assert (await send(manager, "/charges", where, form)).status_code == 409
    async with garden.site.database.view(garden.site.tenant) as session:
        book = await tariffs.price_book(session, garden.site.community_id, garden.clock.now())
    everybody = [Target(kind=TargetKind.COMMUNITY)]
    held = [
        book.assignments.assigned(ChargeItemId(UUID(item[1])), everybody, date(2026, 2, day)) for day in (10, 15, 21)
    ]
    assert held[0] is not None
    assert held[1] is not None
    assert held[2] is not None
    assert held[0].tariff_id == held[2].tariff_id != held[1].tariff_id
