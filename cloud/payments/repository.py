"""The named queries of payments; private to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import MACHINERY
from cloud.payments.channel import Channel
from cloud.payments.tables import (
    CashBoxRow,
    CashPayoutRow,
    CashShiftRow,
    MerchantAccountRow,
    NotificationRow,
    PayLinkRow,
    PaymentAttemptRow,
    PaymentIntentRow,
    PaymentRow,
    RemittanceCodeRow,
)
from cloud.tariffs.charge import FundClass

Values = Mapping[str, Any]
OrderTuple = tuple[UUID, str, int, datetime]
_ORDER = select(PaymentRow.payment_id, PaymentRow.order_number, PaymentRow.amount_fen, PaymentRow.paid_at)


async def merchant_account(session: AsyncSession, merchant_account_id: UUID) -> MerchantAccountRow | None:
    """Return a merchant account."""
    return await session.scalar(
        select(MerchantAccountRow).where(MerchantAccountRow.merchant_account_id == merchant_account_id)
    )


async def merchant_accounts_at(session: AsyncSession, ids: Collection[UUID]) -> Sequence[MerchantAccountRow]:
    """Return some merchant accounts."""
    return list(
        await session.scalars(select(MerchantAccountRow).where(MerchantAccountRow.merchant_account_id == _any(ids)))
    )


async def merchant_accounts(session: AsyncSession) -> Sequence[MerchantAccountRow]:
    """Return all merchant accounts, the oldest first."""
    return list(await session.scalars(select(MerchantAccountRow).order_by(MerchantAccountRow.merchant_account_id)))


async def open_merchant_account(
    session: AsyncSession, legal_entity_id: UUID, fund_class: FundClass, channel: Channel
) -> MerchantAccountRow | None:
    """Return the account that takes money of a legal entity and fund over a channel."""
    return await session.scalar(
        select(MerchantAccountRow).where(
            MerchantAccountRow.legal_entity_id == legal_entity_id,
            MerchantAccountRow.fund_class == fund_class,
            MerchantAccountRow.channel == channel,
            MerchantAccountRow.closed_at.is_(None),
        )
    )


async def channels_of(session: AsyncSession, legal_entity_id: UUID, fund_class: FundClass) -> frozenset[Channel]:
    """Return the channels over which somebody takes money of a legal entity and fund."""
    found = await session.scalars(
        select(MerchantAccountRow.channel).where(
            MerchantAccountRow.legal_entity_id == legal_entity_id,
            MerchantAccountRow.fund_class == fund_class,
            MerchantAccountRow.closed_at.is_(None),
        )
    )
    return frozenset(found)


async def intent(session: AsyncSession, intent_id: UUID) -> PaymentIntentRow | None:
    """Return an intent."""
    return await session.scalar(select(PaymentIntentRow).where(PaymentIntentRow.intent_id == intent_id))


async def add_intent(session: AsyncSession, communities: Select[UUID], values: Values) -> UUID | None:
    """Add an intent in the community that a query finds, and return it; None when there is none, or the id is taken."""
    columns = PaymentIntentRow.__table__.c
    given = [literal(value, columns[name].type) for name, value in values.items()]
    wish = insert(PaymentIntentRow).from_select(["community_id", *values], communities.add_columns(*given))
    wish = wish.on_conflict_do_nothing()
    # Whether it wrote is known only from its answer; whoever asked records the deed when it did.
    return await session.scalar(wish.returning(PaymentIntentRow.community_id), execution_options=MACHINERY)


async def intents(session: AsyncSession, intent_ids: Collection[UUID]) -> Sequence[PaymentIntentRow]:
    """Return some intents."""
    wanted = _any(intent_ids)
    return list(await session.scalars(select(PaymentIntentRow).where(PaymentIntentRow.intent_id == wanted)))


async def attempt(session: AsyncSession, attempt_id: UUID) -> PaymentAttemptRow | None:
    """Return an attempt."""
    return await session.scalar(select(PaymentAttemptRow).where(PaymentAttemptRow.attempt_id == attempt_id))


async def attempts(
    session: AsyncSession, attempt_ids: Collection[UUID], *, lock: bool = False
) -> Sequence[PaymentAttemptRow]:
    """Return attempts in the order of their ids, locked in it until the unit ends when asked."""
    statement = (
        select(PaymentAttemptRow)
        .where(PaymentAttemptRow.attempt_id == _any(attempt_ids))
        .order_by(PaymentAttemptRow.attempt_id)
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return list(await session.scalars(statement))


def _any(ids: Collection[UUID]) -> Any:
    """Return the right side of a comparison with any of some ids: one statement, whatever their number."""
    return func.any(bindparam("ids", list(ids), type_=ARRAY(Uuid())))


async def attempts_of(session: AsyncSession, intent_id: UUID) -> Sequence[PaymentAttemptRow]:
    """Return the attempts of an intent, the newest first."""
    found = await session.scalars(
        select(PaymentAttemptRow)
        .where(PaymentAttemptRow.intent_id == intent_id)
        .order_by(PaymentAttemptRow.attempt_id.desc())
    )
    return list(found)


async def attempts_numbered(session: AsyncSession, numbers: Collection[str]) -> dict[str, PaymentAttemptRow]:
    """Return attempts by their order numbers."""
    if not numbers:
        return {}
    wanted = func.any(bindparam("numbers", list(numbers), type_=ARRAY(Text())))
    found = await session.scalars(select(PaymentAttemptRow).where(PaymentAttemptRow.order_number == wanted))
    return {row.order_number: row for row in found}


async def payment(session: AsyncSession, payment_id: UUID) -> PaymentRow | None:
    """Return a payment."""
    return await session.scalar(select(PaymentRow).where(PaymentRow.payment_id == payment_id))


async def payment_numbered(session: AsyncSession, number: str) -> PaymentRow | None:
    """Return the payment with a receipt number."""
    return await session.scalar(select(PaymentRow).where(PaymentRow.number == number))


async def payment_of_attempt(session: AsyncSession, attempt_id: UUID) -> PaymentRow | None:
    """Return the receipt of an attempt."""
    return await session.scalar(select(PaymentRow).where(PaymentRow.attempt_id == attempt_id))


async def payments_of(session: AsyncSession, account_id: UUID) -> Sequence[PaymentRow]:
    """Return the payments of an account, the newest first."""
    found = await session.scalars(
        select(PaymentRow).where(PaymentRow.account_id == account_id).order_by(PaymentRow.paid_at.desc())
    )
    return list(found)


async def orders_between(
    session: AsyncSession, merchant_account_id: UUID, start: datetime, end: datetime
) -> Sequence[OrderTuple]:
    """Return id, order number, amount and time of what a merchant account received in `[start, end)`."""
    found = await session.execute(
        _ORDER.where(
            PaymentRow.merchant_account_id == merchant_account_id,
            PaymentRow.paid_at >= start,
            PaymentRow.paid_at < end,
        )
    )
    return [(row[0], row[1] or "", row[2], row[3]) for row in found]


async def orders_of(session: AsyncSession, payment_ids: Collection[UUID]) -> Sequence[tuple[UUID, UUID, str]]:
    """Return id, merchant account and order number of those payments that have them."""
    found = await session.execute(
        select(PaymentRow.payment_id, PaymentRow.merchant_account_id, PaymentRow.order_number).where(
            PaymentRow.payment_id == _any(payment_ids)
        )
    )
    return [(row[0], row[1], row[2]) for row in found if row[1] is not None and row[2] is not None]


async def orders_numbered(
    session: AsyncSession, merchant_account_id: UUID, numbers: Collection[str]
) -> Sequence[OrderTuple]:
    """Return id, order number, amount and time of a merchant account's payments with some order numbers."""
    found = await session.execute(
        _ORDER.where(
            PaymentRow.merchant_account_id == merchant_account_id,
            PaymentRow.order_number == func.any(bindparam("numbers", list(numbers), type_=ARRAY(Text()))),
        )
    )
    return [(row[0], row[1] or "", row[2], row[3]) for row in found]


