"""What the tariffs of a community say has happened."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cloud.kit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesChanged(Event):
    """Prices or assignments of the company changed; its gateways must hear of it. One for each unit of work."""

    change_id: UUID
