"""Cases: one open case for one thing, a history of deeds, closing with a reason, companies apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from cloud.cases import service as cases
from cloud.cases.case import CaseDeed, CaseKind, CaseReport, OwnerRole
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, NotFoundError
from common.errors import RefusalError
from common.ids import CaseId, CommunityId, TenantId
from tests.support.clock import SettableClock

REPORT = CaseReport(
    kind=CaseKind.EXCEPTION,
    reason="no_reading",
    origin="rating",
    object_kind="meter",
    object_id=UUID(int=7),
    subject="2026-01-01..2026-02-01",
    community_id=CommunityId(UUID(int=0xC0)),
    owner_role=OwnerRole.TECHNICIAN,
    detail_zh="缺少读数",
    detail_en="no reading",
)


async def raised(database: Database, tenant: TenantId, actor: Actor, report: CaseReport = REPORT) -> CaseId:
    async with database.unit(tenant, actor) as unit:
        return await cases.raise_case(unit, report)


async def test_the_same_report_twice_is_one_case(database: Database, tenant: TenantId, actor: Actor) -> None:
    first = await raised(database, tenant, actor)
    assert await raised(database, tenant, actor) == first
    async with database.view(tenant) as session:
        assert [one.case_id for one in await cases.open_cases(session)] == [first]
        assert [event.deed for event in await cases.case_history(session, first)] == [CaseDeed.OPENED]


async def test_news_about_an_open_case_are_noted_on_it(database: Database, tenant: TenantId, actor: Actor) -> None:
    first = await raised(database, tenant, actor)
    news = replace(REPORT, detail_en="still no reading", figures={"days": 3})
    assert await raised(database, tenant, actor, news) == first
    async with database.view(tenant) as session:
        assert (await cases.case(session, first)).detail_en == "still no reading"
        history = await cases.case_history(session, first)
    assert [event.deed for event in history] == [CaseDeed.OPENED, CaseDeed.SEEN_AGAIN]
    assert history[-1].figures == {"days": 3}


@pytest.mark.parametrize(
    "other",
    [{"subject": "2026-02-01..2026-03-01"}, {"object_id": UUID(int=8)}, {"reason": "no_price"}],
    ids=["another period", "another meter", "another reason"],
)
async def test_another_thing_is_another_case(
    database: Database, tenant: TenantId, actor: Actor, other: dict[str, str]
) -> None:
    first = await raised(database, tenant, actor)
    assert await raised(database, tenant, actor, replace(REPORT, **other)) != first  # type: ignore[arg-type]


async def test_a_case_is_closed_with_a_reason_once_and_may_be_opened_anew(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    first = await raised(database, tenant, actor)
    clock.advance(days=2)
    with pytest.raises(RefusalError):
        async with database.unit(tenant, actor) as unit:
            await cases.close_case(unit, first, reason=" ")
    async with database.unit(tenant, actor) as unit:
        await cases.close_case(unit, first, reason="read by hand")
    clock.advance(days=5)
    async with database.view(tenant) as session:
        closed = await cases.case(session, first)
        assert await cases.open_cases(session) == ()
    assert (closed.closing_reason, closed.age(clock.now())) == ("read by hand", timedelta(days=2))
    with pytest.raises(ConflictError):
        async with database.unit(tenant, actor) as unit:
            await cases.close_case(unit, first, reason="again")
    assert await raised(database, tenant, actor) != first


async def test_a_cause_that_is_gone_closes_its_cases_only(database: Database, tenant: TenantId, actor: Actor) -> None:
    await raised(database, tenant, actor)
    kept = await raised(database, tenant, actor, replace(REPORT, reason="held_reading"))
    async with database.unit(tenant, actor) as unit:
        closed = await cases.close_settled(
            unit, REPORT.object_id, reason_code="no_reading", subject=REPORT.subject, because="the reading came"
        )
    async with database.view(tenant) as session:
        assert [one.case_id for one in await cases.open_about(session, [REPORT.object_id])] == [kept]
        assert await cases.count_open(session, CommunityId(UUID(int=0xC0))) == 1
    assert closed == 1


async def test_a_case_is_passed_on_and_remarked_upon(database: Database, tenant: TenantId, actor: Actor) -> None:
    first = await raised(database, tenant, actor)
    async with database.unit(tenant, actor) as unit:
        await cases.assign_case(unit, first, owner_role=OwnerRole.MANAGER, owner_id=actor.id)
        await cases.note_on_case(unit, first, note="called the resident")
    with pytest.raises(RefusalError):
        async with database.unit(tenant, actor) as unit:
            await cases.note_on_case(unit, first, note="")
    async with database.view(tenant) as session:
        found = await cases.case(session, first)
        deeds = [event.deed for event in await cases.case_history(session, first)]
    assert (found.owner_role, found.owner_id) == (OwnerRole.MANAGER, actor.id)
    assert deeds == [CaseDeed.OPENED, CaseDeed.ASSIGNED, CaseDeed.NOTED]


async def test_another_company_sees_no_case_of_ours(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    first = await raised(database, tenant, actor)
    async with database.view(other_tenant) as session:
        assert await cases.open_cases(session) == ()
        with pytest.raises(NotFoundError):
            await cases.case(session, first)
    with pytest.raises(NotFoundError):
        async with database.unit(other_tenant, actor) as unit:
            await cases.close_case(unit, first, reason="not mine")


@pytest.mark.parametrize(
    "broken", [{"reason": ""}, {"detail_zh": ""}, {"detail_en": ""}, {"detail_en": "x" * 2_001}], ids=str
)
def test_a_report_that_says_nothing_is_refused(broken: dict[str, str]) -> None:
    with pytest.raises(RefusalError):
        replace(REPORT, **broken)  # type: ignore[arg-type]
