"""Contracts on the real database: stored with their terms once, read by the days on which they run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from cloud.contracts.service import contracts_in, open_contract
from cloud.contracts.terms import Contract, ContractKind, Every, Term
from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind, PartyKind, PremisesKind
from cloud.estate.values import NewPremises
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeBasis
from common.civil import Period
from common.errors import RefusalError
from common.ids import ChargeItemId, CommunityId, TenantId
from tests.cloud.rating.town import item

LEASE = Period(date(2026, 1, 31), date(2028, 1, 31))
FIRST, SECOND = Period(LEASE.start, date(2027, 1, 31)), Period(date(2027, 1, 31), LEASE.end)


async def lease(database: Database, tenant: TenantId, actor: Actor) -> tuple[CommunityId, Contract]:
    async with database.unit(tenant, actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="物业")
        community = await estate.create_community(unit, code="lake", name="湖畔", starts=LEASE.start)
        new = NewPremises(label="S-1", kind=PremisesKind.SHOP, effective_from=LEASE.start)
        shop = await estate.add_premises(unit, community, new)
        tenant_party = await estate.add_party(unit, kind=PartyKind.ORGANISATION, name="小店")
        rent = replace(
            item("rent", ChargeBasis.FLAT),
            charge_item_id=ChargeItemId(unit.new_id()),
            community_id=community,
            legal_entity_id=entity,
        )
        await tariffs.add_charge_item(unit, rent)
        contract_id = unit.new_id()
    terms = tuple(
        Term(charge_item_id=rent.charge_item_id, period=period, every=Every.QUARTER, amount_fen=fen)
        for period, fen in ((FIRST, 9_000_00), (SECOND, 9_450_00))
    )
    contract = Contract(
        contract_id=contract_id,
        number="2026-001",
        kind=ContractKind.LEASE,
        premises_id=shop,
        party_id=tenant_party,
        period=LEASE,
        terms=terms,
    )
    return community, contract


async def test_a_lease_with_escalating_rent_is_read_as_it_was_opened(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    community, contract = await lease(database, tenant, actor)
    async with database.unit(tenant, actor) as unit:
        await open_contract(unit, community, contract)
    async with database.view(tenant) as session:
        assert await contracts_in(session, community, Period(date(2028, 1, 30), date(2028, 3, 1))) == (contract,)
        assert await contracts_in(session, community, Period(date(2028, 1, 31), date(2028, 3, 1))) == ()
    async with database.view(other_tenant) as session:
        assert await contracts_in(session, community, LEASE) == ()


async def test_a_number_is_taken_once_and_overlapping_terms_store_nothing(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    community, contract = await lease(database, tenant, actor)
    with pytest.raises(RefusalError):
        async with database.unit(tenant, actor) as unit:
            await open_contract(unit, community, replace(contract, terms=(*contract.terms, contract.terms[0])))
    async with database.unit(tenant, actor) as unit:
        await open_contract(unit, community, contract)
    with pytest.raises(ConflictError):
        async with database.unit(tenant, actor) as unit:
            await open_contract(unit, community, replace(contract, contract_id=UUID(int=9)))
