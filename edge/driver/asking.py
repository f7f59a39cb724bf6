"""What a meter wire needs of whatever asks its questions: one block in, data or a failure out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

from edge.device.model import Profile
from edge.device.plan import Block
from edge.driver.outcome import DeviceConfig, Exchange, FailureKind


class BlockData(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a sound answer to this very question."""

    data: bytes
    exchange: Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFailure:
    """Why a question gave no data."""

    kind: FailureKind
    detail: str
    exchange: Exchange | None = None


class Asker(Protocol):
    """Asks one block of one device at a time."""

    async def ask(self, profile: Profile, device: DeviceConfig, block: Block) -> BlockData | BlockFailure:
        """Ask the block; bounded in time, never raises for what a line or a meter does wrong."""
        ...

    async def close(self) -> None:
        """Release the line."""
        ...
