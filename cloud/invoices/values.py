"""The words and values of tax invoices: whose title, which lines, where one stands. Pure; no database.

    requested --sending--> sending --taken on--> accepted --numbered--> issued
        ^                   |   |                    +---- refused ----> refused
        +-- surely not sent-+   +-- nobody can say, asked to the end --> unknown (never sent again; a person looks)

A red letter goes the same way; where the buyer must confirm its form it stands at `confirming` until he has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cloud.ledger.journals import LineRef
from common.errors import RefusalError
from common.ids import AccountId, BillId, CommunityId, LegalEntityId

NAME_LENGTH_MAX = 100
EMAIL_LENGTH_MAX = 50
NOTE_LENGTH_MAX = 200


class Colour(StrEnum):
    """A blue invoice says what was sold, a red one takes back all or part of a blue one."""

    BLUE = "blue"
    RED = "red"


class InvoiceKind(StrEnum):
    """An ordinary invoice, or a special one from which a company deducts the tax."""

    ORDINARY = "ordinary"
    SPECIAL = "special"


class TitleKind(StrEnum):
    """Whom an invoice is made out to."""

    PERSON = "person"
    COMPANY = "company"


class RedReason(StrEnum):
    """Why a red letter is made, in the words of the tax administration."""

    RETURNED = "returned"
    WRONG = "wrong"
    STOPPED = "stopped"
    ALLOWANCE = "allowance"


class InvoiceState(StrEnum):
    """Where an invoice stands; see the head of this module."""

    REQUESTED = "requested"
    SENDING = "sending"
    ACCEPTED = "accepted"
    CONFIRMING = "confirming"
    ISSUED = "issued"
    REFUSED = "refused"
    UNKNOWN = "unknown"


ENDED = frozenset({InvoiceState.ISSUED, InvoiceState.REFUSED})
ASKED = frozenset({InvoiceState.SENDING, InvoiceState.ACCEPTED, InvoiceState.CONFIRMING, InvoiceState.UNKNOWN})
MOVES: Mapping[InvoiceState, frozenset[InvoiceState]] = {
    InvoiceState.REQUESTED: frozenset({InvoiceState.SENDING, InvoiceState.REFUSED}),
    InvoiceState.SENDING: frozenset(set(InvoiceState) - {InvoiceState.SENDING}),
    InvoiceState.ACCEPTED: frozenset(
        {InvoiceState.CONFIRMING, InvoiceState.ISSUED, InvoiceState.REFUSED, InvoiceState.UNKNOWN}
    ),
    InvoiceState.CONFIRMING: frozenset({InvoiceState.ISSUED, InvoiceState.REFUSED, InvoiceState.UNKNOWN}),
    InvoiceState.UNKNOWN: frozenset(
        {InvoiceState.ACCEPTED, InvoiceState.CONFIRMING, InvoiceState.ISSUED, InvoiceState.REFUSED}
    ),
    InvoiceState.ISSUED: frozenset(),
    InvoiceState.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """Whom an invoice is made out to, and where it is sent; personal, so sealed at rest and never logged."""

    kind: TitleKind
    name: str = field(repr=False)
    tax_number: str = field(default="", repr=False)
    email: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """A line of an invoice: what of a bill line it covers; `fen` includes the tax, and both are above zero."""

    n: int
    line: LineRef
    name: str
    goods_code: str
    rate_micro: int
    fen: int
    net_fen: int

    @property
    def tax_fen(self) -> int:
        """Return the tax within the amount."""
        return self.fen - self.net_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceWish:
    """What somebody asks for: an invoice over what was paid of one bill to one seller.

    `invoice_id` is made where the act begins, so that asking twice is asking once. Amounts are never taken from it.
    """

    invoice_id: UUID
    bill_id: BillId
    legal_entity_id: LegalEntityId
    title: Title
    kind: InvoiceKind = InvoiceKind.ORDINARY

    def __post_init__(self) -> None:
        """Check that only a company asks for a special invoice.

        Raises:
            RefusalError: a person does.
        """
        if self.kind is InvoiceKind.SPECIAL and self.title.kind is not TitleKind.COMPANY:
            raise RefusalError("专用发票仅开给企业; only a company takes a special invoice, choose an ordinary one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A tax invoice as it stands; `shown` is its title as it may be shown, amounts of a red one are what it takes."""

    invoice_id: UUID
    community_id: CommunityId
    account_id: AccountId
    bill_id: BillId
    legal_entity_id: LegalEntityId
    invoice_account_id: UUID
    colour: Colour
    kind: InvoiceKind
    blue_id: UUID | None
    reason: RedReason | None
    order_number: str
    shown: str
    lines: tuple[InvoiceLine, ...]
    state: InvoiceState
    attempts: int
    asked: int
    number: str | None
    issued_at: datetime | None
    file_url: str
    detail: str
    requested_at: datetime

    @property
    def total_fen(self) -> int:
        """Return the sum of the lines, tax included."""
        return sum(line.fen for line in self.lines)

    @property
    def net_fen(self) -> int:
        """Return the sum of the lines without tax."""
        return sum(line.net_fen for line in self.lines)
