"""What stands in the book: trial balance of a community, statement of one account, transfers of a line or a document.

Balances are sums over transfers; nothing here is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.ledger import repository
from cloud.ledger.accounts import CHART, AccountType, Book, LedgerAccountRef, Side
from cloud.ledger.tables import JournalRow, LedgerAccountRow, TransferRow
from cloud.tariffs.charge import FundClass
from common.ids import CommunityId, LegalEntityId


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialLine:
    """Debits and credits of all accounts of one type in one book, and how many accounts there are."""

    legal_entity_id: LegalEntityId
    fund_class: FundClass
    type: AccountType
    accounts: int
    debit_fen: int
    credit_fen: int

    @property
    def balance_fen(self) -> int:
        """Return what stands on the side on which the type grows."""
        difference = self.debit_fen - self.credit_fen
        return difference if CHART[self.type].grows_on is Side.DEBIT else -difference


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalance:
    """All lines of a community's book up to a day; debits and credits are equal in each fund of each legal entity."""

    community_id: CommunityId
    through: date | None
    lines: tuple[TrialLine, ...]

    @property
    def debit_fen(self) -> int:
        """Return the sum of debits."""
        return sum(line.debit_fen for line in self.lines)

    @property
    def credit_fen(self) -> int:
        """Return the sum of credits."""
        return sum(line.credit_fen for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One transfer with its journal and the names of its accounts."""

    journal_id: UUID
    n: int
    journal_kind: str
    kind: str
    route: str
    business_date: date
    recorded_at: datetime
    document_kind: str
    document_id: UUID
    request_sha: str
    debit: LedgerAccountRef
    credit: LedgerAccountRef
    fen: int
    bill_id: UUID | None
    line_n: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """A posting on an account, signed for the side on which it grows, and what stood after it."""

    posting: Posting
    amount_fen: int
    balance_fen: int


async def trial_balance(session: AsyncSession, community_id: CommunityId, through: date | None = None) -> TrialBalance:
    """Return the trial balance of a community, up to a business date inclusive."""
    sums: dict[tuple[UUID, str, str], tuple[int, int, int]] = {}
    for row, debit, credit in await repository.sums_by_account(session, community_id, through):
        key = (row.legal_entity_id, row.fund_class, row.type)
        accounts, debits, credits_ = sums.get(key, (0, 0, 0))
        sums[key] = (accounts + 1, debits + debit, credits_ + credit)
    lines = tuple(
        TrialLine(
            legal_entity_id=LegalEntityId(entity),
            fund_class=FundClass(fund),
            type=AccountType(kind),
            accounts=accounts,
            debit_fen=debits,
            credit_fen=credits_,
        )
        for (entity, fund, kind), (accounts, debits, credits_) in sorted(sums.items())
    )
    return TrialBalance(community_id=community_id, through=through, lines=lines)


async def statement(session: AsyncSession, owner_id: UUID, types: Collection[AccountType]) -> tuple[StatementLine, ...]:
    """Return what happened on the accounts of some types of one owner, oldest first, over all its books."""
    rows = await repository.accounts_of(session, [owner_id], types)
    ids = {row.ledger_account_id for row in rows}
    moves = await repository.moves_of(session, owner_id, ids) if ids else []
    return tuple(_running(await named(session, moves), rows))


async def postings_of_bill(session: AsyncSession, bill_id: UUID) -> tuple[Posting, ...]:
    """Return every posting that moved what is open on the lines of a bill, oldest first."""
    return await named(session, await repository.transfers_of_lines(session, bill_id))


async def postings_of_document(session: AsyncSession, document_id: UUID) -> tuple[Posting, ...]:
    """Return every posting of the journals that book a document."""
    return await named(session, await repository.journals_of_document(session, document_id))


def _running(postings: Iterable[Posting], rows: Sequence[LedgerAccountRow]) -> Iterable[StatementLine]:
    own = {_ref(row) for row in rows}
    balance = 0
    for posting in postings:
        if posting.kind not in repository.COUNTING:
            continue
        for side, ref in ((Side.DEBIT, posting.debit), (Side.CREDIT, posting.credit)):
            if ref in own:
                amount = posting.fen if ref.kind.grows_on is side else -posting.fen
                balance += amount
                yield StatementLine(posting=posting, amount_fen=amount, balance_fen=balance)


async def named(session: AsyncSession, moves: Sequence[tuple[TransferRow, JournalRow]]) -> tuple[Posting, ...]:
    """Return transfers with the names of their accounts."""
    ids = {account_id for transfer, _ in moves for account_id in (transfer.debit_id, transfer.credit_id)}
    names = {key: _ref(row) for key, row in (await repository.accounts_at(session, ids)).items()} if ids else {}
    return tuple(_posting(transfer, journal, names) for transfer, journal in moves)


def _posting(transfer: TransferRow, journal: JournalRow, names: Mapping[UUID, LedgerAccountRef]) -> Posting:
    return Posting(
        journal_id=journal.journal_id,
        n=transfer.n,
        journal_kind=journal.kind,
        kind=transfer.kind,
        route=transfer.route,
        business_date=journal.business_date,
        recorded_at=journal.recorded_at,
        document_kind=journal.document_kind,
        document_id=journal.document_id,
        request_sha=journal.request_sha.hex(),
        debit=names[transfer.debit_id],
        credit=names[transfer.credit_id],
        fen=transfer.fen,
        bill_id=transfer.bill_id,
        line_n=transfer.line_n,
    )


def _ref(row: LedgerAccountRow) -> LedgerAccountRef:
    book = Book(
        community_id=row.community_id,
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        fund_class=FundClass(row.fund_class),
    )
    return LedgerAccountRef(book=book, type=AccountType(row.type), owner_id=row.owner_id)
