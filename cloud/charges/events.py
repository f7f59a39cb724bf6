"""What charges say has happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from cloud.kit.events import Event
from common.ids import CommunityId, PremisesId


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced(Event):
    """Something was announced to the residents of a community, or to those of the premises named."""

    announcement_id: UUID
    community_id: CommunityId
    holds_from: date
    premises: tuple[PremisesId, ...] | None
