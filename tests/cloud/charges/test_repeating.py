"""Pools by invoice, month after month: one draft a month, its own amount, split to the fen."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from cloud.charges import service
from cloud.charges.repeating import NextInvoice, next_days, repeat
from cloud.charges.values import ChargeState, OneOff, Sharing
from cloud.kit.errors import ConflictError, NotFoundError
from common.civil import Period
from common.errors import RefusalError
from tests.cloud.charges.street import AREAS, MARCH, Street

APRIL = Period(MARCH.end, date(2026, 5, 1))


async def again(street: Street, charge_id: UUID, fen: int, reference: str = "发票 8841") -> OneOff:
    async with street.database.unit(street.tenant, street.actor) as unit:
        drafted = await repeat(unit, charge_id, NextInvoice(amount_fen=fen, reference=reference))
        unit.record("tested", "one_off_charge", charge_id)
        return drafted


async def issue(street: Street, charge_id: UUID) -> int:
    async with street.database.view(street.tenant) as session:
        seen = await service.preview(session, charge_id)
    async with street.database.unit(street.tenant, street.actor) as unit:
        return sum(bill.total_fen for bill in await service.issue(unit, charge_id, preview_sha=seen.sha))


async def test_a_pool_is_entered_once_and_repeated_by_its_invoices(street: Street) -> None:
    item = await street.make(street.charge("power"))
    first = street.one_off(item, 90_001)
    await street.issue(first)
    second = await again(street, first.charge_id, 123_457)
    assert (second.state, second.new.service, second.new.due_on) == (ChargeState.DRAFT, APRIL, date(2026, 5, 15))
    assert (second.new.sharing, second.new.coverage) == (first.sharing, first.coverage)
    assert await issue(street, second.new.charge_id) == 123_457
    third = await again(street, second.new.charge_id, 100_000, "发票 8850")
    assert third.new.service.start == APRIL.end
    assert len(AREAS) == len((await _preview(street, third.new.charge_id)).shares)


async def _preview(street: Street, charge_id: UUID) -> service.OneOffPreview:
    async with street.database.view(street.tenant) as session:
        return await service.preview(session, charge_id)


async def test_a_month_has_one_draft_however_often_it_is_entered(street: Street) -> None:
    item = await street.make(street.charge("power"))
    first = street.one_off(item, 90_001)
    await street.issue(first)
    made = [(await again(street, first.charge_id, 5_000)).new.charge_id for _ in range(2)]
    assert made[0] == made[1]
    with pytest.raises(ConflictError, match="other content"):
        await again(street, first.charge_id, 5_001)


async def test_a_draft_thrown_away_frees_its_month(street: Street) -> None:
    item = await street.make(street.charge("power"))
    first = street.one_off(item, 90_001, Sharing.BY_HOUSEHOLD)
    await street.issue(first)
    wrong = await again(street, first.charge_id, 5_000)
    async with street.database.unit(street.tenant, street.actor) as unit:
        await service.drop(unit, wrong.new.charge_id)
    right = await again(street, first.charge_id, 5_001)
    assert right.new.charge_id != wrong.new.charge_id
    assert await issue(street, right.new.charge_id) == 5_001
    with pytest.raises(ConflictError, match="repeat one that stands"):
        await again(street, wrong.new.charge_id, 1)
    with pytest.raises(NotFoundError):
        await again(street, UUID(int=1), 1)


@pytest.mark.parametrize(
    ("days", "after"),
    [
        (MARCH, APRIL),
        (Period(date(2026, 1, 1), date(2026, 4, 1)), Period(date(2026, 4, 1), date(2026, 7, 1))),
        (Period(date(2026, 12, 1), date(2027, 1, 1)), Period(date(2027, 1, 1), date(2027, 2, 1))),
    ],
)
def test_the_days_that_follow_are_as_many_whole_months(days: Period, after: Period) -> None:
    assert next_days(days) == after


def test_days_that_are_no_months_and_invoices_without_a_number_are_refused() -> None:
    with pytest.raises(RefusalError, match="whole months"):
        next_days(Period(date(2026, 3, 2), date(2026, 4, 1)))
    with pytest.raises(RefusalError, match="names its invoice"):
        NextInvoice(amount_fen=1, reference=" ")
