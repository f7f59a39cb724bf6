"""Named queries over the rows of tax invoices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.invoices.tables import InvoiceAccountRow, TaxInvoiceRow
from cloud.invoices.values import Colour, InvoiceState
from common.ids import CommunityId


async def invoice_accounts(session: AsyncSession) -> Sequence[InvoiceAccountRow]:
    """Return the company's accounts, the newest first."""
    rows = await session.scalars(select(InvoiceAccountRow).order_by(InvoiceAccountRow.opened_at.desc()))
    return rows.all()


async def invoice_account(session: AsyncSession, invoice_account_id: UUID) -> InvoiceAccountRow | None:
    """Return an account."""
    return await session.scalar(
        select(InvoiceAccountRow).where(InvoiceAccountRow.invoice_account_id == invoice_account_id)
    )


async def open_account_of(session: AsyncSession, legal_entity_id: UUID) -> InvoiceAccountRow | None:
    """Return the open account of a legal person."""
    return await session.scalar(
        select(InvoiceAccountRow).where(
            InvoiceAccountRow.legal_entity_id == legal_entity_id, InvoiceAccountRow.closed_at.is_(None)
        )
    )


async def invoice(session: AsyncSession, invoice_id: UUID, *, lock: bool = False) -> TaxInvoiceRow | None:
    """Return an invoice, held until the unit ends where `lock` says so."""
    query = select(TaxInvoiceRow).where(TaxInvoiceRow.invoice_id == invoice_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(query)


async def invoice_at(session: AsyncSession, number: str) -> TaxInvoiceRow | None:
    """Return the invoice that the tax administration knows by a number."""
    return await session.scalar(select(TaxInvoiceRow).where(TaxInvoiceRow.number == number))


async def invoices_of_bill(session: AsyncSession, bill_id: UUID) -> Sequence[TaxInvoiceRow]:
    """Return the invoices of a bill, oldest first."""
    rows = await session.scalars(
        select(TaxInvoiceRow)
        .where(TaxInvoiceRow.bill_id == bill_id)
        .order_by(TaxInvoiceRow.requested_at, TaxInvoiceRow.invoice_id)
    )
    return rows.all()


async def invoices_of_accounts(
    session: AsyncSession, account_ids: Collection[UUID], limit: int
) -> Sequence[TaxInvoiceRow]:
    """Return invoices of some accounts, the newest first."""
    rows = await session.scalars(
        select(TaxInvoiceRow)
        .where(TaxInvoiceRow.account_id.in_(account_ids))
        .order_by(TaxInvoiceRow.requested_at.desc(), TaxInvoiceRow.invoice_id.desc())
        .limit(limit)
    )
    return rows.all()


async def invoices_in(session: AsyncSession, community_id: CommunityId, limit: int) -> Sequence[TaxInvoiceRow]:
    """Return invoices of a community, the newest first."""
    rows = await session.scalars(
        select(TaxInvoiceRow)
        .where(TaxInvoiceRow.community_id == community_id)
        .order_by(TaxInvoiceRow.requested_at.desc(), TaxInvoiceRow.invoice_id.desc())
        .limit(limit)
    )
    return rows.all()


async def bills_issued_for(session: AsyncSession, account_id: UUID | None = None) -> Sequence[UUID]:
    """Return the bills over which an invoice was issued: of the company, or of one account."""
    query = select(TaxInvoiceRow.bill_id).where(
        TaxInvoiceRow.colour == Colour.BLUE, TaxInvoiceRow.state == InvoiceState.ISSUED
    )
    if account_id is not None:
        query = query.where(TaxInvoiceRow.account_id == account_id)
    return sorted(set((await session.scalars(query)).all()))
