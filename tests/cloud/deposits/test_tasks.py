"""The daily look at deposits: instalments and ends of leases on their days."""

from __future__ import annotations

from datetime import timedelta

from cloud.deposits.rules import ConditionKind, DepositKind, DepositState, Instalment
from cloud.deposits.values import Condition
from tests.cloud.deposits.vault import Vault


async def test_instalments_go_back_on_their_days_and_sum_to_the_whole(vault: Vault) -> None:
    parts = (Instalment(days_after=90, weight=1), Instalment(days_after=0, weight=2))
    await vault.till.pay(400)
    deposit = await vault.held(1_000, instalments=parts)
    released = await vault.meet(deposit)
    assert vault.going_back(released) == [(667, "arrived"), (333, "due")]
    await vault.day(89)
    assert vault.going_back(await vault.state(deposit)) == [(667, "arrived"), (333, "due")]
    assert await vault.ledger_fen() == 333
    await vault.day(1)
    assert (await vault.state(deposit)).state is DepositState.CLOSED


async def test_the_end_of_a_lease_gives_a_deposit_back_on_its_day(vault: Vault) -> None:
    today = vault.till.counter.office.clock.now().date()
    ends = Condition(kind=ConditionKind.LEASE_ENDED, on_day=today + timedelta(days=20))
    await vault.till.pay(400)
    deposit = await vault.held(1_000, kind=DepositKind.LEASE, conditions=(ends,))
    await vault.day(19)
    assert (await vault.state(deposit)).state is DepositState.HELD
    await vault.day(1)
    assert (await vault.state(deposit)).state is DepositState.CLOSED
