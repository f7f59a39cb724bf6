"""The named queries of mandates; private to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.mandates.rules import DebitState, MandateState
from cloud.mandates.tables import DebitLeaseRow, DebitRow, DebitTryRow, MandateRow


async def mandate(session: AsyncSession, mandate_id: UUID, *, lock: bool = False) -> MandateRow | None:
    """Return a mandate, locked until the unit ends when asked."""
    statement = select(MandateRow).where(MandateRow.mandate_id == mandate_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement)


async def mandate_numbered(session: AsyncSession, number: str) -> MandateRow | None:
    """Return the mandate with a number."""
    return await session.scalar(select(MandateRow).where(MandateRow.number == number))


async def mandates_of(session: AsyncSession, account_ids: Collection[UUID]) -> Sequence[MandateRow]:
    """Return the mandates of some accounts, the newest first."""
    found = await session.scalars(
        select(MandateRow).where(MandateRow.account_id.in_(account_ids)).order_by(MandateRow.asked_at.desc())
    )
    return list(found)


async def mandates_in(session: AsyncSession, community_id: UUID, limit: int, offset: int) -> Sequence[MandateRow]:
    """Return the mandates of a community, the newest first."""
    found = await session.scalars(
        select(MandateRow)
        .where(MandateRow.community_id == community_id)
        .order_by(MandateRow.asked_at.desc(), MandateRow.mandate_id)
        .limit(limit)
        .offset(offset)
    )
    return list(found)


async def standing(session: AsyncSession) -> Sequence[UUID]:
    """Return the mandates that have not ended."""
    found = await session.scalars(
        select(MandateRow.mandate_id).where(MandateRow.state != MandateState.ENDED).order_by(MandateRow.mandate_id)
    )
    return list(found)


async def debit(session: AsyncSession, debit_id: UUID, *, lock: bool = False) -> DebitRow | None:
    """Return an announced amount, locked until the unit ends when asked."""
    statement = select(DebitRow).where(DebitRow.debit_id == debit_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement)


async def debits_of(session: AsyncSession, mandate_ids: Collection[UUID], limit: int) -> Sequence[DebitRow]:
    """Return what was announced by some mandates, the newest first."""
    found = await session.scalars(
        select(DebitRow).where(DebitRow.mandate_id.in_(mandate_ids)).order_by(DebitRow.execute_on.desc()).limit(limit)
    )
    return list(found)


async def undecided(session: AsyncSession) -> Sequence[DebitRow]:
    """Return the announced amounts that are not decided, the oldest first."""
    found = await session.scalars(
        select(DebitRow).where(DebitRow.state == DebitState.ANNOUNCED).order_by(DebitRow.execute_on)
    )
    return list(found)


async def tries_of(session: AsyncSession, debit_id: UUID) -> Sequence[DebitTryRow]:
    """Return the tries of an announced amount in the order of their days."""
    found = await session.scalars(select(DebitTryRow).where(DebitTryRow.debit_id == debit_id).order_by(DebitTryRow.day))
    return list(found)


async def debit_of_attempt(session: AsyncSession, attempt_id: UUID) -> UUID | None:
    """Return which announced amount an attempt was made for."""
    return await session.scalar(select(DebitTryRow.debit_id).where(DebitTryRow.attempt_id == attempt_id))


async def leased(session: AsyncSession, account_bills: Collection[UUID]) -> frozenset[tuple[UUID, UUID, str]]:
    """Return which bills are leased, each with the legal entity and the fund class."""
    if not account_bills:
        return frozenset()
    found = await session.execute(
        select(DebitLeaseRow.bill_id, DebitLeaseRow.legal_entity_id, DebitLeaseRow.fund_class).where(
            DebitLeaseRow.bill_id.in_(account_bills)
        )
    )
    return frozenset((row[0], row[1], str(row[2])) for row in found)


async def take_leases(session: AsyncSession, values: Sequence[Mapping[str, Any]]) -> None:
    """Lease bills; one that is leased already is an error of the database."""
    await session.execute(insert(DebitLeaseRow), list(values))


async def release(session: AsyncSession, debit_id: UUID) -> None:
    """Give up the leases of an announced amount."""
    await session.execute(delete(DebitLeaseRow).where(DebitLeaseRow.debit_id == debit_id))
