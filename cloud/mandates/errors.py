"""What mandates refuse.

NotFoundError
└── UnknownMandateError       the company has no such mandate
ConflictError
├── MandateStateError         the mandate stands where this is not possible
└── StandingMandateError      the account has a mandate for this money already
"""

from __future__ import annotations

from cloud.kit.errors import ConflictError, NotFoundError


class UnknownMandateError(NotFoundError):
    """The company has no such mandate."""

    def __init__(self) -> None:
        super().__init__("there is no such agreement to automatic deduction")


class MandateStateError(ConflictError):
    """The mandate stands where this is not possible."""

    def __init__(self, state: str, deed: str) -> None:
        super().__init__(f"the agreement is {state} and cannot be {deed}; look at it again")


class StandingMandateError(ConflictError):
    """The account has a mandate for this money already."""

    def __init__(self) -> None:
        super().__init__("this account has an agreement for these bills already; end it before signing another")
