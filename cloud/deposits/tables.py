"""The rows of deposits. What is held of a deposit stands in its own guarded ledger account, named by its id.

A deposit is taken by one payment and names it. Conditions, deductions and returns belong to one deposit; a return is
one instalment on its way back, and the refund that carries it has the same id.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.deposits.rules import ConditionKind, DeductionState, DepositKind, DepositState, ReturnRoute, ReturnState
from cloud.kit.tables import CommunityRow, Fen
from cloud.tariffs.charge import FundClass

_DEPOSIT_KEY = ["tenant_id", "community_id", "deposit_id"]
_DEPOSIT = ["deposit.tenant_id", "deposit.community_id", "deposit.deposit_id"]


class DepositRow(CommunityRow):
    """A deposit of a billing account for one purpose; `instalments` are days after release and weights."""

    __tablename__ = "deposit"

    deposit_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[FundClass]
    kind: Mapped[DepositKind]
    contract_id: Mapped[UUID | None]
    purpose: Mapped[str]
    amount_fen: Mapped[Fen]
    state: Mapped[DepositState]
    objection_days: Mapped[int]
    instalments: Mapped[list[Any]]
    opened_at: Mapped[datetime]
    payment_id: Mapped[UUID | None]
    held_at: Mapped[datetime | None]
    deducted_fen: Mapped[Fen]
    returned_fen: Mapped[Fen]
    released_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "legal_entity_id"], ["legal_entity.tenant_id", "legal_entity.legal_entity_id"]
        ),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "contract_id"],
            ["contract.tenant_id", "contract.community_id", "contract.contract_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "payment_id"],
            ["payment.tenant_id", "payment.community_id", "payment.payment_id"],
        ),
        UniqueConstraint("tenant_id", "payment_id"),
        CheckConstraint("fund_class = 'deposit'", name="fund_is_deposit"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("objection_days >= 0", name="objection_days_not_negative"),
        CheckConstraint(
            "deducted_fen >= 0 and returned_fen >= 0 and deducted_fen + returned_fen <= amount_fen",
            name="parts_within_amount",
        ),
        CheckConstraint("(payment_id is null) = (held_at is null)", name="held_names_payment"),
        CheckConstraint("state in ('due', 'cancelled') or payment_id is not null", name="held_is_paid"),
        CheckConstraint("state <> 'closed' or deducted_fen + returned_fen = amount_fen", name="closed_is_empty"),
        Index("ix_deposit_account", "tenant_id", "account_id"),
        Index("ix_deposit_state", "tenant_id", "community_id", "state"),
    )


class DepositConditionRow(CommunityRow):
    """What must be so before a deposit goes back; one with a day is met by that day, others by a person's word."""

    __tablename__ = "deposit_condition"

    deposit_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[ConditionKind] = mapped_column(primary_key=True)
    on_day: Mapped[date | None]
    met_at: Mapped[datetime | None]
    met_by: Mapped[UUID | None]
    evidence: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(_DEPOSIT_KEY, _DEPOSIT),
        CheckConstraint("(met_at is null) = (met_by is null)", name="met_by_somebody"),
        Index(
            "ix_deposit_condition_day",
            "tenant_id",
            "on_day",
            postgresql_where=text("met_at is null and on_day is not null"),
        ),
    )


class DepositDeductionRow(CommunityRow):
    """A wish to keep part of a deposit for one open bill line, with its evidence, and what became of it."""

    __tablename__ = "deposit_deduction"

    deduction_id: Mapped[UUID] = mapped_column(primary_key=True)
    deposit_id: Mapped[UUID]
    bill_id: Mapped[UUID]
    line_n: Mapped[int]
    amount_fen: Mapped[Fen]
    evidence: Mapped[str]
    evidence_sha: Mapped[str | None]
    state: Mapped[DeductionState]
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    objection_until: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(_DEPOSIT_KEY, _DEPOSIT),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "bill_id"], ["bill.tenant_id", "bill.community_id", "bill.bill_id"]
        ),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("evidence <> ''", name="evidence_given"),
        CheckConstraint("state not in ('applied', 'withdrawn') or decided_by is not null", name="decided_by_somebody"),
        Index("ix_deposit_deduction_deposit", "tenant_id", "deposit_id"),
    )


class DepositReturnRow(CommunityRow):
    """One instalment of a deposit going back; the refund that carries it has its id."""

    __tablename__ = "deposit_return"

    return_id: Mapped[UUID] = mapped_column(primary_key=True)
    deposit_id: Mapped[UUID]
    n: Mapped[int]
    amount_fen: Mapped[Fen]
    due_on: Mapped[date]
    route: Mapped[ReturnRoute]
    cash_box_id: Mapped[UUID | None]
    state: Mapped[ReturnState]
    asked_by: Mapped[UUID]
    detail: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(_DEPOSIT_KEY, _DEPOSIT),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("(route = 'cash') = (cash_box_id is not null)", name="cash_names_box"),
        Index("ix_deposit_return_deposit", "tenant_id", "deposit_id"),
        Index("ix_deposit_return_due", "tenant_id", "due_on", postgresql_where=text("state = 'due'")),
    )
