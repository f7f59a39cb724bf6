"""Both sides of a day: the rows of the statement and what our book says of payments and refunds.

What the last half hour of the day before left one-sided belongs to the day as well; what is matched there does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.payments import booking
from cloud.payments import service as payments
from cloud.payments.booking import BookedOrder, Span
from cloud.payments.channels.times import BEIJING
from cloud.reconciliation import repository, statements
from cloud.reconciliation.matching import DAY_CUT, BookEntry, ChannelEntry, Day, EntryKey, EntryKind, Sides
from cloud.reconciliation.repository import LineTuple
from cloud.refunds import service as refunds
from cloud.refunds.rules import RefundState
from cloud.refunds.values import Refund
from common.civil import civil_day, midnight

_DAY = timedelta(days=1)


def day_of(day: date) -> Day:
    """Return the channel's calendar day, which is Beijing's, as instants."""
    return Day(start=midnight(day, BEIJING), end=midnight(day + _DAY, BEIJING))


async def sides_of(session: AsyncSession, merchant_account_id: UUID, day: Day, lines: Sequence[LineTuple]) -> Sides:
    """Return both sides of a day, with what the last half hour of the day before left one-sided."""
    before = await statements.in_force(session, merchant_account_id, civil_day(day.start - _DAY, BEIJING))
    cut = day.start if before is None else day.start - DAY_CUT
    book = await _booked(session, merchant_account_id, Span(start=cut, end=day.end))
    channel = [_channel_entry(line) for line in lines]
    if before is not None:
        matched = await repository.matched_lines(session, before.statement_id)
        late = await repository.lines(session, before.statement_id, since=cut)
        channel += [_channel_entry(line) for line in late if line[1] not in matched]
        early = [object_id for object_id, entry in book.items() if entry.at < day.start]
        for object_id in await repository.matched_objects(session, before.statement_id, early):
            del book[object_id]
    here = {entry.key for entry in book.values()}
    book |= await _named(session, merchant_account_id, [entry for entry in channel if entry.key not in here])
    known = {entry.key.number for entry in book.values()}
    strange = [key for key in (entry.key for entry in channel) if key.number not in known]
    numbers = [key.number for key in strange if key.kind is EntryKind.PAYMENT]
    attempts = await payments.attempts_numbered(session, numbers)
    return Sides(
        book=list(book.values()),
        channel=channel,
        known_unbooked={
            EntryKey(number=number, kind=EntryKind.PAYMENT): attempt.attempt_id
            for number, attempt in attempts.items()
            if attempt.merchant_account_id == merchant_account_id
        },
    )


async def _booked(session: AsyncSession, merchant_account_id: UUID, span: Span) -> dict[UUID, BookEntry]:
    """Return what was received and paid back in a span, by the id of the payment or refund."""
    orders = await booking.orders_booked(session, merchant_account_id, span)
    back = await refunds.refunds_arrived(session, merchant_account_id, span)
    return _entries(orders, back)


async def _named(
    session: AsyncSession, merchant_account_id: UUID, channel: Sequence[ChannelEntry]
) -> dict[UUID, BookEntry]:
    """Return the payments and refunds that the channel names, whenever they were made."""
    paid = [entry.key.number for entry in channel if entry.key.kind is EntryKind.PAYMENT]
    back = [entry.key.number for entry in channel if entry.key.kind is EntryKind.REFUND]
    return _entries(
        await booking.orders_booked_as(session, merchant_account_id, paid),
        await refunds.refunds_numbered(session, merchant_account_id, back),
    )


def _entries(orders: Sequence[BookedOrder], back: Sequence[Refund]) -> dict[UUID, BookEntry]:
    entries: dict[UUID, BookEntry] = {order.payment_id: _payment_entry(order) for order in orders}
    return entries | {refund.refund_id: _refund_entry(refund) for refund in back}


def _payment_entry(order: BookedOrder) -> BookEntry:
    key = EntryKey(number=order.order_number, kind=EntryKind.PAYMENT)
    return BookEntry(key=key, fen=order.amount_fen, at=order.paid_at, object_id=order.payment_id)


def _refund_entry(refund: Refund) -> BookEntry:
    """Return a refund of our book; one that has not arrived is not done."""
    return BookEntry(
        key=EntryKey(number=refund.refund_number, kind=EntryKind.REFUND),
        fen=refund.amount_fen,
        at=refund.arrived_at or refund.requested_at,
        object_id=refund.refund_id,
        done=refund.state is RefundState.ARRIVED,
    )


def _channel_entry(line: LineTuple) -> ChannelEntry:
    statement_id, number_of_line, kind, number, fen, at = line
    key = EntryKey(number=number, kind=EntryKind(kind))
    return ChannelEntry(key=key, fen=fen, at=at, statement_id=statement_id, line=number_of_line)
