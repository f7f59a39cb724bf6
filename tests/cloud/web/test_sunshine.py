"""The sunshine ledger on a page: entries with evidence, announcements, and who may read."""

from __future__ import annotations

import re

import httpx
from fastapi import FastAPI

from cloud.charges import announcing, making
from cloud.charges.making import NewCharge, Words
from cloud.charges.rules import ChargeKind
from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.identity.policy import RoleName
from cloud.tariffs.charge import ChargeBasis
from common.ids import ChargeItemId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import reading, send, sign_in
from tests.cloud.web.front import words_of
from tests.support import api


async def add_adverts(garden: Office) -> None:
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.OWNERS_COMMITTEE, name="业委会")
        new = NewCharge(
            charge_item_id=ChargeItemId(unit.new_id()),
            community_id=garden.site.community_id,
            code="adverts",
            name_zh="电梯广告",
            name_en="lift adverts",
            kind=ChargeKind.COMMON_INCOME,
            basis=ChargeBasis.ONE_OFF,
            legal_entity_id=entity,
            starts=b.START,
            words=Words(text_zh="广告收入归全体业主", text_en="adverts belong to all owners"),
        )
        await making.make_charge(unit, new)
        assert await announcing.groups(unit.session, garden.site.community_id) == ()


async def test_an_entry_is_booked_and_a_resident_reads_it_with_its_evidence(
    garden: Office, manager: httpx.AsyncClient, garden_app: FastAPI
) -> None:
    await add_adverts(garden)
    page = await manager.get("/sunshine")
    item = re.search(r'<option value="([0-9a-f-]{36})">电梯广告', page.text)
    entry = re.search(r'name="entry_id" value="([0-9a-f-]{36})"', page.text)
    assert item
    assert entry
    form = {
        "entry_id": entry[1],
        "item": item[1],
        "kind": "income",
        "amount": "8000.00",
        "day": "2026-01-01",
        "words_zh": "一季度租金",
        "words_en": "first quarter",
        "evidence": "合同 7 号",
    }
    done = await send(manager, "/sunshine", f"/sunshine/{garden.site.community_id}", form)
    assert done.headers["location"] == "/sunshine?community=GARDEN&year=2026&done=entry-booked"
    owner = garden.site.flats[0][1]
    code = await api.add_person(garden.site.database, garden.site.tenant, "owner", RoleName.RESIDENT, party=owner)
    async with reading(garden_app) as resident:
        await sign_in(resident, code)
        words = words_of(await resident.get("/sunshine"))
        assert "8,000.00" in words
        assert "合同 7 号" in words
        assert "广告收入归全体业主" in words
        assert 'name="entry_id"' not in (await resident.get("/sunshine")).text
        assert (await resident.get("/sunshine", params={"community": "FAR"})).status_code == 404


async def test_somebody_of_no_community_is_told_whom_to_ask(garden: Office, garden_app: FastAPI) -> None:
    code = await api.add_person(garden.site.database, garden.site.tenant, "nobody", RoleName.RESIDENT)
    async with reading(garden_app) as browser:
        await sign_in(browser, code)
        assert "请联系物业办公室" in words_of(await browser.get("/sunshine"))
