"""The port to a payment channel: what we ask of any counterparty, and the named outcomes it may answer.

An outside call ends in one of three ways: an answer that proved itself, a refusal that changed nothing, or *unknown*.
Unknown is asked about again with the same number; it is never sent again under a new one and never closed by a timer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

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
class Order:
    """What we ask a payer to pay: our own number and exactly one amount, computed by us."""

    number: str
    amount_fen: int
    description: str
    notify_url: str
    expires_at: datetime
    currency: str = "CNY"

    def __post_init__(self) -> None:
        """Check the amount and the instant."""
        ensure(self.amount_fen > 0, "an order asks for a positive amount")
        require_utc(self.expires_at, "expires_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """An order the channel accepted, with the code that the payer scans."""

    code_url: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """A refund we ask for: our own refund number, of one paid order, never more than it has left."""

    order_number: str
    refund_number: str
    amount_fen: int
    order_total_fen: int
    reason: str
    notify_url: str
    currency: str = "CNY"

    def __post_init__(self) -> None:
        """Check the amounts."""
        ensure(0 < self.amount_fen <= self.order_total_fen, "a refund is positive and at most the order")


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


class Provider(Protocol):
    """One merchant account at one channel."""

    async def place(self, order: Order) -> PlacedOrder | Refused | Unknown:
        """Ask the channel for a code that takes exactly this order."""
        ...

    async def query(self, number: str) -> OrderView | Refused | Unknown:
        """Ask where an order stands; this answer decides, a notification only hints."""
        ...

    async def close(self, number: str) -> Refused | Unknown | None:
        """Close an unpaid order; None when it is closed."""
        ...

    async def refund(self, order: RefundOrder) -> RefundView | Refused | Unknown:
        """Ask for a refund; repeating it with the same refund number is safe."""
        ...

    async def query_refund(self, refund_number: str) -> RefundView | Refused | Unknown:
        """Ask where a refund stands."""
        ...

    async def trade_bill(self, day: date) -> TradeBill | EmptyDay | NotReady | Refused | Unknown:
        """Fetch the trade bill of one Beijing calendar day."""
        ...
