"""Payouts by bank: older than the channel's window, two persons, sent is not arrived, back when the bank says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from cloud.kit.errors import ConflictError
from cloud.kit.secretbox import SecretBox
from cloud.refunds import payouts, service
from cloud.refunds.errors import OtherBookError, OtherRefundError, RefundStateError, WindowError
from cloud.refunds.payouts import Payee, Purse
from cloud.refunds.rules import Doubt, RefundRoute, RefundState
from cloud.refunds.values import Payout, Refund
from cloud.tariffs.charge import FundClass
from common.errors import RefusalError
from common.ids import CommunityId
from tests.cloud.refunds.till import BOSS, CLERK, OTHER_BOSS, Till, new_id

BANK = UUID(int=0xBA)
OTHER_BANK = UUID(int=0xBB)
PAYEE = Payee(name="张三", number="6217 0000 1234 5678")
BOX = SecretBox(bytes(range(32)))


async def asked(till: Till, amount_fen: int = 500) -> Refund:
    """Ask for a payout of a payment that the channel no longer takes back."""
    payment = await till.paid()
    till.counter.office.clock.advance(days=366)
    with pytest.raises(WindowError):
        await till.request(till.wish(payment, amount_fen))
    refund_id = new_id()
    payout = payouts.payout(BOX, till.counter.tenant, refund_id, Purse(bank_account_id=BANK, book=payment.book), PAYEE)
    return await till.request(till.wish(payment, amount_fen, refund_id=refund_id, payout=payout))


async def approved(till: Till) -> Refund:
    refund = await asked(till)
    await till.judge(refund, BOSS)
    return await till.judge(refund, OTHER_BOSS)


async def act(till: Till, deed: Any, refund: Refund, actor: Any = CLERK, **more: Any) -> Any:
    async with till.database.unit(till.counter.tenant, actor) as unit:
        return await deed(unit, refund.refund_id, **more)


async def test_a_payout_from_a_bank_account_of_another_fund_is_refused_and_leaves_nothing(till: Till) -> None:
    payment = await till.paid()
    refund_id = new_id()
    other = replace(payment.book, fund_class=FundClass.MAINTENANCE)
    payout = payouts.payout(BOX, till.counter.tenant, refund_id, Purse(bank_account_id=BANK, book=other), PAYEE)
    with pytest.raises(OtherBookError):
        await till.request(till.wish(payment, 500, refund_id=refund_id, payout=payout))
    async with till.database.view(till.counter.tenant) as session:
        assert await service.refunds_of_payment(session, payment.payment_id) == ()


async def test_the_same_wish_from_another_bank_account_is_another_wish(till: Till) -> None:
    payment = await till.paid()
    refund_id = new_id()

    def by(bank: UUID) -> Payout:
        purse = Purse(bank_account_id=bank, book=payment.book)
        return payouts.payout(BOX, till.counter.tenant, refund_id, purse, PAYEE)

    first = await till.request(till.wish(payment, 500, refund_id=refund_id, payout=by(BANK)))
    assert (await till.request(till.wish(payment, 500, refund_id=refund_id, payout=by(BANK)))) == first
    with pytest.raises(OtherRefundError):
        await till.request(till.wish(payment, 500, refund_id=refund_id, payout=by(OTHER_BANK)))


async def test_an_old_payment_goes_back_by_bank_after_two_persons(till: Till) -> None:
    await till.set_policy()
    refund = await asked(till)
    assert (refund.route, refund.persons_needed) == (RefundRoute.BANK, 2)
    assert Doubt.OTHER_ROUTE in refund.doubts
    assert (await till.judge(refund, BOSS)).state is RefundState.REQUESTED
    assert (await till.judge(refund, OTHER_BOSS)).state is RefundState.RESERVED
    sent = await act(till, payouts.sent, refund, reference="20270201000001")
    assert sent.state is RefundState.SUBMITTED
    with pytest.raises(ConflictError):
        await act(till, payouts.arrived, refund, CLERK)
    assert (await act(till, payouts.arrived, refund, BOSS)).state is RefundState.ARRIVED
    assert await till.clearing_fen() == 500


async def test_a_payout_that_came_back_puts_the_money_back(till: Till) -> None:
    refund = await approved(till)
    await act(till, payouts.sent, refund, reference="1")
    with pytest.raises(RefusalError):
        await act(till, payouts.came_back, refund, reason=" ")
    failed = await act(till, payouts.came_back, refund, reason="账号与户名不符")
    assert failed.state is RefundState.FAILED
    assert await till.counter.open_fen() == 0


async def test_nothing_is_sent_before_it_is_approved_nor_twice(till: Till) -> None:
    waiting = await asked(till)
    with pytest.raises(RefundStateError):
        await act(till, payouts.sent, waiting, reference="1")
    await till.judge(waiting, BOSS)
    await till.judge(waiting, OTHER_BOSS)
    first = await act(till, payouts.sent, waiting, reference="1")
    assert await act(till, payouts.sent, waiting, reference="1") == first
    with pytest.raises(RefundStateError):
        await act(till, payouts.sent, waiting, reference="2")


async def test_the_channel_is_never_asked_about_a_payout(till: Till) -> None:
    refund = await approved(till)
    await act(till, payouts.sent, refund, reference="1")
    await till.later(60 * 24)
    assert await till.at_channel() == []
    assert (await till.state(refund)).state is RefundState.SUBMITTED


async def test_to_whom_is_sealed_and_looking_is_written_down(till: Till) -> None:
    refund = await approved(till)
    async with till.database.unit(till.counter.tenant, CLERK) as unit:
        seen = await payouts.show(unit, BOX, refund.refund_id)
    assert (seen.name, seen.number) == ("张三", "6217000012345678")
    async with till.database.view(till.counter.tenant) as session:
        rows = (await session.execute(text("select r::text from refund r"))).scalars().all()
        deeds = (await session.execute(text("select a::text from audit a"))).scalars().all()
    assert not any("6217000012345678" in row or "张三" in row for row in (*rows, *deeds))
    assert any("payee seen" in deed for deed in deeds)


@pytest.mark.parametrize(
    ("name", "number"),
    [("", "6217000012345678"), ("=1+1", "6217000012345678"), ("张三", "62170"), ("张三", "6217-0000-1234")],
)
def test_a_payee_that_no_bank_would_take_is_refused(name: str, number: str) -> None:
    with pytest.raises(RefusalError):
        Payee(name=name, number=number)


async def left(till: Till, fen: int, *told: str, actor: Any = BOSS) -> Refund | None:
    async with till.database.unit(till.counter.tenant, actor) as unit:
        unit.record("imported", "bank_file", BANK)
        return await payouts.left_the_bank(unit, BANK, fen, told, unit.now)


async def test_the_debit_of_a_statement_that_names_the_payout_confirms_it_once(till: Till) -> None:
    refund = await approved(till)
    assert await left(till, 500, refund.refund_number) is None
    await act(till, payouts.sent, refund, reference="20270201000001")
    assert await left(till, 499, refund.refund_number) is None
    assert await left(till, 500, "", "another remark") is None
    confirmed = await left(till, 500, "0007", f"退款 {refund.refund_number}")
    assert confirmed is not None
    assert (confirmed.refund_id, confirmed.state) == (refund.refund_id, RefundState.ARRIVED)
    assert await left(till, 500, refund.refund_number) is None


@pytest.mark.parametrize(("told", "proves"), [("20270201000001", True), ("摘要 20270201000001", True), ("2027", False)])
async def test_the_banks_reference_proves_it_too_but_a_part_of_it_does_not(till: Till, told: str, proves: bool) -> None:  # noqa: FBT001
    refund = await approved(till)
    await act(till, payouts.sent, refund, reference="20270201000001")
    assert (await left(till, 500, told) is not None) is proves


async def test_who_sent_it_does_not_prove_it_by_importing_the_statement(till: Till) -> None:
    refund = await approved(till)
    await act(till, payouts.sent, refund, reference="20270201000001")
    assert await left(till, 500, refund.refund_number, actor=CLERK) is None
    assert (await till.state(refund)).state is RefundState.SUBMITTED


async def test_what_is_due_and_on_its_way_is_listed_and_only_what_is_due_goes_into_the_file(till: Till) -> None:
    refund = await approved(till)
    tenant, community = till.counter.tenant, CommunityId(till.counter.office.site.community_id)

    async def due() -> list[UUID]:
        async with till.database.unit(tenant, CLERK) as unit:
            unit.record("asked for", "refund", refund.refund_id)
            return [one.refund.refund_id for one in await payouts.to_transfer(unit, BOX, BANK, community)]

    assert await due() == [refund.refund_id]
    await act(till, payouts.sent, refund, reference="1")
    assert await due() == []
    async with till.database.view(tenant) as session:
        (one,) = await payouts.listed(session, BOX, tenant, community)
        deeds = (await session.execute(text("select a::text from audit a"))).scalars().all()
    assert (one.refund.state, one.sent_by, one.payee) == (
        RefundState.SUBMITTED,
        CLERK.id,
        Payee(name="张三", number="6217000012345678"),
    )
    assert sum("payee seen" in deed for deed in deeds) == 1
