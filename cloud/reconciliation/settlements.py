"""The third leg: what a channel sent to the bank against the credit that came, exact to the fen, within three days.

A credit that equals what one day's fund bill withdrew, of a merchant account of the same legal entity and fund, is that
settlement: it leaves suspense and lowers what lies at the channel. One day settles once. Two days that fit are none.
What the channel kept since the settlement before is booked with it, as a line of its own against the channel's fees.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.errors import SealedDayError
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, TransferDraft
from cloud.ledger.routes import Route
from cloud.payments import merchants
from cloud.payments.channel import ONLINE
from cloud.reconciliation import bank_repository as repository
from cloud.reconciliation.remitting import BankLineState
from cloud.reconciliation.tables import BankLineRow
from cloud.reconciliation.values import BankAccount
from common.civil import civil_day

LATEST = timedelta(days=3)


async def settle(unit: Unit, account: BankAccount, row: BankLineRow) -> bool:
    """Recognise a credit in suspense as a settlement, book it, and return whether it was one."""
    fitting = []
    owner = (account.book.legal_entity_id, account.book.fund_class)
    for merchant in await merchants.merchant_accounts(unit.session):
        if (merchant.legal_entity_id, merchant.fund_class) != owner or merchant.channel not in ONLINE:
            continue
        span = (row.day - LATEST, row.day)
        for day, fen in (await repository.withdrawals(unit.session, merchant.merchant_account_id, span)).items():
            reason = f"{merchant.channel} {day.isoformat()} {merchant.merchant_account_id}"
            if fen == row.fen and not await repository.is_settled(unit.session, reason):
                fitting.append((merchant, day, reason))
    if len(fitting) != 1:
        return False
    ((merchant, day, reason),) = fitting
    fee_fen = await _fees(unit, merchant.merchant_account_id, day)
    bank = postings.bank(account.book, account.bank_account_id)
    back = TransferDraft(
        debit=postings.suspense_of(account.book, account.bank_account_id), credit=bank, fen=row.fen, route=Route.RETURN
    )
    clearing = postings.clearing(account.book, merchant.merchant_account_id)
    came = postings.channel_settled(clearing, bank, net_fen=row.fen, fee_fen=fee_fen)
    await post(unit, account, row, "settled", (back, *came))
    row.state, row.decided_by, row.decided_at, row.reason = BankLineState.SETTLEMENT, unit.actor.id, unit.now, reason
    unit.record("settled", "bank_line", row.bank_line_id, after={"reason": reason, "fee_fen": fee_fen})
    return True


async def _fees(unit: Unit, merchant_account_id: UUID, day: date) -> int:
    """Return what the channel kept up to a day and no settlement has booked yet.

    A settlement that comes after one of a later day books nothing: the later one has booked these days' fees. Where a
    channel gave back more than it kept, nothing is booked: what it gave back shows as a balance of the channel.
    """
    settled = await repository.settled_days(unit.session, merchant_account_id)
    if any(other > day for other in settled):
        return 0
    after = max(settled, default=date.min)
    return max(0, await repository.fees_between(unit.session, merchant_account_id, after, day))


async def post(
    unit: Unit, account: BankAccount, row: BankLineRow, moment: str, transfers: tuple[TransferDraft, ...]
) -> None:
    """Post what a line moves on its day, or today when that day is sealed."""
    zone = (await estate.community(unit.session, account.book.community_id)).zone
    today = civil_day(unit.now, zone)
    draft = JournalDraft(
        idem_key=f"bank_line:{row.bank_line_id}:{moment}",
        kind="bank_credit",
        community_id=account.book.community_id,
        business_date=min(row.day, today),
        document=DocumentRef(kind=DocumentKind.STATEMENT, document_id=row.bank_line_id),
        transfers=transfers,
    )
    try:
        await ledger.post(unit, draft)
    except SealedDayError:
        await ledger.post(unit, replace(draft, business_date=today))
