"""The jobs of tax invoices: hand over, ask until it is decided, and take back what is no longer paid.

Handing over commits its intent first. Whoever finds an invoice on its way without knowing how it ended asks, and
never hands it over again; a refusal is believed only when the platform, asked, has no such invoice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from uuid import UUID

from cloud.estate import service as estate
from cloud.invoices import answers, reds, repository, service
from cloud.invoices import seller_accounts as accounts
from cloud.invoices.answers import FOLLOW, follow_job
from cloud.invoices.issuers import Issuers
from cloud.invoices.providers.values import AskOutcome, BlueOrder, Issuer, NeverCame, RedOrder, SendOutcome
from cloud.invoices.service import ASK, SEND
from cloud.invoices.tables import TaxInvoiceRow
from cloud.invoices.values import ASKED, Colour, InvoiceState
from cloud.kit.calls import Refused
from cloud.kit.jobs import NewJob
from cloud.kit.runner import Handler, JobContext
from cloud.kit.schedules import Schedule
from cloud.refunds.events import RefundMoved
from common.errors import InvariantError
from common.ids import BillId

LOOK = "invoices.look"
SCHEDULE = Schedule(name="invoices", kind=LOOK, at=time(2, 30))


def refund_job(event: RefundMoved) -> NewJob:
    """Return the job that looks at an account's invoices when a refund has moved."""
    return NewJob(
        kind=LOOK,
        key=f"{LOOK}:refund:{event.refund_id}:{event.state}",
        payload={"account_id": str(event.account_id), "cause": f"refund:{event.refund_id}:{event.state}"},
    )


class InvoiceTasks:
    """The handlers of invoice jobs, with the clients they call."""

    def __init__(self, issuers: Issuers) -> None:
        self._issuers = issuers

    def handlers(self) -> Mapping[str, Handler]:
        """Return who does which kind of invoice job."""
        return {SEND: self.send, ASK: self.ask, FOLLOW: self.follow, LOOK: self.look}

    async def send(self, context: JobContext) -> None:
        """Commit that an invoice is being handed over, hand it over, and note what came of it."""
        invoice_id = _invoice_id(context)
        issuer, row, blue = await self._read(context, invoice_id)
        if row.state is InvoiceState.SENDING:
            outcome = await _asked(issuer, row)
            async with context.finishing_unit() as unit:
                await answers.note_asked(unit, invoice_id, outcome)
            return
        if row.state is not InvoiceState.REQUESTED:
            return
        async with context.unit() as unit:
            await answers.note_sending(unit, invoice_id)
        sent = await self._hand_over(context, issuer, row, blue)
        if isinstance(sent, Refused):
            proof = await _asked(issuer, row)
            if not isinstance(proof, NeverCame):
                async with context.finishing_unit() as unit:
                    await answers.note_asked(unit, invoice_id, proof)
                return
        async with context.finishing_unit() as unit:
            await answers.note_sent(unit, invoice_id, sent)

    async def ask(self, context: JobContext) -> None:
        """Ask what became of an invoice and note the answer."""
        issuer, row, _ = await self._read(context, _invoice_id(context))
        if row.state not in ASKED:
            return
        outcome = await _asked(issuer, row)
        async with context.finishing_unit() as unit:
            await answers.note_asked(unit, row.invoice_id, outcome)

    async def follow(self, context: JobContext) -> None:
        """Take back what of a bill is invoiced above what is paid."""
        async with context.finishing_unit() as unit:
            await reds.follow(unit, self._issuers.box, BillId(UUID(str(context.job.payload["bill_id"]))))

    async def look(self, context: JobContext) -> None:
        """Have every invoiced bill looked at: of one account after a refund, of the company each night."""
        payload = context.job.payload
        account = payload.get("account_id")
        cause = str(payload.get("cause") or payload.get("day"))
        async with context.view() as session:
            bills = await repository.bills_issued_for(session, None if account is None else UUID(str(account)))
        if not bills:
            return
        async with context.finishing_unit() as unit:
            for bill_id in bills:
                unit.enqueue(follow_job(bill_id, cause))

    async def _read(self, context: JobContext, invoice_id: UUID) -> tuple[Issuer, TaxInvoiceRow, TaxInvoiceRow | None]:
        async with context.view() as session:
            row = await repository.invoice(session, invoice_id)
            if row is None:
                raise InvariantError("a job names an invoice that stands in the book")
            blue = None if row.blue_id is None else await repository.invoice(session, row.blue_id)
            account = await accounts.account(session, row.invoice_account_id)
            names = await estate.entity_names(session)
        return self._issuers.of(account, names.get(account.legal_entity_id, "")), row, blue

    async def _hand_over(
        self, context: JobContext, issuer: Issuer, row: TaxInvoiceRow, blue: TaxInvoiceRow | None
    ) -> SendOutcome:
        invoice, title = service.invoice_of(row), service.title_of(self._issuers.box, row)
        if row.colour is Colour.BLUE:
            order = BlueOrder(
                number=row.order_number,
                kind=row.kind,
                title=title,
                lines=invoice.lines,
                remark="",
                at=context.database.clock.now(),
            )
            return await issuer.issue(order)
        if blue is None or blue.number is None or row.reason is None:
            raise InvariantError("a red letter has its reason, and takes back an invoice that was issued")
        return await issuer.take_back(
            RedOrder(
                number=row.order_number,
                blue_number=blue.number,
                kind=row.kind,
                title=title,
                reason=row.reason,
                lines=invoice.lines,
                whole=blue.total_fen == row.total_fen,
            )
        )


async def _asked(issuer: Issuer, row: TaxInvoiceRow) -> AskOutcome:
    asked = issuer.ask if row.colour is Colour.BLUE else issuer.ask_red
    return await asked(row.order_number)


def _invoice_id(context: JobContext) -> UUID:
    return UUID(str(context.job.payload["invoice_id"]))
