"""The port to whoever issues invoices for a seller, and what its answers mean.

`issue` and `take_back` hand an order over once and say what is known: taken on, a final no, surely not sent (later),
or unknown. Whoever does not know asks; the same order is never handed over again while it may have arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cloud.invoices.values import InvoiceKind, InvoiceLine, RedReason, Title
from cloud.kit.calls import Later, Refused, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueOrder:
    """An invoice to issue; `number` is ours and known at the platform from then on."""

    number: str
    kind: InvoiceKind
    title: Title
    lines: tuple[InvoiceLine, ...]
    remark: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RedOrder:
    """A red letter to apply for: which invoice it takes back, and by which lines (all of them: the whole)."""

    number: str
    blue_number: str
    kind: InvoiceKind
    title: Title
    reason: RedReason
    lines: tuple[InvoiceLine, ...]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The platform took the order on."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """It is at it; `needs_buyer` says that the buyer has to confirm first."""

    reference: str
    needs_buyer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """It is issued: the tax administration's number, and the amounts that stand on it (a red one's without sign)."""

    number: str
    at: datetime | None
    net_fen: int
    tax_fen: int
    file_url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverCame:
    """The platform has no order of that number, at least not yet."""


SendOutcome = Taken | Refused | Later | Unknown
AskOutcome = Pending | Numbered | Refused | NeverCame | Unknown


class Issuer(Protocol):
    """A platform's client for one seller."""

    async def issue(self, order: BlueOrder) -> SendOutcome:
        """Hand an invoice over, once."""
        ...

    async def ask(self, number: str) -> AskOutcome:
        """Return what became of an invoice."""
        ...

    async def take_back(self, order: RedOrder) -> SendOutcome:
        """Apply for a red letter, once."""
        ...

    async def ask_red(self, number: str) -> AskOutcome:
        """Return what became of a red letter."""
        ...
