"""Red letters: what takes an issued invoice back, asked for by a person or because the money went back.

A red letter never takes more than its invoice says, those on their way counted. Whenever money of an invoiced bill
went back, or a correction lowered what was charged, the difference is taken back without being asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from cloud.billing import service as billing
from cloud.invoices import repository, rules, service
from cloud.invoices.tables import TaxInvoiceRow
from cloud.invoices.values import Colour, Invoice, InvoiceLine, InvoiceState, RedReason
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.kit.secretbox import SecretBox
from cloud.ledger import moves
from cloud.ledger.journals import LineRef
from common.ids import AccountId, BillId


async def take_back(unit: Unit, box: SecretBox, red_id: UUID, blue_id: UUID, reason: RedReason) -> Invoice:
    """Take back all that is left of an issued invoice; the same id again is the same red letter.

    Raises:
        NotFoundError: there is no such invoice.
        ConflictError: it is not issued, nothing of it is left, or the id stands for something else.
    """
    blue = await service.locked(unit, blue_id)
    await billing.lock_accounts(unit, [AccountId(blue.account_id)])
    known = await repository.invoice(unit.session, red_id)
    if known is not None:
        if (known.blue_id, known.reason) != (blue_id, reason):
            raise ConflictError("this red letter was asked for with other content; nothing was changed, begin anew")
        return service.invoice_of(known)
    if blue.colour is not Colour.BLUE or blue.state is not InvoiceState.ISSUED:
        raise ConflictError("只有已开具的蓝字发票可以红冲; only an issued invoice is taken back")
    invoices = await service.of_bill(unit.session, BillId(blue.bill_id))
    lines = rules.left_of(service.invoice_of(blue), invoices)
    if not lines:
        raise ConflictError("该发票已全额红冲; nothing of this invoice is left to take back")
    return await _begin(unit, box, red_id, (blue, lines), reason)


async def follow(unit: Unit, box: SecretBox, bill_id: BillId, *, by_hand: bool = False) -> tuple[Invoice, ...]:
    """Take back what of a bill is invoiced above what is paid, and return the red letters; mostly there are none.

    By hand, what was refused before is tried anew.
    """
    view = await billing.bill(unit.session, bill_id)
    await billing.lock_accounts(unit, [view.account.account_id])
    invoices = await service.of_bill(unit.session, bill_id)
    lines = [LineRef(bill_id=bill_id, n=one.n) for one in view.lines]
    moved = await moves.moves_of(unit.session, lines)
    paid = {ref: rules.paid_fen(told) for ref, told in moved.items()}
    begun: list[Invoice] = []
    for blue, taken in rules.too_much(paid, invoices, by_hand=by_hand):
        row = await service.locked(unit, blue.invoice_id)
        begun.append(await _begin(unit, box, unit.new_id(), (row, taken), RedReason.RETURNED))
    return tuple(begun)


async def _begin(
    unit: Unit, box: SecretBox, red_id: UUID, taken: tuple[TaxInvoiceRow, Sequence[InvoiceLine]], reason: RedReason
) -> Invoice:
    blue, lines = taken
    row = TaxInvoiceRow(
        tenant_id=unit.tenant,
        community_id=blue.community_id,
        invoice_id=red_id,
        account_id=blue.account_id,
        bill_id=blue.bill_id,
        legal_entity_id=blue.legal_entity_id,
        invoice_account_id=blue.invoice_account_id,
        colour=Colour.RED,
        kind=blue.kind,
        blue_id=blue.invoice_id,
        reason=reason,
        title_sealed=service.sealed(box, unit.tenant, red_id, service.title_of(box, blue)),
        shown=blue.shown,
    )
    return await service.begin(unit, row, lines)
