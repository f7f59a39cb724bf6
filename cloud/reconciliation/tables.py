"""The rows of reconciliation.

A statement file is kept as it came, sealed, before anybody reads it; another file for the same day is a new version and
never an overwrite. Lines and matches are only added. A break stays open until agreement or a person closes it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Fen, TenantRow, table_flags
from cloud.reconciliation.matching import BreakClass, EntryKind
from cloud.reconciliation.remitting import BankLineState
from cloud.tariffs.charge import FundClass

_MERCHANT_KEY = ["tenant_id", "merchant_account_id"]
_MERCHANT = ["merchant_account.tenant_id", "merchant_account.merchant_account_id"]
_BANK_KEY = ["tenant_id", "community_id", "bank_account_id"]
_BANK = ["bank_account.tenant_id", "bank_account.community_id", "bank_account.bank_account_id"]
_STATEMENT_KEY = ["tenant_id", "statement_id"]
_STATEMENT = ["statement_file.tenant_id", "statement_file.statement_id"]


class StatementFileRow(TenantRow):
    """A day's trade bill as it came; a file with faults is kept and not used."""

    __tablename__ = "statement_file"

    statement_id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_account_id: Mapped[UUID]
    day: Mapped[date]
    version: Mapped[int]
    digest: Mapped[bytes]
    raw_sealed: Mapped[bytes]
    parser: Mapped[str]
    received_at: Mapped[datetime]
    rows: Mapped[int]
    payments_fen: Mapped[Fen]
    refunds_fen: Mapped[Fen]
    fees_fen: Mapped[Fen]
    faults: Mapped[list[Any]]

    __table_args__ = (
        ForeignKeyConstraint(_MERCHANT_KEY, _MERCHANT),
        UniqueConstraint("tenant_id", "merchant_account_id", "day", "version"),
        UniqueConstraint("tenant_id", "merchant_account_id", "day", "digest"),
        CheckConstraint("version > 0", name="version_from_one"),
        table_flags(append_only=True),
    )


class StatementLineRow(TenantRow):
    """A row of a usable file."""

    __tablename__ = "statement_line"

    statement_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EntryKind]
    number: Mapped[str]
    transaction_id: Mapped[str]
    fen: Mapped[Fen]
    at: Mapped[datetime]
    fee_millifen: Mapped[int]

    __table_args__ = (
        ForeignKeyConstraint(_STATEMENT_KEY, _STATEMENT),
        Index("ix_statement_line_number", "tenant_id", "number"),
        table_flags(append_only=True, bulk=True),
    )


class MatchRow(TenantRow):
    """That a row of a file and a payment or refund of ours say the same."""

    __tablename__ = "match"

    statement_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    object_id: Mapped[UUID]
    matched_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "statement_id", "line"],
            ["statement_line.tenant_id", "statement_line.statement_id", "statement_line.line"],
        ),
        UniqueConstraint("tenant_id", "statement_id", "object_id"),
        Index("ix_match_object", "tenant_id", "object_id"),
        table_flags(append_only=True, bulk=True),
    )


class ReconBreakRow(TenantRow):
    """A disagreement about one number, open until agreement or a person closes it."""

    __tablename__ = "recon_break"

    break_id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_account_id: Mapped[UUID]
    day: Mapped[date]
    statement_id: Mapped[UUID]
    kind: Mapped[BreakClass]
    entry_kind: Mapped[EntryKind]
    number: Mapped[str]
    book_fen: Mapped[Fen | None]
    channel_fen: Mapped[Fen | None]
    object_id: Mapped[UUID | None]
    case_id: Mapped[UUID]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    closing: Mapped[str | None]

    __table_args__ = (
        ForeignKeyConstraint(_MERCHANT_KEY, _MERCHANT),
        ForeignKeyConstraint(_STATEMENT_KEY, _STATEMENT),
        ForeignKeyConstraint(["tenant_id", "case_id"], ["open_case.tenant_id", "open_case.case_id"]),
        CheckConstraint("book_fen is not null or channel_fen is not null", name="one_side_at_least"),
        CheckConstraint("(closed_at is null) = (closing is null)", name="closed_says_why"),
        Index(
            "uq_recon_break_open",
            "tenant_id",
            "merchant_account_id",
            "kind",
            "entry_kind",
            "number",
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
        Index("ix_recon_break_day", "tenant_id", "merchant_account_id", "day"),
    )


class BankAccountRow(CommunityRow):
    """A bank account that residents transfer to: one community, one legal entity, one fund class."""

    __tablename__ = "bank_account"

    bank_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[FundClass]
    bank: Mapped[str]
    number_tail: Mapped[str]
    opened_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        ForeignKeyConstraint(
            ["tenant_id", "legal_entity_id"], ["legal_entity.tenant_id", "legal_entity.legal_entity_id"]
        ),
        CheckConstraint("length(number_tail) = 4", name="no_more_than_the_tail"),
        table_flags(append_only=True),
    )


