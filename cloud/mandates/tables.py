"""The rows of mandates, and what the database itself refuses.

One standing mandate for an account and a book; one announced amount for a mandate and a cycle; one try for it and a
day, which names its one payment attempt; a bill's money in one book is leased to one undecided amount at a time.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Fen, table_flags
from cloud.mandates.rules import DebitState, MandateState
from cloud.tariffs.charge import FundClass

_DEBIT_KEY = ["tenant_id", "community_id", "debit_id"]
_DEBIT = ["debit.tenant_id", "debit.community_id", "debit.debit_id"]


class MandateRow(CommunityRow):
    """What a payer agreed to at the channel: whose bills, of which book, up to how much, on which day of the month."""

    __tablename__ = "mandate"

    mandate_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    merchant_account_id: Mapped[UUID]
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[FundClass]
    number: Mapped[str]
    limit_fen: Mapped[Fen]
    day_of_month: Mapped[int]
    state: Mapped[MandateState]
    asked_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    detail: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "merchant_account_id", "legal_entity_id", "fund_class"],
            [
                "merchant_account.tenant_id",
                "merchant_account.merchant_account_id",
                "merchant_account.legal_entity_id",
                "merchant_account.fund_class",
            ],
            name="fk_mandate_merchant_account",
        ),
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("limit_fen > 0 and day_of_month between 1 and 28", name="wish_possible"),
        CheckConstraint("state not in ('active', 'paused') or signed_at is not null", name="active_is_signed"),
        CheckConstraint("(state = 'ended') = (ended_at is not null)", name="ended_says_when"),
        Index(
            "uq_mandate_standing",
            "tenant_id",
            "community_id",
            "account_id",
            "legal_entity_id",
            "fund_class",
            unique=True,
            postgresql_where=text("state <> 'ended'"),
        ),
    )


class DebitRow(CommunityRow):
    """An amount announced for one cycle of a mandate; `bill_ids` are the bills it is for, all final."""

    __tablename__ = "debit"

    debit_id: Mapped[UUID] = mapped_column(primary_key=True)
    mandate_id: Mapped[UUID]
    account_id: Mapped[UUID]
    execute_on: Mapped[date]
    amount_fen: Mapped[Fen]
    bill_ids: Mapped[list[Any]]
    state: Mapped[DebitState]
    announced_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    detail: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "mandate_id"],
            ["mandate.tenant_id", "mandate.community_id", "mandate.mandate_id"],
        ),
        UniqueConstraint("tenant_id", "community_id", "mandate_id", "execute_on", name="uq_debit_cycle"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("(state = 'announced') = (decided_at is null)", name="decided_says_when"),
        Index("ix_debit_account", "tenant_id", "account_id"),
        Index("ix_debit_announced", "tenant_id", "execute_on", postgresql_where=text("state = 'announced'")),
    )


class DebitTryRow(CommunityRow):
    """One try of one day: its key makes it once, its attempt is the one order that was sent."""

    __tablename__ = "debit_try"

    debit_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    attempt_id: Mapped[UUID]

    __table_args__ = (
        ForeignKeyConstraint(_DEBIT_KEY, _DEBIT),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "attempt_id"],
            ["payment_attempt.tenant_id", "payment_attempt.community_id", "payment_attempt.attempt_id"],
        ),
        UniqueConstraint("tenant_id", "attempt_id"),
        table_flags(append_only=True),
    )


class DebitLeaseRow(CommunityRow):
    """That the money of a bill in one book is spoken for by an undecided amount; gone when that is decided."""

    __tablename__ = "debit_lease"

    bill_id: Mapped[UUID] = mapped_column(primary_key=True)
    legal_entity_id: Mapped[UUID] = mapped_column(primary_key=True)
    fund_class: Mapped[FundClass] = mapped_column(primary_key=True)
    debit_id: Mapped[UUID]

    __table_args__ = (
        ForeignKeyConstraint(_DEBIT_KEY, _DEBIT),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "bill_id"], ["bill.tenant_id", "bill.community_id", "bill.bill_id"]
        ),
        Index("ix_debit_lease_debit", "tenant_id", "debit_id"),
    )
