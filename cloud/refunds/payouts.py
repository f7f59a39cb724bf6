"""Payouts of refunds by bank: for what a channel no longer takes back, and what never came through one.

Two persons have approved it already (another route always needs two). Somebody then transfers at the bank and writes
down the bank's reference: sent is not arrived. It has arrived when the bank's statement shows the debit: by itself when
the line names the transfer and somebody else imported it, else a person who did not send it confirms. A transfer that
came back puts the money back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.kit.secretbox import SecretBox
from cloud.ledger.accounts import Book
from cloud.refunds import moving, repository, settling
from cloud.refunds.errors import RefundStateError
from cloud.refunds.rules import RefundRoute, RefundState
from cloud.refunds.tables import RefundRow
from cloud.refunds.values import Payout, Refund, refund_of
from common.errors import RefusalError
from common.ids import CommunityId, TenantId

_NUMBER = re.compile(r"[0-9]{8,32}", re.ASCII)
_REFERENCE_MAX = 64
_REFERENCE_SURE = 6
_FORMULA = ("=", "+", "-", "@")
LISTED_MAX = 500
OPEN_STATES = (RefundState.RESERVED, RefundState.SUBMITTED)


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
        if not self.name.isprintable() or self.name.strip().startswith(_FORMULA):
            raise RefusalError("this is no name that a bank has; write it as it stands on the payee's card")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPayout:
    """A payout that is due or on its way, with its payee: only for who transfers it, or masked."""

    refund: Refund
    payee: Payee
    sent_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """One of our bank accounts, and the book whose money it holds."""

    bank_account_id: UUID
    book: Book


def payout(box: SecretBox, tenant: TenantId, refund_id: UUID, purse: Purse, payee: Payee) -> Payout:
    """Return a payout with its payee sealed."""
    told = json.dumps({"name": payee.name.strip(), "number": payee.number.replace(" ", "")}, ensure_ascii=False)
    sealed = box.seal(tenant, _purpose(refund_id), told.encode())
    return Payout(bank_account_id=purse.bank_account_id, book=purse.book, payee_sealed=sealed)


def payee_of(box: SecretBox, unit: Unit, row: RefundRow) -> Payee:
    """Return who is paid; that it was looked at is written down."""
    unit.record("payee seen", "refund", row.refund_id)
    return _opened(box, unit.tenant, row)


async def listed(
    session: AsyncSession, box: SecretBox, tenant: TenantId, community_id: CommunityId
) -> tuple[OpenPayout, ...]:
    """Return what is due or on its way in a community, the oldest first; whoever shows it masks the payees."""
    rows = await repository.refunds_in(session, community_id, OPEN_STATES, LISTED_MAX)
    return tuple(
        OpenPayout(refund=refund_of(row), payee=_opened(box, tenant, row), sent_by=row.sent_by)
        for row in rows
        if row.route is RefundRoute.BANK
    )


async def to_transfer(unit: Unit, box: SecretBox, bank_account_id: UUID, of: CommunityId) -> Sequence[OpenPayout]:
    """Return what is due from a bank account, for a file to the bank; that each payee was seen is written down."""
    found = [
        one
        for one in await listed(unit.session, box, unit.tenant, of)
        if one.refund.bank_account_id == bank_account_id and one.refund.state is RefundState.RESERVED
    ]
    for one in found:
        unit.record("payee seen", "refund", one.refund.refund_id)
    return found


async def show(unit: Unit, box: SecretBox, refund_id: UUID) -> Payee:
    """Return to whom a reserved payout goes, for the person who transfers it.

    Raises:
        UnknownRefundError: the company has no such refund.
        RefundStateError: it is no payout that waits for its transfer.
    """
    row = await _payout(unit, refund_id, RefundState.RESERVED, "transferred")
    return payee_of(box, unit, row)


async def sent(unit: Unit, refund_id: UUID, *, reference: str) -> Refund:
    """Note that the acting person transferred a payout at the bank, with the bank's reference; again is nothing.

    Raises:
        UnknownRefundError: the company has no such refund.
        RefundStateError: it is no payout that waits for its transfer.
        RefusalError: there is no reference.
    """
    if not 0 < len(reference.strip()) <= _REFERENCE_MAX:
        raise RefusalError("a transfer has the bank's reference; write it down as the bank shows it")
    known = await moving.locked(unit, refund_id)
    if known.state is RefundState.SUBMITTED and known.payout_reference == reference.strip():
        return refund_of(known)
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


async def left_the_bank(
    unit: Unit, bank_account_id: UUID, fen: int, told: Sequence[str], at: datetime
) -> Refund | None:
    """Confirm the one payout that a debit of a statement is, and return it; None when no line proves one.

    The line must name our refund number or the bank's reference, and the amount must be the very amount. Whoever sent
    it does not prove it himself.

    Args:
        unit: the unit of the import.
        bank_account_id: whose statement it is.
        fen: how much went, positive.
        told: what the line says: the bank's serial and its text.
        at: when it went.
    """
    fitting = [row for row in await repository.payouts_sent(unit.session, bank_account_id, fen) if _names(told, row)]
    if len(fitting) != 1 or fitting[0].sent_by == unit.actor.id:
        return None
    (row,) = fitting
    await settling.arrive(unit, row, at)
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


def _names(told: Sequence[str], row: RefundRow) -> bool:
    reference = row.payout_reference or ""
    if any(row.refund_number in text for text in told):
        return True
    return any(reference == text or (len(reference) >= _REFERENCE_SURE and reference in text) for text in told)


def _opened(box: SecretBox, tenant: TenantId, row: RefundRow) -> Payee:
    told = json.loads(box.open(tenant, _purpose(row.refund_id), row.payee_sealed or b""))
    return Payee(name=told["name"], number=told["number"])


def _purpose(refund_id: UUID) -> str:
    return f"refund_payee:{refund_id}"
