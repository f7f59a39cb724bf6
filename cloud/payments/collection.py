"""Taking money at the counter by any mix of means: each means is a payment of its own, joined by one collection.

A card is read by the acquirer's terminal and never touches us: the cashier copies its slip, and the acquirer's file
says later whether it is true. A code that the payer shows is sent to its channel. Cash is in `desk.py`. Whatever
arrives is booked on its own, so a means that fails leaves the others as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger.postings import clearing
from cloud.payments import booking, desk, merchants, repository
from cloud.payments.channel import Channel, Method
from cloud.payments.errors import NoMerchantAccountError
from cloud.payments.rules import check_amount
from cloud.payments.service import attempt_of
from cloud.payments.tables import CardSlipRow
from cloud.payments.values import Attempt, Payment
from common.errors import RefusalError
from common.ids import AccountId, PaymentId

_TERMINAL = re.compile(r"[0-9A-Z]{6,15}", re.ASCII)
_SIX = re.compile(r"[0-9]{1,6}", re.ASCII)
_REFERENCE = re.compile(r"[0-9A-Z]{6,20}", re.ASCII)
_TAIL = re.compile(r"[0-9]{4}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSlip:
    """What a slip says: terminal, batch, voucher (凭证号), reference (参考号), and the card's last four digits."""

    terminal: str
    batch: str
    voucher: str
    reference: str
    card_tail: str

    def __post_init__(self) -> None:
        """Check what was copied.

        Raises:
            RefusalError: a figure cannot stand on a slip.
        """
        checks = (
            ("terminal", _TERMINAL, self.terminal),
            ("batch", _SIX, self.batch),
            ("voucher", _SIX, self.voucher),
            ("reference number", _REFERENCE, self.reference),
            ("last four digits of the card", _TAIL, self.card_tail),
        )
        for name, shape, text in checks:
            if shape.fullmatch(text) is None:
                raise RefusalError(f"the {name} {text!r} cannot stand on a slip; copy it again")

    @property
    def number(self) -> str:
        """Return what the acquirer's file knows the slip by."""
        return slip_number(self.terminal, self.batch, self.voucher)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardReceipt:
    """A card payment as the cashier enters it; `payment_id` is made at the desk."""

    payment_id: PaymentId
    account_id: AccountId
    amount_fen: int
    slip: CardSlip
    collection_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What was taken in one go, and what is still being asked about."""

    payments: tuple[Payment, ...]
    waiting: tuple[Attempt, ...]

    @property
    def taken_fen(self) -> int:
        """Return the sum of what arrived."""
        return sum(payment.amount_fen for payment in self.payments)

    @property
    def waiting_fen(self) -> int:
        """Return the sum of what is not decided yet."""
        return sum(attempt.amount_fen for attempt in self.waiting)


def slip_number(terminal: str, batch: str, voucher: str) -> str:
    """Return what a slip and its row in the acquirer's file are both known by."""
    return f"{terminal}-{int(batch):06d}-{int(voucher):06d}"


async def take_card(unit: Unit, cash_shift_id: UUID, receipt: CardReceipt) -> Payment:
    """Book a card payment of the acting cashier's shift from its slip; the same receipt again is the same payment.

    Raises:
        NotFoundError: there is no such shift or account.
        ShiftError: the shift is closed, or is another cashier's.
        NoMerchantAccountError: no terminal takes the money of the shift's box's company and fund.
        ConflictError: the slip was entered before.
    """
    known = await repository.payment(unit.session, receipt.payment_id)
    if known is not None:
        return booking.payment_of(known)
    book = await desk.book_of_shift(unit, cash_shift_id)
    account = await merchants.open_account(unit.session, book.legal_entity_id, book.fund_class, Channel.POS)
    if account is None:
        raise NoMerchantAccountError(Channel.POS, book.fund_class)
    if await repository.order_booked(unit.session, account.merchant_account_id, receipt.slip.number):
        raise ConflictError("this slip was entered before; look at the receipt it made")
    arrival = booking.Arrival(
        payment_id=receipt.payment_id,
        account_id=receipt.account_id,
        channel=Channel.POS,
        into=clearing(book, account.merchant_account_id),
        amount_fen=check_amount(receipt.amount_fen),
        paid_at=unit.now,
        bill_ids=(),
        method=Method.COUNTER,
        sub_method=f"card {receipt.slip.card_tail}",
        collection_id=receipt.collection_id,
    )
    traces = booking.Traces(
        merchant_account_id=account.merchant_account_id,
        order_number=receipt.slip.number,
        transaction_id=receipt.slip.reference,
        cash_shift_id=cash_shift_id,
    )
    payment = await booking.book(unit, arrival, traces)
    unit.session.add(_slip_row(unit, book.community_id, receipt))
    await unit.session.flush()
    return payment


async def collection(session: AsyncSession, collection_id: UUID, account_id: AccountId) -> Collection:
    """Return what was taken in one go from an account, and what is still being asked about.

    Raises:
        NotFoundError: something of it is another account's.
    """
    payments = [booking.payment_of(row) for row in await repository.payments_of_collection(session, collection_id)]
    if any(payment.account_id != account_id for payment in payments):
        raise NotFoundError("there is no such collection of this account")
    attempts = [attempt_of(row) for row in await repository.attempts_of_collection(session, collection_id)]
    return Collection(payments=tuple(payments), waiting=tuple(one for one in attempts if one.is_open))


def rest_fen(wanted_fen: int, taken: Sequence[Payment], waiting_fen: int = 0) -> int:
    """Return what is still to be taken of an amount, never below nothing."""
    return max(0, wanted_fen - sum(payment.amount_fen for payment in taken) - waiting_fen)


def _slip_row(unit: Unit, community_id: UUID, receipt: CardReceipt) -> CardSlipRow:
    return CardSlipRow(
        tenant_id=unit.tenant,
        community_id=community_id,
        payment_id=receipt.payment_id,
        terminal=receipt.slip.terminal,
        batch=receipt.slip.batch,
        voucher=receipt.slip.voucher,
        reference=receipt.slip.reference,
        card_tail=receipt.slip.card_tail,
    )
