"""Named queries over contracts. Private to the domain."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.contracts.tables import ContractRow, ContractTermRow
from common.civil import Period
from common.ids import CommunityId


async def exists(session: AsyncSession, community_id: CommunityId, contract_id: UUID) -> bool:
    """Return whether a community has a contract."""
    statement = select(ContractRow.contract_id).where(
        ContractRow.community_id == community_id, ContractRow.contract_id == contract_id
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def by_number(session: AsyncSession, community_id: CommunityId, number: str) -> ContractRow | None:
    """Return a contract by its number."""
    statement = select(ContractRow).where(ContractRow.community_id == community_id, ContractRow.number == number)
    return (await session.execute(statement)).scalar_one_or_none()


async def running_in(session: AsyncSession, community_id: CommunityId, period: Period) -> Sequence[ContractRow]:
    """Return the contracts that run on some day of a period, by number."""
    statement = (
        select(ContractRow)
        .where(
            ContractRow.community_id == community_id,
            ContractRow.start_on < period.end,
            ContractRow.end_on > period.start,
        )
        .order_by(ContractRow.number)
    )
    return (await session.execute(statement)).scalars().all()


async def terms_of(
    session: AsyncSession, community_id: CommunityId, contract_ids: Collection[UUID]
) -> Sequence[ContractTermRow]:
    """Return the newest revision of every term of some contracts."""
    key = (ContractTermRow.contract_id, ContractTermRow.term_no)
    statement = (
        select(ContractTermRow)
        .ext(distinct_on(*key))
        .where(ContractTermRow.community_id == community_id, ContractTermRow.contract_id.in_(contract_ids))
        .order_by(*key, ContractTermRow.rev.desc())
    )
    return (await session.execute(statement)).scalars().all()
