"""Anybody may ask whether a file or a code is genuine and still holds, and learns nothing about persons."""

from __future__ import annotations

import pytest

from cloud.documents import checking
from cloud.documents.errors import UnknownPaperError
from cloud.documents.kinds import Check, Holds, PaperKind
from cloud.documents.signer import der_of
from cloud.documents.verifying import examine
from tests.cloud.documents import examples
from tests.cloud.documents.conftest import Stationer


async def test_a_sealed_bill_is_genuine_and_current(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    verdict = await checking.of_file(stationer.press.database, await stationer.sealed(paper))
    assert verdict.check is Check.GENUINE
    assert verdict.paper is not None
    assert (verdict.paper.number, verdict.paper.total) == (paper.number, "¥203.40")
    assert verdict.paper.standing.holds is Holds.CURRENT


async def test_a_bill_that_was_corrected_says_so_and_names_the_paper_that_did(stationer: Stationer) -> None:
    bill_id = await stationer.bill()
    paper = await stationer.issue(PaperKind.BILL, bill_id)
    office = stationer.counter.office
    office.set(office.site.flats[0], stationer.counter.item, 0, 20_000)
    (adjustment,) = await office.correct([office.site.flats[0]], 0)
    found = await checking.by_token(stationer.press.database, paper.token)
    assert found.standing.holds is Holds.CORRECTED
    assert found.standing.by == (adjustment.number,)


async def test_a_bill_that_was_taken_back_whole_is_void(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    office = stationer.counter.office
    office.set(office.site.flats[0], stationer.counter.item, 0, 0)
    await office.correct([office.site.flats[0]], 0)
    found = await checking.by_token(stationer.press.database, paper.token)
    assert found.standing.holds is Holds.VOID


async def test_a_tampered_file_is_told_beside_what_our_book_says(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    sealed = await stationer.sealed(paper)
    place = sealed.index(b"stream") + 40
    changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
    verdict = await checking.of_file(stationer.press.database, changed)
    assert verdict.check is Check.TAMPERED
    assert verdict.paper is not None


async def test_a_bit_in_the_signatures_own_padding_is_no_longer_the_file_we_sealed(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    sealed = await stationer.sealed(paper)
    place = sealed.index(b">", sealed.index(b"/Contents <")) - 2
    changed = sealed[:place] + b"1" + sealed[place + 1 :]
    verdict = await checking.of_file(stationer.press.database, changed)
    assert verdict.check is Check.TAMPERED


async def test_a_file_that_names_our_paper_under_another_seal_is_foreign(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    await stationer.sealed(paper)
    verify = {**examples.sheet()["verify"], "token": paper.token}
    forged = await examples.sealed(examples.key(), verify=verify)
    assert (await checking.of_file(stationer.press.database, forged)).check is Check.FOREIGN_SEAL


async def test_a_file_of_nobody_we_know_has_no_paper(stationer: Stationer) -> None:
    verdict = await checking.of_file(stationer.press.database, await examples.sealed(examples.key()))
    assert (verdict.check, verdict.paper) == (Check.FOREIGN_SEAL, None)
    assert (await checking.of_file(stationer.press.database, b"junk")).check is Check.UNREADABLE


async def test_the_certificates_of_the_company_prove_a_paper_without_us(stationer: Stationer) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    sealed = await stationer.sealed(paper)
    pem = await checking.certificates(stationer.press.database, paper.token)
    assert examine(sealed, [der_of(pem.encode())]).check is Check.GENUINE


@pytest.mark.parametrize("token", ["", "x" * 24, "../../../../etc/passwd00", "x" * 500])
async def test_a_code_of_no_paper_is_unknown(stationer: Stationer, token: str) -> None:
    with pytest.raises(UnknownPaperError):
        await checking.by_token(stationer.press.database, token)
    with pytest.raises(UnknownPaperError):
        await checking.certificates(stationer.press.database, token)


async def test_a_receipt_holds_and_tells_no_name(stationer: Stationer) -> None:
    await stationer.bill()
    await stationer.counter.settle(await stationer.counter.start())
    (payment,) = await stationer.counter.payments()
    paper = await stationer.issue(PaperKind.RECEIPT, payment.payment_id)
    found = await checking.by_token(stationer.press.database, paper.token)
    assert found.standing.holds is Holds.CURRENT
    assert "owner" not in repr(found)
