"""What the fleet's endpoints for people take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.fleet.kinds import GatewayState, MeterKind
from cloud.fleet.values import BundleEffect, Gateway, InstalledMeter
from common.reading.reading import Resource

_MULTIPLIER_MAX = 1_000_000_000
_DIGITS_MAX = 15
Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Serial = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GatewayIn(_In):
    """A gateway to plan."""

    label: Label


class CodeOut(BaseModel):
    """A gateway's one-time code, shown this once."""

    gateway_id: UUID
    code: str


class OrderedOut(BaseModel):
    """The version of the command that was published; the gateway reports its effect under it."""

    version: int


class GatewayOut(BaseModel):
    """A gateway with its newest health; times in UTC."""

    id: UUID
    label: str
    state: GatewayState
    hardware: str | None
    health_at: datetime | None
    counters: dict[str, int]

    @classmethod
    def of(cls, gateway: Gateway) -> GatewayOut:
        """Return what is answered for a gateway."""
        return cls(
            id=gateway.gateway_id,
            label=gateway.label,
            state=gateway.state,
            hardware=gateway.hardware,
            health_at=gateway.health_at,
            counters=dict(gateway.counters),
        )


class EffectOut(BaseModel):
    """What a gateway reported about a bundle."""

    kind: str
    version: int
    effect: str
    detail: str
    at: datetime

    @classmethod
    def of(cls, effect: BundleEffect) -> EffectOut:
        """Return what is answered for an effect."""
        return cls(kind=effect.kind, version=effect.version, effect=effect.effect, detail=effect.detail, at=effect.at)


class MeterIn(_In):
    """A meter by its nameplate; `multiplier_milli` turns register units into billed ones, in thousandths."""

    serial: Serial
    resource: Resource
    model: Annotated[str, Field(max_length=60)] = ""
    digits: Annotated[int, Field(ge=1, le=_DIGITS_MAX)] = 6
    multiplier_milli: Annotated[int, Field(ge=1, le=_MULTIPLIER_MAX)] = 1000
    kind: MeterKind = MeterKind.PHYSICAL


class PlaceIn(_In):
    """Where a meter counts from a civil day on; no premises means the public area."""

    premises_id: UUID | None = None
    parent_meter_id: UUID | None = None
    start: date


class RemovalIn(_In):
    """From which civil day a meter counts nowhere."""

    end: date


class MeterIdOut(BaseModel):
    """The id of a meter that was just added."""

    id: UUID


class InstalledMeterOut(BaseModel):
    """A meter in its place from `start` up to, not including, `end`."""

    meter_id: UUID
    serial: str
    resource: Resource
    premises_id: UUID | None
    parent_meter_id: UUID | None
    multiplier_milli: int
    digits: int
    start: date
    end: date | None

    @classmethod
    def of(cls, meter: InstalledMeter) -> InstalledMeterOut:
        """Return what is answered for a meter in its place."""
        return cls(
            meter_id=meter.meter_id,
            serial=meter.serial,
            resource=meter.resource,
            premises_id=meter.premises_id,
            parent_meter_id=meter.parent_meter_id,
            multiplier_milli=meter.multiplier_milli,
            digits=meter.digits,
            start=meter.start,
            end=meter.end,
        )
