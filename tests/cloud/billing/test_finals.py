"""The last bill of a party: its days until it left, once, and what cannot be rated stops it."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.billing import finals, service
from cloud.billing.finals import UnratedError
from cloud.billing.issuing import IssuedBill
from cloud.kit.errors import ConflictError
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office


async def final(office: Office, gone_on: date) -> IssuedBill | None:
    account_id = await office.account(office.site.flats[0])
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        account = await service.account(unit.session, account_id)
        issued = await finals.issue_final(unit, office.book, account, gone_on)
        unit.record("tested", "bill", account_id)
    return issued


async def test_the_last_bill_fills_the_obligation_so_that_no_run_bills_the_days_again(office: Office) -> None:
    flat = office.site.flats[0]
    office.set(flat, b.SERVICE, 0, 10_000)
    scope = await office.period(0)
    issued = await final(office, date(2026, 1, 16))
    assert issued is not None
    assert (issued.number, issued.total_fen) == ("GARDEN-F2026-000001", 10_000)
    assert await final(office, date(2026, 1, 16)) is None
    reports = await office.run(scope)
    assert sum(report.issued for report in reports) == 0


async def test_nothing_owed_is_no_bill_and_the_obligation_is_waived(office: Office) -> None:
    scope = await office.period(0)
    assert await final(office, date(2026, 1, 16)) is None
    async with office.site.database.view(office.site.tenant) as session:
        assert (await service.progress(session, scope)).waived == 1


async def test_what_cannot_be_rated_stops_the_last_bill_and_an_older_period_comes_first(office: Office) -> None:
    await office.period(0)
    flat = office.site.flats[0]
    office.book.unknown.add((flat[0], b.ELECTRICITY, b.MONTHS[0].start))
    with pytest.raises(UnratedError, match="a reading is missing"):
        await final(office, date(2026, 1, 16))
    with pytest.raises(ConflictError, match="run it first"):
        await final(office, date(2026, 2, 16))
