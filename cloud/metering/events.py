"""What metering says has happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from cloud.kit.events import Event
from common.civil import Period
from common.ids import CommunityId, GatewayId, MeterId
from common.reading.reading import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUnpacked(Event):
    """The contents of a batch are stored and may be used."""

    gateway_id: GatewayId
    store_epoch: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingReported(Event):
    """A batch that was unpacked holds acts of a car park."""

    gateway_id: GatewayId
    store_epoch: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UseReported(Event):
    """A batch that was unpacked holds acts at doors or charges at piles."""

    gateway_id: GatewayId
    store_epoch: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OddityFound(Event):
    """Something that a person must look at; it has the shape that the cases of the house are opened from.

    `key` makes one sighting: the same oddity found twice in one batch, or in a batch unpacked twice, is one.
    """

    key: str
    kind: Literal["exception", "anomaly", "alarm"]
    reason: str
    origin: str = "metering"
    object_kind: str
    object_id: UUID
    subject: str = ""
    community_id: CommunityId | None
    owner_role: str = "technician"
    detail_zh: str
    detail_en: str
    figures: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRevised(Event):
    """A reading was corrected; bills that rest on it may be wrong now."""

    community_id: CommunityId
    meter_id: MeterId
    quantity: Quantity
    read_at: datetime
    rev: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatesStored(Event):
    """A batch brought estimates of a community for a period; `key` names batch, community and period."""

    key: str
    community_id: CommunityId
    period: Period
