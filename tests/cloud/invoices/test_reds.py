"""Red letters by hand: the whole of what is left, once, and only of what is issued."""

from __future__ import annotations

from uuid import UUID

import pytest

from cloud.invoices import reds
from cloud.invoices.values import Invoice, InvoiceState, RedReason
from cloud.kit.errors import ConflictError, NotFoundError
from tests.cloud.invoices.conftest import BOX, Bureau
from tests.cloud.refunds.till import BOSS, new_id
from tests.simulation.invoices.book import Trouble


async def take_back(bureau: Bureau, blue_id: UUID, red_id: UUID | None = None) -> Invoice:
    async with bureau.database.unit(bureau.tenant, BOSS) as unit:
        return await reds.take_back(unit, BOX, red_id or new_id(), blue_id, RedReason.WRONG)


async def test_a_wrong_invoice_is_taken_back_whole_and_its_amount_can_be_invoiced_anew(bureau: Bureau) -> None:
    await bureau.till.paid()
    blue = await bureau.issued()
    red_id = new_id()
    assert await take_back(bureau, blue.invoice_id, red_id) == await take_back(bureau, blue.invoice_id, red_id)
    await bureau.work()
    await bureau.later(minutes=1)
    (_, red) = await bureau.invoices()
    assert (red.state, red.total_fen, red.net_fen) == (InvoiceState.ISSUED, blue.total_fen, blue.net_fen)
    assert bureau.standing_fen() == 0
    assert (await bureau.issued()).total_fen == 500


async def test_an_invoice_is_taken_back_once(bureau: Bureau) -> None:
    await bureau.till.paid()
    blue = await bureau.issued()
    await take_back(bureau, blue.invoice_id)
    with pytest.raises(ConflictError, match="全额红冲"):
        await take_back(bureau, blue.invoice_id)


async def test_what_is_not_issued_is_not_taken_back_nor_a_red_letter_itself(bureau: Bureau) -> None:
    await bureau.till.paid()
    asked = await bureau.ask(await bureau.wish())
    with pytest.raises(ConflictError, match="已开具"):
        await take_back(bureau, asked.invoice_id)
    await bureau.work()
    await bureau.later(minutes=1)
    red = await take_back(bureau, asked.invoice_id)
    with pytest.raises(ConflictError, match="已开具"):
        await take_back(bureau, red.invoice_id)
    with pytest.raises(ConflictError, match="other content"):
        await take_back(bureau, asked.invoice_id, asked.invoice_id)
    with pytest.raises(NotFoundError):
        await take_back(bureau, new_id())


async def test_by_hand_a_refused_red_letter_is_tried_anew(bureau: Bureau) -> None:
    payment = await bureau.till.paid()
    blue = await bureau.issued()
    bureau.book.troubles.append(Trouble.REFUSED)
    await bureau.give_back(payment, 500)
    for _ in range(3):
        await bureau.later(minutes=5)
    assert [one.state for one in await bureau.invoices()] == [InvoiceState.ISSUED, InvoiceState.REFUSED]
    async with bureau.database.unit(bureau.tenant, BOSS) as unit:
        assert await reds.follow(unit, BOX, blue.bill_id) == ()
        (again,) = await reds.follow(unit, BOX, blue.bill_id, by_hand=True)
        unit.record("asked for", "tax_invoice", again.invoice_id)
    await bureau.work()
    await bureau.later(minutes=1)
    assert (await bureau.state(again)).state is InvoiceState.ISSUED
    assert bureau.standing_fen() == 0
