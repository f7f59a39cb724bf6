"""The named queries of closed periods and exports."""

from __future__ import annotations

from datetime import UTC, date, datetime

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.ledger import lookups, periods
from common.civil import Period
from common.ids import TenantId
from tests.cloud.charges.street import build_street
from tests.support.clock import SettableClock


async def test_transfers_come_by_day_and_the_last_close_is_the_newest(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    street = await build_street(database, tenant, actor, clock)
    item = await street.make(street.charge())
    bills = await street.issue(street.one_off(item, 600))
    await street.pay(bills[0], 1, date(2026, 2, 3))
    clock.set(datetime(2026, 3, 20, tzinfo=UTC))
    for month in (1, 2):
        async with database.unit(tenant, actor) as unit:
            await periods.close_period(unit, street.community, Period(date(2026, month, 1), date(2026, month + 1, 1)))
    async with database.view(tenant) as session:
        rows = await lookups.transfers_in(session, street.community, None)
        january = await lookups.transfers_in(session, street.community, date(2026, 1, 31))
        newest = await lookups.newest_close(session, street.community)
        assert len(await lookups.closes(session, street.community)) == 2
    days = [journal.business_date for _, journal in rows]
    assert days == sorted(days)
    assert (len(rows), len(january)) == (7, 6)
    assert newest is not None
    assert newest.period_end == date(2026, 3, 1)
