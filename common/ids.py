"""Ids: 128 bits, time-ordered (UUID version 7, RFC 9562 section 5.7), made where the act begins.

Each kind of id has a type of its own, so that a premises id cannot be passed for a meter id. Time and randomness
are arguments; the composition roots supply an `IdSource`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NewType, Protocol
from uuid import UUID

from common.clock import to_epoch_ms
from common.errors import ensure

TenantId = NewType("TenantId", UUID)
CommunityId = NewType("CommunityId", UUID)
LegalEntityId = NewType("LegalEntityId", UUID)
BuildingId = NewType("BuildingId", UUID)
PremisesId = NewType("PremisesId", UUID)
PartyId = NewType("PartyId", UUID)
UserId = NewType("UserId", UUID)
GatewayId = NewType("GatewayId", UUID)
MeterId = NewType("MeterId", UUID)
AccountId = NewType("AccountId", UUID)
ChargeItemId = NewType("ChargeItemId", UUID)
TariffId = NewType("TariffId", UUID)
BillId = NewType("BillId", UUID)
PaymentId = NewType("PaymentId", UUID)
CaseId = NewType("CaseId", UUID)

_RANDOM_BYTES = 10


class IdSource(Protocol):
    """The port through which a process makes new ids."""

    def new(self) -> UUID:
        """Return a new time-ordered id."""
        ...


def uuid7(now: datetime, random_bytes: Callable[[int], bytes]) -> UUID:
    """Return a UUID version 7 of an instant and ten random bytes (RFC 9562 section 5.7)."""
    entropy = random_bytes(_RANDOM_BYTES)
    ensure(len(entropy) == _RANDOM_BYTES, "the random source returned a wrong count of bytes")
    value = to_epoch_ms(now) << 80 | int.from_bytes(entropy)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return UUID(int=value)


class TimeOrderedIds:
    """An `IdSource` over a clock and a source of randomness."""

    def __init__(self, now: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._now = now
        self._random_bytes = random_bytes

    def new(self) -> UUID:
        """Return a new UUID version 7."""
        return uuid7(self._now(), self._random_bytes)
