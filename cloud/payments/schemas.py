"""What the payment endpoints take and answer; amounts in fen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.payments.channel import METHODS, Channel, Method, usual_method
from cloud.payments.channels.provider import Payer, PromptKind
from cloud.payments.desk import CashBox, Shift
from cloud.payments.links import CashierPage
from cloud.payments.merchants import MerchantAccount
from cloud.payments.rules import PAYMENT_FEN_MAX, AttemptState
from cloud.payments.values import Attempt, Payment, Quote
from cloud.tariffs.charge import FundClass
from common.errors import RefusalError

AmountFen = Annotated[int, Field(gt=0, le=PAYMENT_FEN_MAX)]
CountFen = Annotated[int, Field(ge=0, le=PAYMENT_FEN_MAX)]
Reason = Annotated[str, Field(max_length=500)]
_BILLS_MAX = 120


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BookIn(_In):
    """Whose money of which fund."""

    legal_entity_id: UUID
    fund_class: FundClass


class WayIn(BookIn):
    """How somebody wants to pay; left out, it is what suits his browser. `open_id` is his at WeChat."""

    channel: Channel | None = None
    method: Method | None = None
    open_id: Annotated[str, Field(max_length=128)] = ""

    @property
    def way(self) -> tuple[Channel, Method] | None:
        """Return the chosen way, or None.

        Raises:
            RefusalError: the channel does not know the method.
        """
        if self.channel is None:
            return None
        method = self.method or usual_method(self.channel)
        if method not in METHODS[self.channel] or method in {Method.CODE, Method.DEDUCTION}:
            raise RefusalError(f"{self.channel} cannot be paid by {method} here; choose another way")
        return self.channel, method

    def payer(self, address: str) -> Payer:
        """Return what the channel needs of the payer."""
        return Payer(open_id=self.open_id, address=address)


class IntentIn(WayIn):
    """A wish to pay; `intent_id` is made by the asker, so that asking twice is asking once."""

    intent_id: UUID
    account_id: UUID
    bill_ids: list[UUID] = Field(default=[], max_length=_BILLS_MAX)
    amount_fen: AmountFen | None = None


class LinkPaymentIn(WayIn):
    """A wish to pay at a bill's cashier address."""

    intent_id: UUID
    whole_account: bool = False
    amount_fen: AmountFen | None = None


class AttemptOut(BaseModel):
    """Where an attempt stands; `prompt` says what is done with `code_url`: scan, open, submit, invoke or wait."""

    attempt_id: UUID
    order_number: str
    amount_fen: int
    state: AttemptState
    method: Method
    code_url: str | None
    prompt: PromptKind | None
    prompt_fields: dict[str, str]
    expires_at: datetime

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptOut:
        """Return what is answered for an attempt."""
        return cls(
            attempt_id=attempt.attempt_id,
            order_number=attempt.order_number,
            amount_fen=attempt.amount_fen,
            state=attempt.state,
            method=attempt.method,
            code_url=attempt.code_url,
            prompt=attempt.prompt,
            prompt_fields=dict(attempt.prompt_fields),
            expires_at=attempt.expires_at,
        )


class OpenAmountOut(BaseModel):
    """What is open on one bill line."""

    bill_id: UUID
    line_n: int
    bill_number: str
    due_on: date
    open_fen: int


class QuoteOut(BaseModel):
    """What is open in one book."""

    legal_entity_id: UUID
    fund_class: FundClass
    total_fen: int
    lines: list[OpenAmountOut]

    @classmethod
    def of(cls, quote: Quote) -> QuoteOut:
        """Return what is answered for a quote."""
        return cls(
            legal_entity_id=quote.book.legal_entity_id,
            fund_class=quote.book.fund_class,
            total_fen=quote.total_fen,
            lines=[
                OpenAmountOut(
                    bill_id=amount.line.bill_id,
                    line_n=amount.line.n,
                    bill_number=amount.number,
                    due_on=amount.due_on,
                    open_fen=amount.open_fen,
                )
                for amount in quote.open_amounts
            ],
        )