async def order_booked(session: AsyncSession, merchant_account_id: UUID, number: str) -> bool:
    """Return whether a merchant account has a payment of an order number."""
    return bool(await orders_numbered(session, merchant_account_id, [number]))


async def payments_of_collection(session: AsyncSession, collection_id: UUID) -> Sequence[PaymentRow]:
    """Return the payments of a collection in the order they were booked."""
    found = await session.scalars(
        select(PaymentRow).where(PaymentRow.collection_id == collection_id).order_by(PaymentRow.booked_at)
    )
    return list(found)


async def attempts_of_collection(session: AsyncSession, collection_id: UUID) -> Sequence[PaymentAttemptRow]:
    """Return the attempts of a collection, the newest first."""
    found = await session.scalars(
        select(PaymentAttemptRow)
        .join(PaymentIntentRow, PaymentIntentRow.intent_id == PaymentAttemptRow.intent_id)
        .where(PaymentIntentRow.collection_id == collection_id)
        .order_by(PaymentAttemptRow.attempt_id.desc())
    )
    return list(found)


async def payments_of_shift(session: AsyncSession, cash_shift_id: UUID) -> Sequence[PaymentRow]:
    """Return the payments of a shift in the order they were taken."""
    found = await session.scalars(
        select(PaymentRow).where(PaymentRow.cash_shift_id == cash_shift_id).order_by(PaymentRow.payment_id)
    )
    return list(found)


