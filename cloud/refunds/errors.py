"""What refunds refuse.

NotFoundError
└── UnknownRefundError      the company has no such refund
ConflictError
├── OtherRefundError        the refund's id stands for another wish
├── NothingLeftError        less is left of the payment, or of where its money lies, than is asked
├── WindowError             the channel no longer takes refunds of the payment
├── OtherBookError          the bank account holds money of another company or fund
├── RefundStateError        the refund is not in a state for this
└── VerdictError            this person may not decide, or has decided
"""

from __future__ import annotations

from cloud.kit.errors import ConflictError, NotFoundError
from cloud.refunds.rules import RefundState


class UnknownRefundError(NotFoundError):
    """The company has no such refund."""

    def __init__(self) -> None:
        super().__init__("there is no such refund")


class OtherRefundError(ConflictError):
    """The same refund id with other content."""

    def __init__(self) -> None:
        super().__init__("this refund was asked for with other content; nothing was changed, begin a new one")


class NothingLeftError(ConflictError):
    """Less is left than is asked."""


class WindowError(ConflictError):
    """The channel's time for refunds is over."""

    def __init__(self) -> None:
        super().__init__(
            "the channel no longer takes refunds of this payment; pay it out by bank, or in cash with a signature"
        )


class OtherBookError(ConflictError):
    """A payout from a bank account that holds money of another company or fund."""

    def __init__(self) -> None:
        super().__init__(
            "this bank account does not hold money of the payment's company and fund; choose one that does"
        )


class RefundStateError(ConflictError):
    """The refund is not in a state for this."""

    def __init__(self, state: RefundState, wanted: str) -> None:
        super().__init__(f"the refund is {state}; it cannot be {wanted}")


class VerdictError(ConflictError):
    """This person may not decide."""
