"""The use cases of the book: post movements once, resolve reservations, read what stands on it, seal a day.

A movement is named by its idempotency key. Posting it again finds the same journal; the same key with other content is
refused. Guarded accounts are locked in id order and checked before anything is written; the database checks them again.
Nothing here decides what is booked: that is `postings.py`, called by the domain whose movement it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.ledger import repository, writing
from cloud.ledger.accounts import AccountType, Guard, LedgerAccountRef, Side
from cloud.ledger.balances import Balance, moved
from cloud.ledger.errors import GuardError, IdempotencyError, ResolvedError, SealedDayError
from cloud.ledger.journals import (
    JournalDraft,
    JournalRef,
    LineRef,
    TransferDraft,
    TransferFact,
    TransferKind,
    TransferRef,
    facts_of,
    fingerprint,
)
from cloud.ledger.tables import SEALED_DAY_STATE
from cloud.ledger.writing import Writing
from cloud.tariffs.charge import FundClass
from common.errors import ensure
from common.ids import AccountId, BillId, CommunityId, LegalEntityId

JOURNALS_PER_POST_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A draft with the facts that will stand in the book."""

    journal_id: UUID
    draft: JournalDraft
    facts: tuple[TransferFact, ...]
    request_sha: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AheadBalance:
    """What a billing account has paid ahead in one book, in fen, less what is reserved."""

    account_id: AccountId
    legal_entity_id: LegalEntityId
    fund_class: FundClass
    available_fen: int


async def post(unit: Unit, draft: JournalDraft) -> JournalRef:
    """Write one movement, once.

    Raises:
        IdempotencyError: the key stands for another movement.
        GuardError: a guarded account has less than is asked.
        ResolvedError: a reservation is resolved already, or is none.
        SealedDayError: the day is sealed.
    """
    (ref,) = await post_many(unit, [draft])
    return ref


async def post_many(unit: Unit, drafts: Sequence[JournalDraft]) -> tuple[JournalRef, ...]:
    """Write movements of one community in one go, all or none; see `post`. One audit row speaks for them."""
    if not drafts:
        return ()
    ensure(len(drafts) <= JOURNALS_PER_POST_MAX, f"at most {JOURNALS_PER_POST_MAX} journals are posted in one go")
    community_id = drafts[0].community_id
    ensure(all(draft.community_id == community_id for draft in drafts), "journals of one go are of one community")
    ensure(len({draft.idem_key for draft in drafts}) == len(drafts), "movements of one go have keys of their own")
    entries = [_entry(unit, draft) for draft in drafts]
    refs = _accounts_named(entries)
    guarded = {account_id for account_id, ref in refs.items() if ref.kind.guard is not Guard.NONE}
    added = await _add(unit, community_id, entries, refs, moved=not guarded)
    left = [entry for entry in entries if entry.journal_id not in added]
    standing = await _standing_or_refused(unit, community_id, left)
    if added:
        unit.record(
            "posted",
            "journal",
            next(e.journal_id for e in entries if e.journal_id in added),
            after={"journals": len(added)},
        )
    if added and guarded:
        await _move_guarded(unit, community_id, [entry for entry in entries if entry.journal_id in added], refs)
    return tuple(
        JournalRef(journal_id=standing.get(entry.journal_id, entry.journal_id), replayed=entry.journal_id in standing)
        for entry in entries
    )


def _accounts_named(entries: Sequence[_Entry]) -> dict[UUID, LedgerAccountRef]:
    """Return the accounts that the transfers of the entries name."""
    refs: dict[UUID, LedgerAccountRef] = {}
    for entry in entries:
        for fact, (_, transfer) in zip(entry.facts, sorted(entry.draft.numbered(), key=_number), strict=True):
            refs[fact.debit_id], refs[fact.credit_id] = transfer.debit, transfer.credit
    return refs


def _number(numbered: tuple[int, TransferDraft]) -> int:
    return numbered[0]


