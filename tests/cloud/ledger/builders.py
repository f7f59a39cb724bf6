"""Small builders for movements of a book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef, TransferDraft
from cloud.ledger.postings import LinePosting
from cloud.tariffs.charge import FundClass, Nature
from common.ids import AccountId, BillId, ChargeItemId, CommunityId, LegalEntityId, TenantId

TENANT = TenantId(UUID(int=0xA))
COMMUNITY = CommunityId(UUID(int=0xC0))
COMPANY = LegalEntityId(UUID(int=0xE0))
COMMITTEE = LegalEntityId(UUID(int=0xE1))
ACCOUNT = AccountId(UUID(int=0xAC))
OTHER_ACCOUNT = AccountId(UUID(int=0xAD))
ITEM = ChargeItemId(UUID(int=0x17))
BILL = BillId(UUID(int=0xB1))
MERCHANT = UUID(int=0x3E)
DAY = date(2026, 2, 1)


def book(fund: FundClass = FundClass.OPERATING, entity: LegalEntityId = COMPANY) -> Book:
    return Book(community_id=COMMUNITY, legal_entity_id=entity, fund_class=fund)


def line(n: int, fen: int, *, nature: Nature = Nature.REVENUE, of: Book | None = None) -> LinePosting:
    return LinePosting(
        n=n,
        account_id=ACCOUNT,
        book=of or book(),
        charge_item_id=ITEM,
        nature=nature,
        fen=fen,
        line=LineRef(bill_id=BILL, n=n),
    )


def journal(
    key: str, transfers: Sequence[TransferDraft], *, day: date = DAY, approved_by: UUID | None = None
) -> JournalDraft:
    return JournalDraft(
        idem_key=key,
        kind="test",
        community_id=COMMUNITY,
        business_date=day,
        document=DocumentRef(kind=DocumentKind.BILL, document_id=BILL),
        transfers=tuple(transfers),
        approved_by=approved_by,
    )
