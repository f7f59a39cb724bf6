"""A run by column issues to the fen and to the word what rating by value says, and leaves to it what is not plain."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from cloud.billing import runs, service
from cloud.billing.lines import BillDraft
from cloud.billing.runs import rater_for
from cloud.estate import service as estate
from cloud.estate.kinds import Fact, PartyKind
from cloud.ledger import auditing
from cloud.metering.corrections import Correction, revise_reading
from cloud.rating.column_run import prepare
from cloud.rating.service import rate_period, replayed
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Effect, Target, TargetKind
from cloud.tariffs.service import AssignmentDraft
from common.civil import midnight
from common.ids import AccountId, MeterId, PremisesId
from common.reading.reading import Quantity
from tests.bench.billing_town import NOW, PERIOD, STARTS, ZONE
from tests.cloud.hamlet import HOUSEHOLDS, Hamlet

RECORDED_BEFORE = timedelta(hours=2)


def without_input(draft: BillDraft) -> BillDraft:
    """Leave out the name of the input, which is one for many households by column and one for each by value."""
    return replace(draft, lines=tuple(replace(line, input_sha="") for line in draft.lines))


def same(left: dict[AccountId, BillDraft], right: dict[AccountId, BillDraft]) -> None:
    assert left.keys() == right.keys()
    for account_id, draft in left.items():
        ours, theirs = without_input(draft), without_input(right[account_id])
        assert ours.lines == theirs.lines
        assert [line.trace for line in ours.lines] == [line.trace for line in theirs.lines]


async def meter_of(hamlet: Hamlet, premises_id: PremisesId, resource: str) -> MeterId:
    async with hamlet.database.view(hamlet.tenant) as session:
        statement = text(
            "select meter_id from meter_installation join meter using (tenant_id, meter_id)"
            " where premises_id = :premises and resource = :resource"
        )
        found = await session.execute(statement, {"premises": premises_id, "resource": resource})
        return MeterId(found.scalar_one())


async def test_every_line_by_column_is_the_line_by_value_with_its_explanation(hamlet: Hamlet) -> None:
    foretold = await hamlet.foretold()
    report, _ = await hamlet.run()
    assert (report.issued, report.exceptions, report.waiting) == (HOUSEHOLDS, 0, 0)
    assert report.total_fen == sum(bill.total_fen for bill in foretold.values())
    assert await hamlet.by_column() == HOUSEHOLDS
    assert {len(bill.lines) for bill in foretold.values()} == {6}
    same(await hamlet.issued(), foretold)


async def test_what_is_not_plain_is_rated_by_value_in_the_same_run(hamlet: Hamlet) -> None:
    corrected, sold, half_a_person, exempt, *_ = hamlet.premises
    meter = await meter_of(hamlet, corrected, "water")
    hamlet.clock.set(NOW - RECORDED_BEFORE)
    async with hamlet.database.unit(hamlet.tenant, hamlet.actor) as unit:
        await revise_reading(
            unit,
            Correction(
                community_id=hamlet.community_id,
                meter_id=meter,
                quantity=Quantity.VOLUME,
                read_at=midnight(PERIOD.end, ZONE),
                value_milli=9_000_000,
                reason="misread",
            ),
        )
        seller = (await estate.relations_of(unit.session, sold))[0].party_id
        buyer = await estate.add_party(unit, kind=PartyKind.ORGANISATION, name="buyer")
        await estate.sell(unit, premises_id=sold, from_party=seller, to_party=buyer, day=date(2026, 3, 11))
        await estate.record_fact(unit, half_a_person, fact=Fact.PERSONS, effective_from=STARTS, value_milli=3_500)
        items = {item.code: item for item in await tariffs.charge_items(unit.session, hamlet.community_id)}
        await tariffs.assign(
            unit,
            AssignmentDraft(
                community_id=hamlet.community_id,
                charge_item_id=items["gas"].charge_item_id,
                target=Target(kind=TargetKind.PREMISES, key=str(exempt)),
                effective_from=STARTS,
                effect=Effect.EXEMPT,
            ),
        )
        await service.oblige_payers(unit, hamlet.scope)
    hamlet.clock.set(NOW)
    foretold = await hamlet.foretold()
    report, _ = await hamlet.run()
    assert report.issued == len(foretold) == HOUSEHOLDS + 1
    assert await hamlet.by_column() == HOUSEHOLDS - 3
    same(await hamlet.issued(), foretold)


async def test_a_second_run_finds_nothing_due_and_prepares_nothing(hamlet: Hamlet) -> None:
    await hamlet.run()
    report, rater = await hamlet.run()
    assert (report.issued, report.after, rater.columns) == (0, None, None)


async def test_the_journals_of_a_run_by_column_stand_every_check_of_the_audit(hamlet: Hamlet) -> None:
    await hamlet.run()
    async with hamlet.database.view(hamlet.tenant) as session:
        found = await auditing.audit(session, hamlet.community_id)
    assert found.breaches == ()
    assert found.journals == HOUSEHOLDS


async def test_an_input_by_column_gives_all_its_lines_again(hamlet: Hamlet) -> None:
    await hamlet.run()
    issued = await hamlet.issued()
    (sha,) = {line.input_sha for bill in issued.values() for line in bill.lines}
    async with hamlet.database.view(hamlet.tenant) as session:
        lines = await replayed(session, hamlet.community_id, sha)
    assert sum(line.amount_fen for line in lines) == sum(bill.total_fen for bill in issued.values())


async def test_the_hash_of_a_document_by_column_is_that_of_its_lines(hamlet: Hamlet) -> None:
    await hamlet.run()
    issued = await hamlet.issued()
    async with hamlet.database.view(hamlet.tenant) as session:
        rows = await session.execute(text("select account_id, document_sha, number from bill order by number"))
        stored = {AccountId(UUID(str(account_id))): (sha, number) for account_id, sha, number in rows}
    assert {account_id: draft.sha for account_id, draft in issued.items()} == {
        account_id: sha for account_id, (sha, _) in stored.items()
    }
    numbers = [int(number.rsplit("-", 1)[1]) for _, number in stored.values()]
    assert numbers == list(range(1, HOUSEHOLDS + 1))


async def test_a_chunk_that_fails_leaves_nothing_and_takes_no_number(hamlet: Hamlet) -> None:
    async with hamlet.worker_database.view(hamlet.tenant) as session:
        rater = await rater_for(session, hamlet.scope, hamlet.clock.now(), rate=rate_period, prepare=prepare)

    async def fail() -> None:
        async with hamlet.worker_database.unit(hamlet.tenant, hamlet.actor) as unit:
            await runs.run_chunk(unit, rater, hamlet.scope, after=None)
            raise RuntimeError("the worker dies")

    with pytest.raises(RuntimeError, match="dies"):
        await fail()
    assert await hamlet.issued() == {}
    report, _ = await hamlet.run()
    assert report.issued == HOUSEHOLDS
