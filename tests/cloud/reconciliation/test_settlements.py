"""The third leg books what it recognises: suspense is empty again and the channel owes so much less."""

from __future__ import annotations

from cloud.ledger import auditing, reports
from cloud.ledger.accounts import AccountType
from tests.cloud.payments.counter import Counter
from tests.cloud.reconciliation.test_legs import _credit
from tests.cloud.reconciliation.test_service import day_of_payments, morning_after, today
from tests.cloud.reconciliation.test_transfers import bank_of, imported


async def test_a_settlement_moves_from_the_channel_to_the_bank(counter: Counter) -> None:
    await day_of_payments(counter, 10_000)
    bank = await bank_of(counter)
    await counter.channel.control("withdraw", mchid=counter.account.merchant_number, fen=9_000)
    day = today(counter)
    await morning_after(counter, day)
    await imported(counter, bank, _credit(day, 9_000), "mt940")
    community_id = counter.office.site.community_id
    async with counter.database.view(counter.tenant) as session:
        trial = await reports.trial_balance(session, community_id)
        assert (await auditing.audit(session, community_id)).breaches == ()
    held = {line.type: line.balance_fen for line in trial.lines}
    assert (held[AccountType.CLEARING], held[AccountType.BANK], held[AccountType.CHANNEL_FEE]) == (940, 9_000, 60)
    assert held.get(AccountType.SUSPENSE, 0) == 0


async def test_fees_of_days_without_a_settlement_are_booked_with_the_next_one_and_only_once(counter: Counter) -> None:
    bank = await bank_of(counter)
    number = counter.account.merchant_number
    await counter.bill(0, 30_000)
    for sent_fen in (0, 9_000, 9_500):
        await counter.settle(await counter.start(amount_fen=10_000))
        day = today(counter)
        if sent_fen:
            await counter.channel.control("withdraw", mchid=number, fen=sent_fen)
        await morning_after(counter, day)
        if sent_fen:
            await imported(counter, bank, _credit(day, sent_fen), "mt940")
    async with counter.database.view(counter.tenant) as session:
        trial = await reports.trial_balance(session, counter.office.site.community_id)
    held = {line.type: line.balance_fen for line in trial.lines}
    fees, at_channel = held[AccountType.CHANNEL_FEE], held[AccountType.CLEARING]
    assert fees == 3 * 60
    assert at_channel == 3 * 10_000 - 9_000 - 9_500 - fees
    (own,) = [one for one in (await counter.channel.control("book", mchid=number)).items() if one[0] == "merchant_fen"]
    assert at_channel == own[1]
