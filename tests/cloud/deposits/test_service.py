"""Deposits on the real database: held in a fund of their own, deducted by rule, given back when conditions are met."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from cloud.deposits import service
from cloud.deposits.rules import AT_ONCE, DepositState, Instalment
from cloud.kit.errors import NotFoundError
from cloud.ledger import postings
from cloud.ledger.journals import TransferDraft
from cloud.ledger.routes import Route
from cloud.refunds import service as refunds
from cloud.refunds.errors import NothingLeftError
from cloud.tariffs.charge import FundClass
from common.errors import InvariantError, RefusalError
from common.ids import AccountId, PaymentId
from tests.cloud.deposits.vault import Vault, open_box, payment_of
from tests.cloud.refunds.till import BOSS, OTHER_BOSS, new_id


async def test_defect_9_a_deposit_is_held_in_its_own_fund_and_settles_no_bill(vault: Vault) -> None:
    deposit = await vault.held(1_000)
    assert (deposit.state, deposit.held_fen) == (DepositState.HELD, 1_000)
    assert await vault.ledger_fen() == 1_000
    assert await vault.ahead_fen() == 0
    assert await vault.till.counter.open_fen() == 400
    await vault.till.counter.bill(1, 300)
    assert await vault.till.counter.open_fen() == 700


async def test_a_met_condition_gives_the_deposit_back_the_way_it_came(vault: Vault) -> None:
    deposit = await vault.meet(await vault.held(1_000))
    assert vault.going_back(deposit) == [(1_000, "arrived")]
    assert (deposit.state, deposit.held_fen, deposit.returned_fen) == (DepositState.CLOSED, 0, 1_000)
    assert await vault.ledger_fen() == 0
    assert await vault.till.clearing_fen() == 0


async def test_accepted_is_told_apart_from_arrived(vault: Vault) -> None:
    deposit = await vault.held(1_000)
    await vault.till.counter.channel.control("mischief", kind="refund_pending")
    pending = await vault.meet(deposit)
    assert (pending.state, vault.going_back(pending)) == (DepositState.RELEASED, [(1_000, "accepted")])
    assert await vault.ledger_fen() == 1_000
    async with vault.till.database.view(vault.till.counter.tenant) as session:
        refund = await refunds.refund(session, pending.returns[0].return_id)
    await vault.till.counter.channel.control("finish-refund", number=refund.refund_number)
    await vault.till.later()
    assert (await vault.state(deposit)).state is DepositState.CLOSED


async def test_a_deposit_in_cash_goes_back_in_cash_against_a_signature(vault: Vault) -> None:
    box_id, shift_id = await open_box(vault, FundClass.DEPOSIT)
    deposit = await vault.open(1_000)
    payment_id = PaymentId(new_id())
    for _ in range(2):
        async with vault.unit() as unit:
            await service.take_cash(unit, deposit.deposit_id, shift_id, payment_id=payment_id, tendered_fen=1_000)
    failed = await vault.meet(deposit)
    assert vault.going_back(failed) == [(1_000, "failed")]
    assert await vault.till.open_cases() == ["return_refused"]
    async with vault.unit() as unit:
        return_id = await service.send_again(unit, deposit.deposit_id, failed.returns[0].return_id, cash_box_id=box_id)
    await vault.till.counter.work()
    async with vault.unit() as unit:
        with pytest.raises(RefusalError, match="signature"):
            await refunds.hand_out(unit, return_id, shift_id, signed_as=" ")
    async with vault.unit() as unit:
        await refunds.hand_out(unit, return_id, shift_id, signed_as="Zhang San")
    await vault.till.counter.work()
    closed = await vault.state(deposit)
    assert (closed.state, vault.going_back(closed)) == (DepositState.CLOSED, [(1_000, "replaced"), (1_000, "arrived")])
    assert await vault.ledger_fen() == 0


async def test_a_deposit_is_not_taken_at_a_box_of_another_fund(vault: Vault) -> None:
    _, shift_id = await open_box(vault, FundClass.OPERATING)
    deposit = await vault.open(1_000)
    async with vault.unit() as unit:
        with pytest.raises(RefusalError, match="other money"):
            await service.take_cash(
                unit, deposit.deposit_id, shift_id, payment_id=PaymentId(new_id()), tendered_fen=1_000
            )


async def test_a_return_that_the_channel_closes_is_sent_again(vault: Vault) -> None:
    deposit = await vault.held(1_000)
    await vault.till.counter.channel.control("mischief", kind="refund_pending")
    pending = await vault.meet(deposit)
    return_id = pending.returns[0].return_id
    async with vault.till.database.view(vault.till.counter.tenant) as session:
        refund = await refunds.refund(session, return_id)
    await vault.till.counter.channel.control("finish-refund", number=refund.refund_number, state="CLOSED")
    await vault.till.later()
    assert vault.going_back(await vault.state(deposit)) == [(1_000, "failed")]
    async with vault.unit() as unit:
        await service.send_again(unit, deposit.deposit_id, return_id, cash_box_id=None)
    await vault.till.counter.work()
    assert (await vault.state(deposit)).state is DepositState.CLOSED


async def test_a_large_deposit_goes_back_after_persons_agreed(vault: Vault) -> None:
    released = await vault.meet(await vault.held(200_000))
    assert vault.going_back(released) == [(200_000, "asked")]
    async with vault.till.database.view(vault.till.counter.tenant) as session:
        refund = await refunds.refund(session, released.returns[0].return_id)
    assert refund.persons_needed == 2
    await vault.till.judge(refund, BOSS)
    await vault.till.judge(refund, OTHER_BOSS)
    assert (await vault.state(released)).state is DepositState.CLOSED


async def test_arrears_are_never_taken_from_a_deposit_but_a_person_looks_first(vault: Vault) -> None:
    deposit = await vault.held(1_000)
    vault.till.counter.office.clock.advance(days=60)
    released = await vault.meet(deposit)
    async with vault.till.database.view(vault.till.counter.tenant) as session:
        refund = await refunds.refund(session, released.returns[0].return_id)
    assert (refund.state, refund.doubts) == ("requested", ("arrears",))
    await vault.till.judge(refund, BOSS)
    closed = await vault.state(deposit)
    assert (closed.state, closed.returned_fen, await vault.till.counter.open_fen()) == ("closed", 1_000, 400)


async def test_the_payment_of_a_held_deposit_cannot_be_refunded_around_its_conditions(vault: Vault) -> None:
    deposit = await vault.held(1_000)
    assert deposit.payment_id is not None
    with pytest.raises(NothingLeftError):
        await vault.till.request(vault.till.wish(await payment_of(vault, deposit.payment_id), 1_000))
    assert await vault.ledger_fen() == 1_000


@pytest.mark.parametrize("route", [Route.DEPOSIT_HOLD, Route.OFFSET, Route.OVERPAID, Route.DEPOSIT_DEDUCTION])
def test_no_route_leads_from_a_deposit_into_a_wallet(route: Route, vault: Vault) -> None:
    account_id = AccountId(new_id())
    operating = replace(vault.book, fund_class=FundClass.OPERATING)
    with pytest.raises(InvariantError, match="does not lead"):
        TransferDraft(
            debit=postings.deposit(vault.book, account_id),
            credit=postings.prepayment(operating, account_id),
            fen=1,
            route=route,
        )


@pytest.mark.parametrize(
    "instalments", [(), (Instalment(days_after=-1, weight=1),), (*AT_ONCE, Instalment(days_after=1, weight=0))]
)
async def test_instalments_that_cannot_be_are_refused(vault: Vault, instalments: tuple[Instalment, ...]) -> None:
    with pytest.raises(RefusalError):
        await vault.open(1_000, instalments=instalments)


async def test_a_deposit_of_a_contract_that_the_community_has_not_is_refused(vault: Vault) -> None:
    with pytest.raises(NotFoundError, match="no such contract"):
        await vault.open(contract_id=UUID(int=5))
