"""The night parker's statement: who stood through the night is told once, with the tariff's figure or the reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.parking.night import NO_TARIFF, NightStatement, night_before, state_night, statements
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass, Nature
from cloud.tariffs.service import AssignmentDraft, RevisionDraft
from cloud.tariffs.targets import lot_target
from common.ids import ChargeItemId
from tests.cloud.parking.yard import PERSONAL, Yard, act, permit
from tests.cloud.rating import documents
from tests.support.clock import SettableClock

EVENING = datetime(2026, 1, 5, 11, 30, tzinfo=UTC)  # half past seven in the evening in Shanghai
NIGHT = date(2026, 1, 6)


async def price(yard: Yard) -> None:
    """Charge the lot by the hour."""
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="Lake Ltd")
        await unit.session.flush()
        item = ChargeItem(
            charge_item_id=ChargeItemId(unit.new_id()),
            community_id=yard.community,
            code="parking",
            name_zh="停车费",
            name_en="Parking",
            basis=ChargeBasis.PARKING,
            resource=None,
            nature=Nature.REVENUE,
            fund_class=FundClass.OPERATING,
            legal_entity_id=entity,
            tax_code="",
            tax_rate_micro=0,
            bears_late_charge=False,
        )
        await tariffs.add_charge_item(unit, item)
        await unit.session.flush()
        tariff_id, _ = await tariffs.record_revision(
            unit,
            RevisionDraft(
                community_id=yard.community,
                document=documents.parking(),
                effective_from=date(2026, 1, 1),
                basis_document="notice 1",
                decided_by="the owners",
            ),
        )
        await unit.session.flush()
        await tariffs.assign(
            unit,
            AssignmentDraft(
                community_id=yard.community,
                charge_item_id=item.charge_item_id,
                target=lot_target("north"),
                tariff_id=tariff_id,
                effective_from=date(2026, 1, 1),
            ),
        )


async def enter(yard: Yard, clock: SettableClock, at: datetime = EVENING) -> None:
    clock.set(at)
    await yard.take(await yard.send(act("entry", 1, at, at), plates=(PERSONAL,)))


async def leave(yard: Yard, clock: SettableClock, after: timedelta, reason: str = "to_account") -> None:
    clock.set(EVENING + after)
    await yard.take(await yard.send(act("exit", 2, clock.now(), EVENING, reason=reason)))


async def state(yard: Yard) -> list[NightStatement]:
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        await state_night(unit, yard.community, NIGHT)
    async with yard.database.view(yard.tenant) as session:
        return await statements(session, yard.community, NIGHT)


async def test_a_car_that_stood_through_the_night_is_told_what_it_cost_by_dawn_once(
    yard: Yard, clock: SettableClock
) -> None:
    await price(yard)
    await permit(yard)
    await enter(yard, clock)
    (told,) = await state(yard)
    assert (told.amount_fen, told.reason, told.left) == (5500, "", None)
    assert told.minutes == 630
    await leave(yard, clock, timedelta(hours=12))
    assert await state(yard) == [told]
    async with yard.database.view(yard.tenant) as session:
        assert await statements(session, yard.community, NIGHT, [yard.flat]) == [told]
        assert await statements(session, yard.community, NIGHT, []) == []


async def test_a_night_without_a_tariff_is_told_as_not_priced_never_as_free(yard: Yard, clock: SettableClock) -> None:
    await permit(yard)
    await enter(yard, clock)
    (told,) = await state(yard)
    assert (told.amount_fen, told.reason) == (None, NO_TARIFF)


@pytest.mark.parametrize("hours", [1, 3], ids=["left before the night", "stood half an hour of it"])
async def test_who_left_before_the_night_is_told_nothing(yard: Yard, clock: SettableClock, hours: int) -> None:
    await enter(yard, clock)
    await leave(yard, clock, timedelta(hours=hours))
    assert await state(yard) == []


async def test_a_stay_that_cost_nothing_is_told_as_nothing(yard: Yard, clock: SettableClock) -> None:
    await price(yard)
    await enter(yard, clock)
    await leave(yard, clock, timedelta(hours=9), reason="free")
    (told,) = await state(yard)
    assert (told.amount_fen, told.left) == (0, EVENING + timedelta(hours=9))


async def test_the_night_lies_between_ten_and_six_by_the_clock_of_the_community(yard: Yard) -> None:
    async with yard.database.view(yard.tenant) as session:
        community = await estate.community(session, yard.community)
    begins, ends = night_before(NIGHT, community)
    assert (begins, ends) == (datetime(2026, 1, 5, 14, tzinfo=UTC), datetime(2026, 1, 5, 22, tzinfo=UTC))


async def test_a_statement_names_no_person_and_no_plate(yard: Yard, clock: SettableClock) -> None:
    await enter(yard, clock)
    (told,) = await state(yard)
    assert isinstance(told.session_id, UUID)
    assert PERSONAL.value not in str(told)
