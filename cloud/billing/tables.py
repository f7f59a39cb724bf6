"""The rows of billing, and the guards that the database itself keeps over them.

Obligations exist before a run and their key is the guard against double billing. Bills and lines are issued when they
are written and are only ever added: by grant, by trigger, and by a trigger that lets a line be added only by the
transaction that adds its bill.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Fen, Micro, Milli, table_flags

_PREMISES = ["premises.tenant_id", "premises.community_id", "premises.premises_id"]
_ACCOUNT_KEY = ["tenant_id", "community_id", "account_id"]
_ACCOUNT = ["account.tenant_id", "account.community_id", "account.account_id"]
_PERIOD_KEY = ["tenant_id", "community_id", "cycle", "period_start"]
_PERIOD = [
    "billing_period.tenant_id",
    "billing_period.community_id",
    "billing_period.cycle",
    "billing_period.period_start",
]


class AccountRow(CommunityRow):
    """What one party owes and pays for one premises; debt stays with its party when the premises are sold."""

    __tablename__ = "account"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    premises_id: Mapped[UUID]
    party_id: Mapped[UUID]
    lookup_code: Mapped[str]
    opened_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "premises_id", "party_id"),
        ForeignKeyConstraint(["tenant_id", "community_id", "premises_id"], _PREMISES),
        ForeignKeyConstraint(["tenant_id", "party_id"], ["party.tenant_id", "party.party_id"]),
        CheckConstraint("lookup_code ~ '^[0-9]{6}$'", name="lookup_code_six_digits"),
        Index("ix_account_party", "tenant_id", "party_id"),
    )


class BillingPeriodRow(CommunityRow):
    """A period of a cycle, a row before anybody asks whether it is time to bill."""

    __tablename__ = "billing_period"

    cycle: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[date] = mapped_column(primary_key=True)
    period_end: Mapped[date]
    due_on: Mapped[date]
    created_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        CheckConstraint("period_start < period_end", name="period"),
        CheckConstraint("due_on >= period_start", name="due_after_start"),
        table_flags(append_only=True),
    )


class ObligationRow(CommunityRow):
    """That an account is to be billed for a period: due, then issued or waived with a reason."""

    __tablename__ = "obligation"

    cycle: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[date] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    premises_id: Mapped[UUID]
    state: Mapped[str]
    bill_id: Mapped[UUID | None]
    reason: Mapped[str | None]

    __table_args__ = (
        ForeignKeyConstraint(_PERIOD_KEY, _PERIOD),
        ForeignKeyConstraint(_ACCOUNT_KEY, _ACCOUNT),
        CheckConstraint("state in ('due', 'issued', 'waived')", name="state_known"),
        CheckConstraint("(state = 'issued') = (bill_id is not null)", name="issued_names_bill"),
        CheckConstraint("(state = 'waived') = (reason is not null)", name="waived_says_why"),
        Index(
            "ix_obligation_due",
            "tenant_id",
            "community_id",
            "cycle",
            "period_start",
            "premises_id",
            "account_id",
            postgresql_where=text("state = 'due'"),
        ),
    )


class BillRow(CommunityRow):
    """An issued bill or adjustment; its total is the sum of its lines and its number has no gap before it.

    Account and period are compared set by set by the trigger `known_of_bill`; see `TransferRow`.
    """

    __tablename__ = "bill"

    bill_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    cycle: Mapped[str]
    period_start: Mapped[date]
    period_end: Mapped[date]
    kind: Mapped[str]
    seq: Mapped[int]
    number: Mapped[str]
    issued_at: Mapped[datetime]
    issued_on: Mapped[date]
    due_on: Mapped[date]
    currency: Mapped[str]
    total_fen: Mapped[Fen]
    line_count: Mapped[int]
    document_sha: Mapped[bytes]
    case_id: Mapped[UUID | None]

    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "account_id", "community_id", "cycle", "period_start", "kind", "seq", name="uq_bill_once"
        ),
        UniqueConstraint("tenant_id", "number"),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "case_id"],
            ["correction_case.tenant_id", "correction_case.community_id", "correction_case.case_id"],
        ),
        CheckConstraint("line_count > 0", name="has_lines"),
        CheckConstraint("(kind = 'adjustment') = (case_id is not null)", name="adjustment_names_case"),
        Index(
            "uq_bill_case",
            "tenant_id",
            "community_id",
            "case_id",
            "account_id",
            unique=True,
            postgresql_where=text("case_id is not null"),
        ),
        table_flags(append_only=True, bulk=True),
    )


class BillLineRow(CommunityRow):
    """A line of an issued document, with all it was made of.

    Bill and corrected line are compared set by set by the trigger `known_of_bill_line`; see `TransferRow`. An empty
    `trace` means that the input, which the line names, gives the explanation again.
    """

    __tablename__ = "bill_line"

    bill_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    charge_item_id: Mapped[UUID]
    subject: Mapped[str]
    service_start: Mapped[date]
    service_end: Mapped[date]
    component: Mapped[str]
    charge_code: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    basis: Mapped[str]
    nature: Mapped[str]
    fund_class: Mapped[str]
    legal_entity_id: Mapped[UUID]
    tax_code: Mapped[str]
    tax_rate_micro: Mapped[Micro]
    bears_late_charge: Mapped[bool]
    quantity_milli: Mapped[Milli | None]
    price_micro: Mapped[Micro | None]
    fen: Mapped[Fen]
    net_fen: Mapped[Fen]
    tax_fen: Mapped[Fen]
    tariff_id: Mapped[UUID]
    tariff_code: Mapped[str]
    effective_from: Mapped[date]
    rev: Mapped[int]
    tariff_sha: Mapped[str]
    input_sha: Mapped[str]
    estimated: Mapped[bool]
    corrects_bill_id: Mapped[UUID | None]
    corrects_n: Mapped[int | None]
    trace: Mapped[dict[str, Any]]

    __table_args__ = (
        CheckConstraint("n > 0", name="number_positive"),
        CheckConstraint("service_start < service_end", name="service"),
        CheckConstraint("fen = net_fen + tax_fen", name="net_and_tax"),
        CheckConstraint("nature in ('revenue', 'agency', 'liability')", name="nature_known"),
        CheckConstraint("(corrects_bill_id is null) = (corrects_n is null)", name="corrects_whole"),
        CheckConstraint("fen >= 0 or corrects_bill_id is not null", name="credit_names_line"),
        Index(
            "ix_bill_line_corrects",
            "tenant_id",
            "corrects_bill_id",
            postgresql_where=text("corrects_bill_id is not null"),
        ),
        table_flags(append_only=True, bulk=True),
    )


class NumberSeriesRow(CommunityRow):
    """The next number of a series; a block is taken by the transaction that issues it, so none is ever lost."""

    __tablename__ = "number_series"

    prefix: Mapped[str] = mapped_column(primary_key=True)
    next: Mapped[int]

    __table_args__ = (CheckConstraint("next > 0", name="from_one"),)


class CorrectionCaseRow(CommunityRow):
    """Why and how far issued bills are corrected; approval keeps the hash of what was seen in the preview."""

    __tablename__ = "correction_case"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    cause: Mapped[str]
    reason: Mapped[str]
    cycle: Mapped[str]
    first_day: Mapped[date]
    premises: Mapped[list[Any]]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID]
    preview_sha: Mapped[bytes | None]
    net_fen: Mapped[Fen | None]
    known_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        CheckConstraint(
            "cause in ('reading', 'tariff', 'assignment', 'share', 'dispute', 'area', 'occupancy', 'estimate',"
            " 'withdrawal', 'waiver', 'late')",
            name="cause_known",
        ),
        CheckConstraint("state in ('open', 'applied', 'dropped')", name="state_known"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint(
            "(state = 'applied') = (preview_sha is not null and net_fen is not null and approved_by is not null)",
            name="applied_is_approved",
        ),
    )


class PriceCorrectionRow(CommunityRow):
    """A change of prices for the past, and how far its documents are booked; `after` is the last premises done."""

    __tablename__ = "price_correction"

    price_correction_id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_items: Mapped[list[Any]]
    reason: Mapped[str]
    cycle: Mapped[str]
    first_day: Mapped[date]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID]
    preview_sha: Mapped[bytes | None]
    known_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    premises: Mapped[int]
    premises_done: Mapped[int]
    documents: Mapped[int]
    net_fen: Mapped[Fen]
    after: Mapped[UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        CheckConstraint("state in ('open', 'approved', 'booked', 'dropped')", name="state_known"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint(
            "(state in ('approved', 'booked'))"
            " = (preview_sha is not null and known_at is not null and approved_by is not null)",
            name="approved_whole",
        ),
        CheckConstraint("least(premises, premises_done, documents) >= 0", name="counts"),
    )


class SettlingOrderRow(CommunityRow):
    """In which order money settles what an account owes, as decided; the newest revision holds."""

    __tablename__ = "settling_order"

    rev: Mapped[int] = mapped_column(primary_key=True)
    settling: Mapped[str]
    items: Mapped[list[Any]]
    decided_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        CheckConstraint("rev >= 1", name="rev"),
        CheckConstraint(
            "settling in ('oldest_first', 'late_charges_first', 'principal_first', 'newest_first', 'items_first')",
            name="known",
        ),
        table_flags(append_only=True),
    )


class RunPolicyRow(CommunityRow):
    """Whether periods are billed at night and how many days after their end, as decided; the newest revision holds."""

    __tablename__ = "run_policy"

    rev: Mapped[int] = mapped_column(primary_key=True)
    nightly: Mapped[bool]
    days_after: Mapped[int]
    decided_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        CheckConstraint("rev >= 1", name="rev"),
        CheckConstraint("days_after between 0 and 60", name="days_after"),
        table_flags(append_only=True),
    )
