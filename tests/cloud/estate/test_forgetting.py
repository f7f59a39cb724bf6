"""Taking back what was added to the estate: only while nothing refers to it, and facts stay once somebody is billed."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cloud.estate import forgetting
from cloud.estate import service as estate
from cloud.kit.errors import ConflictError
from tests.cloud.charges.conftest import street
from tests.cloud.charges.street import START, Street

__all__ = ["street"]


async def test_premises_and_parties_go_with_all_that_is_theirs(street: Street) -> None:
    premises, party = street.flats[0]
    async with street.database.unit(street.tenant, street.actor) as unit:
        await forgetting.forget_parties(unit, [party])
        await forgetting.forget_premises(unit, [premises])
    async with street.database.view(street.tenant) as session:
        left = await estate.premises_in(session, street.community, day=START)
        assert await estate.parties(session, [party]) == {}
    assert premises not in {one.id for one in left}


async def test_premises_with_an_account_stay_with_their_facts(street: Street) -> None:
    await street.account(0)
    with pytest.raises(ConflictError, match="used by now"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await forgetting.forget_premises(unit, [street.flats[0][0]])
    with pytest.raises(ConflictError, match="used by now"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await forgetting.forget_buildings(unit, [street.houses[0]])


async def test_a_fact_is_never_changed_even_before_anybody_is_billed(street: Street) -> None:
    with pytest.raises(IntegrityError) as refused:
        async with street.database.unit(street.tenant, street.actor) as unit:
            await unit.session.execute(text("update premises_fact set value_milli = 1"))
    assert isinstance(refused.value.orig, psycopg.errors.RestrictViolation)
