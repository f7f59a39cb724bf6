"""Money paid ahead settles what falls due: after documents are issued, in the order decided, each book for itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cloud.billing import service
from cloud.billing.documents import OpenLine
from cloud.billing.settling import Settling, settled, settling_order
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft
from cloud.ledger.postings import Allocation, prepayment_used
from common.civil import civil_day
from common.ids import AccountId, BillId, CommunityId


async def settle_from_ahead(
    unit: Unit, community_id: CommunityId, account_ids: Collection[AccountId], because_of: BillId
) -> int:
    """Use what accounts have paid ahead for their open lines, and return how much was used; again it uses nothing.

    `because_of` is a document whose issue is the occasion: an account uses its balance once for each occasion.
    """
    ahead = [b for b in await ledger.ahead_balances(unit.session, account_ids) if b.available_fen > 0]
    if not ahead:
        return 0
    await service.lock_accounts(unit, {balance.account_id for balance in ahead})
    community = await estate.community(unit.session, community_id)
    lines = await service.open_lines_of(unit.session, {balance.account_id for balance in ahead})
    # Read again under the locks: nobody else uses these balances until the unit ends.
    ahead = [b for b in await ledger.ahead_balances(unit.session, account_ids) if b.available_fen > 0]
    order = await settling_order(unit.session, community_id)
    drafts = []
    for balance in ahead:
        book = Book(community_id=community_id, legal_entity_id=balance.legal_entity_id, fund_class=balance.fund_class)
        allocations = _allocations(_of_book(lines, balance.account_id, book), balance.available_fen, order)
        if allocations:
            drafts.append(
                JournalDraft(
                    idem_key=f"ahead:{balance.account_id}:{balance.legal_entity_id}:{balance.fund_class}:{because_of}",
                    kind="ahead_used",
                    community_id=community_id,
                    business_date=civil_day(unit.now, community.zone),
                    document=DocumentRef(kind=DocumentKind.BILL, document_id=because_of),
                    transfers=prepayment_used(book, balance.account_id, allocations),
                )
            )
    await ledger.post_many(unit, drafts)
    return sum(transfer.fen for draft in drafts for transfer in draft.transfers)


def _of_book(lines: Sequence[OpenLine], account_id: AccountId, book: Book) -> list[OpenLine]:
    return [
        line
        for line in lines
        if line.account_id == account_id
        and (line.legal_entity_id, line.fund_class) == (book.legal_entity_id, book.fund_class)
    ]


def _allocations(lines: Sequence[OpenLine], fen: int, order: Settling) -> list[Allocation]:
    owners = {line.ref: line.account_id for line in lines}
    return [Allocation(account_id=owners[ref], line=ref, fen=part) for ref, part in settled(lines, fen, order)]
