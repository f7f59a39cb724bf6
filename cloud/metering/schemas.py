"""What the metering endpoints take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cloud.metering.corrections import REASON_LENGTH_MAX, Correction
from cloud.metering.origins import DayState, MeterDay
from common.ids import CommunityId, MeterId
from common.reading.reading import Quality, Quantity

_INT64_MAX = (1 << 63) - 1
Reason = Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]
# What a person may say of a reading he enters: measured by eye, or estimated.
BY_HAND = {"manual": Quality.MANUAL, "estimated": Quality.ESTIMATED, "confirmed": Quality.GOOD}


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CorrectionIn(_In):
    """What a register showed at an instant, before the multiplier; a value of null withdraws the reading."""

    meter_id: UUID
    quantity: Quantity
    read_at: AwareDatetime
    value_milli: Annotated[int, Field(ge=0, le=_INT64_MAX)] | None
    said_as: Annotated[str, Field(pattern="^(manual|estimated|confirmed)$")] = "manual"
    reason: Reason

    def correction(self, community_id: CommunityId, read_at: datetime) -> Correction:
        """Return the correction as a value; `read_at` is the instant in UTC."""
        return Correction(
            community_id=community_id,
            meter_id=MeterId(self.meter_id),
            quantity=self.quantity,
            read_at=read_at,
            value_milli=self.value_milli,
            quality=BY_HAND[self.said_as],
            reason=self.reason,
        )


class RolloverIn(_In):
    """A day on which a register passed its highest value."""

    meter_id: UUID
    quantity: Quantity
    day: date
    reason: Reason


class RevOut(BaseModel):
    """The revision number of a correction."""

    rev: int


class MeterDayOut(BaseModel):
    """One register of one meter on one day."""

    meter_id: UUID
    quantity: Quantity
    day: date
    count: int
    state: DayState

    @classmethod
    def of(cls, day: MeterDay) -> MeterDayOut:
        """Return what is answered for a day."""
        return cls(meter_id=day.meter_id, quantity=day.quantity, day=day.day, count=day.count, state=day.state)
