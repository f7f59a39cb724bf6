"""A common cost that premises share: which meter measures it and who takes part. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from common.ids import BuildingId, ChargeItemId, MeterId


class PoolMethod(StrEnum):
    """How the shared quantity is found."""

    METER = "meter"
    MASTER_LESS_SUBS = "master_less_subs"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRevision:
    """A pool as it stands from a day on; `meter_id` is None once the pool has ended.

    `building_id` limits the pool to the premises of one building; None means the whole community.
    """

    pool_id: UUID
    effective_from: date
    rev: int
    charge_item_id: ChargeItemId
    meter_id: MeterId | None
    method: PoolMethod
    building_id: BuildingId | None
    recorded_at: datetime
