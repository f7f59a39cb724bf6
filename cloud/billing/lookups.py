"""The named queries of what stands beside bill runs: special documents, decisions, comparisons. Private to billing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing.tables import (
    BillingPeriodRow,
    BillLineRow,
    BillRow,
    ObligationRow,
    RunPolicyRow,
    SettlingOrderRow,
)
from common.ids import CommunityId


async def bills_in_cycle(session: AsyncSession, community_id: CommunityId, cycle: str) -> Sequence[BillRow]:
    """Return the documents of a cycle in the order of their numbers."""
    found = await session.scalars(
        select(BillRow).where(BillRow.community_id == community_id, BillRow.cycle == cycle).order_by(BillRow.number)
    )
    return list(found)


async def lines_by_basis(
    session: AsyncSession, account_ids: Collection[UUID], basis: str
) -> Sequence[tuple[UUID, BillLineRow]]:
    """Return account and line of every line of a basis, in the order of issue."""
    found = await session.execute(
        select(BillRow.account_id, BillLineRow)
        .join(
            BillLineRow,
            (BillLineRow.tenant_id == BillRow.tenant_id)
            & (BillLineRow.community_id == BillRow.community_id)
            & (BillLineRow.bill_id == BillRow.bill_id),
        )
        .where(BillRow.account_id.in_(list(account_ids)), BillLineRow.basis == basis)
        .order_by(BillRow.issued_at, BillRow.number, BillLineRow.n)
    )
    return [(account_id, line) for account_id, line in found]


async def settling_order(
    session: AsyncSession, community_id: CommunityId, known_at: datetime | None = None
) -> SettlingOrderRow | None:
    """Return the newest decision on the order of settling, or the newest that was known at an instant."""
    statement = select(SettlingOrderRow).where(SettlingOrderRow.community_id == community_id)
    if known_at is not None:
        statement = statement.where(SettlingOrderRow.recorded_at <= known_at)
    return await session.scalar(statement.order_by(SettlingOrderRow.rev.desc()).limit(1))


async def run_policy(session: AsyncSession, community_id: CommunityId) -> RunPolicyRow | None:
    """Return the newest decision on nightly runs."""
    return await session.scalar(
        select(RunPolicyRow).where(RunPolicyRow.community_id == community_id).order_by(RunPolicyRow.rev.desc()).limit(1)
    )


async def periods_due(
    session: AsyncSession, community_id: CommunityId, cycle: str, ended_by: date
) -> Sequence[BillingPeriodRow]:
    """Return the periods that have ended by a day and still have something due, the oldest first."""
    waiting = (
        select(ObligationRow.account_id)
        .where(
            ObligationRow.community_id == BillingPeriodRow.community_id,
            ObligationRow.cycle == BillingPeriodRow.cycle,
            ObligationRow.period_start == BillingPeriodRow.period_start,
            ObligationRow.state == "due",
        )
        .exists()
    )
    found = await session.scalars(
        select(BillingPeriodRow)
        .where(
            BillingPeriodRow.community_id == community_id,
            BillingPeriodRow.cycle == cycle,
            BillingPeriodRow.period_end <= ended_by,
            waiting,
        )
        .order_by(BillingPeriodRow.period_start)
    )
    return list(found)


async def totals_by_account(
    session: AsyncSession, community_id: CommunityId, cycle: str, start: date
) -> dict[UUID, int]:
    """Return what each account was billed for the period that starts on a day, adjustments included."""
    found = await session.execute(
        select(BillRow.account_id, func.sum(BillRow.total_fen))
        .where(BillRow.community_id == community_id, BillRow.cycle == cycle, BillRow.period_start == start)
        .group_by(BillRow.account_id)
    )
    return {account_id: int(fen) for account_id, fen in found}
