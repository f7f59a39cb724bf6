"""What is written into the book: journals of balanced transfers, as values with a fingerprint.

A transfer moves a positive count of fen from its credit account to its debit account, names the route it takes and,
where it moves what a resident owes, the bill line it moves. An unbalanced book cannot be expressed. Values only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from cloud.ledger.accounts import AccountType, Guard, LedgerAccountRef
from cloud.ledger.routes import Route, route_allows
from common.errors import ensure
from common.ids import BillId, CommunityId, TenantId
from common.money.amount import check_int64

TRANSFERS_PER_JOURNAL_MAX = 10_000
IDEM_KEY_LENGTH_MAX = 200


class TransferKind(StrEnum):
    """How a transfer counts: at once, as a reservation, or as the one resolution of a reservation."""

    POSTED = "posted"
    PENDING = "pending"
    POST = "post"
    VOID = "void"


class DocumentKind(StrEnum):
    """The paper behind a journal."""

    BILL = "bill"
    PAYMENT = "payment"
    REFUND = "refund"
    DEPOSIT = "deposit"
    STATEMENT = "statement"
    CASH_SHIFT = "cash_shift"
    OPENING = "opening"
    RELIEF = "relief"
    FUND_ENTRY = "fund_entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRef:
    """Which paper a journal books."""

    kind: DocumentKind
    document_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRef:
    """The bill line whose open amount a transfer moves."""

    bill_id: BillId
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMove:
    """A movement of a line: positive fen are owed, negative settle or credit; `other` is where it came from or went."""

    line: LineRef
    business_date: date
    other: AccountType
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRef:
    """One transfer of the book."""

    journal_id: UUID
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferDraft:
    """One balanced transfer of `fen` > 0 from the credit account to the debit account.

    In a journal that books a bill, `n` is the number of the bill line it books; left at 0 it is counted on from the
    highest. `pending` names the reservation that a post or void resolves.
    """

    debit: LedgerAccountRef
    credit: LedgerAccountRef
    fen: int
    route: Route
    n: int = 0
    line: LineRef | None = None
    kind: TransferKind = TransferKind.POSTED
    pending: TransferRef | None = None

    def __post_init__(self) -> None:
        """Check what no book may hold: nothing moved, an account moved to itself, books or funds mixed."""
        ensure(self.fen > 0, f"a transfer moves a positive amount, not {self.fen} fen")
        check_int64(self.fen, "transfer")
        ensure(self.n >= 0, "a transfer's number is positive, or 0 to be counted on")
        ensure(self.debit != self.credit, "a transfer has two accounts")
        debit, credit = self.debit.book, self.credit.book
        ensure(debit.community_id == credit.community_id, "a transfer stays in one community")
        ensure(debit.legal_entity_id == credit.legal_entity_id, "a transfer stays with one legal entity")
        ensure(
            route_allows(self.route, self.debit, self.credit),
            f"route {self.route} does not lead from {credit.fund_class}/{self.credit.type} "
            f"to {debit.fund_class}/{self.debit.type}",
        )
        resolves = self.kind in {TransferKind.POST, TransferKind.VOID}
        ensure(resolves == (self.pending is not None), "exactly a post or void names a reservation")
        guarded = any(ref.kind.guard is not Guard.NONE for ref in (self.debit, self.credit))
        ensure(self.kind is TransferKind.POSTED or guarded, "only a guarded account can be reserved")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalDraft:
    """One business movement, to be written once.

    `idem_key` names the act, such as `payment:<id>`: the same key with the same content is the same journal, and with
    other content a conflict. `business_date` is the civil day in the community's zone. `approved_by` is the user who
    approved a route that needs it.
    """

    idem_key: str
    kind: str
    community_id: CommunityId
    business_date: date
    document: DocumentRef
    transfers: tuple[TransferDraft, ...]
    approved_by: UUID | None = None

    def __post_init__(self) -> None:
        """Check the bounds, that every transfer is of the community, and that approval was given where needed."""
        ensure(0 < len(self.idem_key) <= IDEM_KEY_LENGTH_MAX, "a journal has a key of bounded length")
        ensure(0 < len(self.transfers) <= TRANSFERS_PER_JOURNAL_MAX, "a journal holds a bounded count of transfers")
        for transfer in self.transfers:
            ensure(transfer.debit.book.community_id == self.community_id, "a journal stays in one community")
            ensure(
                not transfer.route.needs_approval or self.approved_by is not None,
                f"route {transfer.route} needs approval",
            )

    def numbered(self) -> tuple[tuple[int, TransferDraft], ...]:
        """Return every transfer with its number: the ones given, and the others counted on from the highest."""
        given = [transfer.n for transfer in self.transfers if transfer.n]
        ensure(len(given) == len(set(given)), "transfers of a journal have numbers of their own")
        following = max(given, default=0)
        numbered = []
        for transfer in self.transfers:
            if not transfer.n:
                following += 1
            numbered.append((transfer.n or following, transfer))
        return tuple(numbered)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRef:
    """A journal in the book; `replayed` says that it stood there already."""

    journal_id: UUID
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFact:
    """A transfer as the book keeps it: the facts that its journal's fingerprint covers."""

    n: int
    kind: str
    debit_id: UUID
    credit_id: UUID
    legal_entity_id: UUID
    fen: int
    route: str
    bill_id: UUID | None
    line_n: int | None
    pending_journal_id: UUID | None
    pending_n: int | None

    def text(self) -> str:
        """Return the fact as one line of the fingerprint."""
        bill = f"{self.bill_id}/{self.line_n}" if self.bill_id else "-"
        pending = f"{self.pending_journal_id}/{self.pending_n}" if self.pending_journal_id else "-"
        return (
            f"{self.n} {self.kind} {self.debit_id} {self.credit_id} {self.legal_entity_id} "
            f"{self.fen} {self.route} {bill} {pending}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalHead:
    """A journal without its transfers, as the book keeps it."""

    idem_key: str
    kind: str
    community_id: UUID
    business_date: date
    document_kind: str
    document_id: UUID
    approved_by: UUID | None

    def text(self) -> str:
        """Return the head as one line of the fingerprint."""
        return (
            f"{self.idem_key} {self.kind} {self.community_id} {self.business_date.isoformat()} "
            f"{self.document_kind} {self.document_id} {self.approved_by or '-'}"
        )


def facts_of(draft: JournalDraft, tenant_id: TenantId) -> tuple[JournalHead, tuple[TransferFact, ...]]:
    """Return a draft as the facts that will stand in the book, transfers in the order of their numbers."""
    head = JournalHead(
        idem_key=draft.idem_key,
        kind=draft.kind,
        community_id=draft.community_id,
        business_date=draft.business_date,
        document_kind=draft.document.kind,
        document_id=draft.document.document_id,
        approved_by=draft.approved_by,
    )
    facts = [_fact(n, transfer, tenant_id) for n, transfer in draft.numbered()]
    return head, tuple(sorted(facts, key=lambda fact: fact.n))


def fingerprint(head: JournalHead, facts: tuple[TransferFact, ...]) -> bytes:
    """Return the SHA-256 over everything a journal says; it can be computed again from the stored rows."""
    lines = [head.text(), *(fact.text() for fact in facts)]
    return hashlib.sha256("\n".join(lines).encode()).digest()


def _fact(n: int, transfer: TransferDraft, tenant_id: TenantId) -> TransferFact:
    return TransferFact(
        n=n,
        kind=transfer.kind,
        debit_id=transfer.debit.account_id(tenant_id),
        credit_id=transfer.credit.account_id(tenant_id),
        legal_entity_id=transfer.debit.book.legal_entity_id,
        fen=transfer.fen,
        route=transfer.route.code,
        bill_id=transfer.line.bill_id if transfer.line else None,
        line_n=transfer.line.n if transfer.line else None,
        pending_journal_id=transfer.pending.journal_id if transfer.pending else None,
        pending_n=transfer.pending.n if transfer.pending else None,
    )