async def store_notifications(session: AsyncSession, rows: Sequence[Values]) -> set[UUID]:
    """Store notifications and return the ids of those whose event was not stored before."""
    statement = insert(NotificationRow).on_conflict_do_nothing(
        index_elements=["tenant_id", "merchant_account_id", "event_id"]
    )
    return set(await session.scalars(statement.returning(NotificationRow.notification_id), list(rows)))


async def notification(session: AsyncSession, notification_id: UUID) -> NotificationRow | None:
    """Return a notification."""
    return await session.scalar(select(NotificationRow).where(NotificationRow.notification_id == notification_id))


async def remittance_code(session: AsyncSession, account_id: UUID) -> RemittanceCodeRow | None:
    """Return the remittance code of an account."""
    return await session.scalar(select(RemittanceCodeRow).where(RemittanceCodeRow.account_id == account_id))


async def remittance_account(session: AsyncSession, code: str) -> RemittanceCodeRow | None:
    """Return whose a remittance code is."""
    return await session.scalar(select(RemittanceCodeRow).where(RemittanceCodeRow.code == code))


async def cash_box(session: AsyncSession, cash_box_id: UUID) -> CashBoxRow | None:
    """Return a cash box."""
    return await session.scalar(select(CashBoxRow).where(CashBoxRow.cash_box_id == cash_box_id))


async def cash_boxes(session: AsyncSession, community_id: UUID) -> Sequence[CashBoxRow]:
    """Return the cash boxes of a community by name."""
    found = await session.scalars(
        select(CashBoxRow).where(CashBoxRow.community_id == community_id).order_by(CashBoxRow.name)
    )
    return list(found)


async def shift(session: AsyncSession, cash_shift_id: UUID, *, lock: bool = False) -> CashShiftRow | None:
    """Return a shift, locked until the unit ends when asked."""
    statement = select(CashShiftRow).where(CashShiftRow.cash_shift_id == cash_shift_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement)


async def open_shift_of(session: AsyncSession, cashier_id: UUID) -> CashShiftRow | None:
    """Return the shift a cashier has open."""
    return await session.scalar(
        select(CashShiftRow).where(CashShiftRow.cashier_id == cashier_id, CashShiftRow.closed_at.is_(None))
    )


async def open_shift_at(session: AsyncSession, cashier_id: UUID, cash_box_id: UUID) -> CashShiftRow | None:
    """Return an open shift of the cashier or of the box."""
    return await session.scalar(
        select(CashShiftRow).where(
            or_(CashShiftRow.cashier_id == cashier_id, CashShiftRow.cash_box_id == cash_box_id),
            CashShiftRow.closed_at.is_(None),
        )
    )


async def last_count_fen(session: AsyncSession, cash_box_id: UUID) -> int:
    """Return what the last closed shift counted in a box; 0 for a new box."""
    found = await session.scalar(
        select(CashShiftRow.counted_fen)
        .where(CashShiftRow.cash_box_id == cash_box_id, CashShiftRow.closed_at.is_not(None))
        .order_by(CashShiftRow.closed_at.desc())
        .limit(1)
    )
    return found or 0


async def taken_fen(session: AsyncSession, cash_shift_id: UUID) -> int:
    """Return the sum of the cash payments of a shift; what a card brought does not lie in the box."""
    found = await session.scalar(
        select(func.coalesce(func.sum(PaymentRow.amount_fen), 0)).where(
            PaymentRow.cash_shift_id == cash_shift_id, PaymentRow.channel == Channel.CASH
        )
    )
    return int(found or 0)


async def paid_out_fen(session: AsyncSession, cash_shift_id: UUID) -> int:
    """Return the sum of what was handed out in a shift."""
    found = await session.scalar(
        select(func.coalesce(func.sum(CashPayoutRow.amount_fen), 0)).where(CashPayoutRow.cash_shift_id == cash_shift_id)
    )
    return int(found or 0)


async def lock_pay_link(session: AsyncSession, bill_id: UUID) -> None:
    """Let whoever asks for the address of a bill at the same moment wait until this transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"pay_link:{bill_id}", 0))))


async def pay_link_of(session: AsyncSession, bill_id: UUID) -> PayLinkRow | None:
    """Return the cashier address of a bill that is not revoked."""
    return await session.scalar(
        select(PayLinkRow).where(PayLinkRow.bill_id == bill_id, PayLinkRow.revoked_at.is_(None))
    )


async def pay_link(session: AsyncSession, link_id: UUID) -> PayLinkRow | None:
    """Return a cashier address."""
    return await session.scalar(select(PayLinkRow).where(PayLinkRow.link_id == link_id))
