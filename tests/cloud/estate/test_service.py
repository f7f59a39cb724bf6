"""Use cases of the estate against a real database."""

from __future__ import annotations

from datetime import date

import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError

from cloud.estate import intake
from cloud.estate import service as estate
from cloud.estate.kinds import Fact, PartyKind, PremisesKind, Role
from cloud.estate.values import NewPremises, Relation
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, MalformedError, NotFoundError
from common.civil import Period
from common.ids import CommunityId, PartyId, PremisesId, TenantId
from tests.support.clock import SettableClock

OPENING = date(2025, 1, 1)
YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))


@pytest_asyncio.fixture
async def community(database: Database, tenant: TenantId, actor: Actor) -> CommunityId:
    async with database.unit(tenant, actor) as unit:
        return await estate.create_community(unit, code="garden", name="翠湖花园", starts=OPENING)


@pytest_asyncio.fixture
async def flat(database: Database, tenant: TenantId, actor: Actor, community: CommunityId) -> PremisesId:
    new = NewPremises(label="1-2-301", kind=PremisesKind.RESIDENCE, effective_from=OPENING, facts={Fact.AREA: 88_530})
    async with database.unit(tenant, actor) as unit:
        return await estate.add_premises(unit, community, new)


async def a_person(database: Database, tenant: TenantId, actor: Actor, name: str) -> PartyId:
    async with database.unit(tenant, actor) as unit:
        return await estate.add_party(unit, kind=PartyKind.PERSON, name=name)


async def test_premises_are_listed_by_number_and_not_by_character(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId
) -> None:
    async with database.unit(tenant, actor) as unit:
        for label in ("10-1-101", "2-1-101", "2-1-1001"):
            new = NewPremises(label=label, kind=PremisesKind.RESIDENCE, effective_from=OPENING)
            await estate.add_premises(unit, community, new)
    async with database.view(tenant) as session:
        found = await estate.premises_in(session, community, day=YEAR.start)
    assert [premises.label for premises in found] == ["2-1-101", "2-1-1001", "10-1-101"]
    assert found[0].area_milli is None


async def test_a_fact_holds_from_its_day_and_a_later_statement_overrules_it_only_once_it_is_known(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId, flat: PremisesId, clock: SettableClock
) -> None:
    known_then = clock.now()
    clock.advance(days=10)
    async with database.unit(tenant, actor) as unit:
        await estate.record_fact(unit, flat, fact=Fact.AREA, effective_from=OPENING, value_milli=90_000)
        await estate.record_fact(unit, flat, fact=Fact.AREA, effective_from=date(2026, 3, 1), value_milli=95_000)
    async with database.view(tenant) as session:

        async def area(day: date) -> int | None:
            return (await estate.premises(session, flat, day=day)).area_milli

        assert await area(date(2026, 2, 28)) == 90_000
        assert await area(date(2026, 3, 1)) == 95_000
        assert await area(date(2024, 12, 31)) is None
        as_known_then = await estate.premises_in(session, community, day=date(2026, 3, 1), known_at=known_then)
    assert [premises.area_milli for premises in as_known_then] == [88_530]


async def test_a_sale_moves_the_debt_of_later_days_and_leaves_that_of_earlier_days(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId, flat: PremisesId
) -> None:
    seller = await a_person(database, tenant, actor, "王小明")
    buyer = await a_person(database, tenant, actor, "李四")
    async with database.unit(tenant, actor) as unit:
        await estate.relate(unit, party_id=seller, premises_id=flat, role=Role.OWNER, starts=OPENING)
        await estate.sell(unit, premises_id=flat, from_party=seller, to_party=buyer, day=date(2026, 5, 16))
    async with database.view(tenant) as session:
        spans = await estate.payers(session, community, YEAR)
    assert [(span.party_id, span.start, span.end) for span in spans] == [
        (seller, YEAR.start, date(2026, 5, 16)),
        (buyer, date(2026, 5, 16), YEAR.end),
    ]


async def test_only_an_owner_can_sell_and_nobody_to_himself(
    database: Database, tenant: TenantId, actor: Actor, flat: PremisesId
) -> None:
    owner = await a_person(database, tenant, actor, "王小明")
    stranger = await a_person(database, tenant, actor, "李四")
    async with database.unit(tenant, actor) as unit:
        await estate.relate(unit, party_id=owner, premises_id=flat, role=Role.OWNER, starts=OPENING)
    for seller, buyer in ((stranger, owner), (owner, owner)):
        with pytest.raises(ConflictError, match="not the seller's"):
            async with database.unit(tenant, actor) as unit:
                await estate.sell(unit, premises_id=flat, from_party=seller, to_party=buyer, day=date(2026, 5, 16))


async def test_premises_have_one_payer_at_a_time_by_rule_and_by_constraint(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId, flat: PremisesId
) -> None:
    first = await a_person(database, tenant, actor, "王小明")
    second = await a_person(database, tenant, actor, "李四")
    async with database.unit(tenant, actor) as unit:
        await estate.relate(
            unit, party_id=first, premises_id=flat, role=Role.PAYER, starts=OPENING, ends=date(2026, 2, 1)
        )
        await estate.relate(unit, party_id=second, premises_id=flat, role=Role.PAYER, starts=date(2026, 2, 1))
    with pytest.raises(ConflictError, match="payer in those days"):
        async with database.unit(tenant, actor) as unit:
            await estate.relate(unit, party_id=first, premises_id=flat, role=Role.PAYER, starts=date(2026, 3, 1))
    forced = Relation(premises_id=flat, party_id=first, role=Role.PAYER, starts=date(2026, 3, 1), ends=None)
    with pytest.raises(IntegrityError, match="one_payer"):
        async with database.unit(tenant, actor) as unit:
            intake.add_relation(unit, community, forced)


async def test_a_negative_fact_and_a_false_zone_are_refused(
    database: Database, tenant: TenantId, actor: Actor, flat: PremisesId
) -> None:
    with pytest.raises(MalformedError, match="cannot be negative"):
        async with database.unit(tenant, actor) as unit:
            await estate.record_fact(unit, flat, fact=Fact.AREA, effective_from=OPENING, value_milli=-1)
    with pytest.raises(MalformedError, match="not a time zone"):
        async with database.unit(tenant, actor) as unit:
            await estate.create_community(unit, code="x", name="x", starts=OPENING, zone="Mars/Olympus")


async def test_another_companys_premises_do_not_exist(
    database: Database, other_tenant: TenantId, actor: Actor, flat: PremisesId
) -> None:
    async with database.view(other_tenant) as session:
        with pytest.raises(NotFoundError):
            await estate.premises(session, flat, day=OPENING)
    with pytest.raises(NotFoundError):
        async with database.unit(other_tenant, actor) as unit:
            await estate.record_fact(unit, flat, fact=Fact.AREA, effective_from=OPENING, value_milli=1)


async def test_parties_are_found_by_name_and_by_pinyin(database: Database, tenant: TenantId, actor: Actor) -> None:
    for name in ("王小明", "李四", "wang & co 100%"):
        await a_person(database, tenant, actor, name)
    async with database.view(tenant) as session:
        by_name = await estate.find_parties(session, name_part="王")
        by_percent = await estate.find_parties(session, name_part="%")
        everybody = await estate.find_parties(session)
    assert [party.name for party in by_name] == ["王小明"]
    assert [party.name for party in by_percent] == ["wang & co 100%"]
    assert [party.name for party in everybody] == ["李四", "wang & co 100%", "王小明"]
