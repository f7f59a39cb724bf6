"""What access says has happened."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cloud.kit.events import Event
from common.ids import GatewayId


@dataclass(frozen=True, slots=True, kw_only=True)
class CardsChanged(Event):
    """Permits of a community changed; its gateway must hear of it. `change_id` names the change."""

    gateway_id: GatewayId
    change_id: UUID