async def _add(
    unit: Unit,
    community_id: CommunityId,
    entries: Sequence[_Entry],
    refs: Mapping[UUID, LedgerAccountRef],
    *,
    moved: bool,
) -> set[UUID]:
    """Add the journals and return the ids of those whose key was new; a day sealed at this very moment refuses all."""
    wanted = Writing(
        tenant_id=unit.tenant,
        community_id=community_id,
        journals=[_journal_row(unit, entry) for entry in entries],
        transfers=_transfer_rows(entries, refs) if moved else (),
        accounts=refs,
    )
    try:
        return await writing.write(unit.session, wanted)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == SEALED_DAY_STATE:
            raise SealedDayError(wanted.first_day, wanted.first_day) from error
        raise


async def _standing_or_refused(unit: Unit, community_id: CommunityId, left: Sequence[_Entry]) -> dict[UUID, UUID]:
    """Return the journals that stood already; when nothing was written for another reason, say which."""
    if not left:
        return {}
    await _refuse_sealed(unit.session, community_id, min(entry.draft.business_date for entry in left))
    standing = await _standing(unit, community_id, left)
    ensure(len(standing) == len(left), "a journal that was not written stands already")
    return standing


def _entry(unit: Unit, draft: JournalDraft) -> _Entry:
    head, facts = facts_of(draft, unit.tenant)
    return _Entry(journal_id=unit.new_id(), draft=draft, facts=facts, request_sha=fingerprint(head, facts))


async def _refuse_sealed(session: AsyncSession, community_id: CommunityId, first: date) -> None:
    through = await repository.sealed_through(session, community_id)
    if through is not None and first <= through:
        raise SealedDayError(first, through)


async def _standing(unit: Unit, community_id: CommunityId, entries: Sequence[_Entry]) -> dict[UUID, UUID]:
    """Return the id of the standing journal for each entry whose key is taken, after comparing what they say."""
    if not entries:
        return {}
    found = await repository.journals_by_key(unit.session, community_id, [entry.draft.idem_key for entry in entries])
    standing: dict[UUID, UUID] = {}
    for entry in entries:
        if entry.draft.idem_key not in found:
            continue
        journal_id, sha = found[entry.draft.idem_key]
        if sha != entry.request_sha:
            raise IdempotencyError(entry.draft.idem_key)
        standing[entry.journal_id] = journal_id
    return standing


async def _move_guarded(
    unit: Unit, community_id: CommunityId, entries: Sequence[_Entry], refs: Mapping[UUID, LedgerAccountRef]
) -> None:
    """Add the transfers of journals that touch guarded accounts, once reservations and balances allow them."""
    reserved = await _reservations(unit.session, community_id, entries)
    await _move_balances(unit, community_id, entries, refs, reserved)
    await writing.move(unit.session, unit.tenant, community_id, _transfer_rows(entries, refs))


def _transfer_rows(entries: Sequence[_Entry], refs: Mapping[UUID, LedgerAccountRef]) -> list[dict[str, object]]:
    return [
        {
            "journal_id": entry.journal_id,
            "n": fact.n,
            "kind": fact.kind,
            "debit_id": fact.debit_id,
            "debit_class": refs[fact.debit_id].book.fund_class.value,
            "credit_id": fact.credit_id,
            "credit_class": refs[fact.credit_id].book.fund_class.value,
            "legal_entity_id": fact.legal_entity_id,
            "fen": fact.fen,
            "route": fact.route,
            "bill_id": fact.bill_id,
            "line_n": fact.line_n,
            "pending_journal_id": fact.pending_journal_id,
            "pending_n": fact.pending_n,
        }
        for entry in entries
        for fact in entry.facts
    ]


async def _reservations(
    session: AsyncSession, community_id: CommunityId, entries: Sequence[_Entry]
) -> dict[tuple[UUID, int], TransferFact]:
    """Return the reservations that the entries resolve, each open and of the same accounts."""
    resolutions = {
        (fact.pending_journal_id, fact.pending_n): fact
        for entry in entries
        for fact in entry.facts
        if fact.pending_journal_id is not None and fact.pending_n is not None
    }
    if not resolutions:
        return {}
    found = await repository.transfers_at(session, community_id, resolutions.keys())
    for ref, fact in resolutions.items():
        reserved = found.get(ref)
        if reserved is None or reserved.kind != TransferKind.PENDING:
            raise ResolvedError(*ref, "is no reservation")
        if (reserved.debit_id, reserved.credit_id) != (fact.debit_id, fact.credit_id):
            raise ResolvedError(*ref, "is of other accounts")
        if fact.fen > reserved.fen:
            raise ResolvedError(*ref, f"holds {reserved.fen} fen, less than {fact.fen}")
    return found


