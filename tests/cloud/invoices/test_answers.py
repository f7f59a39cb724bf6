"""Answers written down: each at most once, none for an invoice that is over, addresses only if they are ones."""

from __future__ import annotations

from uuid import UUID

import pytest

from cloud.invoices import answers
from cloud.invoices.providers.values import Numbered, Taken
from cloud.invoices.values import InvoiceState
from cloud.kit.calls import Refused
from tests.cloud.invoices.conftest import Bureau
from tests.cloud.refunds.till import CLERK


def numbered(number: str = "26312000000000009999", file_url: str = "https://example.com/a.pdf") -> Numbered:
    return Numbered(number=number, at=None, net_fen=472, tax_fen=28, file_url=file_url)


async def test_an_answer_after_the_end_changes_nothing(bureau: Bureau) -> None:
    await bureau.till.paid()
    found = await bureau.issued()
    async with bureau.database.unit(bureau.tenant, CLERK) as unit:
        await answers.note_asked(unit, found.invoice_id, Refused(reason="late no"))
        await answers.note_sent(unit, found.invoice_id, Taken(reference="again"))
        await answers.note_sending(unit, found.invoice_id)
    assert await bureau.state(found) == found


@pytest.mark.parametrize("number", ["", "123", "2631200000000000999x", "263120000000000099990"])
async def test_an_invoice_without_a_number_of_twenty_digits_is_not_believed(bureau: Bureau, number: str) -> None:
    await bureau.till.paid()
    asked = await bureau.ask(await bureau.wish())
    async with bureau.database.unit(bureau.tenant, CLERK) as unit:
        await answers.note_sending(unit, asked.invoice_id)
        await answers.note_asked(unit, asked.invoice_id, numbered(number))
    assert (await bureau.state(asked)).state is InvoiceState.UNKNOWN
    assert await bureau.case_reasons() == ["invoice_differs"]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/etc/passwd", "https://x/" + "a" * 1_000, "https://x/\n"])
async def test_what_is_no_address_of_a_file_is_left_out(bureau: Bureau, address: str) -> None:
    await bureau.till.paid()
    asked = await bureau.ask(await bureau.wish())
    async with bureau.database.unit(bureau.tenant, CLERK) as unit:
        await answers.note_sending(unit, asked.invoice_id)
        await answers.note_asked(unit, asked.invoice_id, numbered(file_url=address))
    found = await bureau.state(asked)
    assert (found.state, found.file_url) == (InvoiceState.ISSUED, "")


def test_a_bill_is_compared_once_for_each_cause() -> None:
    jobs = [answers.follow_job(UUID(int=7), cause) for cause in ("refund:1", "refund:1", "refund:2")]
    assert jobs[0] == jobs[1]
    assert jobs[0].key != jobs[2].key
