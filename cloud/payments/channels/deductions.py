"""The port to agreements to deduct (委托代扣): sign, ask where one stands, tell the channel an amount, end it.

Each channel that keeps agreements answers the same four questions; the money itself is taken by `Provider.place` with
the number that the channel gave the agreement. What a channel does not say clearly is refused or unknown, never
guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from cloud.payments.channels.provider import Refused, Unknown


class AgreementState(StrEnum):
    """Where an agreement stands at a channel."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An agreement as its channel tells it; `number` is the channel's, empty before it was signed."""

    state: AgreementState
    number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementWish:
    """What a payer is to agree to: one deduction a month of at most an amount; `number` is ours."""

    number: str
    limit_fen: int
    first_on: date
    description: str
    return_url: str
    notify_url: str


class Agreements(Protocol):
    """Agreements of one merchant account."""

    async def sign_page(self, wish: AgreementWish) -> str | Refused | Unknown:
        """Return the channel's address where the payer signs."""
        ...

    async def query(self, number: str) -> Agreement | Refused | Unknown:
        """Ask where an agreement stands; one that the channel does not know was not signed."""
        ...

    async def announce(self, number: str, amount_fen: int) -> Refused | Unknown | None:
        """Tell the channel what the next deduction will be; None when it knows, however often it is told."""
        ...

    async def end(self, number: str) -> Refused | Unknown | None:
        """End an agreement; None when it no longer holds."""
        ...
