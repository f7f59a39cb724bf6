"""The chain behind a receipt: its postings, and for every bill line that it settled the chain of that line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing import tracing
from cloud.billing.tracing import LineTrace
from cloud.ledger import reports
from cloud.payments.values import Payment
from common.ids import BillId


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledLine:
    """What a payment gave to one bill line, and how that line came about."""

    fen: int
    line: LineTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTrace:
    """A receipt with everything behind it; the settled parts and what was paid ahead sum to the amount."""

    number: str
    payment_id: UUID
    channel: str
    amount_fen: int
    ahead_fen: int
    paid_at: datetime
    order_number: str | None
    transaction_id: str | None = field(repr=False)
    journal_id: UUID
    request_sha: str
    settled: tuple[SettledLine, ...]


async def trace_payment(session: AsyncSession, payment: Payment) -> PaymentTrace:
    """Return the chain of a receipt down to the signed batches."""
    postings = await reports.postings_of_document(session, payment.payment_id)
    settled = []
    for posting in postings:
        if posting.bill_id is not None and posting.line_n is not None:
            view = await billing.bill(session, BillId(posting.bill_id))
            line = await tracing.trace_line(session, view, posting.line_n)
            settled.append(SettledLine(fen=posting.fen, line=line))
    return PaymentTrace(
        number=payment.number,
        payment_id=payment.payment_id,
        channel=payment.channel.value,
        amount_fen=payment.amount_fen,
        ahead_fen=payment.ahead_fen,
        paid_at=payment.paid_at,
        order_number=payment.order_number,
        transaction_id=payment.transaction_id,
        journal_id=payment.journal_id,
        request_sha=postings[0].request_sha if postings else "",
        settled=tuple(settled),
    )
