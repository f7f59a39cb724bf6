"""A case says which room, meter or gateway it is about, in the list, on its page and in the file; no id is shown."""

from __future__ import annotations

import csv
import re
from uuid import UUID

import httpx

from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from tests.cloud.billing.conftest import Office
from tests.cloud.web.front import words_of
from tests.cloud.web.garden import place_meter, plan_gateway

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def report(garden: Office, object_kind: str, object_id: UUID) -> UUID:
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        return await cases.raise_case(
            unit,
            CaseReport(
                kind=CaseKind.ANOMALY,
                reason="jump",
                origin="test",
                object_kind=object_kind,
                object_id=object_id,
                community_id=garden.site.community_id,
                owner_role=OwnerRole.TECHNICIAN,
                detail_zh="读数跳变",
                detail_en="The register jumped",
            ),
        )


async def test_rooms_meters_and_gateways_are_named_and_others_told_apart(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    flat = garden.site.flats[0]
    meter = await place_meter(garden, flat, "E-2001")
    gateway = await plan_gateway(garden)
    payment = UUID(int=0xABCDEF)
    wanted = {
        "房屋 premises 1-1-101": await report(garden, "premises", flat[0]),
        "表具 meter E-2001 · 1-1-101": await report(garden, "meter", meter),
        "网关 gateway 1号楼弱电间": await report(garden, "gateway", gateway),
        "收款 payment …abcdef": await report(garden, "payment", payment),
    }
    listed = words_of(await manager.get("/cases"))
    filed = list(csv.reader((await manager.get("/cases/open.csv")).text.splitlines()))
    about = {row[6] for row in filed[1:]}
    for subject, case_id in wanted.items():
        page = words_of(await manager.get(f"/cases/{case_id}"))
        assert f"对象 About {subject}" in page
        assert not _ID.findall(page)
        assert subject in listed
        assert subject in about
