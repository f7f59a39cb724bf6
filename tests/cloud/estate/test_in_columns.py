"""Who owes for all of a period, by column: the same party that the by-value rule names, or nobody."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import numpy as np
import pytest

from cloud.estate import service as estate
from cloud.estate.in_columns import ABSENT, NOBODY, PremisesRange, households, may_owe, sole_payers, with_payers
from cloud.estate.kinds import Fact, PartyKind, PremisesKind, Role
from cloud.estate.values import NewPremises
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.images import Columns, day_number, id_at, ids_of
from common.civil import Period
from common.ids import TenantId

HOME = UUID(int=0xF1)
OWNER, TENANT = UUID(int=0xA1), UUID(int=0xA2)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
BEFORE, INSIDE, AFTER = date(2026, 1, 1), date(2026, 3, 10), date(2027, 1, 1)
Relation = tuple[UUID, bool, date, date]


def owing(*relations: Relation) -> Columns:
    return {
        "premises_id": ids_of([HOME] * len(relations)),
        "party_id": ids_of([one[0] for one in relations]),
        "pays": np.array([one[1] for one in relations], dtype=np.bool_),
        "starts": np.array([day_number(one[2]) for one in relations]),
        "ends": np.array([day_number(one[3]) for one in relations]),
    }


@pytest.mark.parametrize(
    ("relations", "party"),
    [
        ([(OWNER, False, BEFORE, AFTER)], OWNER),
        ([(OWNER, False, BEFORE, AFTER), (TENANT, True, BEFORE, AFTER)], TENANT),
        ([(OWNER, False, BEFORE, MARCH.end)], OWNER),
        ([(OWNER, False, BEFORE, INSIDE)], None),
        ([(OWNER, False, BEFORE, AFTER), (TENANT, True, INSIDE, AFTER)], None),
        ([(OWNER, False, BEFORE, AFTER), (TENANT, False, BEFORE, AFTER)], None),
        ([(OWNER, False, BEFORE, INSIDE), (TENANT, False, INSIDE, AFTER)], None),
    ],
)
def test_one_party_owes_for_the_whole_period_or_nobody_does(relations: list[Relation], party: UUID | None) -> None:
    (found,) = sole_payers(ids_of([HOME]), owing(*relations), MARCH).tolist()
    assert found.ljust(16, b"\0") == (NOBODY if party is None else party.bytes)


async def test_households_are_read_with_the_facts_of_the_first_day_and_their_payer(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        community_id = await estate.create_community(unit, code="C", name="院", starts=BEFORE, zone="UTC")
        flats = [
            await estate.add_premises(
                unit, community_id, NewPremises(label=label, kind=PremisesKind.SHOP, effective_from=BEFORE)
            )
            for label in ("1", "2")
        ]
        owner = await estate.add_party(unit, kind=PartyKind.ORGANISATION, name="owner")
        await estate.relate(unit, party_id=owner, premises_id=flats[0], role=Role.OWNER, starts=BEFORE)
        await estate.record_fact(unit, flats[0], fact=Fact.AREA, effective_from=MARCH.start, value_milli=80_000)
        await estate.record_fact(unit, flats[0], fact=Fact.AREA, effective_from=INSIDE, value_milli=90_000)
        now = unit.now
    where = PremisesRange.whole(community_id)
    async with database.view(tenant) as session:
        found = await households(session, where, MARCH, now)
        premises, parties = await may_owe(session, where, MARCH)
        second = PremisesRange(community_id=community_id, first=flats[1], last=flats[1])
        only = await households(session, second, MARCH, now)
        cut = await with_payers(session, found.between(second), second, MARCH)
    by_id = {id_at(found.premises, n): n for n in range(2)}
    assert set(by_id) == set(flats)
    assert found.kinds == (PremisesKind.SHOP, PremisesKind.SHOP)
    assert int(found.facts[Fact.AREA][by_id[flats[0]]]) == 80_000
    assert int(found.facts[Fact.AREA][by_id[flats[1]]]) == ABSENT
    assert id_at(found.payers, by_id[flats[0]]) == owner
    assert id_at(found.payers, by_id[flats[1]]) == UUID(int=0)
    assert (id_at(premises, 0), id_at(parties, 0), len(premises)) == (flats[0], owner, 1)
    assert [id_at(only.premises, 0), len(only.premises)] == [flats[1], 1]
    assert (cut.premises.tolist(), cut.kinds, cut.payers.tolist()) == (
        only.premises.tolist(),
        only.kinds,
        only.payers.tolist(),
    )
    assert {fact: column.tolist() for fact, column in cut.facts.items()} == {
        fact: column.tolist() for fact, column in only.facts.items()
    }
