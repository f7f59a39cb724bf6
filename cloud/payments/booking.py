"""Booking money that arrived: divide it over what is open, post it, number the receipt, tell the house. One unit.

The account is held while this happens, so two payments of one account settle one after the other and no line gets more
than is open on it. The receipt's id and its unique keys make it once, in the ledger as in the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import OpenLine
from cloud.billing.rules import bill_number
from cloud.billing.settling import settled, settling_order
from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.ledger import service as ledger
from cloud.ledger.accounts import AccountType, Book, LedgerAccountRef
from cloud.ledger.errors import SealedDayError
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef
from cloud.ledger.postings import payment_received, unknown_money_identified
from cloud.payments import repository
from cloud.payments.channel import Channel, Method
from cloud.payments.events import PaymentBooked
from cloud.payments.rules import Division, divide
from cloud.payments.tables import PaymentRow
from cloud.payments.values import Payment
from common.civil import civil_day
from common.ids import AccountId, BillId, CommunityId, LegalEntityId, PaymentId

_RECEIPT_LETTER = "R"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Money that arrived: for whom, into which ledger account, and which bills it is meant for (none: all).

    The id is made where the act begins: at the desk for cash, from the attempt for an online payment.
    """

    payment_id: PaymentId
    account_id: AccountId
    channel: Channel
    into: LedgerAccountRef
    amount_fen: int
    paid_at: datetime
    bill_ids: tuple[BillId, ...]
    method: Method
    sub_method: str = ""
    collection_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What names a payment outside our book: a channel's order, a shift, or a line of a bank statement.

    `tendered_fen` is what was handed over in cash.
    """

    merchant_account_id: UUID | None = None
    attempt_id: UUID | None = None
    order_number: str | None = None
    transaction_id: str | None = None
    cash_shift_id: UUID | None = None
    tendered_fen: int | None = None
    bank_line_id: UUID | None = None


async def book(unit: Unit, arrival: Arrival, traces: Traces) -> Payment:
    """Book an arrival as a receipt: lines in the order the community decided, the rest ahead.

    Raises:
        NotFoundError: there is no such account.
    """
    (booked,) = await book_all(unit, [(arrival, traces)])
    return booked


async def book_all(unit: Unit, arrivals: Sequence[tuple[Arrival, Traces]]) -> tuple[Payment, ...]:
    """Book arrivals, each as `book` does, all or none; of two on one account the earlier one settles first.

    Raises:
        NotFoundError: there is no such account.
    """
    await billing.lock_accounts(unit, {arrival.account_id for arrival, _ in arrivals})
    by_community: dict[CommunityId, list[int]] = {}
    for place, (arrival, _) in enumerate(arrivals):
        by_community.setdefault(arrival.into.book.community_id, []).append(place)
    rows: dict[int, PaymentRow] = {}
    for community_id in sorted(by_community):
        places = by_community[community_id]
        own = [arrivals[place] for place in places]
        community = await estate.community(unit.session, community_id)
        divisions = await _divisions(unit.session, community_id, [arrival for arrival, _ in own])
        journal_ids = await _post(unit, community, own, divisions)
        prefix = f"{community.code}-{_RECEIPT_LETTER}{civil_day(unit.now, community.zone).year}-"
        first = await billing.take_numbers(unit, community_id, prefix, len(own))
        for n, place in enumerate(places):
            rows[place] = _row(unit, *own[n], divisions[n], journal_ids[n], bill_number(prefix, first + n))
    unit.session.add_all(rows.values())
    await unit.session.flush()
    for place in sorted(rows):
        _tell(unit, rows[place])
    return tuple(payment_of(rows[place]) for place in sorted(rows))


def _row(unit: Unit, arrival: Arrival, traces: Traces, division: Division, journal_id: UUID, number: str) -> PaymentRow:
    book = arrival.into.book
    return PaymentRow(
        tenant_id=unit.tenant,
        community_id=book.community_id,
        payment_id=arrival.payment_id,
        account_id=arrival.account_id,
        legal_entity_id=book.legal_entity_id,
        fund_class=book.fund_class,
        channel=arrival.channel,
        amount_fen=arrival.amount_fen,
        ahead_fen=division.ahead_fen,
        currency="CNY",
        paid_at=arrival.paid_at,
        booked_at=unit.now,
        number=number,
        journal_id=journal_id,
        merchant_account_id=traces.merchant_account_id,
        attempt_id=traces.attempt_id,
        order_number=traces.order_number,
        transaction_id=traces.transaction_id,
        cash_shift_id=traces.cash_shift_id,
        tendered_fen=traces.tendered_fen,
        method=arrival.method,
        sub_method=arrival.sub_method,
        bank_line_id=traces.bank_line_id,
        collection_id=arrival.collection_id,
    )


def _tell(unit: Unit, row: PaymentRow) -> None:
    after = {"number": row.number, "amount_fen": row.amount_fen, "ahead_fen": row.ahead_fen, "channel": row.channel}
    unit.record("booked", "payment", row.payment_id, after=after)
    unit.publish(
        PaymentBooked(
            community_id=row.community_id,
            account_id=AccountId(row.account_id),
            payment_id=PaymentId(row.payment_id),
            amount_fen=row.amount_fen,
            fund_class=row.fund_class,
            merchant_account_id=row.merchant_account_id,
        )
    )


async def payment(session: AsyncSession, payment_id: PaymentId) -> Payment:
    """Return a receipt.

    Raises:
        NotFoundError: the company has no such payment.
    """
    row = await repository.payment(session, payment_id)
    if row is None:
        raise NotFoundError("there is no such payment")
    return payment_of(row)


async def payment_numbered(session: AsyncSession, number: str) -> Payment:
    """Return the receipt with a number.

    Raises:
        NotFoundError: the company has no such payment.
    """
    row = await repository.payment_numbered(session, number)
    if row is None:
        raise NotFoundError(f"there is no payment {number}")
    return payment_of(row)


async def payments_of(session: AsyncSession, account_id: AccountId) -> tuple[Payment, ...]:
    """Return the receipts of an account, the newest first."""
    return tuple(payment_of(row) for row in await repository.payments_of(session, account_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An interval `[start, end)` of the channel's time."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedOrder:
    """An online payment as reconciliation compares it."""

    payment_id: PaymentId
    order_number: str
    amount_fen: int
    paid_at: datetime


async def orders_booked(session: AsyncSession, merchant_account_id: UUID, span: Span) -> tuple[BookedOrder, ...]:
    """Return what a merchant account received in a span, by the channel's time."""
    rows = await repository.orders_between(session, merchant_account_id, span.start, span.end)
    return tuple(_booked_order(*row) for row in rows)


