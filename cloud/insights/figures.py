"""The figures of a dashboard, as values; amounts in fen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from common.ids import AccountId, CaseId, PremisesId


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What was billed for a period, adjustments included, and what of it has been received since."""

    billed_fen: int
    received_fen: int

    @property
    def open_fen(self) -> int:
        """Return what is still to be paid."""
        return self.billed_fen - self.received_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildingCollection:
    """The collection of one building; `name` is None for premises that stand in none, such as spaces."""

    name: str | None
    accounts: int
    collected: Collected


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCollection:
    """The collection of one billing period."""

    start: date
    end: date
    collected: Collected


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReceipts:
    """What came in on one day, refunds taken off."""

    day: date
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Debtor:
    """An account with something overdue, since the due day of its oldest open bill."""

    account_id: AccountId
    premises_id: PremisesId
    room: str
    party_name: str
    overdue_fen: int
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCount:
    """How many cases of a kind and reason are open."""

    kind: str
    reason: str
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LotOccupancy:
    """How many vehicles stand in a lot; `spaces` is None where places are not counted."""

    lot: str
    inside: int
    spaces: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionEntry:
    """A correction in a list; `net_fen` is None until it is applied."""

    case_id: CaseId
    cause: str
    reason: str
    first_day: date
    state: str
    opened_at: datetime
    premises: int
    documents: int
    net_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One deed of the audit log, with figures before and after as JSON text."""

    audit_id: UUID
    at: datetime
    actor_kind: str
    actor_name: str
    action: str
    object_kind: str
    object_id: UUID
    before: str | None
    after: str | None
