"""Lots, permits and stays as other domains and pages see them; no plate in any of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cloud.parking.kinds import Settlement, StayState, VehicleClass


@dataclass(frozen=True, slots=True, kw_only=True)
class LotView:
    """A lot with how many vehicles stand in it."""

    lot: str
    spaces: int | None
    inside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitView:
    """A permit; its vehicle is named by the hash of the plate."""

    permit_id: UUID
    plate_sha: str
    vehicle_class: VehicleClass
    premises_id: UUID | None
    charge_to_account: bool
    space: str | None
    granted_minutes: int
    lots: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StayView:
    """A stay as the acts known so far tell it."""

    session_id: UUID
    lot: str
    vehicle_class: str
    entered_at: datetime | None
    left_at: datetime | None
    state: StayState
    settlement: Settlement
    quote_fen: int | None
    paid_fen: int
    premises_id: UUID | None
