"""The cash desk: boxes, shifts, and cash taken over the counter.

A shift is opened and closed with a count; what differs from the book is booked to its own account with a reason, so the
box in the ledger always holds what was last counted plus what was taken. The server computes what is owed; the cashier
types what was handed over, and the change follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft
from cloud.ledger.postings import cash, cash_counted
from cloud.payments import booking, repository
from cloud.payments.channel import Channel, Method
from cloud.payments.errors import NothingToPayError, ShiftError
from cloud.payments.rules import check_amount
from cloud.payments.service import quote
from cloud.payments.tables import CashBoxRow, CashPayoutRow, CashShiftRow
from cloud.payments.values import Payment
from cloud.tariffs.charge import FundClass
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import AccountId, BillId, CommunityId, LegalEntityId, PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class CashBox:
    """A cash box and the book whose money it holds."""

    cash_box_id: UUID
    name: str
    book: Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A cashier's time at a box. `expected_fen` is what the box should hold now, or held at closing."""

    cash_shift_id: UUID
    community_id: CommunityId
    cash_box_id: UUID
    cashier_id: UUID
    opened_at: datetime
    opening_fen: int
    expected_fen: int
    closed_at: datetime | None = None
    counted_fen: int | None = None
    reason: str = ""

    @property
    def difference_fen(self) -> int:
        """Return by how much the count is above the book, negative below; 0 while the shift is open."""
        return 0 if self.counted_fen is None else self.counted_fen - self.expected_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class CashReceipt:
    """Cash handed over; `payment_id` is made at the desk. Without an amount all that is open is paid, of any bill."""

    payment_id: PaymentId
    account_id: AccountId
    tendered_fen: int
    amount_fen: int | None = None
    bill_ids: tuple[BillId, ...] = ()
    collection_id: UUID | None = None


async def add_cash_box(unit: Unit, book: Book, name: str) -> UUID:
    """Add a cash box that holds the money of one book.

    Raises:
        NotFoundError: there is no such community.
        RefusalError: it has no name, its name is taken, or there is no such legal entity.
    """
    if not name.strip():
        raise RefusalError("a cash box has a name; write where it stands")
    await estate.community(unit.session, book.community_id)
    cash_box_id = unit.new_id()
    unit.session.add(
        CashBoxRow(
            tenant_id=unit.tenant,
            community_id=book.community_id,
            cash_box_id=cash_box_id,
            name=name,
            legal_entity_id=book.legal_entity_id,
            fund_class=book.fund_class,
        )
    )
    try:
        await unit.session.flush()
    except IntegrityError as error:
        raise RefusalError("a box of this name stands here already, or there is no such legal entity") from error
    unit.record("added", "cash_box", cash_box_id, after={"fund_class": book.fund_class})
    return cash_box_id


async def cash_boxes(session: AsyncSession, community_id: CommunityId) -> tuple[CashBox, ...]:
    """Return the cash boxes of a community by name."""
    return tuple(_box(row) for row in await repository.cash_boxes(session, community_id))


async def left_fen(session: AsyncSession, cash_box_id: UUID) -> int:
    """Return what a box should hold when nobody has a shift at it: what was last counted in it."""
    return await repository.last_count_fen(session, cash_box_id)


async def open_shift(unit: Unit, cash_box_id: UUID, *, opening_fen: int, reason: str = "") -> Shift:
    """Open a shift of the acting cashier with the count of the box; a difference to the last count needs a reason.

    Raises:
        NotFoundError: there is no such box.
        ShiftError: the cashier or the box has an open shift.
        RefusalError: the count is negative, or differs and no reason is given.
    """
    box = await repository.cash_box(unit.session, cash_box_id)
    if box is None:
        raise NotFoundError("there is no such cash box")
    if await repository.open_shift_at(unit.session, unit.actor.id, cash_box_id) is not None:
        raise ShiftError("you or this box have an open shift; close it with a count first")
    left_fen = await repository.last_count_fen(unit.session, cash_box_id)
    _require_reason(opening_fen, left_fen, reason)
    row = CashShiftRow(
        tenant_id=unit.tenant,
        community_id=box.community_id,
        cash_shift_id=unit.new_id(),
        cash_box_id=cash_box_id,
        cashier_id=unit.actor.id,
        opened_at=unit.now,
        opening_fen=opening_fen,
        reason=reason.strip(),
    )
    unit.session.add(row)
    await unit.session.flush()
    unit.record("opened", "cash_shift", row.cash_shift_id, after={"opening_fen": opening_fen, "left_fen": left_fen})
    await _book_difference(unit, row, _box(box), opening_fen - left_fen, "open")
    return _shift(row, opening_fen)


