"""What is going on: cases, cars, runs, corrections and deeds, as their own rows say, and of one company only."""

from __future__ import annotations

from uuid import UUID

import pytest

from cloud.billing import runs, tasks
from cloud.billing.events import RunRequested
from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.fleet import service as fleet
from cloud.insights import operations
from cloud.insights.operations import AuditQuestion
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.parking import service as parking
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office


@pytest.fixture
def routes() -> Routes:
    return {RunRequested: (tasks.bill_run_job,)}


async def report(office: Office, number: int, reason: str) -> None:
    found = CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=reason,
        origin="test",
        object_kind="premises",
        object_id=UUID(int=number),
        community_id=office.site.community_id,
        owner_role=OwnerRole.MANAGER,
        detail_zh="缺",
        detail_en="missing",
    )
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        case_id = await cases.raise_case(unit, found)
        if reason == "settled":
            await cases.close_case(unit, case_id, reason="done")


async def test_only_open_cases_are_counted_the_most_first(office: Office) -> None:
    for number, reason in enumerate(("no_price", "no_reading", "no_reading", "settled"), start=1):
        await report(office, number, reason)
    async with office.site.database.view(office.site.tenant) as session:
        found = await operations.open_cases(session, office.site.community_id)
    assert [(one.reason, one.open) for one in found] == [("no_reading", 2), ("no_price", 1)]


async def test_a_lot_is_shown_with_its_places_though_nobody_stands_in_it(office: Office) -> None:
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        gateway_id, _ = await fleet.create_gateway(unit, label="gate")
        for lot, spaces in (("east", 80), ("west", None)):
            await parking.add_lot(unit, office.site.community_id, lot=lot, gateway_id=gateway_id, spaces=spaces)
    async with office.site.database.view(office.site.tenant) as session:
        found = await operations.occupancy(session, office.site.community_id)
    assert [(one.lot, one.inside, one.spaces) for one in found] == [("east", 0, 80), ("west", 0, None)]


async def test_a_run_is_under_way_from_its_approval_and_only_for_its_period(office: Office) -> None:
    january, february = await office.period(0), await office.period(1)
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        await runs.request_run(unit, january)
    async with office.site.database.view(office.site.tenant) as session:
        under_way = [
            await operations.run_under_way(session, office.site.community_id, scope.cycle, scope.period_start)
            for scope in (january, february)
        ]
    assert under_way == [True, False]


async def test_corrections_are_listed_with_what_they_issued_the_newest_first(office: Office) -> None:
    flat = office.site.flats[0]
    office.set(flat, b.SERVICE, 0, 10_000)
    await office.bill_month(0)
    for fen in (9_000, 9_500):
        office.set(flat, b.SERVICE, 0, fen)
        await office.correct([flat], 0)
    async with office.site.database.view(office.site.tenant) as session:
        found = await operations.corrections(session, office.site.community_id, offset=0, limit=10)
        second = await operations.corrections(session, office.site.community_id, offset=1, limit=10)
    assert [(one.net_fen, one.documents, one.state) for one in found] == [(500, 1, "applied"), (-1_000, 1, "applied")]
    assert second == found[1:]


async def test_deeds_are_found_by_each_part_of_a_question_and_never_another_companys(
    office: Office, database: Database, other_tenant: TenantId
) -> None:
    first = office.clock.now()
    office.clock.advance(days=1)
    await report(office, 1, "no_price")
    questions = {
        "actor": AuditQuestion(actor="nobody"),
        "action": AuditQuestion(action="opened", object_kind="open_case"),
        "since": AuditQuestion(since=office.clock.now()),
        "until": AuditQuestion(until=office.clock.now(), object_kind="open_case"),
        "object": AuditQuestion(object_id=UUID(int=77)),
    }
    async with office.site.database.view(office.site.tenant) as session:
        counts = {
            name: len(await operations.audit_log(session, asked, offset=0, limit=50))
            for name, asked in questions.items()
        }
        newest = await operations.audit_log(session, AuditQuestion(), offset=0, limit=1)
    assert counts == {"actor": 0, "action": 1, "since": 1, "until": 0, "object": 0}
    assert newest[0].at > first
    assert newest[0].after == '{"kind": "exception", "reason": "no_price"}'
    async with database.view(other_tenant) as session:
        theirs = await operations.audit_log(session, AuditQuestion(object_kind="open_case"), offset=0, limit=50)
    assert theirs == ()
