"""What the ledger endpoints answer."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from cloud.ledger.accounts import LedgerAccountRef
from cloud.ledger.auditing import AuditReport
from cloud.ledger.closing import Proof
from cloud.ledger.reports import Posting, StatementLine, TrialBalance


class TrialLineOut(BaseModel):
    """One line of a trial balance, in fen."""

    legal_entity_id: UUID
    fund_class: str
    type: str
    accounts: int
    debit_fen: int
    credit_fen: int
    balance_fen: int


class TrialBalanceOut(BaseModel):
    """A trial balance; both sums are equal."""

    through: date | None
    debit_fen: int
    credit_fen: int
    lines: list[TrialLineOut]

    @classmethod
    def of(cls, balance: TrialBalance) -> TrialBalanceOut:
        """Return what is answered for a trial balance."""
        return cls(
            through=balance.through,
            debit_fen=balance.debit_fen,
            credit_fen=balance.credit_fen,
            lines=[
                TrialLineOut(
                    legal_entity_id=line.legal_entity_id,
                    fund_class=line.fund_class.value,
                    type=line.type.value,
                    accounts=line.accounts,
                    debit_fen=line.debit_fen,
                    credit_fen=line.credit_fen,
                    balance_fen=line.balance_fen,
                )
                for line in balance.lines
            ],
        )


class LedgerAccountOut(BaseModel):
    """The name of a ledger account."""

    legal_entity_id: UUID
    fund_class: str
    type: str
    owner_id: UUID

    @classmethod
    def of(cls, ref: LedgerAccountRef) -> LedgerAccountOut:
        """Return what is answered for an account's name."""
        return cls(
            legal_entity_id=ref.book.legal_entity_id,
            fund_class=ref.book.fund_class.value,
            type=ref.type.value,
            owner_id=ref.owner_id,
        )


class PostingOut(BaseModel):
    """One transfer with its journal."""

    journal_id: UUID
    n: int
    journal_kind: str
    route: str
    business_date: date
    recorded_at: datetime
    document_kind: str
    document_id: UUID
    request_sha: str
    debit: LedgerAccountOut
    credit: LedgerAccountOut
    fen: int
    bill_id: UUID | None
    line_n: int | None

    @classmethod
    def of(cls, posting: Posting) -> PostingOut:
        """Return what is answered for a posting."""
        return cls(
            journal_id=posting.journal_id,
            n=posting.n,
            journal_kind=posting.journal_kind,
            route=posting.route,
            business_date=posting.business_date,
            recorded_at=posting.recorded_at,
            document_kind=posting.document_kind,
            document_id=posting.document_id,
            request_sha=posting.request_sha,
            debit=LedgerAccountOut.of(posting.debit),
            credit=LedgerAccountOut.of(posting.credit),
            fen=posting.fen,
            bill_id=posting.bill_id,
            line_n=posting.line_n,
        )


class StatementLineOut(BaseModel):
    """A posting on an account and what stood after it, in fen."""

    posting: PostingOut
    amount_fen: int
    balance_fen: int

    @classmethod
    def of(cls, line: StatementLine) -> StatementLineOut:
        """Return what is answered for a line of a statement."""
        return cls(posting=PostingOut.of(line.posting), amount_fen=line.amount_fen, balance_fen=line.balance_fen)


class BreachOut(BaseModel):
    """Something that cannot be right."""

    law: str
    where: str
    what: str


class AuditOut(BaseModel):
    """What an audit walked and found."""

    journals: int
    transfers: int
    fen: int
    seals: int
    breaches: list[BreachOut]

    @classmethod
    def of(cls, report: AuditReport) -> AuditOut:
        """Return what is answered for an audit."""
        return cls(
            journals=report.journals,
            transfers=report.transfers,
            fen=report.fen,
            seals=report.seals,
            breaches=[BreachOut(law=b.law, where=b.where, what=b.what) for b in report.breaches],
        )


class ProofStepOut(BaseModel):
    """One neighbour on the way to the root."""

    digest: str
    on_left: bool


class ProofOut(BaseModel):
    """That a journal is in the seal of its day; digests in hexadecimal."""

    business_date: date
    leaf: str
    root: str
    steps: list[ProofStepOut]

    @classmethod
    def of(cls, proof: Proof) -> ProofOut:
        """Return what is answered for a proof."""
        return cls(
            business_date=proof.business_date,
            leaf=proof.leaf.hex(),
            root=proof.root.hex(),
            steps=[ProofStepOut(digest=step.digest.hex(), on_left=step.on_left) for step in proof.steps],
        )
