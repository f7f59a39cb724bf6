"""Papers as pages and programs see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cloud.documents.kinds import Check, PaperKind
from cloud.documents.sources import Standing
from cloud.documents.tables import PaperRow
from common.ids import AccountId, CommunityId, LegalEntityId


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper that was issued; `missing_letters` are those that the font could not print."""

    paper_id: UUID
    kind: PaperKind
    subject_id: UUID
    community_id: CommunityId
    account_id: AccountId
    legal_entity_id: LegalEntityId
    number: str
    token: str
    issued_at: datetime
    pdf_sha: bytes
    missing_letters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFile:
    """The bytes of a paper: sealed, or as long as it is not, marked as unsealed on every page."""

    name: str
    content: bytes
    sealed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """What anybody who has a paper's code may know of it: no person, no room."""

    kind: PaperKind
    number: str
    issuer: str
    issued_at: datetime
    total: str
    sealed_sha: bytes | None
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said of a file: what its bytes tell, and the paper it claims to be when we know one."""

    check: Check
    sealed_by: str
    paper: Public | None


def paper_of(row: PaperRow) -> Paper:
    """Return a paper row as a value."""
    return Paper(
        paper_id=row.paper_id,
        kind=row.kind,
        subject_id=row.subject_id,
        community_id=row.community_id,
        account_id=AccountId(row.account_id),
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        number=row.number,
        token=row.token,
        issued_at=row.issued_at,
        pdf_sha=row.pdf_sha,
        missing_letters=row.missing_letters,
    )
