"""The named queries of the book; private to the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, literal, select, tuple_, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Select

from cloud.ledger.accounts import AccountType, Guard, LedgerAccountRef
from cloud.ledger.balances import Balance
from cloud.ledger.journals import JournalHead, TransferFact
from cloud.ledger.tables import BalanceRow, BookRow, JournalRow, LedgerAccountRow, SealRow, TransferRow
from common.ids import CommunityId, TenantId

COUNTING = ("posted", "post")
# A transfer that a bill run issued a bill with is found through its journal, and is in no index by line or by debit.
_ISSUED = TransferRow.bill_id == TransferRow.journal_id
_BY_DEBIT = TransferRow.bill_id.is_distinct_from(TransferRow.journal_id)
_BY_LINE = TransferRow.bill_id.is_not(None) & (TransferRow.bill_id != TransferRow.journal_id)
_OF_JOURNAL = (
    (JournalRow.tenant_id == TransferRow.tenant_id)
    & (JournalRow.community_id == TransferRow.community_id)
    & (JournalRow.journal_id == TransferRow.journal_id)
)


async def journals_by_key(
    session: AsyncSession, community_id: CommunityId, keys: Collection[str]
) -> dict[str, tuple[UUID, bytes]]:
    """Return id and fingerprint of the journals with the keys."""
    found = await session.execute(
        select(JournalRow.idem_key, JournalRow.journal_id, JournalRow.request_sha).where(
            JournalRow.community_id == community_id, JournalRow.idem_key.in_(keys)
        )
    )
    return {key: (journal_id, sha) for key, journal_id, sha in found}


async def open_accounts(session: AsyncSession, tenant_id: TenantId, refs: Mapping[UUID, LedgerAccountRef]) -> None:
    """Add the accounts, and the balance rows of guarded ones, that do not exist; in id order against deadlocks."""
    known = set(
        await session.scalars(
            select(LedgerAccountRow.ledger_account_id).where(LedgerAccountRow.ledger_account_id.in_(list(refs)))
        )
    )
    missing = sorted(set(refs) - known)
    if not missing:
        return
    rows = [_account_row(tenant_id, account_id, refs[account_id]) for account_id in missing]
    await session.execute(insert(LedgerAccountRow).on_conflict_do_nothing(), rows)
    guarded = [
        {
            "tenant_id": tenant_id,
            "community_id": row["community_id"],
            "ledger_account_id": row["ledger_account_id"],
            "guard": row["guard"],
            "debit_pending": 0,
            "debit_posted": 0,
            "credit_pending": 0,
            "credit_posted": 0,
        }
        for row in rows
        if row["guard"] != Guard.NONE
    ]
    if guarded:
        await session.execute(insert(BalanceRow).on_conflict_do_nothing(), guarded)


def _account_row(tenant_id: TenantId, account_id: UUID, ref: LedgerAccountRef) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "community_id": ref.book.community_id,
        "ledger_account_id": account_id,
        "legal_entity_id": ref.book.legal_entity_id,
        "fund_class": ref.book.fund_class.value,
        "type": ref.type.value,
        "owner_id": ref.owner_id,
        "guard": ref.kind.guard.value,
        "hot": ref.kind.hot,
    }


async def lock_balances(session: AsyncSession, account_ids: Collection[UUID]) -> dict[UUID, Balance]:
    """Lock balance rows one by one in id order, which no two writers can do against each other, and return them."""
    locked = await session.execute(
        _balances()
        .where(BalanceRow.ledger_account_id.in_(account_ids))
        .order_by(BalanceRow.ledger_account_id)
        .with_for_update()
    )
    return {row.ledger_account_id: _balance(row) for row in locked}


async def balances(session: AsyncSession, account_ids: Collection[UUID]) -> dict[UUID, Balance]:
    """Return the balance rows of guarded accounts."""
    found = await session.execute(_balances().where(BalanceRow.ledger_account_id.in_(account_ids)))
    return {row.ledger_account_id: _balance(row) for row in found}


def _balances() -> Select[UUID, str, int, int, int, int]:
    return select(
        BalanceRow.ledger_account_id,
        BalanceRow.guard,
        BalanceRow.debit_pending,
        BalanceRow.debit_posted,
        BalanceRow.credit_pending,
        BalanceRow.credit_posted,
    )


def _balance(row: Row[UUID, str, int, int, int, int]) -> Balance:
    return Balance(
        ledger_account_id=row.ledger_account_id,
        guard=Guard(row.guard),
        debit_pending=row.debit_pending,
        debit_posted=row.debit_posted,
        credit_pending=row.credit_pending,
        credit_posted=row.credit_posted,
    )


async def transfers_at(
    session: AsyncSession, community_id: CommunityId, refs: Collection[tuple[UUID, int]]
) -> dict[tuple[UUID, int], TransferFact]:
    """Return the transfers at (journal, number)."""
    found = await session.scalars(
        select(TransferRow).where(
            TransferRow.community_id == community_id, tuple_(TransferRow.journal_id, TransferRow.n).in_(list(refs))
        )
    )
    return {(row.journal_id, row.n): fact(row) for row in found}


async def resolved(
    session: AsyncSession, community_id: CommunityId, refs: Collection[tuple[UUID, int]]
) -> set[tuple[UUID, int]]:
    """Return which of the reservations are resolved already."""
    found = await session.execute(
        select(TransferRow.pending_journal_id, TransferRow.pending_n).where(
            TransferRow.community_id == community_id,
            tuple_(TransferRow.pending_journal_id, TransferRow.pending_n).in_(list(refs)),
        )
    )
    return {(journal_id, n) for journal_id, n in found if journal_id is not None and n is not None}


def fact(row: TransferRow) -> TransferFact:
    """Return a stored transfer as the fact its journal's fingerprint covers."""
    return TransferFact(
        n=row.n,
        kind=row.kind,
        debit_id=row.debit_id,
        credit_id=row.credit_id,
        legal_entity_id=row.legal_entity_id,
        fen=row.fen,
        route=row.route,
        bill_id=row.bill_id,
        line_n=row.line_n,
        pending_journal_id=row.pending_journal_id,
        pending_n=row.pending_n,
    )


