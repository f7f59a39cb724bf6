"""A company for the manager's pages: a community with two buildings, its people, bills, cases and a gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from fastapi import FastAPI

from cloud.api import build_api
from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind, PartyKind, PremisesKind, Role
from cloud.estate.values import NewPremises
from cloud.fleet import service as fleet
from cloud.kit.db import Database, Unit
from cloud.parking import service as parking
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass, Nature
from cloud.tariffs.service import RevisionDraft
from cloud.web.frame import Parts
from cloud.web.pages import build_web
from common.ids import BuildingId, CaseId, ChargeItemId, CommunityId, GatewayId, MeterId
from common.reading.reading import Resource
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.rating import documents
from tests.support import api
from tests.support.clock import SettableClock

NAMES = ("王小明", "李华", "张伟", "刘洋", "陈静", "杨帆", "赵磊", "黄丽", "周杰", "吴敏", "徐强", "孙悦")


@asynccontextmanager
async def running_pages(database: Database, folder: Path, book: b.PriceBook) -> AsyncIterator[FastAPI]:
    """Build the whole application, with prices by hand behind its pages."""
    async with api.running_services(database, folder) as services:
        app = build_api(services)
        app.router.default = build_web(
            Parts(
                database=services.database,
                passwords=services.passwords,
                cashier=services.cashier,
                mandates=services.mandates,
                press=services.press,
                rate=book,
                secret_box=services.secret_box,
                seal_keeper=services.seal_keeper,
                public_url=services.public_url,
                secure_cookies=services.secure_cookies,
                plain_mail_hosts=services.message_urls.plain_mail_hosts,
            )
        )
        yield app


async def open_garden(database: Database, worker_database: Database, unit: Unit, clock: SettableClock) -> Office:
    """Build a community of twelve: flats in two buildings, the last one a space in none."""
    community_id = await estate.create_community(unit, code="GARDEN", name="花园小区", starts=b.START, zone="UTC")
    houses = [await estate.add_building(unit, community_id, code=str(n), name=f"{n}号楼") for n in (1, 2)]
    flats = []
    for number, name in enumerate(NAMES[:-1]):
        place = number % 2
        flats.append(await _flat(unit, community_id, houses[place], f"{place + 1}-1-{101 + number}", name))
    flats.append(await _flat(unit, community_id, None, "P-001", NAMES[-1]))
    site = b.Site(
        database=database,
        worker_database=worker_database,
        tenant=unit.tenant,
        actor=unit.actor,
        community_id=community_id,
        flats=tuple(flats),
    )
    return Office(site, clock)


async def _flat(unit: Unit, community_id: CommunityId, house: BuildingId | None, label: str, name: str) -> b.Flat:
    kind = PremisesKind.SPACE if house is None else PremisesKind.RESIDENCE
    premises_id = await estate.add_premises(
        unit, community_id, NewPremises(label=label, kind=kind, effective_from=b.START, building_id=house)
    )
    party_id = await estate.add_party(unit, kind=PartyKind.PERSON, name=name)
    await estate.relate(unit, party_id=party_id, premises_id=premises_id, role=Role.OWNER, starts=b.START)
    return premises_id, party_id


async def bill_months(office: Office, months: int, *, paid: int) -> None:
    """Bill some months; in each the first flats pay everything."""
    for month in range(months):
        for number, flat in enumerate(office.site.flats, start=1):
            office.set(flat, b.SERVICE, month, 18_000 + 1_500 * number)
            office.set(flat, b.ELECTRICITY, month, 4_321 + 777 * ((number + month) % 5))
        await office.bill_month(month)
        for flat in office.site.flats[: paid - month]:
            await office.pay(flat, f"{month}-{flat[0]}")


async def place_meter(office: Office, flat: b.Flat, serial: str) -> MeterId:
    """Install an electricity meter in a flat."""
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        meter_id = await fleet.add_meter(unit, serial=serial, resource=Resource.ELECTRICITY)
        await fleet.install_meter(
            unit, meter_id=meter_id, community_id=office.site.community_id, premises_id=flat[0], start=b.START
        )
    return meter_id


async def report_case(office: Office, flat: b.Flat, reason: str, kind: CaseKind = CaseKind.EXCEPTION) -> CaseId:
    """Open a case about a flat."""
    report = CaseReport(
        kind=kind,
        reason=reason,
        origin="rating",
        object_kind="premises",
        object_id=flat[0],
        community_id=office.site.community_id,
        owner_role=OwnerRole.TECHNICIAN,
        detail_zh="电表 2001 在 2026-02-01 零点没有读数，本期无法计量。",
        detail_en="Meter 2001 has no reading at midnight of 2026-02-01; the period cannot be measured.",
    )
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        return await cases.raise_case(unit, report)


async def plan_gateway(office: Office) -> GatewayId:
    """Plan a gateway."""
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        gateway_id, _ = await fleet.create_gateway(unit, label="1号楼弱电间")
    return gateway_id


async def add_lot(office: Office, gateway_id: GatewayId) -> None:
    """Register a car park of eighty places."""
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        await parking.add_lot(unit, office.site.community_id, lot="东门车场", gateway_id=gateway_id, spaces=80)


async def add_prices(office: Office) -> None:
    """Record a charge item and two revisions of a tariff."""
    community_id = office.site.community_id
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="东方物业服务")
        await tariffs.add_charge_item(
            unit,
            ChargeItem(
                charge_item_id=ChargeItemId(unit.new_id()),
                community_id=community_id,
                code="service",
                name_zh="物业服务费",
                name_en="property service fee",
                basis=ChargeBasis.AREA,
                resource=None,
                nature=Nature.REVENUE,
                fund_class=FundClass.OPERATING,
                legal_entity_id=entity,
                tax_code="3040801",
                tax_rate_micro=60_000,
                bears_late_charge=True,
            ),
        )
        for year, price in ((2025, "1.80"), (2026, "2.00")):
            draft = RevisionDraft(
                community_id=community_id,
                document=documents.area_fee(price),
                effective_from=date(year, 1, 1),
                basis_document="业主大会决议",
                decided_by="owners",
            )
            await tariffs.record_revision(unit, draft)
