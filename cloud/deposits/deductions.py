"""Keeping part of a deposit: proposed with evidence for one open bill line, answered by the payer, decided by another.

The payer is told first and may agree or object. Silence past the time to object is no objection; an objection goes to a
person. The one who decides is not the one who proposed. Only then money leaves the deposit fund, by the one route that
names the crossing and the person who approved it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import OpenLine
from cloud.cases import service as cases
from cloud.deposits import reports, repository, service
from cloud.deposits.errors import DeductionPendingError, DepositStateError, LineError, UnknownDepositError
from cloud.deposits.events import DeductionProposed
from cloud.deposits.rules import PENDING_DEDUCTIONS, TEXT_LENGTH_MAX, DeductionState, DepositState, may_apply
from cloud.deposits.tables import DepositDeductionRow, DepositRow
from cloud.deposits.values import Deduction, deduction_of, deposit_of
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef
from cloud.tariffs.charge import FundClass
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is to be kept for which line, and what shows why; `evidence_sha` is the digest of photographs or papers."""

    line: LineRef
    amount_fen: int
    evidence: str
    evidence_sha: str | None = None

    def __post_init__(self) -> None:
        """Check the amount and the evidence.

        Raises:
            RefusalError: nothing is to be kept, or nothing shows why.
        """
        if self.amount_fen <= 0:
            raise RefusalError(f"a deduction is at least 1 fen, not {self.amount_fen}; correct the amount")
        if not 0 < len(self.evidence.strip()) <= TEXT_LENGTH_MAX:
            raise RefusalError(f"a deduction has evidence, in at most {TEXT_LENGTH_MAX} characters; write it")


async def require_decided(session: AsyncSession, deposit_id: UUID) -> None:
    """Go on unless a deposit could go back but for a deduction that nobody has decided.

    Raises:
        DeductionPendingError: it could.
    """
    found = await service.deposit(session, deposit_id)
    could_go = found.state is DepositState.HELD and all(one.met_at is not None for one in found.conditions)
    if could_go and await repository.has_pending_deduction(session, deposit_id):
        raise DeductionPendingError


async def propose(unit: Unit, deposit_id: UUID, proposal: Proposal) -> Deduction:
    """Propose to keep part of a held deposit; the payer is told and has his days to object.

    Raises:
        DepositStateError: the deposit is not held.
        LineError: the line is not open on the deposit's account, or is another company's or fund's.
        ConflictError: less is held, what is pending taken off.
    """
    seen = await service.deposit(unit.session, deposit_id)
    await billing.lock_accounts(unit, [seen.account_id])
    row = await service.locked(unit, deposit_id)
    if row.state is not DepositState.HELD:
        raise DepositStateError(row.state, "deducted from")
    line = await _open_line(unit.session, row, proposal.line)
    pending = [one for one in await repository.deductions(unit.session, deposit_id) if one.state in PENDING_DEDUCTIONS]
    left_fen = deposit_of(row).held_fen - sum(one.amount_fen for one in pending)
    if proposal.amount_fen > min(left_fen, line.open_fen):
        raise ConflictError(f"{left_fen} fen are held and {line.open_fen} open on the line; keep no more than either")
    deduction = DepositDeductionRow(
        tenant_id=unit.tenant,
        community_id=row.community_id,
        deduction_id=unit.new_id(),
        deposit_id=deposit_id,
        bill_id=proposal.line.bill_id,
        line_n=proposal.line.n,
        amount_fen=proposal.amount_fen,
        evidence=proposal.evidence.strip(),
        evidence_sha=proposal.evidence_sha,
        state=DeductionState.PROPOSED,
        proposed_by=unit.actor.id,
        proposed_at=unit.now,
        objection_until=unit.now + timedelta(days=row.objection_days),
        answer="",
    )
    unit.session.add(deduction)
    await unit.session.flush()
    unit.record("proposed", "deposit_deduction", deduction.deduction_id, after={"amount_fen": deduction.amount_fen})
    unit.publish(
        DeductionProposed(
            community_id=row.community_id,
            account_id=AccountId(row.account_id),
            deposit_id=deposit_id,
            deduction_id=deduction.deduction_id,
            amount_fen=deduction.amount_fen,
            objection_until=deduction.objection_until,
        )
    )
    return deduction_of(deduction)


async def answer(unit: Unit, deduction_id: UUID, *, agrees: bool, words: str = "") -> Deduction:
    """Note the payer's answer; an objection opens a case.

    Raises:
        UnknownDepositError: there is no such deduction.
        ConflictError: it was answered or decided before.
        RefusalError: an objection without a word.
    """
    row, found = await _locked(unit, deduction_id)
    if found.state is not DeductionState.PROPOSED:
        raise ConflictError(f"this deduction is {found.state}; it was answered before")
    if not agrees and not words.strip():
        raise RefusalError("an objection has words; write what is wrong")
    found.state = DeductionState.AGREED if agrees else DeductionState.DISPUTED
    found.answered_at, found.answer = unit.now, words.strip()[:TEXT_LENGTH_MAX]
    unit.record("answered", "deposit_deduction", deduction_id, after={"state": found.state})
    if not agrees:
        await cases.raise_case(unit, reports.disputed(deposit_of(row), deduction_of(found)))
    return deduction_of(found)


