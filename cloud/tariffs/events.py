"""What the tariffs of a community say has happened."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cloud.kit.db import Unit
from cloud.kit.events import Event

_TOLD = "prices_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesChanged(Event):
    """Prices or assignments of the company changed; its gateways must hear of it. One for each unit of work."""

    change_id: UUID


def tell_of_change(unit: Unit) -> None:
    """Tell of a change, once however much one unit of work changes."""
    if _TOLD not in unit.session.info:
        unit.session.info[_TOLD] = True
        unit.publish(PricesChanged(change_id=unit.new_id()))
