"""A seller's accounts at its tax platform: one open for each legal person, the secret sealed, all checked when added.

Opening another closes the one before; invoices that it has in hand are still asked about with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.invoices import repository
from cloud.invoices.rules import is_credit_code
from cloud.invoices.tables import InvoiceAccountRow
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from common.errors import RefusalError
from common.ids import LegalEntityId, TenantId

TEXT_LENGTH_MAX = 200
_KEY = re.compile(r"[A-Za-z0-9_-]{4,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvoiceAccount:
    """An account as the platform issued it; `with_agency` says that what is collected for others is invoiced too."""

    legal_entity_id: LegalEntityId
    tax_number: str
    app_key: str
    secret: str = field(repr=False)
    drawer: str
    with_agency: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceAccount:
    """An account with its secret sealed."""

    tenant_id: TenantId
    invoice_account_id: UUID
    legal_entity_id: LegalEntityId
    tax_number: str
    app_key: str
    drawer: str
    with_agency: bool
    secret_sealed: bytes = field(repr=False)
    is_open: bool


async def open_account(unit: Unit, box: SecretBox, new: NewInvoiceAccount) -> UUID:
    """Open an account of a legal person and close the one before it.

    Raises:
        NotFoundError: there is no such legal person.
        RefusalError: something is missing or cannot be.
    """
    _check(new)
    if new.legal_entity_id not in await estate.entity_names(unit.session):
        raise NotFoundError("there is no such legal person")
    before = await repository.open_account_of(unit.session, new.legal_entity_id)
    if before is not None:
        before.closed_at = unit.now
        await unit.session.flush()
    account_id = unit.new_id()
    unit.session.add(
        InvoiceAccountRow(
            tenant_id=unit.tenant,
            invoice_account_id=account_id,
            legal_entity_id=new.legal_entity_id,
            app_key=new.app_key,
            tax_number=new.tax_number,
            drawer=new.drawer,
            with_agency=new.with_agency,
            secret_sealed=box.seal(unit.tenant, _purpose(account_id), new.secret.encode()),
            opened_at=unit.now,
        )
    )
    unit.record("opened", "invoice_account", account_id, after={"legal_entity_id": str(new.legal_entity_id)})
    return account_id


async def close_account(unit: Unit, invoice_account_id: UUID) -> None:
    """Close an account; nothing more is asked for with it.

    Raises:
        NotFoundError: there is no such account.
    """
    row = await repository.invoice_account(unit.session, invoice_account_id)
    if row is None:
        raise NotFoundError("there is no such invoice account")
    row.closed_at = row.closed_at or unit.now
    unit.record("closed", "invoice_account", invoice_account_id)


async def accounts(session: AsyncSession) -> Sequence[InvoiceAccount]:
    """Return the company's accounts, open ones first."""
    found = [_account(row) for row in await repository.invoice_accounts(session)]
    return sorted(found, key=lambda one: not one.is_open)


async def account(session: AsyncSession, invoice_account_id: UUID) -> InvoiceAccount:
    """Return an account.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.invoice_account(session, invoice_account_id)
    if row is None:
        raise NotFoundError("there is no such invoice account")
    return _account(row)


async def account_of(session: AsyncSession, legal_entity_id: LegalEntityId) -> InvoiceAccount | None:
    """Return the open account of a legal person, or None where it issues no invoices with us."""
    row = await repository.open_account_of(session, legal_entity_id)
    return None if row is None else _account(row)


def secret_of(box: SecretBox, account: InvoiceAccount) -> str:
    """Return the secret of an account, opened."""
    return box.open(account.tenant_id, _purpose(account.invoice_account_id), account.secret_sealed).decode()


def _check(new: NewInvoiceAccount) -> None:
    if any(len(text) > TEXT_LENGTH_MAX or not text.isprintable() for text in (new.secret, new.drawer)):
        raise RefusalError(f"each field has one line of at most {TEXT_LENGTH_MAX} characters")
    if not new.secret or not new.drawer:
        raise RefusalError("请填写密钥与开票员; the account needs its secret and who draws the invoices")
    if _KEY.fullmatch(new.app_key) is None:
        raise RefusalError("AppKey 有误; the platform's key has 4 to 64 letters and digits")
    if not is_credit_code(new.tax_number):
        raise RefusalError("销方税号有误; the seller's tax number does not fit its check symbol")


def _account(row: InvoiceAccountRow) -> InvoiceAccount:
    return InvoiceAccount(
        tenant_id=row.tenant_id,
        invoice_account_id=row.invoice_account_id,
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        tax_number=row.tax_number,
        app_key=row.app_key,
        drawer=row.drawer,
        with_agency=row.with_agency,
        secret_sealed=row.secret_sealed,
        is_open=row.closed_at is None,
    )


def _purpose(account_id: UUID) -> str:
    return f"invoice_account:{account_id}"
