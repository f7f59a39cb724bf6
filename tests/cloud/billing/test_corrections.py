"""Corrections on the real database: every affected bill, paid or not, once, and only what differs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from cloud.billing import corrections, service
from cloud.billing.corrections import Cause, CorrectionScope
from cloud.billing.documents import BillSummary
from cloud.billing.errors import CaseClosedError, PreviewChangedError
from cloud.billing.lines import BillKind
from cloud.kit.errors import NotFoundError
from cloud.ledger.journals import LineRef
from common.errors import RefusalError
from common.ids import CaseId, PremisesId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office


async def three_months(office: Office) -> b.Flat:
    for month in range(3):
        for flat in office.site.flats:
            office.set(flat, b.ELECTRICITY, month, 1000)
            office.set(flat, b.SERVICE, month, 250)
        await office.bill_month(month)
    return office.site.flats[0]


async def facts(office: Office, query: str) -> list[tuple[object, ...]]:
    async with office.site.database.view(office.site.tenant) as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def opened(office: Office, flat: b.Flat, month: int = 0) -> CaseId:
    scope = CorrectionScope(
        community_id=office.site.community_id, premises=frozenset({flat[0]}), first_day=b.MONTHS[month].start
    )
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        return await corrections.open_correction(unit, scope, cause=Cause.READING, reason="misread")


async def previewed(office: Office, case_id: CaseId) -> corrections.CorrectionPreview:
    async with office.site.database.view(office.site.tenant) as session:
        return await corrections.preview(session, office.book, case_id, office.clock.now())


async def applied(office: Office, case_id: CaseId, sha: bytes) -> tuple[BillSummary, ...]:
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        return await corrections.apply(unit, office.book, case_id, preview_sha=sha)


async def test_a_wrong_reading_is_one_document_that_names_every_line_it_corrects(office: Office) -> None:
    flat = await three_months(office)
    office.set(flat, b.ELECTRICITY, 0, 700)
    office.set(flat, b.ELECTRICITY, 1, 1300)
    (document,) = await office.correct([flat], 0)
    assert (document.kind, document.total_fen) == (BillKind.ADJUSTMENT, 0)
    assert document.number == "GARDEN-A2026-000001"
    async with office.site.database.view(office.site.tenant) as session:
        view = await service.bill(session, document.bill_id)
        firsts = [await service.bill(session, v.line.corrects.bill_id) for v in view.lines if v.line.corrects]
    assert [(v.line.fen, v.line.key.service_start.month) for v in view.lines] == [(-300, 1), (300, 2)]
    assert [first.summary.period for first in firsts] == [b.MONTHS[0], b.MONTHS[1]]
    assert firsts[0].lines[0].corrected_by == (LineRef(bill_id=document.bill_id, n=1),)
    assert [v.open_fen for v in firsts[0].lines] == [700, 250]


async def test_a_paid_bill_is_credited_too_and_what_is_overpaid_is_paid_ahead(office: Office) -> None:
    flat = await three_months(office)
    await office.pay(flat, "all")
    office.set(flat, b.ELECTRICITY, 0, 700)
    await office.correct([flat], 0)
    assert await office.open_fen(flat) == []
    assert await office.ahead_fen(flat) == 300


async def test_a_partly_paid_line_frees_only_what_is_above_what_stands(office: Office) -> None:
    flat = await three_months(office)
    await office.pay(flat, "all")
    office.set(flat, b.ELECTRICITY, 0, 1200)
    await office.correct([flat], 0)
    assert await office.open_fen(flat) == [200]
    office.set(flat, b.ELECTRICITY, 0, 900)
    await office.correct([flat], 0)
    assert await office.open_fen(flat) == []
    assert await office.ahead_fen(flat) == 100


async def test_running_a_correction_again_writes_nothing(office: Office) -> None:
    flat = await three_months(office)
    office.set(flat, b.ELECTRICITY, 0, 700)
    case_id = await opened(office, flat)
    seen = await previewed(office, case_id)
    first = await applied(office, case_id, seen.sha)
    counts = "select (select count(*) from bill), (select count(*) from transfer), (select count(*) from audit)"
    before = await facts(office, counts)
    assert await applied(office, case_id, seen.sha) == first
    assert await facts(office, counts) == before
    assert await office.correct([flat], 0) == ()
    assert (await facts(office, counts))[0][:2] == before[0][:2]


async def test_eight_clerks_apply_one_correction_and_one_document_stands(office: Office) -> None:
    flat = await three_months(office)
    office.set(flat, b.ELECTRICITY, 0, 700)
    case_id = await opened(office, flat)
    seen = await previewed(office, case_id)
    outcomes = []

    async def clerk() -> None:
        outcomes.append(await applied(office, case_id, seen.sha))

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(clerk())
    assert len(set(outcomes)) == 1
    assert await facts(office, "select count(*) from bill where kind = 'adjustment'") == [(1,)]


async def test_two_corrections_of_one_account_at_once_take_back_once(office: Office) -> None:
    flat = await three_months(office)
    office.set(flat, b.ELECTRICITY, 0, 700)
    case_ids = [await opened(office, flat) for _ in range(2)]
    seen = await previewed(office, case_ids[0])
    outcomes = []

    async def clerk(case_id: CaseId) -> None:
        try:
            outcomes.append(len(await applied(office, case_id, seen.sha)))
        except PreviewChangedError:
            outcomes.append(0)

    async with asyncio.TaskGroup() as group:
        for case_id in case_ids:
            group.create_task(clerk(case_id))
    assert sorted(outcomes) == [0, 1]
    assert (await office.open_fen(flat))[0] == 700


async def test_what_changed_since_the_preview_is_not_applied(office: Office) -> None:
    flat = await three_months(office)
    office.set(flat, b.ELECTRICITY, 0, 700)
    case_id = await opened(office, flat)
    seen = await previewed(office, case_id)
    office.set(flat, b.ELECTRICITY, 0, 701)
    with pytest.raises(PreviewChangedError):
        await applied(office, case_id, seen.sha)
    assert await facts(office, "select count(*) from bill where kind = 'adjustment'") == [(0,)]


async def test_nothing_outside_the_scope_moves(office: Office) -> None:
    flat = await three_months(office)
    for other in office.site.flats:
        office.set(other, b.ELECTRICITY, 0, 1)
        office.set(other, b.ELECTRICITY, 2, 1)
    (document,) = await office.correct([flat], 1)
    async with office.site.database.view(office.site.tenant) as session:
        view = await service.bill(session, document.bill_id)
    assert view.account.premises_id == flat[0]
    assert [v.line.key.service for v in view.lines] == [b.MONTHS[2]]


async def test_an_unknown_reading_is_never_taken_back_as_a_zero(office: Office) -> None:
    flat = await three_months(office)
    office.book.unknown.add((flat[0], b.ELECTRICITY, b.MONTHS[0].start))
    office.book.unknown.add((flat[0], b.SERVICE, b.MONTHS[0].start))
    case_id = await opened(office, flat)
    seen = await previewed(office, case_id)
    assert seen.adjustments == ()
    assert {e.charge_item_id for e in seen.exceptions} == {b.ELECTRICITY.id, b.SERVICE.id}


async def test_a_period_that_is_still_due_is_left_to_its_run(office: Office) -> None:
    flat = await three_months(office)
    for each in office.site.flats:
        office.set(each, b.ELECTRICITY, 3, 400)
    scope = await office.period(3)
    assert await office.correct([flat], 0) == ()
    report, _ = await office.run(scope)
    assert report.issued == 4


async def test_a_sale_made_known_later_moves_the_days_to_the_buyer_and_no_run_bills_them_again(office: Office) -> None:
    flat = await three_months(office)
    buyer = await office.sell(flat, b.MONTHS[2].start)
    for item, fen in ((b.ELECTRICITY, 1000), (b.SERVICE, 250)):
        del office.book.amounts[flat, item, b.MONTHS[2]]
        office.set(buyer, item, 2, fen)
    documents = await office.correct([flat], 2)
    assert sorted(document.total_fen for document in documents) == [-1250, 1250]
    assert sum(await office.open_fen(flat)) == 2500
    assert sorted(await office.open_fen(buyer)) == [250, 1000]
    (report, *_) = await office.run(await office.period(2))
    assert report.issued == 0


async def test_late_usage_of_a_billed_month_is_billed_by_the_same_road(office: Office) -> None:
    flat = await three_months(office)
    office.set(flat, b.WATER, 1, 320)
    (document,) = await office.correct([flat], 0)
    assert document.total_fen == 320
    async with office.site.database.view(office.site.tenant) as session:
        (view,) = (await service.bill(session, document.bill_id)).lines
    assert view.line.corrects is None
    assert view.open_fen == 320


async def test_an_adjustment_is_due_after_its_own_issue(office: Office) -> None:
    flat = await three_months(office)
    office.set(flat, b.WATER, 1, 320)
    (document,) = await office.correct([flat], 0)
    assert document.due_on == document.issued_on + timedelta(days=15)


async def test_a_dropped_correction_issues_nothing(office: Office) -> None:
    flat = await three_months(office)
    case_id = await opened(office, flat)
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        await corrections.drop(unit, case_id)
    with pytest.raises(CaseClosedError):
        await applied(office, case_id, bytes(32))


async def test_a_correction_without_reason_or_premises_is_refused(office: Office) -> None:
    community_id = office.site.community_id
    for premises, reason in ((frozenset({office.site.flats[0][0]}), " "), (frozenset[PremisesId](), "misread")):
        scope = CorrectionScope(community_id=community_id, premises=premises, first_day=b.START)
        async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
            with pytest.raises(RefusalError):
                await corrections.open_correction(unit, scope, cause=Cause.DISPUTE, reason=reason)


async def test_a_correction_that_does_not_exist_is_not_found(office: Office) -> None:
    with pytest.raises(NotFoundError):
        await previewed(office, CaseId(office.site.community_id))
