"""Parking as it crosses HTTP. A plate comes in to be hashed and never goes out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cloud.parking.kinds import Settlement, StayState, VehicleClass
from cloud.parking.night import NightStatement
from cloud.parking.service import PermitDraft
from cloud.parking.values import LotView, PermitView, StayView
from common.ids import CommunityId, PremisesId

LotName = Annotated[str, Field(min_length=1, max_length=60)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PermitIn(_In):
    """A permit to be given."""

    plate: Annotated[str, Field(min_length=1, max_length=16)]
    vehicle_class: VehicleClass
    premises_id: UUID | None = None
    charge_to_account: bool = False
    space: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    granted_minutes: Annotated[int, Field(ge=0, le=525_600)] = 0
    lots: Annotated[tuple[LotName, ...], Field(max_length=64)] = ()
    valid_from: AwareDatetime
    valid_to: AwareDatetime

    def draft(self, community_id: CommunityId) -> PermitDraft:
        """Return the permit as the domain takes it."""
        return PermitDraft(
            community_id=community_id,
            plate=self.plate,
            vehicle_class=self.vehicle_class,
            premises_id=None if self.premises_id is None else PremisesId(self.premises_id),
            charge_to_account=self.charge_to_account,
            space=self.space,
            granted_minutes=self.granted_minutes,
            lots=self.lots,
            valid_from=self.valid_from.astimezone(UTC),
            valid_to=self.valid_to.astimezone(UTC),
        )


class PermitEndIn(_In):
    """When a permit ends; None means now."""

    at: AwareDatetime | None = None


class PermitOut(BaseModel):
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

    @classmethod
    def of(cls, permit: PermitView) -> PermitOut:
        """Return the permit as it goes out."""
        return cls.model_validate(permit, from_attributes=True)


class LotOut(BaseModel):
    """A lot with how many vehicles stand in it; `spaces` is None when its places are not counted."""

    lot: str
    spaces: int | None
    inside: int

    @classmethod
    def of(cls, lot: LotView) -> LotOut:
        """Return the lot as it goes out."""
        return cls.model_validate(lot, from_attributes=True)


class StayOut(BaseModel):
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

    @classmethod
    def of(cls, stay: StayView) -> StayOut:
        """Return the stay as it goes out."""
        return cls.model_validate(stay, from_attributes=True)


class NightOut(BaseModel):
    """What a vehicle was told after a night."""

    session_id: UUID
    night: date
    lot: str
    entered: datetime
    until: datetime
    left: datetime | None
    minutes: int
    amount_fen: int | None
    reason: str

    @classmethod
    def of(cls, statement: NightStatement) -> NightOut:
        """Return the statement as it goes out."""
        return cls.model_validate(statement, from_attributes=True)
