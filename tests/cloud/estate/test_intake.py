"""Many at once: the same checks and deeds as one by one, in a few statements whatever the number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from cloud.estate import intake
from cloud.estate import service as estate
from cloud.estate.kinds import Fact, PartyKind, PremisesKind, Role
from cloud.estate.values import NewParty, NewPremises, Relation
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, NotFoundError
from common.civil import Period
from common.ids import CommunityId, PartyId, PremisesId, TenantId

OPENING = date(2025, 1, 1)
YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))
NUMBER = 60


@pytest.fixture
async def community(database: Database, tenant: TenantId, actor: Actor) -> CommunityId:
    async with database.unit(tenant, actor) as unit:
        return await estate.create_community(unit, code="garden", name="翠湖花园", starts=OPENING)


def flats(number: int) -> list[NewPremises]:
    return [
        NewPremises(
            label=f"1-1-{n}", kind=PremisesKind.RESIDENCE, effective_from=OPENING, facts={Fact.AREA: 80_000 + n}
        )
        for n in range(1, number + 1)
    ]


def owned(premises_id: PremisesId, party_id: PartyId) -> Relation:
    return Relation(premises_id=premises_id, party_id=party_id, role=Role.PAYER, starts=OPENING, ends=None)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    told: list[str] = []

    def note(*arguments: object) -> None:
        told.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_a_whole_community_is_taken_in_with_few_statements_and_every_deed_recorded(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId
) -> None:
    people = [NewParty(kind=PartyKind.PERSON, name=f"住户{n}") for n in range(NUMBER)]
    with counted_statements() as told:
        async with database.unit(tenant, actor) as unit:
            premises = await intake.add_all_premises(unit, community, flats(NUMBER))
            parties = await intake.add_parties(unit, people)
            await intake.relate_all(unit, [owned(*pair) for pair in zip(premises, parties, strict=True)])
    assert len(told) < NUMBER / 2
    async with database.view(tenant) as session:
        found = await estate.premises_in(session, community, day=YEAR.start)
        spans = await estate.payers(session, community, YEAR)
        deeds = await session.scalar(text("select count(*) from audit where action in ('added', 'related')"))
    assert [(item.id, item.area_milli) for item in found] == [
        (premises_id, 80_000 + n) for n, premises_id in enumerate(premises, start=1)
    ]
    assert {span.premises_id: span.party_id for span in spans} == dict(zip(premises, parties, strict=True))
    assert deeds is not None
    assert deeds >= 3 * NUMBER


async def test_two_payers_within_one_list_are_refused_like_two_in_a_row(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId
) -> None:
    async with database.unit(tenant, actor) as unit:
        (flat,) = await intake.add_all_premises(unit, community, flats(1))
        one, two = await intake.add_parties(
            unit, [NewParty(kind=PartyKind.PERSON, name="王小明"), NewParty(kind=PartyKind.PERSON, name="李四")]
        )
    with pytest.raises(ConflictError, match="1-1-1 have such a payer"):
        async with database.unit(tenant, actor) as unit:
            await intake.relate_all(unit, [owned(flat, one), owned(flat, two)])
    async with database.view(tenant) as session:
        assert await estate.relations_of(session, flat) == []


async def test_unknown_premises_in_a_list_are_refused(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor, community: CommunityId
) -> None:
    async with database.unit(tenant, actor) as unit:
        (flat,) = await intake.add_all_premises(unit, community, flats(1))
    async with database.unit(other_tenant, actor) as unit:
        (party,) = await intake.add_parties(unit, [NewParty(kind=PartyKind.PERSON, name="王小明")])
    with pytest.raises(NotFoundError):
        async with database.unit(other_tenant, actor) as unit:
            await intake.relate_all(unit, [owned(flat, party)])
