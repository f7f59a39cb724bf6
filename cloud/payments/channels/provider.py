"""The port to a payment channel: what we ask of any counterparty, and the named outcomes it may answer.

An outside call ends in one of three ways: an answer that proved itself, a refusal that changed nothing, or *unknown*.
Unknown is asked about again with the same number; it is never sent again under a new one and never closed by a timer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from cloud.payments.channel import Method
from cloud.payments.channels.bill import BillRow, FlowRow
from common.clock import require_utc
from common.errors import ensure


class TradeState(StrEnum):
    """Where an order stands at the channel."""

    NOT_PAID = "not_paid"
    PAYING = "paying"
    PAID = "paid"
    REFUNDED = "refunded"
    CLOSED = "closed"
    FAILED = "failed"


class RefundState(StrEnum):
    """Where a refund stands at the channel; accepted is not arrived."""

    PROCESSING = "processing"
    SUCCESS = "success"
    CLOSED = "closed"
    ABNORMAL = "abnormal"


class UnknownReason(StrEnum):
    """Why we do not know what happened; also the label of its counter."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    FORGED = "forged"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The outcome of a call that may or may not have taken effect: ask, never send again."""

    reason: UnknownReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A final no of the channel; nothing was changed."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """What the method needs of the payer: his id at the channel, the code he shows, his address, his agreement."""

    open_id: str = field(default="", repr=False)
    auth_code: str = field(default="", repr=False)
    address: str = ""
    agreement: str = field(default="", repr=False)


NOBODY = Payer()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRef:
    """What an order is asked about by."""

    number: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRef:
    """What a refund is asked about by."""

    number: str
    order_number: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What we ask a payer to pay: our own number and exactly one amount, computed by us.

    `payer` says by whom, as far as the method needs it. `made_at` is business time, and stays the same for the order.
    """

    number: str
    amount_fen: int
    description: str
    notify_url: str
    made_at: datetime
    expires_at: datetime
    method: Method
    payer: Payer = NOBODY
    return_url: str = ""
    currency: str = "CNY"

    def __post_init__(self) -> None:
        """Check the amount and the instants."""
        ensure(self.amount_fen > 0, "an order asks for a positive amount")
        require_utc(self.made_at, "made_at")
        require_utc(self.expires_at, "expires_at")

    @property
    def ref(self) -> OrderRef:
        """Return what the order is asked about by."""
        return OrderRef(number=self.number, made_at=self.made_at)


class PromptKind(StrEnum):
    """What is done with what the channel gave us for the payer."""

    SCAN = "scan"  # show `code_url` as a code
    OPEN = "open"  # send his browser there
    SUBMIT = "submit"  # post `fields` there from his browser
    INVOKE = "invoke"  # hand `fields` to the bridge of the app he is in
    WAIT = "wait"  # he confirms on his own device


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """An order the channel accepted, with what the payer scans, opens or is handed."""

    code_url: str
    kind: PromptKind = PromptKind.SCAN
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as the channel tells it in a signed answer or notification.

    `total_fen`, `currency`, `transaction_id` and `paid_at` are None while nothing was paid.
    """

    merchant_number: str
    app_id: str
    number: str
    state: TradeState
    transaction_id: str | None = None
    total_fen: int | None = None
    currency: str | None = None
    paid_at: datetime | None = None
    sub_method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """A refund we ask for: our own refund number, of one paid order, never more than it has left."""

    order_number: str
    transaction_id: str
    refund_number: str
    made_at: datetime
    amount_fen: int
    order_total_fen: int
    reason: str
    notify_url: str
    currency: str = "CNY"

    def __post_init__(self) -> None:
        """Check the amounts."""
        ensure(0 < self.amount_fen <= self.order_total_fen, "a refund is positive and at most the order")
        require_utc(self.made_at, "made_at")

    @property
    def ref(self) -> RefundRef:
        """Return what the refund is asked about by."""
        return RefundRef(number=self.refund_number, order_number=self.order_number, made_at=self.made_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundView:
    """A refund as the channel tells it."""

    order_number: str
    refund_number: str
    refund_id: str
    state: RefundState
    amount_fen: int
    currency: str
    succeeded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeBill:
    """The raw bytes of one day's trade bill, after the channel's digest was compared."""

    day: date
    raw: bytes
    digest_compared: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyDay:
    """The channel says that no trade happened that day; a valid, empty bill."""

    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """The channel is still writing that day's bill; come back later."""

    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notification that proved itself: its own id, what it is about, and its plain bytes to keep.

    `view` is None when it tells of something else than a paid or closed order, such as a refund or an agreement.
    """

    event_id: str
    event_type: str
    plain: bytes = field(repr=False)
    order_number: str
    view: OrderView | None = None
    refund_number: str = ""
    agreement_number: str = ""


Bill = TradeBill | EmptyDay | NotReady | Refused | Unknown


class Freshness(StrEnum):
    """What the times in a channel's messages let be checked; who has none of them leans on the query that decides."""

    NOTIFICATION = "notification"  # a notification says when it was sent: one that was kept back is not believed
    CLOCK = "clock"  # a request says when it was made: a clock that is hours off gets nothing done


class Provider(Protocol):
    """One merchant account at one channel."""

    @property
    def freshness(self) -> frozenset[Freshness]:
        """Return what the times in the channel's messages let be checked."""
        ...

    @property
    def acknowledgement(self) -> bytes:
        """Return the body that tells the channel that we have its notification."""
        ...

    async def place(self, order: Order) -> PlacedOrder | OrderView | Refused | Unknown:
        """Ask the channel for what takes exactly this order; a code that was scanned may answer with the end."""
        ...

    async def query(self, order: OrderRef) -> OrderView | Refused | Unknown:
        """Ask where an order stands; this answer decides, a notification only hints."""
        ...

    async def close(self, order: OrderRef) -> Refused | Unknown | None:
        """Close an unpaid order; None when nobody can pay it any more."""
        ...

    async def reverse(self, order: OrderRef) -> Refused | Unknown | None:
        """Undo an order whose payer showed a code, paid or not; repeated until it answers None."""
        ...

    async def refund(self, order: RefundOrder) -> RefundView | Refused | Unknown:
        """Ask for a refund; repeating it with the same refund number is safe."""
        ...

    async def query_refund(self, refund: RefundRef) -> RefundView | Refused | Unknown:
        """Ask where a refund stands."""
        ...

    async def trade_bill(self, day: date) -> Bill:
        """Fetch the trade bill of one Beijing calendar day."""
        ...

    async def fund_bill(self, day: date) -> Bill:
        """Fetch what moved on the merchant's balance on one Beijing calendar day."""
        ...

    def open_notification(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Return a notification after checking its signature over the raw bytes, its window and its merchant.

        Raises:
            DistrustedError: with the first reason that applies.
        """
        ...

    def read_trade_bill(self, raw: bytes) -> tuple[BillRow, ...]:
        """Return the rows of a trade bill.

        Raises:
            FaultsError: it is another file, another merchant's, or contradicts itself.
        """
        ...

    def read_fund_bill(self, raw: bytes) -> tuple[FlowRow, ...]:
        """Return the rows of a fund bill.

        Raises:
            FaultsError: it is another file, another merchant's, or contradicts itself.
        """
        ...
