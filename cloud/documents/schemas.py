"""Papers as programs see them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from cloud.documents.kinds import Check, Holds, PaperKind
from cloud.documents.values import Paper, Public, Verdict


class PaperOut(BaseModel):
    """A paper that was issued; `sealed` says whether its file carries the seal yet."""

    paper_id: UUID
    kind: PaperKind
    subject_id: UUID
    account_id: UUID
    number: str
    issued_at: datetime
    pdf_sha: str
    missing_letters: str
    sealed: bool

    @classmethod
    def of(cls, paper: Paper, *, sealed: bool) -> PaperOut:
        """Return a paper as it is answered."""
        return cls(
            paper_id=paper.paper_id,
            kind=paper.kind,
            subject_id=paper.subject_id,
            account_id=paper.account_id,
            number=paper.number,
            issued_at=paper.issued_at,
            pdf_sha=paper.pdf_sha.hex(),
            missing_letters=paper.missing_letters,
            sealed=sealed,
        )


class PublicOut(BaseModel):
    """What anybody may know of a paper."""

    kind: PaperKind
    number: str
    issuer: str
    issued_at: datetime
    total: str
    sealed_sha: str | None
    holds: Holds
    by: list[str]

    @classmethod
    def of(cls, public: Public) -> PublicOut:
        """Return what anybody may know as it is answered."""
        return cls(
            kind=public.kind,
            number=public.number,
            issuer=public.issuer,
            issued_at=public.issued_at,
            total=public.total,
            sealed_sha=None if public.sealed_sha is None else public.sealed_sha.hex(),
            holds=public.standing.holds,
            by=list(public.standing.by),
        )


class VerdictOut(BaseModel):
    """What is said of a file."""

    check: Check
    sealed_by: str
    paper: PublicOut | None

    @classmethod
    def of(cls, verdict: Verdict) -> VerdictOut:
        """Return a verdict as it is answered."""
        paper = None if verdict.paper is None else PublicOut.of(verdict.paper)
        return cls(check=verdict.check, sealed_by=verdict.sealed_by, paper=paper)