def head(row: JournalRow) -> JournalHead:
    """Return a stored journal's head as its fingerprint covers it."""
    return JournalHead(
        idem_key=row.idem_key,
        kind=row.kind,
        community_id=row.community_id,
        business_date=row.business_date,
        document_kind=row.document_kind,
        document_id=row.document_id,
        approved_by=row.approved_by,
    )


async def open_by_line(session: AsyncSession, owner_ids: Collection[UUID]) -> dict[tuple[UUID, int], int]:
    """Return receivable debits less credits of every bill line of the billing accounts."""
    owned = (
        select(LedgerAccountRow.ledger_account_id)
        .where(LedgerAccountRow.owner_id.in_(list(owner_ids)), LedgerAccountRow.type == AccountType.RECEIVABLE.value)
        .scalar_subquery()
    )
    counted = TransferRow.kind.in_(COUNTING) & TransferRow.bill_id.is_not(None)
    debits = select(TransferRow.bill_id, TransferRow.line_n, TransferRow.fen.label("fen")).where(
        counted, TransferRow.debit_id.in_(owned), _BY_DEBIT
    )
    issued = (
        select(TransferRow.bill_id, TransferRow.line_n, TransferRow.fen.label("fen"))
        .join(JournalRow, _OF_JOURNAL)
        .where(counted, _ISSUED, JournalRow.account_id.in_(list(owner_ids)))
    )
    credits_ = select(TransferRow.bill_id, TransferRow.line_n, (-TransferRow.fen).label("fen")).where(
        counted, TransferRow.credit_id.in_(owned)
    )
    moves = union_all(debits, issued, credits_).subquery()
    found = await session.execute(
        select(moves.c.bill_id, moves.c.line_n, func.sum(moves.c.fen)).group_by(moves.c.bill_id, moves.c.line_n)
    )
    return {(bill_id, line_n): int(fen) for bill_id, line_n, fen in found}


