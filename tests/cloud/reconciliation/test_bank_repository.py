"""Queries of bank transfers: the newest fund bill of each day counts, and a day settles once."""

from __future__ import annotations

from datetime import timedelta

from cloud.reconciliation import bank_repository as repository
from tests.cloud.payments.counter import Counter
from tests.cloud.reconciliation.test_legs import _credit
from tests.cloud.reconciliation.test_service import day_of_payments, fetch, morning_after, today
from tests.cloud.reconciliation.test_transfers import bank_of, imported


async def test_the_newest_version_of_a_day_says_what_was_withdrawn(counter: Counter) -> None:
    await day_of_payments(counter, 10_000)
    day = today(counter)
    await counter.channel.control("withdraw", mchid=counter.account.merchant_number, fen=1_000)
    await counter.channel.control("mischief", kind="flow_drops_row", value=1)
    await morning_after(counter, day)
    merchant = counter.account.merchant_account_id
    span = (day - timedelta(days=1), day)
    async with counter.database.view(counter.tenant) as session:
        assert await repository.withdrawals(session, merchant, span) == {day: 0}
    await fetch(counter, day, "again")
    async with counter.database.view(counter.tenant) as session:
        assert await repository.withdrawals(session, merchant, span) == {day: 1_000}
    bank = await bank_of(counter)
    await imported(counter, bank, _credit(day, 1_000), "mt940")
    async with counter.database.view(counter.tenant) as session:
        reason = f"wechat {day.isoformat()} {merchant}"
        assert await repository.is_settled(session, reason)
        assert not await repository.is_settled(session, f"{reason}x")
        assert len(await repository.known_keys(session, bank)) == 1
