"""Closing a period: its days take no more, what stood on it is kept, and the audit compares it with the book."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import pytest_asyncio

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError
from cloud.ledger import periods, reports
from cloud.ledger.auditing import audit
from cloud.ledger.errors import SealedDayError
from cloud.ledger.periods import ClosedPeriod
from common.civil import Period
from common.ids import TenantId
from tests.cloud.charges.street import Street, build_street
from tests.support.clock import SettableClock

JANUARY = Period(date(2026, 1, 1), date(2026, 2, 1))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 3, 1))


@pytest_asyncio.fixture
async def street(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Street:
    built = await build_street(database, tenant, actor, clock)
    item = await built.make(built.charge())
    bills = await built.issue(built.one_off(item, 60_000))
    await built.pay(bills[0], 1_000, date(2026, 2, 10))
    clock.set(datetime(2026, 3, 20, tzinfo=UTC))
    return built


async def close(street: Street, period: Period) -> ClosedPeriod:
    async with street.database.unit(street.tenant, street.actor) as unit:
        return await periods.close_period(unit, street.community, period)


async def test_a_closed_period_keeps_its_balance_and_takes_no_more(street: Street) -> None:
    january = await close(street, JANUARY)
    february = await close(street, FEBRUARY)
    assert (january.debit_fen, february.debit_fen) == (60_000, 61_000)
    assert await close(street, FEBRUARY) == february
    item = await street.make(street.charge("other"))
    (bill, *_) = await street.issue(street.one_off(item, 600))
    with pytest.raises(SealedDayError):
        await street.pay(bill, 1, date(2026, 2, 20))
    await street.pay(bill, 1, date(2026, 3, 20))
    async with street.database.view(street.tenant) as session:
        assert (await audit(session, street.community)).breaches == ()
        assert len(await periods.closed_periods(session, street.community)) == 2
        now = await reports.trial_balance(session, street.community, date(2026, 2, 28))
    assert now.lines == february.lines


@pytest.mark.parametrize(
    ("period", "says"),
    [
        (Period(date(2026, 1, 1), date(2026, 1, 16)), "closed through"),
        (Period(date(2026, 3, 1), date(2026, 4, 1)), "follows begins on 2026-02-01"),
        (Period(date(2026, 2, 1), date(2026, 4, 1)), "not over everywhere"),
    ],
)
async def test_periods_are_closed_in_order_once_and_when_they_are_over(
    street: Street, period: Period, says: str
) -> None:
    await close(street, JANUARY)
    with pytest.raises(ConflictError, match=says):
        await close(street, period)


async def test_a_book_without_a_movement_is_closed_too(
    database: Database, other_tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    empty = await build_street(database, other_tenant, actor, clock)
    clock.set(datetime(2026, 3, 20, tzinfo=UTC))
    assert (await close(empty, JANUARY)).lines == ()
