"""A wish to keep part of a deposit, and a deduction agreed to in advance, are told to the payer, once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from cloud.deposits.events import DeductionProposed
from cloud.mandates.events import DebitAnnounced, DebitFailed
from cloud.notices import tasks
from cloud.notices.kinds import NoticeKind
from tests.cloud.notices.conftest import Herald


async def test_a_proposed_deduction_is_told_once(herald: Herald) -> None:
    herald.clock.set(datetime(2026, 3, 1, 10, tzinfo=UTC))
    counter = herald.counter
    event = DeductionProposed(
        community_id=counter.office.site.community_id,
        account_id=herald.bill.account_id,
        deposit_id=UUID(int=4),
        deduction_id=UUID(int=5),
        amount_fen=12_345,
        objection_until=datetime(2026, 3, 8, 10, tzinfo=UTC),
    )
    for _ in range(2):
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            unit.enqueue(tasks.deduction_job(event))
            unit.record("proposed", "deposit_deduction", event.deduction_id)
        await herald.teller.drain()
    (notice,) = await herald.told()
    assert notice.kind is NoticeKind.DEDUCTION
    assert "123.45" in notice.body
    assert "2026-03-08" in notice.body


async def test_a_deduction_is_told_before_it_is_made_and_when_it_failed(herald: Herald) -> None:
    herald.clock.set(datetime(2026, 3, 1, 10, tzinfo=UTC))
    counter = herald.counter
    place, account = counter.office.site.community_id, herald.bill.account_id
    debit, fen = UUID(int=6), 12_345
    announced = DebitAnnounced(
        community_id=place, account_id=account, debit_id=debit, amount_fen=fen, first_on=date(2026, 3, 7)
    )
    failed = DebitFailed(
        community_id=place, account_id=account, debit_id=debit, amount_fen=fen, execute_on=date(2026, 3, 10)
    )
    for job in (tasks.debit_job(announced), tasks.debit_job(announced), tasks.debit_failed_job(failed)):
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            unit.enqueue(job)
            unit.record("announced", "debit", announced.debit_id)
        await herald.teller.drain()
    told = {notice.kind: notice.body for notice in await herald.told()}
    assert set(told) == {NoticeKind.DEBIT, NoticeKind.DEBIT_FAILED}
    assert "2026-03-07" in told[NoticeKind.DEBIT]
    assert all("123.45" in body for body in told.values())


async def test_the_local_inbox_gives_a_receipt_that_names_the_notice() -> None:
    receipt = await tasks.LocalInbox().send(UUID(int=1), {"notice_id": "n"})
    assert receipt == "inbox:n"
