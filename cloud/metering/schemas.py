"""What the metering endpoints take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cloud.metering.corrections import REASON_LENGTH_MAX, Correction
from cloud.metering.filling import REASON_MAX, Estimated, EstimateWish, Outlook
from cloud.metering.filling_rules import DAYS_ESTIMATED_MAX, Method
from cloud.metering.origins import DayState, MeterDay
from common.ids import CommunityId, MeterId
from common.reading.reading import Quality, Quantity, Resource

_INT64_MAX = (1 << 63) - 1
Reason = Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]
# What a person may say of a reading he enters; an estimate is decided by its own rules (`filling`).
BY_HAND = {"manual": Quality.MANUAL, "confirmed": Quality.GOOD}


class In(BaseModel):
    """What is taken; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid")


class CorrectionIn(In):
    """What a register showed at an instant, before the multiplier; a value of null withdraws the reading."""

    meter_id: UUID
    quantity: Quantity
    read_at: AwareDatetime
    value_milli: Annotated[int, Field(ge=0, le=_INT64_MAX)] | None
    said_as: Annotated[str, Field(pattern="^(manual|confirmed)$")] = "manual"
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


class RolloverIn(In):
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


class EstimateRuleIn(In):
    """How many days in a row may be estimated of a resource; 0 forbids it."""

    resource: Resource
    days_max: Annotated[int, Field(ge=0, le=DAYS_ESTIMATED_MAX)]


class EstimateRuleOut(BaseModel):
    """The rule of a resource."""

    resource: Resource
    days_max: int


class EstimateIn(In):
    """The decision to let an estimate stand for the register of the midnight that begins a day."""

    day: date
    method: Method
    value_milli: Annotated[int, Field(ge=0, le=_INT64_MAX)]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]

    def value(self, community_id: CommunityId, meter_id: MeterId) -> EstimateWish:
        """Return the decision as a value."""
        return EstimateWish(
            community_id=community_id,
            meter_id=meter_id,
            day=self.day,
            method=self.method,
            value_milli=self.value_milli,
            reason=self.reason,
        )


class ProposalOut(BaseModel):
    """What a method makes of a missing register, before the multiplier, and the figures it rests on."""

    method: Method
    value_milli: int
    basis: dict[str, int | str]


class OutlookOut(BaseModel):
    """Whether a register may be estimated, and what each method says."""

    meter_id: UUID
    day: date
    days_max: int
    standing: bool
    allowed: bool
    last_day: date | None
    last_milli: int | None
    proposals: list[ProposalOut]

    @classmethod
    def of(cls, seen: Outlook) -> OutlookOut:
        """Return what is answered for an outlook."""
        return cls(
            meter_id=seen.meter.meter_id,
            day=seen.day,
            days_max=seen.days_max,
            standing=seen.standing,
            allowed=seen.allowed,
            last_day=None if seen.last is None else seen.last.day,
            last_milli=None if seen.last is None else seen.last.value_milli,
            proposals=[
                ProposalOut(method=one.method, value_milli=one.value_milli, basis=dict(one.basis))
                for one in seen.proposals
            ],
        )


class EstimatedOut(BaseModel):
    """An estimate that was decided; `trued` once a true reading has taken its place."""

    meter_id: UUID
    day: date
    method: Method
    value_milli: int
    reason: str
    recorded_at: datetime
    trued: bool

    @classmethod
    def of(cls, one: Estimated) -> EstimatedOut:
        """Return what is answered for an estimate."""
        return cls(
            meter_id=one.meter_id,
            day=one.day,
            method=one.method,
            value_milli=one.value_milli,
            reason=one.reason,
            recorded_at=one.recorded_at,
            trued=one.trued,
        )
