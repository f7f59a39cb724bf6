"""Cash over the counter: counted in, counted out, the difference booked with its reason, no receipt twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from cloud.kit.actor import Actor
from cloud.kit.errors import ConflictError
from cloud.ledger.accounts import Book
from cloud.payments import desk
from cloud.payments.desk import CashReceipt, Shift
from cloud.payments.errors import NothingToPayError, ShiftError
from cloud.payments.values import Payment
from cloud.tariffs.charge import FundClass
from common.errors import RefusalError
from common.ids import PaymentId
from tests.cloud.payments.counter import Counter

CASHIER = Actor(kind="user", id=UUID(int=77), name="cashier")
OTHER = Actor(kind="user", id=UUID(int=78), name="other")


async def box_of(counter: Counter) -> UUID:
    book = Book(
        community_id=counter.office.site.community_id, legal_entity_id=counter.entity, fund_class=FundClass.OPERATING
    )
    async with counter.database.unit(counter.tenant, CASHIER) as unit:
        return await desk.add_cash_box(unit, book, "前台")


async def opened(counter: Counter, opening_fen: int = 0, reason: str = "") -> Shift:
    box = await box_of(counter)
    async with counter.database.unit(counter.tenant, CASHIER) as unit:
        return await desk.open_shift(unit, box, opening_fen=opening_fen, reason=reason)


async def taken(counter: Counter, shift: Shift, receipt: CashReceipt, actor: Actor = CASHIER) -> Payment:
    async with counter.database.unit(counter.tenant, actor) as unit:
        return await desk.record_cash(unit, shift.cash_shift_id, receipt)


async def closed(counter: Counter, shift: Shift, counted_fen: int, reason: str = "") -> Shift:
    async with counter.database.unit(counter.tenant, CASHIER) as unit:
        return await desk.close_shift(unit, shift.cash_shift_id, counted_fen=counted_fen, reason=reason)


async def receipt_of(counter: Counter, number: int = 1, flat: int = 0, **wish: Any) -> CashReceipt:
    account_id = await counter.office.account(counter.office.site.flats[flat])
    return CashReceipt(payment_id=PaymentId(UUID(int=number)), account_id=account_id, **wish)


async def balance_fen(counter: Counter, account_type: str) -> int:
    query = text(
        "select coalesce(sum(case when t.debit_id = a.ledger_account_id then t.fen else -t.fen end), 0)::bigint"
        " from ledger_account a join transfer t on a.ledger_account_id in (t.debit_id, t.credit_id)"
        " where a.type = :type"
    )
    async with counter.database.view(counter.tenant) as session:
        return int((await session.execute(query, {"type": account_type})).scalar_one())


async def test_cash_pays_the_bill_and_change_is_handed_back(counter: Counter) -> None:
    await counter.bill(0, 12_345)
    shift = await opened(counter)
    payment = await taken(counter, shift, await receipt_of(counter, tendered_fen=20_000))
    assert (payment.amount_fen, payment.change_fen, payment.ahead_fen) == (12_345, 7_655, 0)
    assert await counter.open_fen() == 0
    assert await balance_fen(counter, "cash") == 12_345


async def test_part_and_overpayment_in_cash(counter: Counter) -> None:
    await counter.bill(0, 1_000, 1_000)
    shift = await opened(counter)
    await taken(counter, shift, await receipt_of(counter, 1, tendered_fen=400, amount_fen=400))
    await taken(counter, shift, await receipt_of(counter, 2, 1, tendered_fen=1_500, amount_fen=1_500))
    assert (await counter.open_fen(0), await counter.open_fen(1), await counter.ahead_fen(1)) == (600, 0, 500)


async def test_the_same_receipt_again_is_the_same_payment_and_other_content_is_refused(counter: Counter) -> None:
    await counter.bill(0, 1_000)
    shift = await opened(counter)
    receipt = await receipt_of(counter, tendered_fen=1_000)
    assert await taken(counter, shift, receipt) == await taken(counter, shift, receipt)
    with pytest.raises(ConflictError, match="other content"):
        await taken(counter, shift, replace(receipt, tendered_fen=2_000))
    assert len(await counter.payments()) == 1


async def test_defect_8_less_cash_than_owed_and_nothing_owed_are_refused(counter: Counter) -> None:
    await counter.bill(0, 1_000)
    shift = await opened(counter)
    with pytest.raises(RefusalError, match="take the rest"):
        await taken(counter, shift, await receipt_of(counter, tendered_fen=999))
    await taken(counter, shift, await receipt_of(counter, tendered_fen=1_000))
    with pytest.raises(NothingToPayError):
        await taken(counter, shift, await receipt_of(counter, 2, tendered_fen=1_000))


async def test_a_shift_that_counts_right_closes_without_a_word(counter: Counter) -> None:
    await counter.bill(0, 1_000)
    shift = await opened(counter)
    await taken(counter, shift, await receipt_of(counter, tendered_fen=1_000))
    done = await closed(counter, shift, 1_000)
    assert (done.expected_fen, done.difference_fen) == (1_000, 0)
    assert await balance_fen(counter, "cash_difference") == 0


@pytest.mark.parametrize("counted_fen", [990, 1_030])
async def test_a_difference_needs_a_reason_and_stands_on_its_own_account(counter: Counter, counted_fen: int) -> None:
    await counter.bill(0, 1_000)
    shift = await opened(counter)
    await taken(counter, shift, await receipt_of(counter, tendered_fen=1_000))
    with pytest.raises(RefusalError, match="give the reason"):
        await closed(counter, shift, counted_fen)
    done = await closed(counter, shift, counted_fen, "点钞误差")
    assert done.difference_fen == counted_fen - 1_000
    assert await balance_fen(counter, "cash") == counted_fen
    assert await balance_fen(counter, "cash_difference") == 1_000 - counted_fen


async def test_the_next_shift_starts_from_the_last_count(counter: Counter) -> None:
    await counter.bill(0, 1_000)
    shift = await opened(counter, 200, "备用金")
    await taken(counter, shift, await receipt_of(counter, tendered_fen=1_000))
    await closed(counter, shift, 1_200)
    async with counter.database.unit(counter.tenant, OTHER) as unit:
        with pytest.raises(RefusalError, match="the book says 1200"):
            await desk.open_shift(unit, shift.cash_box_id, opening_fen=1_100)
        second = await desk.open_shift(unit, shift.cash_box_id, opening_fen=1_200)
    async with counter.database.view(counter.tenant) as session:
        assert (await desk.open_shift_of(session, OTHER.id)) == second
    assert await balance_fen(counter, "cash") == 1_200


async def test_a_closed_shift_another_cashiers_and_a_second_one_take_no_money(counter: Counter) -> None:
    await counter.bill(0, 1_000)
    shift = await opened(counter)
    receipt = await receipt_of(counter, tendered_fen=1_000)
    with pytest.raises(ShiftError, match="another cashier"):
        await taken(counter, shift, receipt, OTHER)
    async with counter.database.unit(counter.tenant, CASHIER) as unit:
        with pytest.raises(ShiftError, match="open shift"):
            await desk.open_shift(unit, shift.cash_box_id, opening_fen=0)
        unit.record("tried", "cash_shift", shift.cash_shift_id)
    await closed(counter, shift, 0)
    with pytest.raises(ShiftError, match="closed"):
        await taken(counter, shift, receipt)
    assert await counter.payments() == ()