async def orders_booked_as(
    session: AsyncSession, merchant_account_id: UUID, numbers: Sequence[str]
) -> tuple[BookedOrder, ...]:
    """Return the payments of a merchant account that have some order numbers, whenever they were made."""
    rows = await repository.orders_numbered(session, merchant_account_id, numbers)
    return tuple(_booked_order(*row) for row in rows)


async def orders_of(session: AsyncSession, payment_ids: Sequence[PaymentId]) -> dict[PaymentId, tuple[UUID, str]]:
    """Return the merchant account and the order number of those payments that have them."""
    return {
        PaymentId(payment_id): (merchant_account_id, number)
        for payment_id, merchant_account_id, number in await repository.orders_of(session, payment_ids)
    }


def payment_of(row: PaymentRow) -> Payment:
    """Return a payment row as a value."""
    return Payment(
        payment_id=PaymentId(row.payment_id),
        account_id=AccountId(row.account_id),
        book=Book(
            community_id=row.community_id,
            legal_entity_id=LegalEntityId(row.legal_entity_id),
            fund_class=row.fund_class,
        ),
        channel=row.channel,
        number=row.number,
        amount_fen=row.amount_fen,
        ahead_fen=row.ahead_fen,
        currency=row.currency,
        paid_at=row.paid_at,
        booked_at=row.booked_at,
        journal_id=row.journal_id,
        merchant_account_id=row.merchant_account_id,
        attempt_id=row.attempt_id,
        order_number=row.order_number,
        transaction_id=row.transaction_id,
        cash_shift_id=row.cash_shift_id,
        tendered_fen=row.tendered_fen,
        method=row.method,
        sub_method=row.sub_method,
        bank_line_id=row.bank_line_id,
        collection_id=row.collection_id,
    )


def _booked_order(payment_id: UUID, order_number: str, amount_fen: int, paid_at: datetime) -> BookedOrder:
    return BookedOrder(
        payment_id=PaymentId(payment_id), order_number=order_number, amount_fen=amount_fen, paid_at=paid_at
    )


async def _divisions(
    session: AsyncSession, community_id: CommunityId, arrivals: Sequence[Arrival]
) -> tuple[Division, ...]:
    """Return how arrivals are divided over what is open, one after the other."""
    order = await settling_order(session, community_id)
    open_lines: dict[LineRef, OpenLine] = {
        line.ref: line for line in await billing.open_lines_of(session, {arrival.account_id for arrival in arrivals})
    }
    divisions = []
    for arrival in arrivals:
        book, wanted = arrival.into.book, set(arrival.bill_ids)
        lines = [
            line
            for line in open_lines.values()
            if line.account_id == arrival.account_id
            and (line.legal_entity_id, line.fund_class) == (book.legal_entity_id, book.fund_class)
            and (not wanted or line.bill_id in wanted)
        ]
        parts = settled(lines, arrival.amount_fen, order)
        for ref, fen in parts:
            line = open_lines.pop(ref)
            if fen < line.open_fen:
                open_lines[ref] = replace(line, open_fen=line.open_fen - fen)
        divisions.append(divide(arrival.amount_fen, arrival.account_id, parts))
    return tuple(divisions)


async def _post(
    unit: Unit, community: Community, arrivals: Sequence[tuple[Arrival, Traces]], divisions: Sequence[Division]
) -> list[UUID]:
    """Post each on the day its money arrived, or today when that day is sealed."""
    divided = [(arrival, division) for (arrival, _), division in zip(arrivals, divisions, strict=True)]
    try:
        drafts = [_draft(community, arrival, division, arrival.paid_at) for arrival, division in divided]
        return [ref.journal_id for ref in await ledger.post_many(unit, drafts)]
    except SealedDayError:
        return [await _post_alone(unit, community, arrival, division) for arrival, division in divided]


async def _post_alone(unit: Unit, community: Community, arrival: Arrival, division: Division) -> UUID:
    try:
        ref = await ledger.post(unit, _draft(community, arrival, division, arrival.paid_at))
    except SealedDayError:
        ref = await ledger.post(unit, _draft(community, arrival, division, unit.now))
    return ref.journal_id


def _draft(community: Community, arrival: Arrival, division: Division, instant: datetime) -> JournalDraft:
    moves = unknown_money_identified if arrival.into.type is AccountType.SUSPENSE else payment_received
    return JournalDraft(
        idem_key=f"payment:{arrival.payment_id}",
        kind="payment",
        community_id=community.id,
        business_date=civil_day(instant, community.zone),
        document=DocumentRef(kind=DocumentKind.PAYMENT, document_id=arrival.payment_id),
        transfers=moves(arrival.into, division.allocations, payer=arrival.account_id, ahead_fen=division.ahead_fen),
    )
