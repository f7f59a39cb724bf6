"""What payments refuse.

NotFoundError
├── UnknownAttemptError       the company has no such attempt
└── UnknownPayLinkError       the cashier address is unknown or revoked
ConflictError
├── NoMerchantAccountError    nobody may take this entity's money of this fund over the channel
├── OtherIntentError          the intent's id stands for another wish
└── ShiftError                the cash shift is not open, or another one is
RefusalError
└── NothingToPayError         nothing is open in the selection and no amount was given
"""

from __future__ import annotations

from cloud.kit.errors import ConflictError, NotFoundError
from common.errors import RefusalError


class UnknownAttemptError(NotFoundError):
    """The company has no such attempt."""

    def __init__(self) -> None:
        super().__init__("there is no such payment attempt")


class UnknownPayLinkError(NotFoundError):
    """The cashier address leads nowhere."""

    def __init__(self) -> None:
        super().__init__("this payment address is unknown or no longer valid; scan the code of the newest bill")


class NoMerchantAccountError(ConflictError):
    """Nobody may take the money."""

    def __init__(self, channel: str, fund_class: str) -> None:
        super().__init__(
            f"no merchant account takes {fund_class} money over {channel} for this company; add one, or pay otherwise"
        )


class OtherIntentError(ConflictError):
    """The same intent id with other content."""

    def __init__(self) -> None:
        super().__init__("this payment was begun with other content; nothing was changed, begin a new one")


class ShiftError(ConflictError):
    """The cash shift does not allow it."""


class NothingToPayError(RefusalError):
    """Nothing is open and no amount was given."""

    def __init__(self) -> None:
        super().__init__("nothing is open in this selection; name an amount to pay ahead")