class CashierPageOut(BaseModel):
    """What a bill's cashier address shows."""

    community_name: str
    premises_label: str
    bill_id: UUID
    bill_number: str
    due_on: date
    total_fen: int
    open_fen: int
    bill_quotes: list[QuoteOut]
    account_quotes: list[QuoteOut]

    @classmethod
    def of(cls, page: CashierPage) -> CashierPageOut:
        """Return what is answered for an address."""
        return cls(
            community_name=page.community_name,
            premises_label=page.premises_label,
            bill_id=page.bill.bill_id,
            bill_number=page.bill.number,
            due_on=page.bill.due_on,
            total_fen=page.bill.total_fen,
            open_fen=page.bill.open_fen,
            bill_quotes=[QuoteOut.of(quote) for quote in page.bill_quotes],
            account_quotes=[QuoteOut.of(quote) for quote in page.account_quotes],
        )


class PayLinkOut(BaseModel):
    """The cashier address of a bill."""

    token: str
    path: str


class PaymentOut(BaseModel):
    """A receipt."""

    payment_id: UUID
    account_id: UUID
    number: str
    channel: Channel
    method: Method
    sub_method: str
    amount_fen: int
    ahead_fen: int
    change_fen: int
    paid_at: datetime
    booked_at: datetime
    order_number: str | None

    @classmethod
    def of(cls, payment: Payment) -> PaymentOut:
        """Return what is answered for a payment."""
        return cls(
            payment_id=payment.payment_id,
            account_id=payment.account_id,
            number=payment.number,
            channel=payment.channel,
            method=payment.method,
            sub_method=payment.sub_method,
            amount_fen=payment.amount_fen,
            ahead_fen=payment.ahead_fen,
            change_fen=payment.change_fen,
            paid_at=payment.paid_at,
            booked_at=payment.booked_at,
            order_number=payment.order_number,
        )


class CashBoxIn(BookIn):
    """A cash box to add."""

    name: Annotated[str, Field(min_length=1, max_length=60)]


class CashBoxOut(BaseModel):
    """A cash box."""

    cash_box_id: UUID
    name: str
    legal_entity_id: UUID
    fund_class: FundClass

    @classmethod
    def of(cls, box: CashBox) -> CashBoxOut:
        """Return what is answered for a box."""
        return cls(
            cash_box_id=box.cash_box_id,
            name=box.name,
            legal_entity_id=box.book.legal_entity_id,
            fund_class=box.book.fund_class,
        )


class ShiftIn(_In):
    """A shift to open, with the count of the box."""

    cash_box_id: UUID
    opening_fen: CountFen
    reason: Reason = ""


class CountIn(_In):
    """The count that closes a shift."""

    counted_fen: CountFen
    reason: Reason = ""


class CashIn(_In):
    """Cash handed over; `payment_id` is made at the desk."""

    payment_id: UUID
    account_id: UUID
    tendered_fen: AmountFen
    amount_fen: AmountFen | None = None
    bill_ids: list[UUID] = Field(default=[], max_length=_BILLS_MAX)


class ShiftOut(BaseModel):
    """A shift and what its box holds."""

    cash_shift_id: UUID
    cash_box_id: UUID
    opened_at: datetime
    opening_fen: int
    expected_fen: int
    closed_at: datetime | None
    counted_fen: int | None
    difference_fen: int
    reason: str

    @classmethod
    def of(cls, shift: Shift) -> ShiftOut:
        """Return what is answered for a shift."""
        return cls(
            cash_shift_id=shift.cash_shift_id,
            cash_box_id=shift.cash_box_id,
            opened_at=shift.opened_at,
            opening_fen=shift.opening_fen,
            expected_fen=shift.expected_fen,
            closed_at=shift.closed_at,
            counted_fen=shift.counted_fen,
            difference_fen=shift.difference_fen,
            reason=shift.reason,
        )


class MerchantAccountOut(BaseModel):
    """A merchant account without its secrets."""

    merchant_account_id: UUID
    legal_entity_id: UUID
    fund_class: FundClass
    channel: Channel
    label: str
    merchant_number: str
    channel_serials: list[str]

    @classmethod
    def of(cls, account: MerchantAccount) -> MerchantAccountOut:
        """Return what is answered for a merchant account."""
        return cls(
            merchant_account_id=account.merchant_account_id,
            legal_entity_id=account.legal_entity_id,
            fund_class=account.fund_class,
            channel=account.channel,
            label=account.label,
            merchant_number=account.merchant_number,
            channel_serials=[serial for serial, _ in account.channel_keys],
        )
