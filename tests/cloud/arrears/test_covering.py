"""Which debts are covered: by an agreement in force, not by one proposed, refused or over."""

from __future__ import annotations

from datetime import date

from cloud.arrears import covering
from cloud.arrears.values import AgreementState, LateRule
from cloud.billing.documents import BillView
from cloud.ledger.journals import LineRef
from tests.cloud.arrears.test_agreements import NOW, agreed, decide, look, propose, wish
from tests.cloud.charges.street import Street


async def test_only_an_agreement_in_force_covers_and_a_broken_one_is_told_with_its_day(
    street: Street, debts: list[BillView]
) -> None:
    street.clock.set(NOW)
    bill, account = debts[0].summary.bill_id, debts[0].account.account_id
    line = LineRef(bill_id=bill, n=1)

    async def told() -> tuple[set[LineRef], set[LineRef], int]:
        async with street.database.view(street.tenant) as session:
            return (
                await covering.covered(session, [account]),
                await covering.without_late_charge(session, [account]),
                len(await covering.broken(session, [account])),
            )

    one = await propose(street, wish(street, debts[0]))
    assert await told() == (set(), set(), 0)
    await decide(street, one)
    assert await told() == ({line}, {line}, 0)
    assert await look(street, one, date(2026, 4, 10)) is AgreementState.BROKEN
    assert await told() == (set(), set(), 1)
    async with street.database.view(street.tenant) as session:
        assert (await covering.broken(session, [account]))[bill] == (one.agreement_id, street.clock.now())
        assert await covering.covered(session, []) == set()


async def test_an_agreement_that_lets_late_charges_go_on_covers_without_forgiving(
    street: Street, debts: list[BillView]
) -> None:
    await agreed(street, debts[0], late_rule=LateRule.CHARGED)
    async with street.database.view(street.tenant) as session:
        assert await covering.covered(session, [debts[0].account.account_id])
        assert await covering.without_late_charge(session, [debts[0].account.account_id]) == set()
