"""Payouts of refunds by bank: for what a channel no longer takes back, and what never came through one.

Two persons have approved it already (another route always needs two). Somebody then transfers at the bank and writes
down the bank's reference: sent is not arrived. It has arrived when the bank's statement shows the debit, which a person
who did not send it confirms; a transfer that came back puts the money back.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from uuid import UUID

from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.kit.secretbox import SecretBox
from cloud.refunds import moving, settling
from cloud.refunds.errors import RefundStateError
from cloud.refunds.rules import RefundRoute, RefundState
from cloud.refunds.tables import RefundRow
from cloud.refunds.values import Payout, Refund, refund_of
from common.errors import RefusalError
from common.ids import TenantId

_NUMBER = re.compile(r"[0-9]{8,32}", re.ASCII)
_REFERENCE_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """Who is paid: the name as his bank has it, and his account."""

    name: str = field(repr=False)
    number: str = field(repr=False)

    def __post_init__(self) -> None:
        """Check what a bank would refuse.

        Raises:
            RefusalError: there is no name, or the number is none.
        """
        if not self.name.strip() or _NUMBER.fullmatch(self.number.replace(" ", "")) is None:
            raise RefusalError("a payout needs the payee's name and an account number of 8 to 32 digits; write both")


def payout(box: SecretBox, tenant: TenantId, refund_id: UUID, bank_account_id: UUID, payee: Payee) -> Payout:
    """Return a payout with its payee sealed."""
    told = json.dumps({"name": payee.name.strip(), "number": payee.number.replace(" ", "")}, ensure_ascii=False)
    return Payout(bank_account_id=bank_account_id, payee_sealed=box.seal(tenant, _purpose(refund_id), told.encode()))


def payee_of(box: SecretBox, unit: Unit, row: RefundRow) -> Payee:
    """Return who is paid; that it was looked at is written down."""
    told = json.loads(box.open(unit.tenant, _purpose(row.refund_id), row.payee_sealed or b""))
    unit.record("payee seen", "refund", row.refund_id)
    return Payee(name=told["name"], number=told["number"])


async def show(unit: Unit, box: SecretBox, refund_id: UUID) -> Payee:
    """Return to whom a reserved payout goes, for the person who transfers it.

    Raises:
        UnknownRefundError: the company has no such refund.
        RefundStateError: it is no payout that waits for its transfer.
    """
    row = await _payout(unit, refund_id, RefundState.RESERVED, "transferred")
    return payee_of(box, unit, row)


async def sent(unit: Unit, refund_id: UUID, *, reference: str) -> Refund:
    """Note that the acting person transferred a payout at the bank, with the bank's reference.

    Raises:
        UnknownRefundError: the company has no such refund.
        RefundStateError: it is no payout that waits for its transfer.
        RefusalError: there is no reference.
    """
    if not 0 < len(reference.strip()) <= _REFERENCE_MAX:
        raise RefusalError("a transfer has the bank's reference; write it down as the bank shows it")
    row = await _payout(unit, refund_id, RefundState.RESERVED, "sent")
    row.payout_reference, row.submitted_at, row.sent_by = reference.strip(), unit.now, unit.actor.id
    await moving.move(unit, row, RefundState.SUBMITTED)
    return refund_of(row)


async def arrived(unit: Unit, refund_id: UUID) -> Refund:
    """Confirm from the bank's statement that a payout left, in the acting person's name.

    Raises:
        UnknownRefundError: the company has no such refund.
        RefundStateError: it was not sent.
        ConflictError: the person sent it himself.
    """
    row = await _payout(unit, refund_id, RefundState.SUBMITTED, "confirmed")
    if row.sent_by == unit.actor.id:
        raise ConflictError("you sent this payout yourself; somebody else confirms it from the bank's statement")
    await settling.arrive(unit, row, unit.now)
    return refund_of(row)


async def came_back(unit: Unit, refund_id: UUID, *, reason: str) -> Refund:
    """Note that the bank could not deliver a payout: the money is put back, and another way must be found.

    Raises:
        UnknownRefundError: the company has no such refund.
        RefundStateError: it is not on its way.
        RefusalError: no reason is given.
    """
    if not reason.strip():
        raise RefusalError("a payout that came back has a reason; write the bank's")
    row = await moving.locked(unit, refund_id)
    if row.route is not RefundRoute.BANK or row.state not in {RefundState.RESERVED, RefundState.SUBMITTED}:
        raise RefundStateError(row.state, "put back")
    await settling.give_up(unit, row, reason.strip())
    return refund_of(row)


async def _payout(unit: Unit, refund_id: UUID, state: RefundState, wanted: str) -> RefundRow:
    row = await moving.locked(unit, refund_id)
    if row.route is not RefundRoute.BANK or row.state is not state:
        raise RefundStateError(row.state, wanted)
    return row


def _purpose(refund_id: UUID) -> str:
    return f"refund_payee:{refund_id}"
