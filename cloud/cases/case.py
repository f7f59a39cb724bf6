"""What a case is: something that a person must look at, with an owner and an age. Pure values and decisions.

A case is known by its kind, its reason, the object it is about and a subject (often a period): while one is open, the
same report is a sighting of that case and not a second one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from common.errors import RefusalError
from common.ids import CaseId, CommunityId

DETAIL_LENGTH_MAX = 2_000


class CaseKind(StrEnum):
    """What sort of looking a case needs."""

    EXCEPTION = "exception"
    ANOMALY = "anomaly"
    ALARM = "alarm"
    REPAIR = "repair"
    DISPUTE = "dispute"


class CaseDeed(StrEnum):
    """What can happen to a case."""

    OPENED = "opened"
    SEEN_AGAIN = "seen_again"
    ASSIGNED = "assigned"
    NOTED = "noted"
    CLOSED = "closed"


class OwnerRole(StrEnum):
    """Whose work list a case stands on until it is given to a person."""

    MANAGER = "manager"
    CASHIER = "cashier"
    TECHNICIAN = "technician"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """What a domain reports: `reason` says why in one word, `origin` which part of the house found it.

    The details are sentences for people and hold no personal data; `figures` are whole numbers and codes.
    """

    kind: CaseKind
    reason: str
    origin: str
    object_kind: str
    object_id: UUID
    subject: str = ""
    community_id: CommunityId | None
    owner_role: OwnerRole
    detail_zh: str
    detail_en: str
    figures: Mapping[str, int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that the report says something, within bounds."""
        if not (self.reason and self.detail_zh and self.detail_en):
            raise RefusalError("a case needs a reason and a detail in both languages; fill them in")
        if max(len(self.detail_zh), len(self.detail_en)) > DETAIL_LENGTH_MAX:
            raise RefusalError(f"the detail of a case is longer than {DETAIL_LENGTH_MAX} characters; shorten it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as a work list shows it."""

    case_id: CaseId
    community_id: CommunityId | None
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

    def age(self, now: datetime) -> timedelta:
        """Return how long the case has been or was open."""
        return (self.closed_at or now) - self.opened_at


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which open cases a work list is of; None lets all through."""

    communities: Collection[CommunityId] | None = None
    kind: CaseKind | None = None
    owner_role: OwnerRole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One thing that happened to a case."""

    at: datetime
    deed: CaseDeed
    actor_name: str
    note: str
    figures: Mapping[str, int | str]
