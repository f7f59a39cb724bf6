"""Balances brought in: what was used cannot be taken back."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.estate import service as estate
from cloud.imports import openings
from cloud.imports.columns import Record
from cloud.imports.making import standing
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.errors import GuardError
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef
from tests.cloud.charges.conftest import street
from tests.cloud.charges.street import Street

__all__ = ["street"]


async def test_money_paid_ahead_that_was_used_stays(street: Street) -> None:
    item = await street.make(street.charge())
    import_id = street.database.new_id()
    record = Record(row=2, values={"label": "1-1-101", "code": item.code, "fen": -5_000, "due": date(2026, 1, 5)})
    async with street.database.unit(street.tenant, street.actor) as unit:
        known = await standing(unit.session, await estate.community(unit.session, street.community), unit.now)
        found, faults = await openings.openings_of(unit.session, [record], known)
        assert faults == []
        (made,) = await openings.make_openings(unit, import_id, found, known.community)
    bills = await street.issue(street.one_off(item, 60_000))
    bill = next(one for one in bills if one.account.account_id == made.object_id)
    async with street.database.unit(street.tenant, street.actor) as unit:
        part = postings.Allocation(
            account_id=bill.account.account_id, line=LineRef(bill_id=bill.summary.bill_id, n=1), fen=1
        )
        used = JournalDraft(
            idem_key="used",
            kind="ahead_used",
            community_id=street.community,
            business_date=date(2026, 1, 1),
            document=DocumentRef(kind=DocumentKind.BILL, document_id=bill.summary.bill_id),
            transfers=postings.prepayment_used(street.book, bill.account.account_id, [part]),
        )
        await ledger.post(unit, used)
    with pytest.raises(GuardError):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await openings.undo_ahead(unit, (import_id, 1), made.object_id, made.detail, known.community)
