"""Keeping part of a deposit: with evidence, after the payer was heard, decided by another person."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cloud.deposits import deductions
from cloud.deposits.deductions import Proposal
from cloud.deposits.errors import LineError
from cloud.deposits.rules import DepositState
from cloud.kit.errors import ConflictError
from cloud.ledger.journals import LineRef
from common.errors import RefusalError
from common.ids import BillId
from tests.cloud.deposits.vault import Vault
from tests.cloud.refunds.till import BOSS, CLERK, new_id

CLIENTS = 8


async def test_a_deduction_that_the_payer_agreed_to_settles_its_line_and_the_rest_goes_back(vault: Vault) -> None:
    deposit = await vault.held(1_000)
    deduction = await vault.propose(deposit, 400)
    with pytest.raises(ConflictError, match="silence"):
        await vault.apply(deduction)
    async with vault.unit() as unit:
        await deductions.answer(unit, deduction.deduction_id, agrees=True)
    with pytest.raises(ConflictError, match="yourself"):
        await vault.apply(deduction, CLERK)
    await vault.apply(deduction)
    assert await vault.till.counter.open_fen() == 0
    assert (await vault.state(deposit)).held_fen == await vault.ledger_fen() == 600
    closed = await vault.meet(deposit)
    assert (closed.state, closed.deducted_fen, closed.returned_fen) == (DepositState.CLOSED, 400, 600)


async def test_silence_past_the_time_to_object_is_no_objection(vault: Vault) -> None:
    deduction = await vault.propose(await vault.held(1_000), 400)
    vault.till.counter.office.clock.advance(days=7)
    await vault.apply(deduction)
    assert await vault.till.counter.open_fen() == 0


async def test_an_objection_goes_to_a_person_and_nothing_is_kept(vault: Vault) -> None:
    deposit = await vault.held(1_000)
    deduction = await vault.propose(deposit, 400)
    async with vault.unit() as unit:
        with pytest.raises(RefusalError, match="words"):
            await deductions.answer(unit, deduction.deduction_id, agrees=False)
    async with vault.unit() as unit:
        await deductions.answer(unit, deduction.deduction_id, agrees=False, words="it was broken before")
    assert await vault.till.open_cases() == ["deduction_disputed"]
    vault.till.counter.office.clock.advance(days=30)
    with pytest.raises(ConflictError, match="disputed"):
        await vault.apply(deduction)
    assert await vault.ledger_fen() == 1_000


async def test_a_deduction_takes_no_more_than_is_held_or_open_and_only_a_line_of_the_account(vault: Vault) -> None:
    deposit = await vault.held(300)
    for amount_fen in (301, 401):
        with pytest.raises(ConflictError):
            await vault.propose(deposit, amount_fen)
    await vault.propose(deposit, 200)
    with pytest.raises(ConflictError, match="100 fen are held"):
        await vault.propose(deposit, 200)
    strange = Proposal(line=LineRef(bill_id=BillId(new_id()), n=1), amount_fen=1, evidence="a broken tile")
    async with vault.unit() as unit:
        with pytest.raises(LineError):
            await deductions.propose(unit, deposit.deposit_id, strange)
    with pytest.raises(RefusalError, match="evidence"):
        replace(strange, evidence=" ")


async def test_eight_persons_at_once_apply_one_deduction_once(vault: Vault) -> None:
    deposit = await vault.held(1_000)
    deduction = await vault.propose(deposit, 400)
    vault.till.counter.office.clock.advance(days=7)
    refused: list[ConflictError] = []

    async def apply() -> None:
        try:
            async with vault.unit(BOSS) as unit:
                await deductions.apply(unit, deduction.deduction_id)
        except ConflictError as error:
            refused.append(error)

    async with asyncio.TaskGroup() as persons:
        for _ in range(CLIENTS):
            persons.create_task(apply())
    assert len(refused) == CLIENTS - 1
    assert await vault.ledger_fen() == 600
