"""The cases that deposits open, and that close again when they are decided."""

from __future__ import annotations

import pytest

from cloud.deposits import deductions, service
from cloud.deposits.errors import DepositStateError
from cloud.deposits.rules import DeductionState, DepositState
from tests.cloud.deposits.vault import Vault


async def test_nothing_goes_back_while_a_deduction_is_pending(vault: Vault) -> None:
    deposit = await vault.held(1_000)
    deduction = await vault.propose(deposit, 400)
    waiting = await vault.meet(deposit)
    assert (waiting.state, waiting.returns) == (DepositState.HELD, ())
    assert await vault.till.open_cases() == ["deposit_waits"]
    async with vault.unit() as unit:
        withdrawn = await deductions.withdraw(unit, deduction.deduction_id)
    assert withdrawn.state is DeductionState.WITHDRAWN
    await vault.till.counter.work()
    assert (await vault.state(deposit)).state is DepositState.CLOSED
    assert await vault.till.open_cases() == []


async def test_money_for_a_deposit_that_is_not_due_waits_in_its_fund_for_a_person(vault: Vault) -> None:
    deposit = await vault.open(1_000)
    attempt = await vault.start(deposit)
    async with vault.unit() as unit:
        await service.cancel(unit, deposit.deposit_id)
    await vault.till.counter.settle(attempt)
    assert await vault.till.open_cases() == ["deposit_not_due"]
    assert (await vault.ledger_fen(), await vault.ahead_fen()) == (0, 1_000)
    with pytest.raises(DepositStateError):
        service.intent_for(await vault.state(deposit))
    (payment,) = await vault.till.counter.payments()
    refund = await vault.till.refund(payment, 1_000)
    assert (refund.state, await vault.ahead_fen()) == ("arrived", 0)
