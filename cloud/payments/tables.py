"""The rows of payments, and what the database itself refuses.

A merchant account belongs to one legal entity and one fund class; intents, attempts and payments carry both and point
at their account by all of it, so money of another entity or fund is a foreign-key error. One receipt for one channel
transaction and one for one attempt, by unique keys. Payments are only ever added.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Fen, TenantRow, table_flags
from cloud.payments.channel import Channel, Method
from cloud.payments.channels.provider import PromptKind
from cloud.payments.rules import AttemptState
from cloud.tariffs.charge import FundClass

_MERCHANT_KEY = ["tenant_id", "merchant_account_id", "legal_entity_id", "fund_class"]
_MERCHANT = [f"merchant_account.{name}" for name in _MERCHANT_KEY]
_INTENT_KEY = ["tenant_id", "community_id", "intent_id", "legal_entity_id", "fund_class"]
_INTENT = [f"payment_intent.{name}" for name in _INTENT_KEY]
_ACCOUNT_KEY = ["tenant_id", "community_id", "account_id"]
_ACCOUNT = ["account.tenant_id", "account.community_id", "account.account_id"]
_SHIFT_KEY = ["tenant_id", "community_id", "cash_shift_id"]
_SHIFT = ["cash_shift.tenant_id", "cash_shift.community_id", "cash_shift.cash_shift_id"]


class Received(StrEnum):
    """What became of a notification; `differs` and `not_ours` opened a case, `repeated` stores nothing."""

    STORED = "stored"
    REPEATED = "repeated"
    NOT_OURS = "not_ours"
    DIFFERS = "differs"


class MerchantAccountRow(TenantRow):
    """A merchant account at a channel: one legal entity, one fund class; its secrets are sealed."""

    __tablename__ = "merchant_account"

    merchant_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[FundClass]
    channel: Mapped[Channel]
    label: Mapped[str]
    merchant_number: Mapped[str]
    app_id: Mapped[str]
    merchant_serial: Mapped[str]
    channel_keys: Mapped[list[Any]]
    secrets_sealed: Mapped[bytes]
    notify_token: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "legal_entity_id"], ["legal_entity.tenant_id", "legal_entity.legal_entity_id"]
        ),
        UniqueConstraint(*_MERCHANT_KEY, name="uq_merchant_account_owner"),
        UniqueConstraint("tenant_id", "channel", "merchant_number", "app_id"),
        UniqueConstraint("tenant_id", "notify_token"),
        Index(
            "uq_merchant_account_open",
            "tenant_id",
            "legal_entity_id",
            "fund_class",
            "channel",
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
    )


class PaymentIntentRow(CommunityRow):
    """That somebody wants to pay something of one account into one book; `bill_ids` empty means all that is open."""

    __tablename__ = "payment_intent"

    intent_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[FundClass]
    bill_ids: Mapped[list[Any]]
    amount_fen: Mapped[Fen]
    created_at: Mapped[datetime]
    collection_id: Mapped[UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(_ACCOUNT_KEY, _ACCOUNT),
        UniqueConstraint(*_INTENT_KEY, name="uq_payment_intent_book"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index("ix_payment_intent_account", "tenant_id", "account_id"),
        table_flags(append_only=True),
    )


class PaymentAttemptRow(CommunityRow):
    """One order at one channel: its own number and exactly one amount, both frozen."""

    __tablename__ = "payment_attempt"

    attempt_id: Mapped[UUID] = mapped_column(primary_key=True)
    intent_id: Mapped[UUID]
    merchant_account_id: Mapped[UUID]
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[FundClass]
    order_number: Mapped[str]
    amount_fen: Mapped[Fen]
    currency: Mapped[str]
    state: Mapped[AttemptState]
    method: Mapped[Method]
    code_url: Mapped[str | None]
    prompt: Mapped[PromptKind | None]
    prompt_fields: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    asked: Mapped[int]
    asked_at: Mapped[datetime | None]
    detail: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(_INTENT_KEY, _INTENT, name="fk_payment_attempt_intent"),
        ForeignKeyConstraint(_MERCHANT_KEY, _MERCHANT, name="fk_payment_attempt_merchant_account"),
        UniqueConstraint("tenant_id", "order_number"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("state <> 'sent' or code_url is not null", name="sent_has_code"),
        Index("ix_payment_attempt_intent", "tenant_id", "intent_id"),
        Index(
            "ix_payment_attempt_open",
            "tenant_id",
            "expires_at",
            postgresql_where=text("state in ('created', 'sent', 'unknown')"),
        ),
    )


class PaymentRow(CommunityRow):
    """A receipt: money that truly arrived, booked once. What it settled stands in its journal."""

    __tablename__ = "payment"

    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[FundClass]
    channel: Mapped[Channel]
    amount_fen: Mapped[Fen]
    ahead_fen: Mapped[Fen]
    currency: Mapped[str]
    paid_at: Mapped[datetime]
    booked_at: Mapped[datetime]
    number: Mapped[str]
    journal_id: Mapped[UUID]
    merchant_account_id: Mapped[UUID | None]
    attempt_id: Mapped[UUID | None]
    order_number: Mapped[str | None]
    transaction_id: Mapped[str | None]
    cash_shift_id: Mapped[UUID | None]
    tendered_fen: Mapped[Fen | None]
    method: Mapped[Method]
    sub_method: Mapped[str]
    bank_line_id: Mapped[UUID | None]
    collection_id: Mapped[UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(_ACCOUNT_KEY, _ACCOUNT),
        ForeignKeyConstraint(_MERCHANT_KEY, _MERCHANT, name="fk_payment_merchant_account"),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "attempt_id"],
            ["payment_attempt.tenant_id", "payment_attempt.community_id", "payment_attempt.attempt_id"],
        ),
        ForeignKeyConstraint(_SHIFT_KEY, _SHIFT),
        UniqueConstraint("tenant_id", "merchant_account_id", "transaction_id", name="uq_payment_transaction"),
        UniqueConstraint("tenant_id", "attempt_id"),
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("amount_fen > 0 and ahead_fen between 0 and amount_fen", name="amounts"),
        CheckConstraint("channel <> 'cash' or cash_shift_id is not null", name="cash_names_shift"),
        CheckConstraint(
            "(channel in ('wechat', 'alipay', 'unionpay')) = (attempt_id is not null)", name="online_names_attempt"
        ),
        CheckConstraint(
            "channel in ('cash', 'bank') or (transaction_id is not null and merchant_account_id is not null"
            " and order_number is not null)",
            name="channel_names_order",
        ),
        CheckConstraint("(channel = 'bank') = (bank_line_id is not null)", name="transfer_names_line"),
        UniqueConstraint("tenant_id", "bank_line_id"),
        CheckConstraint("tendered_fen is null or tendered_fen >= amount_fen", name="tendered_enough"),
        Index("ix_payment_account", "tenant_id", "account_id", "paid_at"),
        Index("ix_payment_day", "tenant_id", "merchant_account_id", "paid_at"),
        Index("ix_payment_order", "tenant_id", "merchant_account_id", "order_number"),
        Index("ix_payment_collection", "tenant_id", "collection_id"),
        table_flags(append_only=True),
    )


class CardSlipRow(CommunityRow):
    """What the slip of a card payment says; of the card itself only the last four digits."""

    __tablename__ = "card_slip"

    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    terminal: Mapped[str]
    batch: Mapped[str]
    voucher: Mapped[str]
    reference: Mapped[str]
    card_tail: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "payment_id"],
            ["payment.tenant_id", "payment.community_id", "payment.payment_id"],
        ),
        CheckConstraint("length(card_tail) = 4", name="no_more_than_the_tail"),
        table_flags(append_only=True),
    )


class RemittanceCodeRow(CommunityRow):
    """The short code that a payer writes beside a bank transfer, so that it is known whose it is."""

    __tablename__ = "remittance_code"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(_ACCOUNT_KEY, _ACCOUNT),
        UniqueConstraint("tenant_id", "code"),
        table_flags(append_only=True),
    )


class NotificationRow(TenantRow):
    """A notification as it came, sealed: its signature held, its own id is taken once."""

    __tablename__ = "notification"

    notification_id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_account_id: Mapped[UUID]
    event_id: Mapped[str]
    event_type: Mapped[str]
    order_number: Mapped[str]
    body_sealed: Mapped[bytes]
    received_at: Mapped[datetime]
    outcome: Mapped[Received]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "merchant_account_id"],
            ["merchant_account.tenant_id", "merchant_account.merchant_account_id"],
        ),
        UniqueConstraint("tenant_id", "merchant_account_id", "event_id"),
        Index("ix_notification_order", "tenant_id", "order_number"),
        table_flags(append_only=True),
    )


class CashBoxRow(CommunityRow):
    """A cash box of a community: it holds the money of one legal entity and one fund class."""

    __tablename__ = "cash_box"

    cash_box_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    legal_entity_id: Mapped[UUID]
    fund_class: Mapped[FundClass]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        ForeignKeyConstraint(
            ["tenant_id", "legal_entity_id"], ["legal_entity.tenant_id", "legal_entity.legal_entity_id"]
        ),
        UniqueConstraint("tenant_id", "community_id", "name"),
        table_flags(append_only=True),
    )


class CashShiftRow(CommunityRow):
    """A cashier's time at a box: opened with a count, closed with a count, the difference booked with its reason."""

    __tablename__ = "cash_shift"

    cash_shift_id: Mapped[UUID] = mapped_column(primary_key=True)
    cash_box_id: Mapped[UUID]
    cashier_id: Mapped[UUID]
    opened_at: Mapped[datetime]
    opening_fen: Mapped[Fen]
    closed_at: Mapped[datetime | None]
    expected_fen: Mapped[Fen | None]
    counted_fen: Mapped[Fen | None]
    reason: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "cash_box_id"],
            ["cash_box.tenant_id", "cash_box.community_id", "cash_box.cash_box_id"],
        ),
        CheckConstraint("opening_fen >= 0 and counted_fen >= 0", name="counts_not_negative"),
        CheckConstraint(
            "(closed_at is null) = (counted_fen is null) and (closed_at is null) = (expected_fen is null)",
            name="closed_is_counted",
        ),
        CheckConstraint(
            "closed_at is null or counted_fen = expected_fen or reason <> ''", name="difference_has_reason"
        ),
        Index(
            "uq_cash_shift_open",
            "tenant_id",
            "community_id",
            "cash_box_id",
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
        Index(
            "uq_cash_shift_cashier", "tenant_id", "cashier_id", unique=True, postgresql_where=text("closed_at is null")
        ),
    )


class CashPayoutRow(CommunityRow):
    """Cash handed out of a box in a shift, such as a refund; the id is that of what was paid out."""

    __tablename__ = "cash_payout"

    payout_id: Mapped[UUID] = mapped_column(primary_key=True)
    cash_shift_id: Mapped[UUID]
    amount_fen: Mapped[Fen]
    paid_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(_SHIFT_KEY, _SHIFT),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index("ix_cash_payout_shift", "tenant_id", "cash_shift_id"),
        table_flags(append_only=True),
    )


class PayLinkRow(CommunityRow):
    """Our own cashier address of a bill: a random token that a printed QR carries, until it is revoked."""

    __tablename__ = "pay_link"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    token: Mapped[str]
    account_id: Mapped[UUID]
    bill_id: Mapped[UUID]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(_ACCOUNT_KEY, _ACCOUNT),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "bill_id"], ["bill.tenant_id", "bill.community_id", "bill.bill_id"]
        ),
        CheckConstraint("length(token) >= 22", name="token_long_enough"),
        Index(
            "uq_pay_link_bill",
            "tenant_id",
            "community_id",
            "bill_id",
            unique=True,
            postgresql_where=text("revoked_at is null"),
        ),
    )
