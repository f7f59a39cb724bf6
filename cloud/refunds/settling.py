"""What a refund does in the book: set the money aside, let it go, or put it back.

Setting aside is one journal: bill lines that become open again, and the reservation on a guarded balance. Its
resolution is the second and last: posted when the money arrived, voided when it came to nothing, and then what had been
settled is settled again as far as it is still open.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cloud.billing import service as billing
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import LedgerAccountRef
from cloud.ledger.errors import GuardError, SealedDayError
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, JournalRef, TransferDraft, TransferRef
from cloud.payments import booking
from cloud.payments.channels.provider import RefundView
from cloud.refunds import moving
from cloud.refunds.origins import origin_of
from cloud.refunds.rules import Origin, RefundSource, RefundState
from cloud.refunds.tables import RefundRow
from cloud.refunds.values import Refund, refund_of
from common.civil import civil_day
from common.errors import ensure
from common.ids import PaymentId

_GONE = "the money was used for something else since"


async def reserve(unit: Unit, refund_id: UUID) -> Refund:
    """Set the money of an approved refund aside, or give the refund up when it is no longer there; again is nothing."""
    row = await moving.locked(unit, refund_id)
    if row.state is not RefundState.APPROVED:
        return refund_of(row)
    origin = await _origin(unit, row)
    if origin is None:
        await moving.move(unit, row, RefundState.FAILED, _GONE)
        return refund_of(row)
    row.reopened = [[str(part.line.bill_id), part.line.n, part.fen] for part in origin.reopened]
    refund = refund_of(row)
    opened = tuple(
        postings.overpaid_released(
            refund.book, postings.Allocation(account_id=refund.account_id, line=part.line, fen=part.fen)
        )
        for part in origin.reopened
    )
    try:
        journal = await _post(unit, refund, "reserved", (*opened, _reservation(refund)), unit.now)
    except GuardError as error:
        row.reopened = []
        await moving.move(unit, row, RefundState.FAILED, str(error))
        return refund_of(row)
    row.reservation_journal_id, row.reservation_n = journal.journal_id, len(opened) + 1
    await moving.move(unit, row, RefundState.RESERVED)
    return refund_of(row)


async def arrive(unit: Unit, row: RefundRow, at: datetime) -> None:
    """Let the money go: it has arrived at the payer."""
    refund = refund_of(row)
    resolved = postings.reservation_posted(_reservation(refund), _reserved_at(row), refund.amount_fen)
    await _post(unit, refund, "arrived", (resolved,), at)
    row.arrived_at = at
    await moving.move(unit, row, RefundState.ARRIVED)


async def give_up(unit: Unit, row: RefundRow, why: str) -> None:
    """Put the money back where it was: it did not go."""
    refund = refund_of(row)
    released = postings.reservation_voided(_reservation(refund), _reserved_at(row))
    await _post(unit, refund, "failed", (released,), unit.now)
    await _settle_again(unit, refund)
    await moving.move(unit, row, RefundState.FAILED, why)


def arrival_of(view: RefundView, now: datetime) -> datetime:
    """Return when a refund arrived: as the channel says, or now."""
    return view.succeeded_at or now


async def _origin(unit: Unit, row: RefundRow) -> Origin | None:
    if row.source is RefundSource.DEPOSIT:
        return Origin(ahead_fen=row.amount_fen, reopened=())
    payment = await booking.payment(unit.session, PaymentId(row.payment_id))
    return await origin_of(unit.session, payment, row.amount_fen, but_for=row.refund_id)


def _reservation(refund: Refund) -> TransferDraft:
    out_of = _out_of(refund)
    if refund.source is RefundSource.DEPOSIT:
        return postings.deposit_return_reserved(refund.source_id, out_of, refund.amount_fen)
    return postings.refund_reserved(refund.account_id, out_of, refund.amount_fen)


def _out_of(refund: Refund) -> LedgerAccountRef:
    if refund.cash_box_id is not None:
        return postings.cash(refund.book, refund.cash_box_id)
    if refund.bank_account_id is not None:
        return postings.bank(refund.book, refund.bank_account_id)
    ensure(refund.merchant_account_id is not None, "a refund by its original route has a merchant account")
    return postings.clearing(refund.book, refund.merchant_account_id or refund.refund_id)


def _reserved_at(row: RefundRow) -> TransferRef:
    ensure(row.reservation_journal_id is not None, "only a reserved refund is resolved")
    return TransferRef(journal_id=row.reservation_journal_id or row.refund_id, n=row.reservation_n or 0)


async def _settle_again(unit: Unit, refund: Refund) -> None:
    """Settle the lines that the refund had opened, as far as they are still open."""
    open_fen = {line.ref: line.open_fen for line in await billing.open_lines(unit.session, refund.account_id)}
    parts = [
        postings.Allocation(account_id=refund.account_id, line=part.line, fen=min(part.fen, open_fen[part.line]))
        for part in refund.reopened
        if open_fen.get(part.line, 0) > 0
    ]
    if parts:
        await _post(
            unit,
            refund,
            "settled again",
            postings.prepayment_used(refund.book, refund.account_id, parts),
            unit.now,
        )


async def _post(
    unit: Unit, refund: Refund, moment: str, transfers: tuple[TransferDraft, ...], at: datetime
) -> JournalRef:
    """Post on the day of the instant, or today when that day is sealed."""
    zone = (await estate.community(unit.session, refund.book.community_id)).zone

    def draft_for(instant: datetime) -> JournalDraft:
        return JournalDraft(
            idem_key=f"refund:{refund.refund_id}:{moment}",
            kind="refund",
            community_id=refund.book.community_id,
            business_date=civil_day(instant, zone),
            document=DocumentRef(kind=DocumentKind.REFUND, document_id=refund.refund_id),
            transfers=transfers,
        )

    try:
        return await ledger.post(unit, draft_for(at))
    except SealedDayError:
        return await ledger.post(unit, draft_for(unit.now))
