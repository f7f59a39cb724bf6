"""From the request to the number: over real HTTP, and over everything a platform may do on the way."""

from __future__ import annotations

import pytest

from cloud.invoices import service
from cloud.invoices.values import Invoice, InvoiceKind, InvoiceState
from cloud.kit.errors import ConflictError
from tests.cloud.invoices.conftest import COMPANY, Bureau
from tests.cloud.refunds.till import BOSS
from tests.simulation.invoices.book import Trouble

pytestmark = pytest.mark.timeout(120)  # a platform, a channel and a worker side by side


async def under_way(bureau: Bureau, *troubles: Trouble) -> Invoice:
    """Ask for an invoice of 5.00 yuan while things go wrong, and let the worker hand it over."""
    await bureau.till.paid()
    bureau.book.troubles.extend(troubles)
    asked = await bureau.ask(await bureau.wish())
    await bureau.work()
    return await bureau.state(asked)


async def test_a_paid_bill_becomes_an_invoice_with_number_file_and_our_amounts(bureau: Bureau) -> None:
    await bureau.till.paid()
    found = await bureau.issued()
    assert found.state is InvoiceState.ISSUED
    assert (found.total_fen, found.net_fen) == (500, 472)
    assert len(found.number or "") == 20
    assert found.file_url.endswith(".pdf")
    assert bureau.standing_fen() == 500
    assert bureau.book.papers[0].buyer == "李小明"


async def test_a_late_platform_is_asked_until_it_is_done(bureau: Bureau) -> None:
    asked = await under_way(bureau, Trouble.LATE)
    assert asked.state is InvoiceState.ACCEPTED
    await bureau.later(minutes=10)
    assert (await bureau.state(asked)).state is InvoiceState.ACCEPTED
    bureau.book.let_go()
    await bureau.later(hours=7)
    assert (await bureau.state(asked)).state is InvoiceState.ISSUED
    assert bureau.book.handed_over == 1


@pytest.mark.parametrize("trouble", [Trouble.ANSWER_LOST, Trouble.DOUBLED, Trouble.FALSE_NO])
async def test_an_answer_that_says_nothing_or_falsely_no_is_asked_about_and_never_sent_again(
    bureau: Bureau, trouble: Trouble
) -> None:
    asked = await under_way(bureau, trouble)
    await bureau.later(minutes=1)
    assert (await bureau.state(asked)).state is InvoiceState.ISSUED
    assert len(bureau.book.papers) == 1
    assert bureau.standing_fen() == 500


async def test_an_order_that_never_came_is_not_sent_again_but_ends_refused_and_can_be_asked_for_anew(
    bureau: Bureau,
) -> None:
    asked = await under_way(bureau, Trouble.NEVER_CAME)
    assert asked.state is InvoiceState.SENDING
    for _ in range(25):
        await bureau.later(hours=7)
    assert (await bureau.state(asked)).state is InvoiceState.REFUSED
    assert bureau.book.handed_over == 0
    assert await bureau.case_reasons() == ["invoice_refused"]
    again = await bureau.issued()
    assert again.state is InvoiceState.ISSUED
    assert bureau.standing_fen() == 500


async def test_a_refusal_lets_the_amount_go_and_tells_a_person(bureau: Bureau) -> None:
    asked = await under_way(bureau, Trouble.REFUSED)
    await bureau.later(minutes=1)
    found = await bureau.state(asked)
    assert found.state is InvoiceState.REFUSED
    assert "额度" in found.detail
    assert await bureau.case_reasons() == ["invoice_refused"]
    assert (await bureau.issued()).state is InvoiceState.ISSUED


@pytest.mark.parametrize("trouble", [Trouble.WRONG_AMOUNT, Trouble.SAME_NUMBER])
async def test_an_invoice_over_other_amounts_or_with_a_number_of_another_is_not_believed(
    bureau: Bureau, trouble: Trouble
) -> None:
    await bureau.till.paid()
    await bureau.issued()
    await bureau.till.counter.bill(1, 200)
    await bureau.till.pay(200)
    bureau.book.troubles.append(trouble)
    view = await bureau.bill(1)
    asked = await bureau.ask(await bureau.wish(bill_id=view.summary.bill_id))
    await bureau.work()
    await bureau.later(minutes=1)
    found = await bureau.state(asked)
    assert found.state is InvoiceState.UNKNOWN
    assert found.number is None
    assert await bureau.case_reasons() == ["invoice_differs"]


