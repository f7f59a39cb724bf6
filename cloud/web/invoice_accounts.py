"""The company's accounts at tax platforms: who issues invoices for each legal person. For who manages the company.

/invoice-accounts                 the accounts, and a form for another one
/invoice-accounts/<id>/close      close one (form); what it has in hand is still asked about
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field

from cloud.estate import service as estate
from cloud.invoices import seller_accounts as accounts
from cloud.invoices.seller_accounts import TEXT_LENGTH_MAX, NewInvoiceAccount
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.message_accounts import Keeper
from common.ids import LegalEntityId

Line = Annotated[str, Field(max_length=TEXT_LENGTH_MAX)]


class InvoiceAccountForm(BaseModel):
    """An account as the platform issued it."""

    legal_entity_id: UUID
    tax_number: Line
    app_key: Line
    secret: Line
    drawer: Line
    with_agency: bool = False

    def value(self) -> NewInvoiceAccount:
        """Return the account as a value."""
        return NewInvoiceAccount(
            legal_entity_id=LegalEntityId(self.legal_entity_id),
            tax_number=self.tax_number.strip().upper(),
            app_key=self.app_key.strip(),
            secret=self.secret.strip(),
            drawer=self.drawer.strip(),
            with_agency=self.with_agency,
        )


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of invoice accounts."""
    router = page_router()

    @router.get("/invoice-accounts")
    async def listed(request: Request, caller: Keeper) -> Response:
        """Show the accounts; a secret is never shown again."""
        async with frame.database.view(caller.tenant) as session:
            found = await accounts.accounts(session)
            names = await estate.entity_names(session)
        return frame.page(request, "manager/invoice_accounts.html", caller=caller, accounts=found, names=names)

    @router.post("/invoice-accounts")
    async def opened(caller: Keeper, form: Annotated[InvoiceAccountForm, Form()]) -> Response:
        """Open an account; the one before of the same legal person is closed."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await accounts.open_account(unit, frame.parts.secret_box, form.value())
        return see_other("/invoice-accounts", done="invoice-account")

    @router.post("/invoice-accounts/{invoice_account_id}/close")
    async def closed(invoice_account_id: UUID, caller: Keeper) -> Response:
        """Close an account."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await accounts.close_account(unit, invoice_account_id)
        return see_other("/invoice-accounts", done="invoice-account-closed")

    return router
