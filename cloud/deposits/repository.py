"""The named queries of deposits; private to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.deposits.rules import PENDING_DEDUCTIONS, DepositState, ReturnState
from cloud.deposits.tables import DepositConditionRow, DepositDeductionRow, DepositReturnRow, DepositRow


async def deposit(session: AsyncSession, deposit_id: UUID, *, lock: bool = False) -> DepositRow | None:
    """Return a deposit, locked until the unit ends when asked."""
    statement = select(DepositRow).where(DepositRow.deposit_id == deposit_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement)


async def deposits_of(session: AsyncSession, account_id: UUID) -> Sequence[DepositRow]:
    """Return the deposits of an account, the newest first."""
    found = await session.scalars(
        select(DepositRow).where(DepositRow.account_id == account_id).order_by(DepositRow.deposit_id.desc())
    )
    return list(found)


async def deposits_in(session: AsyncSession, community_id: UUID, limit: int) -> Sequence[DepositRow]:
    """Return the deposits of a community that are not over, the oldest first."""
    over = [DepositState.CLOSED, DepositState.CANCELLED]
    found = await session.scalars(
        select(DepositRow)
        .where(DepositRow.community_id == community_id, DepositRow.state.not_in(over))
        .order_by(DepositRow.opened_at, DepositRow.deposit_id)
        .limit(limit)
    )
    return list(found)


async def conditions(session: AsyncSession, deposit_id: UUID) -> Sequence[DepositConditionRow]:
    """Return the conditions of a deposit."""
    found = await session.scalars(
        select(DepositConditionRow)
        .where(DepositConditionRow.deposit_id == deposit_id)
        .order_by(DepositConditionRow.kind)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def deductions(session: AsyncSession, deposit_id: UUID) -> Sequence[DepositDeductionRow]:
    """Return the deductions of a deposit, the oldest first."""
    found = await session.scalars(
        select(DepositDeductionRow)
        .where(DepositDeductionRow.deposit_id == deposit_id)
        .order_by(DepositDeductionRow.deduction_id)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def has_pending_deduction(session: AsyncSession, deposit_id: UUID) -> bool:
    """Return whether a deduction of a deposit is not decided."""
    return any(row.state in PENDING_DEDUCTIONS for row in await deductions(session, deposit_id))


async def deduction(session: AsyncSession, deduction_id: UUID) -> DepositDeductionRow | None:
    """Return a deduction."""
    return await session.scalar(select(DepositDeductionRow).where(DepositDeductionRow.deduction_id == deduction_id))


async def returns(session: AsyncSession, deposit_id: UUID) -> Sequence[DepositReturnRow]:
    """Return the instalments of a deposit in the order of their days, what was replaced before what replaced it."""
    found = await session.scalars(
        select(DepositReturnRow)
        .where(DepositReturnRow.deposit_id == deposit_id)
        .order_by(DepositReturnRow.n, DepositReturnRow.state != ReturnState.REPLACED, DepositReturnRow.return_id)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def find_return(session: AsyncSession, return_id: UUID) -> DepositReturnRow | None:
    """Return an instalment."""
    return await session.scalar(select(DepositReturnRow).where(DepositReturnRow.return_id == return_id))


async def deposits_to_look_at(session: AsyncSession, today: date) -> Sequence[UUID]:
    """Return the deposits with a condition whose day has come, or an instalment that has fallen due."""
    by_day = select(DepositConditionRow.deposit_id).where(
        DepositConditionRow.met_at.is_(None), DepositConditionRow.on_day <= today
    )
    by_return = select(DepositReturnRow.deposit_id).where(
        DepositReturnRow.state == ReturnState.DUE, DepositReturnRow.due_on <= today
    )
    return sorted(set(await session.scalars(by_day)) | set(await session.scalars(by_return)))
