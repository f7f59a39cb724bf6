"""The named queries of refunds; private to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.refunds.rules import GIVEN_UP_STATES, RefundState
from cloud.refunds.tables import RefundPolicyRow, RefundRoomRow, RefundRow, RefundVerdictRow

_STANDING = RefundRow.state.not_in(list(GIVEN_UP_STATES))


async def policy(session: AsyncSession, community_id: UUID) -> RefundPolicyRow | None:
    """Return the policy of a community that is in force."""
    return await session.scalar(
        select(RefundPolicyRow)
        .where(RefundPolicyRow.community_id == community_id)
        .order_by(RefundPolicyRow.rev.desc())
        .limit(1)
    )


async def refund(session: AsyncSession, refund_id: UUID, *, lock: bool = False) -> RefundRow | None:
    """Return a refund, locked until the unit ends when asked."""
    statement = select(RefundRow).where(RefundRow.refund_id == refund_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement)


async def refund_numbered(session: AsyncSession, number: str) -> RefundRow | None:
    """Return the refund with a number."""
    return await session.scalar(select(RefundRow).where(RefundRow.refund_number == number))


async def refunds_of_payment(session: AsyncSession, payment_id: UUID) -> Sequence[RefundRow]:
    """Return the refunds of a payment, the newest first."""
    found = await session.scalars(
        select(RefundRow).where(RefundRow.payment_id == payment_id).order_by(RefundRow.refund_id.desc())
    )
    return list(found)


async def refunds_in(
    session: AsyncSession, community_id: UUID, states: Collection[RefundState], limit: int
) -> Sequence[RefundRow]:
    """Return refunds of a community in some states, the oldest first."""
    found = await session.scalars(
        select(RefundRow)
        .where(RefundRow.community_id == community_id, RefundRow.state.in_(list(states)))
        .order_by(RefundRow.requested_at, RefundRow.refund_id)
        .limit(limit)
    )
    return list(found)


async def payouts_sent(session: AsyncSession, bank_account_id: UUID, amount_fen: int) -> Sequence[RefundRow]:
    """Return the payouts of an amount that were sent from a bank account and have not arrived, locked, oldest first."""
    found = await session.scalars(
        select(RefundRow)
        .where(
            RefundRow.bank_account_id == bank_account_id,
            RefundRow.amount_fen == amount_fen,
            RefundRow.state == RefundState.SUBMITTED,
        )
        .order_by(RefundRow.submitted_at, RefundRow.refund_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(found)


async def asked_back_fen(session: AsyncSession, account_id: UUID, since: datetime) -> int:
    """Return the sum of an account's refunds requested since an instant that were not given up."""
    found = await session.scalar(
        select(func.coalesce(func.sum(RefundRow.amount_fen), 0)).where(
            RefundRow.account_id == account_id, RefundRow.requested_at >= since, _STANDING
        )
    )
    return int(found or 0)


async def room(session: AsyncSession, values: Mapping[str, Any]) -> RefundRoomRow:
    """Return the room of a payment, made at first use, locked until the unit ends."""
    await session.execute(insert(RefundRoomRow).on_conflict_do_nothing(), [dict(values)])
    statement = select(RefundRoomRow).where(RefundRoomRow.payment_id == values["payment_id"])
    return (await session.scalars(statement.with_for_update().execution_options(populate_existing=True))).one()


async def find_room(session: AsyncSession, payment_id: UUID) -> RefundRoomRow | None:
    """Return the room of a payment, None while nothing of it was ever asked back."""
    return await session.scalar(select(RefundRoomRow).where(RefundRoomRow.payment_id == payment_id))


async def move_room(session: AsyncSession, payment_id: UUID, *, reserved_fen: int, refunded_fen: int) -> None:
    """Move the sums of a payment's room by differences."""
    await session.execute(
        update(RefundRoomRow)
        .where(RefundRoomRow.payment_id == payment_id)
        .values(
            reserved_fen=RefundRoomRow.reserved_fen + reserved_fen,
            refunded_fen=RefundRoomRow.refunded_fen + refunded_fen,
        )
        .execution_options(synchronize_session=False)
    )


async def verdicts(session: AsyncSession, refund_id: UUID) -> Sequence[RefundVerdictRow]:
    """Return what persons said about a refund, in order."""
    found = await session.scalars(
        select(RefundVerdictRow).where(RefundVerdictRow.refund_id == refund_id).order_by(RefundVerdictRow.given_at)
    )
    return list(found)


async def arrived_between(
    session: AsyncSession, merchant_account_id: UUID, start: datetime, end: datetime
) -> Sequence[RefundRow]:
    """Return what a merchant account paid back in `[start, end)`, by the channel's time."""
    found = await session.scalars(
        select(RefundRow).where(
            RefundRow.merchant_account_id == merchant_account_id,
            RefundRow.cash_box_id.is_(None),
            RefundRow.arrived_at >= start,
            RefundRow.arrived_at < end,
        )
    )
    return list(found)


async def numbered(session: AsyncSession, merchant_account_id: UUID, numbers: Collection[str]) -> Sequence[RefundRow]:
    """Return a merchant account's refunds with some numbers, whatever their state."""
    if not numbers:
        return []
    found = await session.scalars(
        select(RefundRow).where(
            RefundRow.merchant_account_id == merchant_account_id,
            RefundRow.refund_number == func.any(list(numbers)),
        )
    )
    return list(found)