async def record_cash(unit: Unit, cash_shift_id: UUID, receipt: CashReceipt) -> Payment:
    """Take cash in an open shift and book it; the same receipt again is the same payment.

    Raises:
        NotFoundError: there is no such shift or account.
        ShiftError: the shift is closed, or is another cashier's.
        NothingToPayError: nothing is open and no amount was given.
        RefusalError: less was handed over than is to be paid.
    """
    row = await _own_open_shift(unit, cash_shift_id)
    known = await repository.payment(unit.session, receipt.payment_id)
    if known is not None:
        return _same(booking.payment_of(known), cash_shift_id, receipt)
    box = await repository.cash_box(unit.session, row.cash_box_id)
    if box is None:
        raise NotFoundError("there is no such cash box")
    book = _box(box).book
    quotes = await quote(unit.session, receipt.account_id, receipt.bill_ids)
    open_fen = sum(entry.total_fen for entry in quotes if entry.book == book)
    if not open_fen and receipt.amount_fen is None:
        raise NothingToPayError
    amount_fen = check_amount(open_fen if receipt.amount_fen is None else receipt.amount_fen)
    if receipt.tendered_fen < amount_fen:
        raise RefusalError(f"{receipt.tendered_fen} fen were handed over for {amount_fen}; take the rest first")
    arrival = booking.Arrival(
        payment_id=receipt.payment_id,
        account_id=receipt.account_id,
        channel=Channel.CASH,
        into=cash(book, row.cash_box_id),
        amount_fen=amount_fen,
        paid_at=unit.now,
        bill_ids=receipt.bill_ids,
        method=Method.COUNTER,
        collection_id=receipt.collection_id,
    )
    traces = booking.Traces(cash_shift_id=cash_shift_id, tendered_fen=receipt.tendered_fen)
    return await booking.book(unit, arrival, traces)


async def book_of_shift(unit: Unit, cash_shift_id: UUID) -> Book:
    """Return whose money of which fund the acting cashier takes in his open shift.

    Raises:
        NotFoundError: there is no such shift.
        ShiftError: the shift is closed, or is another cashier's.
    """
    row = await _own_open_shift(unit, cash_shift_id)
    box = await repository.cash_box(unit.session, row.cash_box_id)
    if box is None:
        raise NotFoundError("there is no such cash box")
    return _box(box).book


