"""A paper is issued once, kept with all it was made from, and printed again to the same bytes."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest
from sqlalchemy import text

from cloud.cases import service as cases
from cloud.documents import service
from cloud.documents.errors import NotPrintableError, UnknownPaperError
from cloud.documents.kinds import PaperKind
from cloud.kit.errors import NotFoundError
from cloud.payments.values import Payment
from tests.cloud.documents.conftest import Stationer
from tests.cloud.refunds.till import Till


async def paid(stationer: Stationer) -> Payment:
    await stationer.bill()
    await stationer.counter.settle(await stationer.counter.start())
    (payment,) = await stationer.counter.payments()
    return payment


async def test_a_bills_paper_carries_its_number_and_is_the_same_when_asked_again(stationer: Stationer) -> None:
    bill_id = await stationer.bill()
    first = await stationer.issue(PaperKind.BILL, bill_id)
    again = await stationer.issue(PaperKind.BILL, bill_id)
    assert again == first
    assert len(first.token) == 24
    assert not first.missing_letters


async def test_until_it_is_sealed_the_file_says_so_in_name_and_on_the_page(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    file = await stationer.file(paper)
    assert not file.sealed
    assert file.name.endswith("-unsealed.pdf")
    assert sha256(file.content).digest() != paper.pdf_sha


async def test_a_paper_is_printed_again_to_the_bytes_of_its_digest(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    again = await service.reprint(stationer.press, stationer.tenant, paper.paper_id)
    assert sha256(again).digest() == paper.pdf_sha


async def test_a_receipt_lists_what_was_settled_and_repeats_the_sum_in_words(stationer: Stationer) -> None:
    payment = await paid(stationer)
    paper = await stationer.issue(PaperKind.RECEIPT, payment.payment_id)
    async with stationer.press.database.view(stationer.tenant) as session:
        row = (await session.execute(text("select sheet from paper where paper_id = :p"), {"p": paper.paper_id})).one()
    assert row.sheet["words"] == "人民币贰佰零叁元肆角"
    assert [line[2] for line in row.sheet["rows"]] == ["203.40"]
    assert row.sheet["totals"] == [["实收", "Received", "¥203.40"]]


async def test_a_refund_has_a_voucher_once_it_has_arrived_and_not_before(stationer: Stationer) -> None:
    payment = await paid(stationer)
    till = Till(counter=stationer.counter)
    refund = await till.request(till.wish(payment, 100))
    with pytest.raises(NotPrintableError, match="has not arrived yet"):
        await stationer.issue(PaperKind.REFUND_VOUCHER, refund.refund_id)


@pytest.mark.parametrize("kind", list(PaperKind))
async def test_there_is_no_paper_about_what_does_not_exist(stationer: Stationer, kind: PaperKind) -> None:
    with pytest.raises(NotFoundError):
        await stationer.issue(kind, UUID(int=5))


async def test_an_unknown_paper_has_no_file(stationer: Stationer) -> None:
    with pytest.raises(UnknownPaperError):
        await service.file_of(stationer.press, stationer.tenant, UUID(int=5))


async def test_a_letter_that_the_font_lacks_opens_a_case_and_is_shown_by_its_code(stationer: Stationer) -> None:
    bill_id = await stationer.bill()
    async with stationer.press.database.unit(stationer.tenant, stationer.actor) as unit:
        party = stationer.counter.office.site.flats[0][1]
        await unit.session.execute(
            text("update party set name = :n where party_id = :p"), {"n": "𠮷田商店", "p": party}
        )
        unit.record("renamed", "party", party)
    paper = await stationer.issue(PaperKind.BILL, bill_id)
    assert paper.missing_letters == "𠮷"
    async with stationer.press.database.view(stationer.tenant) as session:
        (case,) = await cases.open_about(session, [paper.paper_id])
    assert "U+20BB7" in case.detail_en
    assert "𠮷" not in case.detail_zh
