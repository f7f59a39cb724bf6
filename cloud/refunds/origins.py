"""Where the money of a refund lies: ahead on the account, on bill lines that open again, or in a deposit.

Read under the lock of the account, so that what is found here stays so until the unit ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.ledger import reports as ledger_reports
from cloud.ledger import service as ledger
from cloud.ledger.journals import LineRef, TransferKind
from cloud.ledger.routes import Route
from cloud.payments.values import Payment
from cloud.refunds import repository
from cloud.refunds.rules import GIVEN_UP_STATES, Origin, SettledPart, take
from cloud.refunds.values import parts_of
from common.ids import BillId

_SETTLING = frozenset({Route.RECEIPT.code, Route.OFFSET.code, Route.IDENTIFY.code, Route.DEPOSIT_DEDUCTION.code})
_COUNTING = frozenset({TransferKind.POSTED.value, TransferKind.POST.value})


async def origin_of(
    session: AsyncSession, payment: Payment, amount_fen: int, *, but_for: UUID | None = None
) -> Origin | None:
    """Return where a refund of a payment is taken from, or None when there is not enough.

    `but_for` is a refund that is left out of account: the one that is being looked at itself.
    """
    others = [
        row
        for row in await repository.refunds_of_payment(session, payment.payment_id)
        if row.state not in GIVEN_UP_STATES and row.refund_id != but_for
    ]
    settled = await _settled(session, payment)
    reopened = Counter[LineRef]()
    for row in others:
        for part in parts_of(row):
            reopened[part.line] += part.fen
    left = [SettledPart(line=part.line, fen=part.fen - reopened[part.line]) for part in settled]
    lying = [SettledPart(line=part.line, fen=min(part.fen, await _standing_fen(session, part.line))) for part in left]
    still = [part for part in lying if part.fen > 0]
    back_fen = sum(row.amount_fen for row in others)
    unsettled_fen = payment.amount_fen - back_fen - sum(part.fen for part in still)
    return take(amount_fen, unsettled_fen=unsettled_fen, ahead_fen=await _ahead_fen(session, payment), settled=still)


async def _settled(session: AsyncSession, payment: Payment) -> Sequence[SettledPart]:
    """Return what a payment settled when it was booked, in the order of its journal."""
    return [
        SettledPart(line=LineRef(bill_id=BillId(posting.bill_id), n=posting.line_n), fen=posting.fen)
        for posting in await ledger_reports.postings_of_document(session, payment.payment_id)
        if posting.bill_id is not None and posting.line_n is not None and posting.route == Route.RECEIPT.code
    ]


async def _standing_fen(session: AsyncSession, line: LineRef) -> int:
    """Return what of a line is settled by money now, whoever paid it: a credit may have released part of it since."""
    standing_fen = 0
    for posting in await ledger_reports.postings_of_bill(session, line.bill_id):
        if posting.line_n != line.n or posting.kind not in _COUNTING:
            continue
        if posting.route in _SETTLING:
            standing_fen += posting.fen
        elif posting.route == Route.OVERPAID.code:
            standing_fen -= posting.fen
    return standing_fen


async def _ahead_fen(session: AsyncSession, payment: Payment) -> int:
    balances = await ledger.ahead_balances(session, [payment.account_id])
    book = (payment.book.legal_entity_id, payment.book.fund_class)
    return sum(balance.available_fen for balance in balances if (balance.legal_entity_id, balance.fund_class) == book)