async def apply(unit: Unit, deduction_id: UUID) -> Deduction:
    """Keep what was proposed: it settles its line. The acting person approves what another proposed.

    Raises:
        UnknownDepositError: there is no such deduction.
        ConflictError: the payer still may object or has objected, or the actor proposed it himself.
        LineError: the line has less open than is to be kept.
    """
    seen = await repository.deduction(unit.session, deduction_id)
    if seen is None:
        raise UnknownDepositError("deduction")
    account_id = (await service.deposit(unit.session, seen.deposit_id)).account_id
    await billing.lock_accounts(unit, [account_id])
    row, found = await _locked(unit, deduction_id)
    if found.proposed_by == unit.actor.id:
        raise ConflictError("you proposed this deduction yourself; somebody else decides it")
    if not may_apply(found.state, found.objection_until, unit.now):
        raise ConflictError(f"this deduction is {found.state}; it needs the payer's word, or his silence until its day")
    line = await _open_line(unit.session, row, deduction_of(found).line)
    if line.open_fen < found.amount_fen:
        raise LineError(f"only {line.open_fen} fen are open on the line now; withdraw this and propose that")
    await _post(unit, row, found, line)
    row.deducted_fen += found.amount_fen
    _decide(unit, found, DeductionState.APPLIED)
    await unit.session.flush()
    await service.release_if_met(unit, row)
    return deduction_of(found)


async def withdraw(unit: Unit, deduction_id: UUID) -> Deduction:
    """Give up a deduction that was not applied.

    Raises:
        UnknownDepositError: there is no such deduction.
        ConflictError: it is decided already.
    """
    row, found = await _locked(unit, deduction_id)
    if found.state not in PENDING_DEDUCTIONS:
        raise ConflictError(f"this deduction is {found.state} already")
    _decide(unit, found, DeductionState.WITHDRAWN)
    await unit.session.flush()
    await service.release_if_met(unit, row)
    return deduction_of(found)


async def deduction(session: AsyncSession, deduction_id: UUID) -> Deduction:
    """Return a deduction.

    Raises:
        UnknownDepositError: there is none.
    """
    found = await repository.deduction(session, deduction_id)
    if found is None:
        raise UnknownDepositError("deduction")
    return deduction_of(found)


async def _locked(unit: Unit, deduction_id: UUID) -> tuple[DepositRow, DepositDeductionRow]:
    found = await repository.deduction(unit.session, deduction_id)
    if found is None:
        raise UnknownDepositError("deduction")
    row = await service.locked(unit, found.deposit_id)
    await unit.session.refresh(found)
    return row, found


def _decide(unit: Unit, found: DepositDeductionRow, state: DeductionState) -> None:
    found.state, found.decided_by, found.decided_at = state, unit.actor.id, unit.now
    unit.record("decided", "deposit_deduction", found.deduction_id, after={"state": state})


async def _open_line(session: AsyncSession, row: DepositRow, ref: LineRef) -> OpenLine:
    open_lines = await billing.open_lines(session, AccountId(row.account_id))
    line = next((one for one in open_lines if one.ref == ref), None)
    if line is None:
        raise LineError("nothing is open on this line of the deposit's account; bill the damage first")
    if line.legal_entity_id != row.legal_entity_id or line.fund_class is not FundClass.OPERATING:
        raise LineError("a deposit settles only what is owed to its own company for its operation")
    return line


async def _post(unit: Unit, row: DepositRow, found: DepositDeductionRow, line: OpenLine) -> None:
    into = Book(
        community_id=line.community_id, legal_entity_id=line.legal_entity_id, fund_class=FundClass(line.fund_class)
    )
    kept = postings.Allocation(account_id=AccountId(row.account_id), line=line.ref, fen=found.amount_fen)
    zone = (await estate.community(unit.session, row.community_id)).zone
    draft = JournalDraft(
        idem_key=f"deposit:{row.deposit_id}:deduction:{found.deduction_id}",
        kind="deposit",
        community_id=row.community_id,
        business_date=civil_day(unit.now, zone),
        document=DocumentRef(kind=DocumentKind.DEPOSIT, document_id=row.deposit_id),
        transfers=(postings.deposit_deducted(deposit_of(row).book, row.deposit_id, into, kept),),
        approved_by=unit.actor.id,
    )
    await ledger.post(unit, draft)