async def _move_balances(
    unit: Unit,
    community_id: CommunityId,
    entries: Sequence[_Entry],
    refs: Mapping[UUID, LedgerAccountRef],
    reserved: Mapping[tuple[UUID, int], TransferFact],
) -> None:
    guarded = {account_id for account_id, ref in refs.items() if ref.kind.guard is not Guard.NONE}
    before = await repository.lock_balances(unit.session, guarded)
    # The locks are held, so a reservation that is open now stays so until this unit ends.
    taken = await repository.resolved(unit.session, community_id, reserved.keys()) if reserved else set()
    if taken:
        raise ResolvedError(*min(taken), "is resolved already")
    after = dict(before)
    for entry in entries:
        for fact in entry.facts:
            _move(after, fact, reserved)
    for account_id in sorted(after):
        if after[account_id].available_fen < 0:
            asked = before[account_id].available_fen - after[account_id].available_fen
            raise GuardError(account_id, before[account_id].available_fen, asked)
    rows = [asdict(after[account_id]) for account_id in sorted(after) if after[account_id] != before[account_id]]
    await writing.write_balances(unit.session, unit.tenant, community_id, rows)


def _move(balances: dict[UUID, Balance], fact: TransferFact, reserved: Mapping[tuple[UUID, int], TransferFact]) -> None:
    whole = 0
    if fact.pending_journal_id is not None and fact.pending_n is not None:
        whole = reserved[fact.pending_journal_id, fact.pending_n].fen
    for side, account_id in ((Side.DEBIT, fact.debit_id), (Side.CREDIT, fact.credit_id)):
        if account_id in balances:
            balances[account_id] = moved(balances[account_id], side, TransferKind(fact.kind), fact.fen, whole)


def _journal_row(unit: Unit, entry: _Entry) -> dict[str, object]:
    draft = entry.draft
    return {
        "journal_id": entry.journal_id,
        "idem_key": draft.idem_key,
        "request_sha": entry.request_sha,
        "kind": draft.kind,
        "business_date": draft.business_date,
        "recorded_at": unit.now,
        "document_kind": draft.document.kind.value,
        "document_id": draft.document.document_id,
        "approved_by": draft.approved_by,
    }


async def line_balances(session: AsyncSession, account_ids: Collection[AccountId]) -> dict[LineRef, int]:
    """Return what is open on every bill line of the billing accounts, in fen; a settled line is 0."""
    found = await repository.open_by_line(session, account_ids) if account_ids else {}
    return {LineRef(bill_id=BillId(bill_id), n=n): fen for (bill_id, n), fen in found.items()}


async def ahead_balances(session: AsyncSession, account_ids: Collection[AccountId]) -> tuple[AheadBalance, ...]:
    """Return what the billing accounts have paid ahead, by book."""
    rows = await repository.accounts_of(session, account_ids, [AccountType.PREPAYMENT])
    balances = await repository.balances(session, [row.ledger_account_id for row in rows])
    return tuple(
        AheadBalance(
            account_id=AccountId(row.owner_id),
            legal_entity_id=LegalEntityId(row.legal_entity_id),
            fund_class=FundClass(row.fund_class),
            available_fen=balances[row.ledger_account_id].available_fen,
        )
        for row in rows
    )


async def reservation(session: AsyncSession, community_id: CommunityId, ref: TransferRef) -> TransferFact | None:
    """Return a reservation as the book keeps it, or None when there is none of that name."""
    found = await repository.transfers_at(session, community_id, [(ref.journal_id, ref.n)])
    transfer = found.get((ref.journal_id, ref.n))
    return transfer if transfer is not None and transfer.kind == TransferKind.PENDING else None
