"""The rows of the book, and the guards that the database itself keeps over them.

Journals, transfers and seals are only ever added (grants and triggers). A transfer is balanced by its shape. It names
the fund of both its accounts and the one legal entity they belong to, so that a mixed fund or a mixed owner is an
error of reference. A reservation is resolved at most once by a partial unique index. No journal is added to a sealed
day: the trigger holds the book's row until its transaction ends, and sealing waits for it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import Base, CommunityRow, Fen, table_flags


class LedgerAccountRow(CommunityRow):
    """An account of the book; its id follows from its name (see `accounts.py`)."""

    __tablename__ = "ledger_account"

    ledger_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[str]
    type: Mapped[str]
    owner_id: Mapped[UUID]
    guard: Mapped[str]
    hot: Mapped[bool]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "legal_entity_id", "fund_class", "type", "owner_id"),
        UniqueConstraint("tenant_id", "community_id", "ledger_account_id", "guard", name="uq_ledger_account_guard"),
        CheckConstraint("guard in ('none', 'credit', 'debit')", name="guard_known"),
        CheckConstraint("not hot or guard = 'none'", name="hot_is_unguarded"),
        Index("ix_ledger_account_owner", "tenant_id", "owner_id", "type"),
        Index(
            "ix_ledger_account_shared",
            "tenant_id",
            "community_id",
            "type",
            "ledger_account_id",
            postgresql_where=text("type in ('income', 'agency', 'fund', 'clearing', 'cash', 'bank')"),
        ),
        table_flags(append_only=True, bulk=True),
    )


class FundRouteRow(Base):
    """An allowed pair of funds; the same for every company, and written by migrations only."""

    __tablename__ = "fund_route"

    code: Mapped[str] = mapped_column(primary_key=True)
    debit_class: Mapped[str] = mapped_column(primary_key=True)
    credit_class: Mapped[str] = mapped_column(primary_key=True)
    needs_approval: Mapped[bool]

    __table_args__ = (table_flags(append_only=True),)


class BookRow(CommunityRow):
    """Up to which day, inclusive, the book of a community is sealed; None before the first seal."""

    __tablename__ = "book"

    sealed_through: Mapped[date | None]


class JournalRow(CommunityRow):
    """One business movement; `request_sha` covers all it says and all its transfers.

    The journal that issues a bill in a bill run bears the bill's id and names the billing account: its transfers stand
    neither in the index by line nor in the one by debit and are found through it. The trigger `known_of_transfer`
    compares that account with the receivables that they debit.
    """

    __tablename__ = "journal"

    journal_id: Mapped[UUID] = mapped_column(primary_key=True)
    idem_key: Mapped[str]
    request_sha: Mapped[bytes]
    kind: Mapped[str]
    business_date: Mapped[date]
    recorded_at: Mapped[datetime]
    document_kind: Mapped[str]
    document_id: Mapped[UUID]
    approved_by: Mapped[UUID | None]
    account_id: Mapped[UUID | None]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "idem_key"),
        CheckConstraint("account_id is null or journal_id = document_id", name="account_of_bill"),
        CheckConstraint("octet_length(request_sha) = 32", name="request_sha_is_sha256"),
        Index("ix_journal_document", "tenant_id", "document_id"),
        Index("ix_journal_day", "tenant_id", "community_id", "business_date"),
        Index("ix_journal_account", "tenant_id", "account_id", postgresql_where=text("account_id is not null")),
        table_flags(append_only=True, bulk=True),
    )


class TransferRow(CommunityRow):
    """One balanced transfer of a journal.

    Its journal, both accounts with their fund and legal entity, the route and the reservation it resolves are compared
    for all rows of a statement at once by the trigger `known_of_transfer`: what they name is only ever added, so a
    comparison when the transfer is added holds for ever.
    """

    __tablename__ = "transfer"

    journal_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    debit_id: Mapped[UUID]
    debit_class: Mapped[str]
    credit_id: Mapped[UUID]
    credit_class: Mapped[str]
    legal_entity_id: Mapped[UUID]
    fen: Mapped[Fen]
    route: Mapped[str]
    bill_id: Mapped[UUID | None]
    line_n: Mapped[int | None]
    pending_journal_id: Mapped[UUID | None]
    pending_n: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("n > 0", name="number_positive"),
        CheckConstraint("fen > 0", name="amount_positive"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        CheckConstraint("kind in ('posted', 'pending', 'post', 'void')", name="kind_known"),
        CheckConstraint("(kind in ('post', 'void')) = (pending_journal_id is not null)", name="resolution_names_one"),
        CheckConstraint("(pending_journal_id is null) = (pending_n is null)", name="pending_whole"),
        CheckConstraint("(bill_id is null) = (line_n is null)", name="line_whole"),
        CheckConstraint(
            "bill_id is distinct from journal_id or (n = line_n and kind = 'posted' and route = 'issue')",
            name="issued_by_line",
        ),
        Index(
            "uq_transfer_resolution",
            "tenant_id",
            "community_id",
            "pending_journal_id",
            "pending_n",
            unique=True,
            postgresql_where=text("pending_journal_id is not null"),
        ),
        Index(
            "ix_transfer_debit",
            "tenant_id",
            "debit_id",
            postgresql_where=text("bill_id is distinct from journal_id"),
        ),
        Index("ix_transfer_credit", "tenant_id", "credit_id"),
        Index(
            "ix_transfer_line",
            "tenant_id",
            "bill_id",
            "line_n",
            postgresql_where=text("bill_id is not null and bill_id <> journal_id"),
        ),
        table_flags(append_only=True, bulk=True),
    )


class BalanceRow(CommunityRow):
    """The four sums of a guarded account, kept in step with its transfers in the same transaction."""

    __tablename__ = "balance"

    ledger_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    guard: Mapped[str]
    debit_pending: Mapped[Fen]
    debit_posted: Mapped[Fen]
    credit_pending: Mapped[Fen]
    credit_posted: Mapped[Fen]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "ledger_account_id", "guard"],
            [
                "ledger_account.tenant_id",
                "ledger_account.community_id",
                "ledger_account.ledger_account_id",
                "ledger_account.guard",
            ],
        ),
        CheckConstraint("guard in ('credit', 'debit')", name="guarded_only"),
        CheckConstraint(
            "least(debit_pending, debit_posted, credit_pending, credit_posted) >= 0", name="sums_not_negative"
        ),
        CheckConstraint(
            "guard <> 'credit' or debit_pending + debit_posted <= credit_posted", name="debits_within_credits"
        ),
        CheckConstraint(
            "guard <> 'debit' or credit_pending + credit_posted <= debit_posted", name="credits_within_debits"
        ),
    )


class SealRow(CommunityRow):
    """The seal of one day of a community's book: a Merkle root over its journals and the previous root."""

    __tablename__ = "seal"

    business_date: Mapped[date] = mapped_column(primary_key=True)
    journals: Mapped[int]
    transfers_fen: Mapped[Fen]
    merkle_root: Mapped[bytes]
    previous_root: Mapped[bytes]
    sealed_at: Mapped[datetime]

    __table_args__ = (table_flags(append_only=True),)


class BookCloseRow(CommunityRow):
    """That a period of a community's book is closed: its days are sealed, and this is what stood on it."""

    __tablename__ = "book_close"

    period_end: Mapped[date] = mapped_column(primary_key=True)
    period_start: Mapped[date]
    debit_fen: Mapped[Fen]
    credit_fen: Mapped[Fen]
    lines: Mapped[list[Any]]
    lines_sha: Mapped[bytes]
    closed_at: Mapped[datetime]
    closed_by: Mapped[UUID]

    __table_args__ = (
        CheckConstraint("period_start < period_end", name="period"),
        CheckConstraint("debit_fen = credit_fen", name="balanced"),
        CheckConstraint("octet_length(lines_sha) = 32", name="sha256"),
        table_flags(append_only=True),
    )


SEALED_DAY_STATE = "GH001"  # what the trigger below raises