class BankFileRow(CommunityRow):
    """A bank statement as it came, sealed; the same file again is known by its digest."""

    __tablename__ = "bank_file"

    bank_file_id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_account_id: Mapped[UUID]
    kind: Mapped[str]
    digest: Mapped[bytes]
    raw_sealed: Mapped[bytes]
    received_at: Mapped[datetime]
    received_by: Mapped[UUID]
    lines: Mapped[int]
    fresh: Mapped[int]
    closing_fen: Mapped[Fen | None]

    __table_args__ = (
        ForeignKeyConstraint(_BANK_KEY, _BANK),
        UniqueConstraint("tenant_id", "community_id", "bank_account_id", "digest", name="uq_bank_file_digest"),
        table_flags(append_only=True),
    )


class BankLineRow(CommunityRow):
    """One movement of a bank account; who sent it and what he wrote is sealed. Its key keeps it from coming twice."""

    __tablename__ = "bank_line"

    bank_line_id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_account_id: Mapped[UUID]
    bank_file_id: Mapped[UUID]
    key: Mapped[str]
    day: Mapped[date]
    fen: Mapped[Fen]
    payer_sha: Mapped[str]
    text_sealed: Mapped[bytes]
    state: Mapped[BankLineState]
    account_id: Mapped[UUID | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(_BANK_KEY, _BANK),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "bank_file_id"],
            ["bank_file.tenant_id", "bank_file.community_id", "bank_file.bank_file_id"],
        ),
        UniqueConstraint("tenant_id", "community_id", "bank_account_id", "key", name="uq_bank_line_key"),
        CheckConstraint("fen <> 0", name="moves_something"),
        CheckConstraint("(state = 'suspense') = (decided_at is null)", name="decided_says_when"),
        CheckConstraint("state <> 'identified' or account_id is not null", name="identified_names_account"),
        Index(
            "ix_bank_line_suspense",
            "tenant_id",
            "community_id",
            "day",
            postgresql_where=text("state = 'suspense'"),
        ),
    )


class PayerLinkRow(CommunityRow):
    """That a person confirmed once whose transfers a bank account of a payer pays; it only proposes, and can end."""

    __tablename__ = "payer_link"

    payer_sha: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    confirmed_by: Mapped[UUID]
    confirmed_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
    )


class FundDayRow(TenantRow):
    """One version of a day's fund bill, sealed as it came, and what comparing it with the trade bill found."""

    __tablename__ = "fund_day"

    merchant_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    raw_sealed: Mapped[bytes]
    compared_at: Mapped[datetime]
    traded_fen: Mapped[Fen]
    moved_fen: Mapped[Fen]
    fees_fen: Mapped[Fen]
    withdrawn_fen: Mapped[Fen]
    findings: Mapped[list[Any]]
    faults: Mapped[list[Any]]

    __table_args__ = (
        ForeignKeyConstraint(_MERCHANT_KEY, _MERCHANT),
        CheckConstraint("version > 0", name="version_from_one"),
        table_flags(append_only=True),
    )


class ReconDayRow(TenantRow):
    """How a day of a merchant account stands after its last comparison."""

    __tablename__ = "recon_day"

    merchant_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID]
    compared_at: Mapped[datetime]
    book_rows: Mapped[int]
    book_fen: Mapped[Fen]
    channel_rows: Mapped[int]
    channel_fen: Mapped[Fen]
    matched_rows: Mapped[int]
    matched_fen: Mapped[Fen]
    waiting_rows: Mapped[int]
    waiting_fen: Mapped[Fen]
    open_breaks: Mapped[int]
    open_fen: Mapped[Fen]
    explained_basis_points: Mapped[int]

    __table_args__ = (
        ForeignKeyConstraint(_MERCHANT_KEY, _MERCHANT),
        ForeignKeyConstraint(_STATEMENT_KEY, _STATEMENT),
        CheckConstraint("explained_basis_points between 0 and 10000", name="explained_is_a_share"),
        CheckConstraint("(explained_basis_points = 10000) = (open_breaks = 0)", name="whole_only_when_nothing_is_open"),
    )
