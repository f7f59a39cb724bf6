"""What the fleet hands to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from cloud.fleet.kinds import GatewayState, MeterKind
from common.ids import CommunityId, GatewayId, MeterId, PremisesId, TenantId
from common.reading.reading import Resource
from common.wire.sequence import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKey:
    """A key as a verifier needs it: whose it is, the public half, and whether it may still sign."""

    tenant: TenantId
    gateway_id: GatewayId
    key_id: bytes
    public_key: bytes
    standing: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway with its newest health."""

    gateway_id: GatewayId
    label: str
    state: GatewayState
    hardware: str | None
    health_at: datetime | None
    counters: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter by its nameplate."""

    meter_id: MeterId
    serial: str
    kind: MeterKind
    resource: Resource
    model: str
    digits: int
    multiplier_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeter:
    """A nameplate to add; `multiplier_milli` turns units of the register into billed ones, in thousandths."""

    serial: str
    resource: Resource
    model: str = ""
    digits: int = 6
    multiplier_milli: int = 1000
    kind: MeterKind = MeterKind.PHYSICAL


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlace:
    """Where a meter shall count from a civil day on; `premises_id` None is the public area."""

    meter_id: MeterId
    community_id: CommunityId
    premises_id: PremisesId | None
    start: date
    parent_meter_id: MeterId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledMeter:
    """A meter in its place from `start` up to, not including, `end`; `premises_id` None is the public area."""

    meter_id: MeterId
    serial: str
    resource: Resource
    community_id: CommunityId
    premises_id: PremisesId | None
    parent_meter_id: MeterId | None
    multiplier_milli: int
    digits: int
    start: date
    end: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleEffect:
    """What a gateway reported about a bundle."""

    kind: str
    version: int
    effect: str
    detail: str
    at: datetime
