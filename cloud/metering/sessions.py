"""One-shot usage: a finished session that is charged on its own, once. Pure values.

A session names a household by its premises and a vehicle by the permit it parks under: plates stay in the personal
lane.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from common.clock import require_utc
from common.errors import ensure
from common.ids import CommunityId, PremisesId


class SessionKind(StrEnum):
    """What was used."""

    PARKING = "parking"
    CHARGING = "charging"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SessionSource:
    """A signed batch that told of a session."""

    gateway_id: UUID
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSession:
    """A finished session at a place (a lot or a pile), chargeable to the household of a premises.

    `ended_day` is the civil day of its end in the community's zone, which decides the billing period.
    `permit_id` tells sessions of one vehicle from those of another, where a cap holds across visits.
    `facts` are whole numbers and short codes that a tariff may ask for, such as a vehicle class. `sources` lead back to
    the signed batches; no price depends on them.
    """

    session_id: UUID
    community_id: CommunityId
    kind: SessionKind
    place: str
    premises_id: PremisesId
    started_at: datetime
    ended_at: datetime
    ended_day: date
    permit_id: UUID | None = None
    facts: Mapping[str, int | str] = field(default_factory=dict)
    sources: tuple[SessionSource, ...] = ()

    def __post_init__(self) -> None:
        """Check the instants."""
        ensure(require_utc(self.started_at) <= require_utc(self.ended_at), "a session ends after it starts")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageClaim:
    """The bill line that charges a session."""

    session_id: UUID
    bill_id: UUID
    line_n: int