async def transfers_of_lines(session: AsyncSession, bill_id: UUID) -> Sequence[tuple[TransferRow, JournalRow]]:
    """Return every transfer on a bill's lines with its journal, oldest first."""
    both = select(TransferRow, JournalRow).join(JournalRow, _OF_JOURNAL).where(TransferRow.bill_id == bill_id)
    return await _oldest_first(session, both.where(_ISSUED, JournalRow.document_id == bill_id), both.where(_BY_LINE))


async def _oldest_first(
    session: AsyncSession, *statements: Select[TransferRow, JournalRow]
) -> Sequence[tuple[TransferRow, JournalRow]]:
    found = [(transfer, journal) for one in statements for transfer, journal in await session.execute(one)]
    return sorted(found, key=lambda one: (one[1].recorded_at, one[0].journal_id, one[0].n))


async def journals_of_document(session: AsyncSession, document_id: UUID) -> Sequence[tuple[TransferRow, JournalRow]]:
    """Return every transfer of the journals that book a document."""
    found = await session.execute(
        select(TransferRow, JournalRow)
        .join(JournalRow, JournalRow.journal_id == TransferRow.journal_id)
        .where(JournalRow.document_id == document_id)
        .order_by(JournalRow.recorded_at, TransferRow.journal_id, TransferRow.n)
    )
    return [(transfer, journal) for transfer, journal in found]


async def accounts_at(session: AsyncSession, account_ids: Collection[UUID]) -> dict[UUID, LedgerAccountRow]:
    """Return the accounts with the ids."""
    found = await session.scalars(
        select(LedgerAccountRow).where(LedgerAccountRow.ledger_account_id.in_(list(account_ids)))
    )
    return {row.ledger_account_id: row for row in found}


async def accounts_of(
    session: AsyncSession, owner_ids: Collection[UUID], types: Collection[AccountType]
) -> Sequence[LedgerAccountRow]:
    """Return the accounts of some owners."""
    found = await session.scalars(
        select(LedgerAccountRow)
        .where(LedgerAccountRow.owner_id.in_(list(owner_ids)), LedgerAccountRow.type.in_([t.value for t in types]))
        .order_by(LedgerAccountRow.ledger_account_id)
    )
    return list(found)


async def sums_by_account(
    session: AsyncSession, community_id: CommunityId, through: date | None
) -> Sequence[tuple[LedgerAccountRow, int, int]]:
    """Return debits and credits of every account of a community, up to a business date inclusive."""
    counted = (
        select(TransferRow)
        .join(JournalRow, _OF_JOURNAL)
        .where(TransferRow.community_id == community_id, TransferRow.kind.in_(COUNTING))
    )
    if through is not None:
        counted = counted.where(JournalRow.business_date <= through)
    rows = counted.with_only_columns(TransferRow.debit_id, TransferRow.credit_id, TransferRow.fen).subquery()
    sides = union_all(
        select(rows.c.debit_id.label("id"), rows.c.fen.label("debit"), literal(0).label("credit")),
        select(rows.c.credit_id, literal(0), rows.c.fen),
    ).subquery()
    found = await session.execute(
        select(LedgerAccountRow, func.sum(sides.c.debit), func.sum(sides.c.credit))
        .join(sides, sides.c.id == LedgerAccountRow.ledger_account_id)
        .group_by(LedgerAccountRow.tenant_id, LedgerAccountRow.community_id, LedgerAccountRow.ledger_account_id)
        .order_by(LedgerAccountRow.fund_class, LedgerAccountRow.type, LedgerAccountRow.ledger_account_id)
    )
    return [(account, int(debit), int(credit)) for account, debit, credit in found]


