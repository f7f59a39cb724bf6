"""The named queries of arrears; private to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears.tables import AgreementRow, ArrearsLetterRow, ReliefRow
from cloud.arrears.values import AgreementState
from common.ids import CommunityId


async def relief(session: AsyncSession, relief_id: UUID, *, lock: bool = False) -> ReliefRow | None:
    """Return a wish for relief, held until the unit ends when locked."""
    statement = select(ReliefRow).where(ReliefRow.relief_id == relief_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def reliefs(session: AsyncSession, community_id: CommunityId, limit: int) -> Sequence[ReliefRow]:
    """Return the wishes of a community, the newest first."""
    found = await session.scalars(
        select(ReliefRow)
        .where(ReliefRow.community_id == community_id)
        .order_by(ReliefRow.asked_at.desc(), ReliefRow.relief_id)
        .limit(limit)
    )
    return list(found)


async def letter(session: AsyncSession, letter_id: UUID) -> ArrearsLetterRow | None:
    """Return a letter of arrears."""
    return await session.scalar(select(ArrearsLetterRow).where(ArrearsLetterRow.letter_id == letter_id))


async def letters_on(session: AsyncSession, account_id: UUID, day: date) -> Sequence[ArrearsLetterRow]:
    """Return the letters of an account that were made on a day."""
    query = select(ArrearsLetterRow).where(ArrearsLetterRow.account_id == account_id, ArrearsLetterRow.made_on == day)
    return (await session.scalars(query)).all()


async def agreement(session: AsyncSession, agreement_id: UUID, *, lock: bool = False) -> AgreementRow | None:
    """Return an agreement to pay by instalments, held until the unit ends when locked."""
    statement = select(AgreementRow).where(AgreementRow.agreement_id == agreement_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def agreements_of(
    session: AsyncSession, account_ids: Collection[UUID], states: Collection[AgreementState]
) -> Sequence[AgreementRow]:
    """Return the agreements of some accounts that stand in some states."""
    query = select(AgreementRow).where(AgreementRow.account_id.in_(account_ids), AgreementRow.state.in_(states))
    return (await session.scalars(query)).all()


async def agreements_in(session: AsyncSession, community_id: CommunityId, limit: int) -> Sequence[AgreementRow]:
    """Return the agreements of a community, the newest first."""
    query = select(AgreementRow).where(AgreementRow.community_id == community_id)
    found = await session.scalars(query.order_by(AgreementRow.asked_at.desc(), AgreementRow.agreement_id).limit(limit))
    return found.all()


async def agreements_in_force(session: AsyncSession) -> Sequence[UUID]:
    """Return the agreements of the company that are in force."""
    query = select(AgreementRow.agreement_id).where(AgreementRow.state == AgreementState.AGREED)
    return (await session.scalars(query.order_by(AgreementRow.agreement_id))).all()
