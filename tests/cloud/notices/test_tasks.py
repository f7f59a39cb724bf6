"""A wish to keep part of a deposit is told to its payer, once, with the day until which he may object."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from cloud.deposits.events import DeductionProposed
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


async def test_the_local_inbox_gives_a_receipt_that_names_the_notice() -> None:
    receipt = await tasks.LocalInbox().send(UUID(int=1), {"notice_id": "n"})
    assert receipt == "inbox:n"
