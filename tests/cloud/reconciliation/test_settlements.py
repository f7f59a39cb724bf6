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
    assert (held[AccountType.CLEARING], held[AccountType.BANK]) == (1_000, 9_000)
    assert held.get(AccountType.SUSPENSE, 0) == 0
