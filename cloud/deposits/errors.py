"""What deposits refuse.

NotFoundError
└── UnknownDepositError     the company has no such deposit, deduction or return
ConflictError
├── DepositStateError       the deposit is not in a state for this
├── DeductionPendingError   a deduction is pending, so nothing goes back yet
└── LineError               the line is not one that this deposit may settle
"""

from __future__ import annotations

from cloud.deposits.rules import DepositState
from cloud.kit.errors import ConflictError, NotFoundError


class UnknownDepositError(NotFoundError):
    """The company has no such deposit."""

    def __init__(self, what: str = "deposit") -> None:
        super().__init__(f"there is no such {what}")


class DepositStateError(ConflictError):
    """The deposit is not in a state for this."""

    def __init__(self, state: DepositState, wanted: str) -> None:
        super().__init__(f"the deposit is {state}; it cannot be {wanted}")


class DeductionPendingError(ConflictError):
    """A deduction is pending."""

    def __init__(self) -> None:
        super().__init__(
            "the condition is noted, but a deduction of this deposit is pending; decide it first, nothing goes back"
        )


class LineError(ConflictError):
    """The line is not one that this deposit may settle."""
