"""Late charges and relief on pages."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import httpx
from fastapi import FastAPI

from cloud.charges import making, service
from cloud.charges.making import NewCharge, Price
from cloud.charges.rules import ChargeKind
from cloud.charges.values import Coverage, NewOneOff, Sharing
from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.identity.policy import RoleName
from cloud.tariffs.charge import ChargeBasis
from common.ids import ChargeItemId
from tests.cloud.arrears.conftest import RULE
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import reading, send, sign_in
from tests.cloud.web.front import words_of
from tests.support import api


async def bill_late(garden: Office) -> None:
    """Issue a hundred yuan to everybody, due on 1 March, with a rule for late charges; it is 15 April."""
    site = garden.site
    async with site.database.unit(site.tenant, site.actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="东方物业服务")
        items = []
        for code, kind, basis, price in (
            ("late", ChargeKind.LATE, ChargeBasis.LATE, Price(document=RULE)),
            ("levy", ChargeKind.SERVICE, ChargeBasis.ONE_OFF, Price()),
        ):
            new = NewCharge(
                charge_item_id=ChargeItemId(unit.new_id()),
                community_id=site.community_id,
                code=code,
                name_zh=code,
                name_en=code,
                kind=kind,
                basis=basis,
                legal_entity_id=entity,
                price=price,
                starts=b.START,
            )
            items.append(await making.make_charge(unit, new))
        levy = NewOneOff(
            charge_id=unit.new_id(),
            community_id=site.community_id,
            charge_item_id=items[1].charge_item_id,
            name_zh="消杀",
            name_en="disinfection",
            sharing=Sharing.EACH,
            amount_fen=10_000,
            coverage=Coverage(),
            service=b.MONTHS[1],
            due_on=date(2026, 3, 1),
        )
        await service.draft(unit, levy)
        seen = await service.preview(unit.session, levy.charge_id)
        await service.issue(unit, levy.charge_id, preview_sha=seen.sha)
    garden.clock.set(datetime(2026, 4, 15, 4, tzinfo=UTC))


async def test_late_charges_are_seen_approved_and_one_is_waived_by_another(
    garden: Office, manager: httpx.AsyncClient, garden_app: FastAPI
) -> None:
    await bill_late(garden)
    page = await manager.get("/arrears")
    assert words_of(page).count("2.25") == 24
    sha = re.search(r'name="sha" value="([0-9a-f]{64})"', page.text)
    assert sha
    made = await send(manager, "/arrears", f"/arrears/{garden.site.community_id}/charge", {"sha": sha[1]})
    assert made.headers["location"] == "/arrears?community=GARDEN&done=late-charged"
    account = await garden.account(garden.site.flats[0])
    where = f"/arrears/{garden.site.community_id}/accounts/{account}"
    lines = (await manager.get(where)).text
    late = lines[lines.index("late") :]
    form = {name: re.search(rf'name="{name}" value="([^"]+)"', late) for name in ("relief_id", "bill_id", "n")}
    wish = {name: found[1] for name, found in form.items() if found} | {
        "kind": "waiver",
        "amount": "2.25",
        "reason": "银行延误",
    }
    code = await api.add_person(garden.site.database, garden.site.tenant, "cash", RoleName.CASHIER)
    async with reading(garden_app) as cashier:
        await sign_in(cashier, code)
        asked = await send(cashier, where, where, wish)
        assert asked.headers["location"] == "/arrears?community=GARDEN&done=relief-asked"
        assert "批准" not in words_of(await cashier.get("/arrears")).split("违约金", 2)[1]
    verdict = f"/arrears/{garden.site.community_id}/reliefs/{wish['relief_id']}"
    done = await send(manager, "/arrears", verdict, {"verdict": "true"})
    assert done.headers["location"] == "/arrears?community=GARDEN&done=relief-decided"
    assert await garden.open_fen(garden.site.flats[0]) == [10_000]


async def test_a_letter_of_arrears_is_written_from_the_page_of_an_account_and_listed_there(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    await bill_late(garden)
    account = await garden.account(garden.site.flats[0])
    page = f"/arrears/{garden.site.community_id}/accounts/{account}"
    assert "出具催缴函" in words_of(await manager.get(page))
    written = await send(manager, page, f"{page}/letter", {})
    paper = written.headers["location"]
    assert paper.startswith("/papers/")
    assert "催缴函" in words_of(await manager.get(paper))
    again = await send(manager, page, f"{page}/letter", {})
    assert again.headers["location"] == paper
    assert f'href="{paper}"' in (await manager.get(page)).text
    file = await manager.get(f"{paper}/file")
    assert file.content.startswith(b"%PDF-")