async def pay_out(unit: Unit, cash_shift_id: UUID, *, payout_id: UUID, cash_box_id: UUID, amount_fen: int) -> None:
    """Note that the acting cashier handed out cash in his open shift; what it was for is booked by the caller.

    Raises:
        NotFoundError: there is no such shift.
        ShiftError: the shift is closed, is another cashier's, or is at another box.
    """
    row = await _own_open_shift(unit, cash_shift_id)
    if row.cash_box_id != cash_box_id:
        raise ShiftError("the money is set aside in another box; open a shift there")
    unit.session.add(
        CashPayoutRow(
            tenant_id=unit.tenant,
            community_id=row.community_id,
            payout_id=payout_id,
            cash_shift_id=cash_shift_id,
            amount_fen=amount_fen,
            paid_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("paid out", "cash_shift", cash_shift_id, after={"payout_id": str(payout_id), "amount_fen": amount_fen})


async def close_shift(unit: Unit, cash_shift_id: UUID, *, counted_fen: int, reason: str = "") -> Shift:
    """Close the acting cashier's shift with a count; a difference is booked and needs a reason.

    Raises:
        NotFoundError: there is no such shift.
        ShiftError: the shift is closed, or is another cashier's.
        RefusalError: the count is negative, or differs and no reason is given.
    """
    row = await _own_open_shift(unit, cash_shift_id)
    box = await repository.cash_box(unit.session, row.cash_box_id)
    if box is None:
        raise NotFoundError("there is no such cash box")
    expected_fen = await _book_fen(unit.session, row)
    _require_reason(counted_fen, expected_fen, reason)
    row.closed_at, row.expected_fen, row.counted_fen = unit.now, expected_fen, counted_fen
    row.reason = reason.strip() or row.reason
    unit.record("closed", "cash_shift", cash_shift_id, after={"expected_fen": expected_fen, "counted_fen": counted_fen})
    await _book_difference(unit, row, _box(box), counted_fen - expected_fen, "close")
    return _shift(row, expected_fen)


async def open_shift_of(session: AsyncSession, cashier_id: UUID) -> Shift | None:
    """Return the shift a cashier has open, with what the box should hold now."""
    row = await repository.open_shift_of(session, cashier_id)
    return None if row is None else await _current(session, row)


async def shift(session: AsyncSession, cash_shift_id: UUID) -> Shift:
    """Return a shift.

    Raises:
        NotFoundError: there is no such shift.
    """
    row = await repository.shift(session, cash_shift_id)
    if row is None:
        raise NotFoundError("there is no such cash shift")
    return await _current(session, row)


async def payments_of_shift(session: AsyncSession, cash_shift_id: UUID) -> tuple[Payment, ...]:
    """Return the payments of a shift in the order they were taken."""
    return tuple(booking.payment_of(row) for row in await repository.payments_of_shift(session, cash_shift_id))


async def _own_open_shift(unit: Unit, cash_shift_id: UUID) -> CashShiftRow:
    row = await repository.shift(unit.session, cash_shift_id, lock=True)
    if row is None:
        raise NotFoundError("there is no such cash shift")
    if row.closed_at is not None:
        raise ShiftError("this shift is closed; open a new one")
    if row.cashier_id != unit.actor.id:
        raise ShiftError("this is another cashier's shift; open your own")
    return row


async def _book_difference(unit: Unit, row: CashShiftRow, box: CashBox, difference_fen: int, moment: str) -> None:
    if not difference_fen:
        return
    zone = (await estate.community(unit.session, row.community_id)).zone
    draft = JournalDraft(
        idem_key=f"cash_shift:{row.cash_shift_id}:{moment}",
        kind="cash_count",
        community_id=row.community_id,
        business_date=civil_day(unit.now, zone),
        document=DocumentRef(kind=DocumentKind.CASH_SHIFT, document_id=row.cash_shift_id),
        transfers=(cash_counted(cash(box.book, box.cash_box_id), difference_fen),),
    )
    await ledger.post(unit, draft)


async def _current(session: AsyncSession, row: CashShiftRow) -> Shift:
    if row.expected_fen is not None:
        return _shift(row, row.expected_fen)
    return _shift(row, await _book_fen(session, row))


async def _book_fen(session: AsyncSession, row: CashShiftRow) -> int:
    """Return what a box should hold: what was counted in it, what was taken, less what was handed out."""
    taken_fen = await repository.taken_fen(session, row.cash_shift_id)
    return row.opening_fen + taken_fen - await repository.paid_out_fen(session, row.cash_shift_id)


def _require_reason(counted_fen: int, book_fen: int, reason: str) -> None:
    if counted_fen < 0:
        raise RefusalError("a count is not negative; count the box again")
    if counted_fen != book_fen and not reason.strip():
        raise RefusalError(f"the count is {counted_fen} fen and the book says {book_fen}; give the reason")


def _same(payment: Payment, cash_shift_id: UUID, receipt: CashReceipt) -> Payment:
    told = (payment.cash_shift_id, payment.account_id, payment.tendered_fen)
    asked = (cash_shift_id, receipt.account_id, receipt.tendered_fen)
    if told != asked or receipt.amount_fen not in {None, payment.amount_fen}:
        raise ConflictError("this receipt was booked with other content; nothing was changed, make a new one")
    return payment


def _box(row: CashBoxRow) -> CashBox:
    book = Book(
        community_id=row.community_id,
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        fund_class=FundClass(row.fund_class),
    )
    return CashBox(cash_box_id=row.cash_box_id, name=row.name, book=book)


def _shift(row: CashShiftRow, expected_fen: int) -> Shift:
    return Shift(
        cash_shift_id=row.cash_shift_id,
        community_id=row.community_id,
        cash_box_id=row.cash_box_id,
        cashier_id=row.cashier_id,
        opened_at=row.opened_at,
        opening_fen=row.opening_fen,
        expected_fen=expected_fen,
        closed_at=row.closed_at,
        counted_fen=row.counted_fen,
        reason=row.reason,
    )
