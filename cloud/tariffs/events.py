"""What the tariffs of a community say has happened."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cloud.kit.events import Event
from common.ids import CommunityId


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesChanged(Event):
    """Prices or assignments of a community changed; its gateways must hear of it. `change_id` names the change."""

    community_id: CommunityId
    change_id: UUID