async def test_a_platform_that_never_answers_leaves_an_invoice_unknown_until_a_person_has_it_asked_again(
    bureau: Bureau,
) -> None:
    asked = await under_way(bureau, Trouble.ANSWER_LOST)
    bureau.platform.is_down = True
    for _ in range(25):
        await bureau.later(hours=7)
    assert (await bureau.state(asked)).state is InvoiceState.UNKNOWN
    assert await bureau.case_reasons() == ["invoice_unknown"]
    bureau.platform.is_down = False
    async with bureau.database.unit(bureau.tenant, BOSS) as unit:
        await service.ask_again(unit, asked.invoice_id)
    await bureau.work()
    assert (await bureau.state(asked)).state is InvoiceState.ISSUED
    assert await bureau.case_reasons() == []
    assert bureau.book.handed_over == 1
    async with bureau.database.unit(bureau.tenant, BOSS) as unit:
        with pytest.raises(ConflictError, match="issued"):
            await service.ask_again(unit, asked.invoice_id)


async def test_with_a_wrong_secret_nothing_is_handed_over_and_it_goes_well_once_that_is_mended(bureau: Bureau) -> None:
    await bureau.till.paid()
    await bureau.open_account(secret="x" * 8)
    asked = await bureau.ask(await bureau.wish())
    await bureau.work()
    found = await bureau.state(asked)
    assert found.state is InvoiceState.REQUESTED
    assert "access token" in found.detail
    for _ in range(6):
        await bureau.later(hours=25)
    assert (await bureau.state(asked)).state is InvoiceState.REFUSED
    assert bureau.book.handed_over == 0
    await bureau.open_account()
    assert (await bureau.issued()).state is InvoiceState.ISSUED


async def test_a_refund_of_an_invoiced_bill_is_followed_by_a_red_letter_without_being_asked_for(
    bureau: Bureau,
) -> None:
    payment = await bureau.till.paid()
    blue = await bureau.issued()
    await bureau.give_back(payment, 200)
    for _ in range(3):
        await bureau.later(minutes=5)
    (_, red) = await bureau.invoices()
    assert (red.state, red.blue_id, red.total_fen) == (InvoiceState.ISSUED, blue.invoice_id, 200)
    assert bureau.standing_fen() == 300
    await bureau.later(hours=30)
    assert len(await bureau.invoices()) == 2


async def test_a_refund_while_the_invoice_is_under_way_is_followed_once_it_is_issued(bureau: Bureau) -> None:
    payment = await bureau.till.paid()
    bureau.book.troubles.append(Trouble.LATE)
    await bureau.ask(await bureau.wish())
    await bureau.work()
    await bureau.give_back(payment, 500)
    await bureau.later(minutes=5)
    bureau.book.let_go()
    for _ in range(4):
        await bureau.later(hours=7)
    assert [one.state for one in await bureau.invoices()] == [InvoiceState.ISSUED, InvoiceState.ISSUED]
    assert bureau.standing_fen() == 0


@pytest.mark.parametrize(
    ("agrees", "state", "left_fen"), [(True, InvoiceState.ISSUED, 0), (False, InvoiceState.REFUSED, 500)]
)
async def test_a_special_invoice_goes_back_only_when_its_buyer_confirms(
    bureau: Bureau, state: InvoiceState, left_fen: int, *, agrees: bool
) -> None:
    payment = await bureau.till.paid()
    await bureau.issued(COMPANY, InvoiceKind.SPECIAL)
    await bureau.give_back(payment, 500)
    await bureau.later(minutes=5)
    (_, red) = await bureau.invoices()
    assert red.state is InvoiceState.CONFIRMING
    bureau.book.buyer_says(agrees=agrees)
    await bureau.later(hours=7)
    assert (await bureau.state(red)).state is state
    assert bureau.standing_fen() == left_fen
    await bureau.later(hours=30)
    assert len(await bureau.invoices()) == 2
