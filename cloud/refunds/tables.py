"""The rows of refunds, and what the database itself refuses.

`refund_room` holds for each payment what came in, what is on its way back and what has gone back: its check keeps
refunds within the payment, whoever asks at the same moment. A verdict is one per person, and only ever added.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Fen, table_flags
from cloud.refunds.rules import RefundRoute, RefundSource, RefundState
from cloud.tariffs.charge import FundClass

_PAYMENT_KEY = ["tenant_id", "community_id", "payment_id"]
_PAYMENT = ["payment.tenant_id", "payment.community_id", "payment.payment_id"]
_REFUND_KEY = ["tenant_id", "community_id", "refund_id"]
_REFUND = ["refund.tenant_id", "refund.community_id", "refund.refund_id"]


class RefundPolicyRow(CommunityRow):
    """One revision of a community's limits; the newest is in force."""

    __tablename__ = "refund_policy"

    rev: Mapped[int] = mapped_column(primary_key=True)
    automatic_fen: Mapped[Fen]
    automatic_day_fen: Mapped[Fen]
    automatic_age_days: Mapped[int]
    two_persons_fen: Mapped[Fen]
    deposit_automatic_fen: Mapped[Fen]
    decided_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        CheckConstraint("rev > 0", name="rev_positive"),
        CheckConstraint(
            "least(automatic_fen, automatic_day_fen, automatic_age_days, two_persons_fen, deposit_automatic_fen) >= 0",
            name="limits_not_negative",
        ),
        table_flags(append_only=True),
    )


class RefundRoomRow(CommunityRow):
    """What of a payment came in, is on its way back, and has gone back, in fen."""

    __tablename__ = "refund_room"

    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    captured_fen: Mapped[Fen]
    reserved_fen: Mapped[Fen]
    refunded_fen: Mapped[Fen]
    refunds: Mapped[int]

    __table_args__ = (
        ForeignKeyConstraint(_PAYMENT_KEY, _PAYMENT),
        CheckConstraint("reserved_fen >= 0 and refunded_fen >= 0", name="sums_not_negative"),
        CheckConstraint("reserved_fen + refunded_fen <= captured_fen", name="refunds_within_payment"),
    )


class RefundRow(CommunityRow):
    """One refund of one payment: its own number at the channel and exactly one amount, both frozen.

    `source_id` is the account or the deposit that the money is taken from; `reopened` names the bill lines that
    became open again. The reservation is a transfer of the ledger.
    """

    __tablename__ = "refund"

    refund_id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    account_id: Mapped[UUID]
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[FundClass]
    source: Mapped[RefundSource]
    source_id: Mapped[UUID]
    route: Mapped[RefundRoute]
    amount_fen: Mapped[Fen]
    currency: Mapped[str]
    reason: Mapped[str]
    state: Mapped[RefundState]
    refund_number: Mapped[str]
    merchant_account_id: Mapped[UUID | None]
    order_number: Mapped[str | None]
    transaction_id: Mapped[str | None]
    order_total_fen: Mapped[Fen]
    cash_box_id: Mapped[UUID | None]
    persons_needed: Mapped[int]
    doubts: Mapped[list[Any]]
    reopened: Mapped[list[Any]]
    requested_by: Mapped[UUID]
    requested_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    reservation_journal_id: Mapped[UUID | None]
    reservation_n: Mapped[int | None]
    submitted_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    channel_refund_id: Mapped[str | None]
    cash_shift_id: Mapped[UUID | None]
    signed_as: Mapped[str | None]
    bank_account_id: Mapped[UUID | None]
    payee_sealed: Mapped[bytes | None]
    payout_reference: Mapped[str | None]
    sent_by: Mapped[UUID | None]
    asked: Mapped[int]
    asked_at: Mapped[datetime | None]
    detail: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(_PAYMENT_KEY, _PAYMENT),
        ForeignKeyConstraint(
            ["tenant_id", "merchant_account_id", "legal_entity_id", "fund_class"],
            [
                "merchant_account.tenant_id",
                "merchant_account.merchant_account_id",
                "merchant_account.legal_entity_id",
                "merchant_account.fund_class",
            ],
            name="fk_refund_merchant_account",
        ),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "cash_box_id"],
            ["cash_box.tenant_id", "cash_box.community_id", "cash_box.cash_box_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "cash_shift_id"],
            ["cash_shift.tenant_id", "cash_shift.community_id", "cash_shift.cash_shift_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "reservation_journal_id", "reservation_n"],
            ["transfer.tenant_id", "transfer.community_id", "transfer.journal_id", "transfer.n"],
            name="fk_refund_reservation_transfer",
        ),
        UniqueConstraint("tenant_id", "refund_number"),
        CheckConstraint("amount_fen > 0 and amount_fen <= order_total_fen", name="amount_within_order"),
        CheckConstraint("persons_needed between 0 and 2", name="persons_bounded"),
        CheckConstraint("(route = 'cash') = (cash_box_id is not null)", name="cash_names_box"),
        CheckConstraint(
            "route <> 'original' or (merchant_account_id is not null and order_number is not null)",
            name="original_names_order",
        ),
        CheckConstraint(
            "(route = 'bank') = (bank_account_id is not null and payee_sealed is not null)", name="payout_names_payee"
        ),
        CheckConstraint(
            "route <> 'bank' or state not in ('submitted', 'arrived') or payout_reference <> ''",
            name="payout_is_proved",
        ),
        CheckConstraint(
            "state not in ('reserved', 'submitted', 'accepted', 'arrived') or reservation_journal_id is not null",
            name="under_way_is_reserved",
        ),
        CheckConstraint("(state = 'arrived') = (arrived_at is not null)", name="arrived_has_instant"),
        CheckConstraint(
            "route <> 'cash' or state <> 'arrived' or (cash_shift_id is not null and signed_as <> '')",
            name="cash_is_signed",
        ),
        Index("ix_refund_payment", "tenant_id", "payment_id"),
        Index("ix_refund_account", "tenant_id", "account_id", "requested_at"),
        Index("ix_refund_day", "tenant_id", "merchant_account_id", "arrived_at"),
        Index(
            "ix_refund_open",
            "tenant_id",
            "community_id",
            "requested_at",
            postgresql_where=text("state not in ('arrived', 'failed', 'rejected')"),
        ),
    )


class RefundVerdictRow(CommunityRow):
    """What one person said about a refund; he says it once."""

    __tablename__ = "refund_verdict"

    refund_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    approves: Mapped[bool]
    note: Mapped[str]
    given_at: Mapped[datetime]

    __table_args__ = (ForeignKeyConstraint(_REFUND_KEY, _REFUND), table_flags(append_only=True))
