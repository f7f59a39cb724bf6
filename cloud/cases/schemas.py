"""What the case endpoints take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.cases.case import Case, CaseDeed, CaseEvent, CaseKind, OwnerRole

Remark = Annotated[str, Field(min_length=1, max_length=2_000)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoteIn(_In):
    """A remark to add."""

    note: Remark


class ClosingIn(_In):
    """Why a case is closed."""

    reason: Remark


class AssignmentIn(_In):
    """Whose work list a case goes to."""

    owner_role: OwnerRole
    owner_id: UUID | None = None


class CaseOut(BaseModel):
    """A case with its age."""

    id: UUID
    community_id: UUID | None
    kind: CaseKind
    reason: str
    origin: str
    object_kind: str
    object_id: UUID
    subject: str
    owner_role: OwnerRole
    owner_id: UUID | None
    detail_zh: str
    detail_en: str
    opened_at: datetime
    closed_at: datetime | None
    closing_reason: str | None
    age_s: int

    @classmethod
    def of(cls, case: Case, now: datetime) -> CaseOut:
        """Return what is answered for a case at an instant."""
        return cls(
            id=case.case_id,
            community_id=case.community_id,
            kind=case.kind,
            reason=case.reason,
            origin=case.origin,
            object_kind=case.object_kind,
            object_id=case.object_id,
            subject=case.subject,
            owner_role=case.owner_role,
            owner_id=case.owner_id,
            detail_zh=case.detail_zh,
            detail_en=case.detail_en,
            opened_at=case.opened_at,
            closed_at=case.closed_at,
            closing_reason=case.closing_reason,
            age_s=int(case.age(now).total_seconds()),
        )


class CaseEventOut(BaseModel):
    """One thing that happened to a case."""

    at: datetime
    deed: CaseDeed
    actor: str
    note: str
    figures: dict[str, int | str]

    @classmethod
    def of(cls, event: CaseEvent) -> CaseEventOut:
        """Return what is answered for an event."""
        return cls(at=event.at, deed=event.deed, actor=event.actor_name, note=event.note, figures=dict(event.figures))
