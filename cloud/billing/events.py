"""What billing says has happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cloud.kit.events import Event
from common.ids import AccountId, BillId, CaseId, CommunityId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequested(Event):
    """Somebody approved a bill run by what was known then; `attempt` tells later approvals of one period apart."""

    community_id: CommunityId
    cycle: str
    period_start: date
    known_at: datetime
    attempt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillsIssued(Event):
    """Documents were issued; a chunk of a run or the adjustments of a correction."""

    community_id: CommunityId
    bill_ids: tuple[BillId, ...]
    account_ids: tuple[AccountId, ...]
    case_id: CaseId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesCorrected(Event):
    """Somebody approved a change of prices for the past."""

    community_id: CommunityId
    price_correction_id: UUID