async def moves_of(
    session: AsyncSession, owner_id: UUID, account_ids: Collection[UUID]
) -> Sequence[tuple[TransferRow, JournalRow]]:
    """Return every transfer on some accounts of one owner with its journal, oldest first."""
    ids = list(account_ids)
    both = select(TransferRow, JournalRow).join(JournalRow, _OF_JOURNAL)
    return await _oldest_first(
        session,
        both.where(_ISSUED, JournalRow.account_id == owner_id, TransferRow.debit_id.in_(ids)),
        both.where((TransferRow.debit_id.in_(ids) & _BY_DEBIT) | TransferRow.credit_id.in_(ids)),
    )


async def lock_book(session: AsyncSession, community_id: CommunityId) -> BookRow | None:
    """Lock the book of a community until the unit ends; it exists from the first journal on."""
    return await session.scalar(select(BookRow).where(BookRow.community_id == community_id).with_for_update())


async def sealed_through(session: AsyncSession, community_id: CommunityId) -> date | None:
    """Return up to which day the book of a community is sealed."""
    return await session.scalar(select(BookRow.sealed_through).where(BookRow.community_id == community_id))


async def first_day(session: AsyncSession, community_id: CommunityId) -> date | None:
    """Return the business date of the oldest journal of a community."""
    return await session.scalar(
        select(func.min(JournalRow.business_date)).where(JournalRow.community_id == community_id)
    )


async def journals_of_day(session: AsyncSession, community_id: CommunityId, day: date) -> Sequence[tuple[UUID, bytes]]:
    """Return id and fingerprint of the journals of a day, in id order."""
    found = await session.execute(
        select(JournalRow.journal_id, JournalRow.request_sha)
        .where(JournalRow.community_id == community_id, JournalRow.business_date == day)
        .order_by(JournalRow.journal_id)
    )
    return [(journal_id, sha) for journal_id, sha in found]


async def fen_of_day(session: AsyncSession, community_id: CommunityId, day: date) -> int:
    """Return the sum of all transfers of a day."""
    total = await session.scalar(
        select(func.sum(TransferRow.fen))
        .join(JournalRow, JournalRow.journal_id == TransferRow.journal_id)
        .where(TransferRow.community_id == community_id, JournalRow.business_date == day)
    )
    return int(total or 0)


async def seals(session: AsyncSession, community_id: CommunityId) -> Sequence[SealRow]:
    """Return the seals of a community, oldest first."""
    found = await session.scalars(
        select(SealRow).where(SealRow.community_id == community_id).order_by(SealRow.business_date)
    )
    return list(found)


async def add_seal(session: AsyncSession, seal: SealRow) -> None:
    """Add the seal of a day and move the book's mark to it."""
    session.add(seal)
    await session.flush()
    await session.execute(
        update(BookRow).where(BookRow.community_id == seal.community_id).values(sealed_through=seal.business_date)
    )


async def day_of_journal(session: AsyncSession, community_id: CommunityId, journal_id: UUID) -> date | None:
    """Return the business date of a journal."""
    return await session.scalar(
        select(JournalRow.business_date).where(
            JournalRow.community_id == community_id, JournalRow.journal_id == journal_id
        )
    )


async def accounts_in(session: AsyncSession, community_id: CommunityId) -> Iterable[LedgerAccountRow]:
    """Return every account of a community."""
    return await session.scalars(select(LedgerAccountRow).where(LedgerAccountRow.community_id == community_id))


async def all_journals(session: AsyncSession, community_id: CommunityId) -> Iterable[JournalRow]:
    """Return every journal of a community in id order."""
    return await session.scalars(
        select(JournalRow).where(JournalRow.community_id == community_id).order_by(JournalRow.journal_id)
    )


async def transfers_of(session: AsyncSession, journal_ids: Collection[UUID]) -> dict[UUID, list[TransferRow]]:
    """Return the transfers of some journals by journal, in the order of their numbers."""
    found = await session.scalars(
        select(TransferRow).where(TransferRow.journal_id.in_(list(journal_ids))).order_by(TransferRow.n)
    )
    by_journal: dict[UUID, list[TransferRow]] = {}
    for row in found:
        by_journal.setdefault(row.journal_id, []).append(row)
    return by_journal
