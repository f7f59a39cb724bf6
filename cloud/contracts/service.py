"""Use cases of contracts: open one with its terms, read what falls due."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.contracts import repository
from cloud.contracts.tables import ContractRow, ContractTermRow
from cloud.contracts.terms import Contract, Term, check_terms
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from common.civil import Period
from common.ids import ChargeItemId, CommunityId, PartyId, PremisesId


async def open_contract(unit: Unit, community_id: CommunityId, contract: Contract) -> None:
    """Store a contract with its terms.

    Raises:
        ConflictError: the number is taken in the community.
        RefusalError: a term sticks out of the contract or overlaps another.
    """
    check_terms(contract.period, contract.terms)
    if await repository.by_number(unit.session, community_id, contract.number) is not None:
        raise ConflictError(f"contract {contract.number} exists; give the new one another number")
    unit.session.add(
        ContractRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            contract_id=contract.contract_id,
            number=contract.number,
            kind=contract.kind,
            premises_id=contract.premises_id,
            party_id=contract.party_id,
            start_on=contract.period.start,
            end_on=contract.period.end,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    for number, term in enumerate(contract.terms, 1):
        unit.session.add(_term_row(unit, community_id, contract.contract_id, number, term))
    unit.record("opened", "contract", contract.contract_id, after={"number": contract.number, "kind": contract.kind})


async def require_contract(session: AsyncSession, community_id: CommunityId, contract_id: UUID) -> None:
    """Go on only when a community has the contract.

    Raises:
        NotFoundError: it has not.
    """
    if not await repository.exists(session, community_id, contract_id):
        raise NotFoundError("this community has no such contract")


async def contracts_in(session: AsyncSession, community_id: CommunityId, period: Period) -> tuple[Contract, ...]:
    """Return the contracts of a community that run on some day of a period, by number."""
    rows = await repository.running_in(session, community_id, period)
    terms: dict[UUID, list[Term]] = defaultdict(list)
    for row in await repository.terms_of(session, community_id, [row.contract_id for row in rows]):
        terms[row.contract_id].append(_term(row))
    return tuple(_contract(row, tuple(terms[row.contract_id])) for row in rows)


def _term_row(unit: Unit, community_id: CommunityId, contract_id: UUID, number: int, term: Term) -> ContractTermRow:
    return ContractTermRow(
        tenant_id=unit.tenant,
        community_id=community_id,
        contract_id=contract_id,
        term_no=number,
        rev=1,
        charge_item_id=term.charge_item_id,
        start_on=term.period.start,
        end_on=term.period.end,
        every=term.every,
        amount_fen=term.amount_fen,
        recorded_at=unit.now,
    )


def _term(row: ContractTermRow) -> Term:
    return Term(
        charge_item_id=ChargeItemId(row.charge_item_id),
        period=Period(row.start_on, row.end_on),
        every=row.every,
        amount_fen=row.amount_fen,
    )


def _contract(row: ContractRow, terms: tuple[Term, ...]) -> Contract:
    return Contract(
        contract_id=row.contract_id,
        number=row.number,
        kind=row.kind,
        premises_id=PremisesId(row.premises_id),
        party_id=PartyId(row.party_id),
        period=Period(row.start_on, row.end_on),
        terms=terms,
    )
