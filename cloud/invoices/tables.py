"""The rows of tax invoices: a seller's account at its tax platform, and each invoice, blue or red.

The seller's secret and the buyer's title are sealed with the key from outside the database; beside them stands only
what may be shown. What an invoice was asked to say never changes; its state does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.invoices.values import Colour, InvoiceKind, InvoiceState, RedReason
from cloud.kit.tables import CommunityRow, Fen, TenantRow


class InvoiceAccountRow(TenantRow):
    """A legal person's account at its tax platform; one is open for each."""

    __tablename__ = "invoice_account"

    invoice_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    legal_entity_id: Mapped[UUID]
    app_key: Mapped[str]
    tax_number: Mapped[str]
    drawer: Mapped[str]
    with_agency: Mapped[bool]
    secret_sealed: Mapped[bytes]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "legal_entity_id"], ["legal_entity.tenant_id", "legal_entity.legal_entity_id"]
        ),
        Index(
            "uq_invoice_account_open",
            "tenant_id",
            "legal_entity_id",
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
    )


class TaxInvoiceRow(CommunityRow):
    """An invoice over what was paid of a bill, or a red letter that takes one back in whole or in part."""

    __tablename__ = "tax_invoice"

    invoice_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    bill_id: Mapped[UUID]
    legal_entity_id: Mapped[UUID]
    invoice_account_id: Mapped[UUID]
    colour: Mapped[Colour]
    kind: Mapped[InvoiceKind]
    blue_id: Mapped[UUID | None]
    reason: Mapped[RedReason | None]
    order_number: Mapped[str]
    title_sealed: Mapped[bytes]
    shown: Mapped[str]
    lines: Mapped[list[Any]]
    total_fen: Mapped[Fen]
    net_fen: Mapped[Fen]
    state: Mapped[InvoiceState]
    attempts: Mapped[int]
    asked: Mapped[int]
    number: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    file_url: Mapped[str]
    detail: Mapped[str]
    requested_at: Mapped[datetime]
    requested_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "bill_id"], ["bill.tenant_id", "bill.community_id", "bill.bill_id"]
        ),
        ForeignKeyConstraint(
            ["tenant_id", "invoice_account_id"],
            ["invoice_account.tenant_id", "invoice_account.invoice_account_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "blue_id"],
            ["tax_invoice.tenant_id", "tax_invoice.community_id", "tax_invoice.invoice_id"],
        ),
        UniqueConstraint("tenant_id", "order_number"),
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("total_fen > 0 and net_fen >= 0 and net_fen <= total_fen", name="amounts"),
        CheckConstraint("(colour = 'red') = (blue_id is not null)", name="red_takes_a_blue"),
        CheckConstraint("(colour = 'red') = (reason is not null)", name="red_has_reason"),
        CheckConstraint("(state = 'issued') = (number is not null)", name="issued_has_number"),
        CheckConstraint("(state in ('issued', 'refused')) = (ended_at is not null)", name="ended_has_time"),
        Index("ix_tax_invoice_bill", "tenant_id", "bill_id"),
        Index("ix_tax_invoice_account", "tenant_id", "account_id", "requested_at"),
        Index("ix_tax_invoice_community", "tenant_id", "community_id", "requested_at"),
    )
