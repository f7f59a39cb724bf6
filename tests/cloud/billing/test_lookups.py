"""The named queries beside bill runs, on what a real month leaves behind."""

from __future__ import annotations

from datetime import date

from cloud.billing import lookups
from cloud.billing.service import MONTHLY
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office


async def test_totals_lines_and_periods_due_are_found_by_what_they_are(office: Office) -> None:
    for flat in office.site.flats:
        office.set(flat, b.SERVICE, 0, 10_000)
        office.set(flat, b.SERVICE, 1, 11_000)
    await office.bill_month(0)
    await office.period(1)
    community = office.site.community_id
    account = await office.account(office.site.flats[0])
    async with office.site.database.view(office.site.tenant) as session:
        totals = await lookups.totals_by_account(session, community, MONTHLY, b.MONTHS[0].start)
        area = await lookups.lines_by_basis(session, [account], "area")
        metered = await lookups.lines_by_basis(session, [account], "metered")
        due = await lookups.periods_due(session, community, MONTHLY, date(2026, 3, 1))
        none_yet = await lookups.periods_due(session, community, MONTHLY, date(2026, 2, 28))
        bills = await lookups.bills_in_cycle(session, community, MONTHLY)
    assert set(totals.values()) == {10_000}
    assert (len(area), metered) == (1, [])
    assert [row.period_start for row in due] == [b.MONTHS[1].start]
    assert none_yet == []
    assert len(bills) == 4
