"""What ingest tells the rest of the house."""

from __future__ import annotations

from dataclasses import dataclass

from cloud.kit.events import Event
from common.ids import GatewayId, TenantId
from common.wire.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStored(Event):
    """A batch was stored for the first time; `opened` again by (gateway, epoch, sequence)."""

    tenant: TenantId
    gateway_id: GatewayId
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochOpened(Event):
    """A gateway that had a stream began another: a new card, a restored one, or a damaged store. A person looks."""

    tenant: TenantId
    gateway_id: GatewayId
    epoch: int
    previous_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryForked(Event):
    """An authentic batch contradicts what is stored: the stream has two histories. A person looks."""

    tenant: TenantId
    gateway_id: GatewayId
    epoch: int
    sequence: int
    reason: Refusal
